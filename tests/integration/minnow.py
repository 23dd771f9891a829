"""Real programs on free ports, for the integration suite. Standard library only."""
import base64
import contextlib
import http.client
import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import threading
import time
import urllib.parse

BIN = os.environ.get("BIN") or os.path.join(os.path.dirname(__file__), "../../build/release/bin")
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
NS = "openfaas-fn"


# A sanitizer reserves terabytes, so under a memory limit only the plain program can run.
PLAIN_WATCHDOG = os.path.join(ROOT, "build/release/bin/fwatchdog")


def program(name):
    return os.path.abspath(os.path.join(BIN, name))


def wait_until(condition, what, limit=20.0):
    """Polls an outside effect that cannot be waited for otherwise."""
    deadline = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"timed out waiting for {what}"
        time.sleep(0.01)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:300]!r}>"


class Gateway:
    """One faas-gateway over a state folder that survives restarts."""

    def __init__(self, state=None, **settings):
        self.own_state = state is None
        self.state = state or tempfile.mkdtemp(prefix="minnow-it-")
        os.chmod(self.state, 0o711)  # functions run as other users and pass through
        self.settings = settings
        self.process = None
        self.records = []
        self.start()

    def start(self):
        options = {"port": 0, "metrics_port": 0, "state_dir": self.state, "log_format": "json",
                   "loops": 2, **self.settings}
        argv = [program("faas-gateway")] + [f"--{k.replace('_', '-')}={v}" for k, v in options.items()]
        # Under AddressSanitizer freed memory is kept for a while; little, or it would look like growth.
        env = {"ASAN_OPTIONS": "quarantine_size_mb=1", **os.environ}
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, env=env)
        serving = threading.Event()
        self.port = None
        threading.Thread(target=self._read_log, args=(self.process, serving), daemon=True).start()
        if not serving.wait(30) or self.port is None:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"no start: {self.log_tail()}")
        self.password = None
        if options.get("basic_auth", "true") == "true":
            with open(os.path.join(self.state, "auth/basic-auth-password")) as f:
                self.password = f.read().strip()

    def _read_log(self, process, serving):
        for line in process.stderr:
            try:
                record = json.loads(line)
            except ValueError:
                record = {"msg": line.decode(errors="replace")}
            self.records.append(record)
            if record.get("msg") == "serving":
                self.port, self.metrics_port = record["port"], record["metrics_port"]
                serving.set()
        serving.set()

    def log_tail(self):
        return self.records[-5:]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, limit=40):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(limit)
        assert code == 0, f"exit {code}: {self.log_tail()}"

    def close(self):
        try:
            self.stop()
        finally:
            if self.process.poll() is None:
                self.kill()
            if self.own_state:
                shutil.rmtree(self.state, ignore_errors=True)

    # --- HTTP ---
    def call(self, method, path, body=None, headers=None, timeout=30, auth=False):
        headers = dict(headers or {})
        if auth and self.password:
            token = base64.b64encode(f"admin:{self.password}".encode()).decode()
            headers.setdefault("Authorization", f"Basic {token}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def api(self, method, path, obj=None, expect=None, **kw):
        body = None if obj is None else json.dumps(obj).encode()
        answer = self.call(method, path, body, auth=True, **kw)
        if expect is not None:
            assert answer.status == expect, answer
        return answer

    def invoke(self, name, body=b"", method="POST", path="", headers=None, **kw):
        return self.call(method, f"/function/{name}{path}", body, headers, **kw)

    def metrics(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()

    # --- functions ---
    def push(self, image, fprocess, files=None, environment=None):
        answer = self.call("PUT", "/system/images?name=" + urllib.parse.quote(image, safe=""),
                           bundle(fprocess, files, environment), {"Content-Type": "application/x-tar"},
                           auth=True)
        assert answer.status == 201, answer
        return answer.json()

    def status(self, name):
        return self.api("GET", f"/system/function/{name}", expect=200).json()

    def wait_ready(self, name, replicas=1):
        wait_until(lambda: self.status(name).get("availableReplicas", 0) == replicas,
                   f"{replicas} ready replicas of {name}")

    def deploy(self, name, fprocess="cat", files=None, ready=True, **spec):
        """Pushes a bundle of its own for the function and deploys it."""
        image = spec.pop("image", None)
        if image is None:
            image = f"{name}:latest"
            self.push(image, fprocess, files)
        spec = {"service": name, "image": image, **spec}
        self.api("POST", "/system/functions", spec, expect=202)
        if ready:
            replicas = int((spec.get("labels") or {}).get("com.openfaas.scale.min", 1))
            self.wait_ready(name, replicas)
        return spec

    def remove(self, name):
        return self.api("DELETE", "/system/functions", {"functionName": name})

    # --- processes ---
    def children(self):
        """Pids of all descendants."""
        return descendants(self.pid)


def bundle(fprocess, files=None, environment=None):
    """A function bundle as faas-cli would push it: files is {path: (content, mode)} or {path: content}."""
    manifest = {"version": 1, "language": "test", "fprocess": fprocess}
    if environment:
        manifest["environment"] = environment
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, content in {"bundle.json": json.dumps(manifest), **(files or {})}.items():
            content, mode = content if isinstance(content, tuple) else (content, 0o644)
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(data), mode
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def descendants(pid):
    found, todo = [], [pid]
    while todo:
        parent = todo.pop()
        try:
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children") as f:
                    kids = [int(p) for p in f.read().split()]
                found += kids
                todo += kids
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):  # it may go while it is looked at
        return ""


def environment(pid):
    """Its environment as text; empty when it is gone."""
    try:
        with open(f"/proc/{pid}/environ") as f:
            return f.read()
    except OSError:
        return ""


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


def memory_kib(pid, field="RssAnon"):
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise AssertionError(field)


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
