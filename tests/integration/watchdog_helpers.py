"""Starts a watchdog on free ports and speaks HTTP to it byte by byte."""
import contextlib
import os
import random
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

WATCHDOG = os.environ.get("WATCHDOG") or os.path.join(os.environ.get("BIN", ""), "fwatchdog")
SANITIZED = os.path.exists(WATCHDOG) and b"__asan_init" in open(WATCHDOG, "rb").read()
TIMEOUT = 20  # nothing here takes that long; what does has hung


def next_ports(first=16384, n=16384):
    """Each of those that run side by side has a range of its own."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    first += n // workers * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    n //= workers
    at = random.SystemRandom().randrange(n)
    while True:
        yield first + at
        at = (at + 1) % n


PORTS = next_ports()


def free_port():
    """Of a range from which the kernel gives none to others, until somebody listens on it."""
    for port in PORTS:
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port


class Response:
    complete = True

    def __init__(self, status, headers, body, interim):
        self.status, self.headers, self.body, self.interim = status, headers, body, interim

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:200]!r}>"


class Connection:
    """A client connection that sends what it is told and parses what comes back."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def fill(self):
        data = self.sock.recv(1 << 16)
        self.buffer += data
        return data

    def at_eof(self):
        """True when the peer has closed, having sent nothing more."""
        try:
            return not self.buffer and not self.fill()
        except ConnectionResetError:
            return True

    def line(self):
        while b"\r\n" not in self.buffer:
            if not self.fill():
                raise EOFError(f"connection closed after {self.buffer!r}")
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode("latin-1")

    def exactly(self, n):
        data, self.buffer = bytearray(self.buffer[:n]), self.buffer[n:]
        while len(data) < n:
            more = self.sock.recv(min(n - len(data), 1 << 20))
            if not more:
                raise EOFError(f"{len(data)} of {n} bytes")
            data += more
        return bytes(data)

    def rest(self):
        data, self.buffer = bytearray(self.buffer), b""
        while more := self.sock.recv(1 << 20):
            data += more
        return bytes(data)

    def head(self):
        status = int(self.line().split(" ")[1])
        headers = {}
        while line := self.line():
            name, _, value = line.partition(":")
            headers.setdefault(name.lower(), value.strip())
        return status, headers

    def response(self, method="GET"):
        interim = []
        status, headers = self.head()
        while 100 <= status < 200:
            interim.append(status)
            status, headers = self.head()
        if method == "HEAD" or status in (204, 304):
            body = b""
        elif headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.line().split(";")[0], 16):
                body += self.exactly(size)
                self.line()
            while self.line():
                pass
        elif "content-length" in headers:
            body = self.exactly(int(headers["content-length"]))
        else:
            body = self.rest()
        return Response(status, headers, body, interim)

    def response_or_part(self):
        """A response that may be cut off: then complete is False and body what there was of it."""
        status, headers = self.head()
        r, body = Response(status, headers, b"", []), bytearray()
        try:
            if "content-length" in headers:
                body += self.exactly(int(headers["content-length"]))
            elif headers.get("transfer-encoding") != "chunked":  # HTTP/1.0
                body += self.rest()
            else:
                while size := int(self.line().split(";")[0], 16):
                    body += self.exactly(size)
                    self.line()
                while self.line():
                    pass
        except (EOFError, ConnectionResetError):
            r.complete = False
        r.body = bytes(body)
        return r

    def upload(self, body):
        return self.exchange(render("POST", "/", [], body))

    def exchange(self, request):
        """The response is read while the request is sent, for it may come early, and the rest of
        the body not be read."""
        def send():
            try:
                self.send(request)
            except ConnectionError:
                pass
        sender = threading.Thread(target=send)
        sender.start()
        try:
            return self.response_or_part()
        finally:
            self.sock.shutdown(socket.SHUT_RDWR)
            sender.join()

    def request(self, method="GET", target="/", headers=(), body=None):
        self.send(render(method, target, headers, body))
        return self.response(method)


def render(method="GET", target="/", headers=(), body=None):
    lines = [f"{method} {target} HTTP/1.1", "Host: f.example"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


class Watchdog:
    """One running watchdog with a temporary folder of its own."""

    def __init__(self, fprocess=None, script=None, wait=True, listen_fd=None, preexec=None,
                 stderr=None, args=(), program=(), **settings):
        self.dir = tempfile.mkdtemp(prefix="wd-")
        self.lock = os.path.join(self.dir, ".lock")
        self.port = free_port()
        if script is not None:
            fprocess = "/bin/sh " + self.file("function.sh", script)
        env = {"PATH": os.environ.get("PATH", "/bin:/usr/bin"), "TMPDIR": self.dir,
               "port": str(self.port), "metrics_port": str(free_port()),
               "healthcheck_interval": "0s"}
        if fprocess is not None:
            env["fprocess"] = fprocess
        env.update({name: str(value) for name, value in settings.items()})
        for name in [n for n, v in env.items() if v == "unset"]:
            del env[name]
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        # Freed memory is not to be kept from the tests that watch it.
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
        self.metrics_port = int(env.get("metrics_port", 8081))
        if listen_fd is not None:
            env["LISTEN_FDS"] = "1"

        def prepare():
            if listen_fd is not None:
                os.dup2(listen_fd, 3, inheritable=True)
            if preexec:
                preexec()

        self.process = subprocess.Popen(
            [*(program or [WATCHDOG]), *args], env=env, cwd=self.dir, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=stderr or subprocess.PIPE, preexec_fn=prepare,
            close_fds=listen_fd is None)
        self.pid = self.process.pid
        self.out, self.log = b"", ""
        self.changed = threading.Condition()
        self.readers = [threading.Thread(target=self._read_out, daemon=True)]
        if not stderr:
            self.readers.append(threading.Thread(target=self._read_log, daemon=True))
        for reader in self.readers:
            reader.start()
        if wait:
            self.wait_healthy()

    def _read_log(self):
        for line in self.process.stderr:
            with self.changed:
                self.log += line.decode("utf-8", "replace")
                self.changed.notify_all()

    def _read_out(self):
        while data := os.read(self.process.stdout.fileno(), 65536):
            with self.changed:
                self.out += data
                self.changed.notify_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def file(self, name, text, mode=0o755):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def path(self, name):
        return os.path.join(self.dir, name)

    def wait_for(self, condition, what, seconds=TIMEOUT):
        """Waits until condition() holds, woken by output and every 2 ms."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"{what} did not come to pass; log:\n{self.log}"
            with self.changed:
                self.changed.wait(0.002)

    def wait_log(self, pattern):
        self.wait_for(lambda: re.search(pattern, self.log), f"log line /{pattern}/")

    def wait_healthy(self):
        def healthy():
            assert self.process.poll() is None, f"exit {self.process.poll()}:\n{self.log}"
            try:
                with self.connect() as c:
                    return c.request(target="/_/health").status in (200, 503)
            except (ConnectionError, EOFError):
                return False
        self.wait_for(healthy, "health")

    def wait_file(self, name):
        self.wait_for(lambda: os.path.exists(self.path(name)), f"file {name}")

    def connect(self):
        return Connection(self.port)

    def request(self, *args, **kwargs):
        with self.connect() as c:
            return c.request(*args, **kwargs)

    def health(self):
        return self.request(target="/_/health").status

    def env_of(self, *args, **kwargs):
        """The environment that the function printed with `env -0` or `env`."""
        body = self.request(*args, **kwargs).body
        sep = b"\0" if b"\0" in body else b"\n"
        return dict(entry.split(b"=", 1) for entry in body.split(sep) if b"=" in entry)

    def metrics(self):
        with Connection(self.metrics_port) as c:
            text = c.request(target="/metrics").body.decode()
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def children(self):
        """(pid, state) of every child process."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as f:
                    state, ppid = f.read().rsplit(")", 1)[1].split()[:2]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(ppid) == self.pid:
                found.append((int(pid), state))
        return found

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait_exit(self):
        status = self.process.wait(TIMEOUT)
        for reader in self.readers:
            reader.join(TIMEOUT)
        return status


def in_threads(n, work, seconds=60):
    """Runs work(i) in n threads and returns the results; an exception in one is raised."""
    results, errors = [None] * n, []

    def run(i):
        try:
            results[i] = work(i)
        except BaseException as e:
            errors.append(e)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(seconds)
    if errors:
        raise errors[0]
    return results


def memory(pid):
    """Resident, in KiB."""
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])


@contextlib.contextmanager
def many_descriptors():
    """For a test that holds a thousand connections itself; 1024 is a common soft limit."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def is_alive(pid):
    """False for zombies too."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def read_pid(path):
    with open(path) as f:
        text = f.read()
    return int(text) if text.endswith("\n") else None


def readable(sock, seconds):
    return bool(select.select([sock], [], [], seconds)[0])


ECHO_SOURCE = r"""
/* Copies stdin to stdout without a C library: the cheapest process there can be. */
static long sys3(long n, long a, const void *b, long c)
{
    long r;
    __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return r;
}

void _start(void)
{
    static char buf[65536];
    long n;

    while ((n = sys3(0, 0, buf, sizeof(buf))) > 0)
        sys3(1, 1, buf, n);
    sys3(60, 0, 0, 0);
}
"""


def build_echo(folder):
    """The path of a function that echoes and costs next to nothing to start."""
    if os.uname().machine != "x86_64":
        return shutil.which("cat")
    source, program = os.path.join(folder, "echo.c"), os.path.join(folder, "echo")
    with open(source, "w") as f:
        f.write(ECHO_SOURCE)
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-static", "-nostdlib",
                    "-fno-stack-protector", "-o", program, source], check=True)
    return program
