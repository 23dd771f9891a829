"""Vectors of of-watchdog's http mode: 11 to 14 and 16 to 19."""
import threading
import time

from upstream import Upstream, reply
from watchdog_helpers import free_port, render
from watchdog_vectors.table import (OF_WATCHDOG, About, Match, has_logged, seen_of, start, timed,
                                    vector)

SECONDS = Match(r"\d+\.\d{6}")


def start_http(upstream, fprocess="sleep 100000", **settings):
    """The function's process is another one than its server, which is here."""
    where = upstream.port if isinstance(upstream, Upstream) else upstream
    return start(fprocess, mode="http", upstream_url=f"http://127.0.0.1:{where}", **settings)


@vector(11, "nobody listens", OF_WATCHDOG,
        {"status": 500, "body": b"", "duration": SECONDS, "internal": "of-watchdog"})
def _():
    with start_http(free_port(), upstream_start_timeout="100ms") as wd:
        return seen_of(wd.request())


def never(connection, request):
    time.sleep(20)


def exec_timeout_vector(x_timeout, takes):
    name = f"exec_timeout and X-Timeout: {x_timeout}" if x_timeout else "exec_timeout"

    @vector(12, name, OF_WATCHDOG,
            {"status": 504, "body": b"", "took": About(takes), "duration": SECONDS,
             "internal": "of-watchdog"})
    def _():
        headers = [("X-Timeout", x_timeout)] if x_timeout else []
        with start_http(Upstream(never), exec_timeout="1s") as wd:
            r, took = timed(lambda: wd.request(headers=headers))
            return seen_of(r, took=took)


for _x_timeout, _takes in ((None, 1), ("250ms", 0.25), ("10s", 1), ("1", 1)):
    exec_timeout_vector(_x_timeout, _takes)


# The reference lifts the limit.
@vector(12, "exec_timeout and X-Timeout: 0s", OF_WATCHDOG, {"status": 200, "took": About(1.5)},
        {"status": 504, "took": About(1)})
def _():
    def late(connection, request):
        time.sleep(1.5)
        reply(b"late")(connection, request)

    with start_http(Upstream(late), exec_timeout="1s") as wd:
        r, took = timed(lambda: wd.request(headers=[("X-Timeout", "0s")]))
        return seen_of(r, took=took)


@vector(13, "events arrive when they are sent", OF_WATCHDOG,
        {"status": 200, "type": "text/event-stream", "duration": None,
         "events": [b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"], "live": True})
def _():
    def events(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n")
        for i in range(4):
            time.sleep(0.2)
            connection.sendall(b"9\r\ndata: %d\n\n\r\n" % i)
        connection.sendall(b"0\r\n\r\n")

    with start_http(Upstream(events)) as wd, wd.connect() as c:
        began = time.monotonic()
        c.send(render(headers=[("Accept", "text/event-stream")]))
        status, headers = c.head()
        seen, when = [], []
        while size := int(c.line(), 16):
            seen.append(c.exactly(size))
            when.append(time.monotonic() - began)
            c.line()
        return {"status": status, "type": headers.get("content-type"),
                "duration": headers.get("x-duration-seconds"), "events": seen,
                "live": all(0.2 * i - 0.02 <= t < 0.2 * i + 0.15 for i, t in enumerate(when, 1))}


@vector(14, "the target is passed on as it is", OF_WATCHDOG,
        {"target": "/a%2Fb%20c?q=%20", "host": ["f.example"]})
def _():
    upstream = Upstream(reply())
    with start_http(upstream) as wd:
        wd.request(target="/a%2Fb%20c?q=%20")
        seen = upstream.requests[-1]
        return {"target": seen.target, "host": seen.get("Host")}


@vector(16, "ready_path", OF_WATCHDOG,
        {"status": 203, "body": b"ready", "target": "/rdy", "method": "GET", "X-Q": ["1"],
         "POST": 405, "host": True})
def _():
    upstream = Upstream(reply(b"ready", "203 Non-Authoritative Information"))
    with start_http(upstream, ready_path="/rdy") as wd:
        wd.wait_for(lambda: wd.request(target="/_/ready").status != 503, "readiness")
        r = wd.request(target="/_/ready?x=1", headers=[("X-Q", "1")])
        seen = upstream.requests[-1]
        return seen_of(r, target=seen.target, method=seen.method,
                       **{"X-Q": seen.get("X-Q"), "host": seen.get("Host") == [upstream.address],
                          "POST": wd.request("POST", "/_/ready").status})


@vector(16, "readiness at the limit", OF_WATCHDOG,
        {"status": 429, "body": b"", "internal": None})
def _():
    upstream = Upstream(never)
    with start_http(upstream, max_inflight=1) as wd, wd.connect() as busy:
        busy.send(render())
        wd.wait_for(lambda: upstream.requests, "the call")
        return seen_of(wd.request(target="/_/ready"))


# It ignores SIGTERM, as the templates for of-watchdog do: that comes at once there.
DEAF = "trap '' TERM; touch started; while :; do sleep 0.05; done"


def start_deaf(upstream, **settings):
    wd = start(script=DEAF, mode="http", upstream_url=f"http://{upstream.address}",
               stop_timeout="100ms", **settings)
    wd.wait_file("started")
    return wd


# The spans of 17 and 18 are a quarter of those in the specification.
@vector(17, "http, SIGTERM with a request", OF_WATCHDOG,
        {"statuses": (200, 200), "took": About(1), "exit": 0})
def _():
    go = threading.Event()

    def slow(connection, request):
        if request.target == "/slow":
            go.wait(20)
        reply(b"done")(connection, request)

    upstream = Upstream(slow)
    with start_deaf(upstream, healthcheck_interval="500ms") as wd, wd.connect() as first:
        first.send(render(target="/slow"))
        wd.wait_for(lambda: upstream.requests, "the call")
        threading.Timer(1, go.set).start()

        def leave():
            wd.terminate()
            second = wd.request().status
            return (first.response().status, second), wd.wait_exit()

        (statuses, status), took = timed(leave)
        return {"statuses": statuses, "exit": status, "took": took}


@vector(18, "http, SIGTERM with a request that is too long", OF_WATCHDOG,
        {"took": About(0.75), "logged": True, "exit": 0})
def _():
    upstream = Upstream(never)
    with start_deaf(upstream, healthcheck_interval="250ms", exec_timeout="10s",
                    write_timeout="500ms") as wd, wd.connect() as first:
        first.send(render(headers=[("Accept", "text/event-stream")]))
        wd.wait_for(lambda: upstream.requests, "the call")

        def leave():
            wd.terminate()
            return wd.wait_exit()

        status, took = timed(leave)
        return {"took": took, "exit": status,
                "logged": has_logged(wd, "Error in Shutdown: context deadline exceeded")}


@vector(19, "the function exits", OF_WATCHDOG, {"exit": 1, "logged": True})
def _():
    script = "while [ ! -e go ]; do sleep 0.02; done; exit 3"
    with start(script=script, mode="http", upstream_url=f"http://127.0.0.1:{free_port()}") as wd:
        wd.file("go", "")
        return {"exit": wd.wait_exit(),
                "logged": has_logged(wd, "Forked function has terminated: exit status 3\n")}
