"""faas-cli that stays: up --watch and local-run, with a real gateway and real processes. What is edited has
to be answered; how long that takes is not measured."""

import os
import pty
import re
import select
import signal
import socket
import subprocess
import threading

import pytest

from cli_helpers import BIN, Cli
from minnow import wait_until

STACK = """\
provider: {name: openfaas}
functions:
  one: {lang: bash, handler: ./one, image: "one:1"}
  two: {lang: bash, handler: ./two, image: "two:1"}
"""


class Running:
    """faas-cli in the background, its output collected as it comes."""

    def __init__(self, cli, *args, **env):
        self.process = subprocess.Popen(
            [os.path.join(BIN, "faas-cli"), *args], cwd=cli.folder, env={**cli.env, **env},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.text = ""
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        while data := os.read(self.process.stdout.fileno(), 65536):
            self.text += data.decode("utf-8", "replace")

    def wait_for(self, pattern, times=1, limit=20.0):
        def said():
            assert self.process.poll() is None or len(re.findall(pattern, self.text)) >= times, self.text
            return len(re.findall(pattern, self.text)) >= times
        wait_until(said, f"{pattern!r} in output", limit)
        return re.findall(pattern, self.text)[-1]

    def end(self, signo=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(signo)
        rc = self.process.wait(20)
        self.thread.join(20)
        self.process.stdout.close()
        return rc


@pytest.fixture
def running():
    started = []

    def start(cli, *args, **env):
        started.append(Running(cli, *args, **env))
        return started[-1]

    yield start
    for r in started:
        r.end(signal.SIGKILL)


@pytest.fixture
def cli(tmp_path, gateway):
    folder = tmp_path / "project"
    folder.mkdir()
    c = Cli(str(folder), gateway.url)
    c("login", "--username", "admin", "--password", gateway.password)
    del c.env["OPENFAAS_BUILDER"]  # a real gateway says it
    c.write("stack.yaml", STACK)
    c.write("one/handler.sh", "echo first\n")
    c.write("two/handler.sh", "echo second\n")
    return c


def answers(gateway, name, expected):
    wait_until(lambda: gateway.invoke(name).body == expected, f"{expected!r} from {name}")


DONE = r"\[Watch\] Done in [\d.]+s"


def test_an_edit_is_called_again(cli, gateway, running):
    up = running(cli, "up", "--watch")
    up.wait_for(DONE)
    assert "[Watch] monitoring 2 functions: one, two\n" in up.text
    answers(gateway, "one", b"first\n")
    before = len(up.text)
    cli.write("one/handler.sh", "echo edited\n")
    up.wait_for(DONE, times=2)
    answers(gateway, "one", b"edited\n")
    again = up.text[before:]
    assert "[Watch] one: write ./one/handler.sh\n" in again
    assert "Deploying: one.\n" in again and "Deploying: two.\n" not in again
    assert up.end() == 0


def test_editors_that_replace_files_and_new_folders_are_noticed(cli, gateway, running):
    up = running(cli, "up", "--watch", "--filter", "one")
    up.wait_for(DONE)
    assert "monitoring 1 functions: one\n" in up.text
    cli.write("one/.handler.sh.swp", "an editor's own\n")
    cli.write("one/new", "echo replaced\n")
    os.rename(cli.path("one/new"), cli.path("one/handler.sh"))
    answers(gateway, "one", b"replaced\n")
    os.mkdir(cli.path("one/lib"))
    wait_until(lambda: "create ./one/lib" in up.text, "the new folder")
    cli.write("one/lib/words", "from a new folder\n")
    cli.write("one/handler.sh", 'cat "$(dirname "$0")/function/lib/words" 2>/dev/null || cat function/lib/words\n')
    answers(gateway, "one", b"from a new folder\n")
    cli.write("one/lib/words", "changed in there\n")
    answers(gateway, "one", b"changed in there\n")
    assert ".swp" not in up.text
    assert up.end(signal.SIGTERM) == 0


def test_the_stack_file_brings_up_everything_and_is_watched_anew(cli, gateway, running):
    up = running(cli, "up", "--watch")
    up.wait_for(DONE)
    cli.write("three/handler.sh", "echo third\n")
    before = len(up.text)
    cli.write("stack.yaml", STACK + '  three: {lang: bash, handler: ./three, image: "three:1"}\n')
    up.wait_for(DONE, times=2)
    assert "[Watch] 2 functions: write stack.yaml\n" in up.text[before:]
    assert "monitoring 3 functions: one, two, three\n" in up.text[before:]
    answers(gateway, "three", b"third\n")
    cli.write("three/handler.sh", "echo fourth\n")
    answers(gateway, "three", b"fourth\n")
    up.end()


def test_mistakes_are_told_and_waited_out(cli, gateway, running):
    up = running(cli, "up", "--watch")
    up.wait_for(DONE)
    answers(gateway, "one", b"first\n")
    cli.write("one/handler.sh", "if then\n")
    up.wait_for(r"That failed; waiting for the next change")
    assert "syntax error" in up.text
    assert gateway.invoke("one").body == b"first\n"
    cli.write("stack.yaml", STACK.replace("handler: ./one", "handler: [./one]"))
    up.wait_for(r"That failed; waiting for the next change", times=2)
    assert "stack.yaml:3: functions.one.handler: must be a single value" in up.text
    cli.write("one/handler.sh", "echo right\n")
    up.wait_for(r"That failed; waiting for the next change", times=3)
    cli.write("stack.yaml", STACK)
    answers(gateway, "one", b"right\n")
    assert up.end() == 0


def test_what_git_ignores_is_not_watched(cli, gateway, running):
    cli.write(".gitignore", "*.log\nnode_modules/\n")
    up = running(cli, "up", "--watch")
    up.wait_for(DONE)
    cli.write("one/debug.log", "x")
    cli.write("one/node_modules/x", "x")
    cli.write("two/handler.sh", "echo seen\n")  # events come in order: those before have been looked at
    answers(gateway, "two", b"seen\n")
    assert "debug.log" not in up.text and "node_modules" not in up.text
    assert "Deploying: one" not in up.text[up.text.index("[Watch] Done"):]
    up.end()


def test_a_handler_that_is_the_whole_project_does_not_chase_its_own_build(cli, gateway, running):
    cli.write("stack.yaml", 'provider: {name: openfaas}\nfunctions:\n'
              '  whole: {lang: bash, handler: ., image: "whole:1"}\n')
    cli.write("handler.sh", "echo whole\n")
    up = running(cli, "up", "--watch")
    up.wait_for(DONE)
    cli.write("handler.sh", "echo again\n")
    up.wait_for(DONE, times=2)
    answers(gateway, "whole", b"again\n")
    assert "build/" not in up.text[up.text.index("[Watch] Done"):].replace("./build/", "")
    assert len(re.findall(DONE, up.text)) == 2
    up.end()


def test_functions_that_share_a_handler_come_up_together_also_when_a_file_goes(cli, gateway, running):
    cli.write("stack.yaml", STACK.replace("./two", "one/"))
    cli.write("one/extra", "")
    cli.write("one/handler.sh", "if [ -e function/extra ]; then echo there; else echo gone; fi\n")
    up = running(cli, "up", "--watch")
    up.wait_for(DONE)
    answers(gateway, "two", b"there\n")
    os.remove(cli.path("one/extra"))
    up.wait_for(DONE, times=2)
    assert "[Watch] 2 functions: remove one/extra\n" in up.text
    for name in ("one", "two"):
        answers(gateway, name, b"gone\n")
    up.end()


def test_ctrl_c_ends_a_step_and_what_it_runs(cli, running):
    cli.write("template/slow/template.yml", "language: slow\nfprocess: cat\n")
    cli.write("template/slow/bundle.sh", "echo $$ > ../../pid\nexec sleep 600\n")
    cli.write("stack.yaml", STACK.replace("lang: bash", "lang: slow"))
    up = running(cli, "up", "--watch", "--filter", "one")
    wait_until(lambda: os.path.exists(cli.path("pid")) and cli.read("pid").endswith("\n"), "the recipe")
    assert up.end() == 0
    wait_until(lambda: not os.path.exists(f"/proc/{cli.read('pid').strip()}"), "the recipe's end")


def test_handlers_that_are_not_there_yet_are_no_obstacle(cli, running):
    cli.write("stack.yaml", STACK.replace("./two", "./later"))
    up = running(cli, "up", "--watch")
    up.wait_for(r"That failed; waiting for the next change")
    assert "there is no handler folder ./later" in up.text
    cli.write("later/handler.sh", "echo late\n")
    cli.write("stack.yaml", STACK.replace("./two", "./later") + "# saved again\n")
    up.wait_for(DONE)
    assert up.end() == 0


def test_watching_needs_functions_of_a_stack_file(cli):
    os.remove(cli.path("stack.yaml"))
    assert "--watch needs functions in a stack file" in cli(
        "up", "--watch", "--image", "i", "--handler", "one", "--name", "n", "--lang", "bash", rc=1).err


# ---- local-run, without a gateway


def fetch(port, body=b""):
    with socket.create_connection(("127.0.0.1", int(port)), timeout=20) as s:
        s.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                  % (len(body), body))
        data = b""
        while piece := s.recv(65536):
            data += piece
    head, _, content = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), content


STARTED = r"Starting local-run for: one on: http://127.0.0.1:(\d+)\n\n"


def test_a_bundle_runs_here_until_ctrl_c(cli, running):
    cli.write("one/handler.sh", 'echo "$(cat) $a $b $OPENFAAS_NAME $OPENFAAS_NAMESPACE $(cat '
              '"$secret_mount_path/key")"\n')
    cli.write(".secrets/key", "s3cret")
    cli.write("stack.yaml", STACK.replace('image: "one:1"', 'image: "one:1", secrets: [key], '
                                          'environment: {a: yaml, b: yaml}'))
    r = running(cli, "local-run", "one", "--port", "0", "-e", "b=flag", OPENFAAS_BUILDER="bundle")
    port = r.wait_for(STARTED)
    assert "Image: one:1\n" in r.text and "Building two" not in r.text
    assert fetch(port, b"hi") == (200, b"hi yaml flag one openfaas-fn s3cret\n")
    assert r.end() == 0
    with pytest.raises(OSError):
        fetch(port)


def test_a_bundle_that_stays_up_runs_here_too(cli, running):
    cli.write("stack.yaml", "provider: {name: openfaas}\nfunctions:\n"
              '  one: {lang: python3-http, handler: ./one, image: "one:1"}\n')
    cli.write("one/handler.py", "def handle(event, context):\n"
              "    return {'statusCode': 201, 'body': event.method + event.path}\n")
    cli.write("one/requirements.txt", "")
    r = running(cli, "local-run", "--port", "0", OPENFAAS_BUILDER="bundle")
    port = r.wait_for(STARTED)
    wait_until(lambda: fetch(port)[0] == 201, "the function's server")
    assert fetch(port) == (201, b"POST/")
    assert r.end() == 0


def test_local_run_listens_where_it_is_told(cli, running):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        s.listen()
        assert f"127.0.0.1:{port}" in cli("local-run", "one", "--port", str(port), rc=1,
                                          OPENFAAS_BUILDER="bundle").err
    r = running(cli, "local-run", "one", "--port", str(port), "--build=false",
                OPENFAAS_BUILDER="bundle")
    assert r.wait_for(STARTED) == str(port)
    assert fetch(port) == (200, b"first\n")
    assert r.end(signal.SIGTERM) == 0


def test_local_run_shows_a_command_that_a_shell_takes(cli, running):
    r = cli("local-run", "one", "--print", "--env", "a=1,b=it's two words", OPENFAAS_BUILDER="bundle")
    command = r.out.splitlines()[-1]
    assert command.startswith("env -C build/one PATH=/usr/local/sbin:")
    assert " a=1 'b=it'\\''s two words' " in command and " port=8080 /" in command and command.endswith("/fwatchdog")
    cli.write("one/handler.sh", 'echo "$a $b"\n')
    cli("build", "--filter", "one", OPENFAAS_BUILDER="bundle")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    shell = subprocess.Popen(["sh", "-c", "exec " + command.replace("port=8080", f"port={port}")],
                             cwd=cli.folder, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: answering(port), "the watchdog")
        assert fetch(port) == (200, b"1 it's two words\n")
    finally:
        shell.terminate()
        shell.wait(20)


def answering(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def test_local_run_starts_again_on_every_change(cli, running):
    r = running(cli, "local-run", "one", "--port", "0", "--watch", OPENFAAS_BUILDER="bundle")
    port = r.wait_for(STARTED)
    assert fetch(port) == (200, b"first\n")
    r.wait_for(DONE)
    assert "[Watch] monitoring 1 functions: one\n" in r.text
    cli.write("one/handler.sh", "echo changed\n")
    wait_until(lambda: fetch(port) == (200, b"changed\n"), "the changed answer")
    assert r.end() == 0


def test_a_function_that_ends_by_itself_ends_local_run(cli):
    r = cli("local-run", "one", "--port", "0", "-e", "fprocess=", rc=1,
            OPENFAAS_BUILDER="bundle")
    assert "It ended by itself: exit status 2" in r.err and "fprocess" in r.err


# ---- what several builds look like on a terminal


def on_terminal(cli, *args, watch=lambda text: None, **env):
    """Everything that is written while it runs, and its exit code. watch sees what there is so far; what it
    returns is typed."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(cli.folder)
        os.execve(os.path.join(BIN, "faas-cli"), ["faas-cli", *args], {**cli.env, "TERM": "xterm", **env})
    seen = b""
    while select.select([fd], [], [], 30)[0]:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        seen += data
        if keys := watch(seen.decode("utf-8", "replace").replace("\r\n", "\n")):
            os.write(fd, keys)
    os.close(fd)
    return seen.decode().replace("\r\n", "\n"), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_several_builds_show_a_line_each_on_a_terminal(cli):
    cli.write("template/slow/template.yml", "language: slow\nfprocess: cat\n")
    # Builds end when both their lines have been seen at once.
    cli.write("template/slow/bundle.sh", 'echo "working on $(cat function/name)"\n'
              'while ! [ -e ../../seen ]; do sleep 0.05; done\n')
    cli.write("a/name", "a")
    cli.write("b/name", "b")
    cli.write("stack.yaml", "provider: {name: openfaas}\nfunctions:\n"
              "  a: {lang: slow, handler: a, image: a}\n  b: {lang: slow, handler: b, image: b}\n")
    both = [rf"  {f}  \d+\.\ds  working on {f}\n" for f in "ab"]  # which worker takes which is open
    expected = re.compile("|".join(("".join(both), "".join(reversed(both)))))

    def watch(text):
        if expected.search(text):
            cli.write("seen", "")

    text, rc = on_terminal(cli, "build", "--parallel", "2", watch=watch, OPENFAAS_BUILDER="bundle")
    assert rc == 0 and expected.search(text), text
    assert "\033[2A\r\033[J" in text
    assert "Image: a:latest built.\n" in text and "Image: b:latest built.\n" in text
    assert "Next: faas-cli push" in text
    # At the end only what lasts is left below the last erased line.
    assert "working on" not in text[text.rindex("\033[J"):]


def test_a_failing_build_on_a_terminal_shows_its_output(cli):
    cli.write("one/handler.sh", "if then\n")
    text, rc = on_terminal(cli, "build", "--parallel", "2", OPENFAAS_BUILDER="bundle")
    assert rc == 1 and "[one] " in text and "syntax error" in text
    dumb, _ = on_terminal(cli, "build", "--parallel", "2", OPENFAAS_BUILDER="bundle", TERM="dumb")
    assert "\033[J" not in dumb and "syntax error" in dumb


def test_a_terminal_is_told_what_to_type_next(cli):
    text, rc = on_terminal(cli, "up")
    assert rc == 0 and "Next:" not in text
    assert re.search(r"Up in [\d.]+s. Try it: echo hi \| faas-cli invoke one\n$", text), text
    assert "\nNext: faas-cli push, then faas-cli deploy" in on_terminal(cli, "build")[0]
    assert on_terminal(cli, "push")[0].endswith("\nNext: faas-cli deploy\n")
    assert "Next:" not in cli("push").err


def test_ctrl_c_ends_a_build_and_all_that_it_started(cli):
    cli.write("template/slow/template.yml", "language: slow\nfprocess: cat\n")
    # What the recipe waits for is not our child but its own, as with npm or cargo.
    cli.write("template/slow/bundle.sh", "sh -c 'echo $$ >> ../../pids; sleep 600; true'\n")
    cli.write("stack.yaml", STACK.replace("lang: bash", "lang: slow"))
    typed = []

    def watch(_):
        if typed:
            return None
        wait_until(lambda: os.path.exists(cli.path("pids")) and cli.read("pids").count("\n") == 2, "two recipes")
        typed.append(b"\x03")
        return typed[0]

    _, rc = on_terminal(cli, "build", "--parallel", "2", watch=watch, OPENFAAS_BUILDER="bundle")
    assert typed and rc == -signal.SIGINT
    for pid in cli.read("pids").split():
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the end of what the recipe started")
    assert not os.path.exists(cli.path("build/one/bundle.json"))  # half a bundle is none


def test_ctrl_c_leaves_nothing_of_a_clone(cli):
    cli.write("bin/git", "#!/bin/sh\neval dir=\\$$#\ntouch $dir/half\necho cloning >/dev/tty\nsleep 600\n", 0o755)
    os.mkdir(cli.path("tmp"))
    _, rc = on_terminal(cli, "template", "pull", "https://example.com/slow",
                        watch=lambda text: b"\x03" if "cloning" in text else None,
                        PATH=cli.path("bin") + ":" + cli.env["PATH"], TMPDIR=cli.path("tmp"))
    assert rc == -signal.SIGINT and os.listdir(cli.path("tmp")) == []
    assert not os.path.exists(cli.path("template"))


def test_a_second_ctrl_c_does_not_keep_a_container(cli):
    cli.write("bin/docker", "#!/bin/sh\ncase $1 in\n"
              "run) touch runs; echo running >/dev/tty; exec sleep 600 ;;\n"
              "rm) [ -e runs ] || exit 0; echo removing >/dev/tty\n"
              "    while ! [ -e go ]; do sleep 0.05; done; rm runs ;;\nesac\n", 0o755)
    typed = []

    def watch(text):
        if len(typed) == 2:
            cli.write("go", "")  # the second has been echoed, so it has been sent
        elif ("running", "removing")[len(typed)] in text:
            typed.append(b"\x03")
            return typed[-1]
        return None

    text, rc = on_terminal(cli, "local-run", "one", "--build=false", "--builder", "docker", watch=watch,
                           PATH=cli.path("bin") + ":" + cli.env["PATH"])
    assert rc == 0 and len(typed) == 2, text
    assert not os.path.exists(cli.path("runs"))


def test_git_may_ask_for_a_password_at_the_terminal(cli):
    cli.write("bin/git", "#!/bin/sh\n[ $1 = clone ] || exit 0\nprintf 'Password: ' >/dev/tty\n"
              "read -r word </dev/tty\neval dir=\\$$#\nmkdir -p $dir/template/mine\necho \"$word\" >../word\n"
              "echo 'language: mine' >$dir/template/mine/template.yml\n", 0o755)
    os.mkdir(cli.path("sub"))
    cli.folder = cli.path("sub")
    text, rc = on_terminal(cli, "template", "pull", "https://example.com/private",
                           watch=lambda text: b"s3cret\n" if text.endswith("Password: ") else None,
                           PATH=cli.path("..", "bin") + ":" + cli.env["PATH"])
    assert rc == 0 and "Wrote 1 template(s) : [mine]" in text, text
    assert cli.read("../word") == "s3cret\n"
