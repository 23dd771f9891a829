"""A function that speaks HTTP itself, for mode=http: http_function.py PORT WHAT [N].

WHAT is echo (the body, as it comes), zeros (N of them), slow (N seconds, then "done") or target (of the
request, as it came)."""
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE = 1 << 20


class Function(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self):
        """The request's body in pieces, whatever frames it."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return
        left = int(self.headers.get("Content-Length", 0))
        while left > 0:
            piece = self.rfile.read1(min(left, PIECE))
            if not piece:
                raise ConnectionError("the client left")
            left -= len(piece)
            yield piece

    def head(self, length):
        self.send_response(200)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def echo(self):
        length = self.headers.get("Content-Length")
        chunked = length is None and self.headers.get("Transfer-Encoding")
        self.head(None if chunked else length or 0)
        for piece in self.body():
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def answer(self, data):
        for _ in self.body():
            pass
        self.head(len(data))
        self.wfile.write(data)

    def zeros(self, n):
        for _ in self.body():
            pass
        self.head(n)
        for at in range(0, n, PIECE):
            self.wfile.write(bytes(min(PIECE, n - at)))

    def serve(self):
        what = sys.argv[2]
        try:
            if what == "echo":
                self.echo()
            elif what == "zeros":
                self.zeros(int(sys.argv[3]))
            elif what == "slow":
                time.sleep(float(sys.argv[3]))
                self.answer(b"done")
            else:
                self.answer(self.requestline.split(" ")[1].encode("latin-1"))  # path has been tidied
        except OSError:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_FOO = serve

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


Server(("127.0.0.1", int(sys.argv[1])), Function).serve_forever()
