"""The robustness checklist of the watchdogs, as far as it is about processes: each test is named
after its line. The modes that start a process for each request go through the same tests."""
import ctypes
import os
import re
import resource
import shutil
import socket
import time

import pytest

from watchdog_helpers import (SANITIZED, WATCHDOG, Watchdog, build_echo, in_threads, is_alive, memory,
                              many_descriptors, read_pid, render)

SOON = 0.6  # seconds beyond a deadline within which its consequence must be there
MODES = ["classic", "streaming", "serializing"]
OF_MODES = ["streaming", "serializing"]
OUT_OF_TIME = {"classic": (408, b"Killed process.\n"),
               "streaming": (504, b"exec_timeout has passed: the function was killed\n"),
               "serializing": (500, b"signal: killed")}
NOT_THERE = b'exec: "nope_x": executable file not found in $PATH'

in_every_mode = pytest.mark.parametrize("mode", MODES)


@pytest.fixture(scope="session")
def echo(tmp_path_factory):
    return build_echo(str(tmp_path_factory.mktemp("echo")))


def nothing_is_left(wd, fds):
    wd.wait_for(lambda: not wd.children(), "no child, dead or alive")
    wd.wait_for(lambda: wd.fds() <= fds, "no descriptor more than before")


@in_every_mode
def test_01_input_and_output_larger_than_their_pipes(mode):
    body = os.urandom(1 << 16) * 160
    with Watchdog("cat", mode=mode) as wd:
        fds = wd.fds()
        with wd.connect() as c:
            r = c.upload(body)
        assert r.status == 200 and r.complete and r.body == body
        nothing_is_left(wd, fds)


@in_every_mode
@pytest.mark.parametrize("script", ["exit 0", "exec 0<&-; sleep 0.05", "sleep 0.05"],
                         ids=["exits", "closed", "ignored"])
def test_02_input_that_nobody_reads(mode, script):
    with Watchdog(script=script, mode=mode) as wd:
        fds = wd.fds()
        for _ in range(3):
            with wd.connect() as c:
                r = c.upload(b"x" * 5_000_000)
            assert r.status == 200 and r.complete
        nothing_is_left(wd, fds)


def test_03_an_early_answer_does_not_wait_for_a_slow_client():
    """Only where the function starts before its input is complete."""
    with Watchdog(script="echo early", mode="streaming", read_timeout="10s") as wd, \
            wd.connect() as c:
        start = time.monotonic()
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
        r = c.response_or_part()
        assert (r.status, r.body, r.complete) == (200, b"early\n", True)
        assert time.monotonic() - start < SOON


@in_every_mode
def test_04_ten_thousand_requests_leave_no_process_descriptor_or_byte(mode, echo):
    with Watchdog("./function", mode=mode, exec_timeout="1s") as wd:
        def use(target):
            new = wd.path("new")
            os.symlink(target, new)
            os.rename(new, wd.path("function"))

        def ask(n):
            def work(_):
                with wd.connect() as c:
                    for _ in range(n // 4):
                        assert c.request("POST", "/", [], b"hello").body == b"hello"
            use(echo)
            in_threads(4, work)

        def fail(n, target, statuses):
            use(target)
            assert set(in_threads(n, lambda _: wd.request().status)) <= statuses

        def leave(n):
            use(echo)
            for i in range(n):
                with wd.connect() as c:
                    c.send((render(), b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc",
                            b"GET / HT")[i % 3])

        def all_of_it(n):
            ask(n * 9 // 10)
            fail(n // 100, wd.file("slow", "#!/bin/sh\nsleep 30 & sleep 30\n"),
                 {OUT_OF_TIME[mode][0]})
            for _ in range(n // 500):
                fail(10, "/nope", {500})
                fail(10, wd.file("bad", "#!/nope\n"), {500})
            leave(n // 20)
            wd.wait_for(lambda: not wd.children(), "no child, dead or alive")
            wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "in flight 0")

        all_of_it(2000)
        fds, rss = wd.fds(), memory(wd.pid)
        all_of_it(10000)
        nothing_is_left(wd, fds)
        assert memory(wd.pid) < rss + (8192 if SANITIZED else 1024)
        use(echo)
        assert wd.request("POST", "/", [], b"x").status == 200
        wd.terminate()
        assert wd.wait_exit() == 0, wd.log[-2000:]  # a sanitizer would have found every leak


@in_every_mode
def test_05_the_timer_and_the_exit_race(mode):
    with Watchdog("sleep 0.03", exec_timeout="33ms", mode=mode) as wd:
        fds = wd.fds()

        def ask(_):
            with wd.connect() as c:
                return {c.request().status for _ in range(15)}
        assert set().union(*in_threads(4, ask)) <= {200, OUT_OF_TIME[mode][0]}
        nothing_is_left(wd, fds + 4)
        assert wd.metrics()["http_requests_in_flight"] == 0


@pytest.mark.parametrize("mode", ["classic", "serializing"])
def test_06_the_clock_starts_with_the_process(mode):
    with Watchdog("cat", exec_timeout="300ms", mode=mode) as wd, wd.connect() as c:
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc")
        with wd.connect() as other:  # a clock that began with the head is over after this
            start = time.monotonic()
            other.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n")
            while time.monotonic() - start < 0.4:
                assert wd.health() == 200
            other.send(b"abcdef")
            c.send(b"def")
            assert other.response().body == c.response().body == b"abcdef"


@in_every_mode
def test_06_no_clock_runs_for_a_process_that_could_not_start(mode):
    with Watchdog("nope_x", exec_timeout="50ms", mode=mode) as wd, wd.connect() as c:
        for _ in range(3):
            r = c.request()
            assert r.status == 500 and r.body.rstrip(b"\n") == NOT_THERE
        start = time.monotonic()
        while time.monotonic() - start < 0.1:
            assert wd.health() == 200
        assert "kill" not in wd.log.lower()


HOLDERS = {
    "direct": "exec sleep 30",
    "shell with grandchild": "sleep 30 & echo $! > pid; wait",
    "background job": "(sleep 30; echo x) & echo $! > pid; sleep 30",
    "deaf to SIGTERM": "trap '' TERM; sleep 30 & echo $! > pid; wait; wait",
}


@in_every_mode
@pytest.mark.parametrize("name", HOLDERS)
def test_07_exec_timeout_kills_the_group_and_answers_at_once(mode, name):
    with Watchdog(script=HOLDERS[name], exec_timeout="300ms", mode=mode) as wd:
        fds = wd.fds()
        start = time.monotonic()
        r = wd.request()
        assert 0.29 < time.monotonic() - start < 0.3 + SOON
        assert (r.status, r.body) == OUT_OF_TIME[mode]
        if "pid" in HOLDERS[name]:
            pid = read_pid(wd.path("pid"))
            wd.wait_for(lambda: not is_alive(pid), "grandchild dead")
        nothing_is_left(wd, fds)


@in_every_mode
def test_07_exec_timeout_with_an_escapee(mode):
    with Watchdog(script="setsid sh -c 'echo $$ > pid; exec sleep 30' & sleep 30",
                  exec_timeout="300ms", mode=mode) as wd:
        fds = wd.fds()
        start = time.monotonic()
        assert wd.request().status == OUT_OF_TIME[mode][0]
        assert time.monotonic() - start < 0.3 + SOON
        wd.wait_for(lambda: wd.fds() <= fds, "descriptors closed")
        os.kill(read_pid(wd.path("pid")), 9)


def test_07_exec_timeout_in_the_middle_of_a_stream():
    with Watchdog(script="echo begun; sleep 30", exec_timeout="300ms", mode="streaming") as wd, \
            wd.connect() as c:
        start = time.monotonic()
        c.send(render())
        r = c.response_or_part()
        assert (r.status, r.body, r.complete) == (200, b"begun\n", False)
        assert 0.29 < time.monotonic() - start < 0.3 + SOON
        wd.wait_log("GET / - 504 - ContentLength: 6B")


@in_every_mode
def test_07_a_background_job_does_not_hold_the_response(mode):
    with Watchdog(script="sleep 30 & echo $! > pid; echo done", exec_timeout="10s",
                  mode=mode) as wd:
        start = time.monotonic()
        r = wd.request()
        assert (r.status, r.body) == (200, b"done\n")
        assert time.monotonic() - start < SOON
        os.kill(read_pid(wd.path("pid")), 9)


@in_every_mode
@pytest.mark.parametrize("value", ["0", "0s", "-5s"])
def test_08_no_exec_timeout(mode, value):
    with Watchdog("sleep 0.2", exec_timeout=value, mode=mode) as wd:
        assert wd.request().status == 200


@in_every_mode
def test_09_orphans_are_collected_and_statuses_are_not_stolen(mode):
    def subreaper():
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    script = "(sleep 0.0$(($$ % 5)); exit 9) & (true) & [ -z \"$Http_Query\" ] || exit 3"
    with Watchdog(script=script, preexec=subreaper, mode=mode) as wd:
        def ask(_):
            with wd.connect() as c:
                return [c.request(target="/" + "?x" * (n % 2)).status for n in range(20)]
        for statuses in in_threads(4, ask):
            assert statuses == [200, 500] * 10
        wd.wait_for(lambda: not wd.children(), "orphans collected")


START_FAILURES = {
    "ENOENT": (None, 0, "no such file or directory"),
    "EACCES": ("#!/bin/sh\n", 0o644, "permission denied"),
    "ENOEXEC": ("echo hi\n", 0o755, "exec format error"),
    "no interpreter": ("#!/nope\n", 0o755, "no such file or directory"),
}


@in_every_mode
@pytest.mark.parametrize("name", START_FAILURES)
def test_10_a_program_that_cannot_start(mode, name):
    text, bits, why = START_FAILURES[name]
    with Watchdog("./function", mode=mode) as wd:
        if text:
            wd.file("function", text, bits)
        fds = wd.fds()
        for body in (b"", b"x" * 200_000):
            for _ in range(10):
                r = wd.request("POST", "/", [], body)
                assert r.status == 500
                assert r.body.decode().rstrip("\n") == f"fork/exec ./function: {why}"
        nothing_is_left(wd, fds)
        wd.file("function", "#!/bin/sh\necho fine\n")
        assert wd.request().body == b"fine\n"


@in_every_mode
def test_10_an_environment_that_is_too_large(mode):
    with Watchdog("true", max_header_bytes="1m", mode=mode) as wd:
        fds = wd.fds()
        r = wd.request(headers=[("X-Long", "v" * 140000)])
        assert r.status == 500 and r.body.endswith(b": argument list too long" + (
            b"" if mode == "serializing" else b"\n"))
        assert wd.request().status == 200
        nothing_is_left(wd, fds)


@in_every_mode
def test_10_no_descriptors_left(mode):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
    with Watchdog(script="touch started; while [ ! -e go ]; do sleep 0.01; done",
                  preexec=few, mode=mode) as wd:
        connections = [wd.connect() for _ in range(8)]
        for c in connections:
            c.send(render())
        wd.wait_file("started")
        wd.file("go", "")
        assert {c.response().status for c in connections} <= {200, 500}
        for c in connections:
            c.sock.close()
        wd.wait_for(lambda: not wd.children(), "no child")
        assert wd.request().status == 200


@in_every_mode
def test_10_no_process_can_be_made(mode, tmp_path):
    """The limit on a user's processes, as the pids cgroup has one, answers EAGAIN."""
    program = shutil.copy(WATCHDOG, tmp_path / "fwatchdog")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == "root" and os.getuid() == 0 and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)

    def nobody_else():
        if os.getuid() == 0:
            os.setgid(54321)
            os.setuid(54321)
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
    with Watchdog("/bin/true", program=[str(program)], suppress_lock="true", preexec=nobody_else,
                  mode=mode) as wd:
        fds = wd.fds()
        for _ in range(10):
            r = wd.request("POST", "/", [], b"x" * 100_000)
            assert r.status == 500
            assert r.body.rstrip(b"\n") == b"fork/exec /bin/true: resource temporarily unavailable"
        nothing_is_left(wd, fds)
        assert wd.health() == 200


@in_every_mode
def test_11_a_thousand_at_once_share_no_pipes(mode):
    with many_descriptors(), Watchdog("cat fifo", exec_timeout="30s", mode=mode) as wd:
        os.mkfifo(wd.path("fifo"))
        connections = [wd.connect() for _ in range(1000)]
        for c in connections:
            c.send(render())
        wd.wait_for(lambda: len(wd.children()) == 1000, "1000 children")
        assert wd.health() == 200
        pipes = set()
        for pid, _ in wd.children():
            fds = {int(fd): os.readlink(f"/proc/{pid}/fd/{fd}")
                   for fd in os.listdir(f"/proc/{pid}/fd")}
            assert set(fds) == {0, 1, 2}
            assert fds[1] not in pipes
            pipes |= {fds[1], fds[2]}
        with open(wd.path("fifo"), "w"):
            pass  # every reader sees the end
        assert all(c.response().status == 200 for c in connections)
        for c in connections:
            c.sock.close()
        wd.wait_for(lambda: not wd.children(), "no child")


@in_every_mode
def test_12_there_is_one_thread(mode):
    """So between clone and exec no lock of another one can be held."""
    with Watchdog("true", mode=mode) as wd:
        in_threads(8, lambda _: [wd.request().status for _ in range(20)])
        assert len(os.listdir(f"/proc/{wd.pid}/task")) == 1


@in_every_mode
def test_13_environment(mode):
    of_watchdog = mode != "classic"
    with Watchdog("env", Http_Method="PRESET", Http_Kept="yes", mode=mode,
                  max_header_bytes="1m") as wd:
        env = wd.env_of("POST", "/a%20b/c?x=1%202&y", [
            ("x-FOO-bar", "one"), ("X-Foo-Bar", "two"), ("X-Empty", ""), ("Proxy", "http://evil"),
            ("x_under_SCORE", "u"), ("X-Eq", "a=b"), ("X-Raw", "caf\xe9")], b"abc")
        assert env[b"Http_X_Foo_Bar"] == b"one"
        assert env[b"Http_X_Empty"] == b""
        assert env[b"Http_X_under_score"] == b"u"
        assert env[b"Http_X_Eq"] == b"a=b"
        assert env[b"Http_X_Raw"] == b"caf\xe9"
        assert env[b"Http_Query"] == b"x=1%202&y"
        assert env[b"Http_Path"] == b"/a b/c"
        assert env[b"Http_Method"] == b"POST"
        assert env[b"Http_Kept"] == b"yes"
        assert env[b"Http_Content_Length"] == b"3"
        assert env.get(b"Http_ContentLength") == (None if of_watchdog else b"3")
        assert env.get(b"Http_Host") == (None if of_watchdog else b"f.example")
        assert b"Http_Transfer_Encoding" not in env
        assert b"Http_Proxy" not in env
        plain = wd.env_of()
        assert plain.get(b"Http_Content_Length") == (None if of_watchdog else b"0")
        r = wd.request(target="/a%00b")
        assert r.status == 400 and b"NUL" in r.body
        many = [(f"X-{i}", "v" * 1000) for i in range(900)]
        assert len([n for n in wd.env_of(headers=many) if n.startswith(b"Http_X_")]) == 900
        assert wd.request(headers=many + many).status in (431, 400)
        assert wd.request().status == 200


@in_every_mode
def test_13_the_environment_of_a_chunked_request(mode):
    with Watchdog("env", mode=mode) as wd, wd.connect() as c:
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"3\r\nabc\r\n0\r\n\r\n")
        env = dict(e.split(b"=", 1) for e in c.response().body.splitlines() if b"=" in e)
        assert env[b"Http_Transfer_Encoding"] == b"chunked"
        length = b"-1" if mode == "classic" else None
        assert env.get(b"Http_Content_Length") == env.get(b"Http_ContentLength") == length


@in_every_mode
def test_14_output_is_closed_before_the_end(mode):
    with Watchdog(script="echo early; exec >&- 2>&-; sleep 0.1; touch done; exit 0", mode=mode) as wd:
        assert wd.request().body == b"early\n"
        assert os.path.exists(wd.path("done"))


@in_every_mode
def test_14_only_stderr_is_written(mode):
    with Watchdog(script="head -c 300000 /dev/zero | tr '\\0' e >&2; echo >&2; echo out",
                  combine_output="false", mode=mode) as wd:
        assert wd.request().body == b"out\n"
        wd.wait_log(r"stderr: e+")


def test_14_a_gibibyte_each_way_passes_in_constant_memory():
    size, piece = 1 << 30, os.urandom(1 << 20)
    with Watchdog("cat", mode="streaming", read_timeout="300s", write_timeout="300s",
                  exec_timeout="300s") as wd, wd.connect() as c:
        assert wd.request("POST", "/", [], b"x" * 3_000_000).status == 200
        before = memory(wd.pid)
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size)

        def upload(_):
            for _ in range(size // len(piece)):
                c.send(piece)

        def download(_):
            status, headers = c.head()
            assert status == 200 and headers["transfer-encoding"] == "chunked"
            got = peak = 0
            while n := int(c.line(), 16):
                data = c.exactly(n)
                at = got % len(piece)
                assert data == (piece + piece)[at:at + n]
                got += n
                peak = max(peak, memory(wd.pid)) if got % 64 == 0 else peak
                c.line()
            return got, peak
        (_, (got, peak)) = in_threads(2, lambda i: (upload, download)[i](i), 300)
        assert got == size
        assert peak < before + 4096  # KiB


def test_14_a_slow_reader_makes_the_function_wait():
    with Watchdog(script="head -c 200000000 /dev/zero; touch done", mode="streaming") as wd, \
            wd.connect() as slow:
        before = memory(wd.pid)
        slow.send(render())
        start = time.monotonic()
        while time.monotonic() - start < 0.5:
            assert wd.health() == 200
        assert not os.path.exists(wd.path("done"))
        assert memory(wd.pid) < before + 4096
        r = slow.response_or_part()
        assert len(r.body) == 200_000_000 and r.complete


def test_14_a_slow_function_makes_the_uploader_wait():
    with Watchdog(script="while [ ! -e go ]; do sleep 0.01; done; wc -c", mode="streaming") as wd, \
            wd.connect() as c:
        before = memory(wd.pid)
        c.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n")
        c.sock.settimeout(0.5)
        sent = 0
        with pytest.raises(socket.timeout):
            while sent < 100_000_000:
                sent += c.sock.send(b"x" * 65536)
        assert memory(wd.pid) < before + 4096
        wd.file("go", "")
        c.sock.settimeout(20)
        c.send(b"x" * (100_000_000 - sent))
        assert c.response().body == b"100000000\n"


# --- what the function says on stderr ---

FLOODS = {
    "one line of 10 MB": ("head -c 10000000 /dev/zero | tr '\\0' l >&2", r"stderr: l{1000}"),
    "10 MB of lines": ("yes 0123456789 | head -c 10000000 >&2", r"stderr: 0123456789\n"),
    "no newline at the end": ("printf one\\\\ntwo >&2", r"stderr: one\n.*stderr: two\n"),
    "the last line at the exit": ("echo last >&2; kill -9 $$", r"stderr: last\n"),
    "CRLF": (r"printf 'a\r\nb\r\n' >&2", r"stderr: a\n.*stderr: b\n"),
    "binary": ("head -c 100000 /dev/urandom >&2; echo >&2; echo end >&2", r"stderr: end\n"),
    "closed": ("echo bye >&2; exec 2>&-", r"stderr: bye\n"),
}


@pytest.mark.parametrize("mode", OF_MODES)
@pytest.mark.parametrize("name", FLOODS)
def test_31_stderr(mode, name):
    script, pattern = FLOODS[name]
    with Watchdog(script=f"{script}; echo out", mode=mode) as wd:
        start = time.monotonic()
        r = wd.request()
        if "kill" not in script:
            assert (r.status, r.body) == (200, b"out\n")
        wd.wait_log("(?s)" + pattern)
        assert time.monotonic() - start < 10
        assert wd.request(target="/_/health").status == 200


@pytest.mark.parametrize("mode", OF_MODES)
def test_31_lines_of_different_calls_are_not_mixed(mode):
    script = "for i in 1 2 3 4 5; do printf aaaa >&2; sleep 0.01; echo $Http_Query >&2; done"
    with Watchdog(script=script, mode=mode) as wd:
        in_threads(8, lambda i: wd.request(target=f"/?{i}").status)
        wd.wait_for(lambda: len(re.findall("stderr: ", wd.log)) == 40, "40 lines")
        for i in range(8):
            assert len(re.findall(rf"stderr: aaaa{i}\n", wd.log)) == 5


@in_every_mode
def test_32_a_stalled_log_reader_stalls_no_request(mode):
    read_end, write_end = os.pipe()
    with Watchdog(script="echo 0123456789012345678901234567890123456789 >&2", stderr=write_end,
                  combine_output="false", mode=mode) as wd:
        os.close(write_end)
        with wd.connect() as c:
            for _ in range(1000):  # two lines each: more than the pipe holds
                assert c.request().status == 200
    os.close(read_end)
