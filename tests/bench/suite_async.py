"""Asynchronous calls against the Redis they are kept in: what XADD of the same KiB gives at the same
persistence, and what the same function gives when it is called directly. Nothing is pinned: gateway,
Redis and load share all CPUs, as Redis and redis-benchmark do."""
import csv
import os
import socket
import subprocess
import time

import gateway
import load
import peers
import process
import report

BODY = 1024
CONNECTIONS = 32
MAX_INFLIGHT = 50   # the gateway's default
QUEUE = "minnow:queue:faas-request"
SETTINGS = ("everysec", "always")
FIRST_LOOK = 5000   # XADDs


class Redis:
    """Its log is not rewritten meanwhile: that would take a core from whatever happens to run then."""

    def __init__(self, fsync):
        folder = peers.work_dir(f"redis-{fsync}")
        self.path = os.path.join(folder, "s")
        self.port = process.free_port()
        # How XADD is offered: as redis-benchmark does unless told otherwise, and as clients come to the
        # gateway; and by the gateway's own way to Redis, which is cheaper.
        self.ways = {"tcp": ["-h", "127.0.0.1", "-p", str(self.port)], "unix": ["-s", self.path]}
        self.process = process.Process("redis", [
            "redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", self.path, "--dir", folder, "--save", "",
            "--appendonly", "yes", "--appendfsync", fsync, "--auto-aof-rewrite-percentage", "0"],
            log=os.path.join(folder, "log"))
        end = time.monotonic() + 10
        while self("PING") != "PONG":
            if time.monotonic() > end:
                raise RuntimeError(f"redis does not answer: {self.process.tail()}")
            time.sleep(0.01)

    def __call__(self, *words):
        return subprocess.run(["redis-cli", "-s", self.path, *words], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60).stdout.strip()

    def lengths(self, stream):
        """XLEN again and again by one connection: starting redis-cli each time would take a tenth of
        a core from what is measured."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.path)
            replies = s.makefile("rb")
            while True:
                s.sendall(b"XLEN %s\r\n" % stream.encode())
                yield int(replies.readline()[1:])

    def benchmark(self, way):
        """For about as long as all else is measured: Redis stops for a moment each second, to write to
        its disk, so the worst percent of a shorter run is another's."""
        return self.xadd(way, max(FIRST_LOOK, int(self.xadd(way, FIRST_LOOK)["rps"] * report.SECONDS)))

    def xadd(self, way, n):
        """By as many connections as the gateway's clients have."""
        out = subprocess.run(
            ["redis-benchmark", *self.ways[way], "-c", str(CONNECTIONS), "-n", str(n), "--csv",
             "XADD", "bench", "*", "d", "x" * BODY], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=120, check=True).stdout
        row = list(csv.DictReader(out.splitlines()))[-1]
        self("DEL", "bench")
        return {"rps": float(row["rps"]), "p99_ms": float(row["p99_latency_ms"])}


def wait(lengths, wanted, what, seconds):
    """The first length that is wanted."""
    end = time.monotonic() + seconds
    for n in lengths:
        if wanted(n):
            return n
        if time.monotonic() > end:
            raise RuntimeError(f"{what} takes longer than {seconds} s")
        time.sleep(0.01)


def drain(redis):
    """Calls a second, from when the first is over until all are."""
    lengths = redis.lengths(QUEUE)
    total = next(lengths)
    redis("SREM", "minnow:paused", "faas-request")
    left = wait(lengths, lambda n: n < total, "the first call", 30)
    began = time.monotonic()
    wait(lengths, lambda n: n == 0, "draining", 300)
    return left / (time.monotonic() - began)


def one_round(redis, gw):
    redis("FLUSHALL")
    redis("SADD", "minnow:paused", "faas-request")
    xadd = {way: redis.benchmark(way) for way in redis.ways}
    sync = load.wrk(gw.url, MAX_INFLIGHT, report.SECONDS, BODY)
    time.sleep(2.5)   # the worker's open question outlives the pause by two seconds at most
    accepted = load.wrk(gw.url.replace("/function/", "/async-function/"), CONNECTIONS,
                        report.SECONDS, BODY)
    return {"xadd": xadd, "accepted": accepted, "sync": sync, "drain": drain(redis)}


def ratios(rounds):
    def of(f):
        return report.ratio(report.paired([{"r": f(r)} for r in rounds], [{"r": 1}] * len(rounds), "r"))

    def rps(s):
        return s["requests"] / s["seconds"]

    return {
        "accepted : XADD (tcp)": of(lambda r: rps(r["accepted"]) / r["xadd"]["tcp"]["rps"]),
        "accepted : XADD (unix)": of(lambda r: rps(r["accepted"]) / r["xadd"]["unix"]["rps"]),
        "drained : sync": of(lambda r: r["drain"] / rps(r["sync"])),
        "p99 of 202 : XADD (tcp)": of(lambda r: r["accepted"]["p99_ms"] / r["xadd"]["tcp"]["p99_ms"]),
        "p99 of 202 : XADD (unix)": of(lambda r: r["accepted"]["p99_ms"] / r["xadd"]["unix"]["p99_ms"]),
    }


def show(fsync, rounds):
    report.say()
    report.say(f"async, appendfsync {fsync}: {len(rounds)} rounds of {report.SECONDS} s")
    for r in rounds:
        a, s = r["accepted"], r["sync"]
        xadd = ", ".join(f"{way} {x['rps']:.0f}/s p99 {x['p99_ms']:.2f} ms" for way, x in r["xadd"].items())
        report.say(f"  XADD {xadd}; "
                   f"accepted {a['requests'] / a['seconds']:.0f}/s p50 {a['p50_ms']:.2f} p99 "
                   f"{a['p99_ms']:.2f} ms, {a['errors']} errors; "
                   f"sync {s['requests'] / s['seconds']:.0f}/s; drained {r['drain']:.0f}/s")
    for name, value in ratios(rounds).items():
        report.say(f"  {name:<24} {value}")


def run():
    result = {"versions": {"redis": report.version_of("redis-server", "--version"),
                           "wrk": report.version_of("wrk", "-v")}}
    for fsync in SETTINGS:
        with process.ended_afterwards():
            up = peers.upstream()
            up.wait_ready(up.url)
            redis = Redis(fsync)
            gw = gateway.start(up, f"--redis-url=unix://{redis.path}", cpus=process.ALL_CPUS)
            rounds = [one_round(redis, gw) for _ in range(report.ROUNDS)]
        show(fsync, rounds)
        result[fsync] = rounds
    report.save("async", result)
