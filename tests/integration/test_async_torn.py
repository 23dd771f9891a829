"""Asynchronous calls behind a Redis that lost the tail of a transaction.

Killed while it writes a script's effects to its append-only file, Redis 7.0 leaves a part of them
there. The next start cuts the file off within the transaction and goes on writing behind it, so
that the start after that executes the part, in front of what was done meanwhile.

Here it is torn on purpose, behind each command of each step that a call goes through. Then two lives
follow: one without anything of the transaction, and, after a second kill, one that begins with its
first part. The second kill comes when all is worked off, or while everything that can be is being
executed and the gateway dies, too."""
import concurrent.futures
import os
import re
import shutil
import tempfile
import time

import pytest

from aof_helpers import AppendOnlyFile, blocks
from minnow import Gateway, wait_until
from redis_helpers import Redis
from test_async import Receiver

FINAL = ("done", "dead", "cancelled")
LASTING = ("minnow:queues", "minnow:queue:", "minnow:dead:")
SETTINGS = {"async_lease": "200ms", "async_retry_min_wait": "10ms", "async_retry_max_wait": "50ms",
            "async_retry_attempts": "100", "async_inline_body_size": "1000", "async_queues": "narrow:1,*"}
QUIET = {"healthcheck_interval": "0s"}


class Stage:
    """A gateway, its Redis, and what both were told."""

    def __init__(self, **settings):
        self.dir = tempfile.mkdtemp(prefix="minnow-torn-")
        os.chmod(self.dir, 0o755)
        self.ledger = os.path.join(self.dir, "ledger")
        with open(self.ledger, "w"):
            pass
        os.chmod(self.ledger, 0o666)  # functions have users of their own
        self.receiver = Receiver()
        self.redis = Redis()
        os.chmod(self.redis.dir, 0o755)
        self.aof = AppendOnlyFile(self.redis)
        self.calls = {}  # accepted ones: how large the file was then, and how they may end
        self.gateway = Gateway(redis_url=self.redis.url, **SETTINGS, **settings)

    def close(self):
        self.let_go()
        self.gateway.close()
        self.redis.close()
        self.receiver.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    # --- the function: notes that it is called and how large the file is then ---
    def deploy(self, name, **spec):
        text = (f'read -r what; id="$Http_X_Call_Id"\n'
                f'echo "$id $(stat -c %s {self.aof.path})" >>{self.ledger}\n'
                f'while [ -e {self.dir}/hold ]; do sleep 0.02; done\n'
                f'case "$what" in\n'
                f'fail) [ -e {self.dir}/works ] ;;\n'
                f'again) [ "$(grep -c "^$id " {self.ledger})" -gt 1 ] ;;\n'
                f'esac\n')
        self.gateway.deploy(name, "sh f.sh", {"f.sh": text}, envVars=QUIET, **spec)

    def switch(self, name, on):
        path = os.path.join(self.dir, name)
        if on:
            with open(path, "w"):
                pass
        elif os.path.exists(path):
            os.unlink(path)

    def hold(self):
        self.switch("hold", True)

    def let_go(self):
        self.switch("hold", False)

    def executions(self):
        """[(id, size of the file then)]"""
        with open(self.ledger) as f:
            return [(line.split()[0], int(line.split()[1])) for line in f]

    # --- what a client does ---
    def offer(self, function="note", body=b"x", **headers):
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        return self.gateway.call("POST", f"/async-function/{function}", body, headers)

    def submit(self, function="note", body=b"x", ends=("done",), **headers):
        held = os.path.exists(os.path.join(self.dir, "hold"))
        self.hold()  # or what becomes of it might be in the file before we know how large it is
        answer = wait_until(lambda: (a := self.offer(function, body, **headers)).status == 202 and a, "202")
        call_id = answer.headers["X-Call-Id"]
        self.calls[call_id] = self.aof.size, ends
        if not held:
            self.let_go()
        return call_id

    def ask(self, path):
        """The answer, once the gateway has its Redis again."""
        def answer():
            a = self.gateway.api("GET", path)
            return a if a.status != 503 else None
        return wait_until(answer, path).json()

    def state(self, call_id):
        return self.ask(f"/async-function/{call_id}").get("state")

    def wait_state(self, call_id, *states):
        wait_until(lambda: self.state(call_id) in states, f"{call_id} to be {states}")

    def wait_executed(self, *ids):
        wait_until(lambda: set(ids) <= {i for i, _ in self.executions()}, f"{ids} to be executed")

    def queues(self):
        return self.ask("/system/queues")

    def is_settled(self):
        return not any(q["depth"] or q["inFlight"] or q["delayed"] for q in self.queues())

    # --- what has to be true in the end ---
    def problems(self, ids, executed):
        found = [q for q in self.queues() if q["depth"] or q["inFlight"] or q["delayed"]]
        for call_id in ids:
            state, ends = self.state(call_id), self.calls[call_id][1]
            if state not in ends:
                found.append((call_id, state, f"not {ends}", self.redis.call(call_id)))
            if (state == "done" or state == "dead" and None not in ends) and call_id not in executed():
                found.append((call_id, state, "never executed"))
        for key in self.redis("KEYS", "minnow:*"):
            ttl = self.redis("PTTL", key)
            if ttl == -1 and not key.startswith(LASTING):
                found.append((key, "lasts"))
            if key.startswith("minnow:call:") and self.redis("HGET", key, "s") not in FINAL and ttl != -2:
                found.append((key, "has not ended", self.redis("HGETALL", key)))
            if key.startswith("minnow:queue:") and self.redis("XPENDING", key, "workers")[0]:
                found.append((key, "pending", self.redis("XPENDING", key, "workers", "-", "+", 3)))
        for q in self.queues():
            dead = [row["callId"] for row in self.ask(f"/system/queues/{q['name']}/dead")]
            if len(set(dead)) != len(dead):
                found.append((q["name"], "dead twice", dead))
            found += [(i, "dead and not listed") for i in ids
                      if self.state(i) == "dead" and i not in dead
                      and q["name"] == self.redis("HGET", f"minnow:call:{i}", "q")]
        return found

    def check(self, ids, executed):
        deadline = time.monotonic() + 30
        while found := self.problems(ids, executed):
            assert time.monotonic() < deadline, found
            time.sleep(0.02)


# --- the steps: what comes before the yield is not torn ---

def a_plain_call(s):
    yield
    s.submit()


def several_that_end_at_once(s):
    s.hold()
    yield
    ids = [s.submit() for _ in range(3)]
    s.wait_executed(*ids)
    s.let_go()


def a_spilled_call_of_an_id_of_its_own(s):
    yield
    s.submit(body=b"x" * 1500, X_Call_Id="mine")


def a_delayed_call_with_a_key(s):
    yield
    s.submit(body=b"x" * 1500, X_Delay_Seconds="1", Idempotency_Key="k")


def an_attempt_that_fails_once(s):
    yield
    s.submit(body=b"again")


def attempts_that_all_fail(s):
    yield
    s.submit("bad", b"fail", ends=("dead",))


def a_callback(s):
    yield
    s.submit(X_Callback_Url=s.receiver.url)


def one_too_many_for_its_function(s):
    s.hold()
    s.wait_executed(s.submit())
    yield
    late = s.submit()
    wait_until(lambda: s.state(late) == "delayed", "a postponed call")
    s.let_go()


def cancelling_what_is_delayed(s):
    call_id = s.submit(X_Delay_Seconds="2", ends=("done", "cancelled"))
    yield
    s.gateway.api("DELETE", f"/async-function/{call_id}", expect=202)


def cancelling_what_is_queued(s):
    s.hold()
    s.wait_executed(s.submit("narrow"))
    call_id = s.submit("narrow", ends=("done", "cancelled"))
    yield
    s.gateway.api("DELETE", f"/async-function/{call_id}", expect=202)
    s.let_go()


def cancelling_what_runs(s):
    s.hold()
    call_id = s.submit(ends=("done", "cancelled"))
    s.wait_executed(call_id)
    yield
    s.gateway.api("DELETE", f"/async-function/{call_id}", expect=202)
    s.wait_state(call_id, "cancelled")
    s.let_go()


def redriving_the_dead(s):
    ids = [s.submit("bad", b"fail", ends=("dead", "done")) for _ in range(2)]
    for call_id in ids:
        s.wait_state(call_id, "dead")
    s.switch("works", True)
    yield
    s.gateway.api("POST", "/system/queues/faas-request/redrive", expect=200)


def purging_what_is_queued(s):
    s.hold()
    s.wait_executed(s.submit("narrow"))
    for _ in range(2):  # dead: what is left of it cannot be made
        s.submit("narrow", ends=("done", "dead", None))
    yield
    s.gateway.api("POST", "/system/queues/narrow/purge", expect=200)
    s.let_go()


def purging_what_is_delayed(s):
    for _ in range(2):
        s.submit(X_Delay_Seconds="2", ends=("done", None))
    yield
    s.gateway.api("POST", "/system/queues/faas-request/purge?which=delayed", expect=200)


def purging_the_dead(s):
    ids = [s.submit("bad", b"fail", ends=("dead", None)) for _ in range(2)]
    for call_id in ids:
        s.wait_state(call_id, "dead")
    yield
    s.gateway.api("POST", "/system/queues/faas-request/purge?which=dead", expect=200)


def a_schedules_firing(s):
    yield
    spec = {"service": "clock", "image": "note:latest", "envVars": QUIET}
    s.gateway.api("POST", "/system/functions", {**spec, "annotations": {"schedule": "* * * * * *"}},
                  expect=202)
    fired = wait_until(s.executions, "a firing")[0][0]
    s.gateway.api("PUT", "/system/functions", spec, expect=202)
    s.wait_state(fired, "done")
    s.calls[fired] = s.executions()[0][1], ("done",)


# Those that take longest go first.
STEPS = [one_too_many_for_its_function, an_attempt_that_fails_once, attempts_that_all_fail, several_that_end_at_once,
         redriving_the_dead, a_delayed_call_with_a_key, purging_what_is_queued, a_spilled_call_of_an_id_of_its_own,
         cancelling_what_is_queued, a_callback, a_plain_call, a_schedules_firing, cancelling_what_is_delayed,
         cancelling_what_runs, purging_what_is_delayed, purging_the_dead]


class Life:
    """One start of Redis; what has been executed since, and before the file was cut off."""

    def __init__(self, stage, ids, cut):
        self.stage, self.ids = stage, list(ids)
        self.before = len(stage.executions())
        self.known = {i for i, size in stage.executions() if size <= cut}
        stage.redis.start()

    def since(self):
        return {i for i, _ in self.stage.executions()[self.before:]}

    def executed(self):
        return self.known | self.since()

    def submit(self):
        self.ids.append(self.stage.submit())
        self.stage.calls[self.ids[-1]] = float("inf"), ("done",)

    def is_all_running(self):
        return all(i in self.since() or self.stage.state(i) in (*FINAL, None) for i in self.ids)


def tear(stage, data, cut, strike):
    """A Redis whose file ends there, and the lives after that."""
    stage.calls = {i: v for i, v in stage.calls.items() if v[0] <= len(data)}
    ids = [i for i, (size, _) in stage.calls.items() if size <= cut]
    stage.let_go()
    stage.redis.kill()
    stage.aof.write(data[:cut])
    if strike:
        stage.hold()
    life = Life(stage, ids, cut)
    life.submit()
    if strike:
        deadline = time.monotonic() + 0.5  # some wait for each other
        while not life.is_all_running() and time.monotonic() < deadline:
            time.sleep(0.02)
        stage.gateway.kill()
    else:
        stage.check(life.ids, life.executed)
    states = {i: stage.state(i) for i in life.ids if not strike and len(stage.calls[i][1]) == 1}
    stage.redis.kill()
    stage.let_go()
    second = Life(stage, life.ids, cut)
    second.known |= life.since()
    if strike:
        stage.gateway.start()
    stage.check(second.ids, second.executed)
    assert {i: stage.state(i) for i in states} == states


def shape(block):
    """The kinds of commands and keys: what was torn once need not be torn again."""
    return tuple((words[0], re.sub("[0-9a-f]{8}-.*", "", words[1]) if words[1:] else "")
                 for words in block.commands)


def cuts(data, begin, touching):
    """Where to cut the file off, and what that is called."""
    seen = set()
    for block in blocks(data, begin):
        if shape(block) in seen or not any(touching in word for words in block.commands for word in words):
            continue
        seen.add(shape(block))
        for n in range(1, len(block.ends)) if block.is_transaction else [0]:
            yield block.within(n), f"behind {block.commands[:n]} within {block.commands[n]}"


def tear_everywhere(step, strike):
    """How many transactions were torn, and what was wrong then."""
    settings = {"async_max_inflight_per_function": 1} if step is one_too_many_for_its_function else {}
    torn, wrong = 0, []
    s = Stage(**settings)
    try:
        s.deploy("note")
        s.deploy("bad", annotations={"com.openfaas.retry.attempts": "2"})
        s.deploy("narrow", annotations={"com.openfaas.queue": "narrow"})
        acts = step(s)
        next(acts)
        begin = s.aof.size
        next(acts, None)
        wait_until(s.is_settled, "the step's end")
        s.redis.kill()
        data = s.aof.read()
        s.redis.start()
        touching = "delayed:" if step is one_too_many_for_its_function else ""
        for cut, name in cuts(data, begin, touching):
            torn += 1
            try:
                tear(s, data, cut, strike)
            except AssertionError as e:
                wrong.append(f"{strike=} {name}: {e}")
    finally:
        s.close()
    return torn, wrong


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_a_call_outlives_a_torn_transaction_in(step):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:  # they mostly wait
        for torn, wrong in pool.map(tear_everywhere, [step, step], [False, True]):
            assert torn and not wrong, "\n".join(wrong)
            print(f"{torn} torn transactions")


def test_what_is_accepted_behind_what_was_torn_is_not_forgotten_with_it():
    """Without an EXEC in the file Redis takes all behind the MULTI for a part of the transaction."""
    s = Stage()
    try:
        s.ask("/system/queues")
        begin = s.aof.size
        s.redis("EVAL", "redis.call('SET', 'a', 1) redis.call('SET', 'b', 1)", 0)
        s.redis.kill()
        data = s.aof.read()
        torn, = [b for b in blocks(data, begin) if ["SET", "b", "1"] in b.commands]
        s.aof.write(data[:torn.within(2)])
        s.redis.start()
        s.ask("/system/queues")
        s.redis("SET", "accepted", "1")
        s.redis.kill()
        s.redis.start()
        assert [s.redis("GET", key) for key in ("a", "b", "accepted")] == ["1", None, "1"]
    finally:
        s.close()
