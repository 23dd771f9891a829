"""wrk, and one measurement of one server. body: how many bytes are posted; 0: none, by GET."""
import json
import os
import subprocess

import process

HERE = os.path.dirname(os.path.abspath(__file__))


def wrk(url, connections, seconds, body=0, cpus=None):
    env = {**os.environ, "BENCH_BYTES": str(body)}
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
            "-s", os.path.join(HERE, "report.lua"), url]
    out = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, timeout=seconds + 60,
                         preexec_fn=process.child_setup(cpus))
    for line in out.stdout.splitlines():
        if line.startswith("BENCH "):
            return json.loads(line[6:])
    raise RuntimeError(f"wrk {url}: {out.stdout[-500:]}")


def measure(server, url, connections, seconds, body=0, cpus=None):
    """One run; microseconds of CPU a request, its own and its children's."""
    own0, reaped0 = server.cpu_seconds()
    r = wrk(url, connections, seconds, body, cpus)
    own1, reaped1 = server.cpu_seconds()
    n = max(r["requests"], 1)
    return {
        "rps": r["requests"] / r["seconds"],
        "p50_ms": r["p50_ms"], "p99_ms": r["p99_ms"], "max_ms": r["max_ms"],
        "cpu_us": (own1 - own0) * 1e6 / n,
        "child_us": (reaped1 - reaped0) * 1e6 / n,
        "requests": r["requests"], "errors": r["errors"],
    }
