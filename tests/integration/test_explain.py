"""The flight recorder: why a call failed, for whoever has its id."""
import json
import re

import pytest

from cli_helpers import Cli
from minnow import Gateway, wait_until
from redis_helpers import Redis


@pytest.fixture
def gateway():
    gw = Gateway(flight_records=3, upstream_timeout="300ms")
    yield gw
    gw.close()


def deploy(gw, name, text, **spec):
    gw.deploy(name, "sh f.sh", {"f.sh": (text, 0o755)}, envVars={"healthcheck_interval": "0s"}, **spec)


def login(tmp_path, gw):
    cli = Cli(str(tmp_path), gw.url)
    cli("login", "--username", "admin", "--password-stdin", stdin=gw.password)
    return cli


def known(gw, call_id):
    return gw.api("GET", f"/system/calls/{call_id}")


def test_failures_are_explained_and_the_latest_kept(gateway, tmp_path):
    deploy(gateway, "bad", "exit 3")
    deploy(gateway, "slow", "sleep 5")
    deploy(gateway, "good", "cat")
    cli = login(tmp_path, gateway)
    ids = {}
    for name in ("good", "bad", "slow"):
        ids[name] = gateway.invoke(name, b"x", path="/p").headers["X-Call-Id"]
    missing = gateway.invoke("nope")

    call = wait_until(lambda: (a := known(gateway, ids["bad"])).status == 200 and a, "a record").json()
    assert (call["function"], call["status"], call["method"]) == ("bad.openfaas-fn", 500, "POST")
    assert call["path"] == "/function/bad/p" and call["callId"] == ids["bad"]
    assert known(gateway, ids["good"]).status == 404
    assert gateway.call("GET", f"/system/calls/{ids['bad']}").status == 401
    assert missing.status == 404

    text = cli("explain", ids["bad"]).out
    assert "ended with 500" in text and "the function's own answer" in text
    assert "when the program fails" in text and "faas-cli logs bad --tail=false" in text
    assert "Why: the function did not answer within 300ms" in cli("explain", ids["slow"]).out
    assert json.loads(cli("explain", ids["slow"], "--json").out)["status"] == 504
    cli("explain", ids["good"], rc=1)

    for _ in range(3):  # as many as are kept
        last = gateway.invoke("bad").headers["X-Call-Id"]
    wait_until(lambda: known(gateway, last).status == 200, "the last record")
    assert known(gateway, ids["bad"]).status == 404


def test_a_watchdogs_timeout_and_a_namespace_are_named(gateway, tmp_path):
    gateway.deploy("late", "sh f.sh", {"f.sh": ("sleep 5", 0o755)}, envVars={"exec_timeout": "100ms"}, namespace="dev",
                   ready=False)  # a call waits for it
    cli = login(tmp_path, gateway)
    call_id = gateway.invoke("late.dev").headers["X-Call-Id"]
    wait_until(lambda: known(gateway, call_id).status == 200, "a record")
    text = cli("explain", call_id).out
    assert "ended with 408" in text and "when exec_timeout is over" in text
    hint = text.split("See what it said: faas-cli ")[1].split()
    assert hint == ["logs", "late", "--namespace", "dev", "--tail=false"]
    cli(*hint)


def test_an_asynchronous_call_is_told_attempt_by_attempt(tmp_path):
    redis = Redis()
    gw = Gateway(redis_url=redis.url, async_retry_min_wait="10ms", async_retry_max_wait="10ms")
    try:
        deploy(gw, "bad", "exit 1", annotations={"com.openfaas.retry.attempts": "2"})
        cli = login(tmp_path, gw)
        said = cli("invoke", "bad", "--async", stdin="x").err
        call_id = re.fullmatch(r"Function submitted asynchronously\.\n"
                               r"Call id: (\S+) \(faas-cli async status \1\)\n", said)[1]
        cli("async", "status", call_id, "--wait", "20s")
        text = cli("explain", call_id).out
        assert "An asynchronous call of bad.openfaas-fn" in text
        assert "Attempt 1 was answered with 500" in text and "Attempt 2 was answered with 500" in text
        assert f"faas-cli queue redrive faas-request --id {call_id}" in text
    finally:
        gw.close()
        redis.close()


def test_nothing_is_kept_where_nothing_is_to_be():
    gw = Gateway(flight_records=0)
    try:
        deploy(gw, "bad", "exit 1")
        call_id = gw.invoke("bad").headers["X-Call-Id"]
        assert known(gw, call_id).status == 404
    finally:
        gw.close()
