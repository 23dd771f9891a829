"""From exec to the first answer, and what an idle process keeps for itself."""
import os
import statistics
import subprocess
import tempfile
import time

import gateway
import peers
import process
import report

STARTS = 15
SETTLE = 0.3     # seconds until an idle process is taken as settled


def start_once(make, settle):
    """(ms to the first answer, (resident, private) MiB or None)."""
    with process.ended_afterwards():
        t0 = time.monotonic()
        p = make()
        while not process.answers(p.health):
            if p.popen.poll() is not None or time.monotonic() - t0 > 10:
                raise RuntimeError(f"{p.name} does not come up: {p.tail()}")
        ms = (time.monotonic() - t0) * 1000
        if not settle:
            return ms, None
        time.sleep(SETTLE)
        p.pids = process.descendants(p.popen.pid)
        return ms, p.memory_mib()


def candidates(up):
    makers = {}
    for name, program in {**peers.fwatchdog(), **peers.go_watchdogs()}.items():
        makers[name] = lambda n=name, prog=program: peers.watchdog(
            n, prog, "/bin/cat", process.ALL_CPUS)
    makers["nginx"] = lambda: peers.nginx_proxy("nginx", up.port, access_log=False)
    makers["bare_proxy"] = lambda: peers.bare_proxy(up.port)
    if gateway.exists():
        makers["faas-gateway"] = gateway.spawn
    return makers


def first_sample():
    """The first function of the sample stack."""
    with open("stack.yml.example") as f:
        return next(line.strip().rstrip(":") for line in f if line.startswith("  ") and
                    line.rstrip().endswith(":") and not line.startswith("   "))


def make_up(env, url):
    """(seconds to the first answer of a function, seconds until make up is through)."""
    log = f"{env['HOME']}/up.log"
    t0 = time.monotonic()
    with open(log, "w") as out:    # not a pipe: what keeps running would hold it open
        up = subprocess.Popen(["scripts/up.sh"], env=env, stdin=subprocess.DEVNULL, stdout=out,
                              stderr=out)
    answered = None
    while up.poll() is None:
        if answered is None and process.answers(url):
            answered = time.monotonic() - t0
        time.sleep(0.002)
    if up.returncode:
        with open(log) as f:
            raise RuntimeError(f"scripts/up.sh failed: {f.read()[-2000:]}")
    done = time.monotonic() - t0
    return answered or done, done


def measure_make_up():
    """A platform of its own beside the user's: other ports, other state, other login."""
    for needed in (f"{peers.BIN}/faas-cli", f"{peers.BIN}/fwatchdog", f"{peers.BIN}/faas-gateway",
                   "stack.yml.example", "scripts/up.sh"):
        if not os.path.exists(needed):
            report.say(f"{needed} is missing: make up is left out.")
            return None
    port = process.free_port()
    results = {}
    with tempfile.TemporaryDirectory(prefix="minnow-bench-") as home:
        os.chmod(home, 0o711)      # functions run as other users and pass through
        env = {**os.environ, "HOME": home, "state_dir": f"{home}/state", "port": str(port),
               "metrics_port": str(process.free_port())}
        url = f"http://127.0.0.1:{port}/function/{first_sample()}"
        for what in ("first make up", "make up again"):
            try:
                results[what] = make_up(env, url)
            finally:
                subprocess.run(["scripts/down.sh"], env=env, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, check=True)
    report.say()
    report.say("make up, everything built")
    report.say(f"  {'seconds':<24}{'a function answers':>20}{'through':>10}")
    for what, (answered, done) in results.items():
        report.say(f"  {what:<24}{answered:>20.2f}{done:>10.2f}")
    return results


def run():
    result = {"starts": {}, "idle_mib": {}}
    with process.ended_afterwards():
        up = peers.upstream()
        up.wait_ready(up.url)
        makers = candidates(up)
        times = {name: [] for name in makers}
        memory = {}
        for i in range(STARTS):
            for name, make in makers.items():
                ms, mib = start_once(make, settle=i == STARTS - 1)
                times[name].append(ms)
                if mib:
                    memory[name] = {"idle": mib}
    report.say()
    report.say(f"exec to first answer, {STARTS} interleaved starts")
    report.say(f"  {'':<24}{'median ms':>10}{'fastest':>9}{'slowest':>9}")
    for name, t in times.items():
        report.say(f"  {name:<24}{statistics.median(t):>10.1f}{min(t):>9.1f}{max(t):>9.1f}")
    report.print_memory("idle memory", memory)
    result["starts"], result["idle_mib"] = times, memory
    result["make_up"] = measure_make_up()
    report.save("start", result)
