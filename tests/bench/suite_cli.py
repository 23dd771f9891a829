"""How long a command line takes: exec to exit, and its CPU time."""
import os
import statistics
import tempfile
import time

import gateway
import peers
import process
import report

RUNS = 30
QUIET = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]


def run_once(argv, env):
    """(wall ms, CPU ms)"""
    t0 = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, env, file_actions=QUIET)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - t0
    if status:
        raise RuntimeError(f"{' '.join(argv)} ended with {os.waitstatus_to_exitcode(status)}")
    return wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000


def log_in(program, env, password):
    pid = os.posix_spawn(program, [program, "login", "--password", password], env, file_actions=QUIET)
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError(f"{program} cannot log in")


def commands():
    """{name: argv} of what lists functions here."""
    ours = os.path.abspath(os.path.join(peers.BIN, "faas-cli"))
    found = {"faas-cli": [ours, "list"], "faas-cli version": [ours, "version", "--short-version"]}
    for name, program in peers.go_clis().items():
        found[name] = [program, "list"] if name == "Go faas-cli" else [program]
    return found


def run():
    if not gateway.exists():
        report.say("faas-gateway has not been built: the command line is left out.")
        return
    argvs = commands()
    samples = {name: [] for name in argvs}
    with process.ended_afterwards(), tempfile.TemporaryDirectory(prefix="minnow-bench-") as home:
        up = peers.upstream()
        up.wait_ready(up.url)
        g = gateway.start(up)
        with open(os.path.join(g.state, "auth/basic-auth-password")) as f:
            password = f.read().strip()
        env = {"PATH": os.environ["PATH"], "HOME": home, "OPENFAAS_URL": g.base, "PASSWORD": password}
        log_in(argvs["faas-cli"][0], env, password)  # both read the same file
        for i in range(RUNS):
            names = list(argvs)
            for name in names[i % len(names):] + names[:i % len(names)]:
                samples[name].append(run_once(argvs[name], env))
    base = statistics.median(wall for wall, _ in samples["faas-cli"])
    report.say()
    report.say(f"faas-cli list, {RUNS} interleaved runs")
    report.say(f"  {'':<24}{'median ms':>10}{'fastest':>9}{'CPU ms':>9}{'ours : it':>11}")
    for name, s in samples.items():
        wall = statistics.median(w for w, _ in s)
        report.say(f"  {name:<24}{wall:>10.1f}{min(w for w, _ in s):>9.1f}"
                   f"{statistics.median(c for _, c in s):>9.1f}{base / wall:>11.2f}")
    report.save("cli", {"samples": samples})
