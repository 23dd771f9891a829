"""Asynchronous calls against a real Redis: queued, made, retried, given up, called back."""
import base64
import hashlib
import hmac
import http.server
import json
import re
import signal
import socket
import threading
import time

import pytest

from cli_helpers import Cli
from clock_helpers import jumping_clock
from minnow import Gateway, descriptors, wait_until
from redis_helpers import Redis

FAST = {"async_retry_min_wait": "10ms", "async_retry_max_wait": "50ms"}


@pytest.fixture
def redis():
    server = Redis()
    yield server
    server.close()


class Receiver:
    """A callback's other end: answers statuses one after the other, then 200."""

    def __init__(self, *statuses, port=0):
        self.seen, self.statuses, self.location = [], list(statuses), None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                outer.seen.append((self.path, self.headers, body))
                self.send_response(outer.statuses.pop(0) if outer.statuses else 200)
                self.send_header("Content-Length", "0")
                if outer.location:
                    self.send_header("Location", outer.location)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/done?x=1"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.close()


@pytest.fixture
def gateway(redis):
    gw = Gateway(redis_url=redis.url, **FAST)
    yield gw
    gw.close()


def deploy(gw, *args, envVars=(), **spec):
    """A function whose replicas need not serve on for a while when they are told to end."""
    gw.deploy(*args, envVars={"healthcheck_interval": "0s", **dict(envVars)}, **spec)


def submit(gw, name, body=b"", path="", **headers):
    headers = {k.replace("_", "-"): v for k, v in headers.items()}
    return gw.call("POST", f"/async-function/{name}{path}", body, headers)


def wait_state(redis, call_id, *states):
    return wait_until(lambda: (call := redis.call(call_id)).get("s") in states and call,
                      f"{call_id} to be {states}")


def script(text):
    return {"f.sh": (text, 0o755)}


def test_a_call_is_queued_made_and_recorded(redis, gateway):
    deploy(gateway, "echo", "cat")
    answer = submit(gateway, "echo", b"hello", "/a%20b?x=1", X_Test="yes")
    assert (answer.status, answer.body) == (202, b"")
    assert answer.headers["X-Start-Time"].isdigit()
    call_id = answer.headers["X-Call-Id"]
    call = wait_state(redis, call_id, "done")
    assert (call["st"], call["n"], call["q"]) == ("200", "1", "faas-request")
    assert redis.result(call_id) == "hello"
    assert redis("XLEN", "minnow:queue:faas-request") == 0
    assert redis("PTTL", f"minnow:done:{call_id}") > 0


def test_the_function_sees_the_call_as_it_was_sent(redis, gateway):
    deploy(gateway, "env", "env")
    call_id = submit(gateway, "env", b"x", "/a%2Fb?q=%20", X_Test="yes",
                     User_Agent="me", X_Callback_Url="http://nowhere.invalid/", Idempotency_Key="k1",
                     X_Delay_Seconds="0").headers["X-Call-Id"]
    wait_state(redis, call_id, "done")
    seen = redis.result(call_id).splitlines()
    for line in ("Http_Method=POST", "Http_Path=/a/b", "Http_Query=q=%20", "Http_X_Test=yes",
                 f"Http_X_Call_Id={call_id}", "Http_Content_Length=1", "Http_Idempotency_Key=k1",
                 "Http_X_Delay_Seconds=0", "Http_X_Callback_Url=http://nowhere.invalid/"):
        assert line in seen, line
    assert any(line.startswith("Http_User_Agent=queue-worker/") for line in seen)


def seen_of_a_call(redis, gw, prefix):
    """What the function, the log and the metrics were told of one queued call, but for what differs."""
    deploy(gw, "env", "sh f.sh", script("env; cat"))
    call_id = submit(gw, "env", b"body", "/a%2Fb?q=%20", X_Test="yes",
                     X_Forwarded_For="10.0.0.9").headers["X-Call-Id"]
    result = wait_until(lambda: redis.result(call_id, prefix), "the result")
    lines = {line for line in result.splitlines() if line.startswith("Http_") or line == "body"}
    lines = {line.replace(call_id, "ID").replace(gw.url[len("http://"):], "HOST") for line in lines
             if not line.startswith("Http_X_Start_Time=")}
    records = wait_until(lambda: [r for r in list(gw.records) if r.get("path", "").startswith("/function/env")],
                         "the access record")
    assert len(records) == 1 and records[0].pop("call_id") == call_id and records[0].pop("instance")
    record = {k: v for k, v in records[0].items() if k not in ("ts", "took_us", "bytes_out")}
    counters = {line for line in gw.metrics().splitlines()
                if line.startswith(("gateway_function_invocation_total{", "gateway_function_invocation_started{",
                                    "gateway_functions_seconds_count{"))}
    return lines, record, counters


def test_a_direct_call_is_told_from_one_by_the_front_door_by_nobody(redis):
    direct = Gateway(redis_url=redis.url, redis_prefix="direct:", **FAST)
    gw = Gateway(redis_url=redis.url, redis_prefix="door:", role="gateway")
    worker = Gateway(redis_url=redis.url, redis_prefix="door:", role="worker", gateway_url=gw.url,
                     basic_auth="false", **FAST)
    try:
        lines, record, counters = seen_of_a_call(redis, direct, "direct:")
        assert "Http_X_Forwarded_For=10.0.0.9, 127.0.0.1" in lines and "body" in lines
        assert record["path"] == "/function/env.openfaas-fn/a%2Fb" and counters
        assert (lines, record, counters) == seen_of_a_call(redis, gw, "door:")
    finally:
        worker.close()
        gw.close()
        direct.close()


def test_a_direct_call_that_gets_no_answer_is_the_platforms_failure(redis):
    gw = Gateway(redis_url=redis.url, upstream_timeout="300ms", **FAST)
    try:
        deploy(gw, "slow", "sleep 5", annotations={"com.openfaas.retry.attempts": "1"})
        call_id = submit(gw, "slow").headers["X-Call-Id"]
        call = wait_state(redis, call_id, "dead")
        assert call["st"] == "504"
        error = json.loads(redis.result(call_id))
        assert (error["component"], error["function"], error["call_id"]) == ("gateway", "slow.openfaas-fn", call_id)
        assert "upstream_timeout" in error["error"]
        flight = gw.call("GET", f"/system/calls/{call_id}", auth=True).json()
        assert flight["status"] == 504 and "upstream_timeout" in flight["error"]
    finally:
        gw.close()


REFUSED = {
    "unknown function": ("nope", {}, 404, "nope"),
    "callback that is no URL": ("echo", {"X_Callback_Url": "ftp://x/"}, 400, "X-Callback-Url"),
    "callback to the metadata": ("echo", {"X_Callback_Url": "http://169.254.169.254/"}, 400, "callback_deny"),
    "mapped address": ("echo", {"X_Callback_Url": "http://[::ffff:169.254.169.254]/"}, 400, "callback_deny"),
    "delay that is no number": ("echo", {"X_Delay_Seconds": "soon"}, 400, "X-Delay-Seconds"),
    "delay beyond the limit": ("echo", {"X_Delay_Seconds": "2592001"}, 400, "async_max_delay"),
    "long key": ("echo", {"Idempotency_Key": "k" * 257}, 400, "Idempotency-Key"),
}


def test_refused(redis, gateway):
    deploy(gateway, "echo", "cat", ready=False)
    for name, (function, headers, status, named) in REFUSED.items():
        answer = submit(gateway, function, **headers)
        assert answer.status == status and named in answer.json()["error"], (name, answer)
    assert redis("KEYS", "minnow:call:*") == [] and redis("XLEN", "minnow:queue:faas-request") == 0


def test_bodies_to_their_limits(redis):
    gw = Gateway(redis_url=redis.url, async_max_body_size=100000, async_inline_body_size=1000, **FAST)
    try:
        deploy(gw, "sum", "sha256sum")
        for size in (0, 1, 1000, 1001, 100000):
            body = b"\0\xff" * (size // 2) + b"x" * (size % 2)
            call_id = submit(gw, "sum", body).headers["X-Call-Id"]
            wait_state(redis, call_id, "done")
            assert redis.result(call_id).split()[0] == \
                hashlib.sha256(body).hexdigest()
            assert redis("EXISTS", f"minnow:packet:{call_id}") == 0
        answer = submit(gw, "sum", b"x" * 100001)
        assert answer.status == 413 and "async_max_body_size" in answer.json()["error"]
    finally:
        gw.close()


def test_bodies_that_would_be_refused_when_the_call_is_made_are_refused_at_once(redis):
    gw = Gateway(redis_url=redis.url, max_body_size=1000, **FAST)
    deploy(gw, "sum", "sha256sum")
    call_id = submit(gw, "sum", b"x" * 1000).headers["X-Call-Id"]
    assert wait_state(redis, call_id, "done")["st"] == "200"
    answer = submit(gw, "sum", b"x" * 1001)
    assert answer.status == 413 and answer.json()["error"] == "the body is larger than max_body_size=1000"
    gw.close()


def test_headers_that_would_be_refused_when_the_call_is_made_are_refused_at_once(redis, gateway):
    deploy(gateway, "echo", "cat")
    worker = Gateway(redis_url=redis.url, role="worker", gateway_url=gateway.url, basic_auth="false", **FAST)
    sizes, answers = range(15000, 16384, 100), []
    for size in sizes:
        answers.append(submit(gateway, "echo", X_Large="x" * size))
        if answers[-1].status == 202:
            assert wait_state(redis, answers[-1].headers["X-Call-Id"], "done")["st"] == "200", size
    assert [a.status for a in answers] == sorted(a.status for a in answers)
    assert answers[0].status == 202 and answers[-1].status == 431
    assert any("max_header_size=16384" in a.body.decode() for a in answers if a.status == 431)
    worker.close()


def test_the_same_key_is_one_call(redis, gateway):
    deploy(gateway, "echo", "cat")
    first = submit(gateway, "echo", b"1", Idempotency_Key="k")
    second = submit(gateway, "echo", b"2", Idempotency_Key="k")
    assert second.status == 202
    assert second.headers["X-Call-Id"] == first.headers["X-Call-Id"]
    assert second.headers["Idempotency-Replayed"] == "true"
    wait_state(redis, first.headers["X-Call-Id"], "done")
    assert redis.result(first.headers['X-Call-Id']) == "1"


def test_a_call_id_that_is_taken_gets_another(redis, gateway):
    deploy(gateway, "echo", "cat")
    ids = [submit(gateway, "echo", b"x", X_Call_Id="mine").headers["X-Call-Id"] for _ in range(2)]
    assert ids[0] == "mine" and ids[1] != "mine"
    for call_id in ids:
        wait_state(redis, call_id, "done")


def test_a_delayed_call_waits(redis, gateway):
    deploy(gateway, "echo", "cat")
    start = time.time()
    call_id = submit(gateway, "echo", b"x", X_Delay_Seconds="1").headers["X-Call-Id"]
    assert redis.call(call_id)["s"] == "delayed"
    call = wait_state(redis, call_id, "done")
    assert int(call["fin"]) / 1000 - start >= 1


def test_a_failing_function_is_tried_again_and_then_given_up(redis, gateway):
    deploy(gateway, "bad", "sh f.sh", script("echo oops; exit 1"),
                   annotations={"com.openfaas.retry.attempts": "3"})
    call_id = submit(gateway, "bad", b"x").headers["X-Call-Id"]
    call = wait_state(redis, call_id, "dead")
    history = json.loads(f"[{call['h']}]")
    assert [h["status"] for h in history] == [500, 500, 500]
    assert (call["n"], call["st"]) == ("3", "500")
    assert "oops" in redis.result(call_id)
    entries = redis("XRANGE", "minnow:dead:faas-request", "-", "+")
    assert [e[1] for e in entries] == [["c", call_id]]
    assert redis("GET", f"minnow:packet:{call_id}").endswith("x")  # it could be made again


def test_statuses_that_are_not_in_the_list_are_final(redis, gateway):
    deploy(gateway, "bad", "sh f.sh", script("exit 1"),
                   annotations={"com.openfaas.retry.codes": "503"})
    call = wait_state(redis, submit(gateway, "bad").headers["X-Call-Id"], "done", "dead")
    assert (call["s"], call["st"], call["n"]) == ("done", "500", "1")


def test_a_callback_carries_the_answer(redis, receiver, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    gw = Gateway(redis_url=redis.url, callback_secret_file=secret, **FAST)
    try:
        deploy(gw, "echo", "cat")
        call_id = submit(gw, "echo", b"hello", X_Callback_Url=receiver.url).headers["X-Call-Id"]
        wait_until(lambda: redis.call(call_id).get("cbs") == "delivered", "callback")
        (path, headers, body), = receiver.seen
        assert (path, body) == ("/done?x=1", b"hello")
        assert headers["X-Function-Status"] == "200"
        assert headers["X-Function-Name"] == "echo.openfaas-fn"
        assert headers["X-Call-Id"] == call_id
        assert float(headers["X-Duration-Seconds"]) >= 0
        assert headers["X-Retry"] == "0" and headers["X-Retry-Max"] == "9"
        assert headers["User-Agent"].startswith("queue-worker/")
        assert headers["X-Start-Time"]
        want = hmac.new(b"hunter2", b"hello", hashlib.sha256).hexdigest()
        assert headers["X-Minnow-Signature"] == f"sha256={want}"
        assert redis("XLEN", "minnow:queue:faas-request") == 0
    finally:
        gw.close()


def test_a_callback_is_tried_again(redis, gateway):
    receiver = Receiver(500, 503)
    try:
        deploy(gateway, "echo", "cat")
        call_id = submit(gateway, "echo", b"x", X_Callback_Url=receiver.url).headers["X-Call-Id"]
        wait_until(lambda: redis.call(call_id).get("cbs") == "delivered", "callback")
        assert len(receiver.seen) == 3
    finally:
        receiver.close()


def test_a_callback_that_has_moved_is_followed(redis, gateway):
    there = Receiver()
    here = Receiver(308, 307)
    here.location = there.url
    try:
        deploy(gateway, "echo", "cat")
        call_id = submit(gateway, "echo", b"x", X_Callback_Url=here.url).headers["X-Call-Id"]
        wait_until(lambda: redis.call(call_id).get("cbs") == "delivered", "callback")
        assert [body for _, _, body in there.seen] == [b"x"]
    finally:
        here.close()
        there.close()


def test_what_a_name_leads_to_is_judged_as_well(redis, receiver):
    gw = Gateway(redis_url=redis.url, callback_deny="127.0.0.0/8,::1", callback_attempts=1, **FAST)
    try:
        deploy(gw, "echo", "cat")
        url = receiver.url.replace("127.0.0.1", "localhost")
        call_id = submit(gw, "echo", b"x", X_Callback_Url=url).headers["X-Call-Id"]
        wait_until(lambda: redis.call(call_id).get("cbs", "").startswith("failed"), "a refusal")
        assert receiver.seen == []
        assert redis.call(call_id)["cbs"] == "failed: callback_deny forbids the address of localhost"
    finally:
        gw.close()


def test_a_callback_that_moves_to_where_it_may_not_go_is_told(redis):
    gw = Gateway(redis_url=redis.url, callback_deny="elsewhere.example", **FAST)
    receiver = Receiver(307, 307)
    try:
        deploy(gw, "echo", "cat")
        receiver.location = "http://ELSEWHERE.example./"
        call_id = submit(gw, "echo", b"x", X_Callback_Url=receiver.url).headers["X-Call-Id"]
        wait_until(lambda: redis.call(call_id).get("cbs", "").startswith("failed"), "a refusal")
        assert redis.call(call_id)["cbs"] == "failed: status 307, which leads nowhere it may go"
        receiver.location = "?y=/z"
        call_id = submit(gw, "echo", b"x", X_Callback_Url=receiver.url).headers["X-Call-Id"]
        wait_until(lambda: redis.call(call_id).get("cbs") == "delivered", "callback")
        assert [path for path, _, _ in receiver.seen] == ["/done?x=1", "/done?x=1", "/done?y=/z"]
    finally:
        receiver.close()
        gw.close()


HEADERS_FUNCTION = """import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_response(200)
        for name, value in (("Host", "evil"), ("Expect", "100-continue"), ("X-Kept", "yes"), ("X-Empty", "")):
            self.send_header(name, value)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


BREAKING_FUNCTION = HEADERS_FUNCTION.replace("""        self.end_headers()
""", """        self.send_header("X-Half", "yes")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"half")
""")


def test_a_function_does_not_say_whom_its_callback_is_for(redis, gateway, receiver):
    deploy(gateway, "headers", "/usr/bin/python3 f.py", {"f.py": HEADERS_FUNCTION},
           envVars={"mode": "http", "upstream_url": "http://127.0.0.1:0"})
    call_id = submit(gateway, "headers", X_Callback_Url=receiver.url).headers["X-Call-Id"]
    wait_until(lambda: redis.call(call_id).get("cbs") == "delivered", "callback")
    (_, headers, _), = receiver.seen
    assert headers["Host"] == f"127.0.0.1:{receiver.server.server_port}"
    assert headers["Expect"] is None and headers["X-Kept"] == "yes" and headers["X-Empty"] == ""


def test_redis_away_is_503_and_sync_calls_go_on(redis, gateway):
    deploy(gateway, "echo", "cat")
    redis.kill()
    answer = wait_until(lambda: (a := submit(gateway, "echo", b"x")).status == 503 and a, "503")
    assert answer.headers["Retry-After"] == "1"
    wait_until(lambda: "not connected: Connection refused" in submit(gateway, "echo").json()["error"], "the reason")
    assert gateway.invoke("echo", b"x").body == b"x"
    redis.start()
    answer = wait_until(lambda: (a := submit(gateway, "echo", b"back")).status == 202 and a, "202")
    wait_state(redis, answer.headers["X-Call-Id"], "done")


def test_a_stopped_redis_is_503_within_the_deadline(redis):
    gw = Gateway(redis_url=redis.url, redis_timeout="300ms", **FAST)
    try:
        deploy(gw, "echo", "cat")
        redis.signal(signal.SIGSTOP)
        start = time.monotonic()
        assert submit(gw, "echo", b"x").status == 503
        assert time.monotonic() - start < 5
        assert gw.invoke("echo", b"x").body == b"x"
        redis.signal(signal.SIGCONT)
        wait_until(lambda: submit(gw, "echo", b"x").status == 202, "202")
    finally:
        redis.signal(signal.SIGCONT)
        gw.close()


def test_a_full_redis_is_explained(redis, gateway):
    deploy(gateway, "echo", "cat")
    wait_state(redis, submit(gateway, "echo", b"x").headers["X-Call-Id"], "done")
    redis("CONFIG", "SET", "maxmemory", "1")
    answer = submit(gateway, "echo", b"x")
    assert answer.status == 503 and "maxmemory" in answer.json()["error"]
    answer = gateway.api("POST", "/system/queues/faas-request/pause")
    assert answer.status == 503 and answer.json()["error"] == "that did not succeed: Redis is full (maxmemory)"
    redis("CONFIG", "SET", "maxmemory", "0")
    assert submit(gateway, "echo", b"x").status == 202


def test_a_redis_that_comes_back_empty_is_used_again(redis, gateway):
    deploy(gateway, "echo", "cat")
    wait_state(redis, submit(gateway, "echo", b"1").headers["X-Call-Id"], "done")
    redis("FLUSHALL")
    wait_state(redis, submit(gateway, "echo", b"2").headers["X-Call-Id"], "done")


def test_without_redis_async_is_refused_by_name():
    gw = Gateway()
    try:
        deploy(gw, "echo", "cat", ready=False)
        answer = submit(gw, "echo")
        assert answer.status == 501 and "redis_url" in answer.json()["error"]
    finally:
        gw.close()


def test_a_killed_gateway_loses_nothing(redis):
    gw = Gateway(redis_url=redis.url, async_lease="300ms", **FAST)
    try:
        deploy(gw, "slow", "sh f.sh", script("sleep 0.2; cat"))
        ids = [submit(gw, "slow", b"%d" % i).headers["X-Call-Id"] for i in range(40)]
        wait_until(lambda: any(redis.call(i).get("s") == "running" for i in ids), "a running call")
        gw.kill()
        gw.start()
        for i, call_id in enumerate(ids):
            wait_state(redis, call_id, "done")
            assert redis.result(call_id) == str(i)
        assert redis("XLEN", "minnow:queue:faas-request") == 0
    finally:
        gw.close()


def test_a_stopping_gateway_finishes_what_it_has_begun(redis):
    gw = Gateway(redis_url=redis.url, **FAST)
    try:
        deploy(gw, "slow", "sh f.sh", script("sleep 0.5; cat"))
        call_id = submit(gw, "slow", b"x").headers["X-Call-Id"]
        wait_state(redis, call_id, "running")
        gw.stop()
        assert redis.call(call_id)["s"] == "done"
        assert redis.call(call_id)["n"] == "1"
    finally:
        gw.close()


def test_a_function_that_outlasts_its_lease_is_called_once(redis):
    gw = Gateway(redis_url=redis.url, async_lease="200ms", **FAST)
    try:
        deploy(gw, "slow", "sh f.sh", script("sleep 1; cat"))
        call_id = submit(gw, "slow", b"x").headers["X-Call-Id"]
        assert wait_state(redis, call_id, "done")["n"] == "1"
    finally:
        gw.close()


def test_calls_wait_for_a_gateway_that_is_away(redis):
    gw = Gateway(redis_url=redis.url, role="gateway", **FAST)
    worker = None
    try:
        deploy(gw, "echo", "cat", annotations={"com.openfaas.retry.attempts": "1"})
        worker = Gateway(redis_url=redis.url, role="worker", gateway_url=gw.url, basic_auth="false", **FAST)
        call_id = submit(gw, "echo", b"x", X_Delay_Seconds="1").headers["X-Call-Id"]
        gw.kill()
        wait_until(lambda: any(r["msg"] == "calls wait for the gateway" for r in worker.records), "the outage")
        assert redis.call(call_id)["s"] != "dead"
        gw.settings["port"] = gw.port
        gw.start()
        wait_state(redis, call_id, "done")
        assert redis.call(call_id)["n"] == "1"
    finally:
        for g in (worker, gw):
            if g:
                g.close()


def test_a_worker_does_not_turn_its_queue_over_while_the_gateway_is_away(redis):
    gw = Gateway(redis_url=redis.url, role="gateway", **FAST)
    worker = None
    try:
        deploy(gw, "echo", "cat")
        for _ in range(100):
            submit(gw, "echo", b"x")
        gw.kill()
        worker = Gateway(redis_url=redis.url, role="worker", gateway_url=gw.url, basic_auth="false",
                         async_max_inflight=1, async_read_ahead=0, **FAST)
        delayed = "minnow:delayed:faas-request"
        first = wait_until(lambda: redis("ZRANGE", delayed, 0, 0), "the outage")[0]
        wait_until(lambda: first not in redis("ZRANGE", delayed, 0, -1), "the first call's next turn")
        assert len(redis("KEYS", "minnow:call:*")) < 20  # those that were put off
    finally:
        if worker:
            worker.close()
        gw.start()
        gw.close()


def test_many_calls_leave_nothing_behind(redis):
    gateway = Gateway(redis_url=redis.url, async_max_inflight=4, **FAST)
    try:
        deploy(gateway, "echo", "cat")

        def three_hundred():
            for call_id in [submit(gateway, "echo", b"x").headers["X-Call-Id"] for _ in range(300)]:
                wait_state(redis, call_id, "done")
            return descriptors(gateway.pid)

        first = three_hundred()
        # A call at a time keeps three connections for the next: ours, its other end, the function's.
        assert three_hundred() <= first + 3 * 4
        wait_until(lambda: redis("XLEN", "minnow:queue:faas-request") == 0, "an empty queue")
        assert redis("XPENDING", "minnow:queue:faas-request", "workers")[0] == 0
    finally:
        gateway.close()


def test_a_worker_may_be_a_process_of_its_own(redis):
    gw = Gateway(redis_url=redis.url, role="gateway", **FAST)
    worker = None
    try:
        deploy(gw, "echo", "cat")
        call_id = submit(gw, "echo", b"far").headers["X-Call-Id"]
        time.sleep(0.5)
        assert redis.call(call_id)["s"] == "queued"  # nobody is there to make it
        worker = Gateway(redis_url=redis.url, role="worker", gateway_url=gw.url, basic_auth="false", **FAST)
        wait_state(redis, call_id, "done")
        assert redis.result(call_id) == "far"
        assert "gateway_async_finished_total" in worker.metrics()
        worker.stop()
    finally:
        if worker:
            worker.close()
        gw.close()


@pytest.mark.parametrize("settings, named", [
    ({"role": "worker"}, "redis_url"), ({"role": "boss"}, "role"),
    ({"redis_url": "unix:///nope", "async_queues": "a:0"}, "async_queues"),
    ({"role": "worker", "redis_url": "unix:///nope", "gateway_url": "https://x"}, "gateway_url"),
    ({"redis_url": "rediss://x"}, "redis_url"), ({"redis_url": "unix:///x", "callback_deny": "a b"}, "callback_deny"),
    ({"redis_url": "unix:///x", "async_retry_codes": "ok"}, "async_retry_codes"),
    ({"redis_url": "unix:///x", "async_queue": ""}, "async_queue"),
    ({"redis_url": "unix:///x", "async_queue": "Not a name"}, "async_queue"),
    ({"redis_url": "unix:///x", "callback_secret_file": "/nope"}, "callback_secret_file")])
def test_settings_that_cannot_be_are_refused_by_name(settings, named):
    with pytest.raises(AssertionError) as refused:
        Gateway(**settings)
    assert named in str(refused.value)


# --- what can be asked and decided ---

def status(gw, call_id, query=""):
    return gw.api("GET", f"/async-function/{call_id}{query}")


def test_a_status_can_be_waited_for(redis, gateway):
    deploy(gateway, "slow", "sh f.sh", script("sleep 0.3; cat"))
    call_id = submit(gateway, "slow", b"hello").headers["X-Call-Id"]
    assert status(gateway, call_id).json()["state"] in ("queued", "running")
    assert gateway.api("GET", f"/async-function/{call_id}/result").status == 404
    o = status(gateway, call_id, "?wait=30s").json()
    assert (o["callId"], o["function"], o["queue"]) == (call_id, "slow.openfaas-fn", "faas-request")
    assert (o["state"], o["status"], o["attempts"]) == ("done", 200, 1)
    assert o["submittedAt"] <= o["startedAt"] <= o["finishedAt"]
    assert [(h["status"], h["startedAt"]) for h in o["history"]] == [(200, o["startedAt"])]
    result = gateway.api("GET", f"/async-function/{call_id}/result")
    assert (result.status, result.body) == (200, b"hello")
    assert status(gateway, call_id, "?wait=soon").status == 400
    assert status(gateway, "nope").status == 404
    assert gateway.call("GET", f"/async-function/{call_id}").status == 401


def basic_auth(gw):
    return f"Authorization: Basic {base64.b64encode(f'admin:{gw.password}'.encode()).decode()}\r\n"


def test_a_wait_ends_with_the_gateway(redis):
    gw = Gateway(redis_url=redis.url, drain_timeout="30s", **FAST)
    deploy(gw, "echo", "cat")
    call_id = submit(gw, "echo", X_Delay_Seconds="60").headers["X-Call-Id"]
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(status(gw, call_id, "?wait=60s")))
    waiting.start()
    wait_until(lambda: redis("CLIENT", "LIST").count("minnow"), "it to be asked")
    start = time.monotonic()
    gw.stop()
    assert time.monotonic() - start < 15
    waiting.join()
    assert (answers[0].status, answers[0].json()["state"]) == (200, "delayed")
    gw.close()


def test_a_wait_ends_in_time(redis, gateway):
    deploy(gateway, "slow", "sh f.sh", script("sleep 2"))
    call_id = submit(gateway, "slow").headers["X-Call-Id"]
    start = time.monotonic()
    assert status(gateway, call_id, "?wait=300ms").json()["state"] in ("queued", "running")
    assert 0.3 <= time.monotonic() - start < 3


def test_who_does_not_wait_for_the_answer_is_counted_as_such(redis, gateway):
    deploy(gateway, "echo", "cat")
    call_id = submit(gateway, "echo", X_Delay_Seconds="60").headers["X-Call-Id"]
    for method, path, rest in (("GET", f"/async-function/{call_id}?wait=60s", b"\r\n"),
                               ("POST", "/async-function/echo", b"Content-Length: 10\r\n\r\nhalf")):
        with socket.create_connection(("127.0.0.1", gateway.port)) as s:
            s.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n{basic_auth(gateway)}".encode() + rest)
    for path in ("/async-function/{name}", "/async-function/{name}*"):
        wait_until(lambda: re.search(rf'http_requests_total{{.*path="{re.escape(path)}",status="499"}} 1',
                                     gateway.metrics()), path)


def test_a_call_can_be_cancelled_wherever_it_is(redis, receiver):
    gw = Gateway(redis_url=redis.url, async_lease="300ms", **FAST)
    try:
        deploy(gw, "slow", "sh f.sh", script("sleep 30"))
        later = submit(gw, "slow", X_Delay_Seconds="60", X_Callback_Url=receiver.url).headers["X-Call-Id"]
        running = submit(gw, "slow", X_Callback_Url=receiver.url).headers["X-Call-Id"]
        wait_state(redis, running, "running")
        for call_id in (later, running):
            assert gw.api("DELETE", f"/async-function/{call_id}").status == 202
            wait_state(redis, call_id, "cancelled")
            assert gw.api("DELETE", f"/async-function/{call_id}").status == 409
            told = status(gw, call_id).json()
            assert "status" not in told and "callback" not in told, told
            assert gw.api("GET", f"/async-function/{call_id}/result").status == 404
        assert gw.api("DELETE", "/async-function/nope").status == 404
        assert redis("XLEN", "minnow:queue:faas-request") == 0 and receiver.seen == []
    finally:
        gw.close()


def queues(gw):
    return {q["name"]: q for q in gw.api("GET", "/system/queues", expect=200).json()}


@pytest.mark.parametrize("name, value, why", [
    ("com.openfaas.queue", "Not A Name", "is not a queue's name"),
    ("com.openfaas.queue", "", "is not a queue's name"),
    ("com.openfaas.retry.attempts", "0", "a number from 1"),
    ("com.openfaas.retry.codes", "200,6000", "statuses from 100"),
    ("com.openfaas.retry.min_wait", "soon", "a duration"),
    ("com.openfaas.retry.max_wait", "-1s", "a duration"),
])
def test_annotations_that_cannot_be_read_are_refused_when_deployed(gateway, name, value, why):
    spec = {"service": "f", "image": "f", "annotations": {name: value}}
    for method in "POST", "PUT":
        answer = gateway.api(method, "/system/functions", spec)
        assert answer.status == 400
        text = answer.body.decode()
        assert f"annotation {name}" in text and why in text


def test_a_worker_serves_its_queues_in_order_and_within_their_limits(redis):
    """Those who wait are all there before the worker comes, which then shows its order."""
    names = ["late", "urgent", "strange"]
    gw = Gateway(redis_url=redis.url, role="gateway", **FAST)

    def work(**settings):
        ids = {name: [submit(gw, name).headers["X-Call-Id"] for _ in range(4)] for name in names}
        worker = Gateway(redis_url=redis.url, role="worker", gateway_url=gw.url, basic_auth="false",
                         **settings, **FAST)
        try:
            calls = {name: [wait_state(redis, i, "done") for i in ids[name]] for name in names[:2]}
            assert [redis.call(i)["s"] for i in ids["strange"]] == ["queued"] * 4
        finally:
            worker.close()
        return {name: sorted(json.loads(c["h"])["at"] for c in calls[name]) for name in calls}

    try:
        for name in names:
            deploy(gw, name, "sleep 0.1", annotations={"com.openfaas.queue": name})
        started = work(async_queues="urgent,late", async_max_inflight=1)
        assert started["urgent"][-1] < started["late"][0], started
        started = work(async_queues="urgent:1,late:4", async_max_inflight=50)
        assert all(b - a >= 90 for a, b in zip(started["urgent"], started["urgent"][1:])), started
        assert started["late"][-1] < started["urgent"][-1], started  # they ran side by side
    finally:
        gw.close()


def test_a_worker_serves_more_queues_than_it_makes_calls(redis):
    gw = Gateway(redis_url=redis.url, async_max_inflight=2, **FAST)
    try:
        ids = []
        for i in range(7):
            deploy(gw, f"f{i}", "cat", annotations={"com.openfaas.queue": f"q{i}"})
            ids.append(submit(gw, f"f{i}").headers["X-Call-Id"])
        for call_id in ids:
            wait_state(redis, call_id, "done")
    finally:
        gw.close()


def test_a_queue_at_its_limit_is_asked_again_as_soon_as_it_has_room(redis):
    """Not when the other queues' reader has been told that there is nothing, a second later."""
    gw = Gateway(redis_url=redis.url, async_queues="one:1,*", **FAST)
    try:
        deploy(gw, "f", "cat", annotations={"com.openfaas.queue": "one"})
        wait_state(redis, submit(gw, "f").headers["X-Call-Id"], "done")
        began = time.monotonic()
        for call_id in [submit(gw, "f").headers["X-Call-Id"] for _ in range(20)]:
            wait_state(redis, call_id, "done")
        assert time.monotonic() - began < 10
    finally:
        gw.close()


def test_a_paused_queue_keeps_its_calls(redis, gateway):
    deploy(gateway, "echo", "cat", annotations={"com.openfaas.queue": "special"})
    wait_state(redis, submit(gateway, "echo").headers["X-Call-Id"], "done")
    assert gateway.api("POST", "/system/queues/special/pause").status == 204
    time.sleep(2.2)  # an open question to Redis outlives the pause by two seconds at most
    ids = [submit(gateway, "echo").headers["X-Call-Id"] for _ in range(3)]
    q = queues(gateway)["special"]
    assert (q["paused"], q["depth"], q["inFlight"]) == (True, 3, 0)
    assert gateway.api("POST", "/system/queues/special/purge").json() == {"purged": 3}
    assert redis("EXISTS", *[f"minnow:call:{i}" for i in ids]) == 0
    last = submit(gateway, "echo").headers["X-Call-Id"]
    assert gateway.api("POST", "/system/queues/special/resume").status == 204
    wait_state(redis, last, "done")
    assert queues(gateway)["special"]["depth"] == 0
    assert gateway.api("POST", "/system/queues/special/purge?which=all").status == 400


def test_who_calls_back_for_another_says_the_same(redis):
    """A worker dies while the receiver has not answered; the next one delivers what the first knew."""
    settings = dict(redis_url=redis.url, async_lease="1s", async_max_result_size=4, **FAST)
    first, second, receiver = Gateway(**settings), None, None
    try:
        deploy(first, "half", "sh f.sh", script("sleep 0.2; echo too long"))
        with socket.socket() as hanging:
            hanging.bind(("127.0.0.1", 0))
            hanging.listen()
            port = hanging.getsockname()[1]
            call_id = submit(first, "half", X_Callback_Url=f"http://127.0.0.1:{port}/").headers["X-Call-Id"]
            with hanging.accept()[0]:
                first.kill()
        receiver = Receiver(port=port)
        second = Gateway(**settings)
        wait_until(lambda: receiver.seen, "the callback")
        (_, headers, body), = receiver.seen
        assert body == b"too " and headers["X-Minnow-Truncated"] == "true"
        assert headers["X-Retry"] == "0" and 0.2 <= float(headers["X-Duration-Seconds"]) < 10
        o = wait_until(lambda: (s := status(second, call_id).json())["callback"] == "delivered" and s, "the state")
        assert o["truncated"] is True and o["attempts"] == len(o["history"]) == 1
    finally:
        if receiver:
            receiver.close()
        for gw in (first, second):
            if gw and gw.process.poll() is None:
                gw.close()


def test_a_clock_that_is_set_back_makes_no_call_shorter(redis, receiver, tmp_path, monkeypatch):
    offset, env = jumping_clock(tmp_path)
    with monkeypatch.context() as m:
        for name, value in env.items():
            m.setenv(name, value)
        gw = Gateway(redis_url=redis.url, **FAST)
    deploy(gw, "slow", "sh f.sh", script("sleep 0.3"))
    call_id = submit(gw, "slow", X_Callback_Url=receiver.url).headers["X-Call-Id"]
    wait_state(redis, call_id, "running")
    with open(offset, "w") as f:
        f.write("-3600")
    wait_until(lambda: receiver.seen, "the callback")
    assert 0.3 <= float(receiver.seen[0][1]["X-Duration-Seconds"]) < 10
    gw.close()


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_what_is_put_off_is_due_by_rediss_clock(jump, redis, tmp_path, monkeypatch):
    offset, env = jumping_clock(tmp_path)
    with monkeypatch.context() as m:
        for name, value in env.items():
            m.setenv(name, value)
        gw = Gateway(redis_url=redis.url, **FAST)
    deploy(gw, "echo", "cat")
    with open(offset, "w") as f:
        f.write(str(jump))
    soon = submit(gw, "echo", X_Delay_Seconds="1").headers["X-Call-Id"]
    late = submit(gw, "echo", X_Delay_Seconds="600").headers["X-Call-Id"]
    wait_state(redis, soon, "done")
    assert redis.call(late)["s"] == "delayed"
    gw.close()


def test_half_an_answer_is_none(redis, gateway, receiver):
    deploy(gateway, "breaks", "/usr/bin/python3 f.py", {"f.py": BREAKING_FUNCTION},
           envVars={"mode": "http", "upstream_url": "http://127.0.0.1:0"},
           annotations={"com.openfaas.retry.attempts": "1"})
    call_id = submit(gateway, "breaks", X_Callback_Url=receiver.url).headers["X-Call-Id"]
    wait_until(lambda: redis.call(call_id).get("cbs") == "delivered", "callback")
    (_, headers, body), = receiver.seen
    assert (headers["X-Function-Status"], headers["X-Half"], body) == ("503", None, b"")
    assert gateway.api("GET", f"/async-function/{call_id}/result").body == b""


def test_a_gateway_stops_while_a_callback_waits_for_its_next_try(redis):
    """It does not wait as well: whoever takes the entry over tries again."""
    gw = Gateway(redis_url=redis.url, drain_timeout="60s", **FAST)
    deploy(gw, "echo", "cat")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        call_id = submit(gw, "echo", b"x",
                         X_Callback_Url=f"http://127.0.0.1:{s.getsockname()[1]}/").headers["X-Call-Id"]
        wait_until(lambda: redis.call(call_id).get("cbs") == "due", "the callback")
        gw.stop()
    assert redis.call(call_id)["cbs"] == "due"


def test_a_gateway_stops_while_a_callbacks_receiver_hangs(redis):
    """The call is home before its loop is gone; the sanitizer would tell."""
    gw = Gateway(redis_url=redis.url, drain_timeout="100ms", callback_timeout="2s", **FAST)
    with socket.socket() as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.listen()
        deploy(gw, "echo", "cat")
        url = f"http://127.0.0.1:{receiver.getsockname()[1]}/"
        call_id = submit(gw, "echo", b"x", X_Callback_Url=url).headers["X-Call-Id"]
        connection, _ = receiver.accept()
        with connection:
            gw.stop()
    assert redis.call(call_id)["cbs"] == "due"  # for whoever takes the entry over
    gw.close()


def test_receivers_that_hang_hold_up_nobody_who_manages(redis):
    gw = Gateway(redis_url=redis.url, pool_threads=1, callback_timeout="60s", drain_timeout="100ms", **FAST)
    with socket.socket() as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.listen()
        deploy(gw, "echo", "cat")
        url = f"http://127.0.0.1:{receiver.getsockname()[1]}/"
        for _ in range(2):
            assert submit(gw, "echo", b"x", X_Callback_Url=url).status == 202
        hanging = [receiver.accept()[0] for _ in range(2)]
        assert gw.api("GET", "/system/functions", timeout=10).status == 200
    for connection in hanging:
        connection.close()
    gw.close()


def test_a_receiver_that_hangs_holds_up_no_other(redis):
    gw = Gateway(redis_url=redis.url, callback_max_inflight=4, callback_timeout="60s", drain_timeout="100ms", **FAST)
    other = Receiver()
    with socket.socket() as receiver:
        receiver.bind(("127.0.0.2", 0))
        receiver.listen()
        deploy(gw, "echo", "cat")
        url = f"http://127.0.0.2:{receiver.getsockname()[1]}/"
        ids = [submit(gw, "echo", str(i).encode(), X_Callback_Url=url).headers["X-Call-Id"] for i in range(5)]
        hanging = [receiver.accept()[0] for _ in range(2)]
        submit(gw, "echo", b"x", X_Callback_Url=other.url)
        wait_until(lambda: other.seen, "the other one's callback")
        for connection in hanging:
            connection.close()  # a try has failed: the next have their turn
        hanging = [receiver.accept()[0] for _ in range(2)]
    for connection in hanging:
        connection.close()
    for call_id in ids:
        wait_until(lambda: redis.call(call_id)["s"] == "done", "its end")
    other.close()
    gw.close()


def test_receivers_that_hang_hold_up_no_other_call(redis):
    gw = Gateway(redis_url=redis.url, async_max_inflight=1, async_queues="narrow:1,*", callback_timeout="60s",
                 drain_timeout="100ms", **FAST)
    with socket.socket() as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.listen()
        deploy(gw, "echo", "cat")
        deploy(gw, "narrow", "cat", annotations={"com.openfaas.queue": "narrow"})
        url = f"http://127.0.0.1:{receiver.getsockname()[1]}/"
        hanging = []
        for name in ["narrow"] + 5 * ["echo"]:
            assert submit(gw, name, b"x", X_Callback_Url=url).status == 202
            hanging.append(receiver.accept()[0])
        for name in "narrow", "echo":
            wait_state(redis, submit(gw, name).headers["X-Call-Id"], "done")
    for connection in hanging:
        connection.close()
    gw.close()


def test_a_queue_that_is_not_there_is_named(redis, gateway):
    for method, rest in (("POST", "pause"), ("POST", "resume"), ("POST", "purge"), ("GET", "dead"),
                         ("POST", "redrive")):
        answer = gateway.api(method, f"/system/queues/faas-requst/{rest}")
        assert answer.status == 404 and b"no such queue" in answer.body, (rest, answer)
    assert redis("SMEMBERS", "minnow:paused") == []


@pytest.mark.parametrize("method,rest", [
    ("GET", "dead?after=1-1-1"), ("GET", "dead?after=-"), ("GET", "dead?after=5-"), ("GET", "dead?after=-5"),
    ("GET", "dead?after=99999999999999999999999"), ("GET", "dead?after=5--5"), ("GET", "dead?limit="),
    ("GET", "dead?limit=0"), ("GET", "dead?limit=1001"), ("GET", "dead?limit=%3"),
    ("POST", "purge?which="), ("POST", "purge?which=%"), ("POST", "purge?witch=dead"),
    ("POST", "redrive?id=%zz"), ("POST", "redrive?call-id=x")])
def test_what_cannot_be_read_is_refused_and_changes_nothing(redis, gateway, method, rest):
    deploy(gateway, "bad", "sh f.sh", script("exit 1"), annotations={"com.openfaas.retry.attempts": "1"})
    wait_state(redis, submit(gateway, "bad").headers["X-Call-Id"], "dead")
    waiting = submit(gateway, "bad", X_Delay_Seconds="1000").headers["X-Call-Id"]
    answer = gateway.api(method, f"/system/queues/faas-request/{rest}")
    assert answer.status == 400, answer
    assert gateway.api("POST", "/system/queues/faas-request/redrive?id=").status == 404
    assert queues(gateway)["faas-request"]["dead"] == 1 and redis.call(waiting)["s"] == "delayed"


def test_dead_calls_whose_time_is_over_do_not_hide_the_others(redis, gateway):
    deploy(gateway, "bad", "sh f.sh", script("exit 1"), annotations={"com.openfaas.retry.attempts": "1"})
    ids = []
    for _ in range(5):
        ids.append(submit(gateway, "bad").headers["X-Call-Id"])
        wait_state(redis, ids[-1], "dead")
    for call_id in ids[:3]:
        redis("DEL", f"minnow:call:{call_id}")  # what its time to live does
    page = gateway.api("GET", "/system/queues/faas-request/dead?limit=1").json()
    assert [d["callId"] for d in page] == [ids[3]]
    assert redis("XLEN", "minnow:dead:faas-request") == 2
    redis("DEL", f"minnow:call:{ids[3]}")
    assert gateway.api("POST", "/system/queues/faas-request/redrive").json() == {"redriven": 1}
    wait_state(redis, ids[4], "dead")


def test_the_dead_are_listed_and_redriven(redis, gateway):
    once = {"com.openfaas.retry.attempts": "1"}
    deploy(gateway, "bad", "sh f.sh", script("exit 1"), annotations=once)
    ids = [submit(gateway, "bad").headers["X-Call-Id"] for _ in range(3)]
    for call_id in ids:
        wait_state(redis, call_id, "dead")
    dead = gateway.api("GET", "/system/queues/faas-request/dead").json()
    assert {d["callId"] for d in dead} == set(ids)
    assert {(d["function"], d["status"], d["attempts"]) for d in dead} == {("bad.openfaas-fn", 500, 1)}
    assert {d["finishedAt"] for d in dead} == {status(gateway, i).json()["finishedAt"] for i in ids}
    page = gateway.api("GET", "/system/queues/faas-request/dead?limit=2").json()
    rest = gateway.api("GET", f"/system/queues/faas-request/dead?after={page[-1]['position']}").json()
    assert [d["callId"] for d in page + rest] == [d["callId"] for d in dead]
    redrive = "/system/queues/faas-request/redrive"
    assert gateway.api("POST", f"{redrive}?id={ids[0]}").json() == {"redriven": 1}
    wait_state(redis, ids[0], "dead")
    assert gateway.api("POST", redrive).json()["redriven"] >= 2
    assert gateway.api("POST", f"{redrive}?id=nope").status == 404
    for call_id in ids:
        wait_state(redis, call_id, "dead")
    assert gateway.api("POST", "/system/queues/faas-request/purge?which=dead").json() == {"purged": 3}
    assert queues(gateway)["faas-request"]["dead"] == 0


def test_a_function_that_says_429_gets_fewer_at_a_time(redis, gateway):
    deploy(gateway, "one", "sh f.sh", script("sleep 0.1; cat"), envVars={"max_inflight": "1"})
    ids = [submit(gateway, "one", b"x").headers["X-Call-Id"] for _ in range(20)]
    for call_id in ids:
        wait_state(redis, call_id, "done")


def test_metrics_tell_of_queues(redis, gateway):
    deploy(gateway, "echo", "cat")
    wait_state(redis, submit(gateway, "echo").headers["X-Call-Id"], "done")
    for line in ('gateway_async_submitted_total{queue="faas-request",outcome="accepted"} 1',
                 'gateway_async_attempts_total{queue="faas-request",status="200"} 1',
                 'gateway_async_finished_total{queue="faas-request",state="done"} 1'):
        wait_until(lambda: line in gateway.metrics(), line)
    for name in ("depth", "in_flight", "delayed", "dead", "oldest_age_seconds"):
        wait_until(lambda: f'gateway_async_queue_{name}{{queue="faas-request"}} 0' in gateway.metrics(), name)


def test_a_call_that_redis_is_away_at_the_end_of_is_counted_once(redis, gateway):
    deploy(gateway, "slow", "sh f.sh", script("sleep 0.5"))
    call_id = submit(gateway, "slow").headers["X-Call-Id"]
    wait_state(redis, call_id, "running")
    redis.kill()
    made = 'gateway_async_attempts_total{queue="faas-request",status="200"} 1'
    wait_until(lambda: made in gateway.metrics(), "the first try to record it")
    redis.start()
    wait_state(redis, call_id, "done")
    finished = 'gateway_async_finished_total{queue="faas-request",state="done"} '
    wait_until(lambda: finished in gateway.metrics(), "the counter")
    assert finished + "1\n" in gateway.metrics()


# --- the same from the command line ---

def test_the_command_line_asks_and_decides(redis, gateway, tmp_path):
    cli = Cli(str(tmp_path), gateway.url)
    cli("login", "--username", "admin", "--password-stdin", stdin=gateway.password)
    deploy(gateway, "echo", "cat")
    deploy(gateway, "bad", "sh f.sh", script("exit 1"),
                   annotations={"com.openfaas.retry.attempts": "1"})
    done, dead = (submit(gateway, name, b"hello").headers["X-Call-Id"] for name in ("echo", "bad"))

    shown = cli("async", "status", done, "--wait", "20s").out
    assert "State:     done\n" in shown and f"Call:      {done}\n" in shown
    assert json.loads(cli("async", "status", done, "--json").out)["status"] == 200
    assert cli("async", "result", done).out == "hello"
    refused = cli("async", "cancel", done, rc=1)
    assert "over already" in refused.err
    later = submit(gateway, "echo", X_Delay_Seconds="60").headers["X-Call-Id"]
    assert cli("async", "cancel", later).out == f"Cancelled: {later}\n"
    for verb in ("status", "result", "cancel"):
        failed = cli("async", verb, "nope", rc=1)
        assert "call" in failed.err and "call id" not in failed.err, failed
    assert cli("async", "status", done, "--wait", "11m", rc=1).err == "Wait is no duration up to 10m, such as 30s\n"
    assert cli("async", "cancel", "", rc=1).err == "Faas-cli async cancel: CALL-ID is empty\n"
    assert cli("queue", "purge", "", rc=1).err == "Faas-cli queue purge: QUEUE is empty\n"
    assert "limit is no" in cli("queue", "dead", "faas-request", "--limit", "0", rc=1).err.lower()

    wait_state(redis, dead, "dead")
    rows = cli("queue", "list").out.splitlines()
    assert rows[0].split() == ["Queue", "Waiting", "Running", "Delayed", "Dead", "Oldest", "State"]
    assert rows[1].split() == ["faas-request", "0", "0", "0", "1", "0.0s", "active"]
    assert json.loads(cli("queue", "list", "--json").out)[0]["dead"] == 1
    assert cli("queue", "dead", "faas-request").out.splitlines()[1].split()[:4] == [
        dead, "bad.openfaas-fn", "500", "1"]
    assert cli("queue", "redrive", "faas-request", "--id", dead).out == "Queued again: 1\n"
    wait_state(redis, dead, "dead")
    assert cli("queue", "purge", "faas-request", "--which", "dead").out == "Purged: 1\n"
    assert cli("queue", "pause", "faas-request").out == "Paused: faas-request\n"
    assert cli("queue", "list").out.splitlines()[1].split()[-1] == "paused"
    assert cli("queue", "resume", "faas-request").out == "Resumed: faas-request\n"
    cli("queue", "purge", "faas-request", "--which", "all", rc=1)
