"""What stack files mean to faas-cli, as it shows in what is built and sent."""

import json
import os
import subprocess

import pytest

from cli_helpers import Cli, FakeGateway

HEAD = "provider: {name: openfaas}\nfunctions:\n"


@pytest.fixture
def gateway():
    g = FakeGateway()
    g.on("PUT", "/system/functions", (202, ""))
    yield g
    g.close()


@pytest.fixture
def cli(tmp_path, gateway):
    folder = tmp_path / "project"
    folder.mkdir()
    c = Cli(str(folder), gateway.url)
    c.write("template/t/template.yml", "language: t\nfprocess: cat\n")
    c.write("template/t/bundle.sh", ":\n")
    c.write("template/t/Dockerfile", "FROM scratch\n")
    c.write("f/x", "h\n")
    return c


def deployed(gateway):
    return json.loads(gateway.requests[-1].body)


def function(keys=""):
    return HEAD + "  f: {lang: t, handler: ./f, image: r/img:0.2" + (f", {keys}" if keys else "") + "}\n"


# ---- loading


def test_stack_yaml_comes_before_stack_yml_and_nothing_is_looked_for_above(cli):
    cli.write("stack.yml", HEAD + "  second: {lang: t, handler: f, image: s}\n")
    assert "Building second" in cli("build").out
    cli.write("stack.yaml", HEAD + "  first: {lang: t, handler: f, image: s}\n")
    assert "Building first" in cli("build").out and "second" not in cli("build").out
    below = Cli.__new__(Cli)
    below.folder, below.env = cli.path("f"), cli.env
    assert "There is no stack file" in below("build", rc=1).err


def test_a_stack_file_may_be_a_url(cli, gateway):
    gateway.on("GET", "/s.yml", (200, function().replace("img", "${IMG}")))
    r = cli("build", "-f", f"{gateway.url}/s.yml", IMG="by-url")
    assert r.out.startswith(f"Parsed: {gateway.url}/s.yml\n")
    assert "Image: r/by-url:0.2 built.\n" in r.out
    assert "cannot read the stack file" in cli("build", "-f", f"{gateway.url}/none", rc=1).err.lower()


def test_paths_are_those_of_the_working_directory(cli, gateway):
    cli.write("sub/stack.yml", function("environment_file: [e.yml], build_secrets: {s: secret}")
              + "configuration: {copy: [shared]}\n")
    cli.write("e.yml", "environment: {from: here}\n")
    cli.write("secret", "")
    cli.write("shared/s", "s")
    cli("build", "-f", "sub/stack.yml")
    assert cli.read("build/f/function/shared/s") == "s"
    cli("deploy", "-f", "sub/stack.yml")
    assert deployed(gateway)["envVars"] == {"from": "here"}


def test_substitution_can_be_turned_off(cli, gateway):
    cli.write("stack.yaml", function('environment: {a: "${A:-x}", b: "$A $${A}"}'))
    cli("deploy", A="val")
    assert deployed(gateway)["envVars"] == {"a": "val", "b": "$A ${A}"}
    cli("deploy", "--envsubst=false", A="val")
    assert deployed(gateway)["envVars"] == {"a": "${A:-x}", "b": "$A $${A}"}
    cli("up", "--skip-push", "--envsubst=false", A="val")  # in every stage
    assert deployed(gateway)["envVars"]["a"] == "${A:-x}"


def test_local_run_always_substitutes(cli):
    cli.write("stack.yaml", function('environment: {a: "${A}"}'))
    assert " a=val " in cli("local-run", "--print", "--envsubst=false", A="val").out


def test_scalars_keep_their_spelling(cli, gateway):
    cli.write("stack.yaml", function(
        'environment: {a: 010, b: 1.50, c: true, d: yes, e: null, f: "~", g: ~, h: 1e3, i: 0x1F}, '
        "labels: {com.openfaas.scale.min: 01}, annotations: {n: 1.0}"))
    cli("deploy")
    assert deployed(gateway)["envVars"] == {
        "a": "010", "b": "1.50", "c": "true", "d": "yes", "e": "", "f": "~", "g": "", "h": "1e3",
        "i": "0x1F"}
    assert deployed(gateway)["labels"] == {"com.openfaas.scale.min": "01"}
    assert deployed(gateway)["annotations"] == {"n": "1.0"}


def test_every_key_of_a_function_arrives(cli, gateway):
    cli.write("e1.yml", "environment: {a: file, b: file, c: '${NOT}'}\n")
    cli.write("e2.yml", "environment: {b: later}\n")
    cli.write("stack.yaml", function(
        "fprocess: own, environment: {a: inline, z: z}, environment_file: [e1.yml, e2.yml], "
        "secrets: [s1, s2], constraints: [k=v], labels: {l: v}, annotations: {x: y}, "
        "limits: {memory: 1Gi, cpu: 500m}, requests: {memory: 1Mi, cpu: 10m}, "
        "readonly_root_filesystem: true, namespace: dev"))
    cli("deploy")
    assert deployed(gateway) == {
        "service": "f", "image": "r/img:0.2", "namespace": "dev", "envProcess": "own",
        "envVars": {"a": "file", "b": "later", "c": "${NOT}", "z": "z"}, "constraints": ["k=v"],
        "secrets": ["s1", "s2"], "labels": {"l": "v"}, "annotations": {"x": "y"},
        "limits": {"memory": "1Gi", "cpu": "500m"}, "requests": {"memory": "1Mi", "cpu": "10m"},
        "readOnlyRootFilesystem": True}


def test_constraints_of_the_file_even_none_win_over_flags(cli, gateway):
    for keys, expected in (("constraints: []", None), ("constraints: [a]", ["a"]), ("", ["b"])):
        cli.write("stack.yaml", function(keys))
        cli("deploy", "--constraint", "b")
        assert deployed(gateway).get("constraints") == expected


@pytest.mark.parametrize("text, said", [
    ("provider: {name: faas}\n", 'stack.yaml:1: provider.name is "faas": it must be "openfaas"'),
    ("functions: {}\n", "stack.yaml:1: provider.name is missing"),
    ("version: 1\n" + HEAD, 'stack.yaml:1: version is "1": it must be "1.0"'),
    ("version: 2.0\n" + HEAD, 'stack.yaml:1: version is "2.0"'),
    ("- list\n", "stack.yaml:1: this is no stack file: it must be a map"),
    (HEAD + "  f: text\n", "stack.yaml:3: functions.f: must be a map"),
    (HEAD + "  f:\n    build_args:\n      - A=1\n", "stack.yaml:5: functions.f.build_args: must be a map"),
    (HEAD + "  f:\n    secrets: one\n", "stack.yaml:4: functions.f.secrets: must be a list"),
    (HEAD + "  f:\n    skip_build: maybe\n", "stack.yaml:4: functions.f.skip_build: must be true or false"),
    (HEAD + "  f:\n    image: [a]\n", "stack.yaml:4: functions.f.image: must be a single value"),
    (HEAD + "  f:\n    labels: {a: {b: c}}\n", "stack.yaml:4: functions.f.labels.a: must be a single value"),
    (HEAD + "  f: {}\n  f: {}\n", "stack.yaml:4"),
    (HEAD + "  f: {\n", "stack.yaml:"),
    (HEAD + "configuration: {templates: [{source: x}]}\n", "configuration.templates.name: is missing"),
    (HEAD + "  f: {image: ${TAG}\n# ${\n", "stack.yaml:4: ${…}: the name of a variable is missing"),
])
def test_mistakes_name_file_line_and_key(cli, text, said):
    cli.write("stack.yaml", text)
    for command in ("build", "push", "deploy", "up", "list", "publish"):
        r = cli(command, rc=1, TAG="x")
        assert said in r.err and r.out == "", command


def test_unknown_keys_are_passed_over(cli):
    cli.write("stack.yaml", function("whatever: {a: [b]}") + "other: 1\n")
    cli("build")


def test_functions_are_chosen_by_filter_or_regex(cli):
    cli.write("stack.yaml", HEAD + "".join(
        f"  {n}: {{lang: t, handler: f, image: {n}}}\n" for n in ("api-1", "api-x", "web")))
    def built(*flags):
        return [n for n in ("api-1", "api-x", "web") if f"Image: {n}:latest" in cli("build", *flags).out]
    assert built() == ["api-1", "api-x", "web"]
    assert built("--filter", "api-*") == ["api-1", "api-x"]
    assert built("--filter=*x") == ["api-x"]
    assert built("--regex", "b$|\\d") == ["api-1", "web"]
    assert "cannot be used together" in cli("build", "--filter", "a", "--regex", "a", rc=1).err
    assert "no function matches --filter api" in cli("build", "--filter", "api", rc=1).err


# ---- contexts


def test_folders_of_a_build_are_private_except_in_ci(cli):
    cli.write("stack.yaml", function())
    os.umask(0o022)
    cli("build")
    assert cli.mode("build/f/function") == 0o700
    cli("build", CI="true")
    assert cli.mode("build/f/function") == 0o755


def test_copies_come_from_flags_and_file(cli):
    cli.write("stack.yaml", function() + "configuration: {copy: [./shared, data/words.txt]}\n")
    cli.write("shared/s", "s")
    cli.write("data/words.txt", "w", mode=0o640)
    cli.write("more/m", "m")
    cli("build", "--copy-extra", "more", "--copy-extra", "./shared")
    assert [cli.read(f"build/f/function/{p}") for p in ("shared/s", "data/words.txt", "more/m")] == [
        "s", "w", "m"]
    assert cli.mode("build/f/function/data/words.txt") == 0o640
    for outside in ("..", ".", "/etc/hostname", "../project-2"):
        os.makedirs(cli.path("../project-2"), exist_ok=True)  # its name begins like this project's
        r = cli("build", "--copy-extra", outside, rc=1)
        assert f"[f] copy {outside}: it must lie inside of" in r.err


def test_debug_shows_each_file_that_is_copied(cli):
    cli.write("stack.yaml", function())
    assert "./f/x -> build/f/function/x" in cli("build", debug="1").err
    assert "->" not in cli("build").err


# ---- tags


def image_of(cli, gateway, tag):
    r = cli("up", "--tag", tag)
    image = deployed(gateway)["image"]
    assert f"Image: {image} built." in r.out and f"> Pushing f [{image}]" in r.out
    return image


def test_tags_say_what_an_image_was_made_of(cli, gateway):
    gateway.on("PUT", "/system/images", (201, "{}"))
    cli.write("stack.yaml", function())

    def git(*args):
        return subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *args], check=True,
                              cwd=cli.folder, capture_output=True, text=True).stdout.strip()

    git("init", "-q", "-b", "feature/one")
    git("commit", "-q", "--allow-empty", "-m", "x")
    short = git("rev-parse", "--short", "HEAD")
    assert image_of(cli, gateway, "latest") == image_of(cli, gateway, "") == "r/img:0.2"
    assert image_of(cli, gateway, "sha") == image_of(cli, gateway, "SHA") == f"r/img:0.2-{short}"
    assert image_of(cli, gateway, "branch") == f"r/img:0.2-feature-one-{short}"
    assert image_of(cli, gateway, "describe") == f"r/img:0.2-{short}"
    git("tag", "v3")
    assert image_of(cli, gateway, "describe") == "r/img:0.2-v3"
    assert image_of(cli, gateway, "digest") == "r/img:97c3380d2824e934b4ffe4de8b1fdfb1"
    assert "must be one of latest, sha, branch, describe, digest" in cli("up", "--tag", "x", rc=1).err


def test_tags_of_git_need_a_repository(cli):
    cli.write("stack.yaml", function())
    for command in ("build", "deploy"):
        assert "--tag needs a git repository" in cli(command, "--tag", "sha", rc=1).err


def test_pairs_are_checked_before_anything_is_built(cli):
    cli.write("stack.yaml", function())
    for bad in ("a", "=b", "a="):
        r = cli("build", "--build-label", bad, rc=1)
        assert "--build-label" in r.err and r.out == ""


def test_what_building_needs_is_told_for_each_function(cli):
    cli.write("stack.yaml", HEAD + "  a: {lang: t, image: a}\n  b: {lang: t, handler: f}\n"
              "  c: {lang: t, handler: f, image: c}\n")
    r = cli("build", rc=1)
    assert "- [a] the function has no handler\n- [b] the function has no image\n" in r.err
    assert "Image: c:latest built." in r.out
    os.remove(cli.path("stack.yaml"))
    assert "so give a --lang" in cli("build", "--image", "i", "--handler", "f", "--name", "n", rc=1).err


def test_a_digest_is_of_all_files_below_the_handler(cli, gateway):
    cli.write("stack.yaml", function())
    cli.write("f/sub/deep/y", "y\n")
    r = cli("deploy", "--tag", "digest")
    assert r.rc == 0 and deployed(gateway)["image"] != "r/img:97c3380d2824e934b4ffe4de8b1fdfb1"
    cli.write("stack.yaml", HEAD + "  f: {image: r/img:1}\n")
    assert "--tag digest needs a handler" in cli("deploy", "--tag", "digest", rc=1).err
