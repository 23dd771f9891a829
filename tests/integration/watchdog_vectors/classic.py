"""Vectors of the classic watchdog."""
from watchdog_vectors.table import CLASSIC, About, Match, has_logged, seen_of, start, timed, vector

SECONDS = Match(r"\d+\.\d{6}")
FAIL = "echo out; echo err >&2; exit 3"


@vector(1, "the request's type is echoed", CLASSIC,
        {"status": 200, "type": "a/b", "body": b"abc", "duration": SECONDS})
def _():
    with start("cat") as wd:
        return seen_of(wd.request("POST", "/", [("Content-Type", "a/b")], b"abc"))


@vector(2, "a failure tells the output", CLASSIC,
        {"status": 500, "body": b"exit status 3\nout\nerr\n", "duration": None})
def _():
    with start(script=FAIL) as wd:
        return seen_of(wd.request())


@vector(2, "a failure without combine_output", CLASSIC,
        {"status": 500, "body": b"exit status 3\nout\n", "stderr logged": True})
def _():
    with start(script=FAIL, combine_output="false") as wd:
        return seen_of(wd.request(), **{"stderr logged": has_logged(wd, "stderr: err")})


@vector(3, "a program that is not there", CLASSIC,
        {"status": 500, "body": b'exec: "nope_x": executable file not found in $PATH\n'})
def _():
    with start("nope_x") as wd:
        return seen_of(wd.request())


@vector(4, "exec_timeout", CLASSIC,
        {"status": 408, "body": b"Killed process.\n", "took": About(1)})
def _():
    with start("sleep 3", exec_timeout="1s") as wd:
        r, took = timed(wd.request)
        return seen_of(r, took=took)


@vector(4, "exec_timeout of a shell that waits", CLASSIC,
        {"status": 408, "body": b"Killed process.\n", "took": About(3)}, {"took": About(1)})
def _():
    with start(script="sleep 3; true", exec_timeout="1s") as wd:
        r, took = timed(wd.request)
        return seen_of(r, took=took)


@vector(5, "read_timeout", CLASSIC,
        {"status": 400, "ends in": b"i/o timeout\n", "took": About(1)})
def _():
    with start("cat", read_timeout="1s") as wd, wd.connect() as c:
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
        r, took = timed(c.response)
        return seen_of(r, took=took, **{"ends in": r.body[-len(b"i/o timeout\n"):]})


@vector(6, "a chunked request's environment", CLASSIC,
        {"Http_ContentLength": b"-1", "Http_Content_Length": b"-1",
         "Http_Transfer_Encoding": b"chunked"})
def _():
    with start("env") as wd, wd.connect() as c:
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"3\r\nabc\r\n0\r\n\r\n")
        lines = c.response().body.splitlines()
        return {k.decode(): v for k, v in (e.split(b"=", 1) for e in lines if b"=" in e)}


for method in ("HEAD", "OPTIONS", "FOO"):
    @vector(7, method, CLASSIC, {"status": 405, "body": b""})
    def _(method=method):
        with start("cat") as wd:
            return seen_of(wd.request(method))


@vector(20, "marshal_request", CLASSIC, {"status": 200, "body": True})
def _():
    with start("cat", marshal_request="true") as wd:
        r = wd.request("POST", "/", [], b"\x00\xff\x7a")
        return {"status": r.status, "body": r.body.endswith(b'"body":{"raw":"AP96"}}')}
