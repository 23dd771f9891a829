"""Rounds, medians, paired ratios, tables, JSON."""
import json
import os
import platform
import statistics
import subprocess
import time

OUT = "build/bench"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "2"))


def connections(default):
    return [int(c) for c in os.environ.get("BENCH_CONNECTIONS", default).split(",")]


def say(text=""):
    print(text, flush=True)


def interleaved(names, measure_one):
    """ROUNDS rounds, each server once in each, in turning order: {name: [sample of each round]}."""
    samples = {name: [] for name in names}
    for i in range(ROUNDS):
        for name in names[i % len(names):] + names[:i % len(names)]:
            samples[name].append(measure_one(name))
    return samples


def median(samples, key):
    return statistics.median(s[key] for s in samples)


def paired(samples, base, key):
    """Median and range of the ratios taken within each round."""
    ratios = [s[key] / b[key] for s, b in zip(samples, base) if b[key]]
    if not ratios:
        return None
    return {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}


def summary(samples, base):
    """What a table shows, for each server of {name: samples}."""
    rows = {}
    for name, s in samples.items():
        rows[name] = {key: median(s, key) for key in ("rps", "p50_ms", "p99_ms", "cpu_us", "child_us")}
        rows[name]["errors"] = sum(x["errors"] for x in s)
        if base in samples:
            rows[name]["rps_ratio"] = paired(s, samples[base], "rps")
            rows[name]["cpu_ratio"] = paired(s, samples[base], "cpu_us")
    return rows


def ratio(r):
    return f"{r['median']:5.2f} ({r['min']:.2f}-{r['max']:.2f})" if r else "-"


def print_table(title, rows, base, children=False):
    say()
    say(title)
    head = f"  {'':<24}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'CPU us':>9}"
    if children:
        head += f"{'child us':>10}"
    say(f"{head}   {'req/s : ' + base:<20} {'CPU : ' + base}")
    for name, r in rows.items():
        line = f"  {name:<24}{r['rps']:>9.0f}{r['p50_ms']:>9.2f}{r['p99_ms']:>9.2f}{r['cpu_us']:>9.1f}"
        if children:
            line += f"{r['child_us']:>10.1f}"
        line += f"   {ratio(r.get('rps_ratio')):<20} {ratio(r.get('cpu_ratio'))}"
        if r["errors"]:
            line += f"   {r['errors']} ERRORS"
        say(line)


def print_memory(title, rows):
    """rows: {name: {"idle": (rss, private), "loaded": (rss, private)}}."""
    say()
    say(title)
    say(f"  {'MiB resident / private':<24}{'idle':>16}{'after load':>18}")
    for name, m in rows.items():
        say(f"  {name:<24}" + "".join(
            f"{m[k][0]:>10.1f} / {m[k][1]:<5.1f}" if k in m else f"{'-':>16}"
            for k in ("idle", "loaded")))


def machine():
    with open("/proc/cpuinfo") as f:
        model = next((l.split(":")[1].strip() for l in f if l.startswith("model name")), "?")
    return {"cpu": model, "cpus": os.cpu_count(), "kernel": platform.release(),
            "rounds": ROUNDS, "seconds": SECONDS,
            "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def version_of(*argv):
    try:
        out = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=10).stdout
        return out.strip().splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return None


def save(name, result):
    path = f"{OUT}/{name}.json"
    with open(path, "w") as f:
        json.dump({"bench": name, "machine": machine(), **result}, f, indent=1)
        f.write("\n")
    say()
    say(f"All samples: {path}")
