"""As much of RFC 6455 as a test needs, both sides. Standard library only."""
import base64
import hashlib
import os
import socket
import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_key(key):
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def masked(data, mask):
    """Whole words at once: large frames would take seconds otherwise."""
    n = len(data)
    pattern = int.from_bytes(mask * (n // 4 + 1), "little") & ((1 << (8 * n)) - 1)
    return (int.from_bytes(data, "little") ^ pattern).to_bytes(n, "little")


class Stream:
    """Frames over a connected socket."""

    def __init__(self, sock, rest=b"", client=True):
        self.sock, self.rest, self.client = sock, rest, client

    def read(self, n):
        parts, have = [self.rest], len(self.rest)
        while have < n:
            piece = self.sock.recv(1 << 20)
            if not piece:
                raise ConnectionError("the peer ended")
            parts.append(piece)
            have += len(piece)
        data = b"".join(parts)
        self.rest = data[n:]
        return data[:n]

    def send(self, data, opcode=BINARY, fin=True):
        head = bytes([opcode | (0x80 if fin else 0)])
        bit = 0x80 if self.client else 0
        if len(data) < 126:
            head += bytes([bit | len(data)])
        elif len(data) < 1 << 16:
            head += struct.pack(">BH", bit | 126, len(data))
        else:
            head += struct.pack(">BQ", bit | 127, len(data))
        if self.client:
            mask = os.urandom(4)
            head, data = head + mask, masked(data, mask)
        self.sock.sendall(head + data)

    def receive(self):
        """(opcode, payload) of one frame."""
        first, second = self.read(2)
        n = second & 0x7F
        if n == 126:
            (n,) = struct.unpack(">H", self.read(2))
        elif n == 127:
            (n,) = struct.unpack(">Q", self.read(8))
        mask = self.read(4) if second & 0x80 else b""
        data = self.read(n)
        return first & 0x0F, masked(data, mask) if mask else data


class Refused(Exception):
    def __init__(self, head, body):
        super().__init__(head)
        self.head, self.body = head, body


def connect(port, path, headers=(), early=b"", timeout=20):
    """A client's Stream after the handshake; .head is the answer. early goes out with the request."""
    key = base64.b64encode(os.urandom(16)).decode()
    sock = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: keep-alive, Upgrade", "Upgrade: websocket",
             "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", *headers, "", ""]
    sock.sendall("\r\n".join(lines).encode() + early)
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            break
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    head = head.decode("latin-1")
    if not head.startswith("HTTP/1.1 101 "):
        with sock:
            sock.shutdown(socket.SHUT_WR)
            while piece := sock.recv(65536):
                rest += piece
        raise Refused(head, rest)
    fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in head.split("\r\n")[1:])}
    assert fields["upgrade"].lower() == "websocket" and fields["connection"].lower() == "upgrade", head
    assert fields["sec-websocket-accept"] == accept_key(key), head
    stream = Stream(sock, rest)
    stream.head = head
    return stream


def shake_hands(connection, request):
    """A server's side, for upstream.Upstream: answers the request and returns the Stream."""
    assert request.get("Upgrade")[0].lower() == "websocket" and "upgrade" in request.get("Connection")[0].lower()
    key = request.get("Sec-WebSocket-Key")[0]
    connection.sendall(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n").encode())
    stream = Stream(connection, request.rest, client=False)
    request.rest = b""
    return stream


def echo(stream):
    """Until the client closes, as RFC 6455 wants it; True: in order."""
    while True:
        opcode, data = stream.receive()
        if opcode == PING:
            stream.send(data, PONG)
        elif opcode == CLOSE:
            stream.send(data, CLOSE)
            return True
        else:
            stream.send(data, opcode)
