"""Started programs: pinned, measured through /proc, and always ended."""
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

TICK = os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)
_cpus = sorted(os.sched_getaffinity(0))

SERVER_CPU = {_cpus[0]}            # what is measured
LOAD_CPU = {_cpus[-1]}             # wrk and the upstream
ALL_CPUS = set(_cpus)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _stat(pid):
    """The fields of /proc/PID/stat behind the name, or None."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()
    except OSError:
        return None


def descendants(root):
    """root and everything below it that is alive."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            stat = _stat(name)
            if stat:
                parents[int(name)] = int(stat[1])
    tree = [root]
    for pid in tree:
        tree += [p for p, parent in parents.items() if parent == pid]
    return tree


_running = []


@contextlib.contextmanager
def ended_afterwards():
    """Whatever is started inside is ended, however the block is left."""
    before = len(_running)
    try:
        yield
    finally:
        for p in reversed(_running[before:]):
            p.stop()


def child_setup(cpus):
    """For preexec_fn: pinned, and gone when we are, even by kill -9."""
    def in_child():
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, cpus or ALL_CPUS)
    return in_child


class Process:
    def __init__(self, name, argv, env=None, cpus=None, log=None):
        self.name = name
        self.log = log or os.devnull
        with open(self.log, "ab") as out:
            self.popen = subprocess.Popen(
                argv, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=out,
                stderr=out, start_new_session=True, preexec_fn=child_setup(cpus))
        self.pids = [self.popen.pid]
        _running.append(self)

    def wait_ready(self, url, seconds=10, body=None, headers=None):
        """Until url answers 200; returns the answer. Then the process tree is taken as complete."""
        end = time.monotonic() + seconds
        while True:
            if self.popen.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.popen.returncode}: {self.tail()}")
            try:
                answer = fetch(url, body, headers)
                break
            except (OSError, urllib.error.URLError) as e:
                if time.monotonic() > end:
                    raise RuntimeError(f"{self.name} does not answer {url}: {e}; {self.tail()}")
                time.sleep(0.01)
        self.pids = descendants(self.popen.pid)
        return answer

    def tail(self):
        try:
            with open(self.log, "rb") as f:
                return f.read()[-1000:].decode(errors="replace").strip()
        except OSError:
            return ""

    def cpu_seconds(self):
        """(its own, that of children it has waited for), user and system together."""
        own = reaped = 0
        for pid in self.pids:
            stat = _stat(pid)
            if not stat:
                raise RuntimeError(f"{self.name} lost process {pid}: {self.tail()}")
            own += int(stat[11]) + int(stat[12])
            reaped += int(stat[13]) + int(stat[14])
        return own / TICK, reaped / TICK

    def memory_mib(self):
        """(resident, private) of its own processes."""
        rss = private = 0
        for pid in self.pids:
            with open(f"/proc/{pid}/smaps_rollup") as f:
                for line in f:
                    if line.startswith("Rss:"):
                        rss += int(line.split()[1])
                    elif line.startswith("Private_"):
                        private += int(line.split()[1])
        return rss / 1024, private / 1024

    def trim_log(self):
        """A log that is appended to may be cut at any time."""
        if self.log != os.devnull:
            os.truncate(self.log, 0)

    def stop(self):
        if self in _running:
            _running.remove(self)
        tree = descendants(self.popen.pid) if self.popen.poll() is None else []
        self._signal(signal.SIGTERM)
        try:
            self.popen.wait(5)
        except subprocess.TimeoutExpired:
            pass
        self._signal(signal.SIGKILL)
        self.popen.wait()
        for pid in tree[1:]:       # those that made a session of their own and outlived it
            stat = _stat(pid)
            if stat and int(stat[1]) == 1:
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass

    def _signal(self, signo):
        try:
            os.killpg(self.popen.pid, signo)
        except OSError:
            pass


def fetch(url, body=None, headers=None, timeout=5):
    request = urllib.request.Request(url, data=body, headers=headers or {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=timeout) as response:
        return response.read()


def answers(url):
    """One quick try: does it answer 200? Plain sockets, because urllib's own work is milliseconds."""
    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    try:
        with socket.create_connection((name, int(port)), timeout=2) as s:
            s.sendall(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            return b" 200 " in s.recv(64)
    except OSError:
        return False
