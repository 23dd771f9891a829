"""The images that the watchdogs are copied from, and function images of both families that are built on
them and run as clusters run them: as an ordinary user, with a read-only root, without capabilities, the
watchdog as process 1. Needs root, docker.io and debootstrap: make check-images."""
import http.client
import json
import os
import subprocess
import threading
import time
import uuid

import pytest

from container_helpers import BASE_IMAGE, DockerDaemon, ensure_base_image, run

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
STATIC = os.path.join(TOP, "build/static")
PREFIX = "minnow-test-images"
LIMIT = 30  # nothing here takes that long; what does has hung

BUILD_FUNCTION = f"""\
FROM %s AS watchdog
FROM {BASE_IMAGE}
RUN useradd --create-home app
COPY --from=watchdog /fwatchdog /usr/bin/fwatchdog
RUN chmod +x /usr/bin/fwatchdog
WORKDIR /home/app
COPY . .
USER app
%s
EXPOSE 8080
HEALTHCHECK --interval=1s CMD [ -e /tmp/.lock ] || exit 1
CMD ["fwatchdog"]
"""

HTTP_HANDLER = """\
import http.server, os, signal, sys, threading

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        if self.path == "/exit":
            os._exit(3)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/slow":
            print("slow one is here", flush=True)
            threading.Event().wait(1.5)
        self.send_response(201)
        self.send_header("X-Seen", self.headers["X-Call-Id"] + " " + self.path)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

def stop(*_):
    print("told to stop", flush=True)
    threading.Thread(target=server.shutdown).start()

server = http.server.ThreadingHTTPServer(("127.0.0.1", 5000), Handler)
server.daemon_threads = False
signal.signal(signal.SIGTERM, stop)
server.serve_forever()
server.server_close()
"""


def make_images(tag, arch):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    run("make", "-C", TOP, "watchdog-images", f"IMAGES={PREFIX}", f"TAG={tag}", f"ARCH={arch}", env=env)
    return {family: f"{PREFIX}/{family}:{tag}" for family in ("classic-watchdog", "of-watchdog")}


@pytest.fixture(scope="module")
def docker():
    daemon = DockerDaemon()
    ensure_base_image()
    yield
    daemon.close()


@pytest.fixture(scope="module")
def tag(docker):
    """Ours alone, and gone with everything built on it."""
    tag = uuid.uuid4().hex[:12]
    yield tag
    for image in run("docker", "images", "--format", "{{.Repository}}:{{.Tag}}").split():
        if image.startswith(PREFIX) and image.endswith(tag):
            run("docker", "rmi", "--force", image)


@pytest.fixture(scope="module")
def watchdogs(tag):
    return make_images(tag, run("dpkg", "--print-architecture"))


def inspect(thing):
    return json.loads(run("docker", "inspect", thing))[0]


def build(name, tag, folder, dockerfile):
    image = f"{PREFIX}/{name}:{tag}"
    with open(os.path.join(folder, "Dockerfile"), "w") as f:
        f.write(dockerfile)
    run("docker", "build", "-t", image, str(folder), env={**os.environ, "DOCKER_BUILDKIT": "0"})
    return image


@pytest.fixture(scope="module")
def images(tag, watchdogs, tmp_path_factory):
    """One function image of each kind; none sets more than images of its kind do."""
    def function(name, family, settings, **files):
        folder = tmp_path_factory.mktemp(name)
        for path, text in files.items():
            (folder / path.replace("_py", ".py")).write_text(text)
        return build(name, tag, folder, BUILD_FUNCTION % (watchdogs[family], settings))

    return {
        "classic": function("classic", "classic-watchdog", 'ENV fprocess="cat" write_debug="false"'),
        "streaming": function("streaming", "of-watchdog", 'ENV fprocess="cat"'),
        "http": function("http", "of-watchdog", 'ENV fprocess="python3 index.py" mode="http" '
                         'upstream_url="http://127.0.0.1:5000" prefix_logs="false"', index_py=HTTP_HANDLER),
    }


class Container:
    def __init__(self, image, *flags, **settings):
        env = [f"--env={k}={v}" for k, v in settings.items()]
        self.id = run("docker", "run", "--detach", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL",
                      "--security-opt=no-new-privileges", "--publish=127.0.0.1::8080", *flags, *env, image)

    def state(self):
        return inspect(self.id)["State"]

    def logs(self):
        done = subprocess.run(["docker", "logs", self.id], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=True)
        return done.stdout

    def wait_for(self, condition, what):
        give_up = time.monotonic() + LIMIT
        while not condition():
            assert time.monotonic() < give_up, f"{what} did not come to pass; log:\n{self.logs()}"
            time.sleep(0.05)

    def shell(self, script):
        return run("docker", "exec", self.id, "sh", "-c", script)

    def call(self, method="POST", path="/", body=None, headers=()):
        port = inspect(self.id)["NetworkSettings"]["Ports"]["8080/tcp"][0]["HostPort"]
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=LIMIT)
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        answer.data = answer.read()
        connection.close()
        return answer

    def wait_ready(self):
        def ready():
            assert self.state()["Running"], self.logs()
            try:
                return self.call("GET", "/_/health").status == 200
            except (OSError, http.client.HTTPException):
                return False
        self.wait_for(ready, "health")
        return self

    def stop(self, seconds=20):
        """The exit status; 137 would be a container that had to be killed."""
        run("docker", "stop", "--time", str(seconds), self.id)
        return self.state()["ExitCode"]


@pytest.fixture
def start(images):
    started = []

    def run_one(kind, *flags, **settings):
        settings.setdefault("healthcheck_interval", "1s")  # Docker waits less long than its default
        started.append(Container(images.get(kind, kind), *flags, **settings))
        return started[-1].wait_ready()

    yield run_one
    for container in started:
        run("docker", "rm", "--force", container.id)


@pytest.mark.parametrize("family", ["classic-watchdog", "of-watchdog"])
@pytest.mark.parametrize("arch", ["native", "arm64"])
def test_the_image_is_the_program_and_nothing_else(docker, tag, watchdogs, arch, family, tmp_path):
    native = run("dpkg", "--print-architecture")
    image = watchdogs[family] if arch == "native" else make_images("arm64" + tag, "arm64")[family]
    arch = native if arch == "native" else arch
    about = inspect(image)
    assert (about["Os"], about["Architecture"]) == ("linux", arch)
    assert about["Config"]["Entrypoint"] == ["/fwatchdog"]
    container = run("docker", "create", "--platform", f"linux/{arch}", image)
    try:
        run("docker", "cp", f"{container}:/fwatchdog", str(tmp_path))
        exported = subprocess.run(f"docker export {container} | tar -t", shell=True, check=True,
                                  stdout=subprocess.PIPE, text=True).stdout.split()
    finally:
        run("docker", "rm", container)
    made_by_docker = ("dev/", "etc/", "proc/", "sys/", ".dockerenv")
    assert [name for name in exported if not name.startswith(made_by_docker)] == ["fwatchdog"]
    program = "of-watchdog" if family == "of-watchdog" else "fwatchdog"
    with open(os.path.join(STATIC, arch, "bin", program), "rb") as ours:
        assert (tmp_path / "fwatchdog").read_bytes() == ours.read()
    assert os.stat(tmp_path / "fwatchdog").st_mode & 0o777 == 0o755


def test_a_classic_function(start):
    c = start("classic")
    answer = c.call(body=b"hello\0\xff", headers={"Content-Type": "a/b"})
    assert (answer.status, answer.data, answer.headers["Content-Type"]) == (200, b"hello\0\xff", "a/b")
    assert float(answer.headers["X-Duration-Seconds"]) >= 0
    assert c.call("OPTIONS").status == 405
    c.wait_for(lambda: c.state()["Health"]["Status"] == "healthy", "Docker's own check")
    assert c.stop() == 0


def test_a_function_of_of_watchdog_streams_without_being_told(start):
    c = start("streaming")
    answer = c.call("OPTIONS", body=b"hello")
    assert (answer.status, answer.data) == (200, b"hello")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert "X-Duration-Seconds" not in answer.headers
    assert "Watchdog mode: streaming" in c.logs()
    c.wait_for(lambda: c.state()["Health"]["Status"] == "healthy", "Docker's own check")
    assert c.stop() == 0


def test_a_python_function_in_http_mode(start):
    c = start("http")
    c.wait_for(lambda: c.call("GET", "/_/ready").status == 200, "readiness")
    answer = c.call(path="/a%20b?c", body=b"hello", headers={"X-Call-Id": "7"})
    assert (answer.status, answer.data, answer.headers["X-Seen"]) == (201, b"hello", "7 /a%20b?c")
    assert c.stop() == 0
    assert "told to stop" in c.logs()


def test_in_http_mode_the_container_ends_with_the_function(start):
    c = start("http")
    c.wait_for(lambda: c.call("GET", "/_/ready").status == 200, "readiness")
    assert c.call(path="/exit", body=b"").status >= 500
    c.wait_for(lambda: not c.state()["Running"], "the end")
    assert c.state()["ExitCode"] == 1


@pytest.mark.parametrize("kind", ["classic", "streaming", "http"])
def test_it_is_process_1_of_an_ordinary_user_and_may_write_to_tmp_alone(start, kind):
    c = start(kind)
    assert c.shell("tr '\\0' ' ' </proc/1/cmdline; id -un") == "fwatchdog app"
    assert c.shell("grep -E '^(Uid|CapEff):' /proc/1/status").split() == \
        ["Uid:", *[c.shell("id -u")] * 4, "CapEff:", "0" * 16]
    assert c.shell("touch /home/app/x 2>/dev/null || echo no; touch /tmp/x && echo yes").split() == \
        ["no", "yes"]


def test_what_functions_leave_behind_is_reaped(start):
    orphan = "(sleep 0.1 >/dev/null 2>&1 &) ; (exec sleep 0.1 >/dev/null 2>&1 &) ; echo ran"
    c = start("classic", fprocess="sh -s")
    for _ in range(5):
        assert c.call(body=orphan.encode()).data == b"ran\n"
    count = "grep -l '^PPid:.1$' /proc/[0-9]*/status 2>/dev/null | wc -l"
    # The shell that counts is a child of the engine's, not of process 1.
    c.wait_for(lambda: c.shell(count) == "0", "the end of the last of them")


@pytest.mark.parametrize("kind", ["classic", "streaming"])
def test_docker_stop_waits_for_a_call_that_runs(start, kind):
    c = start(kind, fprocess="sh -s")
    answers = []
    caller = threading.Thread(target=lambda: answers.append(
        c.call(body=b"echo >/tmp/started; sleep 1.5; echo whole")))
    caller.start()
    c.wait_for(lambda: c.shell("ls /tmp/started 2>/dev/null || true"), "the call's start")
    began = time.monotonic()
    assert c.stop() == 0
    assert time.monotonic() - began < 15
    caller.join(LIMIT)
    assert [(a.status, a.data) for a in answers] == [(200, b"whole\n")]


def test_docker_stop_waits_for_a_call_of_an_http_function(start):
    c = start("http")
    c.wait_for(lambda: c.call("GET", "/_/ready").status == 200, "readiness")
    answers = []
    caller = threading.Thread(target=lambda: answers.append(
        c.call(path="/slow", body=b"x", headers={"X-Call-Id": "1"})))
    caller.start()
    c.wait_for(lambda: "slow one is here" in c.logs(), "the call's start")
    assert c.stop() == 0
    caller.join(LIMIT)
    assert [(a.status, a.data) for a in answers] == [(201, b"x")]


def test_a_deployment_may_name_another_process(start):
    assert start("classic", fprocess="wc -c").call(body=b"12345").data == b"5\n"


def test_a_function_on_an_empty_image(tag, watchdogs, start, tmp_path):
    """Nothing but the watchdog and one static function, as compiled languages are shipped."""
    arch = run("dpkg", "--print-architecture")
    run(os.path.join(STATIC, arch, "sysroot/bin/cc"), "-O2", "-xc", "-", "-o", str(tmp_path / "echo"),
        input="#include <unistd.h>\nint main(void)\n{\n    char b[4096];\n    ssize_t n;\n\n"
              "    while ((n = read(0, b, sizeof(b))) > 0)\n        if (write(1, b, n) != n)\n"
              "            return 1;\n    return n < 0;\n}\n")
    image = build("empty", tag, tmp_path, f"FROM {watchdogs['classic-watchdog']}\nCOPY echo /echo\n"
                  'ENV fprocess="/echo"\nUSER 12345:12345\n')
    c = start(image)
    assert c.call(body=b"x" * 1000000).data == b"x" * 1000000
    assert c.call().data == b""
    assert c.stop() == 0
