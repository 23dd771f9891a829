"""What a worker reads before it has a place for it: nothing is lost, delayed or made twice by that."""
import collections
import http.client
import signal
import threading

import pytest

from minnow import wait_until
from redis_helpers import Redis
from upstream import Upstream

PLACES = 2
SETTINGS = {"async_retry_min_wait": "10ms", "async_retry_max_wait": "50ms", "async_max_inflight": PLACES,
            "async_queues": "low"}


@pytest.fixture
def redis():
    server = Redis()
    yield server
    server.close()


class Function:
    """Answers at once, or, while its gate is closed, when it opens."""

    def __init__(self):
        self.changed = threading.Condition()
        self.is_open = True
        self.tickets = 0  # each lets one of those that wait go
        self.waiting = 0
        self.calls = []  # (name, id) in the order in which they came
        self.upstream = Upstream(self.serve)
        self.address = self.upstream.address

    def serve(self, connection, request):
        request.body()
        with self.changed:
            self.calls.append((request.get("X-Name")[0], request.get("X-Call-Id")[0]))
            self.waiting += 1
            self.changed.wait_for(lambda: self.is_open or self.tickets > 0)
            self.tickets -= not self.is_open
            self.waiting -= 1
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def set(self, **change):
        with self.changed:
            self.__dict__.update(change)
            self.changed.notify_all()

    def counts(self):
        return collections.Counter(call_id for _, call_id in self.calls)

    def close(self):
        self.set(is_open=True)
        self.upstream.close()


@pytest.fixture
def function():
    f = Function()
    yield f
    f.close()


def key(queue):
    return f"minnow:queue:{queue}"


def pending(redis, queue):
    return redis("XPENDING", key(queue), "workers")[0]


def submit(gw, name, n):
    ids, connection = [], http.client.HTTPConnection("127.0.0.1", gw.port, timeout=30)
    for _ in range(n):
        connection.request("POST", f"/async-function/{name}", b"x", {"X-Name": name})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (202, b"")
        ids.append(answer.headers["X-Call-Id"])
    connection.close()
    return ids


@pytest.fixture
def front(redis, function, gateways):
    """A gateway that only queues: each function's calls into a queue of its name."""
    gw = gateways(provider="memory", redis_url=redis.url, role="gateway")
    for name in ("low", "urgent"):
        annotations = {"minnow.upstream": function.address, "com.openfaas.queue": name}
        gw.api("POST", "/system/functions", {"service": name, "image": "none", "annotations": annotations},
               expect=202)
    return gw


@pytest.fixture
def work(redis, front, gateways):
    def start(**settings):
        return gateways(redis_url=redis.url, role="worker", gateway_url=front.url, basic_auth="false",
                        **{**SETTINGS, **settings})
    return start


def ahead(redis, function):
    """Calls that a worker has taken and not begun."""
    entries = [e[0] for e in redis("XPENDING", key("low"), "workers", "-", "+", 100)]
    ids = [i for entry in entries for i in redis.ids(key("low"), entry)]
    return set(ids) - set(function.counts())


def stop_with_entries_ahead(redis, function):
    """Closes the gate while the worker has entries for which it has no place."""
    def closed():
        assert redis("XLEN", key("low")) > 0, "the queue was drained without any entry ahead"
        function.set(is_open=False)
        wait_until(lambda: function.waiting == PLACES, "as many calls as there may be")
        if not ahead(redis, function):
            function.set(is_open=True)
        return not function.is_open

    wait_until(closed, "entries ahead")


def check(redis, function, ids, again=0):
    """All are done, and at most so many were made more than once."""
    for queue in ("low", "urgent"):
        wait_until(lambda: redis("XLEN", key(queue)) + redis("ZCARD", f"minnow:delayed:{queue}") == 0, "the end", 60)
    left = set(ids)

    def all_done():
        left.difference_update([i for i in left if redis.call(i).get("s") == "done"])
        return not left

    wait_until(all_done, "all to be done")
    counts = function.counts()
    assert all(counts[i] >= 1 for i in ids)
    assert sum(counts[i] - 1 for i in ids) <= again, counts.most_common(10)


def test_a_killed_workers_entries_are_made_by_others(redis, function, front, work):
    ids = submit(front, "low", 1000)
    worker = work(async_lease="1s")
    stop_with_entries_ahead(redis, function)
    worker.kill()
    taken = ahead(redis, function)
    function.set(is_open=True)
    worker.start()
    check(redis, function, ids, again=4 * PLACES)  # what ran, or had ended and was not recorded
    assert taken and {function.counts()[i] for i in taken} == {1}


def test_a_worker_that_stops_gives_back_what_it_has_not_begun(redis, function, front, work):
    ids = submit(front, "low", 1000)
    worker = work()
    stop_with_entries_ahead(redis, function)
    stopping = threading.Thread(target=worker.stop)
    stopping.start()
    wait_until(lambda: pending(redis, "low") == PLACES, "the others to be given back")
    begun = len(function.calls)
    function.set(is_open=True)
    stopping.join(30)
    assert pending(redis, "low") == 0 and len(function.calls) == begun
    work()
    check(redis, function, ids)
    assert {redis.call(i)["n"] for i in ids} == {"1"}


def test_what_waits_too_long_is_given_back_and_lets_the_urgent_go_first(redis, function, front, work):
    ids = submit(front, "urgent", 1) + submit(front, "low", 1000)
    work(async_queues="urgent,low")
    stop_with_entries_ahead(redis, function)
    wait_until(lambda: pending(redis, "low") == PLACES, "the others to be given back")
    begun = len(function.calls)
    ids += submit(front, "urgent", 1)
    function.set(tickets=1)
    wait_until(lambda: len(function.calls) > begun, "a place to be taken")
    assert function.calls[begun] == ("urgent", ids[-1])
    function.set(is_open=True)
    check(redis, function, ids)
    assert {redis.call(i)["n"] for i in ids} == {"1"}


def test_the_urgent_do_not_wait_for_what_was_read_ahead(redis, function, front, work):
    ids = submit(front, "urgent", 1) + submit(front, "low", 2000)
    work(async_queues="urgent,low")
    wait_until(lambda: len(function.calls) > 100, "the first calls")
    for _ in range(5):
        before = len(function.calls)
        urgent, = submit(front, "urgent", 1)
        wait_until(lambda: ("urgent", urgent) in function.calls, "the urgent call")
        assert function.calls.index(("urgent", urgent)) - before < 200
        ids.append(urgent)
    assert redis("XLEN", key("low")) > 0
    check(redis, function, ids)


def test_what_was_taken_over_from_a_dead_worker_waits_for_its_functions_place(redis, function, front, work):
    function.set(is_open=False)
    ids = submit(front, "low", PLACES)
    worker = work(async_lease="600ms")
    wait_until(lambda: len(function.calls) == PLACES, "both calls")
    idle = [0]

    def renewed():
        idle.append(redis("XPENDING", key("low"), "workers", "-", "+", 1)[0][2])
        return idle[-1] < idle[-2]

    wait_until(renewed, "the leases to be renewed")
    worker.kill()
    worker.settings["async_max_inflight_per_function"] = 1
    worker.start()
    wait_until(lambda: len(function.calls) > PLACES, "one of them to be made again")
    function.set(is_open=True)
    check(redis, function, ids, again=PLACES)


def test_what_a_stopped_worker_had_read_ahead_is_anothers_when_it_wakes(redis, function, front, work):
    ids = submit(front, "low", 400)
    first = work(async_lease="1s")
    stop_with_entries_ahead(redis, function)
    first.process.send_signal(signal.SIGSTOP)
    try:
        taken = ahead(redis, function)
        second = work(async_lease="1s", async_max_inflight=len(ids))
        wait_until(lambda: taken <= set(function.counts()), "the other to have taken them over")
    finally:
        first.process.send_signal(signal.SIGCONT)
    wait_until(lambda: 'status="0"} %d' % PLACES in first.metrics(), "it to find that it has lost its own")
    second.kill()  # and nobody has touched the others
    second.start()
    function.set(is_open=True)
    assert taken
    check(redis, function, ids, again=len(ids) + 2 * PLACES)
