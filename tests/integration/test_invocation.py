"""/function/…: what reaches the function, what comes back, what happens when it does not."""
import re
import socket
import threading
import time

import pytest

from minnow import Gateway, memory_kib, wait_until
from upstream import Upstream, reply

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def gateway():
    g = Gateway(provider="memory", upstream_timeout="2s", connect_timeout="1s", max_header_size="64KiB")
    yield g
    g.close()


@pytest.fixture
def function(gateway, request):
    """function(handler) deploys a function that is this handler, and returns its name and upstream."""
    made = []

    def make(handler, name=None, **spec):
        name = name or re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:50] + f"-{len(made)}"
        name = name.strip("-")
        up = Upstream(handler) if callable(handler) else None
        annotations = {"minnow.upstream": up.address if up else handler, **spec.pop("annotations", {})}
        gateway.api("POST", "/system/functions",
                    {"service": name, "image": "none", "annotations": annotations, **spec}, expect=202)
        made.append((name, up))
        wait_until(lambda: gateway.status(name).get("availableReplicas", 0) > 0, name)
        return name, up

    yield make
    for name, up in made:
        gateway.remove(name)
        if up:
            up.close()


def raw(gateway, data, timeout=10, until=None):
    """Sends bytes as they are and returns everything that comes back."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=timeout) as s:
        s.sendall(data)
        out = b""
        while until is None or until not in out:
            piece = s.recv(65536)
            if not piece:
                break
            out += piece
        return out


@pytest.mark.parametrize("path,seen", [
    ("", "/"), ("/", "/"), ("/a/b", "/a/b"), ("/a/", "/a/"), ("/a%2Fb%20c?q=%20;x&y", "/a%2Fb%20c?q=%20;x&y"),
    ("//x/../y", "//x/../y"), ("?x=1", "/?x=1"), ("/%41?", "/%41?"),
])
def test_path_and_query_reach_the_function_byte_by_byte(gateway, function, path, seen):
    name, up = function(reply(b"ok"))
    for suffix in ("", ".openfaas-fn"):
        data = f"GET /function/{name}{suffix}{path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        assert raw(gateway, data.encode()).startswith(b"HTTP/1.1 200 ")
        assert up.requests[-1].target == seen


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND"])
def test_every_method_passes(gateway, function, method):
    name, up = function(reply(b"hello"))
    answer = gateway.invoke(name, b"" if method in ("GET", "HEAD") else b"x", method)
    assert answer.status == 200 and up.requests[-1].method == method
    assert answer.body == (b"" if method == "HEAD" else b"hello")
    assert answer.headers["Content-Length"] == "5"


def test_headers_are_forwarded_and_ours_are_added(gateway, function):
    name, up = function(reply(b"", headers=["Set-Cookie: a", "Set-Cookie: b", "X-Duration-Seconds: 0.1", "Keep-Alive: 5"]))
    answer = gateway.invoke(name, b"body", headers={"X-One": "1", "Authorization": "Bearer t", "X-Forwarded-For": "1.2.3.4"})
    seen = up.requests[-1]
    assert seen.get("X-One") == ["1"] and seen.get("Authorization") == ["Bearer t"]
    assert seen.get("X-Forwarded-For") == ["1.2.3.4, 127.0.0.1"]
    assert seen.get("X-Forwarded-Host") == [f"127.0.0.1:{gateway.port}"]
    assert seen.get("Content-Length") == ["4"] and not seen.get("Transfer-Encoding")
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["X-Call-Id"]) and seen.get("X-Call-Id") == [answer.headers["X-Call-Id"]]
    assert re.fullmatch(r"\d{19}", answer.headers["X-Start-Time"]) and seen.get("X-Start-Time") == [answer.headers["X-Start-Time"]]
    assert answer.headers.get_all("Set-Cookie") == ["a", "b"] and answer.headers["X-Duration-Seconds"] == "0.1"
    assert "Keep-Alive" not in answer.headers


def test_a_clients_call_id_is_kept_and_returned(gateway, function):
    name, up = function(reply(b""))
    answer = gateway.invoke(name, headers={"X-Call-Id": "mine"})
    assert answer.headers["X-Call-Id"] == "mine" and up.requests[-1].get("X-Call-Id") == ["mine"]


def test_redirects_and_errors_are_relayed(gateway, function):
    for status in ("302 Found", "404 Not Found", "500 Internal Server Error", "204 No Content", "418 Teapot"):
        name, _ = function(reply(b"", status, ["Location: http://x/"]))
        answer = gateway.invoke(name)
        assert answer.status == int(status[:3]) and answer.headers["Location"] == "http://x/"
        assert "X-OpenFaaS-Internal" not in answer.headers


def test_an_unknown_function_is_404_with_a_json_body(gateway):
    for name in ("nope", "nope.dev", ".openfaas-fn", "a%20b"):
        answer = gateway.call("POST", f"/function/{name}", b"x")
        assert answer.status == 404 and answer.headers["X-OpenFaaS-Internal"] == "gateway", answer
        error = answer.json()
        assert error["code"] == "not_found" and error["component"] == "gateway"
        assert error["call_id"] == answer.headers["X-Call-Id"]


def test_a_chunked_body_arrives_chunked_and_whole(gateway, function):
    bodies = []

    def handler(connection, request):
        bodies.append((request.get("Transfer-Encoding"), request.body()))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    name, _ = function(handler)
    data = f"POST /function/{name} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode()
    raw(gateway, data + b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
    assert bodies == [(["chunked"], b"hello world")]


def test_expect_100_continue_is_answered_at_once(gateway, function):
    name, up = function(reply(b"done"))
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as s:
        s.sendall(f"POST /function/{name} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode())
        assert s.recv(65536).startswith(b"HTTP/1.1 100 ")
        s.sendall(b"hi")
        assert b"200 OK" in s.recv(65536)
    assert not up.requests[-1].get("Expect")


def test_an_event_stream_is_flushed_as_it_comes(gateway, function):
    go = threading.Semaphore(0)

    def handler(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for i in range(3):
            go.acquire()
            connection.sendall(b"8\r\ndata: %d\n\r\n" % i)
        connection.sendall(b"0\r\n\r\n")

    name, _ = function(handler)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as s:
        s.sendall(f"GET /function/{name} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        seen = b""
        for i in range(3):
            go.release()
            while b"data: %d" % i not in seen:  # the next event is sent only after this one was seen
                seen += s.recv(65536)


def test_a_stream_may_outlive_upstream_timeout(gateway, function):
    def handler(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        time.sleep(2.5)
        connection.sendall(b"1\r\nb\r\n0\r\n\r\n")

    name, _ = function(handler)
    assert gateway.invoke(name).body == b"ab"


def test_a_function_that_does_not_answer_is_504_and_the_setting_is_named(gateway, function):
    name, up = function(lambda connection, request: time.sleep(4) or "close")
    start = time.monotonic()
    answer = gateway.invoke(name, b"x")
    assert answer.status == 504 and 1.9 < time.monotonic() - start < 3.5
    error = answer.json()
    assert error["code"] == "timeout" and "upstream_timeout" in error["error"] and error["function"] == f"{name}.openfaas-fn"


def test_exec_timeout_lifts_upstream_timeout(gateway, function):
    def handler(connection, request):
        time.sleep(2.5)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    name, _ = function(handler, envVars={"exec_timeout": "5s"})
    assert gateway.invoke(name).status == 200


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"])
def test_a_function_that_breaks_the_connection_is_502(gateway, function, answer):
    def handler(connection, request):
        request.body()
        connection.sendall(answer)
        return "close"

    name, up = function(handler)
    got = gateway.invoke(name, b"x")
    assert got.status == 502 and got.json()["code"] == "bad_gateway"
    assert len(up.requests) == 1, "a POST is never sent twice"


def test_an_answer_cut_short_is_visible_to_the_client(gateway, function):
    for head in (b"Content-Length: 100", b"Transfer-Encoding: chunked"):
        def handler(connection, request, head=head):
            connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n5\r\nhello\r\n")
            seen.wait(5)  # the client has its first bytes before the function breaks off
            return "close"

        seen = threading.Event()
        name, _ = function(handler)
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as s:
            s.sendall(f"GET /function/{name} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            data = b""
            while b"hello" not in data:
                data += s.recv(4096)
            seen.set()
            while piece := s.recv(4096):
                data += piece
        assert not data.endswith(b"0\r\n\r\n")


def test_a_stale_kept_alive_connection_is_replaced(gateway, function):
    def handler(connection, request):
        request.body()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        return "close"  # without having said so

    name, up = function(handler)
    for method in ("GET", "POST"):
        for _ in range(20):
            if method == "POST":  # sent twice never, so it must find the connection closed already
                wait_until(lambda: up.closed == len(up.connections), "the close")
            assert gateway.invoke(name, b"x", method).status == 200


def test_a_refused_endpoint_is_passed_over(gateway, function):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead = f"127.0.0.1:{closed.getsockname()[1]}"
    up = Upstream(reply(b"alive"))
    name, _ = function(f"{dead},{up.address}", labels={"com.openfaas.scale.min": "2"})
    for _ in range(20):
        assert gateway.invoke(name, b"payload").body == b"alive"
    alone, _ = function(dead)
    answer = gateway.invoke(alone)
    assert answer.status == 502 and "cannot be reached" in answer.json()["error"]
    up.close()


def test_what_there_was_of_a_broken_answer_arrives_before_the_cut(gateway, function):
    def breaks_off(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        return "close"
    name, _ = function(breaks_off)
    for _ in range(50):  # it was a matter of timing
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as s:
            s.sendall(f"GET /function/{name} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            seen = b""
            try:
                while data := s.recv(65536):
                    seen += data
            except ConnectionResetError:
                pass
        assert b" 200 OK\r\n" in seen and b"abc" in seen, seen
        assert not seen.endswith(b"0\r\n\r\n")


def test_a_function_that_is_removed_while_its_answer_goes_out_is_named_in_the_record(gateway, function):
    """Some of these sizes are all read from the function, and not yet all taken by the client."""
    name, up = function(lambda c, request: reply(b"x" * int(request.target[1:]))(c, request))
    sizes = range(MIB // 8, 4 * MIB, MIB // 8)
    clients = []
    for size in sizes:
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", gateway.port))
        s.sendall(f"GET /function/{name}/{size} HTTP/1.1\r\nHost: a\r\nX-Call-Id: gone-{size}\r\n"
                  "Connection: close\r\n\r\n".encode())
        clients.append(s)
    wait_until(lambda: len(up.requests) == len(sizes), "all requests")
    assert gateway.remove(name).status == 202
    for s in clients:
        with s:
            while s.recv(MIB):
                pass
    for size in sizes:
        record = wait_until(lambda: next((r for r in gateway.records if r.get("call_id") == f"gone-{size}"), None),
                            "the record")
        assert record["instance"] == up.address, record


def test_a_client_that_leaves_ends_the_call_upstream(gateway, function):
    gone = threading.Event()

    def handler(connection, request):
        if not connection.recv(1):
            gone.set()
        return "close"

    name, up = function(handler)
    with socket.create_connection(("127.0.0.1", gateway.port)) as s:
        s.sendall(f"GET /function/{name} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        wait_until(lambda: up.requests, "the request upstream")
    assert gone.wait(5)


def test_the_limit_of_calls_in_flight_is_429_and_released(gateway, function):
    release = threading.Event()

    def handler(connection, request):
        release.wait(10)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    name, up = function(handler, annotations={"com.openfaas.max_inflight": "1"})
    first = threading.Thread(target=gateway.invoke, args=(name,))
    first.start()
    wait_until(lambda: up.requests, "the first call")
    answer = gateway.invoke(name)
    assert answer.status == 429 and answer.headers["Retry-After"] == "1" and answer.json()["code"] == "too_many"
    release.set()
    first.join()
    # The place is free once the last byte is out, which the caller may see a moment earlier.
    wait_until(lambda: gateway.invoke(name).status == 200, "the place")


def test_header_blocks_up_to_the_limit_pass(gateway, function):
    name, up = function(reply(b"ok"))
    assert gateway.invoke(name, headers={"X-Big": "x" * 60000}).status == 200
    assert len(up.requests[-1].get("X-Big")[0]) == 60000
    assert gateway.invoke(name, headers={"X-Big": "x" * 70000}).status == 431
    assert gateway.invoke(name).status == 200


@pytest.mark.parametrize("data,status", [
    (b"GARBAGE\r\n\r\n", b"400"),
    (b"GET /function/f HTTP/1.1\r\n\r\n", b"400"),
    (b"POST /function/f HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
    (b"POST /function/f HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", b"400"),
    (b"POST /function/f HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"400"),
    (b"POST /function/f HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n", b"4"),
    (b"GET /function/f HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n", b"400"),
    (b"GET /function/f HTTP/1.1\r\nHost: a\r\nX: a\r\n folded\r\n\r\n", b"400"),
])
def test_malformed_requests_are_refused_and_do_no_harm(gateway, data, status):
    answer = raw(gateway, data)
    assert answer == b"" or answer.split(b" ")[1].startswith(status), answer
    assert gateway.call("GET", "/healthz").status == 200


def serve_bytes(total):
    block = b"x" * MIB

    def handler(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        for _ in range(total // MIB):
            connection.sendall(block)

    return handler


def count_bytes(total):
    buffer = bytearray(MIB)

    def handler(connection, request):
        seen = len(request.rest)
        request.rest = b""
        while seen < total:
            n = connection.recv_into(buffer)
            if n == 0:
                return "close"
            seen += n
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%d" % (len(str(seen)), seen))

    return handler


def peak_growth_kib(gateway, work):
    """How much the gateway's private memory grew at most while work() ran."""
    before = memory_kib(gateway.pid)
    peak, stop = [before], threading.Event()

    def sample():
        while not stop.wait(0.02):
            peak[0] = max(peak[0], memory_kib(gateway.pid))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        work()
    finally:
        stop.set()
        sampler.join()
    return peak[0] - before


GIB = 1024 * MIB


def test_a_gibibyte_download_takes_constant_memory(gateway, function):
    name, _ = function(serve_bytes(GIB))

    def download():
        with socket.create_connection(("127.0.0.1", gateway.port)) as s:
            s.sendall(f"GET /function/{name} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            seen, buffer = 0, bytearray(MIB)
            while n := s.recv_into(buffer):
                seen += n
        assert seen > GIB

    assert peak_growth_kib(gateway, download) < 4096


def test_a_gibibyte_upload_takes_constant_memory(gateway, function):
    name, _ = function(count_bytes(GIB), envVars={"exec_timeout": "60s"})  # upstream_timeout is for quick calls

    def upload():
        with socket.create_connection(("127.0.0.1", gateway.port)) as s:
            s.sendall(f"POST /function/{name} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {GIB}\r\n\r\n".encode())
            block = b"x" * MIB
            for _ in range(GIB // MIB):
                s.sendall(block)
            assert s.recv(65536).endswith(str(GIB).encode())

    assert peak_growth_kib(gateway, upload) < 4096


def test_a_slow_reader_holds_the_function_up_not_the_memory(gateway, function):
    sent = []

    def handler(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (256 * MIB))
        connection.settimeout(0.5)
        try:
            for i in range(256):
                connection.sendall(b"x" * MIB)
                sent.append(i)
        except socket.timeout:
            sent.append("held")
        return "close"

    name, _ = function(handler)

    def stall():
        with socket.create_connection(("127.0.0.1", gateway.port)) as s:
            s.sendall(f"GET /function/{name} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            wait_until(lambda: "held" in sent, "back-pressure on the function")

    assert peak_growth_kib(gateway, stall) < 4096


def test_a_client_that_reads_nothing_is_cut_after_the_functions_end(gateways):
    """By then the answer waits in our buffers: the sizes leave some there whatever the kernel takes."""
    g = gateways(provider="memory", write_timeout="1s", read_timeout="1s")
    up = Upstream(lambda connection, request: reply(b"x" * int(request.target[1:]))(connection, request))
    g.api("POST", "/system/functions",
          {"service": "f", "image": "none", "annotations": {"minnow.upstream": up.address}}, expect=202)
    wait_until(lambda: g.status("f").get("availableReplicas", 0) > 0, "f")
    clients = []
    for size in range(MIB // 8, 8 * MIB, MIB // 8):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", g.port))
        s.sendall(f"GET /function/f/{size} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        clients.append(s)
    wait_until(lambda: [r for r in g.records if "the client did not read for longer than write_timeout=1s" in r.get("error", "")],
               "those that do not read to be cut")
    time.sleep(1)
    assert g.invoke("f", path="/2").body == b"xx", "the gateway lives"
    for s in clients:
        s.close()
    up.close()


def test_a_thousand_slow_clients_are_all_answered(gateway, function):
    name, _ = function(reply(b"ok"))
    clients = []
    for _ in range(1000):
        s = socket.create_connection(("127.0.0.1", gateway.port), timeout=30)
        s.sendall(f"POST /function/{name} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Len".encode())
        clients.append(s)
    assert gateway.invoke(name).body == b"ok", "others are served meanwhile"
    for s in clients:
        s.sendall(b"gth: 3\r\n\r\na")
    assert gateway.invoke(name).body == b"ok"
    for s in clients:
        s.sendall(b"bc")
    for s in clients:
        data = b""
        while piece := s.recv(4096):
            data += piece
        assert data.startswith(b"HTTP/1.1 200 OK") and data.endswith(b"ok")
        s.close()


def test_a_client_that_stops_sending_its_body_is_cut(gateways):
    g = gateways(provider="memory", read_timeout="1s")
    up = Upstream(lambda connection, request: request.body() and None)
    g.api("POST", "/system/functions", {"service": "f", "image": "none", "annotations": {"minnow.upstream": up.address}}, expect=202)
    start = time.monotonic()
    data = raw(g, b"POST /function/f HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
    assert b" 408 " in data.split(b"\r\n")[0] and b"read_timeout" in data and time.monotonic() - start < 4
    up.close()


def test_a_body_beyond_max_body_size_is_413(gateways):
    g = gateways(provider="memory", max_body_size="1000")
    up = Upstream(reply(b"ok"))
    g.api("POST", "/system/functions", {"service": "f", "image": "none", "annotations": {"minnow.upstream": up.address}}, expect=202)
    assert g.invoke("f", b"x" * 1000).status == 200
    assert g.invoke("f", b"x" * 1001).status == 413
    up.close()


def test_metrics_and_invocation_counts_tell_what_happened(gateway, function):
    name, _ = function(reply(b"ok"))
    for _ in range(3):
        gateway.invoke(name)
    key = f'function_name="{name}.openfaas-fn"'
    # A call is counted once its last byte is out, which its caller may see a moment earlier.
    wait_until(lambda: f'gateway_function_invocation_total{{{key},code="200"}} 3' in gateway.metrics(), "three calls")
    text = gateway.metrics()
    assert f"gateway_function_invocation_started{{{key}}} 3" in text
    assert f"gateway_function_invocation_inflight{{{key}}} 0" in text
    assert f'gateway_functions_seconds_count{{{key},code="200"}} 3' in text
    assert f"gateway_service_ready_count{{{key}}} 1" in text
    assert gateway.status(name)["invocationCount"] == 3
    assert "process_resident_memory_bytes" in text


def test_every_request_leaves_one_access_record(gateway, function):
    name, up = function(reply(b"hello"))
    answer = gateway.invoke(name, b"12345", path="/p?q=secret")
    record = wait_until(lambda: next((r for r in gateway.records if r.get("call_id") == answer.headers["X-Call-Id"]), None), "record")
    assert record["msg"] == "request" and record["method"] == "POST" and record["status"] == 200
    assert record["function"] == f"{name}.openfaas-fn" and record["path"] == f"/function/{name}/p"
    assert record["bytes_in"] == 5 and record["bytes_out"] == 5 and record["instance"]
    assert list(record)[:4] == ["ts", "level", "component", "msg"]
