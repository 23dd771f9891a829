"""Completion in real shells, and the manual page in a real formatter."""

import glob
import os
import pty
import re
import select
import subprocess
import time

import pytest

from cli_helpers import BIN, Cli, FUNCTION_PATH, ROOT, FakeGateway


@pytest.fixture
def gateway():
    g = FakeGateway()
    g.on("GET", "/system/functions", (200, '[{"name": "figlet"}, {"name": "figment"}, {"name": "env"}]'))
    g.on("GET", "/system/namespaces", (200, '["openfaas-fn", "dev"]'))
    g.on("GET", "/system/secrets", (200, '[{"name": "api-key"}]'))
    g.on("GET", "/system/queues", (200, '[{"name": "faas-request"}, {"name": "reports"}]'))
    yield g
    g.close()


@pytest.fixture
def cli(tmp_path, gateway):
    folder = tmp_path / "project"
    folder.mkdir()
    cli = Cli(str(folder), gateway.url)
    cli.env["PATH"] = os.path.abspath(BIN) + ":" + FUNCTION_PATH
    cli.write("some-file.txt", "")
    return cli


LINES = [
    ("faas-cli desc", {"describe"}),
    ("faas-cli describe fig", {"figlet", "figment"}),
    ("faas-cli secret ", {"create", "update", "list", "remove", "apply", "generate"}),
    ("faas-cli logs env --output ", {"plain", "keyvalue", "json"}),
    ("faas-cli list --namespace d", {"dev"}),
    ("faas-cli secret remove ", {"api-key"}),
    ("faas-cli new f --lang pyth", None),
    ("faas-cli list --verb", {"--verbose"}),
    ("faas-cli queue pause ", {"faas-request", "reports"}),
]


def bash(cli, line):
    script = ("source <(faas-cli completion --shell bash)\n"
              f"COMP_LINE='{line}' COMP_POINT={len(line)}\n"
              "_faas_cli && printf '%s\\n' \"${COMPREPLY[@]}\"\n")
    done = subprocess.run(["bash", "--norc", "-c", script], cwd=cli.folder, env=cli.env, text=True,
                          capture_output=True, timeout=30)
    assert done.stderr == "", done
    return set(done.stdout.split())


def fish(cli, line):
    done = subprocess.run(
        ["fish", "--no-config", "-c",
         f"faas-cli completion --shell fish | source; complete -C '{line}'"],
        cwd=cli.folder, env=cli.env, text=True, capture_output=True, timeout=30)
    assert done.stderr == "", done
    return {offer.split("\t")[0] for offer in done.stdout.splitlines()}


@pytest.mark.parametrize("shell", [bash, fish])
def test_a_shell_offers_what_the_table_and_the_gateway_have(cli, shell):
    for line, expected in LINES:
        offers = shell(cli, line)
        if expected is None:
            assert "python3" in offers and "node" not in offers, line
        else:
            assert offers == expected, line


def test_names_come_from_the_gateway_that_the_command_would_ask(cli, gateway):
    cli.write("stack.yaml", "provider: {name: openfaas, gateway: 'http://127.0.0.1:1'}\nfunctions: {here: {image: i}}\n")
    assert cli("complete", "--", "secret", "remove", "").out == ":words\napi-key\n"
    assert "reports\n" in cli("complete", "--", "queue", "dead", "").out
    assert cli("complete", "--", "describe", "").out == ":words\nhere\n"
    assert gateway.seen() == ["GET /system/secrets", "GET /system/queues"]


def test_bash_gets_only_what_is_behind_the_equals_sign(cli):
    assert bash(cli, "faas-cli logs f --output=k") == {"keyvalue"}


def test_bash_and_fish_fall_back_to_names_of_files(cli):
    assert bash(cli, "faas-cli secret create x --from-file ") == set()
    assert "some-file.txt" in fish(cli, "faas-cli secret create x --from-file some")


class Terminal:
    """A shell at the other end of a terminal."""

    def __init__(self, argv, cli):
        pid, self.fd = pty.fork()
        if pid == 0:
            os.chdir(cli.folder)
            os.execvpe(argv[0], argv, {**cli.env, "TERM": "dumb", "PS1": "ready> "})
        self.pid, self.text = pid, ""

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait_for(self, pattern, limit=30):
        deadline = time.monotonic() + limit
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, self.text
            if select.select([self.fd], [], [], 0.5)[0]:  # a bell may ring anywhere
                self.text += os.read(self.fd, 4096).decode(errors="replace").replace("\a", "")
        self.text = ""

    def close(self):
        os.close(self.fd)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)


def test_zsh_completes_at_the_prompt(cli):
    zsh = Terminal(["zsh", "-f", "-i"], cli)
    try:
        zsh.wait_for("ready> ")
        zsh.type("autoload -Uz compinit && compinit -u && source <(faas-cli completion --shell zsh)"
                 " && echo load''ed\n")
        zsh.wait_for("loaded")
        zsh.type("faas-cli desc\t")
        zsh.wait_for("describe ")
        zsh.type("figl\t")
        zsh.wait_for("figlet ")
        zsh.type("--ver\t")
        zsh.wait_for("--verbose ")
        zsh.type("\x15faas-cli logs env --output=key\t")
        zsh.wait_for("--output=keyvalue")
        zsh.type("\x15faas-cli print-token some-f\t")
        zsh.wait_for("some-file.txt")
    finally:
        zsh.close()


def test_zsh_finds_the_script_in_its_path(cli):
    cli.write("functions/_faas-cli", cli("completion", "--shell", "zsh").out)
    zsh = Terminal(["zsh", "-f", "-i"], cli)
    try:
        zsh.wait_for("ready> ")
        zsh.type("fpath+=($PWD/functions) && autoload -Uz compinit && compinit -u && echo load''ed\n")
        zsh.wait_for("loaded")
        zsh.type("faas-cli desc\t")
        zsh.wait_for("describe ")
    finally:
        zsh.close()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_script_is_sound_for_its_shell(cli, shell):
    script = cli("completion", "--shell", shell).out
    subprocess.run([shell, "-n"], input=script, text=True, check=True, env=cli.env)
    if shell == "bash":
        r = cli("bashcompletion", "old.sh")
        assert cli.read("old.sh") == script and "deprecated" in r.err


def test_completion_needs_a_known_shell(cli):
    assert "bash, zsh or fish" in cli("completion", rc=1).err
    assert 'must be one of bash, zsh, fish' in cli("completion", "--shell", "tcsh", rc=1).err


def test_completion_without_a_gateway_offers_the_stack_file(cli):
    cli.write("stack.yaml", "provider: {name: openfaas}\nfunctions: {greet: {image: x}}\n")
    r = cli("complete", "--", "describe", "--gateway", "http://127.0.0.1:1", "")
    assert r.out == ":words\ngreet\n" and r.err == ""
    cli.write("other.yml", "provider: {name: openfaas}\nfunctions: {other: {image: x}}\n")
    assert cli("complete", "--", "-fother.yml", "describe", "-g", "http://127.0.0.1:1", "").out == ":words\nother\n"
    assert cli("complete", "--", "describe", "-g", "http://127.0.0.1:1", "-f", "no", "").out == ":words\n"


def test_the_manual_page_is_sound_and_whole(cli):
    page = cli("man", SOURCE_DATE_EPOCH="0").out
    assert ".Dd January  1, 1970\n" in page
    lint = subprocess.run(["mandoc", "-Tlint", "-Wwarning"], input=page, text=True, capture_output=True)
    assert lint.stdout == "" and lint.returncode == 0, lint.stdout
    text = subprocess.run(["mandoc", "-Tutf8"], input=page, text=True, capture_output=True, check=True).stdout
    text = re.sub(".\b", "", text)
    for expected in ("secret create NAME", "--read-template", "OPENFAAS_STORE", "EXIT STATUS",
                     "faas-cli remove -f stack.yml"):
        assert expected in text, expected
    sources = "".join(open(f).read() for f in glob.glob(os.path.join(ROOT, "cli", "*.[ch]")))
    variables = set(re.findall(r'getenv\("(\w+)"\)|"(OPENFAAS_\w+)"', sources))
    variables = {a or b for a, b in variables} | {"SSL_CERT_FILE"}
    # What every program reads, and what functions are given.
    for name in variables - {"HOME", "PATH", "TERM", "TMPDIR", "SOURCE_DATE_EPOCH", "OPENFAAS_NAME", "OPENFAAS_NAMESPACE"}:
        assert f'.It Ev "{name}' in page, name
