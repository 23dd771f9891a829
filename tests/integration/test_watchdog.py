"""The classic watchdog from outside. What it has in common with the modes of of-watchdog is in
test_watchdog_processes.py and test_watchdog_lifecycle.py; the acceptance vectors, which can be
pointed at another watchdog, are in test_watchdog_vectors.py."""
import os
import re
import resource
import signal
import socket
import subprocess
import time

import pytest

from watchdog_helpers import (Connection, Watchdog, WATCHDOG, in_threads,
                              is_alive, read_pid, render)

SOON = 0.6  # seconds beyond a deadline within which its consequence must be there


@pytest.fixture(scope="module")
def cat():
    with Watchdog("cat") as wd:
        yield wd


# --- responses ---

FAIL = "echo out; echo err >&2; exit 3"

RESPONSES = {
    "echo with the request's type": (
        dict(fprocess="cat"), dict(method="POST", headers=[("Content-Type", "a/b")], body=b"abc"),
        200, b"abc", "a/b"),
    "content_type wins": (
        dict(fprocess="cat", content_type="x/y"),
        dict(method="POST", headers=[("Content-Type", "a/b")], body=b"abc"), 200, b"abc", "x/y"),
    "type sniffed": (dict(fprocess="cat"), dict(method="POST", body=b"<html>"), 200, b"<html>",
                     "text/html; charset=utf-8"),
    "json is sniffed as text": (dict(fprocess="cat"), dict(method="PUT", body=b'{"a":1}'), 200,
                                b'{"a":1}', "text/plain; charset=utf-8"),
    "nothing has no type": (dict(fprocess="true"), dict(), 200, b"", None),
    "exit status": (dict(script=FAIL), dict(), 500, b"exit status 3\nout\nerr\n",
                    "text/plain; charset=utf-8"),
    "content_type is not for errors": (dict(script=FAIL, content_type="x/y"), dict(), 500,
                                       b"exit status 3\nout\nerr\n", "text/plain; charset=utf-8"),
    "stderr kept apart": (dict(script=FAIL, combine_output="false"), dict(), 500,
                          b"exit status 3\nout\n", "text/plain; charset=utf-8"),
    "natural order": (dict(script="echo a; echo b >&2; echo c"), dict(), 200, b"a\nb\nc\n",
                      "text/plain; charset=utf-8"),
    "killed": (dict(script="kill -9 $$"), dict(), 500, b"signal: killed\n",
               "text/plain; charset=utf-8"),
    "terminated": (dict(script="kill -15 $$"), dict(), 500, b"signal: terminated\n",
                   "text/plain; charset=utf-8"),
    "program not found": (dict(fprocess="nope_x"), dict(), 500,
                          b'exec: "nope_x": executable file not found in $PATH\n',
                          "text/plain; charset=utf-8"),
    "path not found": (dict(fprocess="/nope/x"), dict(), 500,
                       b"fork/exec /nope/x: no such file or directory\n",
                       "text/plain; charset=utf-8"),
    "not executable": (dict(fprocess="/etc/passwd"), dict(), 500,
                       b"fork/exec /etc/passwd: permission denied\n", "text/plain; charset=utf-8"),
    "no command": (dict(fprocess=" cat"), dict(), 500, b"exec: no command\n",
                   "text/plain; charset=utf-8"),
    "a GET's body is passed": (dict(fprocess="cat"), dict(method="GET", body=b"query"), 200,
                               b"query", "text/plain; charset=utf-8"),
    "HEAD": (dict(fprocess="cat"), dict(method="HEAD"), 405, b"", None),
    "OPTIONS": (dict(fprocess="cat"), dict(method="OPTIONS"), 405, b"", None),
    "unknown method": (dict(fprocess="cat"), dict(method="FOO"), 405, b"", None),
    "marshalled": (dict(fprocess="cat", marshal_request="true"),
                   dict(method="POST", headers=[("X-A", "1"), ("x-a", "<2>")], body=b"\0\xff\x7a"),
                   200, b'{"header":{"Content-Length":["3"],"X-A":["1","\\u003c2\\u003e"]},'
                   b'"body":{"raw":"AP96"}}', "text/plain; charset=utf-8"),
    "arguments": (dict(fprocess="printf [%s]\\n a  b 'c d' \"e\""), dict(), 200,
                  b"[a]\n[]\n[b]\n['c]\n[d']\n[\"e\"]\n", "text/plain; charset=utf-8"),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_response(name):
    setup, request, status, body, content_type = RESPONSES[name]
    with Watchdog(**setup) as wd:
        r = wd.request(**request)
        assert (r.status, r.body, r.headers.get("content-type")) == (status, body, content_type)
        assert "date" in r.headers
        duration = r.headers.get("x-duration-seconds")
        if status == 200:
            assert re.fullmatch(r"\d+\.\d{6}", duration)
        else:
            assert duration is None


def test_a_script_without_an_interpreter_line_is_not_run_by_a_shell():
    with Watchdog("./plain") as wd:
        wd.file("plain", "echo hi\n")
        r = wd.request()
        assert (r.status, r.body) == (500, b"fork/exec ./plain: exec format error\n")


def test_the_program_is_looked_for_on_each_request():
    with Watchdog("later") as wd:
        assert wd.request().status == 500
    with Watchdog("later", PATH="bin:/bin:/usr/bin") as wd:
        assert wd.request().status == 500
        os.mkdir(wd.path("bin"))
        wd.file("bin/later", "#!/bin/sh\necho one\n")
        assert wd.request().body == b"one\n"
        os.unlink(wd.path("bin/later"))
        assert wd.request().status == 500


# --- environment ---


def test_no_environment_without_cgi_headers():
    with Watchdog("env", cgi_headers="false") as wd:
        assert not [n for n in wd.env_of("POST", "/x?y", [("X-A", "1")], b"b")
                    if n.startswith(b"Http_")]


PATHS = ["//", "/a//b", "/a/../b", "/%2e%2e/x", "/a%2Fb", "/x?a;b", "/" + "p" * 8000, "/_/health/",
         "/_/healthx"]


@pytest.mark.parametrize("target", PATHS, ids=lambda t: t[:20])
def test_odd_paths_reach_the_function(target):
    with Watchdog("env") as wd:
        assert wd.env_of(target=target)[b"Http_Path"]


def test_the_server_answers_options_star_itself(cat):
    r = cat.request("OPTIONS", "*")
    assert (r.status, r.body) == (200, b"")


# --- bodies ---

@pytest.mark.parametrize("size", [0, 1, 4095, 65535, 65536, 65537, 1 << 20, 10_000_000])
def test_bodies_are_byte_exact(cat, size):
    body = os.urandom(1 << 16) * (size // (1 << 16) + 1)
    body = body[:size]
    r = cat.request("POST", "/", [], body)
    assert r.status == 200 and r.body == body


def test_a_large_output_of_a_small_request():
    with Watchdog("head -c 64000000 /dev/zero") as wd:
        r = wd.request()
        assert r.status == 200 and len(r.body) == 64_000_000 and not r.body.strip(b"\0")


def test_max_body_size():
    with Watchdog("cat", max_body_size="1000") as wd:
        assert wd.request("POST", "/", [], b"x" * 1000).status == 200
        assert wd.request("POST", "/", [], b"x" * 1001).status == 413
        with wd.connect() as c:
            c.send(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            c.send(b"3e8\r\n" + b"x" * 1000 + b"\r\n1\r\nx\r\n")
            assert c.response().status == 413
        assert wd.request("POST", "/", [], b"x").status == 200


def test_expect_continue_without_a_stall(cat):
    with cat.connect() as c:
        start = time.monotonic()
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert c.line().split()[1] == "100"
        c.line()
        c.send(b"abc")
        assert c.response().body == b"abc"
        assert time.monotonic() - start < SOON


# --- wire ---

GOOD = b"POST / HTTP/1.1\r\nHost: h\r\n"
CHUNKED = GOOD + b"Transfer-Encoding: chunked\r\n\r\n"
WIRE = {
    "chunks": (CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", {200}, b"abcde"),
    "chunk extension": (CHUNKED + b"3;a=b\r\nabc\r\n0\r\n\r\n", {200}, b"abc"),
    "trailer": (CHUNKED + b"3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n", {200}, b"abc"),
    "huge chunk size": (CHUNKED + b"ffffffffffffffffff\r\nabc", {400, 413}, None),
    "bad chunk size": (CHUNKED + b"xyz\r\nabc\r\n0\r\n\r\n", {400}, None),
    "negative length": (GOOD + b"Content-Length: -1\r\n\r\n", {400}, None),
    "length with junk": (GOOD + b"Content-Length: 3x\r\n\r\nabc", {400}, None),
    "two lengths": (GOOD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", {400}, None),
    "length and chunked": (GOOD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
                           b"1\r\na\r\n0\r\n\r\n", {200, 400}, None),
    "unknown transfer encoding": (GOOD + b"Transfer-Encoding: gzip\r\n\r\n", {400, 501}, None),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", {400}, None),
    "no version": (b"GET /\r\n\r\n", {400, 505}, None),
    "garbage": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", {400}, None),
    "absolute target": (b"POST http://other/x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\na",
                        {200}, b"a"),
    "http 1.0": (b"POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\na", {200}, b"a"),
}


@pytest.mark.parametrize("name", WIRE)
def test_wire(cat, name):
    data, statuses, body = WIRE[name]
    with cat.connect() as c:
        c.send(data)
        try:
            r = c.response()
            assert r.status in statuses, r
            if r.status == 200 and body is not None:
                assert r.body == body
        except (EOFError, ConnectionResetError):
            assert 200 not in statuses  # cut off: as good as 400
    assert cat.request("POST", "/", [], b"x").body == b"x"


def test_pipelined_requests_are_answered_in_order(cat):
    with cat.connect() as c:
        c.send(b"".join(render("POST", "/", [], b"%d" % i) for i in range(20)))
        assert [c.response().body for _ in range(20)] == [b"%d" % i for i in range(20)]


@pytest.mark.parametrize("setup,request_line,status", [
    (dict(fprocess="cat"), "HEAD", 405),
    (dict(fprocess="cat", max_body_size=10), "POST", 413),
], ids=["405", "413"])
def test_an_early_answer_is_not_lost_to_a_large_upload(setup, request_line, status):
    with Watchdog(**setup) as wd, wd.connect() as c:
        c.send(f"{request_line} / HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n".encode())
        try:
            c.send(b"x" * 3_000_000)
        except ConnectionError:
            pass
        assert c.response(request_line).status == status


# --- time ---

def test_exec_timeout():
    with Watchdog("sleep 30", exec_timeout="300ms") as wd:
        start = time.monotonic()
        r = wd.request()
        assert (r.status, r.body) == (408, b"Killed process.\n")
        assert 0.29 < time.monotonic() - start < 0.3 + SOON
        wd.wait_log("Killing process: sleep 30")
        wd.wait_for(lambda: not wd.children(), "no child")


def test_the_answer_to_exec_timeout_survives_an_equal_write_timeout():
    with Watchdog("sleep 30", exec_timeout="400ms", write_timeout="400ms") as wd:
        r = wd.request()
        assert (r.status, r.body) == (408, b"Killed process.\n")


def test_read_timeout_of_a_body():
    with Watchdog(script="touch ran", read_timeout="400ms") as wd, wd.connect() as c:
        start = time.monotonic()
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
        r = c.response()
        assert r.status == 400 and r.body.endswith(b"i/o timeout\n")
        assert 0.35 < time.monotonic() - start < 0.4 + SOON
        assert not os.path.exists(wd.path("ran"))


def test_read_timeout_of_a_head_and_of_an_idle_connection():
    with Watchdog("cat", read_timeout="400ms") as wd, wd.connect() as slow, wd.connect() as idle:
        assert idle.request("POST", "/", [], b"x").status == 200
        start = time.monotonic()
        slow.send(b"GET / HTTP/1.1\r\nHo")
        for c in (slow, idle):
            try:
                while c.fill():
                    pass
            except ConnectionResetError:
                pass
        assert 0.3 < time.monotonic() - start < 0.4 + 2 * SOON
        assert b" 200 " not in slow.buffer


def test_write_timeout_ends_the_connection_but_not_the_function():
    with Watchdog(script="sleep 0.6; touch done", write_timeout="200ms") as wd:
        with wd.connect() as c:
            start = time.monotonic()
            c.send(render())
            c.fill()
            assert 0.15 < time.monotonic() - start < 0.2 + SOON
            assert not c.buffer.startswith(b"HTTP/1.1 200")
        wd.wait_file("done")


def test_a_slow_reader_disturbs_nobody_and_is_cut_off():
    with Watchdog("cat", write_timeout="700ms") as wd, wd.connect() as slow:
        slow.send(render("POST", "/", [], b"x" * 20_000_000))
        start = time.monotonic()
        while time.monotonic() - start < 1:
            assert wd.request("POST", "/", [], b"y").body == b"y"
        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "in flight 0")
        with pytest.raises((EOFError, ConnectionResetError)):
            slow.response()


# --- clients that leave ---

def test_the_function_outlives_its_client():
    with Watchdog(script="touch started; while [ ! -e go ]; do sleep 0.01; done; touch done",
                  max_inflight=1) as wd:
        with wd.connect() as c:
            c.send(render())
            wd.wait_file("started")
        assert wd.request().status == 429  # its slot is taken
        wd.file("go", "")
        wd.wait_file("done")
        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "in flight 0")
        assert wd.request().status == 200


def test_clients_that_leave_at_any_moment_leave_nothing():
    with Watchdog("sleep 0.02", max_inflight=50) as wd:
        fds = wd.fds()
        for data in (b"GET", b"GET / HTTP/1.1\r\nHost: h\r\n",
                     b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", render()):
            for _ in range(10):
                with wd.connect() as c:
                    c.send(data)
        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0 and not wd.children()
                    and wd.fds() <= fds, "nothing left")
        assert wd.request().status == 200


# --- limits ---

def test_max_inflight():
    with Watchdog(script="touch started; while [ ! -e go ]; do sleep 0.01; done",
                  max_inflight=1) as wd, wd.connect() as first:
        first.send(render())
        wd.wait_file("started")
        r = wd.request()
        assert (r.status, r.body) == (
            429, b"Concurrent request limit exceeded. Max concurrent requests: 1\n")
        assert r.headers["content-type"] == "text/plain"
        assert r.headers["x-openfaas-internal"] == "faas-middleware"
        start = time.monotonic()
        assert wd.health() == 200
        assert time.monotonic() - start < 0.1
        wd.file("go", "")
        assert first.response().status == 200
        m = wd.metrics()
        assert m['http_requests_total{code="429",method="get"}'] == 1
        assert m['http_requests_total{code="200",method="get"}'] == 1


# --- processes ---

def test_descriptors_of_the_function():
    with Watchdog("ls /proc/self/fd") as wd:
        # the fourth is ls's own, of the folder
        assert wd.request().body.split() == [b"0", b"1", b"2", b"3"]
        results = in_threads(8, lambda _: wd.request().body.split())
        assert all(len(r) == 4 for r in results)


def test_descriptor_limits_are_raised_for_us_and_not_for_the_function():
    def small():
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 900))
    with Watchdog(script="ulimit -Sn; ulimit -Hn", preexec=small) as wd:
        assert wd.request().body == b"100\n900\n"
        connections = [wd.connect() for _ in range(300)]
        for c in connections:
            c.send(render(target="/_/health"))
        assert all(c.response().status == 200 for c in connections)
        for c in connections:
            c.sock.close()


# --- life ---

def test_health():
    with Watchdog("cat", healthcheck_interval="5s") as wd:
        r = wd.request(target="/_/health")
        assert (r.status, r.body) == (200, b"OK")
        assert wd.request("POST", "/_/health").status == 405
        assert wd.request(target="/_/ready").status == 200
        os.unlink(wd.lock)
        assert wd.health() == 503
        wd.file(".lock", "")
        assert wd.health() == 200
        wd.terminate()
        wd.wait_for(lambda: wd.health() == 503, "unhealthy")
        assert not os.path.exists(wd.lock)
        assert wd.metrics().get("http_requests_in_flight") == 0


def test_the_function_dies_with_the_watchdog():
    with Watchdog(script="echo $$ > pid; exec sleep 30") as wd, wd.connect() as c:
        c.send(render())
        wd.wait_file("pid")
        wd.wait_for(lambda: read_pid(wd.path("pid")), "pid")
        pid = read_pid(wd.path("pid"))
        wd.process.kill()
        wd.process.wait()
        wd.wait_for(lambda: not is_alive(pid), "function dead")


def test_an_inherited_socket_is_served():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(16)
        port = s.getsockname()[1]
        with Connection(port) as early:  # before there is anybody to accept it
            early.send(render())
            with Watchdog("env", listen_fd=s.fileno(), port="8080", wait=False):
                r = early.response()
                assert r.status == 200
                assert b"LISTEN_FDS" not in r.body


def test_log_lines():
    with Watchdog("cat", exec_timeout="1m30s", healthcheck_interval="5") as wd:
        wd.request("POST", "/", [], b"abc")
        wd.wait_log("Wrote 3 Bytes")
        expected = [r"Version: \S+\tSHA: \S+", r"Timeouts: read: 30s write: 30s hard: 1m30s health: 5s\.",
                    r"Warning: write_timeout .*", rf"Listening on port: {wd.port}",
                    rf"Writing lock-file to: {wd.lock}",
                    rf"Metrics listening on port: {wd.metrics_port}", r"Forking fprocess\.",
                    r"Wrote 3 Bytes - Duration: \d\.\d{6}s"]
        lines = wd.log.splitlines()
        assert len(lines) == len(expected), wd.log
        for line, pattern in zip(lines, expected):
            assert re.fullmatch(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d " + pattern, line)


def test_debug_output():
    with Watchdog(script=FAIL, write_debug="true", debug_headers="true") as wd:
        wd.request(target="/p?q", headers=[("x-a", "1"), ("X-B", ""), ("X-A", "2")])
        wd.wait_log(r"Query  q\n.* Path  /p\n")
        wd.wait_log("Success=false, Error=exit status 3")
        wd.wait_for(lambda: wd.out.startswith(b"[in] X-A=[1 2]\n[in] X-B=[]\n") and b"out\nerr\n" in wd.out
                    and b"[out] Content-Type=[text/plain; charset=utf-8]\n" in wd.out, "stdout")


def test_debug_output_that_nobody_reads_stops_no_call():
    unread, ours = os.pipe()
    with Watchdog(script="head -c 300000 /dev/zero", write_debug="true",
                  preexec=lambda: os.dup2(ours, 1)) as wd:
        for _ in range(5):
            assert len(wd.request().body) == 300000
    os.close(unread)
    os.close(ours)


REFUSED = {
    "no fprocess": (dict(fprocess="unset"), "fprocess"),
    "bad port": (dict(fprocess="cat", port="abc"), "port"),
    "negative port": (dict(fprocess="cat", port="-1"), "port"),
    "port of the metrics": (dict(fprocess="cat", port="8081", metrics_port="unset"), "metrics_port"),
    "bad timeout": (dict(fprocess="cat", mode="streaming", write_timeout="0"), "write_timeout"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_settings(name):
    settings, named = REFUSED[name]
    with Watchdog(wait=False, **settings) as wd:
        assert wd.wait_exit() != 0
        assert named in wd.log


def test_a_mode_that_is_the_functions_own_business():
    with Watchdog("cat", mode="production") as wd:
        wd.wait_log('Warning: mode="production" is no mode of the watchdog')
        assert wd.request("POST", body=b"abc").body == b"abc"


@pytest.mark.parametrize("taken", ["port", "metrics_port"])
def test_a_port_that_is_taken(taken):
    with socket.socket() as s:
        s.bind(("0.0.0.0", 0))
        s.listen(1)
        with Watchdog("cat", wait=False, **{taken: s.getsockname()[1]}) as wd:
            assert wd.wait_exit() != 0
            assert "in use" in wd.log


FLAGS = {
    "-version": (["-version"], 0, r"Version: \S+\tSHA: \S+\n"),
    "--version": (["--version"], 0, r"Version: "),
    "-h": (["-h"], 0, r"-run-healthcheck"),
    "unknown": (["-x"], 2, r"flag provided but not defined: -x\n"),
    "no lock": (["-run-healthcheck"], 1, r"\Aunable to find lock file\.\n\Z"),
}


@pytest.mark.parametrize("name", FLAGS)
def test_flags(name, tmp_path):
    args, status, pattern = FLAGS[name]
    p = subprocess.run([WATCHDOG, *args], env={"TMPDIR": str(tmp_path)}, capture_output=True,
                       text=True, timeout=20)
    assert p.returncode == status
    assert re.search(pattern, p.stderr)
    assert p.stdout == ""


def test_run_healthcheck_finds_the_lock(tmp_path):
    (tmp_path / ".lock").touch()
    p = subprocess.run([WATCHDOG, "-run-healthcheck"], env={"TMPDIR": str(tmp_path)},
                       capture_output=True, timeout=20)
    assert (p.returncode, p.stderr) == (0, b"")
