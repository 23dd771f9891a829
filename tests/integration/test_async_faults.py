"""Asynchronous calls while gateways and Redis are killed, stopped, filled and emptied.

What is promised: a call that was answered with 202 is executed at least once and ends with exactly
one recorded final state. FAULT_SEED repeats a run, FAULT_ROUNDS and FAULT_CALLS (of each round)
make it longer: FAULT_ROUNDS=20 FAULT_CALLS=5000 is the full suite."""
import collections
import http.client
import os
import random
import shutil
import signal
import tempfile
import threading
import time

import pytest

from clock_helpers import jumping_clock
from minnow import Gateway, wait_until
from redis_helpers import Redis

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "3"))
CALLS = int(os.environ.get("FAULT_CALLS", "300"))
SEED = int(os.environ.get("FAULT_SEED") or random.SystemRandom().randrange(2**32))
CLIENTS = 8
QUEUE = "minnow:queue:faas-request"
FINAL = ("done", "dead", "cancelled")
SETTINGS = {"async_lease": "1s", "async_retry_min_wait": "50ms", "async_retry_max_wait": "500ms",
            "async_retry_attempts": "100", "async_max_inflight": "32"}


@pytest.fixture
def redis():
    server = Redis()
    yield server
    server.close()


class Ledger:
    """A file to which the function appends the id of each call that it executes."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="minnow-ledger-")
        os.chmod(self.dir, 0o755)
        self.path = os.path.join(self.dir, "executed")
        with open(self.path, "w"):
            pass
        os.chmod(self.path, 0o666)  # functions have users of their own

    def function(self, before=""):
        return {"f.sh": (f'{before}\necho "$Http_X_Call_Id" >>{self.path}\n', 0o755)}

    def counts(self):
        with open(self.path) as f:
            return collections.Counter(f.read().split())

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)


@pytest.fixture
def ledger():
    made = Ledger()
    yield made
    made.close()


def start(gateways, redis, ledger, before="", **settings):
    gw = gateways(redis_url=redis.url, **{**SETTINGS, **settings})
    gw.deploy("note", "sh f.sh", ledger.function(before))
    return gw


class Clients:
    """Submit until so many calls have been accepted; what breaks is tried again as a new call."""

    def __init__(self, gw, calls):
        self.gw, self.left = gw, calls
        self.accepted, self.refused = [], collections.Counter()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(CLIENTS)]
        for t in self.threads:
            t.start()

    def wanted(self):
        with self.lock:
            self.left -= 1
            return self.left >= 0

    def run(self):
        while self.wanted():
            while not self.submit():
                time.sleep(0.02)

    def submit(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.gw.port or 1, timeout=30)
        try:
            connection.request("POST", "/async-function/note", b"x")
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as e:
            with self.lock:
                self.refused[type(e).__name__] += 1
            return False
        finally:
            connection.close()
        with self.lock:
            if answer.status == 202:
                self.accepted.append(answer.headers["X-Call-Id"])
            else:
                self.refused[answer.status] += 1
        return answer.status == 202

    def busy(self):
        return any(t.is_alive() for t in self.threads)

    def join(self):
        for t in self.threads:
            t.join(300)
            assert not t.is_alive(), f"clients hang: {self.refused}"


def drained(redis):
    return redis("XLEN", QUEUE) == 0 and redis("ZCARD", "minnow:delayed:faas-request") == 0


def what_is_left(redis):
    """For whoever has to find out why."""
    entries = redis("XRANGE", QUEUE, "-", "+", "COUNT", 3)
    ids = [e[1][1] for e in entries] + redis("ZRANGE", "minnow:delayed:faas-request", 0, 2)
    return {"time": redis("TIME"), "entries": entries, "calls": [redis.call(i) for i in ids],
            "group": redis("XINFO", "GROUPS", QUEUE), "consumers": redis("XINFO", "CONSUMERS", QUEUE, "workers"),
            "pending": redis("XPENDING", QUEUE, "workers", "-", "+", 3)}


def check(redis, ledger, accepted, limit=120):
    """Every accepted call was executed and has ended once. Returns how many extra executions."""
    try:
        wait_until(lambda: drained(redis), "an empty queue", limit)
    except AssertionError as e:
        raise AssertionError(f"{e}; left: {what_is_left(redis)}") from None
    executed = ledger.counts()
    for call_id in accepted:
        call = redis.call(call_id)
        assert call.get("s") == "done", f"{call_id} {redis('HGETALL', 'minnow:call:' + call_id)} {executed[call_id]}"
        assert executed[call_id] >= 1, (call_id, call)
        # Each end of an attempt that is recorded is written here, so a second end would show.
        assert call["h"].count('"status":200') == 1, call
    for key in redis("KEYS", "minnow:call:*"):  # those as well whose client never heard the answer
        assert redis("HGET", key, "s") in FINAL, (key, redis("HGETALL", key))
    assert redis("XPENDING", QUEUE, "workers")[0] == 0
    return sum(executed[i] - 1 for i in accepted)


def kill_and_start(victim, rng):
    assert victim.process.poll() is None, f"it has died by itself: {victim.process.returncode}"
    victim.kill()
    time.sleep(rng.uniform(0, 0.3))
    victim.start()


def test_kill_9_of_workers_gateways_and_redis_loses_nothing(redis, ledger, gateways):
    """One gateway is submitted to; both work, so killing the second is killing a worker."""
    rng = random.Random(SEED)
    gateway = start(gateways, redis, ledger)
    worker = start(gateways, redis, ledger)
    victims = {"gateway": gateway, "worker": worker, "redis": redis}
    kills, total, duplicates = collections.Counter(), [], 0
    began = time.monotonic()
    for number in range(ROUNDS):
        clients = Clients(gateway, CALLS)
        before = kills.total()
        while clients.busy() or kills.total() == before:
            time.sleep(rng.uniform(0.02, 0.5))
            name = rng.choice(list(victims))
            kill_and_start(victims[name], rng)
            kills[name] += 1
        clients.join()
        duplicates += check(redis, ledger, clients.accepted)
        total += clients.accepted
        print(f"round {number + 1}: {len(total)} calls accepted, {duplicates} executed once more, "
              f"kills {dict(kills)}, not accepted {dict(clients.refused)}")
    assert len(set(total)) == len(total) == ROUNDS * CALLS
    print(f"seed {SEED}: {len(total)} calls in {time.monotonic() - began:.1f} s, {duplicates} "
          f"executions more than calls")


def test_a_worker_stopped_past_its_lease_changes_nothing_any_more(redis, ledger, gateways):
    first = start(gateways, redis, ledger, "sleep 0.3")
    clients = Clients(first, 40)
    clients.join()
    wait_until(lambda: len(ledger.counts()) > 0, "the first executions")
    first.process.send_signal(signal.SIGSTOP)
    try:
        start(gateways, redis, ledger)
        wait_until(lambda: drained(redis), "the second worker", 60)
        ended = {i: redis.call(i) for i in clients.accepted}
    finally:
        first.process.send_signal(signal.SIGCONT)
    gate = Clients(first, 5)  # it is at work again
    gate.join()
    duplicates = check(redis, ledger, clients.accepted + gate.accepted)
    assert {i: redis.call(i) for i in clients.accepted} == ended
    print(f"{duplicates} of 45 calls were executed once more")


def test_a_function_slower_than_its_lease_runs_once_although_two_could_take_it(redis, ledger,
                                                                               gateways):
    first = start(gateways, redis, ledger, "sleep 1.5", async_lease="300ms")
    start(gateways, redis, ledger, "sleep 1.5", async_lease="300ms")
    clients = Clients(first, 20)
    clients.join()
    duplicates = check(redis, ledger, clients.accepted)
    print(f"{duplicates} of 20 calls were executed once more")
    assert duplicates <= 2  # a machine that is too busy may miss a renewal


def test_what_a_full_redis_has_accepted_is_worked_off(redis, ledger, gateways):
    gw = start(gateways, redis, ledger, "sleep 0.05")
    clients = Clients(gw, 200)
    wait_until(lambda: len(clients.accepted) >= 50, "accepted calls")
    redis("CONFIG", "SET", "maxmemory", "1")
    wait_until(lambda: clients.refused[503] > 0, "a refusal")
    accepted = list(clients.accepted)
    check(redis, ledger, accepted)
    redis("CONFIG", "SET", "maxmemory", "0")
    clients.join()
    check(redis, ledger, clients.accepted)


def test_a_worker_that_comes_when_redis_is_full_works_off_what_waits(redis, ledger, gateways):
    gw = start(gateways, redis, ledger, role="gateway")
    clients = Clients(gw, 20)
    clients.join()
    redis("CONFIG", "SET", "maxmemory", "1")
    gateways(redis_url=redis.url, **SETTINGS, role="worker", gateway_url=gw.url,
             basic_auth="false")
    check(redis, ledger, clients.accepted)


def test_a_redis_that_comes_back_empty_takes_calls_again(redis, ledger, gateways):
    gw = start(gateways, redis, ledger)
    clients = Clients(gw, 300)
    wait_until(lambda: len(clients.accepted) >= 50, "accepted calls")
    redis.kill()
    shutil.rmtree(os.path.join(redis.dir, "appendonlydir"))
    forgotten = len(clients.accepted)
    redis.start()
    clients.join()
    after = clients.accepted[forgotten + CLIENTS:]  # some were answered while it was killed
    assert len(after) > 100
    check(redis, ledger, after)


@pytest.mark.parametrize("jump", [600, -600])
def test_a_clock_that_jumps_starts_nothing_twice(jump, ledger, gateways, tmp_path, monkeypatch,
                                                 request):
    """Leases are of Redis's clock, times of the gateway's: here both are the machine's."""
    offset, env = jumping_clock(tmp_path)
    with monkeypatch.context() as m:
        for name, value in env.items():
            m.setenv(name, value)
        redis = Redis()
        request.addfinalizer(redis.close)
        gw = start(gateways, redis, ledger, "sleep 0.5")
    clients = Clients(gw, 100)
    wait_until(lambda: len(ledger.counts()) > 0, "the first executions")
    before = int(redis("TIME")[0])
    with open(offset, "w") as f:
        f.write(str(jump))
    assert abs(int(redis("TIME")[0]) - before - jump) < 60
    clients.join()
    assert check(redis, ledger, clients.accepted) == 0
