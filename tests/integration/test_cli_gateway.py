"""faas-cli from new to remove against the real gateway, its functions as processes."""

import json

import pytest

from cli_helpers import Cli
from minnow import wait_until

TEMPLATES = ("python3", "node", "bash", "c")


@pytest.fixture
def cli(tmp_path, gateway):
    folder = tmp_path / "project"
    folder.mkdir()
    cli = Cli(str(folder), gateway.url)
    cli("login", "--password-stdin", stdin=gateway.password)
    return cli


def test_a_function_of_every_template_from_new_to_remove(cli, gateway):
    for i, lang in enumerate(TEMPLATES):
        cli("new", f"e2e-{lang}", "--lang", lang, "-q", *(["--append", "stack.yaml"] if i else []))
    up = cli("up", "--parallel", "2", "--quiet")
    for lang in TEMPLATES:
        assert f"Deployed. 202 Accepted.\nURL: {gateway.url}/function/e2e-{lang}\n" in up.out
    names = cli("list", "-q").out.splitlines()
    assert {f"e2e-{lang}" for lang in TEMPLATES} <= set(names)
    for lang in TEMPLATES:
        cli("ready", f"e2e-{lang}", "--interval", "50ms", "--attempts", "200")
        assert cli("invoke", f"e2e-{lang}", stdin=b"h\xc3\xa9\n").raw == b"h\xc3\xa9\n"
    described = json.loads(cli("describe", "e2e-c", "--json").out)
    assert described["Status"] == "Ready" and described["image"] == "e2e-c:latest"
    assert described["InvocationCount"] == 1 and described["envProcess"] == "./handler"
    assert "Deleting: e2e-node.\nRemoving old function.\n" in cli("remove").out
    wait_until(lambda: not {f"e2e-{lang}" for lang in TEMPLATES} & set(
        cli("list", "-q").out.splitlines()), "the functions to be gone")
    assert "404" in cli("invoke", "e2e-c", rc=1).err


def stack(handler, cli):
    cli.write("stack.yaml", "provider: {name: openfaas}\nfunctions:\n  said:\n    lang: bash\n"
              "    handler: ./said\n    image: said\n    secrets: [word]\n")
    cli.write("said/handler.sh", handler)


def test_secrets_arrive_byte_for_byte(cli):
    stack("cat \"$secret_mount_path/word\"\n", cli)
    data = bytes(range(256)) + b"\n"
    with open(cli.path("bin"), "wb") as f:
        f.write(data)
    cli("secret", "create", "word", "--from-file", "bin")
    cli("up", "--quiet")
    cli("ready", "said", "--interval", "50ms", "--attempts", "200")
    assert cli("invoke", "said").raw == data
    for source, stored in ((("--from-file", "bin", "--trim=false"), data), (("--from-literal", " a "), b"a"),
                           (("--from-literal", " a ", "--trim=false"), b" a ")):
        cli("secret", "update", "word", *source)
        wait_until(lambda: cli("invoke", "said").raw == stored, "the new value")
    cli("secret", "update", "word", stdin=b"\0\n")
    wait_until(lambda: cli("invoke", "said").raw == b"\0", "a value from standard input")
    cli("remove", "said")
    cli("secret", "remove", "word")


def test_secrets_logs_and_a_second_up(cli):
    assert "Created: 201 Created" in cli("secret", "create", "word", stdin="hush\n").out
    assert "already exists" in cli("secret", "create", "word", stdin="x", rc=1).err
    stack('echo "to the log" >&2\necho "one $(secret word)"\n', cli)
    cli("up", "--quiet")
    cli("ready", "said", "--interval", "50ms", "--attempts", "200")
    assert cli("invoke", "said").out == "one hush\n"
    wait_until(lambda: "to the log" in cli("logs", "said", "--tail=false").out, "the function's log")
    stack("echo two\n", cli)
    cli("up", "--quiet")
    wait_until(lambda: cli("invoke", "said").out == "two\n", "the new version")
    stack("exit 3\n", cli)
    cli("up", "--quiet")
    wait_until(lambda: "status code: 500" in cli("invoke", "said", rc=None).err, "the failing version")
    cli("remove", "said")
    assert cli("secret", "rm", "word").out == "Removed.. OK.\n"


def test_what_the_gateway_refuses_is_said_in_its_words(cli):
    r = cli("deploy", "--image", "never-pushed", "--name", "ghost", rc=1)
    assert "never-pushed" in r.err and "failed to deploy with status code" in r.err
    r = cli("deploy", "--image", "x", "--name", "Bad_Name", rc=1)
    assert "Bad_Name" in r.err and "400" in r.err
    assert "No such function: ghost" in cli("describe", "ghost", rc=1).err
    cli("logout")
    assert "faas-cli login" in cli("list", rc=1).err
    assert "did not accept" in cli("login", "-s", stdin="wrong", rc=1).err


def test_what_the_gateway_is(cli):
    about = json.loads(cli("version", "--json").out)
    assert about["provider"]["name"] == "minnow-local"
    assert about["cli"]["version"] == about["gateway"]["version"]
    assert "OpenFaaS gateway is ready" in cli("ready").out
