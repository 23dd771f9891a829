"""Functions that are called by their annotation schedule: once for each planned time, whatever is killed."""
import glob
import os
import re
import threading
import time
from datetime import datetime, timezone

import pytest

from cli_helpers import Cli
from clock_helpers import jumping_clock
from minnow import Gateway, wait_until
from redis_helpers import Redis
from upstream import Upstream, reply

EVERY_SECOND = "* * * * * *"
SETTINGS = {"provider": "memory", "async_lease": "1s", "async_retry_min_wait": "10ms",
            "async_retry_max_wait": "50ms"}


@pytest.fixture
def redis():
    server = Redis()
    yield server
    server.close()


@pytest.fixture
def function():
    """Stands for a function's replicas, whichever gateway calls them."""
    up = Upstream(reply(b"ok"))
    yield up
    up.close()


@pytest.fixture
def gateways(redis):
    """gateways(**settings) starts one more on the same Redis."""
    started = []

    def start(**settings):
        started.append(Gateway(redis_url=redis.url, **{**SETTINGS, **settings}))
        return started[-1]

    yield start
    for gw in reversed(started):
        if gw.process.poll() is None:
            gw.close()


def deploy(gw, function, schedule, method="POST", **options):
    annotations = {"minnow.upstream": function.address, "topic": "cron-function", "schedule": schedule,
                   **{f"schedule.{k.replace('_', '-')}": v for k, v in options.items()}}
    gw.api(method, "/system/functions", {"service": "tick", "image": "none", "annotations": annotations}, expect=202)


def planned(request):
    text = request.get("X-Scheduled-For")[0]
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp())


def calls(function, path="/"):
    """The ids of the calls made for each planned time."""
    out = {}
    for request in list(function.requests):
        if request.target == path and request.get("X-Scheduled-For"):
            out.setdefault(planned(request), set()).add(request.get("X-Call-Id")[0])
    return out


def assert_each_second_once(function, n, path="/"):
    """Waits until n more planned seconds have come, and none that lies before is left out."""
    latest = max(calls(function, path), default=0)

    def complete():
        seen = calls(function, path)
        return seen and sum(t > latest for t in seen) >= n and len(seen) == max(seen) - min(seen) + 1

    wait_until(complete, f"{n} more seconds without a gap, of {sorted(calls(function, path))}", 40)
    twice = {t: ids for t, ids in calls(function, path).items() if len(ids) > 1}
    assert not twice


def outcomes(gw):
    return {m[0]: int(m[1]) for m in re.findall(
        r'gateway_schedule_firings_total\{function_name="tick\.openfaas-fn",outcome="(\w+)"\} (\d+)', gw.metrics())}


def test_each_planned_time_is_called_once_by_gateways_that_are_killed(gateways, function, redis):
    one, two = gateways(), gateways()
    for gw in one, two:
        deploy(gw, function, EVERY_SECOND)
    assert_each_second_once(function, 3)
    wait_until(lambda: outcomes(two).get("queued", 0) + outcomes(two).get("elsewhere", 0) > 1, "two to plan")
    one.kill()
    assert_each_second_once(function, 3)
    one.start()
    deploy(one, function, EVERY_SECOND)
    assert_each_second_once(function, 3)
    two.kill()
    assert_each_second_once(function, 3)
    # Redis has one record for each time, and says itself when to forget it.
    fired = redis("KEYS", "minnow:fired:tick.openfaas-fn:*")
    assert len(fired) >= 12 and all(0 < redis("PTTL", key) <= 3660000 for key in fired)


def test_a_schedule_changes_and_ends_without_a_restart(gateways, function):
    one, two = gateways(), gateways()
    for gw in one, two:
        deploy(gw, function, EVERY_SECOND, path="/before")
    assert_each_second_once(function, 2, "/before")
    for gw in one, two:
        deploy(gw, function, "*/2 * * * * *", method="PUT", path="/after")
    last = max(calls(function, "/before"))
    wait_until(lambda: len(calls(function, "/after")) >= 3, "calls by the new schedule")
    assert all(t % 2 == 0 and len(ids) == 1 for t, ids in calls(function, "/after").items())
    assert max(calls(function, "/before")) <= last + 1
    for gw in one, two:
        gw.remove("tick")
    last = max(calls(function, "/after"))
    deploy(one, function, EVERY_SECOND, path="/again")
    assert_each_second_once(function, 3, "/again")
    assert max(calls(function, "/after")) <= last + 2


def test_a_call_that_is_not_over_is_not_overlapped_when_that_is_skipped(gateways, redis):
    go_on = threading.Event()

    def slow(connection, request):
        assert go_on.wait(60)
        reply(b"ok")(connection, request)

    function = Upstream(slow)
    try:
        one, two = gateways(), gateways()
        for gw in one, two:
            deploy(gw, function, EVERY_SECOND, overlap="skip")
        wait_until(lambda: outcomes(one).get("skipped", 0) + outcomes(two).get("skipped", 0) >= 3, "skipped times")
        assert len(calls(function)) == 1 and redis("SCARD", "minnow:queues") == 1
        go_on.set()
        wait_until(lambda: len(calls(function)) >= 3, "the next calls")
        assert all(len(ids) == 1 for ids in calls(function).values())
    finally:
        go_on.set()
        function.close()


def test_redis_away_is_made_up_for(gateways, function, redis):
    gw = gateways()
    deploy(gw, function, EVERY_SECOND)
    assert_each_second_once(function, 2)
    redis.kill()
    wait_until(lambda: [r for r in gw.records if r["msg"] == "a scheduled call could not be queued yet"],
               "the failure to be logged")
    redis.start()
    assert_each_second_once(function, 4)
    assert "missed" not in outcomes(gw)


@pytest.mark.parametrize("jump", [4, -600])
def test_a_gateway_whose_clock_jumps_calls_nothing_twice(jump, gateways, function, tmp_path, monkeypatch):
    offset, env = jumping_clock(tmp_path)
    with monkeypatch.context() as m:
        for name, value in env.items():
            m.setenv(name, value)
        wrong = gateways()
    right = gateways()
    for gw in wrong, right:
        deploy(gw, function, EVERY_SECOND)
    assert_each_second_once(function, 2)
    for seconds in jump, 0:
        with open(offset, "w") as f:
            f.write(str(seconds))
        assert_each_second_once(function, 3)
    assert "missed" not in outcomes(right)


def test_roles_of_their_own(gateways, function):
    gw = gateways(role="gateway")
    gateways(role="worker", gateway_url=gw.url, basic_auth="false")
    deploy(gw, function, EVERY_SECOND)
    assert_each_second_once(function, 2)


def test_the_call_is_what_the_annotations_say(gateways, function):
    gw = gateways()
    deploy(gw, function, "@every 1s", path="/report?kind=daily", body='{"a":1}', content_type="application/json")
    wait_until(lambda: calls(function, "/report?kind=daily"), "the call")
    request = function.requests[0]
    assert request.method == "POST"
    assert request.get("Content-Type") == ["application/json"] and request.get("Content-Length") == ["7"]
    assert request.get("X-Topic") == ["cron-function"] and request.get("X-Connector") == ["cron-connector"]
    assert request.get("X-Call-Id")[0]


def test_jitter_makes_calls_later_by_chance(gateways, function, redis):
    gw = gateways()
    deploy(gw, function, EVERY_SECOND, jitter="1h")
    flat = wait_until(lambda: (rows := redis("ZRANGE", "minnow:delayed:faas-request", 0, -1, "WITHSCORES"))
                      and len(rows) >= 6 and rows, "delayed calls")
    for call_id, due_ms in zip(flat[::2], flat[1::2]):
        text = re.search(r"X-Scheduled-For: (\S+)", redis("GET", f"minnow:packet:{call_id}"))[1]
        at_ms = datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000
        assert at_ms <= int(due_ms) <= at_ms + 3600000


def test_a_gateway_that_was_down_makes_up_for_it(redis):
    """A lonely one, with functions that it remembers; then one of them as no gateway takes it any more."""
    gw = Gateway(redis_url=redis.url)

    def seconds():
        return sorted(int(key.rsplit(":", 1)[1]) // 1000 for key in redis("KEYS", "minnow:fired:*"))

    try:
        gw.deploy("tick", annotations={"schedule": EVERY_SECOND})
        wait_until(lambda: len(seconds()) >= 2, "the first calls")
        gw.kill()
        down = max(seconds())
        wait_until(lambda: time.time() > down + 3, "some seconds to be missed")
        gw.start()
        wait_until(lambda: max(seconds()) > down + 5, "calls to go on")
        seen = seconds()
        assert seen == list(range(seen[0], seen[-1] + 1))
        gw.stop()
        record = glob.glob(os.path.join(gw.state, "functions", "**", "*tick*.json"), recursive=True)
        with open(record[0]) as f:
            text = f.read()
        assert EVERY_SECOND in text
        with open(record[0], "w") as f:
            f.write(text.replace(EVERY_SECOND, "every second"))
        gw.start()
        wait_until(lambda: [r for r in gw.records if "schedule cannot be read" in r["msg"]], "a warning")
        gw.wait_ready("tick")
        assert gw.invoke("tick", b"x").body == b"x"
    finally:
        gw.close()


BAD = [
    (["schedule=61 * * * *"], "annotation schedule: minute 61 is not from 0 to 59"),
    (["schedule=0 0 31 2 *"], "it never comes"),
    (["schedule=hourly"], "it needs five fields"),
    (["schedule=@daily", "schedule.timezone=Mars/Base"], "annotation schedule.timezone: the time zone Mars/Base"),
    (["schedule=@daily", "schedule.timezone=../../etc/passwd"], "annotation schedule.timezone: "),
    (["schedule=@daily", "schedule.jitter=soon"], "annotation schedule.jitter: "),
    (["schedule=@daily", "schedule.overlap=never"], "annotation schedule.overlap: "),
    (["schedule=@daily", "schedule.timezome=UTC"], "annotation schedule.timezome: not known"),
    (["schedule.overlap=skip"], "annotation schedule: it is missing"),
]


def test_bad_schedules_are_refused_at_deploy(gateways, tmp_path):
    gw = gateways()
    cli = Cli(str(tmp_path), gw.url)
    cli("login", "--password-stdin", stdin=gw.password)
    for annotations, said in BAD:
        flags = [word for a in annotations for word in ("--annotation", a)]
        result = cli("deploy", "--image", "none", "--name", "tick", *flags, rc=1)
        assert said in result.err + result.out, (annotations, result)
    assert gw.api("GET", "/system/functions", expect=200).json() == []


def test_a_schedule_that_nobody_follows_is_told(function):
    gw = Gateway(provider="memory")
    try:
        deploy(gw, function, EVERY_SECOND)
        wait_until(lambda: [r for r in gw.records if "redis_url" in r["msg"]], "a warning")
    finally:
        gw.close()


def test_schedules_can_be_left_to_a_connector(gateways, function):
    off, on = gateways(schedules="false"), gateways()
    for gw in off, on:
        deploy(gw, function, EVERY_SECOND)
    assert_each_second_once(function, 2)
    assert "gateway_schedule_firings_total" not in off.metrics()
    assert outcomes(on)["queued"] >= 2 and "elsewhere" not in outcomes(on)
