"""faas-gateway against nginx and haproxy as reverse proxies in front of the same upstream."""
import gateway
import load
import peers
import process
import report

BASE = "nginx"


def start_all(up):
    started = [peers.nginx_proxy("nginx", up.port, access_log=False),
               peers.nginx_proxy("nginx+access-log", up.port, access_log=True),
               peers.haproxy(up.port), peers.bare_proxy(up.port), gateway.start(up)]
    servers = {p.name: p for p in started if p}
    for p in servers.values():
        if p.wait_ready(p.url) != peers.ANSWER:
            raise RuntimeError(f"{p.name} does not pass on what the upstream says")
    return servers


def run():
    result = {"levels": {}, "versions": {
        "nginx": report.version_of("nginx", "-v"), "haproxy": report.version_of("haproxy", "-v"),
        "wrk": report.version_of("wrk", "-v")}}
    with process.ended_afterwards():
        up = peers.upstream()
        up.wait_ready(up.url)
        servers = start_all(up)
        memory = {name: {"idle": p.memory_mib()} for name, p in servers.items()}
        targets = {"(upstream alone)": up, **servers}

        def measure(name, connections):
            p = targets[name]
            sample = load.measure(p, p.url, connections, report.SECONDS, cpus=process.LOAD_CPU)
            p.trim_log()
            return sample

        for name in targets:
            load.wrk(targets[name].url, 16, 1, cpus=process.LOAD_CPU)   # warm
        for c in report.connections("1,16,64,256"):
            samples = report.interleaved(list(targets), lambda name: measure(name, c))
            rows = report.summary(samples, BASE)
            report.print_table(f"gateway, {c} connections: medians of {report.ROUNDS} rounds of "
                               f"{report.SECONDS} s; ratios paired", rows, BASE)
            result["levels"][c] = {"samples": samples, "summary": rows}
        for name, p in servers.items():
            memory[name]["loaded"] = p.memory_mib()
        report.print_memory("memory", memory)
        result["memory"] = memory
    report.save("gateway", result)
