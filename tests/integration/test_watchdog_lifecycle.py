"""The robustness checklist of the watchdogs, as far as it is about their life: each test is named
after its line."""
import os
import re
import stat
import time

import pytest

from watchdog_helpers import (Connection, Watchdog, build_echo, in_threads, many_descriptors,
                              memory, read_pid, readable, render)

SOON = 0.6  # seconds beyond a deadline within which its consequence must be there
MODES = ["classic", "streaming", "serializing"]

in_every_mode = pytest.mark.parametrize("mode", MODES)


@pytest.fixture(scope="session")
def echo(tmp_path_factory):
    return build_echo(str(tmp_path_factory.mktemp("echo")))


# --- 33: SIGTERM ---

@in_every_mode
def test_33_sigterm_when_idle(mode):
    with Watchdog("cat", healthcheck_interval="300ms", mode=mode) as wd:
        start = time.monotonic()
        wd.terminate()
        wd.wait_for(lambda: wd.health() == 503, "unhealthy")
        assert time.monotonic() - start < 0.25
        wd.terminate()
        assert wd.wait_exit() == 0
        assert 0.29 < time.monotonic() - start < 0.3 + SOON
        assert re.search(r"SIGTERM: no new connections in 300ms\n.*Removing lock-file : \S+\.lock\n"
                         r".*No new connections allowed, draining: 0 requests\n"
                         r".*Exiting\. Active connections: 0\n", wd.log)


@in_every_mode
def test_33_sigterm_without_interval(mode):
    with Watchdog("cat", healthcheck_interval="0", mode=mode) as wd, wd.connect() as idle:
        assert idle.request("POST", "/", [], b"x").status == 200
        start = time.monotonic()
        wd.terminate()
        assert wd.wait_exit() == 0
        assert time.monotonic() - start < SOON
        assert idle.at_eof()


@in_every_mode
def test_33_requests_are_finished_and_served_during_the_interval(mode):
    with Watchdog(script="touch started; sleep 0.8; echo done", healthcheck_interval="400ms",
                  mode=mode) as wd, wd.connect() as first:
        first.send(render())
        wd.wait_file("started")
        start = time.monotonic()
        wd.terminate()
        wd.terminate()
        wd.wait_log("no new connections in")
        with wd.connect() as second:
            second.send(render())
            r1, r2 = first.response(), second.response()
        assert (r1.status, r1.body, r2.status, r2.body) == (200, b"done\n", 200, b"done\n")
        assert r2.headers.get("connection") == "close"
        assert wd.wait_exit() == 0
        assert time.monotonic() - start < 0.8 + SOON


@in_every_mode
def test_33_the_drain_has_a_limit(mode):
    with Watchdog(script="echo $$ > pid; sleep 30", healthcheck_interval="200ms",
                  write_timeout="400ms", mode=mode) as wd, wd.connect() as c:
        c.send(render())
        wd.wait_file("pid")
        start = time.monotonic()
        wd.terminate()
        assert wd.wait_exit() == 0
        assert 0.35 < time.monotonic() - start < 0.6 + SOON
        assert not os.path.exists(f"/proc/{read_pid(wd.path('pid'))}")


def test_33_a_stream_is_finished():
    with Watchdog(script="for i in 1 2 3 4 5; do echo $i; sleep 0.1; done", mode="streaming",
                  healthcheck_interval="0") as wd, wd.connect() as c:
        c.send(render())
        while b"1\n" not in c.buffer:
            c.fill()
        wd.terminate()
        r = c.response_or_part()
        assert (r.status, r.body, r.complete) == (200, b"1\n2\n3\n4\n5\n", True)
        assert wd.wait_exit() == 0


# --- 35: connections during the drain ---

@in_every_mode
def test_35_kept_connections_are_told_to_close(mode):
    with Watchdog(script="touch started; while [ ! -e go ]; do sleep 0.01; done",
                  healthcheck_interval="0", mode=mode) as wd, wd.connect() as busy, \
            wd.connect() as kept:
        assert kept.request(target="/_/health").status == 200
        busy.send(render())
        wd.wait_file("started")
        wd.terminate()
        wd.wait_log("draining: 1 requests")
        assert kept.at_eof()
        wd.file("go", "")
        r = busy.response()
        assert (r.status, r.headers.get("connection")) == (200, "close")
        assert busy.at_eof()
        assert wd.wait_exit() == 0


@in_every_mode
def test_35_connections_that_were_made_before_the_end_are_answered(mode):
    with Watchdog("cat", healthcheck_interval="100ms", mode=mode) as wd:
        connections = [wd.connect() for _ in range(50)]
        wd.terminate()
        for c in connections:
            c.send(render("POST", "/", [], b"x"))
        assert all(c.response().body == b"x" for c in connections)
        assert wd.wait_exit() == 0


# --- 36: the lock file ---

def test_36_the_lock_file_lies_in_tmpdir():
    with Watchdog("cat") as wd:
        mode = os.stat(wd.lock).st_mode
        assert stat.S_ISREG(mode) and os.path.getsize(wd.lock) == 0
        assert stat.S_IMODE(mode) & ~0o660 == 0


@in_every_mode
def test_36_a_stale_lock_file_is_taken_over(mode, tmp_path):
    (tmp_path / ".lock").write_text("old")
    with Watchdog("cat", TMPDIR=tmp_path, mode=mode) as wd:
        assert wd.health() == 200
        wd.terminate()
        assert wd.wait_exit() == 0
        assert not (tmp_path / ".lock").exists()


@in_every_mode
def test_36_the_lock_file_is_deleted_while_we_run(mode):
    with Watchdog("cat", mode=mode) as wd:
        os.unlink(wd.lock)
        assert wd.health() == 503
        assert wd.request("POST", "/", [], b"x").body == b"x"
        wd.file(".lock", "")
        assert wd.health() == 200
        os.unlink(wd.lock)
        wd.terminate()
        assert wd.wait_exit() == 0


def test_36_a_folder_that_cannot_be_written(tmp_path):
    with Watchdog("cat", TMPDIR="/proc", wait=False) as wd:
        assert wd.wait_exit() != 0
        assert "/proc/.lock" in wd.log and "suppress_lock" in wd.log


def test_36_a_missing_folder_is_fatal_to_the_classic_watchdog_only(tmp_path):
    with Watchdog("cat", TMPDIR=tmp_path / "a/b", wait=False) as wd:
        assert wd.wait_exit() == 2
        assert "suppress_lock" in wd.log
    with Watchdog("cat", TMPDIR=tmp_path / "a/b", mode="streaming") as wd:
        assert (tmp_path / "a/b/.lock").exists() and wd.health() == 200


@in_every_mode
def test_36_without_a_lock_file(mode):
    with Watchdog("cat", suppress_lock="true", TMPDIR="/proc", mode=mode) as wd:
        assert wd.health() == 200
        wd.wait_log("suppress_lock")
        wd.terminate()
        assert wd.wait_exit() == 0


# --- 37: metrics ---

@in_every_mode
def test_37_metrics_agree_with_what_was_answered(mode, echo):
    with Watchdog(echo, max_inflight=4, mode=mode, healthcheck_interval="5s") as wd:
        def ask(_):
            with wd.connect() as c:
                return [c.request("POST", "/", [], b"x").status for _ in range(100)]

        def scrape(_):
            return [wd.metrics()["http_requests_in_flight"] for _ in range(50)]
        results = in_threads(10, lambda i: (ask if i < 8 else scrape)(i))
        statuses, gauges = sum(results[:8], []), sum(results[8:], [])
        assert all(0 <= g <= 8 for g in gauges)
        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "in flight 0")
        m = wd.metrics()
        for code in (200, 429):
            assert m.get(f'http_requests_total{{code="{code}",method="post"}}', 0) == \
                statuses.count(code)
        assert m['http_request_duration_seconds_count{code="200",method="post"}'] == \
            statuses.count(200)
        total = sum(v for name, v in m.items() if name.startswith("http_requests_total"))
        assert total == len(statuses)
        assert m["process_open_fds"] > 0
        with Connection(wd.metrics_port) as c:
            r = c.request(target="/other")
            assert (r.status, r.body) == (404, b"404 page not found\n")
        wd.terminate()
        wd.wait_log("no new connections")
        assert wd.metrics()["http_requests_in_flight"] == 0


# --- 38: max_inflight ---

@in_every_mode
def test_38_max_inflight_is_exact_under_a_thousand_clients(mode):
    with many_descriptors(), \
            Watchdog(script="while [ ! -e go ]; do sleep 0.05; done", max_inflight=5,
                     mode=mode) as wd:
        connections = [wd.connect() for _ in range(1000)]
        for c in connections:
            c.send(render())
        wd.wait_for(lambda: wd.metrics().get('http_requests_total{code="429",method="get"}') == 995,
                    "995 refusals")
        wd.file("go", "")
        statuses = [c.response().status for c in connections]
        assert (statuses.count(200), statuses.count(429)) == (5, 995)
        for c in connections:
            c.sock.close()


@in_every_mode
def test_38_no_slot_is_lost(mode):
    """To timeouts, failures, bodies that do not come, clients that leave."""
    with Watchdog("./function", max_inflight=2, exec_timeout="100ms", read_timeout="200ms",
                  mode=mode) as wd:
        partial = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc"
        for text in ("#!/bin/sh\nexit 1\n", "#!/bin/sh\nsleep 5\n", "#!/bin/sh\necho x; sleep 5\n",
                     "#!/nope\n", "#!/bin/sh\necho ok\n"):
            wd.file("function", text)
            for data in (render(), partial):
                for stay in (True, False):
                    for _ in range(3):
                        with wd.connect() as c:
                            c.send(data)
                            if stay:
                                try:
                                    while c.fill():
                                        if not readable(c.sock, 0.5):
                                            break
                                except ConnectionResetError:
                                    pass
                        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "0")
        assert in_threads(2, lambda _: wd.request().status) == [200, 200]


@in_every_mode
@pytest.mark.parametrize("value", ["0", "-1", "many", ""])
def test_38_no_max_inflight(mode, value):
    with Watchdog("sleep 0.05", max_inflight=value, mode=mode) as wd:
        assert set(in_threads(8, lambda _: wd.request().status)) == {200}


# --- 39: nothing grows ---

@in_every_mode
def test_39_memory_and_descriptors_are_flat_with_many_connections(mode, echo):
    """Connections of a hundred clients, each with one request, as `ab` without keep-alive."""
    with Watchdog(echo, mode=mode) as wd:
        def ask(n):
            def work(_):
                for _ in range(n // 100):
                    with wd.connect() as c:
                        assert c.request("POST", "/", [], b"x").body == b"x"
            in_threads(100, work)
            wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "in flight 0")
        ask(2000)
        fds, rss = wd.fds(), memory(wd.pid)
        ask(6000)
        wd.wait_for(lambda: wd.fds() <= fds, "no descriptor more than before")
        assert memory(wd.pid) < rss + 1024
