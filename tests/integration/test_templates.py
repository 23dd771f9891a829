"""The templates whose languages every test machine has. The others: tests/templates."""

import json

import pytest

from cli_helpers import Cli
from minnow import wait_until
from template_helpers import ask, build, check_end, check_many_at_once, check_on_gateway, check_requests


@pytest.fixture
def cli(tmp_path, gateway):
    folder = tmp_path / "project"
    folder.mkdir()
    cli = Cli(str(folder), gateway.url)
    cli("login", "--password-stdin", stdin=gateway.password)
    return cli


@pytest.mark.parametrize("lang", ["python3-http", "node"])
def test_a_server_answers_whatever_it_is_asked_and_ends_well(cli, lang):
    with build(cli, lang) as server:
        check_requests(server)
        check_many_at_once(server)
        check_end(server)


@pytest.mark.parametrize("lang", ["bash", "c", "node", "python3", "python3-http"])
def test_a_function_from_new_to_remove(cli, lang):
    check_on_gateway(cli, lang, f"t-{lang}")


def test_replicas_share_the_machine_and_not_a_port(cli, gateway):
    cli("new", "t-twins", "--lang", "node", "-q")
    cli.write("t-twins/handler.js", "module.exports = async () => `${process.pid} ${process.env.PORT}`;\n")
    cli("up", "--quiet", "--label", "com.openfaas.scale.min=2")
    gateway.wait_ready("t-twins", 2)
    seen = set()
    wait_until(lambda: seen.add(cli("invoke", "t-twins").out) or len(seen) == 2, "an answer of each")
    assert len({answer.split()[1] for answer in seen}) == 2
    cli("remove", "t-twins")


def test_python_takes_what_flask_took(cli):
    files = {"handler.py": """\
def handle(event, context):
    if event.path == "/tuple":
        return "made", 201, {"X-A": ["b", "c"], "Content-Length": "9"}
    if event.path == "/pair":
        return {"a": 1}, 202
    if event.path == "/none":
        return None
    if event.path == "/pieces":
        return (piece for piece in ("one ", b"two"))
    if event.path == "/cut":
        return (piece for piece in ("one ", 1 / len(event.query)))
    if event.path == "/split":
        return {"headers": {"X-A": "b\\r\\nc: d"}, "body": ""}
    if event.path == "/json":
        return {"colour": "red"}
    return {"body": {"path": event.path, "query": event.query, "all": event.query.getlist("a"),
                     "method": event.method, "host": context.hostname, "type": event.headers["CONTENT-type"],
                     "body": event.body.decode()}}
"""}
    with build(cli, "python3-http", files, HOSTNAME="here") as server, server.connect() as c:
        answer, body = ask(c, "GET", "/tuple")
        assert (answer.status, body) == (201, b"made") and answer.headers.get_all("X-A") == ["b", "c"]
        answer, body = ask(c, "GET", "/pair")
        assert (answer.status, json.loads(body)) == (202, {"a": 1})
        assert answer.headers["Content-Type"] == "application/json"
        assert ask(c, "GET", "/none")[1] == b""
        assert ask(c, "GET", "/pieces")[1] == b"one two"
        assert ask(c, "GET", "/split")[0].status == 500
        assert json.loads(ask(c, "GET", "/json")[1]) == {"colour": "red"}
        answer, body = ask(c, "POST", "/%C3%A9/b?a=1&a=2&c=", b"said", Content_Type="text/x")
        assert json.loads(body) == {
            "path": "/\u00e9/b", "query": {"a": "1", "c": ""}, "all": ["1", "2"], "method": "POST",
            "host": "here", "type": "text/x", "body": "said"}


def test_node_takes_what_express_took(cli):
    files = {"handler.js": """\
module.exports = (event, context, callback) => {
  switch (event.path) {
    case "/fail": return context.fail("no good"), context;
    case "/fail-so": return context.status(422).fail("no good"), context;
    case "/callback": return void setTimeout(callback, 5, null, { called: true });
    case "/callback-fail": return void setTimeout(callback, 5, new Error("no good"));
    case "/headers": return context.headers({ "X-A": ["b", "c"] }).status(201).succeed("made");
    case "/stream": return Promise.resolve(require("stream").Readable.from(["one ", "two"]));
    case "/bytes": return Promise.resolve(Buffer.from([255, 0]));
    default: return Promise.resolve({ type: event.body.constructor.name, body: event.body, query: event.query,
                                      path: event.path, method: event.method });
  }
};
"""}
    with build(cli, "node", files, MAX_JSON_SIZE="1kb") as server, server.connect() as c:
        def body_of(data, content_type):
            said = json.loads(ask(c, "POST", "/a%20b/../c?a=1&a=2&b=", data, Content_Type=content_type)[1])
            assert (said["query"], said["path"], said["method"]) == (
                {"a": ["1", "2"], "b": ""}, "/a%20b/../c", "POST")
            return said["type"], said["body"]

        assert body_of(b'{"x": 1}', "application/json") == ("Object", {"x": 1})
        assert body_of(b"x=1&y=2", "application/x-www-form-urlencoded") == ("Object", {"x": "1", "y": "2"})
        assert body_of(b"Ada", "application/x-www-form-urlencoded") == ("String", "Ada")
        assert body_of(b"h\xc3\xa9", "text/plain; charset=utf-8") == ("String", "h\u00e9")
        assert body_of(b"\xff", "application/octet-stream")[0] == "Buffer"
        for target, status, body in (
                ("/fail", 500, b"no good"), ("/fail-so", 422, b"no good"), ("/callback", 200, b'{"called":true}'),
                ("/callback-fail", 500, b"Error: no good"), ("/stream", 200, b"one two"),
                ("/bytes", 200, b"\xff\0"), ("/headers", 201, b"made")):
            answer, said = ask(c, "GET", target)
            assert (answer.status, said) == (status, body), target
        assert answer.headers.get_all("X-A") == ["b", "c"]
        assert ask(c, "POST", "/", b"{", Content_Type="application/json")[0].status == 400
        assert ask(c, "POST", "/", b'"%s"' % (b"x" * 1024), Content_Type="application/json")[0].status == 413
