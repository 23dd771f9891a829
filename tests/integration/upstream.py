"""A function's stand-in: a socket server whose behaviour each test writes itself."""
import socket
import threading


class Upstream:
    """Calls handler(connection, request) for every request head received; request is a Request."""

    def __init__(self, handler):
        self.handler = handler
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.connections = []
        self.closed = 0  # by the handler's wish or the client's
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        data = b""
        try:
            while True:
                while b"\r\n\r\n" not in data:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    data += piece
                head, data = data.split(b"\r\n\r\n", 1)
                request = Request(connection, head, data)
                self.requests.append(request)
                if self.handler(connection, request) == "close":
                    return
                data = request.rest
        except OSError:
            pass
        finally:
            connection.close()
            self.closed += 1

    def close(self):
        self.listener.close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Request:
    def __init__(self, connection, head, rest):
        self.connection = connection
        self.raw = head
        lines = head.decode("latin-1").split("\r\n")
        self.line = lines[0]
        self.method, self.target, _ = lines[0].split(" ")
        self.headers = [tuple(line.split(": ", 1)) for line in lines[1:]]
        self.rest = rest

    def get(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    def read(self, n):
        """n bytes of body."""
        while len(self.rest) < n:
            piece = self.connection.recv(65536)
            if not piece:
                raise OSError("client left")
            self.rest += piece
        body, self.rest = self.rest[:n], self.rest[n:]
        return body

    def read_line(self):
        while b"\r\n" not in self.rest:
            piece = self.connection.recv(65536)
            if not piece:
                raise OSError("client left")
            self.rest += piece
        line, self.rest = self.rest.split(b"\r\n", 1)
        return line

    def body(self):
        if self.get("Transfer-Encoding"):
            out = b""
            while True:
                size = int(self.read_line(), 16)
                out += self.read(size)
                self.read_line()
                if size == 0:
                    return out
        return self.read(int((self.get("Content-Length") or ["0"])[0]))


def reply(body=b"", status="200 OK", headers=()):
    """A handler that always gives the same answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]

    def handler(connection, request):
        request.body()
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if request.method == "HEAD" else body))

    return handler
