"""mode=http from outside. Tests named line_N are lines of the robustness checklist of the
watchdogs' specification."""
import gzip
import os
import re
import shutil
import signal
import socket
import struct
import threading
import time

import pytest

from upstream import Upstream, reply
from watchdog_helpers import (Response, Watchdog, free_port, in_threads, is_alive, memory,
                              read_pid, readable, render)

SOON = 0.6  # seconds beyond a deadline within which its consequence must be there
NODE = "/usr/bin/node" if os.path.exists("/usr/bin/node") else shutil.which("node")
MIB = 1 << 20


def start(upstream, fprocess="sleep 100000", **settings):
    """The function's process and its server are two: the server is the test's own."""
    where = upstream.port if isinstance(upstream, Upstream) else upstream
    return Watchdog(fprocess if "script" not in settings else None, mode="http",
                    upstream_url=settings.pop("upstream_url", f"http://127.0.0.1:{where}"),
                    **settings)


def wait_ready(wd):
    wd.wait_for(lambda: wd.request(target="/_/ready").status == 200, "readiness")


def reset(connection):
    """Closes it so that the peer gets an RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def says(*pieces, end="close"):
    """A handler that sends bytes as they are, with a pause at each None."""
    def handler(connection, request):
        request.body()
        for piece in pieces:
            if piece is None:
                time.sleep(0.05)
            else:
                connection.sendall(piece)
        if end == "reset":
            time.sleep(0.05)  # what was sent is to arrive before it
            reset(connection)
        return end
    return handler


def echo(connection, request, suffix=b""):
    body = request.body() + suffix
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def stop_listening(upstream):
    """Closing alone would not: the thread in accept() keeps the socket."""
    upstream.listener.shutdown(socket.SHUT_RDWR)
    upstream.close()


def listen_at(port, handler):
    """An upstream where there was none before."""
    upstream = Upstream(handler)
    stop_listening(upstream)
    upstream.listener, upstream.port = socket.create_server(("127.0.0.1", port)), port
    threading.Thread(target=upstream._accept, daemon=True).start()
    return upstream


def response_or_part(c):
    """The response and whether it is complete; its end is that of the connection otherwise."""
    status, headers = c.head()
    data, complete = bytearray(), True
    try:
        if "content-length" in headers:
            left = int(headers["content-length"])
            while left:
                data += c.exactly(1)
                left -= 1
        else:
            while size := int(c.line().split(";")[0], 16):
                data += c.exactly(size)
                c.line()
            c.line()
    except (EOFError, ConnectionResetError):
        complete = False
    return Response(status, headers, bytes(data), []), complete


def raw_response(wd, data):
    with wd.connect() as c:
        c.send(data)
        return c.rest()


def pid_in(wd, name):
    wd.wait_for(lambda: os.path.exists(wd.path(name)) and read_pid(wd.path(name)), name)
    return read_pid(wd.path(name))


# --- 24: what an upstream may do wrong, or differently ---

OK = b"HTTP/1.1 200 OK\r\n"
GZIPPED = gzip.compress(b"text" * 100)
BIG = b"".join(b"X-Big-%d: %s\r\n" % (i, b"v" * 1000) for i in range(100))

ANSWERS = {
    # handler, method, status, body, complete
    "closes without a word": (says(), "GET", 500, b"", True),
    "resets without a word": (says(end="reset"), "GET", 500, b"", True),
    "resets in the head": (says(b"HTTP/1.1 200 OK\r\nX-A", end="reset"), "GET", 500, b"", True),
    "closes in the head": (says(b"HTTP/1.1 200 OK\r\nX-A"), "GET", 500, b"", True),
    "malformed status line": (says(b"HTTP/1.1 2x0 OK\r\n\r\n"), "GET", 500, b"", True),
    "no HTTP": (says(b"SSH-2.0-OpenSSH_9\r\n"), "GET", 500, b"", True),
    "malformed header": (says(OK + b"no colon\r\n\r\n"), "GET", 500, b"", True),
    "two lengths": (says(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), "GET", 500,
                    b"", True),
    "endless head": (says(OK, b"X: y\r\n" * 400000), "GET", 500, b"", True),
    "101 unasked": (says(b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), "GET",
                    500, b"", True),
    "HTTP/1.0 until close": (says(b"HTTP/1.0 200 OK\r\n\r\nab", None, b"cd"), "GET", 200, b"abcd",
                             True),
    "HTTP/1.1 until close": (says(OK + b"\r\nab", None, b"cd"), "GET", 200, b"abcd", True),
    "interim responses": (says(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n"
                               b"\r\n", None, OK + b"Content-Length: 2\r\n\r\nok"), "GET", 200,
                          b"ok", True),
    "204 with a length": (says(b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"), "GET",
                          204, b"", True),
    "304 with a length": (says(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), "GET",
                          304, b"", True),
    "HEAD": (says(OK + b"Content-Length: 5\r\n\r\n"), "HEAD", 200, b"", True),
    "HEAD without a length": (says(OK + b"\r\n"), "HEAD", 200, b"", True),
    "no reason": (says(b"HTTP/1.1 599\r\nContent-Length: 0\r\n\r\n"), "GET", 599, b"", True),
    "gzip": (says(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(GZIPPED) +
                  GZIPPED), "GET", 200, GZIPPED, True),
    "headers of 100 KiB": (says(OK + BIG + b"Content-Length: 2\r\n\r\nok"), "GET", 200, b"ok",
                           True),
    "chunks": (says(OK + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n", None,
                    b"3\r\ncde\r\n0\r\n\r\n"), "GET", 200, b"abcde", True),
    # line 25
    "length cut off": (says(OK + b"Content-Length: 9\r\n\r\nabc"), "GET", 200, b"abc", False),
    "length reset": (says(OK + b"Content-Length: 9\r\n\r\nabc", end="reset"), "GET", 200, b"abc",
                     False),
    "chunks cut off": (says(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), "GET", 200,
                       b"abc", False),
    "chunks reset": (says(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", end="reset"),
                     "GET", 200, b"abc", False),
    "malformed chunk": (says(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nx\r\n"), "GET",
                        200, b"abc", False),
}


@pytest.fixture(scope="module")
def any_answer():
    """A watchdog over an upstream that answers as the path says."""
    def handler(connection, request):
        return ANSWERS[list(ANSWERS)[int(request.target[1:])]][0](connection, request)
    upstream = Upstream(handler)
    with start(upstream) as wd:
        wait_ready(wd)
        yield wd


@pytest.mark.parametrize("name", ANSWERS)
def test_line_24_and_25_answers_of_any_kind(any_answer, name):
    _, method, status, body, complete = ANSWERS[name]
    with any_answer.connect() as c:
        c.send(render(method, f"/{list(ANSWERS).index(name)}"))
        if method == "HEAD" or status in (204, 304):
            r, r_complete = c.response(method), True
        else:
            r, r_complete = (c.response(), True) if complete else response_or_part(c)
    assert (r.status, r.body, r_complete) == (status, body, complete)
    assert r.interim == []
    internal = r.headers.get("x-openfaas-internal")
    assert internal == ("of-watchdog" if status == 500 else None)
    assert re.fullmatch(r"\d+\.\d{6}", r.headers["x-duration-seconds"])


def test_line_24_all_is_released_after_such_answers(any_answer):
    wd = any_answer
    wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "all calls to end")


def test_line_24_a_call_waits_for_a_function_that_does_not_listen_yet():
    port = free_port()
    with start(port, script="while [ ! -e go ]; do sleep 0.02; done; exec sleep 100000") as wd:
        assert wd.health() == 200  # it is alive
        assert wd.request(target="/_/ready").status == 503
        with wd.connect() as c, wd.connect() as upload:
            c.send(render())
            upload.send(b"POST /u HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab")
            assert not readable(c.sock, 0.3)
            listen_at(port, lambda s, r: echo(s, r, b"!"))
            assert c.response().body == b"!"
            upload.send(b"cd")
            assert upload.response().body == b"abcd!"
        assert wd.request(target="/_/ready").status == 200
        wd.wait_log(r"The function listens at 127\.0\.0\.1:\d+ \(\d\.\d{3}s\)")


def test_line_24_a_function_that_never_listens():
    """Calls wait for upstream_start_timeout and no more; the function may come up later."""
    port = free_port()
    with start(port, upstream_start_timeout="300ms") as wd:
        began = time.monotonic()
        r = wd.request()
        assert r.status == 500 and r.headers["x-openfaas-internal"] == "of-watchdog"
        assert time.monotonic() - began < 0.3 + SOON
        began = time.monotonic()
        assert wd.request().status == 500
        assert time.monotonic() - began < 0.2
        wd.wait_log("upstream_start_timeout: 300ms")
        listen_at(port, reply(b"late"))
        wait_ready(wd)
        assert wd.request().body == b"late"


def test_line_24_waiting_counts_for_exec_timeout():
    with start(free_port(), exec_timeout="300ms") as wd:
        began = time.monotonic()
        assert wd.request().status == 504
        assert 0.29 < time.monotonic() - began < 0.3 + SOON


def test_line_24_refused_once_it_was_up():
    upstream = Upstream(reply(b"up"))
    with start(upstream) as wd:
        assert wd.request().body == b"up"
        stop_listening(upstream)
        began = time.monotonic()
        r = wd.request()
        assert r.status == 500 and r.body == b""
        assert time.monotonic() - began < 0.3
        wd.wait_log(r"Upstream HTTP request error: .*refused")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_line_24_idle_connections_that_the_function_closes(method):
    """It keeps a connection open, as it says, and closes it in the moment in which it is idle."""
    def handler(connection, request):
        reply(b"ok")(connection, request)
        return "close"

    upstream = Upstream(handler)
    with start(upstream) as wd, wd.connect() as c:
        for _ in range(50):
            assert c.request(method, body=b"x" if method == "POST" else None).status == 200
            time.sleep(0.002)
        assert len(upstream.requests) == 50


@pytest.mark.parametrize("body", [b"", b"x" * 50000])
def test_line_24_a_post_that_was_not_read_is_sent_again(body):
    """The function closes a kept connection in the moment in which a request arrives: it is reset,
    which tells that the request was not read."""
    closed = threading.Event()

    def handler(connection, request):
        echo(connection, request)
        if not closed.is_set():
            assert readable(connection, 20)
            closed.set()
            return "close"

    upstream = Upstream(handler)
    with start(upstream, upstream_idle_timeout="20s") as wd:
        assert wd.request("POST", "/1", body=b"a").body == b"a"
        assert wd.request("POST", "/2", body=body).body == body
        assert closed.is_set()
        assert [r.target for r in upstream.requests] == ["/1", "/2"]


def test_line_24_a_post_that_was_read_is_not_sent_again():
    upstream = Upstream(lambda s, r: echo(s, r) if r.target == "/1" else r.body() and "close")
    with start(upstream, upstream_idle_timeout="20s") as wd:
        assert wd.request("POST", "/1", body=b"a").body == b"a"
        assert wd.request("POST", "/2", body=b"b").status == 500
        assert [r.target for r in upstream.requests] == ["/1", "/2"]


def test_connections_to_the_function_are_kept():
    upstream = Upstream(reply(b"ok"))
    with start(upstream, upstream_idle_timeout="10s") as wd:
        wait_ready(wd)
        probes = len(upstream.connections)
        for _ in range(20):  # the client's wish to close is its own
            assert wd.request(headers=[("Connection", "close")]).status == 200
        assert len(upstream.connections) == probes + 1


def test_idle_connections_to_the_function_are_closed_after_upstream_idle_timeout():
    upstream = Upstream(reply(b"ok"))
    with start(upstream, upstream_idle_timeout="100ms") as wd:
        assert wd.request().status == 200
        wd.wait_for(lambda: upstream.closed == len(upstream.connections), "the idle one to close")


# --- 26 and 27: forwarding ---

def test_line_26_bodies_that_the_function_does_not_read_leave_nothing_behind():
    def early(connection, request):
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        return "close" if request.target == "/close" else None

    upstream = Upstream(early)
    with start(upstream) as wd:
        wait_ready(wd)
        before = wd.fds()
        for target in ("/close", "/keep") * 5:
            with wd.connect() as c:
                c.send(b"POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n" %
                       target.encode() + b"x" * 100000)
                r = c.response()
                assert (r.status, r.body) == (413, b"no")
        wd.wait_for(lambda: upstream.closed >= 10, "upstream connections to close")
        wd.wait_for(lambda: wd.fds() <= before, f"descriptors, {wd.fds()} of {before}")
        assert wd.metrics()["http_requests_in_flight"] == 0


def test_line_26_an_answer_during_the_upload_is_passed_on():
    def transform(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            connection.sendall(b"1\r\n" + request.read(1) + b"\r\n")
        connection.sendall(b"0\r\n\r\n")

    with start(Upstream(transform)) as wd, wd.connect() as c:
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n")
        for i, byte in enumerate((b"a", b"b", b"c")):
            c.send(byte)
            if i == 0:
                assert c.head()[0] == 200
            assert c.line() == "1"
            assert c.exactly(1) == byte
            c.line()
        assert c.line() == "0" and c.line() == ""


def test_line_27_redirects_are_not_followed():
    upstream = Upstream(reply(b"", "302 Found", ["Location: /elsewhere", "Set-Cookie: a=1",
                                                 "Set-Cookie: b=2"]))
    with start(upstream) as wd:
        raw = raw_response(wd, b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert b"HTTP/1.1 302 " in raw and b"Location: /elsewhere\r\n" in raw
        assert b"Set-Cookie: a=1\r\n" in raw and b"Set-Cookie: b=2\r\n" in raw
        assert [r.target for r in upstream.requests] == ["/"]


TARGETS = ["/", "//", "/a/../b", "/a%2Fb%20c?q=%20;x", "/?", "/?a=b&a=c", "/%2e%2e/%", "/a;b=c",
           "/" + "x" * 5000, "/_/health/", "/_/other"]


@pytest.mark.parametrize("target", TARGETS)
def test_line_27_targets_are_passed_on_as_they_are(target):
    upstream = Upstream(reply())
    with start(upstream) as wd:
        assert wd.request(target=target).status == 200
        assert upstream.requests[-1].target == target


def test_line_27_the_base_path_is_put_in_front_of_each_target():
    upstream = Upstream(reply())
    with start(upstream, upstream_url=f"http://127.0.0.1:{upstream.port}/base/") as wd:
        for target, seen in (("/foo?x", "/base//foo?x"), ("http://other.example/abs", "/base//abs")):
            assert wd.request(target=target).status == 200
            assert upstream.requests[-1].target == seen
        assert upstream.requests[-1].get("Host") == ["other.example"]


def test_line_27_headers_are_passed_on_and_none_is_added():
    upstream = Upstream(reply(b"", headers=["Connection: keep-alive, X-Hop", "X-Hop: 1",
                                            "Keep-Alive: timeout=5", "X-Duration-Seconds: 99",
                                            "Proxy-Authenticate: Basic", "Server: mine"]))
    with start(upstream) as wd:
        r = wd.request(headers=[("X-Call-Id", "1"), ("x-twice", "a"), ("x-twice", "b"),
                                ("Connection", "X-Own"), ("X-Own", "1"), ("Keep-Alive", "5"),
                                ("Proxy-Authorization", "p"), ("Upgrade", "h2c"),
                                ("X-Timeout", "5s"), ("X-Empty", "")])
        assert upstream.requests[-1].headers == [
            ("Host", "f.example"), ("X-Call-Id", "1"), ("x-twice", "a"), ("x-twice", "b"),
            ("X-Timeout", "5s"), ("X-Empty", "")]
        assert r.headers["server"] == "mine"
        assert float(r.headers["x-duration-seconds"]) < 99
        for name in ("x-hop", "keep-alive", "proxy-authenticate"):
            assert name not in r.headers


@pytest.mark.parametrize("settings", [{}, {"http_buffer_req_body": "true"},
                                      {"buffer_http": "true"}])
def test_bodies_keep_their_length(settings):
    upstream = Upstream(echo)
    with start(upstream, **settings) as wd:
        for n in (0, 1, 65535, 65536, 65537, 10 * MIB):
            body = os.urandom(n)
            assert wd.request("POST", "/", body=body).body == body
            assert upstream.requests[-1].get("Content-Length") == [str(n)]
            assert upstream.requests[-1].get("Transfer-Encoding") == []
        assert wd.request("GET", "/", body=b"query").body == b"query"
        with wd.connect() as c:
            c.send(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                   b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
            assert c.response().body == b"abcde"
        chunked = upstream.requests[-1].get("Transfer-Encoding")
        assert chunked == ([] if settings else ["chunked"])
        assert upstream.requests[-1].get("Content-Length") == (["5"] if settings else [])


def test_trailers_are_passed_on_both_ways():
    seen = []

    def handler(connection, request):
        while size := int(request.read_line(), 16):
            request.read(size)
            request.read_line()
        while line := request.read_line():
            seen.append(line)
        connection.sendall(OK + b"Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n")
        if request.target == "/late":
            time.sleep(0.05)
        connection.sendall(b"3\r\nabc\r\n0\r\nX-Sum: 7\r\nContent-Length: 9\r\nX-End:\r\n\r\n")

    upstream = Upstream(handler)
    with start(upstream) as wd:
        for target in ("/at-once", "/late"):
            seen.clear()
            raw = raw_response(wd, b"POST %s HTTP/1.1\r\nHost: h\r\nTrailer: X-In\r\nTE: trailers\r\n"
                               b"Connection: close, TE\r\nTransfer-Encoding: chunked\r\n\r\n"
                               b"2\r\nhi\r\n0\r\nX-In:  1 \r\nHost: evil\r\n\r\n" %
                               target.encode())
            assert seen == [b"X-In: 1"]
            assert upstream.requests[-1].get("Trailer") == ["X-In"]
            assert upstream.requests[-1].get("TE") == ["trailers"]
            assert b"\r\nTrailer: X-Sum\r\n" in raw
            assert re.search(rb"\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\nX-End: *\r\n\r\n$", raw), raw


def test_trailers_follow_an_answer_during_the_upload():
    def handler(connection, request):
        connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
        request.body()
        connection.sendall(b"0\r\nX-Sum: 7\r\n\r\n")

    with start(Upstream(handler)) as wd, wd.connect() as c:
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na")
        assert c.head()[0] == 200
        c.send(b"bc")
        assert c.rest().endswith(b"2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n")


def test_a_body_cut_short_is_not_taken_for_a_whole_one():
    bodies = []

    def handler(connection, request):
        bodies.append("begun")
        bodies.append(request.body())
        reply(b"whole")(connection, request)

    with start(Upstream(handler)) as wd:
        with wd.connect() as c:
            c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
            wd.wait_for(lambda: bodies, "the beginning")
        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "the end")
        assert bodies == ["begun"]


def test_a_buffered_body_that_does_not_come_is_400():
    upstream = Upstream(reply())
    with start(upstream, http_buffer_req_body="true", read_timeout="300ms") as wd:
        with wd.connect() as c:
            c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
            r = c.response()
        assert r.status == 400 and upstream.requests == []
        with wd.connect() as c:
            c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "the end")
        assert upstream.requests == []


def test_a_streamed_body_that_does_not_come_is_500():
    with start(Upstream(reply()), read_timeout="300ms") as wd, wd.connect() as c:
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
        r = c.response()
        assert r.status == 500 and r.headers["x-openfaas-internal"] == "of-watchdog"
        wd.wait_log("i/o timeout")


def test_max_body_size_ends_the_call_to_the_function():
    upstream = Upstream(lambda s, r: r.body())
    with start(upstream, max_body_size=1000) as wd, wd.connect() as c:
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        wd.wait_for(lambda: upstream.requests, "the call")
        c.send(b"800\r\n" + b"x" * 2048 + b"\r\n")
        assert c.response().status == 413
        wd.wait_for(lambda: upstream.closed == len(upstream.connections), "the upstream to close")


def test_expect_is_answered_by_us():
    upstream = Upstream(echo)
    with start(upstream) as wd, wd.connect() as c:
        wait_ready(wd)
        began = time.monotonic()
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert c.line() == "HTTP/1.1 100 Continue" and c.line() == ""
        c.send(b"abc")
        assert c.response().body == b"abc"
        assert time.monotonic() - began < SOON
        assert upstream.requests[-1].get("Expect") == []


def test_an_http_1_0_client_gets_the_function_s_host():
    upstream = Upstream(reply(b"ok"))
    with start(upstream) as wd:
        raw = raw_response(wd, b"GET / HTTP/1.0\r\n\r\n")
        assert raw.endswith(b"\r\n\r\nok")
        assert upstream.requests[-1].get("Host") == [upstream.address]


def test_connect_is_refused():
    with start(Upstream(reply())) as wd:
        assert wd.request("CONNECT", "h:443").status == 400


# --- timeouts ---

def never(connection, request):
    time.sleep(20)


def test_exec_timeout_cuts_an_answer_that_has_begun():
    def slow(connection, request):
        connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        time.sleep(20)

    with start(Upstream(slow), exec_timeout="300ms") as wd, wd.connect() as c:
        began = time.monotonic()
        c.send(render())
        r, complete = response_or_part(c)
        assert (r.body, complete) == (b"abc", False)
        assert 0.29 < time.monotonic() - began < 0.3 + SOON


def test_exec_timeout_is_answered_although_write_timeout_is_the_same():
    with start(Upstream(never), exec_timeout="300ms", write_timeout="300ms") as wd:
        assert wd.request().status == 504


def test_exec_timeout_closes_the_connection_to_the_function():
    upstream = Upstream(never)
    with start(upstream, exec_timeout="200ms") as wd:
        wait_ready(wd)
        assert wd.request().status == 504
        connection = upstream.connections[-1]
        assert readable(connection, SOON) and connection.recv(1) == b""


@pytest.mark.parametrize("settings, headers, logged", [
    ({"exec_timeout": "300ms"}, [], "Upstream HTTP killed due to exec_timeout: 300ms"),
    ({"exec_timeout": "5s"}, [("X-Timeout", "200ms")],
     "Upstream HTTP killed due to X-Timeout: 200ms"),
    ({"exec_timeout": "0s", "write_timeout": "300ms"}, [],
     "Upstream HTTP call given up: .*write_timeout"),
])
def test_line_29_the_real_reason_is_logged(settings, headers, logged):
    with start(Upstream(never), **settings) as wd, wd.connect() as c:
        c.send(render(headers=headers))
        wd.wait_log(logged)


def test_line_41_an_x_timeout_without_a_unit_is_told_of_once():
    with start(Upstream(echo)) as wd:
        wait_ready(wd)
        for value in "1s", "10", "10", "x":
            assert wd.request(headers=[("X-Timeout", value)]).status == 200
        assert wd.log.count("X-Timeout") == 1


def test_line_29_a_client_that_leaves_is_logged_as_such():
    upstream = Upstream(never)
    with start(upstream) as wd:
        with wd.connect() as c:
            c.send(render())
            wd.wait_for(lambda: upstream.requests, "the call")
        wd.wait_log("Upstream HTTP call given up: .*client")
        connection = upstream.connections[-1]
        assert readable(connection, SOON) and connection.recv(1) == b""
        assert wd.metrics()['http_requests_total{code="504",method="get"}'] == 1


# --- 28: streams ---

def chunk(data):
    return b"%x\r\n" % len(data) + data + b"\r\n"


STREAM_HEAD = OK + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson",
                                    "text/html, Text/Event-Stream"])
def test_line_28_streams_outlive_every_timeout(accept):
    def events(connection, request):
        connection.sendall(STREAM_HEAD)
        for i in range(8):
            time.sleep(0.1)
            connection.sendall(chunk(b"%d\n" % i))
        connection.sendall(b"0\r\n\r\n")

    upstream = Upstream(events)
    with start(upstream, exec_timeout="200ms", write_timeout="300ms") as wd, wd.connect() as c:
        c.send(render("GET", "/sse", [("Accept", accept), ("X-Forwarded-For", "10.0.0.1"),
                                      ("X-Timeout", "100ms")]))
        r = c.response()
        assert r.body == b"0\n1\n2\n3\n4\n5\n6\n7\n"
        assert "x-duration-seconds" not in r.headers
        assert upstream.requests[-1].get("X-Forwarded-For") == ["10.0.0.1, 127.0.0.1"]
        wd.wait_log(r"GET /sse - 200 - Bytes: 16B \(0\.\d{4}s\)\n")


def test_line_28_a_stream_that_is_cut_off_releases_its_place():
    def broken(connection, request):
        connection.sendall(STREAM_HEAD + chunk(b"x"))
        return "close"

    with start(Upstream(broken), max_inflight=1) as wd:
        for _ in range(3):
            with wd.connect() as c:
                c.send(render(headers=[("Accept", "text/event-stream")]))
                r, complete = response_or_part(c)
                assert (r.status, r.body, complete) == (200, b"x", False)
            wd.wait_for(lambda: wd.request(target="/_/ready").status == 200, "its place")


def request_of(lines, body=b""):
    return b"POST / HTTP/1.1\r\nHost: h\r\n" + lines + b"\r\n\r\n" + body


WAYS_TO_END = {
    # the function's handler, request
    "no answer": (says(), render()),
    "garbage": (says(b"no HTTP\r\n\r\n"), render()),
    "half an answer": (says(OK + b"Content-Length: 9\r\n\r\nabc"), render()),
    "half a stream": (says(STREAM_HEAD + chunk(b"x")), render(headers=[("Accept", "text/event-stream")])),
    "exec_timeout": (never, render()),
    "X-Timeout": (never, render(headers=[("X-Timeout", "20ms")])),
    "exec_timeout of half an answer": (says(OK + b"Content-Length: 9\r\n\r\nabc", *[None] * 8), render()),
    "a body that does not come": (echo, request_of(b"Content-Length: 9", b"abc")),
    "a malformed body": (echo, request_of(b"Transfer-Encoding: chunked", b"x\r\n")),
    "too large a body": (echo, request_of(b"Transfer-Encoding: chunked", b"80\r\n" + b"x" * 128)),
    "too large a length": (echo, request_of(b"Content-Length: 1000")),
    "an upgrade that is declined": (echo, render(headers=[("Connection", "upgrade"), ("Upgrade", "websocket")])),
    "an upgrade that nobody asked for":
        (says(b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), render()),
    "a tunnel that is cut": (says(b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", end="reset"),
                             render(headers=[("Connection", "upgrade"), ("Upgrade", "x")])),
    "no path": (echo, b"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n"),
}


@pytest.mark.parametrize("stays", [True, False], ids=["client stays", "client leaves"])
def test_line_38_no_place_is_lost(stays):
    now = []
    with start(Upstream(lambda connection, request: now[0](connection, request)), max_inflight=1,
               exec_timeout="300ms", read_timeout="200ms", max_body_size=100) as wd:
        now[:] = [echo]
        wait_ready(wd)
        for name, (handler, request) in WAYS_TO_END.items():
            now[:] = [handler]
            with wd.connect() as c:
                c.send(request)
                readable(c.sock, 0.05)
                if stays:
                    c.sock.settimeout(0.5)
                    try:
                        while c.fill():
                            pass
                    except (TimeoutError, ConnectionResetError):
                        pass
            now[:] = [echo]
            wd.wait_for(lambda: wd.request().status == 200, f"the place taken by: {name}", seconds=3)
        assert wd.metrics()["http_requests_in_flight"] == 0


def test_line_28_a_stream_that_does_not_begin_is_500():
    with start(Upstream(says())) as wd:
        r = wd.request(headers=[("Accept", "text/event-stream")])
        assert r.status == 500 and r.headers["x-openfaas-internal"] == "of-watchdog"
        assert "x-duration-seconds" not in r.headers


def test_line_28_a_client_that_leaves_ends_the_stream_at_the_function():
    left = threading.Event()

    def events(connection, request):
        connection.sendall(STREAM_HEAD + chunk(b"x"))
        connection.recv(1)
        left.set()

    with start(Upstream(events)) as wd:
        with wd.connect() as c:
            c.send(render(headers=[("Accept", "text/event-stream")]))
            assert c.head()[0] == 200
        assert left.wait(SOON)


def test_line_28_a_stream_s_client_that_does_not_read_is_cut_after_write_timeout():
    left = threading.Event()

    def flood(connection, request):
        connection.sendall(STREAM_HEAD)
        try:
            while True:
                connection.sendall(chunk(b"x" * 65536))
        except OSError:
            left.set()

    with start(Upstream(flood), write_timeout="300ms") as wd, wd.connect() as c:
        c.send(render(headers=[("Accept", "text/event-stream")]))
        assert left.wait(5)
        wd.wait_log("Upstream HTTP call given up: write_timeout")


def tunnel(connection, request):
    """Agrees to an upgrade and echoes, in capitals, until the peer has half-closed."""
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                       b"Connection: Upgrade\r\nSec-WebSocket-Accept: k\r\n\r\nhello")
    data = request.rest
    while True:
        if data:
            connection.sendall(data.upper())
        data = connection.recv(65536)
        if not data:
            break
    connection.sendall(b"bye")
    return "close"


def upgrade(c, to="websocket", extra=b""):
    c.send(render("GET", "/ws", [("Upgrade", to), ("Connection", "keep-alive, Upgrade")]) + extra)
    status, headers = c.head()
    assert status == 101
    return headers


@pytest.mark.parametrize("to", ["websocket", "WebSocket"])
def test_line_28_an_upgrade_is_a_tunnel(to):
    upstream = Upstream(tunnel)
    with start(upstream, exec_timeout="200ms", write_timeout="200ms",
               read_timeout="200ms") as wd, wd.connect() as c:
        wait_ready(wd)
        headers = upgrade(c, to, b"early")
        assert headers["upgrade"] == "websocket"
        assert headers["connection"].lower() == "upgrade"
        assert headers["sec-websocket-accept"] == "k"
        assert upstream.requests[-1].get("Upgrade") == [to]
        assert upstream.requests[-1].get("Connection") == ["Upgrade"]
        assert c.exactly(10) == b"helloEARLY"
        assert not readable(c.sock, 0.5)  # beyond every timeout
        c.send(b"late")
        assert c.exactly(4) == b"LATE"
        assert wd.metrics()["http_requests_in_flight"] == 1
        c.sock.shutdown(socket.SHUT_WR)
        assert c.rest() == b"bye"
        wd.wait_log(r"GET /ws - 101 - Bytes: 17B")
        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "its end")


def test_line_28_a_tunnel_carries_much_both_ways():
    data = os.urandom(8 * MIB).replace(b"a", b"A")
    with start(Upstream(tunnel)) as wd, wd.connect() as c:
        upgrade(c)
        assert c.exactly(5) == b"hello"

        def push(i):
            if i == 0:
                c.send(data)
            else:
                return c.exactly(len(data))
        assert in_threads(2, push)[1] == data.upper()


def test_line_28_a_tunnel_can_be_half_closed_by_the_function():
    got = []

    def handler(connection, request):
        connection.sendall(b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nbye")
        connection.shutdown(socket.SHUT_WR)
        while data := connection.recv(65536):
            got.append(data)
        return "close"

    upstream = Upstream(handler)
    with start(upstream) as wd, wd.connect() as c:
        wait_ready(wd)
        upgrade(c, "x")
        assert c.rest() == b"bye"
        for _ in range(64):
            c.send(b"x" * 65536)
        c.sock.shutdown(socket.SHUT_WR)
        wd.wait_for(lambda: upstream.closed == len(upstream.connections), "the end")
        assert sum(map(len, got)) == 64 * 65536
        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "the call's end")


def test_line_28_a_tunnel_ends_when_either_side_leaves():
    for who in ("client", "function"):
        upstream = Upstream(lambda s, r: (s.sendall(b"HTTP/1.1 101 S\r\nUpgrade: x\r\n"
                                                    b"Connection: Upgrade\r\n\r\n"), s.recv(1)))
        with start(upstream, max_inflight=1) as wd:
            wait_ready(wd)
            with wd.connect() as c:
                upgrade(c, "x")
                if who == "function":
                    upstream.connections[-1].shutdown(socket.SHUT_RDWR)
                    assert c.at_eof()
            wd.wait_for(lambda: wd.request(target="/_/ready").status == 200, "its place")
            wd.wait_for(lambda: upstream.closed == len(upstream.connections), "the upstream's end")


def test_line_28_an_upgrade_that_the_function_declines_is_an_ordinary_answer():
    with start(Upstream(reply(b"no", "426 Upgrade Required"))) as wd, wd.connect() as c:
        c.send(render("GET", "/", [("Upgrade", "websocket"), ("Connection", "Upgrade")]))
        r = c.response()
        assert (r.status, r.body) == (426, b"no")


# --- the log ---

def test_one_line_for_each_request():
    with start(Upstream(reply(b"x" * 244))) as wd:
        wd.request(target="/a?b=c")
        wd.wait_log(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d GET /a\?b=c - 200 OK - ContentLength: 244B "
                    r"\(0\.\d{4}s\)\n")
        wd.request(headers=[("User-Agent", "kube-probe/1.29")], target="/probe")
        wd.request(target="/last")
        wd.wait_log("GET /last")
        assert "/probe" not in wd.log


def test_the_length_is_told_as_the_function_told_it():
    with start(Upstream(says(OK + b"\r\nabc"))) as wd:
        wd.request()
        wd.wait_log(r"GET / - 200 OK - ContentLength: -1B ")


@pytest.mark.parametrize("name", ["log_callid", "log_call_id"])
def test_the_call_id_is_logged_when_wished(name):
    with start(Upstream(reply()), **{name: "true"}) as wd:
        wd.request(headers=[("X-Call-Id", "abc-1")])
        wd.wait_log(r"GET / - 200 OK - .* \[abc-1\]\n")
        wd.request()
        wd.wait_log(r"GET / - 200 OK - .* \[none\]\n")


# --- 30 and 31: the function's process ---

def run_function(code, **settings):
    """A function of which only its process matters."""
    return start(free_port(), script=code, wait=False, **settings)


@pytest.mark.parametrize("code, reason", [
    ("exit 3", "exit status 3"),
    ("exit 0", "exit status 0"),
    ("kill -9 $$", "signal: killed"),
    ("kill -TERM $$", "signal: terminated"),
    ("kill -SEGV $$", "signal: segmentation fault"),
])
def test_line_30_the_watchdog_ends_with_the_function(code, reason):
    with run_function(code) as wd:
        assert wd.wait_exit() == 1
        assert f"Forked function has terminated: {reason}" in wd.log


@pytest.mark.parametrize("fprocess, reason", [
    ("nope_x", 'exec: "nope_x": executable file not found in $PATH'),
    ("/nope/x", "fork/exec /nope/x: no such file or directory"),
    ("/etc/passwd", "fork/exec /etc/passwd: permission denied"),
    (" x", "exec: no command"),
])
def test_line_30_a_function_that_cannot_be_started(fprocess, reason):
    with start(free_port(), fprocess, wait=False) as wd:
        assert wd.wait_exit() == 1
        assert f"Forked function has terminated: {reason}" in wd.log
        assert not os.path.exists(wd.lock)


@pytest.mark.parametrize("url", ["127.0.0.1:3000", "localhost:3000", "https://h", "http://", ""])
def test_a_bad_upstream_url_is_named(url):
    with start(0, upstream_url=url, wait=False) as wd:
        assert wd.wait_exit() == 1
        assert "http_upstream_url" in wd.log


def test_line_30_calls_that_it_leaves_behind_are_answered():
    upstream = Upstream(never)
    with start(upstream, script="while [ ! -e go ]; do sleep 0.02; done; exit 7") as wd:
        with wd.connect() as c:
            c.send(render())
            wd.wait_for(lambda: upstream.requests, "the call")
            wd.file("go", "")
            assert c.response().status == 500
        assert wd.wait_exit() == 1


def test_line_30_what_it_left_in_its_group_goes_with_it():
    with run_function("sleep 100000 & echo $! > pid; exit 0") as wd:
        assert wd.wait_exit() == 1
        assert not is_alive(read_pid(wd.path("pid")))


def test_it_is_started_again_when_that_is_wished():
    upstream = Upstream(reply(b"ok"))
    code = "echo x >> starts; while [ ! -e go ]; do sleep 0.02; done; rm go; exit 5"
    with start(upstream, script=code, restart_on_exit="true", restart_max_delay="200ms") as wd:
        for i in range(1, 4):
            wait_ready(wd)
            wd.wait_for(lambda: open(wd.path("starts")).read() == "x\n" * i, f"start {i}")
            wd.file("go", "")
            wd.wait_for(lambda: wd.log.count("exit status 5") == i, f"exit {i}")
        assert wd.request().body == b"ok"  # waits for the restart
        assert re.findall("Restarting the function in (.*)", wd.log) == ["100ms", "200ms", "200ms"]
        assert wd.health() == 200
        wd.terminate()
        assert wd.wait_exit() == 0


NOISE = {
    "a line of 10 MB": ("head -c 10000000 /dev/zero | tr '\\0' x; echo end", b"x" * 65536),
    "no newline at the end": ("printf 'a\\nlast'", b"a\nlast\n"),
    "CRLF": ("printf 'a\\r\\nb\\r\\n'", b"a\nb\n"),
    "binary": (r"printf '\001\377\200\n'", b"\x01\xff\x80\n"),
    "nothing but newlines": ("printf '\\n\\n'", b"\n\n"),
}


@pytest.mark.parametrize("name", NOISE)
def test_line_31_output_of_every_kind_is_logged(name):
    code, seen = NOISE[name]
    with run_function(code, prefix_logs="false") as wd:
        assert wd.wait_exit() == 1
        if len(seen) < 100:
            assert wd.out == seen
        else:  # nobody promised to keep all of it
            assert seen in wd.out and wd.out.endswith(b"end\n") or "dropped" in wd.log


def test_line_31_both_outputs_have_their_prefix_and_their_place():
    with run_function("echo to out; echo to err >&2; exit 3") as wd:
        assert wd.wait_exit() == 1
        assert re.search(rb"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d stdout: to out\n", wd.out)
        assert re.search(r"\d\d:\d\d:\d\d stderr: to err\n", wd.log)


def test_line_31_and_32_a_function_that_floods_its_outputs_goes_on_serving():
    """Although nobody reads our stderr, and the function closes its own in the end."""
    code = ("yes err | head -c 20000000 >&2; exec 2>&-; yes out | head -c 5000000; touch flooded; "
            "exec sleep 100000")
    unread, ours = os.pipe()
    with start(Upstream(reply(b"ok")), script=code, stderr=ours) as wd:
        for _ in range(50):
            assert wd.request().body == b"ok"
        wd.wait_file("flooded")
        assert wd.request().body == b"ok"
    os.close(unread)
    os.close(ours)


def test_line_32_a_stdout_that_nobody_reads_stops_neither_function_nor_calls():
    unread, ours = os.pipe()
    with start(Upstream(reply(b"ok")), script="yes out | head -c 5000000; touch flooded; exec sleep 100000",
               preexec=lambda: os.dup2(ours, 1)) as wd:
        wd.wait_file("flooded")
        assert wd.request().body == b"ok"
        wd.terminate()
        assert wd.wait_exit() == 0
    os.close(unread)
    os.close(ours)


def test_the_function_gets_its_environment_and_an_stdin_that_stays_silent():
    code = ("env | grep -c ^Http_ > http_env; env | grep ^MINE > mine; "
            "(timeout 0.3 cat; echo $? > stdin) ; exit 0")
    with run_function(code, MINE="1") as wd:
        assert wd.wait_exit() == 1
        assert open(wd.path("http_env")).read() == "0\n"
        assert open(wd.path("mine")).read() == "MINE=1\n"
        assert open(wd.path("stdin")).read() == "124\n"


# --- 34: the end ---

def test_line_34_sigterm_reaches_the_function_after_the_last_call():
    """A function without a handler for it, as in the node templates."""
    go = threading.Event()

    def slow(connection, request):
        go.wait(20)
        reply(b"done")(connection, request)

    upstream = Upstream(slow)
    with start(upstream, healthcheck_interval="200ms") as wd, wd.connect() as c:
        c.send(render())
        wd.wait_for(lambda: upstream.requests, "the call")
        child = wd.children()[0][0]
        wd.terminate()
        wd.wait_log("draining: 1 requests")
        assert is_alive(child)
        go.set()
        assert c.response().body == b"done"
        assert wd.wait_exit() == 0
        assert not is_alive(child)
        assert "Forked function has terminated: signal: terminated" in wd.log


def test_line_34_sigterm_at_once_when_that_is_wished():
    code = "trap 'touch told' TERM; touch set; while [ ! -e go ]; do sleep 0.02; done; exit 0"
    with start(Upstream(reply(b"ok")), script=code, forward_sigterm="at_once",
               healthcheck_interval="10s") as wd:
        wait_ready(wd)
        wd.wait_file("set")
        wd.terminate()
        wd.wait_file("told")
        assert wd.request().body == b"ok"  # it is still there
        wd.file("go", "")  # we do not outlive it, although the interval is not over
        assert wd.wait_exit() == 0


def test_line_34_a_function_that_ends_first_cuts_no_client_that_still_reads():
    size = 250000
    code = "trap 'exit 0' TERM; touch set; while :; do sleep 0.02; done"
    with start(Upstream(reply(b"x" * size)), script=code, forward_sigterm="at_once",
               healthcheck_interval="10s") as wd, socket.socket() as slow:
        wait_ready(wd)
        wd.wait_file("set")
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", wd.port))
        slow.sendall(render())
        wd.wait_log("GET / - 200 OK")  # all is here, and may have to wait for the client
        wd.terminate()
        wd.wait_log("Forked function has terminated")
        got = b""
        while not got.endswith(b"x" * size):
            assert (piece := slow.recv(65536))
            got += piece
        slow.close()
        assert wd.wait_exit() == 0


def test_line_34_a_function_has_stop_timeout_to_end():
    code = "trap 'sleep 0.3; touch hook; exit 0' TERM; touch set; while :; do sleep 0.02; done"
    with start(Upstream(reply()), script=code) as wd:
        wd.wait_file("set")
        wd.terminate()
        assert wd.wait_exit() == 0
        assert os.path.exists(wd.path("hook"))


def test_line_34_a_function_that_ignores_sigterm_is_killed():
    code = "trap '' TERM; sleep 100000 & echo $! > pid; touch set; wait"
    with start(Upstream(reply()), script=code, stop_timeout="200ms") as wd:
        wd.wait_file("set")
        group = [child[0] for child in wd.children()] + [read_pid(wd.path("pid"))]
        began = time.monotonic()
        wd.terminate()
        assert wd.wait_exit() == 0
        assert 0.19 < time.monotonic() - began < 0.2 + SOON
        assert not any(is_alive(pid) for pid in group)


def test_line_34_the_function_dies_with_the_watchdog():
    with start(Upstream(reply())) as wd:
        child = wd.children()[0][0]
        wd.process.send_signal(signal.SIGKILL)
        wd.process.wait()
        wd.wait_for(lambda: not is_alive(child), "its death")


# --- real functions on a port of our choice ---

PYTHON = r"""
import http.server, os, sys, time
time.sleep(0.2)
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[::-1])
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""

NODE_JS = r"""
const http = require('http');
http.createServer((req, res) => {
  const body = [];
  req.on('data', (d) => body.push(d));
  req.on('end', () => {
    const all = Buffer.concat(body);
    res.writeHead(201, {'Content-Length': all.length});
    res.end(all.reverse());
  });
}).listen(process.env.http_port, '127.0.0.1');
"""


@pytest.mark.parametrize("interpreter, source", [("/usr/bin/python3", PYTHON), (NODE, NODE_JS)],
                         ids=["python", "node"])
def test_real_functions_on_a_port_of_our_choice(interpreter, source, tmp_path):
    assert interpreter, "the interpreter is not installed"
    program = tmp_path / "function"
    program.write_text(source)
    with start(0, f"{interpreter} {program}", PORT="1", http_port="1") as wd:
        def call(i):
            with wd.connect() as c:
                for n in range(30):
                    body = b"%d-%d" % (i, n)
                    r = c.request("POST", "/", body=body)
                    assert (r.status, r.body) == (201, body[::-1])
        in_threads(8, call)
        assert wd.request(target="/_/ready").status == 200
        wd.terminate()
        assert wd.wait_exit() == 0


def test_a_port_that_somebody_else_took_is_not_taken_for_the_function_s():
    with start(0, script="echo $PORT > port; exec sleep 100000") as wd:
        port = pid_in(wd, "port")
        with socket.create_server(("127.0.0.1", port)):
            assert wd.wait_exit() == 1
        assert f"Another process listens at 127.0.0.1:{port}" in wd.log
        assert "Forked function has terminated: signal: killed" in wd.log


# --- size ---

def memory_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read())[1])


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_gibibyte_passes_in_constant_memory(way):
    size = 1 << 30
    block = os.urandom(MIB)

    def handler(connection, request):
        if request.method == "POST":
            left, view = size - len(request.rest), memoryview(bytearray(MIB))
            while left:
                left -= connection.recv_into(view[:min(left, MIB)])
            request.rest = b""
            connection.sendall(OK + b"Content-Length: 0\r\n\r\n")
        else:
            connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % size)
            for _ in range(size // MIB):
                connection.sendall(block)

    with start(Upstream(handler)) as wd, wd.connect() as c:
        wait_ready(wd)
        before = memory_of(wd.pid)
        if way == "up":
            c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(size // MIB):
                c.send(block)
            assert c.response().status == 200
        else:
            c.send(render())
            assert c.head()[0] == 200
            for _ in range(size // MIB):
                assert c.exactly(MIB) == block
        grown = memory_of(wd.pid) - before
        limit = 60000 if "ASAN_OPTIONS" in os.environ or "san" in os.environ.get("BIN", "") else 6000
        assert grown < limit, f"{grown} KiB more"


def test_localhost_is_either_loopback_address():
    upstream = Upstream(reply(b"six"))
    stop_listening(upstream)
    upstream.listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    threading.Thread(target=upstream._accept, daemon=True).start()
    port = upstream.listener.getsockname()[1]
    with start(0, upstream_url=f"http://localhost:{port}") as wd:
        assert wd.request().body == b"six"
        wd.wait_log(r"The function listens at \[::1\]:")


def test_ten_thousand_calls_leave_nothing_behind():
    with start(Upstream(echo)) as wd:
        def calls(n):
            def run(i):
                with wd.connect() as c:
                    for _ in range(n // 4):
                        assert c.request("POST", "/", body=b"x" * 100).body == b"x" * 100
            in_threads(4, run, 120)

        calls(1000)
        fds, before = wd.fds(), memory(wd.pid)
        calls(10000)
        wd.wait_for(lambda: wd.fds() <= fds, f"descriptors: {wd.fds()}, before {fds}")
        limit = 20000 if "san" in os.environ.get("BIN", "") else 200
        assert memory(wd.pid) - before < limit
        assert wd.metrics()['http_requests_total{code="200",method="post"}'] == 11000


def test_nothing_is_left_of_many_calls():
    """Good ones, refused ones, ones that time out, and clients that leave."""
    def handler(connection, request):
        if request.target == "/never":
            time.sleep(1)
            return "close"
        if request.target == "/close":
            return "close"
        echo(connection, request)

    with start(Upstream(handler), exec_timeout="500ms", upstream_idle_timeout="50ms") as wd:
        wait_ready(wd)
        before = wd.fds()

        def call(i):
            for n in range(60):
                target = ("/", "/close", "/leave", "/never" if n > 50 else "/")[n % 4]
                with wd.connect() as c:
                    if target == "/leave":
                        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc")
                    else:
                        status = c.request("POST", target, body=b"abc").status
                        assert status == {"/": 200, "/close": 500, "/never": 504}[target]
        in_threads(4, call)
        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "the calls")
        wd.wait_for(lambda: wd.fds() <= before, f"descriptors: {wd.fds()}, before {before}")
        assert [state for _, state in wd.children()] in (["S"], ["R"])
        total = sum(v for k, v in wd.metrics().items() if k.startswith("http_requests_total"))
        assert total == 240
