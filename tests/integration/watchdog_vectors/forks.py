"""Vectors of of-watchdog's modes that start a process for each request."""
from watchdog_vectors.table import (OF_WATCHDOG, Match, has_logged, seen_of, start, vector)

SCRIPT = "echo out; exit 3"


@vector(9, "streaming, a failure after output", OF_WATCHDOG,
        {"status": 200, "type": "application/octet-stream", "body": b"out\n", "complete": True,
         "duration": None, "reason logged": True, "line logged": True},
        {"complete": False})
def _():
    with start(script=SCRIPT, mode="streaming") as wd, wd.connect() as c:
        c.send(b"GET /p?q HTTP/1.1\r\nHost: h\r\n\r\n")
        r = c.response_or_part()
        return seen_of(r, complete=r.complete, **{
            "reason logged": has_logged(wd, "exit status 3"),
            "line logged": has_logged(
                wd, r"GET /p\?q - 500 - ContentLength: 4B \(\d\.\d{4}s\)\n")})


@vector(9, "streaming, a failure before output", OF_WATCHDOG,
        {"status": 200, "type": "application/octet-stream", "body": b""},
        {"status": 500, "type": "text/plain; charset=utf-8", "body": b"exit status 3\n"})
def _():
    with start(script="exit 3", mode="streaming") as wd:
        return seen_of(wd.request())


@vector(10, "serializing, a failure", OF_WATCHDOG,
        {"status": 500, "type": "application/octet-stream", "body": b"exit status 3",
         "duration": Match(r"\d+\.\d{6}"), "logged": 200}, {"logged": 500})
def _():
    with start(script=SCRIPT, mode="serializing") as wd:
        r = wd.request(target="/p")
        logged = [s for s in (200, 500) if has_logged(wd, f"GET /p - {s} - ", 2)]
        return seen_of(r, logged=logged[0] if logged else None)
