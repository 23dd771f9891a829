"""fwatchdog against Go watchdogs, one process a request: with cat, whose own start-up drowns
everything else, and with the cheapest function there is, which leaves the watchdog's share."""
import os

import load
import peers
import process
import report

BODY = b"x" * 11


def run_one(programs, base, what, fprocess, mode, result):
    server_cpus, load_cpus = {
        "pinned": (process.SERVER_CPU, process.LOAD_CPU),
        "shared": (process.ALL_CPUS, process.ALL_CPUS),
    }[mode]
    with process.ended_afterwards():
        servers = {n: peers.watchdog(n, prog, fprocess, server_cpus) for n, prog in programs.items()}
        for p in servers.values():
            if p.wait_ready(p.url, body=BODY) != BODY:
                raise RuntimeError(f"{p.name} does not echo")
        memory = {name: {"idle": p.memory_mib()} for name, p in servers.items()}
        for p in servers.values():
            load.wrk(p.url, 8, 1, len(BODY), load_cpus)   # warm
        for c in report.connections("1,8,64"):
            samples = report.interleaved(
                list(servers),
                lambda n: load.measure(servers[n], servers[n].url, c, report.SECONDS, len(BODY), load_cpus))
            rows = report.summary(samples, base)
            report.print_table(f"watchdog, {what}, {mode}, {c} connections: medians of "
                               f"{report.ROUNDS} rounds of {report.SECONDS} s; ratios paired",
                               rows, base, children=True)
            result["levels"][f"{what} {mode} {c}"] = {"samples": samples, "summary": rows}
        for name, p in servers.items():
            memory[name]["loaded"] = p.memory_mib()
        report.print_memory(f"memory, {what}, {mode}", memory)
        result["memory"][f"{what} {mode}"] = memory


def run():
    go = peers.go_watchdogs()
    programs = {**peers.fwatchdog(), **go}
    base = next(iter(go), "fwatchdog")
    result = {"base": base, "levels": {}, "memory": {},
              "versions": {"go": report.version_of("go", "version")}}
    modes = os.environ.get("BENCH_MODES", "pinned,shared").split(",")
    report.say("pinned: the watchdog and its children on one core, the load on another; shared: "
               "everything on every core")
    for what, fprocess in (("cat", "/bin/cat"), ("tiny", peers.tiny_echo())):
        for mode in modes:
            run_one(programs, base, what, fprocess, mode, result)
    report.save("watchdog", result)
