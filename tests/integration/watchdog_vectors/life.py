"""Vectors that hold for both watchdogs: the limit on requests, health, and the end."""
import os

from watchdog_helpers import render
from watchdog_vectors.table import (CLASSIC, OF_WATCHDOG, About, has_logged, seen_of, start, timed,
                                    vector)

MODES = ((CLASSIC, {}), (OF_WATCHDOG, {"mode": "streaming"}),
         (OF_WATCHDOG, {"mode": "serializing"}))


def for_each_mode(number, name, reference, **ours):
    """ours: what differs, by mode."""
    def add(play):
        for family, settings in MODES:
            mode = settings.get("mode", "classic")
            vector(number, f"{mode}, {name}", family, reference, ours.get(mode))(
                lambda settings=settings: play(settings))
        return play
    return add


@for_each_mode(8, "max_inflight",
               {"status": 429, "internal": "faas-middleware", "type": "text/plain",
                "body": b"Concurrent request limit exceeded. Max concurrent requests: 1\n",
                "counted": 1, "first": 200})
def _(settings):
    with start(script="touch started; while [ ! -e go ]; do sleep 0.02; done", max_inflight=1,
               **settings) as wd, wd.connect() as first:
        first.send(render())
        wd.wait_file("started")
        r = wd.request()
        wd.file("go", "")
        return seen_of(r, first=first.response().status,
                       counted=wd.metrics().get('http_requests_total{code="429",method="get"}'))


@for_each_mode(15, "health",
               {"healthy": (200, b"OK"), "POST": 405, "without lock": 503, "with it again": 200,
                "leaving": 503})
def _(settings):
    with start("cat", healthcheck_interval="5s", **settings) as wd:
        r = wd.request(target="/_/health")
        seen = {"healthy": (r.status, r.body), "POST": wd.request("POST", "/_/health").status}
        os.unlink(wd.lock)
        seen["without lock"] = wd.health()
        wd.file(".lock", "")
        seen["with it again"] = wd.health()
        wd.terminate()
        wd.wait_for(lambda: wd.health() == 503, "unhealthy")
        return {**seen, "leaving": wd.health()}


# The spans of 17 and 18 are a quarter of those in the specification.
@for_each_mode(17, "SIGTERM with a request", {"statuses": (200, 200), "took": About(1), "exit": 0})
def _(settings):
    with start(script="touch started; sleep 1; echo done", healthcheck_interval="500ms",
               **settings) as wd, wd.connect() as first:
        first.send(render())
        wd.wait_file("started")

        def leave():
            wd.terminate()
            wd.wait_for(lambda: wd.health() == 503, "unhealthy")
            with wd.connect() as second:
                second.send(render())
                statuses = first.response().status, second.response().status
            return statuses, wd.wait_exit()
        (statuses, status), took = timed(leave)
        return {"statuses": statuses, "exit": status, "took": took}


# In streaming mode write_timeout, which is counted from the request on, ends the function too.
@for_each_mode(18, "SIGTERM with a request that is too long",
               {"took": About(0.75), "logged": True, "exit": 0},
               streaming={"took": About(0.5), "logged": False})
def _(settings):
    with start(script="touch started; sleep 10", healthcheck_interval="250ms",
               write_timeout="500ms", **settings) as wd, wd.connect() as first:
        first.send(render())
        wd.wait_file("started")

        def leave():
            wd.terminate()
            return wd.wait_exit()
        status, took = timed(leave)
        return {"exit": status, "took": took,
                "logged": has_logged(wd, "Error in Shutdown: context deadline exceeded")}
