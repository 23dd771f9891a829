"""/system/…: the REST API of OpenFaaS, its credentials, and its refusals."""
import base64
import datetime
import json
import os
import socket
import threading
import time

import pytest

from minnow import NS, Gateway, bundle, wait_until

PROTECTED = [
    ("GET", "/system/functions"), ("POST", "/system/functions"), ("PUT", "/system/functions"), ("DELETE", "/system/functions"),
    ("GET", "/system/function/f"), ("POST", "/system/scale-function/f"),
    ("GET", "/system/secrets"), ("POST", "/system/secrets"), ("PUT", "/system/secrets"), ("DELETE", "/system/secrets"),
    ("GET", "/system/logs?name=f"), ("GET", "/system/namespaces"), ("GET", "/system/info"),
    ("POST", "/system/namespace/"), ("GET", "/system/namespace/x"), ("PUT", "/system/namespace/x"), ("DELETE", "/system/namespace/x"),
    ("POST", "/system/namespaces/"), ("GET", "/system/namespaces/x"), ("PUT", "/system/namespaces/x"), ("DELETE", "/system/namespaces/x"),
    ("GET", "/system/images"), ("PUT", "/system/images?name=x"), ("DELETE", "/system/images?name=x"),
]


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize("method,path", PROTECTED)
def test_management_asks_for_credentials(gateway, method, path):
    for headers in ({}, basic("admin", "wrong"), basic("wrong", gateway.password), {"Authorization": "Bearer x"},
                    {"Authorization": "Basic !!!"}, basic("admin", gateway.password + "x")):
        answer = gateway.call(method, path, headers=headers)
        assert answer.status == 401, (headers, answer)
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="Restricted"'


def test_invocation_and_health_are_open(gateway):
    assert gateway.call("GET", "/healthz").status == 200
    assert gateway.call("GET", "/function/nope").status == 404


def test_the_password_is_long_private_and_stays(gateways):
    g = gateways()
    path = os.path.join(g.state, "auth/basic-auth-password")
    assert os.stat(path).st_mode & 0o777 == 0o600 and len(g.password) >= 20
    before = g.password
    g.stop()
    g.start()
    assert g.password == before
    assert not any(before in json.dumps(r) for r in g.records), "secrets never reach the log"


def test_unknown_routes_are_404_and_wrong_methods_405(gateway):
    assert gateway.api("GET", "/system/nope").status == 404
    answer = gateway.api("PATCH", "/system/functions")
    assert answer.status == 405 and answer.headers["Allow"] == "GET, POST, PUT, DELETE"


@pytest.mark.parametrize("method,path", [
    ("GET", "/system/function/nul%00tail"), ("GET", "/system/functions?namespace=%00"), ("GET", "/system/logs?name=nul%00tail"),
    ("DELETE", "/system/images?name=nul:latest%00tail"),
])
def test_a_nul_does_not_cut_a_name_short(gateway, method, path):
    if gateway.api("GET", "/system/function/nul").status == 404:
        gateway.deploy("nul")
    answer = gateway.api(method, path)
    assert answer.status == 400 and "NUL" in answer.json()["error"], answer
    assert gateway.api("GET", "/system/function/a%2500").status == 404, "an escaped percent sign is no NUL"


def test_info_names_provider_and_versions(gateway):
    info = gateway.api("GET", "/system/info", expect=200).json()
    assert info["provider"]["provider"] and info["provider"]["orchestration"] == "local"
    assert info["provider"]["version"]["release"] and info["version"]["sha"] and info["arch"] in ("amd64", "arm64", "arm")


def test_namespaces_hold_the_default(gateway):
    assert gateway.api("GET", "/system/namespaces", expect=200).json() == [NS]


@pytest.mark.parametrize("base", ["/system/namespace/", "/system/namespaces/"])
def test_namespaces_are_made_changed_and_removed(gateway, base):
    mark = {"openfaas": "1"}
    gateway.api("GET", base + "dev", expect=404)
    gateway.api("PUT", base + "dev", {"name": "dev", "labels": mark}, expect=404)
    gateway.api("POST", base, {"name": "dev", "labels": {**mark, "team": "blue"}, "annotations": mark}, expect=201)
    gateway.api("POST", base, {"name": "dev", "labels": mark}, expect=409)
    assert gateway.api("GET", "/system/namespaces", expect=200).json() == [NS, "dev"]
    assert gateway.api("GET", base + "dev", expect=200).json() == {
        "name": "dev", "labels": {"openfaas": "1", "team": "blue"}, "annotations": mark}
    gateway.api("PUT", base + "dev", {"name": "dev", "annotations": mark}, expect=202)
    assert gateway.api("GET", base + "dev", expect=200).json() == {"name": "dev", "annotations": mark}
    gateway.deploy("housed", ready=False, namespace="dev")
    gateway.api("DELETE", base + "dev", expect=409)
    gateway.api("DELETE", "/system/functions", {"functionName": "housed", "namespace": "dev"}, expect=202)
    gateway.api("DELETE", base + "dev", {"name": "dev", "labels": mark}, expect=202)
    gateway.api("DELETE", base + "dev", expect=404)
    assert gateway.api("GET", "/system/namespaces", expect=200).json() == [NS]


@pytest.mark.parametrize("verb,name,body,said", [
    ("POST", "", {"name": "dev"}, 'openfaas: "1"'), ("POST", "", {"name": "dev", "labels": {"openfaas": "true"}}, "openfaas"),
    ("POST", "", {"labels": {"openfaas": "1"}}, "name"), ("POST", "", {"name": "kube-system", "labels": {"openfaas": "1"}}, "cluster"),
    ("POST", "", {"name": "../x", "labels": {"openfaas": "1"}}, "namespace"), ("POST", "", [], "object"), ("POST", "", {"name": 7}, "name"),
    ("PUT", "dev", {"name": "prod", "labels": {"openfaas": "1"}}, "path"), ("DELETE", NS, None, "default"),
    ("GET", "%2e%2e", None, "namespace"),
])
def test_bad_namespaces_are_400(gateway, verb, name, body, said):
    answer = gateway.api(verb, "/system/namespace/" + name, body)
    assert answer.status == 400 and said in answer.json()["error"], answer


def test_a_function_is_created_described_listed_updated_and_removed(gateway):
    gateway.push("crud:1", "cat")
    spec = {"service": "crud", "image": "crud:1", "envProcess": "cat", "envVars": {"k": "v"}, "labels": {"l": "1"},
            "annotations": {"a": "x\ny"}, "limits": {"memory": "64Ti", "cpu": "100m"}, "constraints": ["c=1"]}  # 64Ti: more than a sanitizer reserves
    assert gateway.api("PUT", "/system/functions", spec).status == 404, "the CLI's fallback to POST stands on this"
    gateway.api("POST", "/system/functions", spec, expect=202)
    assert gateway.api("POST", "/system/functions", spec).status == 409
    gateway.wait_ready("crud")
    status = gateway.status("crud")
    assert status["name"] == "crud" and status["namespace"] == NS and status["image"] == "crud:1"
    assert status["envVars"] == {"k": "v"} and status["envProcess"] == "cat"
    assert status["labels"] == {"l": "1", "faas_function": "crud"} and status["annotations"] == {"a": "x\ny"}
    assert status["limits"] == {"memory": "64Ti", "cpu": "100m"} and "requests" not in status and status["constraints"] == ["c=1"]
    assert status["replicas"] == 1 and status["availableReplicas"] == 1
    assert datetime.datetime.fromisoformat(status["createdAt"].replace("Z", "+00:00")).year >= 2024
    listed = {f["name"]: f for f in gateway.api("GET", "/system/functions", expect=200).json()}
    assert {k: v for k, v in listed["crud"].items() if k != "usage"} == {k: v for k, v in status.items() if k != "usage"}
    gateway.api("PUT", "/system/functions", {**spec, "envVars": {"k": "w"}, "labels": None, "annotations": None}, expect=202)
    assert gateway.status("crud")["envVars"] == {"k": "w"}
    assert gateway.remove("crud").status == 202
    assert gateway.api("GET", "/system/function/crud").status == 404 and gateway.remove("crud").status == 404
    assert gateway.invoke("crud").status == 404


@pytest.mark.parametrize("change,field", [
    ({"service": "UPPER"}, "service"), ({"service": ""}, "service"), ({"service": "x" * 64}, "service"), ({"service": 5}, "service"),
    ({"image": None}, "image"), ({"image": "not-there:1"}, "image"), ({"labels": {"a": 1}}, "labels"),
    ({"limits": {"memory": "12Q"}}, "limits.memory"), ({"envVars": {"exec_timeout": "soon"}}, "exec_timeout"),
    ({"secrets": ["missing"]}, "missing"), ({"labels": {"com.openfaas.scale.min": "many"}}, "com.openfaas.scale.min"),
    ({"labels": {"com.openfaas.scale.min": "5", "com.openfaas.scale.max": "2"}}, "com.openfaas.scale.m"),
    ({"namespace": "elsewhere/../x"}, "namespace"),
])
def test_bad_deployments_are_400_and_the_field_is_named(gateway, change, field):
    gateway.push("bad:1", "cat")
    answer = gateway.api("POST", "/system/functions", {"service": "bad", "image": "bad:1", **change})
    assert answer.status == 400 and field in answer.json()["error"], answer
    assert "bad" not in [f["name"] for f in gateway.api("GET", "/system/functions").json()]


@pytest.mark.parametrize("body,status", [(b"", 400), (b"{", 400), (b"[]", 400), (b"nul", 400), (b"{}" + b" " * 3 * 1024 * 1024, 413),
                                         (b"[" * 100000, 400), (b'{"service":"a\\u0000b","image":"x"}', 400)])
def test_bad_json_is_refused(gateway, body, status):
    answer = gateway.call("POST", "/system/functions", body, auth=True)
    assert answer.status == status, answer


def test_replicas_follow_the_labels_and_scale(gateway):
    gateway.deploy("scaled", labels={"com.openfaas.scale.min": "2"})
    assert gateway.status("scaled")["replicas"] == 2
    gateway.api("POST", "/system/scale-function/scaled", {"serviceName": "scaled", "replicas": 4}, expect=202)
    gateway.wait_ready("scaled", 4)
    gateway.api("POST", "/system/scale-function/scaled", {"replicas": 0}, expect=202)
    assert "replicas" not in gateway.status("scaled"), "zero is left out, as clients expect"
    assert gateway.invoke("scaled", b"wake").body == b"wake"
    assert gateway.status("scaled")["replicas"] == 2, "back to its minimum"
    for bad in ({}, {"replicas": -1}, {"replicas": 1.5}, {"replicas": "2"}, {"replicas": 10**9}):
        assert gateway.api("POST", "/system/scale-function/scaled", bad).status == 400, bad
    assert gateway.api("POST", "/system/scale-function/nope", {"replicas": 1}).status == 404


def test_secrets_are_created_used_updated_listed_and_never_shown(gateway):
    raw = bytes(range(256))
    for verb, status in (("POST", 201), ("POST", 409), ("PUT", 202)):
        gateway.api(verb, "/system/secrets", {"name": "api-key", "value": "one"}, expect=status)
    gateway.api("POST", "/system/secrets", {"name": "binary", "rawValue": base64.b64encode(raw).decode()}, expect=201)
    assert {"name": "api-key", "namespace": NS} in gateway.api("GET", "/system/secrets", expect=200).json()
    gateway.push("reader:1", "sh read.sh", {"read.sh": 'cat "$secret_mount_path/$(cat)"'})
    gateway.deploy("reader", image="reader:1", secrets=["api-key", "binary"])
    assert gateway.invoke("reader", b"api-key").body == b"one"
    assert gateway.invoke("reader", b"binary").body == raw
    gateway.api("PUT", "/system/secrets", {"name": "api-key", "value": "two"}, expect=202)
    assert gateway.invoke("reader", b"api-key").body == b"two"
    assert gateway.api("DELETE", "/system/secrets", {"name": "api-key"}).status in (400, 409), "it is in use"
    gateway.remove("reader")
    gateway.api("DELETE", "/system/secrets", {"name": "api-key"}, expect=202)
    gateway.api("DELETE", "/system/secrets", {"name": "api-key"}, expect=404)
    gateway.api("PUT", "/system/secrets", {"name": "api-key", "value": "x"}, expect=404)
    for bad in ({"name": "../x", "value": "v"}, {"name": "", "value": "v"}, {"value": "v"}, {"name": "a/b", "value": "v"},
                {"name": "ok", "rawValue": "%%%"}):
        assert gateway.api("POST", "/system/secrets", bad).status == 400, bad


def test_a_function_sees_only_the_secrets_it_asked_for(gateway):
    for name in ("mine", "theirs"):
        gateway.api("POST", "/system/secrets", {"name": name, "value": name}, expect=201)
    files = {"ls.sh": 'ls "$secret_mount_path"; find / -xdev -name theirs -path "*secrets*" -exec cat {} + 2>/dev/null; true'}
    gateway.push("nosy:1", "sh ls.sh", files)
    gateway.deploy("nosy", image="nosy:1", secrets=["mine"])
    gateway.deploy("other", secrets=["theirs"])
    seen = gateway.invoke("nosy").body
    assert seen.strip() == b"mine"


def records(answer):
    return [json.loads(line) for line in answer.body.splitlines()]


def test_logs_are_served_with_tail_since_and_instance(gateway):
    gateway.push("talker:1", "sh talk.sh", {"talk.sh": 'read word; echo "said $word" >&2; echo ok'})
    gateway.deploy("talker", image="talker:1", envVars={"combine_output": "false"})
    for i in range(5):
        gateway.invoke("talker", f"w{i}\n".encode())
    mine = lambda a: [r for r in records(a) if "said w" in r["text"]]
    wait_until(lambda: len(mine(gateway.api("GET", "/system/logs?name=talker"))) == 5, "five lines")
    answer = gateway.api("GET", "/system/logs?name=talker&namespace=openfaas-fn&follow=false", expect=200)
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert all(set(r) == {"name", "namespace", "instance", "timestamp", "text"} for r in records(answer))
    assert all(r["name"] == "talker" and r["namespace"] == NS and r["instance"] for r in records(answer))
    assert len(records(gateway.api("GET", "/system/logs?name=talker&tail=2"))) == 2
    later = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert records(gateway.api("GET", f"/system/logs?name=talker&since={later}")) == []
    assert records(gateway.api("GET", "/system/logs?name=talker&instance=nobody")) == []
    for bad in ("", "name=talker&tail=x", "name=talker&since=yesterday"):
        assert gateway.api("GET", f"/system/logs?{bad}").status == 422, bad
    assert gateway.api("GET", "/system/logs?name=never-deployed").status == 404


def test_logs_can_be_followed_and_end_with_the_client(gateway):
    gateway.push("live:1", "sh talk.sh", {"talk.sh": 'read word; echo "said $word" >&2'})
    gateway.deploy("live", image="live:1", envVars={"combine_output": "false"})
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as s:
        auth = basic("admin", gateway.password)["Authorization"]
        s.sendall(f"GET /system/logs?name=live&follow=true&tail=0 HTTP/1.1\r\nHost: a\r\nAuthorization: {auth}\r\n\r\n".encode())
        seen = b""
        while b"\r\n\r\n" not in seen:
            seen += s.recv(4096)
        for word in (b"alpha", b"beta"):
            gateway.invoke("live", word + b"\n")
            while b"said " + word not in seen:
                seen += s.recv(4096)


def test_the_number_of_log_readers_is_limited(gateways):
    g = gateways(max_log_streams=1)
    g.deploy("quiet")
    with socket.create_connection(("127.0.0.1", g.port), timeout=10) as s:
        auth = basic("admin", g.password)["Authorization"]
        s.sendall(f"GET /system/logs?name=quiet&follow=true HTTP/1.1\r\nHost: a\r\nAuthorization: {auth}\r\n\r\n".encode())
        assert b"200 OK" in s.recv(4096)
        assert g.api("GET", "/system/logs?name=quiet").status == 429
    wait_until(lambda: g.api("GET", "/system/logs?name=quiet").status == 200, "the reader's place")


def test_images_are_pushed_listed_and_removed(gateway):
    first = gateway.push("store/hello:1", "cat")
    assert first["digest"].startswith("sha256:") and first["bytes"] > 0
    assert gateway.push("store/hello:1", "cat")["digest"] == first["digest"]
    assert "store/hello:1" in [i["name"] for i in gateway.api("GET", "/system/images", expect=200).json()]
    gateway.deploy("holder", image="store/hello:1")
    assert gateway.api("DELETE", "/system/images?name=store/hello:1").status == 409
    gateway.remove("holder")
    gateway.api("DELETE", "/system/images?name=store/hello:1", expect=202)
    gateway.api("DELETE", "/system/images?name=store/hello:1", expect=404)
    assert gateway.api("PUT", "/system/images").status == 400


def tar_of(*entries):
    import io
    import tarfile
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for info, data in entries:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def hostile_tars():
    import tarfile
    manifest = tarfile.TarInfo("bundle.json"), b'{"version":1,"fprocess":"cat"}'
    link = tarfile.TarInfo("out")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc"
    device = tarfile.TarInfo("dev")
    device.type = tarfile.CHRTYPE
    yield "no manifest", tar_of((tarfile.TarInfo("a"), b""))
    yield "bad manifest", tar_of((tarfile.TarInfo("bundle.json"), b"{"))
    yield "no fprocess", tar_of((tarfile.TarInfo("bundle.json"), b'{"version":1}'))
    yield "unknown version", tar_of((tarfile.TarInfo("bundle.json"), b'{"version":99,"fprocess":"cat"}'))
    yield "parent", tar_of(manifest, (tarfile.TarInfo("../evil"), b"x"))
    yield "absolute", tar_of(manifest, (tarfile.TarInfo("/tmp/minnow-evil"), b"x"))
    yield "symlink out", tar_of(manifest, (link, b""))
    yield "device", tar_of(manifest, (device, b""))
    yield "not a tar", b"this is no tar" * 100
    yield "empty", b""


@pytest.mark.parametrize("name,data", list(hostile_tars()), ids=[n for n, _ in hostile_tars()])
def test_hostile_bundles_are_refused_whole(gateway, name, data):
    answer = gateway.call("PUT", "/system/images?name=evil:1", data, auth=True)
    assert answer.status == 400, answer
    assert "evil:1" not in [i["name"] for i in gateway.api("GET", "/system/images").json()]
    assert not os.path.exists("/tmp/minnow-evil")


def test_a_second_gateway_on_the_same_state_is_refused(gateway):
    with pytest.raises(AssertionError, match="lock|another|in use|already"):
        Gateway(state=gateway.state)


def test_bad_settings_are_refused_by_name():
    for setting, value in (("port", "http"), ("port", "70000"), ("read_timeout", "-1"), ("read_timeout", "soon"),
                           ("max_header_size", "12"), ("provider", "nope"), ("log_level", "loud"), ("nonsense", "1")):
        with pytest.raises(AssertionError, match=setting.replace("_", "[-_]")):
            Gateway(**{setting: value})


def test_a_taken_port_is_a_failed_start(gateway):
    with pytest.raises(AssertionError, match="Address already in use"):
        Gateway(port=gateway.port, loops=1)
