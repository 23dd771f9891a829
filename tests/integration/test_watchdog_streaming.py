"""The modes streaming and serializing from outside: what they answer, when it arrives, and what
becomes of the function when one of both sides fails."""
import os
import re
import time

import pytest

from watchdog_helpers import Watchdog, is_alive, read_pid, render

SOON = 0.6
TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"

RESPONSES = {
    # name: (setup, request, (streaming's status, body, type), (serializing's))
    "echo": (dict(fprocess="cat"), dict(method="POST", body=b"abc"),
             (200, b"abc", BYTES), (200, b"abc", BYTES)),
    "content_type": (dict(fprocess="cat", content_type="a/b"), dict(method="PUT", body=b"<html>"),
                     (200, b"<html>", "a/b"), (200, b"<html>", "a/b")),
    "nothing": (dict(fprocess="true"), dict(), (200, b"", BYTES), (200, b"", BYTES)),
    "HEAD": (dict(script="touch ran; echo x"), dict(method="HEAD"),
             (200, b"", BYTES), (200, b"", BYTES)),
    "HEAD, failed": (dict(script="echo x; exit 1"), dict(method="HEAD"),
                     (500, b"", TEXT), (500, b"", BYTES)),
    "any method": (dict(script="echo $Http_Method"), dict(method="PURGE"),
                   (200, b"PURGE\n", BYTES), (200, b"PURGE\n", BYTES)),
    "OPTIONS": (dict(fprocess="true"), dict(method="OPTIONS"), (200, b"", BYTES), (200, b"", BYTES)),
    "stderr is not output": (dict(script="echo e >&2; echo o", combine_output="true"), dict(),
                             (200, b"o\n", BYTES), (200, b"o\n", BYTES)),
    "exit status": (dict(script="exit 3"), dict(),
                    (500, b"exit status 3\n", TEXT), (500, b"exit status 3", BYTES)),
    "killed": (dict(script="kill -9 $$"), dict(),
               (500, b"signal: killed\n", TEXT), (500, b"signal: killed", BYTES)),
    "not found": (dict(fprocess="nope_x"), dict(),
                  (500, b'exec: "nope_x": executable file not found in $PATH\n', TEXT),
                  (500, b'exec: "nope_x": executable file not found in $PATH', BYTES)),
}


@pytest.mark.parametrize("mode", ["streaming", "serializing"])
@pytest.mark.parametrize("name", RESPONSES)
def test_response(mode, name):
    setup, request, *expected = RESPONSES[name]
    with Watchdog(mode=mode, **setup) as wd:
        r = wd.request(**request)
        assert (r.status, r.body, r.headers.get("content-type")) == \
            expected[mode == "serializing"]
        duration = r.headers.get("x-duration-seconds")
        assert duration is None if mode == "streaming" else re.fullmatch(r"\d+\.\d{6}", duration)
        assert not request.get("method") == "HEAD" or "exit" in setup["script"] or \
            os.path.exists(wd.path("ran"))


# --- streaming: when things arrive ---

def test_output_is_sent_as_it_is_written():
    with Watchdog(script="for i in 1 2 3; do echo $i; while [ ! -e go$i ]; do sleep 0.01; done; "
                         "done", mode="streaming") as wd, wd.connect() as c:
        c.send(render())
        status, headers = c.head()
        assert (status, headers["transfer-encoding"]) == (200, "chunked")
        for i in b"123":
            assert c.line() == "2"
            assert c.exactly(4) == b"%c\n\r\n" % i
            wd.file(f"go{i - 48}", "")
        assert c.line() == "0"


def test_input_is_given_as_it_arrives():
    with Watchdog(script="while read x; do echo got $x; done", mode="streaming") as wd, \
            wd.connect() as c:
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        for word in (b"one", b"two", b"three"):
            c.send(b"%x\r\n%s\n\r\n" % (len(word) + 1, word))
            while b"got " + word + b"\n" not in c.buffer:
                assert c.fill()
        c.send(b"0\r\n\r\n")
        r = c.response_or_part()
        assert (r.status, r.body, r.complete) == (200, b"got one\ngot two\ngot three\n", True)


def test_a_function_starts_before_its_input_is_there():
    with Watchdog(script="echo started; cat", mode="streaming") as wd, wd.connect() as c:
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n")
        while b"started\n" not in c.buffer:
            assert c.fill()
        c.send(b"abc")
        assert c.response_or_part().body == b"started\nabc"


@pytest.mark.parametrize("size", [0, 1, 4095, 65535, 65536, 65537, 70000, 1 << 20, 10_000_000])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_bodies_are_byte_exact(size, chunked):
    body = (os.urandom(1 << 16) * (size // (1 << 16) + 1))[:size]
    request = render("POST", "/", [], body)
    if chunked:
        pieces = [body[i:i + 10000] for i in range(0, size, 10000)]
        request = render("POST", "/", [("Transfer-Encoding", "chunked")]) + \
            b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"
    with Watchdog("cat", mode="streaming") as wd, wd.connect() as c:
        r = c.exchange(request)
        assert (r.status, r.complete) == (200, True) and r.body == body


def test_the_connection_is_kept():
    with Watchdog("cat", mode="streaming") as wd, wd.connect() as c:
        for i in range(20):
            assert c.request("POST", "/", [], b"%d" % i).body == b"%d" % i


# --- streaming: failures ---

def started(wd, name="pid"):
    wd.wait_for(lambda: os.path.exists(wd.path(name)) and read_pid(wd.path(name)), name)
    return read_pid(wd.path(name))


STAY = "sleep 30 & echo $! > child; echo $$ > pid; wait"


@pytest.mark.parametrize("say", ["", "echo begun;"], ids=["silent", "begun"])
def test_a_client_that_leaves_ends_the_group(say):
    with Watchdog(script=say + STAY, mode="streaming", max_inflight=1) as wd:
        with wd.connect() as c:
            c.send(render())
            pids = started(wd), read_pid(wd.path("child"))
        wd.wait_for(lambda: not any(map(is_alive, pids)), "group dead")
        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "in flight 0")
        wd.wait_log(r"client went away\n.*GET / - 499 - ContentLength: ")
        assert wd.metrics()['http_requests_total{code="499",method="get"}'] == 1
        assert not wd.children()


def test_the_function_may_outlive_its_client():
    with Watchdog(script="echo $$ > pid; while [ ! -e go ]; do sleep 0.01; done; "
                         "head -c 2000000 /dev/zero; touch done",
                  mode="streaming", kill_on_disconnect="false", max_inflight=1) as wd:
        with wd.connect() as c:
            c.send(render())
            started(wd)
        assert wd.request().status == 429
        wd.file("go", "")
        wd.wait_file("done")
        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "in flight 0")


def test_a_paused_function_may_outlive_its_client():
    with Watchdog(script="head -c 50000000 /dev/zero; touch done", mode="streaming",
                  kill_on_disconnect="false") as wd:
        with wd.connect() as c:
            c.send(render())
            assert c.fill()
        wd.wait_file("done")


@pytest.mark.parametrize("option", ["true", "false"])
@pytest.mark.parametrize("body", [b"Content-Length: 10\r\n\r\nabc",
                                  b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"],
                         ids=["length", "chunked"])
def test_a_body_that_ends_too_early_is_never_taken_for_whole(option, body):
    with Watchdog(script="echo $$ > pid; cat > input; touch done", mode="streaming",
                  kill_on_disconnect=option) as wd:
        with wd.connect() as c:
            c.send(b"POST / HTTP/1.1\r\nHost: h\r\n" + body)
            pid = started(wd)
        wd.wait_for(lambda: not is_alive(pid), "function dead")
        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "in flight 0")
        assert not os.path.exists(wd.path("done"))


def test_a_malformed_body_is_never_taken_for_whole():
    with Watchdog(script="echo $$ > pid; cat > input; touch done", mode="streaming") as wd, \
            wd.connect() as c:
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        pid = started(wd)
        c.send(b"xyz\r\n")
        wd.wait_for(lambda: not is_alive(pid), "function dead")
        assert not os.path.exists(wd.path("done"))


@pytest.mark.parametrize("say,expected", [("", (400, True)), ("echo begun;", (200, False))],
                         ids=["silent", "begun"])
def test_read_timeout_of_a_body(say, expected):
    with Watchdog(script=say + "cat >&2", read_timeout="400ms", mode="streaming") as wd, \
            wd.connect() as c:
        start = time.monotonic()
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
        r = c.response_or_part()
        assert (r.status, r.complete) == expected
        assert (b"i/o timeout\n" in r.body) == (say == "")
        assert 0.35 < time.monotonic() - start < 0.4 + SOON
        wd.wait_for(lambda: not wd.children(), "no child")


def test_exec_timeout_equal_to_write_timeout():
    with Watchdog("sleep 30", exec_timeout="400ms", write_timeout="400ms", mode="streaming") as wd:
        assert wd.request().status == 504


def test_write_timeout_ends_a_stream_and_its_function():
    with Watchdog(script="echo $$ > pid; while true; do echo x; sleep 0.01; done",
                  write_timeout="300ms", exec_timeout="10s", mode="streaming") as wd, \
            wd.connect() as c:
        start = time.monotonic()
        c.send(render())
        r = c.response_or_part()
        assert not r.complete
        assert 0.25 < time.monotonic() - start < 0.3 + SOON
        wd.wait_for(lambda: not is_alive(started(wd)), "function dead")
        wd.wait_log("write_timeout")


@pytest.mark.parametrize("say,expected", [("", (413, True)), ("echo begun;", (200, False))],
                         ids=["silent", "begun"])
def test_a_body_that_becomes_too_large(say, expected):
    with Watchdog(script=say + "echo $$ > pid; cat > /dev/null", max_body_size=1000,
                  mode="streaming") as wd, wd.connect() as c:
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"3e8\r\n" + b"x" * 1000 + b"\r\n")
        pid = started(wd)
        while say and b"begun" not in c.buffer:
            assert c.fill()
        c.send(b"1\r\nx\r\n")
        r = c.response_or_part()
        assert (r.status, r.complete) == expected
        wd.wait_for(lambda: not is_alive(pid), "function dead")
        assert wd.metrics()['http_requests_total{code="413",method="post"}'] == 1


def test_what_was_written_before_a_failure_is_not_kept_for_ever():
    """By a client that does not read, after exec_timeout has ended what wrote more than it takes."""
    with Watchdog("cat /dev/zero", write_timeout="500ms", exec_timeout="200ms",
                  mode="streaming") as wd, wd.connect() as deaf:
        deaf.send(render())
        wd.wait_log("GET / - 504")
        assert wd.metrics()["http_requests_in_flight"] == 1
        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "in flight 0", 5)


def test_http_1_0_clients_see_the_end_and_a_failure():
    with Watchdog(script="echo out; sleep 0.05; exit ${Http_Query:-0}", mode="streaming") as wd:
        with wd.connect() as c:
            c.send(b"GET / HTTP/1.0\r\n\r\n")
            assert c.response().body == b"out\n"
        with wd.connect() as c:
            c.send(b"GET /?3 HTTP/1.0\r\n\r\n")
            with pytest.raises(ConnectionResetError):
                c.response()


# --- serializing ---

def test_serializing_read_timeout():
    with Watchdog(script="touch ran", read_timeout="300ms", mode="serializing") as wd, \
            wd.connect() as c:
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
        r = c.response()
        assert r.status == 500 and r.body.endswith(b"i/o timeout")
        assert not os.path.exists(wd.path("ran"))


def test_serializing_outlives_its_client():
    with Watchdog(script="echo $$ > pid; while [ ! -e go ]; do sleep 0.01; done; touch done",
                  mode="serializing") as wd:
        with wd.connect() as c:
            c.send(render())
            started(wd)
        wd.file("go", "")
        wd.wait_file("done")
        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "in flight 0")


# --- the log ---

@pytest.mark.parametrize("mode,order", [
    ("streaming", r"exit status 3\n[^\n]*GET /a\?b - 500 - ContentLength: \d+B \(\d\.\d{4}s\)\n"),
    ("serializing", r"GET /a\?b - 500 - ContentLength: \d+B \(\d\.\d{4}s\)\n[^\n]*exit status 3\n")])
def test_log_lines(mode, order):
    with Watchdog(script="head -c 2049 /dev/zero; exit ${Http_X_Exit:-0}", mode=mode) as wd:
        assert wd.request().status == 200
        wd.wait_log(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d GET / - 200 - ContentLength: 2\.049kB "
                    r"\(\d\.\d{4}s\)\n")
        with wd.connect() as c:
            c.send(render(target="/a?b", headers=[("X-Exit", "3")]))
            c.response_or_part()
        wd.wait_log(order if mode == "serializing" else order.replace(r"\d+B", r"2\.049kB"))
        wd.request(target="/probe", headers=[("User-Agent", "kube-probe/1.30")])
        wd.request(target="/after")
        wd.wait_log("GET /after - 200")
        assert "/probe" not in wd.log


@pytest.mark.parametrize("mode", ["streaming", "serializing"])
def test_the_function_s_last_words_come_before_the_line(mode):
    with Watchdog(script="printf 'last words' >&2; exit 1", mode=mode) as wd:
        wd.request()
        wd.wait_log(r"(?s)stderr: last words\n.*GET / - 500")


@pytest.mark.parametrize("mode", ["streaming", "serializing"])
def test_lines_without_a_prefix(mode):
    with Watchdog(script="echo bare >&2", prefix_logs="false", mode=mode) as wd:
        wd.request()
        wd.wait_log(r"(?m)^bare$")


@pytest.mark.parametrize("mode", ["streaming", "serializing"])
def test_ready_path_is_asked_of_the_function(mode):
    with Watchdog(script="[ ! -e broken ] && echo $Http_Path", ready_path="/rdy", mode=mode) as wd:
        r = wd.request(target="/_/ready?x=1")
        assert (r.status, r.body) == (200, b"/rdy\n")
        wd.file("broken", "")
        assert wd.request(target="/_/ready").status == 500
        assert wd.request(target="/other").status == 500
        wd.wait_log("GET /other - 500")
        assert "/rdy" not in wd.log
        assert wd.metrics()['http_requests_total{code="500",method="get"}'] == 1
