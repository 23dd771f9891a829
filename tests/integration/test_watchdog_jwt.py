"""Functions that want a token: who is let in, and how the keys are kept up to date. Tests named line_40
are of that line of the watchdogs' robustness checklist; what it says of algorithms, signatures and
claims has its cases in tests/unit/jwt_vectors.h."""
import ctypes
import re
import threading
import time

import pytest

from issuer import Issuer, Key
from upstream import Upstream
from watchdog_helpers import Connection, Watchdog, in_threads, readable, render


def protected(issuer, fprocess="cat", **settings):
    return Watchdog(fprocess, jwt_auth="true", jwt_auth_url=issuer.url, OPENFAAS_NAME="figlet",
                    OPENFAAS_NAMESPACE="dev", **settings)


def bearer(token):
    return [("Authorization", "Bearer " + token)]


@pytest.fixture(scope="module")
def world():
    """One issuer and one watchdog for what does not change them."""
    with Issuer() as issuer, protected(issuer, "env", jwt_auth_debug="true") as wd:
        yield issuer, wd


# --- who is let in ---

def test_the_issuer_is_asked_once_before_anything_listens(world):
    issuer, wd = world
    assert issuer.agents == {"openfaas-watchdog"}
    assert issuer.asked[:2] == ["/.well-known/openid-configuration", "/keys"]
    log = wd.log
    assert log.index("JWT Auth: true") < log.index("JWT keys: 1 of issuer " + issuer.url)
    assert log.index("JWT keys: 1 of") < log.index("Listening on port")


def test_a_good_token_is_let_in_and_the_function_is_told_how_long_that_took(world):
    issuer, wd = world
    token = issuer.token()
    for header in ("Bearer " + token, token, "bearer  " + token + " "):
        env = wd.env_of(headers=[("Authorization", header), ("X-Auth-Seconds", "forged"),
                                 ("x-auth-seconds", "too")])
        assert re.fullmatch(rb"0\.\d{6}", env[b"Http_X_Auth_Seconds"])
        assert env[b"Http_Authorization"].decode() == header.strip()


REFUSED = {
    "no header": (None, 401, "bearer token missing"),
    "an empty header": ("", 401, "bearer token missing"),
    "a scheme and nothing else": ("Bearer ", 401, "bearer token missing"),
    "another scheme": ("Basic dXNlcjpwYXNz", 401, "failed to parse JWT token: token is malformed: "
                       "token contains an invalid number of segments"),
    "nonsense": ("Bearer a.b.c", 401, "failed to parse JWT token: token is malformed: header: "),
    "expired": (dict(exp=1), 401,
                "failed to parse JWT token: token has invalid claims: token is expired"),
    "not yet valid": (dict(nbf=time.time() + 600), 401, "failed to parse JWT token: token has "
                      "invalid claims: token is not valid yet"),
    "without an end": (dict(exp=None), 401, "failed to parse JWT token: token has invalid claims: "
                       "exp claim is required"),
    "another issuer": (dict(iss="http://evil"), 401, "failed to parse JWT token: token has invalid "
                       "claims: token has invalid issuer"),
    "another audience": (dict(aud="http://evil"), 401, "failed to parse JWT token: token has "
                         "invalid claims: token has invalid audience"),
    "no function claim": (dict(function=None), 403, "insufficient permissions"),
    "another function": (dict(function={"permissions": ["dev:env", "prod:*", "ev:figlet"]}), 403,
                         "insufficient permissions"),
    "another audience of functions": (dict(function={"permissions": ["*"], "audience": ["x:*"]}),
                                      403, "insufficient permissions"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_line_40_who_is_refused(world, what):
    issuer, wd = world
    token, status, reason = REFUSED[what]
    if isinstance(token, dict):
        token = "Bearer " + issuer.token(**token)
    before = wd.metrics().get(f'http_requests_total{{code="{status}",method="post"}}', 0)
    r = wd.request("POST", "/a/b?secret=1", body=b"x",
                   headers=[] if token is None else [("Authorization", token)])
    assert r.status == status
    assert r.body.decode().startswith(reason) and r.body.endswith(b"\n")
    assert r.headers["content-type"] == "text/plain; charset=utf-8"
    assert r.headers["x-content-type-options"] == "nosniff"
    assert r.headers["x-openfaas-internal"] == "faas-middleware"
    assert r.headers.get("www-authenticate") == (
        "Bearer realm=IAM function invoke" if status == 401 else None)
    wd.wait_log(rf"POST /a/b - {status} ACCESS DENIED - \(\d+ms\)\n")
    assert wd.metrics()[f'http_requests_total{{code="{status}",method="post"}}'] == before + 1


def test_no_part_of_a_token_is_logged_or_sent_back(world):
    issuer, wd = world
    stranger = Key(issuer.keys[0].kid)
    for token in (issuer.token(exp=1), issuer.token(key=stranger), issuer.token(function=None)):
        r = wd.request(headers=bearer(token))
        wd.wait_log("JWT: 40[13] for dev:figlet")
        for part in token.split("."):
            assert part not in wd.log and part.encode() not in r.body
            assert part not in str(r.headers)


def test_line_40_the_signature_of_another_key_is_refused(world):
    issuer, wd = world
    r = wd.request(headers=bearer(issuer.token(key=Key(issuer.keys[0].kid))))
    assert (r.status, r.body) == (401, b"failed to parse JWT token: token signature is invalid: "
                                       b"ES256: verification error\n")


def test_health_needs_no_token(world):
    _, wd = world
    assert wd.health() == 200
    assert wd.request(target="/_/ready").status == 200
    assert wd.request(target="/_/health/").status == 401


def test_a_refusal_reaches_a_client_that_is_still_sending(world):
    _, wd = world
    with wd.connect() as c:
        try:
            c.send(render("POST", body=bytes(4 << 20)))
        except ConnectionError:
            pass
        assert c.response().status == 401


def test_a_token_that_was_good_is_refused_when_it_has_expired(world):
    issuer, wd = world
    token = issuer.token(exp=time.time() + 0.5)  # and a second of leeway
    assert wd.request(headers=bearer(token)).status == 200
    wd.wait_for(lambda: wd.request(headers=bearer(token)).status == 401, "the token's end")


def test_who_is_refused_takes_no_place():
    with Issuer() as issuer, protected(issuer, "sleep 30", max_inflight=1) as wd:
        with wd.connect() as c:
            c.send(render(headers=bearer(issuer.token())))
            wd.wait_for(lambda: wd.children(), "the first call")
            assert wd.request().status == 401
            assert wd.request(headers=bearer(issuer.token())).status == 429


def test_keys_that_cannot_be_used_are_left_out():
    with Issuer() as issuer:
        issuer.extra_keys = [{"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "AAAA"},
                             {"kty": "oct", "kid": "shared", "k": "AAAA"}]
        with protected(issuer) as wd:
            wd.wait_log(r"JWT keys: left out: key 1 \(ed\): ")
            wd.wait_log(r"JWT keys: left out: key 2 \(shared\): ")
            assert wd.request(headers=bearer(issuer.token())).status == 200


# --- every mode ---

def echo(connection, request):
    if request.get("Upgrade"):
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                           b"Connection: Upgrade\r\n\r\nhello" + request.rest)
        return "close"
    body = request.read(int((request.get("Content-Length") or ["0"])[0]))
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    return None


@pytest.mark.parametrize("mode", ["classic", "streaming", "serializing", "http"])
def test_a_call_waits_for_newer_keys_and_loses_nothing(mode):
    upstream = Upstream(echo)
    with Issuer() as issuer, protected(
            issuer, "sleep 1000" if mode == "http" else "cat", mode=mode, max_inflight=2,
            upstream_url=f"http://{upstream.address}") as wd:
        wd.wait_for(lambda: wd.request(target="/_/ready").status == 200, "readiness")
        issuer.rotate("second")
        issuer.free.clear()
        bodies = [b"", b"small", bytes(range(256)) * 8192]
        with wd.connect() as a, wd.connect() as b, wd.connect() as c:
            connections = [a, b, c]
            senders = [threading.Thread(target=con.send, args=(
                render("POST", "/", bearer(issuer.token()), body),))
                for con, body in zip(connections, bodies)]
            for sender in senders:
                sender.start()
            wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 3, "three that wait")
            # None of them has a place yet.
            assert wd.request(target="/_/ready").status == 200
            issuer.free.set()
            responses = [con.response() for con in connections]
            for sender in senders:
                sender.join(20)
        assert sorted(r.status for r in responses) == [200, 200, 429]
        for r, body in zip(responses, bodies):
            assert r.status == 429 or r.body == body
        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "that all are over")
        assert wd.request("POST", body=b"x", headers=bearer(issuer.token())).body == b"x"
        assert issuer.fetches() == 2


@pytest.mark.parametrize("mode", ["streaming", "serializing"])
def test_forked_functions_of_every_mode_are_told_of_the_check(mode):
    with Issuer() as issuer, protected(issuer, "env", mode=mode) as wd:
        env = wd.env_of(headers=bearer(issuer.token()) + [("X-Auth-Seconds", "forged")])
        assert re.fullmatch(rb"0\.\d{6}", env[b"Http_X_Auth_Seconds"])
        assert wd.request().status == 401


def test_functions_that_speak_http_are_told_of_the_check_and_can_be_probed():
    upstream = Upstream(echo)
    with Issuer() as issuer, protected(issuer, "sleep 1000", mode="http", ready_path="/up",
                                       upstream_url=f"http://{upstream.address}") as wd:
        wd.wait_for(lambda: wd.request(target="/_/ready").status == 200, "readiness")
        assert upstream.requests[-1].line == "GET /up HTTP/1.1"
        assert not upstream.requests[-1].get("X-Auth-Seconds")
        assert wd.request(target="/up").status == 401
        token = issuer.token()
        wd.request(target="/x", headers=bearer(token) + [("X-Auth-Seconds", "forged"), ("X-A", "b")])
        seen = upstream.requests[-1]
        assert seen.line == "GET /x HTTP/1.1" and seen.get("X-A") == ["b"]
        assert re.fullmatch(r"0\.\d{6}", *seen.get("X-Auth-Seconds"))
        assert seen.get("Authorization") == ["Bearer " + token]


def test_an_upgrade_needs_a_token_and_waits_for_its_key():
    upstream = Upstream(echo)
    with Issuer() as issuer, protected(issuer, "sleep 1000", mode="http",
                                       upstream_url=f"http://{upstream.address}") as wd:
        wd.wait_for(lambda: wd.request(target="/_/ready").status == 200, "readiness")
        upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade")]
        assert wd.request(headers=upgrade).status == 401
        assert not upstream.requests
        issuer.rotate("second")
        with wd.connect() as c:
            c.send(render(headers=upgrade + bearer(issuer.token())))
            assert c.head()[0] == 101
            assert c.exactly(5) == b"hello"


def test_files_need_a_token_too():
    with Issuer() as issuer, protected(issuer, "", mode="static", static_path=".") as wd:
        wd.file("a.txt", "secret")
        assert wd.request(target="/a.txt").status == 401
        assert wd.request(target="/a.txt", headers=bearer(issuer.token())).body == b"secret"


# --- rotation ---

def test_line_40_rotation_is_followed_by_the_first_call_that_shows_it():
    with Issuer() as issuer, protected(issuer) as wd:
        old = issuer.token()
        assert wd.request("POST", body=b"a", headers=bearer(old)).status == 200
        issuer.rotate("second")
        assert wd.request("POST", body=b"b", headers=bearer(old)).status == 200
        r = wd.request("POST", body=b"c", headers=bearer(issuer.token()))
        assert (r.status, r.body) == (200, b"c")
        assert issuer.fetches() == 2
        # The old key is gone now, and with it what was signed by it.
        r = wd.request("POST", body=b"d", headers=bearer(old))
        assert r.status == 401
        assert r.body == (b"failed to parse JWT token: token is unverifiable: error while executing "
                          b"keyfunc: invalid kid: first\n")
        # Which nobody is asked about again so soon.
        assert issuer.fetches() == 2


def test_a_collector_of_orphans_does_not_disturb_rotation():
    def subreaper():
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    with Issuer() as issuer, protected(issuer, preexec=subreaper) as wd:
        issuer.rotate("second")
        assert wd.request(headers=bearer(issuer.token())).status == 200
        wd.wait_for(lambda: not wd.children(), "that all are collected")


def test_a_hundred_calls_by_an_unknown_key_cause_one_fetch():
    with Issuer() as issuer, protected(issuer) as wd:
        token = issuer.token(key=Key("unknown"))
        issuer.free.clear()
        done = []

        def call(_):
            done.append(wd.request(headers=bearer(token)).status)

        calls = threading.Thread(target=in_threads, args=(100, call))
        calls.start()
        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 100, "a hundred calls")
        assert not done
        issuer.free.set()
        calls.join(20)
        assert done == [401] * 100
        assert issuer.fetches() == 2


def test_others_are_served_while_the_gateway_is_slow():
    with Issuer() as issuer, protected(issuer) as wd:
        old = issuer.token()
        issuer.rotate("second")
        issuer.free.clear()
        with wd.connect() as waiting, wd.connect() as uploading:
            waiting.send(render(headers=bearer(issuer.token())))
            big = bytes(range(256)) * 4096
            sender = threading.Thread(
                target=uploading.send, args=(render("POST", "/", bearer(issuer.token()), big),))
            sender.start()
            wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 2, "two that wait")
            for i in range(20):
                body = str(i).encode()
                assert wd.request("POST", body=body, headers=bearer(old)).body == body
            assert wd.request().status == 401
            assert not readable(waiting.sock, 0)
            issuer.free.set()
            assert waiting.response().status == 200
            assert uploading.response().body == big
            sender.join(20)
        assert issuer.fetches() == 2


def test_a_gateway_that_hangs_holds_up_a_call_for_five_seconds():
    with Issuer() as issuer, protected(issuer) as wd:
        issuer.free.clear()
        start = time.monotonic()
        assert wd.request(headers=bearer(issuer.token(key=Key("x")))).status == 401
        assert 4.5 < time.monotonic() - start < 10
        wd.wait_log("not done within 5s; those from before are kept")
        assert wd.request(headers=bearer(issuer.token())).status == 200
        wd.wait_for(lambda: not wd.children(), "the end of the process that asked")


def test_a_gateway_that_is_down_does_no_harm_until_it_is_back():
    with Issuer() as issuer, protected(issuer) as wd:
        old = issuer.token()
        issuer.stop()
        issuer.rotate("second")
        new = issuer.token()
        assert wd.request(headers=bearer(new)).status == 401
        wd.wait_log(r"/\.well-known/openid-configuration: .*Connection refused; those from before")
        assert wd.request(headers=bearer(old)).status == 200
        issuer.start()
        wd.wait_for(lambda: wd.request(headers=bearer(new)).status == 200, "the new key")


def test_clients_that_leave_while_they_wait_leave_nothing_behind():
    with Issuer() as issuer, protected(issuer) as wd:
        assert wd.request(headers=bearer(issuer.token())).status == 200
        before = wd.fds()
        issuer.free.clear()
        connections = [wd.connect() for _ in range(20)]
        for i, c in enumerate(connections):
            body = b"x" if i % 2 else None
            c.send(render("POST", "/", bearer(issuer.token(key=Key("x"))), body))
        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 20, "twenty that wait")
        for c in connections:
            c.sock.close()
        # Of one whose body waits to be read it cannot be seen at once.
        wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 0, "that all are forgotten")
        issuer.free.set()
        wd.wait_for(lambda: not wd.children() and wd.fds() <= before, "that nothing is left")
        assert wd.request(headers=bearer(issuer.token())).status == 200
        wd.terminate()
        assert wd.wait_exit() == 0


def test_the_drain_waits_for_a_call_that_waits_for_keys():
    with Issuer() as issuer, protected(issuer) as wd:
        issuer.rotate("second")
        issuer.free.clear()
        with wd.connect() as c:
            c.send(render("POST", "/", bearer(issuer.token()), b"late"))
            wd.wait_for(lambda: wd.metrics()["http_requests_in_flight"] == 1, "one that waits")
            wd.terminate()
            wd.wait_log("draining: 1 requests")
            issuer.free.set()
            assert c.response().body == b"late"
        assert wd.wait_exit() == 0


# --- the start ---

def test_line_40_a_gateway_that_comes_up_later_is_waited_for():
    with Issuer(start=False) as issuer, protected(issuer, wait=False) as wd:
        wd.wait_log("trying again in 250ms")
        with pytest.raises(ConnectionRefusedError):
            Connection(wd.port)
        issuer.start()
        wd.wait_healthy()
        assert wd.request(headers=bearer(issuer.token())).status == 200


def test_a_gateway_that_stays_away_ends_the_watchdog():
    with Issuer(start=False) as issuer, protected(issuer, wait=False,
                                                  jwt_auth_start_timeout="500ms") as wd:
        assert wd.wait_exit() == 1
        assert re.search(rf"JWT Auth: GET {issuer.url}/\.well-known/openid-configuration: .*"
                         "Connection refused", wd.log)


def test_a_gateway_without_a_usable_key_ends_the_watchdog():
    with Issuer() as issuer:
        issuer.keys = []
        with protected(issuer, wait=False, jwt_auth_start_timeout="0") as wd:
            assert wd.wait_exit() == 1
            assert "there is no key that can check a token" in wd.log


def test_it_can_be_stopped_while_it_waits():
    with Issuer() as issuer:
        issuer.free.clear()
        with protected(issuer, wait=False) as wd:
            wd.wait_for(lambda: issuer.asked, "the first question")
            wd.terminate()
            assert wd.wait_exit() == 0
            assert "told to stop" in wd.log


BAD_SETTINGS = {
    "neither true nor false": (dict(jwt_auth="maybe"), 'jwt_auth="maybe" is neither'),
    "no name": (dict(OPENFAAS_NAME="unset"), "OPENFAAS_NAME is not set"),
    "no namespace": (dict(OPENFAAS_NAMESPACE="unset"), "OPENFAAS_NAMESPACE is not set"),
    "TLS": (dict(jwt_auth_url="https://gw"), "only http is spoken"),
    "no URL": (dict(jwt_auth_url="gw:8080"), "jwt_auth_url: "),
    "debug": (dict(jwt_auth_debug="x"), "jwt_auth_debug"),
}


@pytest.mark.parametrize("what", BAD_SETTINGS)
@pytest.mark.parametrize("mode", ["classic", "streaming"])
def test_what_would_leave_a_function_unprotected_is_refused(what, mode):
    bad, message = BAD_SETTINGS[what]
    settings = dict(jwt_auth="true", OPENFAAS_NAME="f", OPENFAAS_NAMESPACE="n",
                    jwt_auth_url="http://127.0.0.1:1", mode=mode)
    with Watchdog("cat", wait=False, **{**settings, **bad}) as wd:
        assert wd.wait_exit() == 1
        assert "Error loading config: " in wd.log and message in wd.log


def test_the_local_gateway_is_on_port_8000():
    with Watchdog("cat", wait=False, jwt_auth="1", jwt_auth_local="true", OPENFAAS_NAME="f",
                  OPENFAAS_NAMESPACE="n", jwt_auth_start_timeout="0") as wd:
        assert wd.wait_exit() == 1
        assert "http://127.0.0.1:8000/.well-known/openid-configuration" in wd.log
