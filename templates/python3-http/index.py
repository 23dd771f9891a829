"""Serves the handler over HTTP. The watchdog starts this once, names the port, and sends requests here."""

import collections.abc
import http.server
import json
import os
import signal
import socket
import sys
import threading
import traceback
import urllib.parse

# Packages from requirements.txt; behind our own folder, so that none of them can hide the handler.
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "packages"))

from function import handler  # noqa: E402

# Said by the server itself, whatever the handler thinks.
FRAMING = {"connection", "content-length", "keep-alive", "transfer-encoding"}


class Query(dict):
    """Query parameters: the first value by name, all of them by getlist(name)."""

    def __init__(self, text):
        self._all = urllib.parse.parse_qs(text, keep_blank_values=True)
        super().__init__((name, values[0]) for name, values in self._all.items())

    def getlist(self, name):
        return self._all.get(name, [])


class Event:
    def __init__(self, request, body):
        target = urllib.parse.urlsplit(request.path)
        self.body = body
        self.headers = request.headers
        self.method = request.command
        self.query = Query(target.query)
        self.path = urllib.parse.unquote(target.path)


class Context:
    def __init__(self):
        self.hostname = os.environ.get("HOSTNAME", "localhost")


def is_response(answer):
    return isinstance(answer, dict) and not answer.keys().isdisjoint({"statusCode", "body", "headers"})


def unpack(answer):
    """Status, headers and body of {"statusCode", "headers", "body"}, of (body, status, headers), or of a
    body alone."""
    if is_response(answer):
        return answer.get("statusCode", 200), answer.get("headers") or {}, answer.get("body", "")
    if isinstance(answer, tuple):
        body, status, headers = answer + (None, 200, None)[len(answer):]
        return status, headers or {}, body
    return 200, {}, answer


def encode(body):
    """The body's bytes and what type they are; bytes are None for what comes piece by piece."""
    if body is None:
        return b"", None
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body), None
    if isinstance(body, str):
        return body.encode("utf-8", "surrogateescape"), "text/html; charset=utf-8"
    if isinstance(body, collections.abc.Iterator):
        return None, None
    return json.dumps(body, ensure_ascii=False).encode("utf-8"), "application/json"


def header_lines(headers, content_type):
    """As bytes. A value that is a list makes a line for each of its items."""
    pairs = headers.items() if hasattr(headers, "items") else headers
    lines = []
    for name, value in pairs:
        if name.lower() in FRAMING:
            continue
        if name.lower() == "content-type":
            content_type = None
        for item in value if isinstance(value, (list, tuple)) else [value]:
            line = f"{name}: {item}"
            if "\r" in line or "\n" in line:
                raise ValueError(f"header {name!r} has a line feed in it")
            lines.append(line)
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8")


class InFlight:
    """How many requests are being answered, so that the end can wait for them."""

    def __init__(self):
        self._changed = threading.Condition()
        self._count = 0

    def __enter__(self):
        with self._changed:
            self._count += 1

    def __exit__(self, *exc):
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def wait_for_none(self):
        with self._changed:
            self._changed.wait_for(lambda: self._count == 0)


in_flight = InFlight()


class Requests(http.server.BaseHTTPRequestHandler):
    """The requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rbufsize = 65536

    def __getattr__(self, name):
        if name.startswith("do_"):  # any method is the handler's business
            return self.answer
        raise AttributeError(name)

    def log_message(self, *args):
        pass

    def read_chunks(self):
        body = bytearray()
        while True:
            size = int(self.rfile.readline(1024).split(b";")[0], 16)
            if size == 0:
                while self.rfile.readline(65536).strip():  # trailers
                    pass
                return bytes(body)
            body += self.rfile.read(size)
            self.rfile.readline(1024)

    def read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self.read_chunks()
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionError("the request's body ends too early")
        return body

    def run_handler(self, body):
        """Everything that can still become a 500: the head, and the body or where it comes from."""
        try:
            status, headers, answer = unpack(handler.handle(Event(self, body), Context()))
            data, content_type = encode(answer)
            return int(status), header_lines(headers, content_type), data, answer
        except Exception:
            traceback.print_exc()
            return 500, b"Content-Type: text/plain\r\n", b"Internal Server Error\n", None

    def answer(self):
        with in_flight:
            try:
                body = self.read_body()
            except (ConnectionError, ValueError):
                self.close_connection = True
                return
            status, head, data, pieces = self.run_handler(body)
            reason = self.responses.get(status, ("Status",))[0]
            line = f"HTTP/1.1 {status} {reason}\r\n".encode()
            bare = self.command == "HEAD"
            if data is None:
                self.write_pieces(line + head, pieces, bare)
            elif status < 200 or status in (204, 304):
                self.wfile.write(line + head + b"\r\n")
            else:
                head += f"Content-Length: {len(data)}\r\n\r\n".encode()
                self.wfile.write(line + head + (b"" if bare else data))

    def write_pieces(self, head, pieces, bare):
        """A generator's body goes out as it comes; a failure in it ends the connection, not the body."""
        self.wfile.write(head + b"Transfer-Encoding: chunked\r\n\r\n")
        if bare:
            return
        try:
            for piece in pieces:
                data = encode(piece)[0]
                if data:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
            self.wfile.write(b"0\r\n\r\n")
        except Exception:
            traceback.print_exc()
            self.close_connection = True


def serve_connection(connection, peer):
    try:
        with connection:
            Requests(connection, peer, None)
    except OSError:
        pass  # the other side has left


def accept_all(listener):
    while True:
        try:
            connection, peer = listener.accept()
        except OSError:
            return
        threading.Thread(target=serve_connection, args=(connection, peer), daemon=True).start()


def main():
    sys.stdout.reconfigure(line_buffering=True)  # what is printed is a log line at once
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    port = int(os.environ.get("http_port") or os.environ.get("PORT") or 5000)
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    threading.Thread(target=accept_all, args=(listener,), daemon=True).start()
    stop.wait()
    listener.shutdown(socket.SHUT_RD)
    in_flight.wait_for_none()
    sys.stdout.flush()
    os._exit(0)  # kept-alive connections have threads that wait for ever


if __name__ == "__main__":
    main()
