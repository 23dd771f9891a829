"""A redis-server of its own on a unix socket, and just enough of its protocol to look inside."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile

from minnow import wait_until


class Redis:
    def __init__(self, *args):
        self.dir = tempfile.mkdtemp(prefix="minnow-redis-")
        self.path = os.path.join(self.dir, "s")
        self.args = args
        self.process = None
        self.start()

    @property
    def url(self):
        return f"unix://{self.path}"

    def start(self, *args):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--dir", self.dir, "--save",
             "", "--appendonly", "yes", "--appendfsync", "always", *self.args, *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.answers, "redis")

    def answers(self):
        try:
            return self("PING") == "PONG"
        except (OSError, RuntimeError):
            return False

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        self.signal(signal.SIGCONT)
        self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __call__(self, *words):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(self.path)
            parts = [str(w).encode() for w in words]
            s.sendall(b"*%d\r\n" % len(parts)
                      + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
            return read(s.makefile("rb"))

    def call(self, call_id):
        """The hash of one call, with what it does not say about a first attempt."""
        flat = self("HGETALL", f"minnow:call:{call_id}")
        call = dict(zip(flat[::2], flat[1::2])) or self.done(call_id) or self.fresh(call_id)
        if call:
            call.setdefault("n", "1")
        if call.get("s") == "queued" and self.is_taken(f"minnow:queue:{call['q']}", call["e"]):
            call["s"] = "running"
        return call

    def done(self, call_id, prefix="minnow:"):
        """What its record says of it; gateway/async/done.h says how that is made."""
        head, _, rest = (self("GET", f"{prefix}done:{call_id}") or "").partition("\n")
        if not head:
            return {}
        status, began, finished, function, queue, n = head.split()
        return {"s": "done", "st": status, "at": began, "fin": finished, "f": function, "q": queue,
                "h": rest[:int(n)], "result": rest[int(n):]}

    def result(self, call_id, prefix="minnow:"):
        return self("GET", f"{prefix}result:{call_id}") or self.done(call_id, prefix).get("result")

    def fresh(self, call_id):
        """What its entry alone says of it; gateway/async/call_id.h says how its id is made."""
        digits = call_id.replace("-", "")
        if len(call_id) != 36 or (call_id[14], call_id[19]) != ("8", "8"):
            return {}
        entry = f"{int(digits[:12], 16)}-{int(digits[13:16] + digits[17:23], 16)}"
        for queue in self("SMEMBERS", "minnow:queues"):
            for _, fields in self("XRANGE", f"minnow:queue:{queue}", entry, entry):
                if fields[:2] == ["r", digits[23:]]:
                    return {"s": "queued", "f": fields[3], "q": queue, "e": entry}
        return {}

    def ids(self, stream, entry):
        """Of the calls of one entry, that is of one or none."""
        for _, (kind, value, *_rest) in self("XRANGE", stream, entry, entry):
            if kind == "r":
                ms, sequence = (int(n) for n in entry.split("-"))
                digits = f"{ms:012x}8{sequence >> 24:03x}8{sequence & 0xffffff:06x}{value}"
                value = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
            yield value

    def is_taken(self, stream, entry):
        return bool(self("XPENDING", stream, "workers", entry, entry, 1))


def read(f):
    line = f.readline()[:-2]
    kind, rest = line[:1], line[1:].decode()
    if kind == b"+":
        return rest
    if kind == b"-":
        raise RuntimeError(rest)
    if kind == b":":
        return int(rest)
    if kind == b"$":
        if rest == "-1":
            return None
        data = f.read(int(rest) + 2)[:-2]
        return data.decode("utf-8", "surrogateescape")
    return None if rest == "-1" else [read(f) for _ in range(int(rest))]
