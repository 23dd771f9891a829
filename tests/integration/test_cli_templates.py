"""Templates from elsewhere: git repositories as OpenFaaS's users keep them, folders, and the store."""

import json
import os
import subprocess

import pytest

from cli_helpers import Cli, FakeGateway


@pytest.fixture
def gateway():
    g = FakeGateway()
    yield g
    g.close()


@pytest.fixture
def cli(tmp_path, gateway):
    folder = tmp_path / "project"
    folder.mkdir()
    return Cli(str(folder), gateway.url)


class Repository:
    """A git repository in the layout that OpenFaaS's template repositories have."""

    def __init__(self, path):
        self.path = str(path)
        os.makedirs(self.path)
        self.git("init", "-q", "-b", "main")

    def git(self, *args):
        return subprocess.run(
            ["git", "-C", self.path, "-c", "user.name=t", "-c", "user.email=t@example.com", *args],
            check=True, capture_output=True, text=True).stdout.strip()

    def write(self, path, text):
        full = os.path.join(self.path, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as f:
            f.write(text)

    def commit(self, tag=None):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change")
        if tag:
            self.git("tag", tag)
        return self.git("rev-parse", "HEAD")

    @property
    def url(self):
        return "file://" + self.path


def template(repository, name, word):
    repository.write(f"template/{name}/template.yml",
                     f"language: {name}\nfprocess: cat said\nhandler_folder: src\n"
                     "welcome_message: |\n  Read the manual.\n")
    repository.write(f"template/{name}/Dockerfile", "FROM scratch\n")
    repository.write(f"template/{name}/bundle.sh", f"echo {word} $(cat src/word) >said\n")
    repository.write(f"template/{name}/.dockerignore", "*.o\n")
    repository.write(f"template/{name}/src/word", "skeleton\n")


@pytest.fixture
def repository(tmp_path):
    r = Repository(tmp_path / "templates")
    template(r, "cobol", "old")
    template(r, "fortran", "old")
    r.write("template/README.md", "not a template\n")
    r.commit(tag="v1")
    template(r, "cobol", "new")
    r.head = r.commit()
    return r


def test_pull_brings_every_template_of_a_repository(cli, repository):
    r = cli("template", "pull", repository.url)
    assert r.out == "Wrote 2 template(s) : [cobol fortran]\n"
    assert r.err == f"Fetching templates from {repository.url}\n"
    assert sorted(os.listdir(cli.path("template"))) == ["cobol", "fortran"]
    assert sorted(os.listdir(cli.path("template/cobol"))) == [
        ".dockerignore", "Dockerfile", "bundle.sh", "meta.json", "src", "template.yml"]
    meta = json.loads(cli.read("template/cobol/meta.json"))
    assert meta["repository"] == repository.url and meta["sha"] == repository.head
    assert "ref_name" not in meta and meta["written_at"].startswith("20")
    assert not [n for n in os.listdir("/tmp") if n.startswith("openfaas-templates-")
                and os.path.exists(f"/tmp/{n}/template/cobol")]


def test_tags_branches_and_commits_are_part_of_the_name(cli, repository):
    first = repository.git("rev-parse", "v1")
    repository.git("branch", "feature/x")
    assert "[cobol@v1 fortran@v1]" in cli("template", "pull", repository.url + "#v1").out
    assert json.loads(cli.read("template/cobol@v1/meta.json"))["ref_name"] == "v1"
    assert "old" in cli.read("template/cobol@v1/bundle.sh")
    commit = f"sha-{first[:10]}"
    assert f"cobol@{commit} " in cli("template", "pull", f"{repository.url}#{commit}").out
    meta = json.loads(cli.read(f"template/cobol@{commit}/meta.json"))
    assert meta["sha"] == first and "old" in cli.read(f"template/cobol@{commit}/bundle.sh")
    cli("template", "pull", repository.path + "#feature/x")
    assert "new" in cli.read("template/cobol@feature/x/bundle.sh")
    assert "exit status 128" in cli("template", "pull", repository.url + "#nope", rc=1).err
    assert "hexadecimal" in cli("template", "pull", repository.url + "#sha-x", rc=1).err


def test_what_is_here_is_replaced_unless_told_otherwise(cli, repository):
    cli.write("template/cobol/bundle.sh", "mine\n")
    cli.write("template/cobol/extra", "mine\n")
    r = cli("template", "pull", repository.url, "--overwrite=false", rc=1)
    assert "[cobol]" in r.err and cli.read("template/cobol/bundle.sh") == "mine\n"
    assert os.path.exists(cli.path("template/fortran/template.yml"))
    cli("template", "pull", repository.url)
    assert "new" in cli.read("template/cobol/bundle.sh") and cli.read("template/cobol/extra") == "mine\n"


def test_a_folder_will_do_and_the_environment_names_the_default(cli, repository, tmp_path):
    subprocess.run(["rm", "-rf", os.path.join(repository.path, ".git")], check=True)
    assert "Wrote 2" in cli("template", "pull", "../templates").out
    assert "sha" not in json.loads(cli.read("template/cobol/meta.json"))
    assert "not a git repository" in cli("template", "pull", "../templates#v1", rc=1).err
    assert "Wrote 2" in cli("template", "pull", OPENFAAS_TEMPLATE_URL=repository.path).out
    (tmp_path / "empty").mkdir()
    assert "no folder template" in cli("template", "pull", "../empty", rc=1).err
    assert "valid git repo uri" in cli("template", "pull", "../nowhere", rc=1).err


def test_a_link_out_of_a_repository_is_not_followed(cli, repository, tmp_path):
    (tmp_path / "private").write_text("secret\n")
    os.symlink(tmp_path / "private", os.path.join(repository.path, "template/fortran/key"))
    os.symlink("../cobol/src/word", os.path.join(repository.path, "template/fortran/inside"))
    repository.commit()
    r = cli("template", "pull", repository.url, rc=1)
    assert "template/fortran/key is a link out of the repository" in r.err
    assert not os.path.exists(cli.path("template/fortran"))
    os.unlink(os.path.join(repository.path, "template/fortran/key"))
    repository.commit()
    cli("template", "pull", repository.url)
    assert cli.read("template/fortran/inside") == "skeleton\n"


def test_debug_leaves_the_clone_behind(cli, repository, tmp_path):
    (tmp_path / "t").mkdir()
    r = cli("template", "pull", repository.url, "--debug", TMPDIR=str(tmp_path / "t"), FAAS_DEBUG="1")
    clone, = os.listdir(tmp_path / "t")
    assert clone.startswith("openfaas-templates-") and f"/{clone}\n" in r.err
    assert "git clone --config core.autocrlf=false --depth=1 -- " in r.err
    assert os.path.exists(tmp_path / "t" / clone / "template/cobol/template.yml")


STACK = """\
provider: {{name: openfaas}}
functions:
  f: {{lang: {lang}, handler: ./f, image: f}}
configuration:
  templates:
    - name: {lang}
      source: {source}
"""


def test_the_stack_file_says_where_templates_come_from(cli, repository):
    cli.write("stack.yaml", STACK.format(lang="cobol", source=repository.url))
    cli.write("f/word", "hello\n")
    r = cli("build")
    assert r.out.startswith(f"Pulling template: cobol from {repository.url}\nWrote 1 template(s) : [cobol]\n")
    assert os.listdir(cli.path("template")) == ["cobol"]
    assert cli.read("build/f/said") == "new hello\n"
    assert "Pulling" not in cli("build").out
    assert "Pulling template: cobol from" in cli("template", "pull", "stack").out
    subprocess.run(["rm", "-rf", cli.path("template")], check=True)
    r = cli("new", "g", "--lang", "cobol", "--append", "stack.yaml", "-q")
    assert r.out.startswith(f"Pulling template: cobol from {repository.url}\n") and os.listdir(cli.path("g")) == ["word"]
    # One of ours is not taken where the stack file has said another.
    template(repository, "bash", "theirs")
    repository.commit()
    cli.write("stack.yaml", STACK.format(lang="bash", source=repository.url))
    cli("build")
    assert cli.read("build/f/said") == "theirs hello\n"


def test_a_name_with_a_version_takes_that_version(cli, repository):
    cli.write("stack.yaml", STACK.format(lang="cobol@v1", source=repository.url))
    cli.write("f/word", "hello\n")
    assert "[cobol@v1]" in cli("template", "pull", "stack").out
    cli("build")
    assert cli.read("build/f/said") == "old hello\n"
    assert cli("build", "--filter", "f", "--shrinkwrap").rc == 0


def test_what_a_stack_file_cannot_say(cli, repository):
    assert "no stack file" in cli("template", "pull", "stack", rc=1).err
    cli.write("stack.yaml", "provider: {name: openfaas}\nfunctions: {}\n")
    assert "names no templates" in cli("template", "pull", "stack", rc=1).err
    cli.write("stack.yaml", "provider: {name: openfaas}\nconfiguration: {templates: [{name: x}]}\n")
    assert "x has no source" in cli("template", "pull", "stack", rc=1).err
    cli.write("stack.yaml", STACK.format(lang="pascal", source=repository.url))
    assert "has no template pascal" in cli("template", "pull", "stack", rc=1).err


def index(gateway, repository):
    gateway.on("GET", "/templates.json", (200, json.dumps([
        {"template": "fortran", "platform": "x86_64", "language": "Fortran", "source": "openfaas",
         "description": "Numbers", "repo": repository.url, "official": "true", "recommended": False},
        {"template": "cobol", "platform": "x86_64", "language": "COBOL", "source": "me",
         "description": "Business", "repo": repository.url, "official": "false", "recommended": True},
        {"template": "cobol-arm", "platform": "arm64", "language": "COBOL", "source": "me",
         "description": "Small <business>", "repo": repository.url, "official": "false",
         "recommended": False},
    ])))


def test_the_store_is_listed(cli, gateway, repository):
    index(gateway, repository)
    assert cli("template", "store", "list").out == (
        "\n"
        "NAME    RECOMMENDED SOURCE   DESCRIPTION\n"
        "cobol   [x]         me       Business\n"
        "fortran [ ]         openfaas Numbers\n"
        "\n")
    assert cli("template", "store", "ls", "-v", "--platform", "ARM64").out == (
        "\n"
        "NAME      RECOMMENDED SOURCE DESCRIPTION      LANGUAGE PLATFORM\n"
        "cobol-arm [ ]         me     Small <business> COBOL    arm64\n"
        "\n")
    assert "fortran" not in cli("template", "store", "list", "--recommended", "--official").out
    assert "cobol" not in cli("template", "store", "list", "--official").out
    assert cli("template", "store", "list", "-p", "sparc").out == ""
    text = cli("template", "store", "list", "--json").out
    assert [t["template"] for t in json.loads(text)] == ["cobol", "cobol-arm", "fortran"]
    assert "\\u003cbusiness\\u003e" in text
    other = gateway.url + "/other.json"
    gateway.on("GET", "/other.json", (200, "[]"))
    assert cli("template", "store", "list", "--url", other, "--json").out == "[]\n"
    assert "status 404" in cli("template", "store", "list", "-u", gateway.url + "/gone", rc=1).err


def test_the_store_describes_one(cli, gateway, repository):
    index(gateway, repository)
    assert cli("template", "store", "describe", "me/cobol").out == (
        "\n"
        "Name:        cobol\n"
        "Description: Business\n"
        "Language:    COBOL\n"
        "Source:      me\n"
        f"Repository:  {repository.url}\n"
        "Platform:    x86_64\n"
        "Official:    [ ]\n"
        "Recommended: [x]\n"
        "\n")
    assert json.loads(cli("template", "store", "describe", "fortran", "-j").out)["official"] == "true"
    assert "not in the store" in cli("template", "store", "describe", "you/cobol", rc=1).err


def test_the_store_knows_repositories(cli, gateway, repository):
    index(gateway, repository)
    assert "[cobol fortran]" in cli("template", "store", "pull", "me/cobol").out
    assert "[cobol@v1 fortran@v1]" in cli("template", "store", "pull", "cobol@v1").out
    assert "not in the store" in cli("template", "store", "pull", "ada", rc=1).err


def test_new_and_build_ask_the_store_for_what_is_not_ours(cli, gateway, repository):
    index(gateway, repository)
    r = cli("new", "f", "--lang", "cobol@v1")
    assert r.out.startswith("Pulling template: cobol@v1 from store\nWrote 1 template(s) : [cobol@v1]\n")
    assert r.out.endswith("\nNotes:\nRead the manual.\n\n") and "lang: cobol@v1\n" in cli.read("stack.yaml")
    assert os.listdir(cli.path("f")) == ["word"] and os.listdir(cli.path("template")) == ["cobol@v1"]
    subprocess.run(["rm", "-rf", cli.path("template")], check=True)
    assert "Pulling template: cobol@v1 from store\n" in cli("build").out
    assert cli.read("build/f/said") == "old skeleton\n"
    asked = len(gateway.seen())
    cli("new", "g", "--lang", "bash", "--append", "stack.yaml", "-q")
    assert len(gateway.seen()) == asked
    r = cli("new", "h", "--lang", "cobol@v9", "--append", "stack.yaml", rc=1)
    assert "exit status 128" in r.err and not os.path.exists(cli.path("h"))


# ---- ours


FAILING_TESTS = {
    "python3": ("handler_test.py", "import unittest\nclass T(unittest.TestCase):\n"
                "    def test_it(self): self.fail('not good')\n"),
    "python3-http": ("handler_test.py", "import unittest\nclass T(unittest.TestCase):\n"
                     "    def test_it(self): self.fail('not good')\n"),
    "bash": ("handler_test.sh", "echo not good >&2\nexit 1\n"),
    "c": ("handler_test.c", "#include <stdio.h>\nint main(void) { fputs(\"not good\\n\", stderr); return 1; }\n"),
}


@pytest.mark.parametrize("lang", sorted(FAILING_TESTS))
def test_tests_of_a_function_are_run_at_every_build(cli, lang):
    name, text = FAILING_TESTS[lang]
    cli("new", "f", "--lang", lang)
    assert cli("build").out.count("Image: f:latest built.") == 1  # the example passes
    assert not os.path.exists(cli.path(f"template/{lang}/function/{name}"))
    cli.write(f"f/{name}", text)
    assert "not good" in cli("build", rc=1).err
    cli("build", "--build-arg", "TEST_ENABLED=false")


def test_functions_without_tests_of_their_own_get_none(cli):
    cli("new", "f", "--lang", "c", "-q")
    os.unlink(cli.path("f/handler_test.c"))
    cli("build")
    assert not os.path.exists(cli.path("build/f/function/handler_test.c"))
