"""What tests with a container engine need: a Docker daemon, an image to build on, and a registry to push
to."""

import hashlib
import http.server
import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
import time

BASE_IMAGE = "minnow-test-base:bookworm-python3"
TOOLS_IMAGE = "minnow-test-tools:bookworm"


def run(*argv, **kw):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=kw.pop("timeout", 300), **kw)
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def docker_answers():
    return subprocess.run(["docker", "version", "--format", "{{.Server.Version}}"],
                          capture_output=True, timeout=60).returncode == 0


class DockerDaemon:
    """The machine's, or one that is started for as long as the tests need it."""

    def __init__(self):
        self.process = None
        if docker_answers():
            return
        self.log = tempfile.NamedTemporaryFile(prefix="dockerd-", suffix=".log")
        self.process = subprocess.Popen(["dockerd"], stdout=self.log, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL, start_new_session=True)
        give_up = time.monotonic() + 60
        while not docker_answers():
            assert self.process.poll() is None and time.monotonic() < give_up, open(self.log.name).read()
            time.sleep(0.1)

    def close(self):
        if self.process:
            self.process.terminate()
            self.process.wait(60)


def ensure_base_image():
    """A Debian of our own making, so that no registry is needed."""
    if subprocess.run(["docker", "image", "inspect", BASE_IMAGE], capture_output=True).returncode == 0:
        return
    root = tempfile.mkdtemp(prefix="minnow-debootstrap-")
    try:
        run("debootstrap", "--variant=minbase", "--include=python3", "bookworm", root, timeout=900)
        tar = subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE)
        run("docker", "import", "-", BASE_IMAGE, stdin=tar.stdout, timeout=900)
        tar.stdout.close()
        assert tar.wait() == 0
    finally:
        shutil.rmtree(root)


def ensure_tools_image():
    """The same with what builds and runs functions of some languages."""
    if subprocess.run(["docker", "image", "inspect", TOOLS_IMAGE], capture_output=True).returncode != 0:
        recipe = (f"FROM {BASE_IMAGE}\nRUN apt-get update && apt-get install -y --no-install-recommends "
                  "gcc libc6-dev nodejs ruby && rm -rf /var/lib/apt/lists/*\n")
        run("docker", "build", "--network", "host", "-t", TOOLS_IMAGE, "-", input=recipe, timeout=900,
            env={**os.environ, "DOCKER_BUILDKIT": "0"})
    return TOOLS_IMAGE


def copy_program(program, folder):
    """The program and the libraries that a bare Debian lacks; run it with LD_LIBRARY_PATH=folder."""
    os.makedirs(folder, exist_ok=True)
    shutil.copy(program, folder)
    listed = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    for library in re.findall(r"=> (/\S+)", listed):
        if not re.search(r"/(libc|libm|libpthread|ld-linux[^/]*)\.so", library):
            shutil.copy(library, folder)


class Registry:
    """As much of the OCI distribution protocol as pushing takes, in memory. With a folder it speaks TLS, and
    its certificate is folder/cert.pem."""

    def __init__(self, tls_folder=None):
        self.blobs = {}
        self.manifests = {}  # (repository, tag or digest) -> (type, bytes)
        self.uploads = {}
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def body(self):
                if "chunked" not in (self.headers.get("Transfer-Encoding") or ""):
                    return self.rfile.read(int(self.headers.get("Content-Length") or 0))
                data = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    data += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return data

            def answer(self, status, headers=(), data=b""):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            def do_GET(self):
                if self.path == "/v2/":
                    return self.answer(200)
                kind, name, what = self.parts()
                if kind == "blobs" and what in registry.blobs:
                    return self.answer(200, [("Docker-Content-Digest", what)], registry.blobs[what])
                if kind == "manifests" and (name, what) in registry.manifests:
                    media_type, data = registry.manifests[name, what]
                    return self.answer(200, [("Content-Type", media_type), (
                        "Docker-Content-Digest", digest(data))], data)
                return self.answer(404, data=b'{"errors":[]}')

            do_HEAD = do_GET

            def parts(self):
                found = re.match(r"/v2/(.*)/(blobs|manifests)/([^?]*)", self.path)
                return (found[2], found[1], found[3]) if found else (None, None, None)

            def do_POST(self):
                self.body()
                upload = str(len(registry.uploads))
                registry.uploads[upload] = b""
                name = re.match(r"/v2/(.*)/blobs/", self.path)[1]
                self.answer(202, [("Location", f"/v2/{name}/blobs/uploads/{upload}"), ("Range", "0-0")])

            def do_PATCH(self):
                upload = self.path.split("?")[0].rsplit("/", 1)[1]
                registry.uploads[upload] += self.body()
                self.answer(202, [("Location", self.path.split("?")[0]),
                                  ("Range", f"0-{len(registry.uploads[upload]) - 1}")])

            def do_PUT(self):
                kind, name, what = self.parts()
                data = self.body()
                if kind == "manifests":
                    kept = (self.headers["Content-Type"], data)
                    registry.manifests[name, what] = registry.manifests[name, digest(data)] = kept
                else:
                    data = registry.uploads.pop(what.rsplit("/", 1)[1]) + data
                    registry.blobs[digest(data)] = data
                self.answer(201, [("Docker-Content-Digest", digest(data)), ("Location", self.path)])

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls_folder:
            self.wrap(tls_folder)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def wrap(self, folder):
        key, cert = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)

    def manifest(self, repository, tag):
        return json.loads(self.manifests[repository, tag][1])

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()
