"""faas-cli with real container engines: images are built, run, called through our watchdog, and pushed. Needs
root, docker.io, podman, buildah and debootstrap; conftest.py leaves this file out unless it is named."""

import json
import os
import shutil
import signal
import subprocess
import urllib.request

import pytest

from cli_helpers import BIN, ROOT, Cli, FakeGateway
from container_helpers import (BASE_IMAGE, DockerDaemon, Registry, copy_program, ensure_base_image,
                               ensure_tools_image, run)
from test_cli_watch import DONE, Running, wait_until

DOCKERFILE = f"""\
FROM {BASE_IMAGE}
LABEL minnow-test=1
ARG ADDITIONAL_PACKAGE
ARG GREETING=none
COPY fw /opt/fw
COPY function /home/app
RUN echo "$GREETING/$ADDITIONAL_PACKAGE" > /home/app/built-with && useradd app
USER app
WORKDIR /home/app
ENV LD_LIBRARY_PATH=/opt/fw
ENV fprocess="sh handler.sh"
EXPOSE 8080
CMD ["/opt/fw/fwatchdog"]
"""
SCRATCH = "FROM scratch\nLABEL minnow-test=1\nARG ADDITIONAL_PACKAGE\nARG TARGETARCH\nLABEL for=$TARGETARCH\nCOPY function/x /x\n"


@pytest.fixture(scope="module")
def daemon():
    d = DockerDaemon()
    ensure_base_image()
    yield d
    for name in run("docker", "image", "ls", "-q", "--filter", "label=minnow-test").split():
        subprocess.run(["docker", "rmi", "-f", name], capture_output=True)  # one may be the parent of another
    d.close()


@pytest.fixture
def gateway():
    g = FakeGateway()
    yield g
    g.close()


@pytest.fixture
def registry():
    r = Registry()
    yield r
    r.close()


@pytest.fixture
def cli(tmp_path, gateway, daemon):
    folder = tmp_path / "project"
    folder.mkdir()
    c = Cli(str(folder), gateway.url)
    del c.env["OPENFAAS_BUILDER"]
    c.env["DOCKER_BUILDKIT"] = "0"
    gateway.on("GET", "/system/info", (200, json.dumps({"provider": {"orchestration": "kubernetes"}})))
    c.write("template/sh/template.yml", "language: sh\nfprocess: sh handler.sh\nbuild_options:\n"
            "  - {name: tools, packages: [jq, curl]}\n")
    c.write("template/sh/Dockerfile", DOCKERFILE)
    copy_program(os.path.join(BIN, "fwatchdog"), c.path("template/sh/fw"))
    c.write("greet/handler.sh", 'echo "hello $(cat) $colour $(cat built-with) $(id -un)"\n')
    c.write("stack.yaml", "provider: {name: openfaas}\nfunctions:\n  minnow-greet:\n    lang: sh\n"
            "    handler: ./greet\n    image: minnow-test/greet:1\n    environment: {colour: blue}\n"
            "    build_args: {GREETING: hi}\n    build_options: [tools]\n")
    return c


@pytest.fixture
def running():
    started = []

    def start(*args, **kw):
        started.append(Running(*args, **kw))
        return started[-1]

    yield start
    for r in started:
        r.end(signal.SIGTERM)


def call(port, body):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", data=body, timeout=10) as answer:
        return answer.read()


def callable(port, body):
    """A container takes a moment until it listens."""
    answers = []

    def answered():
        try:
            answers.append(call(port, body))
        except OSError:
            return False
        return True
    wait_until(answered, f"port {port}")
    return answers[-1]


# make check-images makes it first.
STATIC_WATCHDOG = os.path.join(ROOT, "build/static", run("dpkg", "--print-architecture"), "bin/fwatchdog")
STARTED = r"Starting local-run for: minnow-greet on: http://0.0.0.0:(\d+)\n\n"


def test_an_image_is_built_with_its_arguments_and_labels(cli):
    cli.write("greet/run.sh", "#!/bin/sh\n", mode=0o755)
    cli.write("shared/words", "words")
    os.symlink("../shared/words", cli.path("greet/link"))
    os.makedirs(cli.path("greet/build"))
    cli.write("greet/template/x", "never copied")
    r = cli("build", "--build-label", "com.example.a=b", "--no-cache")
    assert "Image: minnow-test/greet:1 built.\n" in r.out
    image = json.loads(run("docker", "image", "inspect", "minnow-test/greet:1"))[0]
    assert image["Config"]["Labels"]["com.example.a"] == "b"
    assert image["Config"]["User"] == "app"
    inside = run("docker", "run", "--rm", "minnow-test/greet:1", "sh", "-c",
                 "cat built-with; stat -c '%A %n' run.sh link; cat link; ls")
    assert inside.splitlines()[:3] == ["hi/curl jq", "-rwxr-xr-x run.sh", "-rw-r--r-- link"]
    assert "words" in inside and "template" not in inside and "build\n" not in inside


def test_a_build_that_fails_in_the_engine_shows_its_words(cli):
    cli.write("template/sh/Dockerfile", DOCKERFILE + "RUN echo so sorry && exit 9\n")
    r = cli("build", rc=1)
    assert "so sorry" in r.err and "[minnow-greet] docker build ended with exit status 9" in r.err


def test_a_container_runs_here_and_is_called_through_our_watchdog(cli, running):
    r = running(cli, "local-run", "--port", "0", "-e", "colour=red")
    port = r.wait_for(STARTED)
    assert callable(port, b"Ada") == b"hello Ada red hi/curl jq app\n"
    assert "minnow-greet" in run("docker", "ps", "--format", "{{.Names}}")
    assert r.end() == 0
    assert "minnow-greet" not in run("docker", "ps", "-a", "--format", "{{.Names}}")


def test_a_container_is_built_and_started_again_on_every_change(cli, running):
    r = running(cli, "local-run", "--port", "0", "--watch")
    port = r.wait_for(STARTED)
    assert callable(port, b"x").startswith(b"hello x blue")
    r.wait_for(DONE)
    cli.write("greet/handler.sh", "echo edited\n")
    r.wait_for(DONE, times=2)
    assert callable(port, b"") == b"edited\n"
    assert r.end() == 0


def test_secrets_of_a_container_lie_where_functions_look(cli, running):
    cli.write(".secrets/key", "s3cret", mode=0o644)
    os.chmod(cli.path(".secrets"), 0o755)
    cli.write("stack.yaml", cli.read("stack.yaml") + "    secrets: [key]\n")
    cli.write("greet/handler.sh", "cat /var/openfaas/secrets/key\n")
    r = running(cli, "local-run", "--port", "0")
    assert callable(r.wait_for(STARTED), b"") == b"s3cret"
    assert r.end() == 0


# What a handler of each language answers with. Languages whose toolchains a Debian package brings; the others'
# Dockerfiles are the same but for that.
HANDLERS = {
    "bash": ("handler.sh", 'echo "bash $(cat)"\n'),
    "c": ("handler.c", '#include "function.h"\n'
          'int handle(const struct fn_request *req, struct fn_response *res)\n'
          '{\n    fn_printf(res, "c %s\\n", req->body);\n    return 0;\n}\n'),
    "python3": ("handler.py", "def handle(req):\n    return 'python3 ' + req + '\\n'\n"),
    "python3-http": ("handler.py", "def handle(event, context):\n"
                     "    return {'body': b'python3-http ' + event.body + b'\\n'}\n"),
    "node": ("handler.js", "module.exports = async (event, context) =>\n"
             "  context.headers({'Content-Type': 'text/plain'}).succeed(`node ${event.body}\\n`);\n"),
    "ruby": ("handler.rb", "class Handler\n  def run(body, headers)\n"
             "    [\"ruby #{body.read}\\n\", {}, 200]\n  end\nend\n"),
}


@pytest.fixture(scope="module")
def watchdog_image(daemon, tmp_path_factory):
    folder = tmp_path_factory.mktemp("watchdog")
    shutil.copy(STATIC_WATCHDOG, folder / "fwatchdog")
    (folder / "Dockerfile").write_text("FROM scratch\nLABEL minnow-test=1\nCOPY fwatchdog /fwatchdog\n")
    run("docker", "build", "-t", "minnow-test/watchdog", str(folder), env={**os.environ, "DOCKER_BUILDKIT": "0"})
    return "minnow-test/watchdog"


@pytest.mark.parametrize("lang", HANDLERS)
def test_our_templates_make_images_that_answer(cli, running, watchdog_image, lang):
    tools = ensure_tools_image()
    os.remove(cli.path("stack.yaml"))
    cli("new", "minnow-greet", "--lang", lang)
    cli.write(os.path.join("minnow-greet", HANDLERS[lang][0]), HANDLERS[lang][1])
    # Debian's node comes without npm, which runs tests.
    args = {"WATCHDOG_IMAGE": watchdog_image, "BASE_IMAGE": tools, "BUILD_IMAGE": tools, "TEST_ENABLED": "false"}
    flags = [f"--build-arg={k}={v}" for k, v in args.items()]
    r = running(cli, "local-run", "--port", "0", *flags, "--build-label", "minnow-test=1")
    port = r.wait_for(STARTED, limit=300)  # some fetch packages
    assert callable(port, b"Ada") == f"{lang} Ada\n".encode()
    image = json.loads(run("docker", "image", "inspect", "minnow-greet:latest"))[0]
    assert image["Config"]["User"] == "10001"
    assert r.end() == 0


def scratch(cli, image):
    cli.write("template/sh/Dockerfile", SCRATCH)
    cli.write("greet/x", "content")
    cli.write("stack.yaml", "provider: {name: openfaas}\nfunctions:\n"
              f"  f: {{lang: sh, handler: ./greet, image: {image}}}\n")


def test_up_builds_pushes_to_a_registry_and_deploys(cli, gateway, registry):
    scratch(cli, f"{registry.host}/acme/f:2")
    gateway.on("PUT", "/system/functions", (202, ""))
    r = cli("up")
    assert registry.manifest("acme/f", "2")["layers"]
    assert json.loads(gateway.requests[-1].body)["image"] == f"{registry.host}/acme/f:2"
    assert r.out.index("built.") < r.out.index("> Pushing f") < r.out.index("Deployed. 202 Accepted.")


@pytest.fixture
def tls_registry(tmp_path):
    (tmp_path / "tls").mkdir()
    r = Registry(str(tmp_path / "tls"))
    yield r
    r.close()


@pytest.mark.parametrize("engine", ["podman", "buildah"])
def test_other_engines_build_push_and_publish(cli, tls_registry, engine):
    scratch(cli, f"{tls_registry.host}/acme/f:2")
    flags = ["--builder", engine]
    env = {"SSL_CERT_FILE": cli.path("../tls/cert.pem")}
    cli("build", *flags, "--build-label", "a=b", "--no-cache", "--pull", **env)
    cli("push", *flags, **env)
    assert tls_registry.manifest("acme/f", "2")["layers"]
    for _ in range(2):  # the second finds what the first has left
        # Without a base image podman's cache takes the layers of one platform for those of the other.
        cli("publish", *flags, "--tag", "digest", "--no-cache", "--platforms", "linux/amd64,linux/arm64",
            "--extra-tag", "v2", **env)
        published = tls_registry.manifest("acme/f", "v2")["manifests"]
        assert sorted(m["platform"]["architecture"] for m in published) == ["amd64", "arm64"]
