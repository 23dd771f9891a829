"""What faas-cli sends for each command, to the byte where other gateways depend on it; and which
gateway it asks. docs/cli-vectors.md says which vector is held by which test."""

import base64
import hashlib
import hmac
import json
import os
import re

import pytest

from cli_helpers import ROOT, Cli, FakeGateway

STACK = """\
provider:
  name: openfaas
  gateway: %s
functions:
  figlet:
    skip_build: true
    image: figlet
    namespace: art
"""
FUNCTION = '{"name": "figlet", "image": "figlet:latest", "availableReplicas": 1, "replicas": 1}'


@pytest.fixture
def gateway():
    g = FakeGateway()
    for method in ("POST", "PUT", "DELETE"):
        for path in ("/system/functions", "/system/secrets", "/system/namespace/", "/system/namespace/dev",
                     "/system/scale-function/figlet"):
            g.on(method, path, (202, ""))
    g.on("GET", "/system/functions", (200, "[" + FUNCTION + "]"))
    g.on("GET", "/system/function/figlet", (200, FUNCTION))
    g.on("GET", "/system/secrets", (200, "[]"))
    g.on("GET", "/system/namespaces", (200, '["openfaas-fn"]'))
    g.on("GET", "/system/namespace/dev", (200, '{"name": "dev"}'))
    g.on("GET", "/system/logs", (200, ""))
    g.on("GET", "/system/info", (200, "{}"))
    g.on("GET", "/healthz", (200, "OK"))
    g.on("POST", "/function/figlet.openfaas-fn", (200, "art"))
    g.on("POST", "/function/figlet.dev", (200, "art"))
    g.on("POST", "/function/figlet.art", (200, "art"))
    g.on("POST", "/async-function/figlet.openfaas-fn", (202, ""))
    yield g
    g.close()


@pytest.fixture
def cli(tmp_path, gateway):
    folder = tmp_path / "project"
    folder.mkdir()
    cli = Cli(str(folder), gateway.url)
    cli.write("index.json", json.dumps({"functions": [
        {"name": "figlet", "title": "Figlet", "fprocess": "figlet", "images": {"x86_64": "figlet:1"}}]}))
    return cli


MARK = {"openfaas": "1"}
CALLS = [
    ("list", "GET /system/functions"),
    ("list -n dev", "GET /system/functions?namespace=dev"),
    ("describe figlet", "GET /system/function/figlet?usage=1", "GET /system/functions"),
    ("describe figlet -n dev", "GET /system/function/figlet?namespace=dev&usage=1", "GET /system/functions?namespace=dev"),
    ("deploy --image figlet --name figlet",
     ("PUT /system/functions", '{"service":"figlet","image":"figlet","labels":{},"annotations":{}}')),
    ("deploy --image figlet --name figlet --update=false",
     ("POST /system/functions", '{"service":"figlet","image":"figlet","labels":{},"annotations":{}}')),
    ("deploy --image i --name figlet --replace -n dev", ("DELETE /system/functions", '{"functionName":"figlet","namespace":"dev"}'),
     ("POST /system/functions", '{"service":"figlet","image":"i","namespace":"dev","labels":{},"annotations":{}}')),
    ("deploy --image i --name figlet --fprocess cat -e a=1 --constraint c=1 --secret s --label l=1 --annotation x=y"
     " --memory-limit 64Mi --cpu-limit 100m --memory-request 32Mi --cpu-request 50m --readonly",
     ("PUT /system/functions", '{"service":"figlet","image":"i","envProcess":"cat","envVars":{"a":"1"},"constraints":["c=1"],'
      '"secrets":["s"],"labels":{"l":"1"},"annotations":{"x":"y"},"limits":{"memory":"64Mi","cpu":"100m"},'
      '"requests":{"memory":"32Mi","cpu":"50m"},"readOnlyRootFilesystem":true}')),
    ("remove figlet", ("DELETE /system/functions", '{"functionName":"figlet"}')),
    ("remove figlet -n dev", ("DELETE /system/functions", '{"functionName":"figlet","namespace":"dev"}')),
    ("scale figlet 3 -n dev", ("POST /system/scale-function/figlet", '{"serviceName":"figlet","replicas":3,"namespace":"dev"}')),
    ("secret create key --from-literal v", ("POST /system/secrets", '{"name":"key","value":"v"}')),
    ("secret create key --from-file f -n dev",
     ("POST /system/secrets", '{"name":"key","namespace":"dev","value":"file","rawValue":"ZmlsZQo="}')),
    ("secret create key --from-file f --trim=false", ("POST /system/secrets", '{"name":"key","value":"file\\n","rawValue":"ZmlsZQo="}')),
    ("secret update key --from-literal v", ("PUT /system/secrets", '{"name":"key","value":"v"}')),
    ("secret list -n dev", "GET /system/secrets?namespace=dev"),
    ("secret remove key", ("DELETE /system/secrets", '{"name":"key"}')),
    ("namespace list", "GET /system/namespaces"),
    ("namespaces", "GET /system/namespaces"),
    ("namespace get dev", "GET /system/namespace/dev"),
    ("namespace create dev -l a=b", ("POST /system/namespace/", '{"name":"dev","annotations":{"openfaas":"1"},"labels":{"a":"b","openfaas":"1"}}')),
    ("namespace update dev --annotation a=b",
     ("PUT /system/namespace/dev", '{"name":"dev","annotations":{"a":"b","openfaas":"1"},"labels":{"openfaas":"1"}}')),
    ("namespace remove dev", ("DELETE /system/namespace/dev", '{"name":"dev","labels":{"openfaas":"1"}}')),
    ("logs figlet", "GET /system/logs?follow=true&name=figlet&tail=-1"),
    ("logs figlet -n dev --tail=false --lines 5 --since-time 2024-01-02T03:04:05Z",
     "GET /system/logs?follow=false&name=figlet&namespace=dev&since=2024-01-02T03%3A04%3A05Z&tail=5"),
    ("logs figlet --lines 0", "GET /system/logs?follow=true&name=figlet"),
    ("version", "GET /system/info"),
    ("info", "GET /system/namespaces", "GET /system/functions?namespace=openfaas-fn", "GET /system/info"),
    ("ready", "GET /healthz"),
    ("ready figlet -n dev", "GET /system/function/figlet?namespace=dev&usage=1"),
    ("store deploy figlet -u index.json -p x86_64 --name other",
     ("PUT /system/functions", '{"service":"other","image":"figlet:1","envProcess":"figlet","labels":{},"annotations":{}}')),
    ("invoke figlet", ("POST /function/figlet.openfaas-fn", "")),
    ("invoke figlet -n dev --query b=2 --query a=1&x", ("POST /function/figlet.dev?a=1%26x&b=2", "")),
    ("invoke figlet --async", ("POST /async-function/figlet.openfaas-fn", "")),
]


@pytest.mark.parametrize("row", CALLS, ids=[c[0] for c in CALLS])
def test_each_command_sends_exactly_this(cli, gateway, row):
    cli.write("f", "file\n")
    cli(*row[0].split())
    expected = [e if isinstance(e, tuple) else (e, "") for e in row[1:]]
    assert [(repr(r), r.body.decode()) for r in gateway.requests] == expected
    for r in gateway.requests:
        if r.body and not r.target.startswith("/function/"):
            assert r.headers["Content-Type"] == "application/json"
        assert re.match(r"faas-cli/\S+( \(openfaas; linux; (amd64|arm64)\))?$", r.headers["User-Agent"])


GW = "-g/--gateway --tls-no-verify"
TK = "-k/--token"
NS = "-n/--namespace"
ES = "--envsubst=true"
JS = "-j/--json"
RES = "--cpu-request --cpu-limit --memory-request --memory-limit"
TAG = "--tag=latest"
BLD = ("--image --handler --name --lang --no-cache --squash --parallel=1 --shrinkwrap -b/--build-arg -o/--build-option --build-label "
       f"--copy-extra --quiet --disable-stack-pull --pull --debug --overwrite=true {TAG} {ES}")
DPL = (f"--fprocess --handler --image --lang --name --network -e/--env -l/--label --annotation --replace --update=true --constraint "
       f"--secret --readonly --read-template=true --timeout=1m0s {GW} {NS} {TAG} {ES} {TK} {RES}")
VALUE = "--from-literal --from-file --trim=true"
STORE = "-u/--url -p/--platform"
FLAGS = {
    "new": f"--lang -g/--gateway --handler -p/--prefix --list -a/--append -q/--quiet {RES}",
    "build": BLD,
    "push": f"--parallel=1 --quiet {TAG} {ES}",
    "deploy": DPL,
    "up": f"--publish --platforms --skip-push --skip-deploy --watch {BLD} {DPL}",
    "publish": f"--platforms --extra-tag --reset-qemu {BLD}",
    "local-run": f"--print --build=true -p/--port=8080 --network -e/--env --watch {BLD.replace('--quiet ', '')}",
    "template pull": "--overwrite=true --debug",
    "template store list": f"-v/--verbose -u/--url -p/--platform=x86_64 -r/--recommended -o/--official {JS}",
    "template store describe": f"-u/--url {JS}",
    "template store pull": "-u/--url --overwrite=true --debug",
    "remove": f"{GW} {ES} {TK} {NS}",
    "list": f"{GW} {NS} {TK} {ES} {JS} -q/--quiet -v/--verbose --sort=name",
    "describe": f"{GW} {NS} {TK} {ES} {JS} -v/--verbose --name",
    "invoke": f"{GW} {NS} {ES} --content-type=text/plain --query -H/--header -a/--async -m/--method=POST --sign --key --name",
    "logs": f"{GW} {NS} {TK} {JS} --since --since-time --lines=-1 -t/--tail=true -o/--output=plain --name --instance "
            "--time-format=2006-01-02T15:04:05Z07:00",
    "login": f"{GW} -u/--username=admin -p/--password -s/--password-stdin --timeout=5s",
    "logout": "-g/--gateway",
    "secret create": f"{GW} {TK} {NS} {VALUE} --replace",
    "secret update": f"{GW} {TK} {NS} {VALUE}",
    "secret list": f"{GW} {TK} {NS} {JS}",
    "secret remove": f"{GW} {TK} {NS}",
    "secret apply": f"{GW} {TK} {NS} --trim=true",
    "secret generate": "--length=32 -o/--output",
    "store list": f"{STORE} -v/--verbose {JS}",
    "store describe": f"{STORE} {JS}",
    "store deploy": f"{STORE} {GW} {NS} {TK} --name -e/--env -l/--label --annotation --replace --update=true --constraint --secret "
                    f"--timeout=1m0s {RES}",
    "generate": f"--api=openfaas.com/v1 -n/--namespace=openfaas-fn {TAG} {ES} --from-store --name --arch=x86_64 --annotation --label",
    "ready": f"{GW} {NS} --attempts=60 --interval=1s",
    "namespace list": f"{GW} {TK} {JS}",
    "namespace create": f"{GW} {TK} -l/--label --annotation",
    "namespace update": f"{GW} {TK} -l/--label --annotation",
    "namespace get": f"{GW} {TK}",
    "namespace remove": f"{GW} {TK}",
    "diff": f"{GW} {TK} {NS} {ES} {TAG} --env=local",
    "registry-login": "--server=https://index.docker.io/v1/ -u/--username --password -s/--password-stdin --ecr --account-id --region",
    "version": f"{GW} {TK} {ES} {JS} --short-version --warn-update",
    "completion": "--shell",
    "chart export": "-o/--output=./yaml --values --set --crds=true -n/--namespace --release=openfaas",
}


@pytest.mark.parametrize("command", FLAGS)
def test_every_flag_is_there_with_its_letter_and_default(cli, command):
    text = re.sub(r"\n {20,}", " ", cli(*command.split(), "--help").out)
    lines = {m[2]: (m[1], m[0]) for m in re.finditer(r"^ +(?:-(\w), )?--([\w-]+).*$", text, re.M)}
    for flag in (FLAGS[command] + " -f/--yaml --regex --filter -h/--help").split():
        spelled, _, default = flag.partition("=")
        letter, _, name = spelled.rpartition("/")
        name = name.lstrip("-")
        assert name in lines, f"--{name}"
        assert (lines[name][0] or "") == letter.lstrip("-"), f"--{name}"
        if default:
            assert f"(default {default})" in lines[name][1], lines[name][1]


MANAGEMENT = ["list", "describe figlet", "deploy --image a --name a", "remove figlet", "scale figlet 1", "logs figlet", "info",
              "secret list", "secret create a --from-literal b", "secret update a --from-literal b", "secret remove a",
              "namespace list", "namespace get dev", "namespace create dev", "namespace update dev", "namespace remove dev",
              "ready figlet --attempts 3", "store deploy figlet -u index.json -p x86_64", "version --json"]


@pytest.mark.parametrize("command", MANAGEMENT)
def test_without_the_right_login_every_command_says_what_to_do(cli, gateway, command):
    for key in list(gateway.answers):
        gateway.on(*key, (401, "unauthorized"))
    r = cli(*command.split(), rc=1)
    assert f"faas-cli login --gateway {gateway.url}" in r.err, r
    assert len(gateway.requests) == 1, "there is no use in asking again"


def test_the_saved_login_is_used_and_a_token_wins_over_it(cli, gateway):
    cli("list")
    assert gateway.requests[-1].headers["Authorization"] is None
    cli("login", "-s", "-u", "ada", stdin=" secret \n")
    basic = "Basic " + base64.b64encode(b"ada:secret").decode()
    assert gateway.requests[-1].headers["Authorization"] == basic
    for command in ("list", "secret list", "namespace list", "logs figlet", "ready figlet", "version", "remove figlet"):
        cli(*command.split())
        assert gateway.requests[-1].headers["Authorization"] == basic, command
    for command in ("list", "namespace list", "secret list", "info"):
        cli(*command.split(), "--token", "abc")
        assert gateway.requests[-1].headers["Authorization"] == "Bearer abc", command
    cli("ready")
    assert gateway.requests[-1].headers["Authorization"] is None, "a probe needs none"
    cli("invoke", "figlet")
    assert gateway.requests[-1].headers["Authorization"] is None, "a function is told no password"


def test_a_saved_bearer_token_is_used(cli, gateway):
    cli.write("home/.openfaas/config.yml", f"auths:\n- gateway: {gateway.url}\n  auth: oauth2\n  token: abc\n")
    cli("list")
    assert gateway.requests[-1].headers["Authorization"] == "Bearer abc"


READERS = ["list", "describe figlet", "deploy", "remove", "ready", "version", "logs figlet", "diff", "invoke figlet", "info",
           "scale figlet 1"]
OTHERS = ["login -p x", "logout", "async status x", "queue list", "explain x", "secret list", "namespace list", "store deploy figlet -u index.json -p x86_64", "remove figlet"]


@pytest.mark.parametrize("command", READERS + OTHERS)
def test_which_commands_ask_the_stack_files_gateway(cli, gateway, command):
    elsewhere = FakeGateway()
    try:
        for key, answers in gateway.answers.items():
            elsewhere.on(*key, *answers)
        cli.write("stack.yaml", STACK % elsewhere.url)
        cli("login", "-p", "x")
        gateway.requests.clear()
        cli(*command.split(), rc=None)
        asked = [len(elsewhere.requests) > 0, len(gateway.requests) > 0]
        assert asked == [command in READERS, command in OTHERS and command != "logout"]
        elsewhere.requests.clear()
        cli(*command.split(), "--gateway", elsewhere.url, rc=None)
        assert (len(elsewhere.requests) > 0) == (command != "logout")
        if command != "remove figlet":  # without a name it does
            assert ("the stack file's, then $OPENFAAS_URL" in " ".join(cli(*command.split(), "--help").out.split())) == (
                command in READERS)
    finally:
        elsewhere.close()


def test_the_default_gateway_as_a_flag_does_not_beat_the_environment(cli, gateway):
    cli("list", "--gateway", "http://127.0.0.1:8080")
    assert gateway.seen() == ["GET /system/functions"]
    cli("logs", "figlet", "--tail=false", "--gateway", "http://127.0.0.1:8080", rc=None)
    assert gateway.seen() == ["GET /system/functions"], "logs takes its flag at its word"


def test_a_gateway_is_written_in_several_ways(cli, gateway):
    host = gateway.url[len("http://"):]
    for spelled in (gateway.url + "/", gateway.url + "//", host, "HTTP://" + host):
        assert cli("list", "-q", OPENFAAS_URL=spelled).out == "figlet\n", spelled


def test_functions_may_send_a_get_elsewhere_but_no_body(cli, gateway):
    gateway.redirects["/function/figlet.openfaas-fn"] = "/function/figlet.art"
    gateway.on("GET", "/function/figlet.art", (200, "there"))
    assert cli("invoke", "figlet", "-m", "GET").out == "there"
    assert gateway.seen() == ["GET /function/figlet.openfaas-fn", "GET /function/figlet.art"]
    for method, body in (("POST", ""), ("GET", "a body")):
        assert "status code: 302" in cli("invoke", "figlet", "-m", method, stdin=body, rc=1).err


def test_a_redirect_of_the_list_is_not_followed(cli, gateway):
    gateway.redirects["/system/functions"] = "/elsewhere"
    gateway.on("GET", "/elsewhere", (200, "[]"))
    assert "302" in cli("list", rc=1).err
    assert gateway.seen() == ["GET /system/functions"]
    gateway.redirects["/system/secrets"] = "/elsewhere"
    cli("secret", "list")
    assert gateway.seen()[1:] == ["GET /system/secrets", "GET /elsewhere"]


def test_invoke_adds_headers_and_signs(cli, gateway):
    r = cli("invoke", "figlet", "-H", "X-A: 1", "--header", "x-b=2", "--content-type", "application/json", "--sign", "X-Sig",
            "--key", "k", stdin="{}")
    headers = gateway.requests[-1].headers
    assert r.out == "art" and "key=value" not in r.out
    assert headers["X-A"] == "1" and headers["X-B"] == "2" and headers["Content-Type"] == "application/json"
    assert headers["X-Sig"] == "sha256=" + hmac.new(b"k", b"{}", hashlib.sha256).hexdigest()
    assert headers["X-Sig"].endswith("add853b103fbcc936a194f9eb15e29c4ff08af6e47d5d1bca4f20218e31e4fff")
    assert r.err.count("\n") == 1, "one notice about the old way to write a header"
    cli("invoke", "figlet")
    assert gateway.requests[-1].headers["Content-Type"] == "text/plain"
    cli("invoke", "figlet", "-H", "Content-Type: text/html")
    assert gateway.requests[-1].headers["Content-Type"] == "text/html"
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        gateway.on(method, "/function/figlet.openfaas-fn", (200, method))
        assert cli("invoke", "figlet", "-m", method).out == method
    r = cli("invoke", "figlet", "--async", "-H", "X-Callback-Url: http://x")
    assert r.out == "" and r.err == "Function submitted asynchronously.\n"
    assert gateway.requests[-1].headers["X-Callback-Url"] == "http://x"
    gateway.on("POST", "/function/figlet.openfaas-fn", (418, "short and stout"))
    assert cli("invoke", "figlet", rc=1).err == "Server returned unexpected status code: 418 - short and stout\n"


def test_the_namespace_of_the_stack_file_is_part_of_the_url(cli, gateway):
    cli.write("stack.yaml", STACK % gateway.url)
    cli("invoke", "figlet")
    assert gateway.seen() == ["POST /function/figlet.art"]


def test_deploy_tells_and_counts_statuses(cli, gateway):
    deploy = ("deploy", "--image", "i", "--name", "figlet")
    for status, text in ((200, "Deployed. 200 OK."), (201, "Deployed. 201 Created."), (202, "Deployed. 202 Accepted.")):
        gateway.on("PUT", "/system/functions", (status, ""))
        rolling = "Function figlet already exists, attempting rolling-update.\n" if status == 200 else ""
        assert cli(*deploy).out == f"{rolling}\n{text}\nURL: {gateway.url}/function/figlet\n\n"
    gateway.on("PUT", "/system/functions", (404, ""))
    assert cli(*deploy).out == f"\nDeployed. 202 Accepted.\nURL: {gateway.url}/function/figlet\n\n"
    gateway.on("PUT", "/system/functions", (500, "no room"))
    r = cli(*deploy, rc=1)
    assert r.out == "\n\n" and r.err == ("Unexpected status: 500, message: no room\n"
                                         "Function 'figlet' failed to deploy with status code: 500\n")


def test_nothing_is_trusted_of_a_gateways_answer(cli, gateway):
    for answer in ("", "{", "{}", "[1]", '[{"name": 5}]', "\0", "[" * 5000):
        gateway.on("GET", "/system/functions", (200, answer))
        gateway.on("GET", "/system/secrets", (200, answer))
        gateway.on("GET", "/system/namespaces", (200, answer))
        cli("list", rc=1)
        for command in (("secret", "list"), ("namespace", "list"), ("info",)):
            cli(*command, rc=None)
        assert cli("describe", "figlet", rc=1).out == ""


def references(row):
    """(file, name or None) for each test that a row of the table names."""
    path = None
    cell = row.rsplit(" | ", 1)[-1].replace("docker: ", "`test_cli_docker` ")
    for word in re.findall(r"`([^`]+)`", cell):
        if re.fullmatch(r"test_\w+(\.c)?|golden/\w+\.txt", word):
            path = word if "." in word else word + ".py"
            yield path, None
        elif word.startswith("fuzz_"):
            path = f"../fuzz/{word}.c"
            yield path, None
        elif re.fullmatch(r"\w+…?", word):
            yield path, word.rstrip("…")


def test_every_reference_of_the_table_of_vectors_exists():
    with open(os.path.join(ROOT, "docs/cli-vectors.md")) as f:
        rows = [line for line in f.read().splitlines() if line.startswith("| ") and not line.startswith("| Behaviour")]
    assert len(rows) > 80
    for row in rows:
        found = list(references(row))
        assert found, f"no test: {row}"
        for path, name in found:
            assert path, row
            with open(os.path.join(ROOT, "tests/unit" if path.endswith(".c") else "tests/integration", path)) as f:
                assert not name or name in f.read(), f"{path}: {name} is not there"
