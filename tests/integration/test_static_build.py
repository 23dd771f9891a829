"""The fully static watchdogs: what they are made of, and that they need nothing around them. Each
runs as an ordinary user in a root that holds it and one function, read-only but for /tmp; those of
other architectures under qemu. Needs root, to make such a root; `make check-static` builds first."""
import os
import re
import shutil
import struct
import subprocess

import pytest

from upstream import Upstream
from watchdog_helpers import Watchdog

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.path.join(TOP, "build/static")
MACHINES = {"amd64": ("x86_64", 62), "arm64": ("aarch64", 183), "armhf": ("arm", 40)}  # qemu, ELF
MIB = 1 << 20
USER = 12345

PROBE_SOURCE = r"""
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *create(const char *path)
{
    return open(path, O_CREAT | O_WRONLY, 0600) < 0 ? strerror(errno) : "created";
}

/* Echoes; with a path it tells who it is and where it may write; told to wait it does nothing. */
int main(int argc, char **argv)
{
    static char buf[65536];
    ssize_t n;

    if (argc > 1 && strcmp(argv[1], "wait") == 0)
        pause();
    else if (argc > 1)
        printf("%d %d, /new: %s, %s: %s\n", getuid(), getgid(), create("/new"), argv[1], create(argv[1]));
    while ((n = read(0, buf, sizeof(buf))) > 0)
        if (write(1, buf, n) != n)
            return 1;
    return n < 0;
}
"""

# The vectors of tests/unit/test_jwt.c, on the crypto library that only this build has.
JWT_SOURCE = r"""
#include "tests/unit/jwt_vectors.h"
#include <stdio.h>

int main(void)
{
    struct faas_jwk_set *keys = faas_jwk_set_parse(faas_str_from(jwt_jwks), NULL, NULL);
    const struct faas_jwt_policy policy = {.keys = keys, .issuer = JWT_ISSUER, .subject = JWT_SUBJECT,
                                           .now_ns = INT64_C(1000000000) * JWT_NOW_S};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(jwt_vectors); i++) {
        const struct jwt_vector *v = &jwt_vectors[i];
        double expires_s;

        if (faas_jwt_check(faas_str_from(v->token), &policy, &expires_s, NULL) != v->verdict)
            printf("%s\n", v->name);
    }
    puts("done");
}
"""

ENTER = """
root=$1; shift
mount --bind "$root" "$root"
mount -t tmpfs -o mode=1777 none "$root/tmp"
mount -o remount,bind,ro "$root"
exec chroot --userspec=%d:%d --groups= "$root" "$@"
""" % (USER, USER)


def is_native(arch):
    return os.uname().machine == MACHINES[arch][0]


class Elf:
    """As much of an ELF file as says how it is linked."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = f.read()
        assert self.data[:4] == b"\x7fELF"
        wide = self.data[4] == 2
        self.type, self.machine = struct.unpack_from("<HH", self.data, 16)
        head = struct.unpack_from("<QQIHHHHHH" if wide else "<IIIHHHHHH", self.data, 28 + 4 * wide)
        table, sections, _, _, size, count, section_size, n_sections, _ = head
        self.segments = {}  # type: (flags, offset, size)
        for at in range(table, table + count * size, size):
            if wide:
                kind, flags, offset, _, _, length = struct.unpack_from("<IIQQQQ", self.data, at)
            else:
                kind, offset, _, _, length, _, flags = struct.unpack_from("<IIIIIII", self.data, at)
            self.segments.setdefault(kind, (flags, offset, length))
        self.section_types = [struct.unpack_from("<I", self.data, sections + i * section_size + 4)[0]
                              for i in range(n_sections)]
        self.word = "<QQ" if wide else "<II"

    def dynamic_tags(self):
        _, offset, length = self.segments.get(2, (0, 0, 0))  # PT_DYNAMIC
        return [tag for tag, _ in struct.iter_unpack(self.word, self.data[offset:offset + length])]


def compile_for(arch, source, path, *libraries):
    subprocess.run([os.path.join(BUILD, arch, "sysroot/bin/cc"), "-O2", "-D_GNU_SOURCE", "-o", path,
                    "-xc", "-", "-xnone", *libraries], cwd=TOP, input=source.encode(), check=True)


@pytest.fixture(scope="module", params=MACHINES)
def arch(request):
    return request.param


@pytest.fixture(params=["fwatchdog", "of-watchdog"])
def program(arch, request):
    path = os.path.join(BUILD, arch, "bin", request.param)
    assert os.path.exists(path), f"{path} is not there; run: make fwatchdog-static-all"
    return path


@pytest.fixture(scope="module")
def root(arch, tmp_path_factory):
    """A root folder that holds the watchdog, one function and, where needed, an emulator for both."""
    assert os.getuid() == 0, "run this as root: it makes roots for other users"
    folder = str(tmp_path_factory.mktemp("root"))
    os.chmod(folder, 0o755)
    os.mkdir(os.path.join(folder, "tmp"))
    shutil.copy(os.path.join(BUILD, arch, "bin/fwatchdog"), folder)
    compile_for(arch, PROBE_SOURCE, os.path.join(folder, "probe"))
    if not is_native(arch):
        shutil.copy(f"/usr/bin/qemu-{MACHINES[arch][0]}-static", os.path.join(folder, "qemu"))
    return folder


@pytest.fixture
def start(arch, root):
    running = []
    emulator = [] if is_native(arch) else ["/qemu"]

    def run(*function, **settings):
        enter = ["unshare", "--mount", "sh", "-euc", ENTER, "enter", root]
        wd = Watchdog(" ".join(emulator + list(function)), program=enter + emulator + ["/fwatchdog"],
                      TMPDIR="unset", **settings)
        running.append(wd)
        return wd

    yield run
    for wd in running:
        wd.kill()
        shutil.rmtree(wd.dir)


def test_it_is_one_stripped_file_for_its_machine(arch, program):
    elf = Elf(program)
    assert elf.machine == MACHINES[arch][1]
    assert 3 not in elf.segments, "it names an interpreter"  # PT_INTERP
    assert 1 not in elf.dynamic_tags(), "it names a shared library"  # DT_NEEDED
    assert 2 not in elf.section_types, "it has a symbol table"  # SHT_SYMTAB
    assert len(elf.data) <= MIB


def test_it_is_laid_out_at_random_and_its_stack_is_no_code(program):
    elf = Elf(program)
    assert elf.type == 3  # ET_DYN: position-independent
    assert elf.segments[0x6474e551][0] & 1 == 0  # PT_GNU_STACK without PF_X


@pytest.mark.parametrize("family, says", [
    ("fwatchdog", "hard: 0s health: 0s."), ("of-watchdog", "Watchdog mode: streaming\tfprocess: \"/probe\"")])
def test_images_copy_it_to_any_name_and_it_knows_its_family(arch, family, says, tmp_path):
    program = str(tmp_path / "any-name")
    shutil.copy(os.path.join(BUILD, arch, "bin", family), program)
    emulator = [] if is_native(arch) else [f"/usr/bin/qemu-{MACHINES[arch][0]}-static"]
    wd = Watchdog("/probe", program=[*emulator, program], wait=False)
    try:
        wd.wait_log("Timeouts: .*\n")
        assert says in wd.log
    finally:
        wd.kill()
        shutil.rmtree(wd.dir)


def test_its_crypto_library_judges_every_token_alike(arch, tmp_path):
    program = str(tmp_path / "jwt")
    compile_for(arch, JWT_SOURCE, program, "-I.", os.path.join(BUILD, arch, "libminnow.a"),
                "-ljansson", "-lmbedcrypto", "-lm")
    emulator = [] if is_native(arch) else [f"/usr/bin/qemu-{MACHINES[arch][0]}-static"]
    done = subprocess.run([*emulator, program], stdout=subprocess.PIPE, check=True)
    assert done.stdout == b"done\n"


def test_it_serves_from_an_empty_read_only_root(start):
    wd = start("/probe")
    body = os.urandom(3 * MIB)
    answer = wd.request("POST", body=body, headers=[("Content-Type", "a/b")])
    assert (answer.status, answer.headers["content-type"]) == (200, "a/b")
    assert answer.body == body
    assert wd.health() == 200
    with open(f"/proc/{wd.pid}/status") as f:
        assert re.search(rf"^Uid:\s+{USER}\s+{USER}\s+{USER}\s+{USER}$", f.read(), re.M)
    wd.terminate()
    assert wd.wait_exit() == 0


def test_of_watchdog_makes_the_folder_for_its_lock_file(arch, root, tmp_path):
    """In an image from scratch there is none."""
    emulator = [] if is_native(arch) else ["/qemu"]
    shutil.copytree(root, tmp_path / "image", ignore=shutil.ignore_patterns("tmp", "loop"))
    shutil.copy(os.path.join(BUILD, arch, "bin/of-watchdog"), tmp_path / "image")
    enter = ["chroot", str(tmp_path / "image")]
    with Watchdog(" ".join(emulator + ["/probe"]), program=enter + emulator + ["/of-watchdog"],
                  TMPDIR="unset") as wd:
        assert (tmp_path / "image/tmp/.lock").exists() and wd.health() == 200
        assert wd.request("POST", body=b"x").body == b"x"


def test_its_functions_see_what_it_sees(start):
    wd = start("/probe", "/tmp/new")
    assert wd.request().body.decode() == \
        f"{USER} {USER}, /new: Read-only file system, /tmp/new: created\n"


@pytest.mark.parametrize("path, why", [
    ("/missing", "no such file or directory"),
    ("/" + "x" * 256, "file name too long"),
    ("/loop", "too many levels of symbolic links"),
])
def test_a_function_that_cannot_start_is_an_answer_in_go_s_words(arch, root, start, path, why):
    if not os.path.lexists(os.path.join(root, "loop")):
        os.symlink("loop", os.path.join(root, "loop"))
    answer = start(path).request()
    assert answer.status == 500
    if is_native(arch):  # an emulator starts, and only then finds nothing to emulate
        assert answer.body.decode() == f"fork/exec {path[:120]}: {why}\n"


def test_many_requests_at_once(start):
    wd = start("/probe")
    connections = [wd.connect() for _ in range(16)]
    for c in connections:
        c.send(b"POST / HTTP/1.1\r\nHost: f\r\nContent-Length: 5\r\n\r\nhello")
    assert [c.response().body for c in connections] == [b"hello"] * 16
    for c in connections:
        c.sock.close()


def private_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return sum(map(int, re.findall(r"^Private_\w+:\s+(\d+) kB$", f.read(), re.M)))


@pytest.mark.parametrize("mode", ["classic", "streaming", "serializing", "static", "http"])
def test_every_mode_serves_and_is_small_in_memory_when_idle(arch, root, start, mode):
    upstream = Upstream(lambda connection, request: connection.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + request.body()))
    try:
        wd = start("/probe", *(["wait"] if mode == "http" else []), mode=mode, static_path="/",
                   upstream_url=f"http://{upstream.address}")
        if mode == "http":
            wd.wait_for(lambda: wd.request(target="/_/ready").status == 200, "readiness")
        if mode == "static":
            with open(os.path.join(root, "probe"), "rb") as f:
                assert wd.request(target="/probe").body == f.read()
        else:
            assert wd.request("POST", body=b"warm").body == b"warm"
        if is_native(arch):  # else it would be the emulator's memory
            # Not at once: the last process may still be on its way out.
            wd.wait_for(lambda: 100 < private_kib(wd.pid) <= 512, "private memory of at most 0.5 MiB")
    finally:
        upstream.close()
