"""Starts faas-gateway as people run it (access log, metrics, auth), with one loop and one function
that is served by the bench's own upstream."""
import base64
import json
import os

import peers
import process
import report

PROGRAM = os.path.abspath(os.path.join(peers.BIN, "faas-gateway"))


def exists():
    return os.path.exists(PROGRAM)


def start(up, *options, cpus=None):
    """The running gateway with its function, or None when there is none to measure."""
    if not exists():
        report.say(f"{PROGRAM} has not been built: left out.")
        return None
    p = spawn(*options, cpus=cpus)
    p.wait_ready(p.health)
    with open(os.path.join(p.state, "auth/basic-auth-password")) as f:
        token = base64.b64encode(f"admin:{f.read().strip()}".encode()).decode()
    spec = {"service": "bench", "image": "none",
            "annotations": {"minnow.upstream": f"127.0.0.1:{up.port}"}}
    process.fetch(f"{p.base}/system/functions", json.dumps(spec).encode(),
                  {"Authorization": f"Basic {token}", "Content-Type": "application/json"})
    return p


def spawn(*options, cpus=None):
    state, port = peers.work_dir("gateway"), process.free_port()
    argv = [PROGRAM, "--provider=memory", f"--port={port}", f"--metrics-port={process.free_port()}",
            f"--state-dir={state}", "--loops=1", "--log-format=json", *options]
    p = process.Process("faas-gateway", argv, cpus=cpus or process.SERVER_CPU, log=f"{state}/log")
    p.state = state
    p.base = f"http://127.0.0.1:{port}"
    p.health = f"{p.base}/healthz"
    p.url = f"{p.base}/function/bench"
    return p
