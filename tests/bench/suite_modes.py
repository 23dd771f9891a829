"""fwatchdog's other modes against Go: requests passed on, streams, and bodies of a mebibyte."""
import load
import peers
import process
import report

MEBIBYTE = 1 << 20


class Case:
    def __init__(self, name, mode, fprocess, connections, body=11, family="of", shared=False, **settings):
        self.name, self.mode, self.fprocess = f"{name}, {'shared' if shared else 'pinned'}", mode, fprocess
        self.server_cpus, self.load_cpus = (
            (process.ALL_CPUS, process.ALL_CPUS) if shared else (process.SERVER_CPU, process.LOAD_CPU))
        self.connections, self.body, self.family = connections, body, family
        self.settings = settings


def run_case(case, programs, base, result):
    servers = {name: peers.watchdog(name, program, case.fprocess, case.server_cpus,
                                    mode=case.mode, **case.settings)
               for name, program in programs.items()}
    body = b"x" * case.body
    for p in servers.values():
        answer = p.wait_ready(p.url, body=body or None)
        if case.body and answer != body:
            raise RuntimeError(f"{p.name} does not echo")
    for c in report.connections(case.connections):
        samples = report.interleaved(
            list(servers), lambda n: load.measure(servers[n], servers[n].url, c, report.SECONDS,
                                                  case.body, case.load_cpus))
        rows = report.summary(samples, base)
        report.print_table(f"{case.name}, {c} connections: medians of {report.ROUNDS} "
                           f"rounds of {report.SECONDS} s; ratios paired", rows, base,
                           children=case.mode != "http")
        result["levels"][f"{case.name} {c}"] = {"samples": samples, "summary": rows}


def run():
    peers_of = {"classic": peers.go_watchdogs(), "of": peers.go_of_watchdogs()}
    result = {"levels": {}, "versions": {"go": report.version_of("go", "version")}}
    with process.ended_afterwards():
        up = peers.upstream()
        up.wait_ready(up.health)
        url = f"http://127.0.0.1:{up.port}"
        cases = [
            Case("http", "http", "/bin/sleep 1000000", "8,64", body=0, upstream_url=url),
            Case("streaming, tiny", "streaming", peers.tiny_echo(), "8"),
            Case("serializing, tiny", "serializing", peers.tiny_echo(), "8"),
            Case("classic, 1 MiB through cat", "classic", "/bin/cat", "1,4", MEBIBYTE, "classic", shared=True),
            Case("streaming, 1 MiB through cat", "streaming", "/bin/cat", "1,4", MEBIBYTE, shared=True),
        ]
        for case in cases:
            go = peers_of[case.family]
            base = next(iter(go), "fwatchdog")
            with process.ended_afterwards():
                run_case(case, {**peers.fwatchdog(), **go}, base, result)
    report.save("modes", result)
