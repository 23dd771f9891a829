"""A gateway that says what it is told to and remembers what it was asked, and a way to run faas-cli
in a folder of its own."""

import http.server
import os
import re
import ssl
import subprocess
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("BIN", os.path.join(ROOT, "build/release/bin"))
FUNCTION_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Request:
    def __init__(self, method, target, headers, body):
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body

    def __repr__(self):
        return f"{self.method} {self.target}"


class FakeGateway:
    """Answers by (method, path without query); each answer is (status, body) or a list of those,
    given one after the other, the last for ever. What is not known is 404. With a folder it speaks TLS for
    localhost, and its certificate is the file "cert.pem" there."""

    def __init__(self, tls_folder=None):
        self.answers = {}
        self.redirects = {}  # path: where the client is sent instead
        self.requests = []
        gateway = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.read_chunked() if "chunked" in (
                    self.headers.get("Transfer-Encoding") or "") else self.rfile.read(length)
                gateway.requests.append(Request(self.command, self.path, self.headers, body))
                path = self.path.split("?")[0]
                status, answer = (302, "") if path in gateway.redirects else gateway.next_answer(self.command, path)
                data = answer if isinstance(answer, bytes) else answer.encode()
                self.send_response(status)
                if path in gateway.redirects:
                    self.send_header("Location", gateway.redirects[path])
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def read_chunked(self):
                body = b""
                while True:
                    size = int(self.rfile.readline().split(b";")[0], 16)
                    body += self.rfile.read(size)
                    self.rfile.readline()
                    if size == 0:
                        return body

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        if tls_folder:
            self.wrap(tls_folder)
            self.url = f"https://localhost:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def wrap(self, folder):
        cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
                       check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def on(self, method, path, *answers):
        self.answers[method, path] = list(answers)

    def next_answer(self, method, path):
        known = self.answers.get((method, path))
        if not known:
            return 404, "not found\n"
        return known.pop(0) if len(known) > 1 else known[0]

    def seen(self):
        return [repr(r) for r in self.requests]


class Result:
    def __init__(self, done):
        self.rc = done.returncode
        self.raw = done.stdout
        self.out = done.stdout.decode("utf-8", "replace")
        self.err = done.stderr.decode("utf-8", "replace")

    @property
    def timeless(self):
        """stdout with every "1.23s" as "N.NNs"."""
        return re.sub(r"\d+\.\d\ds", "N.NNs", self.out)

    def __repr__(self):
        return f"rc {self.rc}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Cli:
    def __init__(self, folder, gateway_url):
        self.folder = folder
        self.env = {
            "PATH": FUNCTION_PATH,
            "HOME": os.path.join(folder, "home"),
            "OPENFAAS_URL": gateway_url,
            # Nobody asks the real one by accident.
            "OPENFAAS_TEMPLATE_STORE_URL": gateway_url + "/templates.json",
            # Whatever engine this machine has; tests of builders say otherwise.
            "OPENFAAS_BUILDER": "bundle",
            "GIT_CEILING_DIRECTORIES": os.path.dirname(folder),
        }
        # What a sanitizer or coverage build needs.
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "GCOV_PREFIX"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        os.mkdir(self.env["HOME"])

    def __call__(self, *args, stdin=b"", rc=0, timeout=60, **env):
        """Runs it. It has to end with rc, unless that is None."""
        data = stdin if isinstance(stdin, bytes) else stdin.encode()
        done = subprocess.run(
            [os.path.join(BIN, "faas-cli"), *args], cwd=self.folder, env={**self.env, **env},
            input=data, capture_output=True, timeout=timeout)
        result = Result(done)
        assert rc is None or result.rc == rc, result
        return result

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, path, text, mode=0o644):
        full = self.path(path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as f:
            f.write(text)
        os.chmod(full, mode)

    def read(self, path):
        with open(self.path(path)) as f:
            return f.read()

    def mode(self, path):
        return os.stat(self.path(path)).st_mode & 0o777
