"""Transcripts: golden/*.txt are sessions at a shell, replayed against a gateway of their own.

    $ command      run by sh in one folder a file, faas-cli on the PATH
    > more         the command goes on
    text           what has to be on stdout, line for line
    ! text         what has to be on stderr
    ? 3            the exit status, 0 unless said
    # text         a remark

{name} stands for what PLACEHOLDERS says, in expected lines; {url}, {host} and {password} are this
gateway's, also in commands. A last line without a line feed ends in a backslash. GOLDEN=write
rewrites the expected lines from what was seen, for reading, correcting and putting placeholders in."""

import glob
import os
import re
import subprocess

import pytest

from cli_helpers import BIN, Cli, FUNCTION_PATH

HERE = os.path.dirname(os.path.abspath(__file__))
PLACEHOLDERS = {
    "time": r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| \+0000 UTC)",
    "seconds": r"\d+\.\d\d",
    "version": r"[\w.-]+",
    "commit": r"([0-9a-f]{40}|unknown)",
    "digest": r"sha256:[0-9a-f]{64}",
    "uuid": r"[0-9a-f-]{36}",
    "base64": r"[A-Za-z0-9+/]+=*",
    "number": r"\d+(\.\d+)?",
    "word": r"\S+",
    "...": r".*",
}


class Step:
    def __init__(self, line, command):
        self.line, self.command = line, command
        self.out, self.err, self.status = [], [], 0


def parse(text):
    steps = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("$ "):
            steps.append(Step(number, line[2:]))
        elif line.startswith("> "):
            steps[-1].command += "\n" + line[2:]
        elif line.startswith("! ") or line == "!":
            steps[-1].err.append(line[2:])
        elif line.startswith("? "):
            steps[-1].status = int(line[2:])
        elif not line.startswith("# ") and steps:
            steps[-1].out.append(line)
    for step in steps:
        if step.out and step.out[-1] == "":  # the blank line between two steps
            step.out.pop()
    return steps


def as_regex(lines, values):
    text = "".join(line[:-1] if line.endswith("\\") else line + "\n" for line in lines)
    pieces = re.split(r"\{([a-z0-9.]+)\}", text)
    for i in range(1, len(pieces), 2):
        name = pieces[i]
        pieces[i] = (re.escape(values[name]) if name in values else
                     PLACEHOLDERS.get(name, re.escape("{" + name + "}")))
    pieces[::2] = map(re.escape, pieces[::2])
    return "".join(pieces)


def fill(text, values):
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def shown(text, mark=""):
    lines = text.split("\n")
    last = lines.pop()
    if last:
        lines.append(last + "\\")
    return [mark + line for line in lines]


def mask(line):
    """What differs from run to run, as placeholders."""
    line = re.sub(PLACEHOLDERS["time"], "{time}", line)
    line = re.sub(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ", "{...} ", line)
    line = re.sub(PLACEHOLDERS["digest"], "{digest}", line)
    line = re.sub(r"\d\.\d{6}s", "{number}s", line)
    line = re.sub(r"\b\d+\.\d\ds\b", "{seconds}s", line)
    return re.sub(r"call id [0-9a-f-]{36}", "call id {uuid}", line)


def rewrite(path, text, seen, values):
    """The file with what was seen in place of what was expected."""
    out, lines, i = [], text.split("\n"), 0
    while i < len(lines):
        if not lines[i].startswith("$ "):
            if not out or lines[i].startswith("# "):
                out.append(lines[i])
            i += 1
            continue
        if out and not out[-1].startswith("# "):
            out.append("")  # also behind a blank line of the last command's
        out.append(lines[i])
        i += 1
        while i < len(lines) and lines[i].startswith("> "):
            out.append(lines[i])
            i += 1
        done = seen.pop(0)
        for line in shown(done.stdout, "") + shown(done.stderr, "! "):
            for name, value in values.items():
                line = line.replace(value, "{" + name + "}")
            out.append(mask(line))
        if done.returncode:
            out.append(f"? {done.returncode}")
    with open(path, "w") as f:
        f.write("\n".join(out) + "\n")


@pytest.mark.parametrize("name", sorted(
    os.path.basename(p)[:-4] for p in glob.glob(os.path.join(HERE, "golden/*.txt"))))
def test_transcript(name, tmp_path, gateways):
    path = os.path.join(HERE, "golden", name + ".txt")
    with open(path) as f:
        text = f.read()
    gateway = gateways()
    folder = tmp_path / "project"
    folder.mkdir()
    cli = Cli(str(folder), gateway.url)
    env = {**cli.env, "PATH": os.path.abspath(BIN) + ":" + FUNCTION_PATH, "TZ": "UTC"}
    values = {"url": gateway.url, "host": gateway.url[len("http://"):],
              "password": gateway.password}
    if not name.startswith("login"):
        cli("login", "-s", stdin=gateway.password)
    seen = []
    for step in parse(text):
        done = subprocess.run(["sh", "-c", fill(step.command, values)], cwd=folder, env=env, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        seen.append(done)
        if os.environ.get("GOLDEN") == "write":
            continue
        where = f"{name}.txt:{step.line}: $ {step.command}"
        assert done.returncode == step.status, f"{where}\n{done}"
        for stream, expected in (("stdout", step.out), ("stderr", step.err)):
            got = getattr(done, stream)
            assert re.fullmatch(as_regex(expected, values), got), (
                f"{where}\n{stream} was\n{got}\nand not\n" + "\n".join(expected))
    if os.environ.get("GOLDEN") == "write":
        rewrite(path, text, seen, values)


def commands(cli, *path):
    """Everything that help shows below path and that is no group."""
    for line in cli("complete", "--", *path, "").out.splitlines()[1:]:
        name = line.split("\t")[0]
        is_group = name != "help" and "\nCommands:\n" in cli(*path, name, "--help").out
        yield from commands(cli, *path, name) if is_group else [" ".join([*path, name])]


def test_every_command_has_a_transcript(tmp_path):
    cli = Cli(str(tmp_path), "http://127.0.0.1:1")
    sessions = ""
    for path in glob.glob(os.path.join(HERE, "golden/*.txt")):
        with open(path) as f:
            sessions += f.read()
    found = list(commands(cli))
    assert "secret create" in found and "version" in found
    for command in found:  # groups may be called by an alias
        assert re.search(rf"faas-cli ([^\n|;]* )?{command.split()[-1]}\b", sessions), command
