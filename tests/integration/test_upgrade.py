"""Upgraded connections (WebSocket) through /function/…"""
import re
import socket
import struct
import threading
import time

import pytest

import websocket
from minnow import Gateway, descriptors, memory_kib, wait_until
from upstream import Upstream, reply

MIB = 1024 * 1024
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() resets


@pytest.fixture(scope="module")
def gateway():
    g = Gateway(provider="memory", upstream_timeout="1s", read_timeout="1s", write_timeout="1s")
    yield g
    g.close()


@pytest.fixture
def function(request):
    """function(gateway, handler) deploys a function that is this handler; returns (name, upstream)."""
    made = []

    def make(g, handler, **annotations):
        name = "f" + re.sub("[^a-z0-9]+", "-", request.node.name.lower())[-40:].strip("-") + f"-{len(made)}"
        up = Upstream(handler)
        g.api("POST", "/system/functions",
              {"service": name, "image": "none", "annotations": {"minnow.upstream": up.address, **annotations}}, expect=202)
        made.append((g, name, up))
        wait_until(lambda: g.status(name).get("availableReplicas", 0) > 0, name)
        return name, up

    yield make
    for g, name, up in made:
        up.close()
        if g.process.poll() is None:
            g.remove(name)


def echo(connection, request):
    websocket.echo(websocket.shake_hands(connection, request))
    return "close"


def record(g, name):
    """The access record of the only call of a function: written when the tunnel ends."""
    def find():
        return [r for r in list(g.records) if r.get("msg") == "request" and r.get("function", "").startswith(name + ".")]
    wait_until(find, f"the record of {name}")
    assert len(find()) == 1
    return find()[0]


def in_flight(g, name):
    found = re.search(rf'^gateway_function_invocation_inflight{{function_name="{name}\.openfaas-fn"}} (\d+)', g.metrics(), re.M)
    return int(found.group(1)) if found else None


def test_a_websocket_reaches_the_function_and_comes_back(gateway, function):
    name, up = function(gateway, echo)
    ws = websocket.connect(gateway.port, f"/function/{name}/chat%2Froom?x=1", ["X-Mine: 1", "Connection: X-Hop", "X-Hop: 1"])
    seen = up.requests[-1]
    assert seen.target == "/chat%2Froom?x=1" and seen.get("X-Mine") == ["1"] and not seen.get("X-Hop")
    assert seen.get("Connection") == ["Upgrade"] and seen.get("Upgrade") == ["websocket"]
    assert re.search("^X-Call-Id: [0-9a-f-]{36}\r?$", ws.head, re.M) and "Content-Length" not in ws.head
    for data in (b"", b"x", b"y" * 125, b"z" * 126, b"\0\xff" * 40000):
        ws.send(data)
        assert ws.receive() == (websocket.BINARY, data)
    ws.send("Grüße".encode(), websocket.TEXT)
    assert ws.receive() == (websocket.TEXT, "Grüße".encode())
    ws.send(b"?", websocket.PING)
    assert ws.receive() == (websocket.PONG, b"?")
    ws.send(struct.pack(">H", 1000), websocket.CLOSE)
    assert ws.receive() == (websocket.CLOSE, struct.pack(">H", 1000))
    ws.sock.shutdown(socket.SHUT_WR)
    assert ws.sock.recv(1) == b""
    ws.sock.close()
    seen = record(gateway, name)
    assert seen["status"] == 101 and seen["bytes_in"] > 80000 and seen["bytes_out"] > 80000 and "error" not in seen


@pytest.mark.parametrize("upgrade,connection", [
    ("WebSocket", "Upgrade"), ("websocket", "keep-alive,UPGRADE"), ("tus/1, other", "foo , upgrade"),
])
def test_any_protocol_passes_whatever_the_case(gateway, function, upgrade, connection):
    def handler(sock, request):
        sock.sendall(b"HTTP/1.1 101 Whatever\r\nUpgrade: %s\r\nConnection: upgrade\r\n\r\nhello" % upgrade.split(",")[0].encode())
        sock.sendall(sock.recv(100).upper())
        return "close"

    name, up = function(gateway, handler)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as s:
        s.sendall(f"GET /function/{name} HTTP/1.1\r\nHost: h\r\nUpgrade: {upgrade}\r\nConnection: {connection}\r\n\r\n".encode())
        data = b""
        while not data.endswith(b"hello"):
            data += s.recv(1000)
        assert data.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
        assert up.requests[-1].get("Upgrade") == [upgrade] and up.requests[-1].get("Connection") == ["Upgrade"]
        s.sendall(b"raw\r\n\r\n")
        assert s.recv(100) == b"RAW\r\n\r\n"
        assert s.recv(100) == b""


def test_what_is_no_upgrade_to_be_passed_on_is_a_plain_call(gateway, function):
    name, up = function(gateway, reply(b"plain"))
    for headers in ({"Upgrade": "websocket"}, {"Connection": "Upgrade"}, {"Upgrade": "websocket", "Connection": "close"},
                    {"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": "AAMAAABk"}):
        answer = gateway.invoke(name, method="GET", headers=headers)
        assert answer.status == 200 and answer.body == b"plain"
        assert not up.requests[-1].get("Upgrade") and not up.requests[-1].get("Connection")


def test_bytes_sent_with_the_request_are_not_lost(gateway, function):
    name, _ = function(gateway, echo)
    frame = bytes([0x82, 0x85, 0, 0, 0, 0]) + b"early"
    ws = websocket.connect(gateway.port, f"/function/{name}", early=frame)
    assert ws.receive() == (websocket.BINARY, b"early")
    ws.sock.close()


def test_a_request_with_a_body_can_be_upgraded(gateway, function):
    def handler(sock, request):
        body = request.body()
        sock.sendall(b"HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n" + body)
        sock.sendall(sock.recv(100))
        return "close"

    name, _ = function(gateway, handler)
    for framing, body in ((b"Content-Length: 4", b"body"), (b"Transfer-Encoding: chunked", b"4\r\nbody\r\n0\r\n\r\n")):
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as s:
            s.sendall(b"POST /function/%s HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\nConnection: upgrade\r\n%s\r\n\r\n%s"
                      % (name.encode(), framing, body))
            data = b""
            while not data.endswith(b"\r\n\r\nbody"):
                data += s.recv(1000)
            s.sendall(b"raw")
            assert s.recv(100) == b"raw"


def test_large_frames_pass_whole_in_constant_memory(gateway, function):
    name, _ = function(gateway, echo)
    ws = websocket.connect(gateway.port, f"/function/{name}", timeout=60)
    data = bytes(range(256)) * (64 * MIB // 256)
    before = memory_kib(gateway.pid)
    sender = threading.Thread(target=ws.send, args=(data,), daemon=True)
    sender.start()
    opcode, back = ws.receive()
    sender.join(30)
    assert opcode == websocket.BINARY and back == data
    assert memory_kib(gateway.pid) - before < 8 * 1024
    ws.sock.close()


def test_a_reader_that_is_slow_holds_the_function_up_not_the_memory(gateway, function):
    sent = []

    def handler(sock, request):
        stream = websocket.shake_hands(sock, request)
        sock.settimeout(1)
        try:
            while True:
                sent.append(sock.send(b"\x55" * MIB))
        except TimeoutError:
            sent.append("stuck")
        sock.settimeout(20)
        while sock.recv(65536):
            pass
        return "close"

    name, _ = function(gateway, handler)
    before = memory_kib(gateway.pid)
    ws = websocket.connect(gateway.port, f"/function/{name}")
    wait_until(lambda: sent and sent[-1] == "stuck", "the function to be held up")
    assert memory_kib(gateway.pid) - before < 8 * 1024
    ws.sock.close()
    wait_until(lambda: in_flight(gateway, name) == 0, "the end")


@pytest.mark.parametrize("first", ["client", "function"])
def test_either_side_may_end_first_and_hear_the_rest(gateway, function, first):
    heard = []

    def handler(sock, request):
        sock.sendall(b"HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n")
        if first == "function":
            sock.sendall(b"from the function")
            sock.shutdown(socket.SHUT_WR)
        data = b""
        while piece := sock.recv(1000):
            data += piece
        heard.append(data)
        if first == "client":
            sock.sendall(b"from the function")
        return "close"

    name, _ = function(gateway, handler)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as s:
        s.sendall(b"GET /function/%s HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" % name.encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += s.recv(1)
        if first == "client":
            s.sendall(b"from the client")
            s.shutdown(socket.SHUT_WR)
        data = b""
        while piece := s.recv(1000):
            data += piece
        assert data == b"from the function"
        if first == "function":
            assert in_flight(gateway, name) == 1
            s.sendall(b"from the client")
            s.shutdown(socket.SHUT_WR)
        wait_until(lambda: heard, "the function to hear the end")
        assert heard == [b"from the client"]
    seen = record(gateway, name)
    assert seen["status"] == 101 and "error" not in seen
    assert (seen["bytes_in"], seen["bytes_out"]) == (15, 17)


def test_a_client_that_vanishes_is_told_to_the_function(gateway, function):
    ends = []

    def handler(sock, request):
        stream = websocket.shake_hands(sock, request)
        try:
            websocket.echo(stream)
        except OSError as e:
            ends.append(e)
        return "close"

    for how in ("close", "reset"):
        name, _ = function(gateway, handler)
        ws = websocket.connect(gateway.port, f"/function/{name}")
        ws.send(b"x")
        ws.receive()
        assert in_flight(gateway, name) == 1
        if how == "reset":
            ws.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        ws.sock.close()
        wait_until(lambda: ends, "the function to hear of it")
        wait_until(lambda: in_flight(gateway, name) == 0, "the slot to be free")
        assert record(gateway, name)["status"] == 101
        ends.clear()


def test_a_function_that_vanishes_is_told_to_the_client(gateway, function):
    def handler(sock, request):
        stream = websocket.shake_hands(sock, request)
        stream.receive()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        return "close"

    name, _ = function(gateway, handler)
    ws = websocket.connect(gateway.port, f"/function/{name}")
    ws.send(b"bye")
    with pytest.raises(ConnectionError):
        ws.receive()
    ws.sock.close()
    wait_until(lambda: in_flight(gateway, name) == 0, "the slot to be free")
    seen = record(gateway, name)
    assert seen["status"] == 101 and "broke off" in seen["error"]


def test_a_refused_upgrade_is_passed_on(gateway, function):
    name, up = function(gateway, reply(b"no thanks", "426 Upgrade Required", ["Upgrade: TLS/1.0", "X-Why: policy"]))
    with pytest.raises(websocket.Refused) as refused:
        websocket.connect(gateway.port, f"/function/{name}")
    assert refused.value.head.startswith("HTTP/1.1 426 ") and "X-Why: policy" in refused.value.head
    assert refused.value.body == b"no thanks"
    assert up.requests[-1].get("Upgrade") == ["websocket"]


@pytest.mark.parametrize("answer", ["unasked", "silent"])
def test_a_101_that_makes_no_sense_is_a_502(gateway, function, answer):
    def handler(sock, request):
        sock.sendall(b"HTTP/1.1 101 X\r\n" + (b"Upgrade: x\r\n" if answer == "unasked" else b"") + b"\r\n")
        sock.recv(1)
        return "close"

    name, _ = function(gateway, handler)
    headers = {} if answer == "unasked" else {"Upgrade": "x", "Connection": "Upgrade"}
    refused = gateway.invoke(name, method="GET", headers=headers)
    assert refused.status == 502 and "an upgrade that" in refused.json()["error"]
    wait_until(lambda: in_flight(gateway, name) == 0, "the slot to be free")


def test_a_101_before_the_end_of_the_body_is_a_502(gateway, function):
    def handler(sock, request):
        sock.sendall(b"HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n")
        while sock.recv(1000):
            pass
        return "close"

    name, _ = function(gateway, handler)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as s:
        s.sendall(b"POST /function/%s HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\nConnection: upgrade\r\nContent-Length: 9\r\n\r\nabc"
                  % name.encode())
        assert s.recv(1000).startswith(b"HTTP/1.1 502 ")


def test_a_tunnel_outlives_every_other_deadline_and_holds_its_place(gateway, function):
    name, _ = function(gateway, echo, **{"com.openfaas.max_inflight": "1"})
    ws = websocket.connect(gateway.port, f"/function/{name}")
    time.sleep(2.5)  # upstream_timeout, read_timeout and write_timeout are a second each
    assert gateway.invoke(name).status == 429
    ws.send(b"still here")
    assert ws.receive() == (websocket.BINARY, b"still here")
    ws.sock.close()
    wait_until(lambda: in_flight(gateway, name) == 0, "the slot to be free")
    websocket.connect(gateway.port, f"/function/{name}").sock.close()


def test_an_idle_tunnel_can_be_given_a_limit(gateways, function):
    g = gateways(provider="memory", tunnel_idle_timeout="1s")
    name, _ = function(g, echo)
    ws = websocket.connect(g.port, f"/function/{name}")
    for _ in range(4):
        time.sleep(0.4)
        ws.send(b"x")
        ws.receive()
    with pytest.raises(ConnectionError):
        ws.receive()
    assert "tunnel_idle_timeout=1s" in record(g, name)["error"]


def test_half_a_tunnel_is_not_kept_for_ever(gateways, function):
    def handler(sock, request):
        sock.sendall(b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n")
        return "close"

    g = gateways(provider="memory", stream_idle_timeout="1s")
    name, _ = function(g, handler)
    with socket.create_connection(("127.0.0.1", g.port), timeout=10) as s:
        s.sendall(b"GET /function/%s HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" % name.encode())
        while s.recv(1000):
            pass  # the function's end
        assert "stream_idle_timeout=1s" in record(g, name)["error"]


def test_a_stopping_gateway_waits_for_tunnels_and_then_cuts_them(gateways, function):
    g = gateways(provider="memory", drain_timeout="1s")
    name, _ = function(g, echo)
    ws = websocket.connect(g.port, f"/function/{name}")
    started = time.monotonic()
    g.process.terminate()
    ws.send(b"while it drains")
    assert ws.receive() == (websocket.BINARY, b"while it drains")
    with pytest.raises(ConnectionError):
        ws.receive()
    assert g.process.wait(10) == 0 and 0.9 < time.monotonic() - started < 5
    assert record(g, name)["status"] == 101


def test_a_tunnel_that_ends_lets_the_gateway_stop(gateways, function):
    g = gateways(provider="memory", drain_timeout="20s")
    name, _ = function(g, echo)
    ws = websocket.connect(g.port, f"/function/{name}")
    g.process.terminate()
    ws.send(struct.pack(">H", 1001), websocket.CLOSE)
    ws.receive()
    ws.sock.close()
    assert g.process.wait(5) == 0


def test_many_tunnels_leave_nothing_behind(gateway, function):
    name, up = function(gateway, echo)
    gateway.invoke(name + "-nobody")  # descriptors that stay are open by now
    before = descriptors(gateway.pid)
    for _ in range(5):
        tunnels = [websocket.connect(gateway.port, f"/function/{name}") for _ in range(40)]
        for ws in tunnels:
            ws.send(b"x" * 1000)
        for ws in tunnels:
            assert ws.receive()[1] == b"x" * 1000
        assert in_flight(gateway, name) == 40
        for i, ws in enumerate(tunnels):
            if i % 2:
                ws.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            ws.sock.close()
        wait_until(lambda: in_flight(gateway, name) == 0, "the slots to be free")
    wait_until(lambda: descriptors(gateway.pid) <= before + 2, "the descriptors to close")
