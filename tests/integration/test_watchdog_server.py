"""The watchdog's HTTP server in every mode: a mode is a row of MODES. Tests named line_N are lines of the
robustness checklist of the watchdogs' specification.

BIG_BODY_MIB sets the size of the largest bodies, 1024 unless set: the checklist's 5 GB are 5120."""
import hashlib
import os
import random
import re
import shutil
import socket
import struct
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest

from issuer import Issuer
from minnow import memory_kib
from watchdog_helpers import TIMEOUT, Connection, Watchdog, free_port, in_threads, render

SOON = 0.6  # seconds beyond a deadline within which its consequence must be there
MIB = 1 << 20
BIG = int(os.environ.get("BIG_BODY_MIB", "1024")) * MIB
HTTP_FUNCTION = os.path.join(os.path.dirname(os.path.abspath(__file__)), "http_function.py")
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() resets


# --- modes ---

class Forks:
    """A process for each request."""

    target = "/"
    echoes = True

    def __init__(self, name, streams=False, **settings):
        self.name, self.streams, self.settings = name, streams, settings

    @contextmanager
    def start(self, what, n=0, **settings):
        function = {"echo": dict(fprocess="cat"), "zeros": dict(fprocess=f"head -c {n} /dev/zero"),
                    "slow": dict(script=f"sleep {n}; echo done"),
                    "target": dict(script='printf %s "$Http_Path"; [ -z "$Http_Query" ] || printf ?%s "$Http_Query"')}
        with Watchdog(**{**function[what], **self.settings, **settings}) as wd:
            yield wd


class Http:
    """One process that speaks HTTP itself."""

    target = "/"
    name = "http"
    echoes = streams = True

    @contextmanager
    def start(self, what, n=0, **settings):
        port = free_port()
        with Watchdog(f"/usr/bin/python3 {HTTP_FUNCTION} {port} {what} {n}", mode="http",
                      upstream_url=f"http://127.0.0.1:{port}", **settings) as wd:
            wd.wait_for(lambda: wd.request(target="/_/ready").status in (200, 429), "readiness")
            yield wd


class Static:
    """Files. Whoever takes a large one keeps the watchdog busy."""

    target = "/file"
    name = "static"
    streams = True
    echoes = False

    @contextmanager
    def start(self, what, n=0, **settings):
        folder = tempfile.mkdtemp(prefix="wd-files-")
        try:
            with open(os.path.join(folder, "file"), "wb") as f:
                f.truncate(n if what == "zeros" else 64 * MIB if what == "slow" else 4)
            with Watchdog(mode="static", static_path=folder, **settings) as wd:
                yield wd
        finally:
            shutil.rmtree(folder)


MODES = [
    Forks("classic"),
    Forks("streaming", mode="streaming", streams=True),
    Forks("serializing", mode="serializing"),
    Http(),
    Static(),
]
every_mode = pytest.mark.parametrize("mode", MODES, ids=lambda m: m.name)
echoing_mode = pytest.mark.parametrize("mode", [m for m in MODES if m.echoes], ids=lambda m: m.name)
streaming_mode = pytest.mark.parametrize("mode", [m for m in MODES if m.streams and m.echoes], ids=lambda m: m.name)


# --- help ---

def until_closed(c):
    """Everything that still comes, to the end or to a reset."""
    try:
        while c.fill():
            pass
    except ConnectionResetError:
        pass
    return c.buffer


def in_flight(wd):
    return wd.metrics()["http_requests_in_flight"]


def small_window(port):
    """A connection that takes little before it is read from."""
    c = Connection.__new__(Connection)
    c.sock, c.buffer = socket.socket(), b""
    c.sock.settimeout(TIMEOUT)
    c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    c.sock.connect(("127.0.0.1", port))
    return c


def occupy(wd, mode):
    """A connection whose request (of the function "slow") is being served."""
    c = small_window(wd.port)
    c.send(render(target=mode.target))
    wd.wait_for(lambda: in_flight(wd) >= 1, "a request in flight")
    return c


def drip(wd, head, piece, pause=0.1):
    """Sends head and then piece after piece; returns what came back and the time until the end."""
    with wd.connect() as c:
        c.send(head)
        start = time.monotonic()
        c.sock.settimeout(pause)
        while True:
            try:
                c.send(piece)
                if not c.fill():
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        return c.buffer, time.monotonic() - start


def looks_whole(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: (\d+)", head, re.I)
    if length:
        return len(body) >= int(length.group(1))
    return b"chunked" not in head.lower() or (b"\r\n" + body).endswith(b"\r\n0\r\n\r\n")


def status_of(data):
    return int(data.split(b" ", 2)[1]) if data.startswith(b"HTTP/1.1 ") else None


# --- 15 ---

@every_mode
def test_line_15_slow_heads_and_idle_connections_end_at_read_timeout(mode):
    with mode.start("echo", read_timeout="800ms") as wd, wd.connect() as idle:
        assert idle.request(target=mode.target).status == 200
        start = time.monotonic()
        drips = in_threads(20, lambda i: drip(wd, b"GET / HTTP/1.1\r\nHost: h\r\nX-Slow: ", b"%d" % (i % 10)))
        for answer, took in drips:
            assert 0.7 < took < 0.8 + SOON, took
            assert status_of(answer) in (None, 408), answer
        assert until_closed(idle) == b""
        assert 0.7 < time.monotonic() - start < 0.8 + 2 * SOON
        assert wd.request(target=mode.target).status == 200


@echoing_mode
def test_line_15_slow_bodies_end_at_read_timeout(mode):
    with mode.start("echo", read_timeout="800ms") as wd:
        for head, piece in ((b"Content-Length: 1000000", b"x"), (b"Transfer-Encoding: chunked", b"1\r\nx\r\n")):
            answer, took = drip(wd, b"POST / HTTP/1.1\r\nHost: h\r\n" + head + b"\r\n\r\n", piece)
            assert 0.7 < took < 0.8 + SOON, took
            # Where the answer had begun it is visibly incomplete.
            assert status_of(answer) in (None, 400, 408, 500, 502, 504) or not looks_whole(answer), answer
        wd.wait_for(lambda: in_flight(wd) == 0, "in flight 0")
        assert wd.request("POST", "/", [], b"x").body == b"x"


# --- 16 ---

@every_mode
@pytest.mark.parametrize("how", ["close", "reset"])
def test_line_16_clients_that_leave_leave_nothing_behind(mode, how):
    def leave(c):
        if how == "reset":
            c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        c.sock.close()

    with mode.start("slow", 0.1, max_inflight=3) as wd:
        wd.wait_for(lambda: in_flight(wd) == 0, "in flight 0")
        assert wd.request(target=mode.target).status == 200
        fds = wd.fds()
        before = [b"", b"GET", b"GET / HTTP/1.1\r\nHost: h\r\n", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc",
                  b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"]
        for data in before * 5:
            c = wd.connect()
            c.send(data)
            leave(c)
        wd.wait_for(lambda: in_flight(wd) == 0 and wd.fds() <= fds, "those that came to nothing to end")
        for _ in range(5):
            leave(occupy(wd, mode))  # while it runs
            wd.wait_for(lambda: in_flight(wd) == 0, "in flight 0")
        for _ in range(5):
            c = wd.connect()  # after the beginning of the answer
            c.send(render(target=mode.target))
            c.fill()
            leave(c)
        wd.wait_for(lambda: in_flight(wd) == 0 and wd.fds() <= fds, "in flight 0 and no descriptor more")
        assert set(in_threads(3, lambda _: wd.request(target=mode.target).status)) == {200}  # every place is free


@every_mode
def test_a_client_that_ends_its_sending_direction(mode):
    """It is answered where the original did not stop the call: not in http mode."""
    settings = {"kill_on_disconnect": "false"} if mode.name == "streaming" else {}
    size = 8 * MIB if mode.name == "static" else 0
    with mode.start("zeros" if size else "slow", size or 0.2, **settings) as wd, wd.connect() as c:
        c.send(render(target=mode.target))
        c.sock.shutdown(socket.SHUT_WR)
        if mode.name == "http":
            assert until_closed(c) == b""
        else:
            r = c.response()
            assert r.status == 200 and (len(r.body) == size if size else r.body == b"done\n")
            assert c.at_eof()
        wd.wait_for(lambda: in_flight(wd) == 0, "in flight 0")


# --- 17 ---

@every_mode
def test_line_17_a_slow_reader_holds_up_itself_and_the_function_and_nobody_else(mode):
    size = 512 * MIB if mode.streams else 64 * MIB
    with mode.start("zeros", size, write_timeout="2s", exec_timeout="1500ms") as wd:
        before = memory_kib(wd.pid)
        c = small_window(wd.port)
        c.send(render(target=mode.target))
        start = time.monotonic()
        others = in_threads(4, lambda _: [health(wd) for _ in range(20)])
        assert max(max(row) for row in others) < SOON
        with small_window(wd.port) as other:  # a second one is not held up by the first
            other.send(render(target=mode.target))
            assert other.fill().startswith(b"HTTP/1.1 200 ")
        if mode.streams:
            assert memory_kib(wd.pid) - before < 4 * 1024
        wd.wait_for(lambda: in_flight(wd) == 0, "in flight 0")
        assert time.monotonic() - start > 1.3
        received = until_closed(c)
        assert len(received) < size
        c.sock.close()
        assert wd.health() == 200


def health(wd):
    start = time.monotonic()
    assert wd.health() == 200
    return time.monotonic() - start


@streaming_mode
def test_line_17_memory_is_constant_while_a_client_reads(mode):
    with mode.start("zeros", BIG) as wd, wd.connect() as c:
        before, peak, left = memory_kib(wd.pid), 0, BIG
        c.send(render(target=mode.target))
        _, headers = c.head()
        buffer, seen = bytearray(4 * MIB), len(c.buffer)
        while left > 0 and (n := c.sock.recv_into(buffer)):
            seen += n
            left = BIG - seen
            if seen // (64 * MIB) != (seen - n) // (64 * MIB):
                peak = max(peak, memory_kib(wd.pid))
        assert seen >= BIG and peak - before < 4 * 1024


# --- 18 ---

GOOD = b"POST / HTTP/1.1\r\nHost: h\r\n"
CHUNKED = GOOD + b"Transfer-Encoding: chunked\r\n\r\n"
CUT = None  # as good as a 400, when the head had been accepted

FRAMING = {
    "chunks": (CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", {200}, b"abcde"),
    "no chunk": (CHUNKED + b"0\r\n\r\n", {200}, b""),
    "hexadecimal in both cases": (CHUNKED + b"a\r\n0123456789\r\nA\r\nabcdefghij\r\n0\r\n\r\n", {200}, b"0123456789abcdefghij"),
    "leading zeros": (CHUNKED + b"0003\r\nabc\r\n000\r\n\r\n", {200}, b"abc"),
    "chunk extensions": (CHUNKED + b'3;a=b;c="d"\r\nabc\r\n0;x\r\n\r\n', {200}, b"abc"),
    "trailers": (CHUNKED + b"3\r\nabc\r\n0\r\nX-T: 1\r\nX-U: 2\r\n\r\n", {200}, b"abc"),
    "any case of chunked": (GOOD + b"transfer-encoding: CHUNKED\r\n\r\n1\r\na\r\n0\r\n\r\n", {200}, b"a"),
    "equal lengths": (GOOD + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", {200, 400}, b"abc"),
    "an absolute target": (b"POST http://other/x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\na", {200}, b"a"),
    "HTTP/1.0": (b"POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\na", {200}, b"a"),
    "a huge chunk": (CHUNKED + b"ffffffffffffffffff\r\nabc", {400, 413, CUT}, None),
    "a chunk of 2^64": (CHUNKED + b"10000000000000003\r\nabc\r\n0\r\n\r\n", {400, 413, CUT}, None),
    "a negative chunk": (CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n", {400, CUT}, None),
    "no chunk size": (CHUNKED + b"xyz\r\nabc\r\n0\r\n\r\n", {400, CUT}, None),
    "a prefix before the size": (CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n", {400, CUT}, None),
    "a chunk that is longer than it says": (CHUNKED + b"2\r\nabc\r\n0\r\n\r\n", {400, CUT}, None),
    "a negative length": (GOOD + b"Content-Length: -1\r\n\r\n", {400}, None),
    "a signed length": (GOOD + b"Content-Length: +3\r\n\r\nabc", {400}, None),
    "a length with junk": (GOOD + b"Content-Length: 3x\r\n\r\nabc", {400}, None),
    "a list of lengths": (GOOD + b"Content-Length: 3, 4\r\n\r\nabc", {400}, None),
    "an endless length": (GOOD + b"Content-Length: 99999999999999999999\r\n\r\nabc", {400, 413}, None),
    "different lengths": (GOOD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", {400}, None),
    "length and chunks": (GOOD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", {400}, None),
    "chunks and length": (GOOD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\na\r\n0\r\n\r\n", {400}, None),
    "another encoding": (GOOD + b"Transfer-Encoding: gzip\r\n\r\n", {400, 501}, None),
    "another encoding first": (GOOD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", {400, 501}, None),
    "chunked twice": (GOOD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400, 501}, None),
    "nearly chunked": (GOOD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", {400, 501}, None),
    "chunked with a control": (GOOD + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", {400, 501}, None),
    "chunks in HTTP/1.0": (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}, None),
    "a folded header": (GOOD + b"X-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n", {400}, None),
    "a bare LF": (b"POST / HTTP/1.1\nHost: h\nContent-Length: 0\n\n", {400}, None),
    "a bare LF in between": (GOOD + b"X-A: 1\nContent-Length: 0\r\n\r\n", {400}, None),
    "a bare CR": (GOOD + b"X-A: 1\rX-B: 2\r\nContent-Length: 0\r\n\r\n", {400}, None),
    "a blank before the colon": (GOOD + b"Content-Length : 0\r\n\r\n", {400}, None),
    "a header without a name": (GOOD + b": x\r\nContent-Length: 0\r\n\r\n", {400}, None),
    "a header without a colon": (GOOD + b"nonsense\r\n\r\n", {400}, None),
    "a NUL": (GOOD + b"X-A: a\0b\r\nContent-Length: 0\r\n\r\n", {400}, None),
    "no Host": (b"GET / HTTP/1.1\r\n\r\n", {400}, None),
    "two Hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", {400}, None),
    "no version": (b"GET /\r\n\r\n", {400, 505, CUT}, None),
    "another version": (b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", {400, 505}, None),
    "garbage": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", {400, CUT}, None),
}


@pytest.fixture(scope="module")
def echoing():
    """One watchdog a mode for all these requests: none may do it harm."""
    with ExitStack() as stack:
        yield {m.name: stack.enter_context(m.start("echo")) for m in MODES if m.echoes}


@echoing_mode
@pytest.mark.parametrize("name", FRAMING)
def test_line_18_framing(echoing, mode, name):
    data, statuses, body = FRAMING[name]
    wd = echoing[mode.name]
    with wd.connect() as c:
        c.send(data)
        c.sock.shutdown(socket.SHUT_WR) if CUT in statuses else None
        try:
            r = c.response_or_part()
        except (EOFError, ConnectionResetError):
            r = None
        status = r.status if r and r.complete else CUT
        assert status in statuses, r
        if status == 200 and body is not None:
            assert r.body == body
        if statuses.isdisjoint({200}):  # nothing behind it is taken for a request
            assert not until_closed(c).startswith(b"HTTP/1.1 200")
    assert wd.request("POST", "/", [], b"x").body == b"x"


@echoing_mode
def test_line_18_a_body_that_is_shorter_than_announced_is_no_request(echoing, mode):
    wd = echoing[mode.name]
    for head, part in ((b"Content-Length: 10", b"abc"), (b"Transfer-Encoding: chunked", b"a\r\nabc")):
        with wd.connect() as c:
            c.send(GOOD + head + b"\r\n\r\n" + part)
            c.sock.shutdown(socket.SHUT_WR)
            answer = until_closed(c)
            # An answer that had begun must not look complete.
            assert status_of(answer) in (None, 400, 502) or not looks_whole(answer), answer
    wd.wait_for(lambda: in_flight(wd) == 0, "in flight 0")


@echoing_mode
def test_line_18_what_follows_a_body_is_the_next_request(echoing, mode):
    with echoing[mode.name].connect() as c:
        c.send(GOOD + b"Content-Length: 3\r\n\r\nabcGARBAGE\r\n\r\n")
        assert c.response().body == b"abc"
        assert status_of(until_closed(c)) in (400, None)


@echoing_mode
def test_line_18_pipelined_requests_are_answered_in_order(echoing, mode):
    with echoing[mode.name].connect() as c:
        c.send(b"".join(render("POST", "/", [], b"%d" % i) if i % 2 else CHUNKED + b"1\r\n%d\r\n0\r\n\r\n" % (i % 10)
                        for i in range(20)))
        assert [c.response().body for _ in range(20)] == [b"%d" % (i if i % 2 else i % 10) for i in range(20)]


# --- 19 ---

@echoing_mode
@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 10 * MIB])
def test_line_19_bodies_are_byte_exact(echoing, mode, size):
    body = random.Random(size).randbytes(size)
    pieces = [body[at:at + 100_000] for at in range(0, size, 100_000)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"
    for request in (GOOD + b"Content-Length: %d\r\n\r\n" % size + body, CHUNKED + chunks):
        with echoing[mode.name].connect() as c:
            sender = threading.Thread(target=c.send, args=(request,), daemon=True)
            sender.start()  # while it is read: a stream comes back before it has gone up
            r = c.response()
            sender.join(TIMEOUT)
            assert r.status == 200 and r.body == body


def blocks(total):
    """Pseudo-random bytes that cost little: one block, turned a little further each time."""
    block = random.Random(1).randbytes(MIB)
    for i in range(total // MIB):
        at = i * 4099 % MIB
        yield block[at:] + block[:at]


@streaming_mode
def test_line_19_a_big_body_is_byte_exact_both_ways_in_constant_memory(mode):
    with mode.start("echo", read_timeout="0s", write_timeout="600s", exec_timeout="500s") as wd, wd.connect() as c:
        before, peak, sent = memory_kib(wd.pid), 0, hashlib.blake2b()

        def upload():
            c.send(GOOD + b"Content-Length: %d\r\n\r\n" % BIG)
            for block in blocks(BIG):
                sent.update(block)
                c.send(block)

        sender = threading.Thread(target=upload, daemon=True)
        sender.start()
        got, size = hashlib.blake2b(), 0
        for piece in body_of(c):
            got.update(piece)
            if (size + len(piece)) // (64 * MIB) != size // (64 * MIB):
                peak = max(peak, memory_kib(wd.pid))
            size += len(piece)
        sender.join(TIMEOUT)
        assert size == BIG and got.digest() == sent.digest()
        assert peak - before < 4 * 1024


def body_of(c):
    """The body of a response in pieces."""
    status, headers = c.head()
    assert status == 200
    if "content-length" in headers:
        yield from counted(c, int(headers["content-length"]))
        return
    while size := int(c.line().split(";")[0], 16):
        yield from counted(c, size)
        c.line()


def counted(c, left):
    while left > 0:
        if c.buffer:
            piece, c.buffer = c.buffer[:left], c.buffer[left:]
        else:
            piece = c.sock.recv(min(left, MIB))
        if not piece:
            raise EOFError(f"{left} bytes short")
        left -= len(piece)
        yield piece


def test_line_19_a_big_file_is_sent_in_constant_memory():
    with Static().start("zeros", BIG) as wd, wd.connect() as c:
        before, size, zeros = memory_kib(wd.pid), 0, bytes(MIB)
        c.send(render(target="/file"))
        for piece in body_of(c):
            assert piece == zeros[:len(piece)]
            size += len(piece)
        assert size == BIG and memory_kib(wd.pid) - before < 4 * 1024


# --- 20 ---

@echoing_mode
def test_line_20_expect_100_continue_costs_no_time(echoing, mode):
    wd = echoing[mode.name]
    # A connection each: an answer that begins before the body's end, as an echo's may, ends its own.
    for framing, body in (("Content-Length: 3", b"abc"), ("Transfer-Encoding: chunked", b"3\r\nabc\r\n0\r\n\r\n")):
        with wd.connect() as c:
            start = time.monotonic()
            c.send(GOOD + f"{framing}\r\nExpect: 100-continue\r\n\r\n".encode())
            assert c.line() == "HTTP/1.1 100 Continue" and c.line() == ""
            asked = time.monotonic() - start
            c.send(body)
            assert c.response().body == b"abc"
            assert asked < 0.3 and time.monotonic() - start < SOON
    # Who does not wait is not made to.
    with wd.connect() as c:
        c.send(GOOD + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc")
        assert c.response().body == b"abc"
    with wd.connect() as c:
        c.send(GOOD + b"Content-Length: 3\r\nExpect: miracles\r\n\r\nabc")
        assert c.response().status == 417


# --- 21 ---

@contextmanager
def refusing(mode, status):
    """A watchdog that answers any upload with this status."""
    if status == 413:
        # A function that answers before it has read the body cannot be answered for any more.
        what = ("slow", 0) if mode.name == "http" else ("echo",)
        with mode.start(*what, max_body_size=10) as wd:
            yield wd, "POST"
    elif status == 429:
        with mode.start("slow", 25, max_inflight=1) as wd, occupy(wd, mode):
            yield wd, "POST"
    elif status == 401:
        with Issuer() as issuer, mode.start("echo", jwt_auth="true", jwt_auth_url=issuer.url, OPENFAAS_NAME="f",
                                            OPENFAAS_NAMESPACE="ns") as wd:
            yield wd, "POST"
    else:
        with mode.start("echo") as wd:
            yield wd, "FOO"


REFUSALS = [(m, s) for m in MODES for s in (401, 405, 413, 429) if (s != 405 or m.name == "classic") and (s != 413 or m.echoes)]


@pytest.mark.parametrize("mode,status", REFUSALS, ids=lambda v: str(getattr(v, "name", v)))
def test_line_21_a_refusal_reaches_who_is_still_sending_and_keeps_the_rest_in_step(mode, status):
    with refusing(mode, status) as (wd, method):
        for body in (b"x" * 20 * MIB, b"x" * 20000, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * 1000):
            for framing in (b"Content-Length: %d\r\n\r\n" % len(body), b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body)):
                with wd.connect() as c:
                    c.send(f"{method} {mode.target} HTTP/1.1\r\nHost: h\r\n".encode() + framing)
                    try:
                        c.send(body)
                        if b"chunked" in framing:
                            c.send(b"\r\n0\r\n\r\n")
                    except ConnectionError:
                        pass
                    r = c.response()
                    assert r.status == status, r
                    # Kept, it answers the next request and not what was in the body; or it ends.
                    if r.headers.get("connection", "").lower() != "close":
                        try:
                            c.send(render(method, mode.target, [], b"y" * 100))
                            assert c.response().status == status
                        except (ConnectionError, EOFError):
                            pass
                        c.sock.shutdown(socket.SHUT_WR)
                    assert until_closed(c) == b""


@every_mode
def test_line_21_small_refused_bodies_do_not_cost_the_connection(mode):
    with refusing(mode, 429) as (wd, method), wd.connect() as c:
        for _ in range(5):
            assert c.request(method, mode.target, [], b"x" * 1000).status == 429


# --- 22 ---

PATHS = [("//", "//"), ("/a//b", "/a//b"), ("/a/../b", "/a/../b"), ("/%2e%2e/x", "/../x"), ("/a%2Fb", "/a/b"), ("/x?a;b", "/x?a;b"),
         ("/x?", "/x"), ("/x?a=%20&b#c", "/x?a=%20&b#c"), ("/%C3%A4", "/ä"), ("/" + "p" * 8000, "/" + "p" * 8000),
         ("/_/health/", "/_/health/"), ("/_/healthx", "/_/healthx"), ("http://other:1/abs?q", "/abs?q")]


@echoing_mode
def test_line_22_odd_targets_reach_the_function(mode):
    with mode.start("target") as wd:
        for target, path in PATHS:
            want = target.replace("http://other:1", "") if mode.name == "http" else path
            r = wd.request(target=target)
            assert r.status == 200 and r.body.decode() == want, target


@every_mode
def test_line_22_targets_that_are_refused(mode):
    with mode.start("echo") as wd:
        for target, statuses in (("/" + "p" * 200_000, {414, 431}), ("/?" + "q" * 200_000, {414, 431}), ("/a b", {400, 505}),
                                 ("nonsense", {400}), ("/\x01", {400}), ("", {400})):
            with wd.connect() as c:
                try:
                    c.send(render(target=target))
                except ConnectionError:
                    pass
                assert c.response().status in statuses, target[:20]
        r = wd.request("OPTIONS", "*")
        assert (r.status, r.body) == (200, b"")
        assert wd.request(target=mode.target).status == 200


def test_line_22_no_target_leaves_the_folder():
    with Static().start("zeros", 3) as wd:
        for target in ("/../file", "/%2e%2e/file", "/a/../../file", "/..%2ffile", "/.%2e/%2e./etc/passwd", "//etc/passwd"):
            r = wd.request(target=target)
            assert b"root:" not in r.body and r.status in (200, 301, 400, 404)
            assert r.status != 200 or r.body == b"\0\0\0"


# --- 23 ---

@every_mode
def test_line_23_health_is_quick_with_every_place_taken(mode):
    with mode.start("slow", 3, max_inflight=20) as wd:
        busy = [small_window(wd.port) for _ in range(20)]
        for c in busy:
            c.send(render(target=mode.target))
        wd.wait_for(lambda: in_flight(wd) == 20, "20 requests in flight")
        assert wd.request(target=mode.target).status == 429
        took = sorted(health(wd) for _ in range(30))
        assert took[-3] < 0.1 and took[-1] < SOON  # the machine may have others to serve
        assert in_flight(wd) == 20
        for c in busy:
            c.sock.close()
