"""The local provider with the real watchdog: processes, updates, crashes, restarts, full disks."""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pytest

from minnow import PLAIN_WATCHDOG, Gateway, alive, command, descendants, descriptors, environment, program, wait_until


def watchdogs(g):
    return [p for p in g.children() if "fwatchdog" in command(p)]


def test_the_body_goes_to_stdin_and_stdout_comes_back(gateway):
    gateway.deploy("echo")
    answer = gateway.invoke("echo", b"\x00\xff binary", headers={"Content-Type": "a/b"})
    assert answer.status == 200 and answer.body == b"\x00\xff binary" and answer.headers["Content-Type"] == "a/b"
    assert float(answer.headers["X-Duration-Seconds"]) > 0


def test_the_functions_environment_is_what_the_platform_promises(gateway):
    gateway.deploy("env", "env", envVars={"own": "1", "fprocess": "env"})
    env = dict(line.split("=", 1) for line in gateway.invoke("env", path="/p?q=1").body.decode().splitlines())
    assert env["own"] == "1" and env["OPENFAAS_NAME"] == "env" and env["OPENFAAS_NAMESPACE"] == "openfaas-fn"
    assert env["Http_Path"] == "/p" and env["Http_Query"] == "q=1" and env["Http_Method"] == "POST"
    assert env["OPENFAAS_URL"] == f"http://127.0.0.1:{gateway.port}" and os.path.isdir(env["secret_mount_path"])
    assert "LISTEN_FDS" not in env


def test_functions_are_nobody_with_nothing(gateway):
    script = r"""
id -u; id -G; grep -E 'NoNewPrivs|CapEff|CapPrm' /proc/self/status | tr -s '\t ' ' '
ls /proc/self/fd | wc -l
for path in . .. /; do touch "$path/probe" 2>/dev/null && echo "wrote $path"; done
touch "$TMPDIR/probe" && echo "tmp ok"
"""
    gateway.push("nobody:1", "sh id.sh", {"id.sh": script})
    gateway.deploy("nobody", image="nobody:1")
    lines = gateway.invoke("nobody").body.decode().split("\n")
    assert lines[0] != "0" and lines[1] == lines[0], lines
    assert {"CapPrm: 0000000000000000", "CapEff: 0000000000000000", "NoNewPrivs: 1"} <= set(lines)
    assert "tmp ok" in lines and not any(line.startswith("wrote") for line in lines)
    assert int(lines[5]) <= 4, "0, 1, 2, and ls's own"
    gateway.deploy("nobody2", image="nobody:1")
    assert gateway.invoke("nobody2").body.split(b"\n")[0].decode() != lines[0], "each function has its own user"


def test_limits_become_rlimits(gateways):
    gateway = gateways(watchdog=PLAIN_WATCHDOG)
    gateway.push("hog:1", "/usr/bin/python3 hog.py", {"hog.py": "x = bytearray(512 * 1024 * 1024); print(len(x))"})
    gateway.deploy("hog", image="hog:1")
    assert gateway.invoke("hog").status == 200
    gateway.deploy("small-hog", image="hog:1", limits={"memory": "256Mi"})
    answer = gateway.invoke("small-hog")
    assert answer.status == 500 and b"MemoryError" in answer.body


def test_a_server_that_dies_is_explained_by_its_own_last_words(gateway):
    gateway.deploy("dies", "sh f.sh", {"f.sh": "echo no module named nosuch >&2; exit 3"}, ready=False,
                   envVars={"mode": "http", "upstream_url": "http://127.0.0.1:0"})

    said = set()  # while it starts again, the reason is that

    def explained():
        said.add(gateway.api("GET", "/system/function/dies").json().get("reason"))
        return any(re.search(r"exit status 1: .*stderr: no module named nosuch$", s or "") for s in said)
    wait_until(explained, f"the reason among {said}")
    assert not any("terminated" in (s or "") for s in said), said
    gateway.remove("dies")


def test_a_crashing_watchdog_is_restarted_and_the_caller_told(gateway):
    gateway.deploy("victim", "sleep 30")
    pid = next(p for p in watchdogs(gateway) if "victim" in environment(p))
    got = []
    call = threading.Thread(target=lambda: got.append(gateway.invoke("victim")))
    call.start()
    child = wait_until(lambda: descendants(pid), "the function's process")[0]
    os.kill(pid, signal.SIGKILL)
    call.join(10)
    assert got[0].status == 502 and got[0].json()["code"] == "bad_gateway"
    wait_until(lambda: not alive(child), "the function to die with its watchdog")
    gateway.wait_ready("victim")


def test_a_killed_function_is_500_and_the_next_call_works(gateway):
    gateway.push("suicide:1", "sh die.sh", {"die.sh": 'read x; [ "$x" = die ] && kill -9 $$; echo fine'})
    gateway.deploy("suicide", image="suicide:1")
    answer = gateway.invoke("suicide", b"die\n")
    assert answer.status == 500 and b"signal: killed" in answer.body
    assert gateway.invoke("suicide", b"live\n").body == b"fine\n"


def test_a_function_that_cannot_start_is_explained(gateway):
    gateway.deploy("broken", "/no/such/program")
    answer = gateway.invoke("broken")
    assert answer.status == 500 and b"no such file" in answer.body


def load(g, name, seconds, stop, failures, expected):
    while not stop.is_set():
        try:
            answer = g.invoke(name, b"x", timeout=20)
            if answer.status != 200 or answer.body.strip() not in expected:
                failures.append(answer)
        except Exception as e:  # any failure is what this looks for
            failures.append(e)


def test_an_update_under_load_fails_no_request(gateway):
    for v in "123":
        gateway.push(f"roll:{v}", f"printf {v}")
    gateway.deploy("roll", image="roll:1", labels={"com.openfaas.scale.min": "2"})
    stop, failures = threading.Event(), []
    workers = [threading.Thread(target=load, args=(gateway, "roll", 0, stop, failures, (b"1", b"2", b"3"))) for _ in range(4)]
    for w in workers:
        w.start()
    for v in "23":
        gateway.api("PUT", "/system/functions", {"service": "roll", "image": f"roll:{v}", "labels": {"com.openfaas.scale.min": "2"}}, expect=202)
        wait_until(lambda: gateway.invoke("roll", b"x").body == v.encode(), f"version {v}")
        time.sleep(0.5)  # a stretch of load on the new version
    for n in (4, 1, 3):
        gateway.api("POST", "/system/scale-function/roll", {"replicas": n}, expect=202)
        gateway.wait_ready("roll", n)
    stop.set()
    for w in workers:
        w.join()
    assert not failures, failures[:3]


def test_an_update_that_never_gets_ready_leaves_the_old_version_serving(gateway):
    gateway.deploy("careful", "printf old")
    bad = {"service": "careful", "image": "careful:latest", "envVars": {"port": "nonsense", "max_inflight": "5", "read_timeout": "5s", "fprocess": ""}}
    answer = gateway.api("PUT", "/system/functions", {**bad, "image": "missing:1"})
    assert answer.status == 400
    assert gateway.invoke("careful").body == b"old"


def test_the_first_call_after_zero_starts_the_function_once(gateway):
    gateway.deploy("lazy", "printf awake")
    gateway.api("POST", "/system/scale-function/lazy", {"replicas": 0}, expect=202)
    wait_until(lambda: not [p for p in watchdogs(gateway) if "OPENFAAS_NAME=lazy" in environment(p)], "zero processes")
    answers = []
    calls = [threading.Thread(target=lambda: answers.append(gateway.invoke("lazy").body)) for _ in range(20)]
    for c in calls:
        c.start()
    for c in calls:
        c.join()
    assert answers == [b"awake"] * 20
    assert len([p for p in watchdogs(gateway) if "OPENFAAS_NAME=lazy" in environment(p)]) == 1


def test_scale_from_zero_can_be_turned_off(gateways):
    g = gateways(scale_from_zero="false")
    g.deploy("off")
    g.api("POST", "/system/scale-function/off", {"replicas": 0}, expect=202)
    wait_until(lambda: g.status("off").get("availableReplicas", 0) == 0, "zero")
    answer = g.invoke("off")
    assert answer.status == 503 and "scale_from_zero" in answer.json()["error"]


def test_functions_secrets_and_replicas_survive_a_restart(gateways):
    g = gateways()
    g.api("POST", "/system/secrets", {"name": "s", "value": "v"}, expect=201)
    g.deploy("kept", "cat", secrets=["s"], labels={"com.openfaas.scale.min": "2"})
    g.deploy("zeroed")
    g.api("POST", "/system/scale-function/zeroed", {"replicas": 0}, expect=202)
    before = g.status("kept")
    g.stop()
    assert not descendants(g.pid)
    g.start()
    g.wait_ready("kept", 2)
    after = g.status("kept")
    assert {k: v for k, v in after.items() if k != "usage"} == {k: v for k, v in before.items() if k not in ("usage", "invocationCount")}
    assert "replicas" not in g.status("zeroed") and g.invoke("kept", b"hi").body == b"hi"


def test_kill_9_of_the_gateway_doubles_nothing(gateways):
    g = gateways()
    g.deploy("survivor", "sh -c sleep${IFS}60", labels={"com.openfaas.scale.min": "2"})
    g.push("sleeper:1", "sleep 60")
    g.deploy("sleeper", image="sleeper:1")
    call = threading.Thread(target=lambda: contextlib.suppress(Exception) and quiet(g.invoke, "sleeper"))
    call.start()
    old = wait_until(lambda: (lambda d: d if any("sleep" in command(p) for p in d) else None)(g.children()), "a call in flight")
    g.kill()
    call.join(10)
    g.start()
    wait_until(lambda: not any(alive(p) for p in old), "the old generation to end")
    g.wait_ready("survivor", 2)
    g.wait_ready("sleeper")
    assert len(watchdogs(g)) == 3


def quiet(f, *a):
    with contextlib.suppress(Exception):
        f(*a)


def test_kill_9_in_the_middle_of_deploys_leaves_whole_records(gateways):
    g = gateways()
    g.push("k:1", "cat")
    accepted = []

    def deploy_many():
        for i in range(200):
            try:
                if g.api("POST", "/system/functions", {"service": f"k{i}", "image": "k:1", "labels": {"com.openfaas.scale.zero": "true"}}).status == 202:
                    accepted.append(f"k{i}")
            except Exception:
                return

    worker = threading.Thread(target=deploy_many)
    worker.start()
    wait_until(lambda: len(accepted) >= 5, "some deploys")
    g.kill()
    worker.join()
    g.start()
    listed = [f["name"] for f in g.api("GET", "/system/functions").json()]
    assert set(accepted) <= set(listed), "what was acknowledged is there"


@pytest.fixture
def small_disk():
    path = tempfile.mkdtemp(prefix="minnow-disk-")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0711", "tmpfs", path], check=True)
    yield path
    subprocess.run(["umount", "-l", path], check=True)
    os.rmdir(path)


def test_a_full_state_disk_gives_clear_errors_and_corrupts_nothing(small_disk):
    g = Gateway(state=small_disk)
    try:
        g.deploy("before")
        g.api("POST", "/system/secrets", {"name": "s", "value": "old"}, expect=201)
        ballast = os.open(os.path.join(small_disk, "ballast"), os.O_WRONLY | os.O_CREAT)
        for size in (65536, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    os.write(ballast, b"x" * size)
        os.close(ballast)
        for answer in (g.api("POST", "/system/functions", {"service": "after", "image": "before:latest"}),
                       g.api("PUT", "/system/secrets", {"name": "s", "value": "n" * 8192}),
                       g.call("PUT", "/system/images?name=big:1", b"x" * 100000, auth=True)):
            assert answer.status == 503 and "No space left on device" in answer.json()["error"], answer
        assert g.invoke("before", b"still").body == b"still"
        assert [f["name"] for f in g.api("GET", "/system/functions").json()] == ["before"]
        os.unlink(os.path.join(small_disk, "ballast"))
        g.stop()
        g.start()
        g.wait_ready("before")
        g.deploy("after", image="before:latest", secrets=["s"])
        assert g.invoke("after", b"x").body == b"x"
    finally:
        g.close()


def test_a_corrupt_record_is_set_aside_and_named(gateways):
    g = gateways()
    g.deploy("good")
    g.deploy("rotten")
    g.stop()
    [path] = [os.path.join(d, f) for d, _, files in os.walk(os.path.join(g.state, "functions")) for f in files if "rotten" in f]
    with open(path, "w") as f:
        f.write('{"half')
    g.start()
    g.wait_ready("good")
    assert [f["name"] for f in g.api("GET", "/system/functions").json()] == ["good"]
    assert any("rotten" in json.dumps(r) and r["level"] == "error" for r in g.records)


def test_a_call_in_flight_is_finished_when_the_gateway_stops(gateways):
    g = gateways()
    g.deploy("slow", "sleep 1")
    got = []
    call = threading.Thread(target=lambda: got.append(g.invoke("slow").status))
    call.start()
    wait_until(lambda: any("sleep" in command(p) for p in g.children()), "the call")
    g.stop()
    call.join()
    assert got == [200] and not descendants(g.pid)


def test_nothing_is_left_behind_after_many_calls(gateway):
    gateway.deploy("many", "cat")
    for _ in range(20):
        gateway.invoke("many", b"warm")
    pid = next(p for p in watchdogs(gateway) if "OPENFAAS_NAME=many" in environment(p))
    before = descriptors(gateway.pid), descriptors(pid)

    def some():
        for _ in range(250):
            assert gateway.invoke("many", b"x").status == 200

    workers = [threading.Thread(target=some) for _ in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    # Four callers may have left some kept-alive connections more than one did; per call nothing may stay.
    assert descriptors(gateway.pid) <= before[0] + 16 and descriptors(pid) <= before[1] + 16
    assert not [p for p in descendants(pid) if not alive(p)], "no zombies"


HTTP_FUNCTION = r"""
import http.server, os, time
time.sleep(0.3)
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = f"{os.getpid()} {os.environ['PORT']}".encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def test_replicas_that_serve_http_listen_at_ports_of_their_own_and_are_awaited(gateway):
    gateway.push("server:1", "/usr/bin/python3 server.py", {"server.py": HTTP_FUNCTION},
                 {"mode": "http", "upstream_url": "http://127.0.0.1:0"})
    gateway.deploy("server", image="server:1", labels={"com.openfaas.scale.min": "3"}, ready=False)
    answer = gateway.invoke("server")  # waits for the first of them
    assert answer.status == 201, answer
    gateway.wait_ready("server", 3)
    answers = [gateway.invoke("server") for _ in range(60)]
    assert {a.status for a in answers} == {201}
    assert len({a.body for a in answers}) == 3
    assert len({a.body.split()[1] for a in answers}) == 3
