"""faas-cli as people use it, against a gateway that remembers: transcripts and requests, exactly."""

import base64
import io
import json
import os
import pty
import re
import shutil
import subprocess
import tarfile

import pytest

from cli_helpers import BIN, FUNCTION_PATH, ROOT, Cli, FakeGateway
from template_helpers import Server

STACK = """\
version: 1.0
provider:
  name: openfaas
functions:
  greet:
    lang: bash
    handler: ./greet
    image: greet:0.1
    environment:
      colour: blue
    labels:
      com.openfaas.scale.min: 1
"""
FUNCTION = {
    "name": "figlet", "image": "ghcr.io/openfaas/figlet:latest", "namespace": "openfaas-fn",
    "labels": {"l": "1"}, "annotations": {"x": "y"}, "invocationCount": 12, "replicas": 1,
    "availableReplicas": 1, "createdAt": "2024-01-02T03:04:05Z",
}


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


def with_greet(cli, handler="cat\n"):
    cli.write("stack.yaml", STACK)
    cli.write("greet/handler.sh", handler)


def commands(*path):
    """All of them, and all below those that are groups."""
    text = subprocess.run([os.path.join(BIN, "faas-cli"), *path, "--help"], capture_output=True,
                          text=True, check=True).stdout
    listed = re.search(r"\nCommands:\n(.*?)\n\n", text, re.S)
    below = [(*path, name) for name in re.findall(r"^  (\S+)", listed.group(1), re.M)] if listed else []
    return below + [c for sub in below for c in commands(*sub)]


# ---- help and mistakes


def test_no_arguments_show_the_logo_and_the_commands(cli):
    bare = cli()
    assert "><>" in bare.out and "Commands:" in bare.out and "invoke" in bare.out
    assert "\033" not in bare.out


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example(cli, words):
    text = cli(*words, "--help").out
    assert "Usage:" in text and "Example:" in text and "faas-cli" in text
    assert cli("help", *words).out == text
    assert cli(*words, "-h").out == text


def test_a_group_shows_its_help_whatever_follows(cli):
    groups = sorted({words[:-1] for words in commands() if len(words) > 1})
    assert ("secret",) in groups and ("template", "store") in groups
    for group in groups:
        if group != ("template", "pull"):  # pulls by itself
            assert "Commands:" in cli(*group).out
            assert "Commands:" in cli(*group, "nonsense").out


def test_an_unknown_command_is_an_error_with_a_suggestion(cli):
    r = cli("deplyo", rc=1)
    assert r.out == ""
    assert r.err == 'Unknown command "deplyo" for "faas-cli". Did you mean "deploy"?\n'
    assert "faas-cli --help" in cli("xyzzy", rc=1).err


def test_an_unknown_flag_is_an_error_with_a_suggestion(cli):
    r = cli("list", "--verbos", rc=1)
    assert r.err == "Unknown flag: --verbos. Did you mean --verbose?\n"


def test_arguments_too_few_or_too_many_are_errors(cli):
    assert "NAME is missing" in cli("describe", rc=1).err
    assert 'unexpected argument "b"' in cli("remove", "a", "b", rc=1).err
    assert 'unexpected argument "true"' in cli("deploy", "--update", "true", rc=1).err


def test_flags_may_stand_before_the_command(cli, gateway):
    gateway.on("GET", "/system/functions", (200, "[]"))
    cli("--filter", "x", "list")
    cli("--gateway", gateway.url, "list", OPENFAAS_URL="http://127.0.0.1:1")
    assert gateway.seen() == ["GET /system/functions"] * 2


# ---- new


def test_new_makes_a_folder_and_a_stack_file(cli, gateway):
    r = cli("new", "hello", "--lang", "python3")
    head, logo, tail = r.out.partition("><>")
    assert head.startswith("Folder: hello created.\n") and logo
    assert "\n\nFunction created in folder: hello\nStack file written: stack.yaml\n\nNotes:\n" in tail
    assert cli.read("stack.yaml") == (
        "version: 1.0\n"
        "provider:\n"
        "  name: openfaas\n"
        f"  gateway: {gateway.url}\n"
        "functions:\n"
        "  hello:\n"
        "    lang: python3\n"
        "    handler: ./hello\n"
        "    image: hello:latest\n"
        "\n")
    assert cli.mode("stack.yaml") == 0o600
    assert cli.mode("hello") == 0o700
    assert sorted(os.listdir(cli.path("hello"))) == [
        "__init__.py", "handler.py", "handler_test.py", "requirements.txt"]
    assert cli.read(".gitignore") == "template\nbuild\n.secrets\n"
    assert os.path.exists(cli.path("template/python3/index.py"))


def test_new_appends_inside_of_functions(cli):
    cli("new", "one", "--lang", "bash", "--quiet")
    with open(cli.path("stack.yaml"), "a") as f:
        f.write("configuration:\n  copy: []\n")
    cli.write(".gitignore", "\n*.o\nbuild\n\n")
    r = cli("new", "two", "--lang=c", "-q", "--append", "stack.yaml", "--prefix", "ghcr.io/me",
            "--memory-limit", "64Mi", "--cpu-request=10m")
    assert "Stack file updated: stack.yaml\n" in r.out and "Notes:" not in r.out
    text = cli.read("stack.yaml")
    assert text.endswith(
        "    image: one:latest\n"
        "\n"
        "  two:\n"
        "    lang: c\n"
        "    handler: ./two\n"
        "    image: ghcr.io/me/two:latest\n"
        "    requests:\n"
        "      cpu: 10m\n"
        "    limits:\n"
        "      memory: 64Mi\n"
        "\n"
        "configuration:\n  copy: []\n")
    assert cli.read(".gitignore") == "*.o\nbuild\ntemplate\n.secrets\n"


def test_new_writes_any_handler_and_prefix_so_that_they_can_be_read(cli, tmp_path):
    elsewhere = str(tmp_path / "else where #1: a")
    cli("new", "one", "--lang", "bash", "--handler", elsewhere, "--prefix", "ghcr.io/me/")
    cli("new", "two", "--lang", "bash", "--handler", "./it's: two", "--append", "stack.yaml", OPENFAAS_PREFIX="/")
    assert "    image: ghcr.io/me/one:latest\n" in cli.read("stack.yaml")
    assert "    image: two:latest\n" in cli.read("stack.yaml")
    cli("build", "--shrinkwrap")
    for name in ("one", "two"):
        assert os.path.exists(cli.path(f"build/{name}/function/handler.sh"))


def test_new_refuses_what_it_would_spoil(cli):
    cli.write("taken/x", "")
    assert "Folder taken exists already" in cli("new", "taken", "--lang", "c", rc=1).err
    cli("new", "a", "--lang", "c")
    assert "--append stack.yaml" in cli("new", "b", "--lang", "c", rc=1).err
    assert cli("new", "a", "--lang", "c", "--handler", "other", "--append", "stack.yaml",
               rc=1).err == "stack.yaml:6: there is a function a already\n"
    assert not os.path.exists(cli.path("other"))
    assert "must end in .yml" in cli("new", "c", "--lang", "c", "--append", "x.txt", rc=1).err
    assert "a function's name" in cli("new", "A_b", "--lang", "c", rc=1).err.lower()
    assert not os.path.exists(cli.path("A_b"))


def test_an_unknown_template_is_an_error_that_lists_the_known(cli, gateway):
    r = cli("new", "x", "--lang", "cobol", rc=1)
    assert "templates.json: the server answered with status 404" in r.err
    assert 'Language template "cobol" is not supported; there are: bash, c, ' in r.err
    gateway.on("GET", "/templates.json", (200, "[]"))
    assert "faas-cli template store list" in cli("new", "x", "--lang", "cobol", rc=1).err
    assert os.listdir(cli.folder) == ["home"]
    for bad in ("../c", ".", "", "a/b"):
        cli("new", "x", "--lang", bad, rc=1)


def test_new_lists_the_templates_that_are_here(cli):
    assert "python3" in cli("new", "--list", rc=1).err
    cli("new", "x", "--lang", "node")
    cli.write("template/mine/template.yml", "language: mine\n")
    assert cli("new", "--list").out == "Languages available as templates:\n- mine\n- node\n\n"


# ---- build


def run_bundle(cli, name, stdin, **env):
    """What the watchdog does: the manifest's process, in the bundle, with stdin and environment."""
    folder = cli.path("build", name)
    manifest = json.loads(cli.read(f"build/{name}/bundle.json"))
    assert manifest["version"] == 1
    done = subprocess.run(manifest["fprocess"].split(), cwd=folder, input=stdin,
                          capture_output=True, timeout=20,
                          env={"PATH": FUNCTION_PATH, **manifest.get("environment", {}), **env})
    return done.returncode, done.stdout, done.stderr.decode()


def test_new_functions_of_classic_templates_build_and_echo(cli):
    for i, lang in enumerate(("python3", "bash", "c")):
        append = ["--append", "stack.yaml"] if i else []
        cli("new", f"f-{lang}", "--lang", lang, *append)
    r = cli("build", "--parallel", "2")
    assert r.out.count("Image: f-") == 3
    for lang in ("python3", "bash", "c"):
        manifest = json.loads(cli.read(f"build/f-{lang}/bundle.json"))
        assert manifest["language"] == lang
        assert run_bundle(cli, f"f-{lang}", b"h\xc3\xa9llo\n")[:2] == (0, b"h\xc3\xa9llo\n")


def test_build_tells_each_step(cli):
    with_greet(cli)
    r = cli("build")
    assert r.timeless == (
        "[0] > Building greet.\n"
        "Building: greet:0.1 with bash template.\n"
        "Image: greet:0.1 built.\n"
        "[0] < Building greet done in N.NNs.\n"
        "[0] Worker done.\n"
        "\nTotal build time: N.NNs\n")
    assert r.err == "Template bash unpacked to ./template/bash\n"
    assert cli("build").err == ""


def test_handlers_in_their_languages_own_idiom(cli):
    cli.write("stack.yaml", "provider: {name: openfaas}\nfunctions:\n" + "".join(
        f"  {n}: {{lang: {lang}, handler: ./{n}, image: {n}}}\n"
        for n, lang in (("p", "python3"), ("b", "bash"), ("c", "c"))))
    cli.write("p/handler.py", "import os\nfrom . import other\n"
              "def handle(req):\n"
              "    if req == 'bytes': return b'\\xff\\x00'\n"
              "    if req == 'boom': raise ValueError('no good')\n"
              "    return {'len': len(req), 'other': other.X, 'query': os.environ.get('Http_Query')}\n")
    cli.write("p/other.py", "X = 7\n")
    cli.write("b/handler.sh", "[ \"$(cat)\" != boom ] || false\n"
              "echo \"$Http_Method $(secret key)\"\n")
    cli.write("c/handler.c", "#include \"function.h\"\n#include <string.h>\n"
              "int handle(const struct fn_request *req, struct fn_response *res)\n{\n"
              "    if (strcmp(req->body, \"boom\") == 0)\n        return 1;\n"
              "    fn_printf(res, \"%s %s %s %zu %s\", req->method, req->path, req->query, req->len,\n"
              "              fn_header(req, \"x-coLour\"));\n    return 0;\n}\n")
    cli("build", "--quiet")
    cgi = {"Http_Method": "PUT", "Http_Path": "/a b", "Http_Query": "a=1", "Http_X_Colour": "red"}
    assert run_bundle(cli, "p", b"abc", **cgi)[1] == b'{"len": 3, "other": 7, "query": "a=1"}'
    assert run_bundle(cli, "p", b"bytes")[1] == b"\xff\x00"
    rc, out, err = run_bundle(cli, "p", b"boom")
    assert rc == 1 and out == b"" and "ValueError: no good" in err
    cli.write("secrets/key", "s3cret")
    mount = {"secret_mount_path": cli.path("secrets")}
    assert run_bundle(cli, "b", b"", **cgi, **mount)[:2] == (0, b"PUT s3cret\n")
    assert run_bundle(cli, "b", b"boom", **cgi, **mount)[:2] == (1, b"")
    assert run_bundle(cli, "c", b"abc", **cgi)[:2] == (0, b"PUT /a b a=1 3 red")
    assert run_bundle(cli, "c", b"boom")[0] == 1


def test_a_failing_build_shows_why_and_leaves_nothing_to_push(cli, gateway):
    with_greet(cli, "if then\n")
    r = cli("build", rc=1)
    assert "syntax error" in r.err
    assert "Errors received during build:\n- [greet] build/greet/bundle.sh ended with exit status" in r.err
    assert "Image:" not in r.out and "Total build time" in r.out
    assert "Run faas-cli build first" in cli("push", rc=1).err
    quiet = cli("build", "--quiet", rc=1)
    assert "syntax error" in quiet.err
    assert "Run faas-cli build first" not in cli("up", rc=1).err
    assert gateway.seen() == []


def test_one_failure_does_not_keep_the_others_from_being_built(cli):
    cli.write("stack.yaml", STACK + "  gone: {lang: bash, handler: ./nowhere, image: g}\n"
              "  skipped: {skip_build: true, image: s}\n  none: {handler: ./greet, image: x}\n")
    cli.write("greet/handler.sh", "cat\n")
    r = cli("build", "--parallel=3", rc=1)
    assert "Image: greet:0.1 built." in r.out
    assert "Skipping build of: skipped.\n" in r.out
    assert "Please provide a valid language for function none: it has no lang.\n" in r.out
    assert "- [gone] there is no handler folder ./nowhere\n" in r.err


def test_filter_regex_and_shrinkwrap(cli):
    cli.write("stack.yaml", STACK + "  other: {lang: bash, handler: ./greet, image: o}\n")
    cli.write("greet/handler.sh", "cat\n")
    r = cli("build", "--filter", "g*", "--shrinkwrap")
    assert "greet shrink-wrapped to build/greet\n" in r.out and "other" not in r.out
    assert os.path.exists(cli.path("build/greet/index.sh"))
    assert not os.path.exists(cli.path("build/greet/bundle.json"))
    assert "other" in cli("build", "--regex", "^o").out
    assert "no function matches --filter zzz" in cli("build", "--filter", "zzz", rc=1).err


def test_build_arguments_reach_the_recipe(cli):
    cli.write("template/t/template.yml", "language: t\nfprocess: cat out\nbuild_options:\n"
              "  - name: dev\n    packages: [make, gcc]\n")
    cli.write("template/t/bundle.sh", 'echo "$COLOUR/$SIZE/$ADDITIONAL_PACKAGE/${no_cache:-}" > out\n')
    cli.write("f/x", "")
    cli.write("stack.yml", "provider: {name: openfaas}\nfunctions:\n  f:\n    lang: t\n"
              "    handler: f\n    image: f\n    build_args: {COLOUR: red, SIZE: 1}\n"
              "    build_options: [dev]\n")
    cli("build", "-b", "COLOUR=blue", "--build-arg", "ADDITIONAL_PACKAGE=jq", "--no-cache")
    assert cli.read("build/f/out") == "blue/1/gcc jq make/1\n"
    assert '--build-arg: "x"' in cli("build", "-b", "x", rc=1).err
    assert '"huge"' in cli("build", "-o", "huge", rc=1).err


def test_a_build_without_a_stack_file(cli):
    cli.write("f/handler.sh", "cat\n")
    for args, missing in (([], "--image"), (["--image", "i"], "--handler"),
                          (["--image", "i", "--handler", "f"], "--name")):
        assert missing in cli("build", *args, rc=1).err
    cli("build", "--image", "i", "--handler", "f", "--name", "n", "--lang", "bash")
    assert run_bundle(cli, "n", b"x")[1] == b"x"
    cli.write("stack.yaml", "provider: {name: openfaas}\nfunctions: {g: {lang: bash, handler: f, image: g}}\n")
    r = cli("build", "--image", "i", "--handler", "f", "--name", "m", "--lang", "bash")
    assert "The functions of stack.yaml are built; --image" in r.err and "Image: g:latest built." in r.out
    assert not os.path.exists(cli.path("build/m"))


def test_what_needs_a_container_engine_says_so(cli):
    cli.write("template/t/template.yml", "language: t\nfprocess: x\n")
    cli.write("template/t/Dockerfile", "FROM scratch\n")
    cli.write("f/Dockerfile", "FROM scratch\n")
    for lang in ("t", "dockerfile", "Dockerfile"):
        cli.write("stack.yaml", "provider: {name: openfaas}\n"
                  f"functions: {{f: {{lang: {lang}, handler: f, image: f}}}}\n")
        assert "container engine" in cli("build", rc=1).err


def test_a_broken_stack_file_names_file_line_and_key(cli):
    cli.write("stack.yaml", STACK.replace("      colour: blue", "      - colour"))
    assert cli("build", rc=1).err == (
        "stack.yaml:10: functions.greet.environment: must be a map (key: value)\n")
    cli.write("stack.yaml", STACK.replace("image: greet:0.1", "image: ${TAG"))
    assert cli("deploy", rc=1).err == "stack.yaml:8: ${…}: missing closing brace\n"
    assert "cannot read the stack file x.yml" in cli("build", "-f", "x.yml", rc=1).err.lower()


# ---- push


def test_push_sends_each_bundle_as_a_tar(cli, gateway):
    with_greet(cli)
    gateway.on("PUT", "/system/images", (201, json.dumps(
        {"name": "greet:0.1", "digest": "sha256:abc", "bytes": 10, "createdAt": "x"})))
    cli("build")
    r = cli("push")
    assert re.sub(r"size: [\d.]+ kB", "size: N kB", r.out) == (
        "[0] > Pushing greet [greet:0.1]\n"
        "greet:0.1: digest: sha256:abc size: N kB\n"
        "[0] < Pushing greet [greet:0.1] done.\n"
        "[0] Worker done.\n")
    sent, = gateway.requests
    assert repr(sent) == "PUT /system/images?name=greet%3A0.1"
    assert sent.headers["Content-Type"] == "application/x-tar"
    tar = tarfile.open(fileobj=io.BytesIO(sent.body))
    names = [m.name.removeprefix("./") for m in tar]
    assert {"bundle.json", "index.sh", "function/handler.sh", "template.yml"} <= set(names)
    assert all(not os.path.isabs(n) and ".." not in n for n in names)
    assert tar.getmember("function").mode & 0o055 == 0o055
    gateway.requests.clear()
    cli("push", "--quiet")
    assert gateway.requests[0].body == sent.body


def test_a_gateway_without_an_image_store_is_explained(cli, gateway):
    with_greet(cli)
    gateway.on("PUT", "/system/images", (501, "no"))
    cli("build")
    r = cli("push", rc=1)
    assert "takes no bundles" in r.err and "container images" in r.err
    gateway.on("PUT", "/system/images", (507, "disk full"))
    assert "507 - disk full" in cli("push", rc=1).err
    gateway.on("PUT", "/system/images", (401, ""))
    assert f"faas-cli login --gateway {gateway.url}" in cli("push", rc=1).err
    assert "nothing to push" in Cli_without_stack(cli)("push", rc=1).err


def Cli_without_stack(cli):
    os.remove(cli.path("stack.yaml"))
    return cli


# ---- deploy and up


def deployed(gateway):
    return [(r.method, json.loads(r.body)) for r in gateway.requests if r.target == "/system/functions"]


def test_deploy_updates_and_creates_what_is_not_there(cli, gateway):
    with_greet(cli)
    cli("build")
    gateway.on("PUT", "/system/functions", (404, "no such function"))
    gateway.on("POST", "/system/functions", (202, ""))
    r = cli("deploy")
    assert r.out == (
        "Deploying: greet.\n"
        "\n"
        "Deployed. 202 Accepted.\n"
        f"URL: {gateway.url}/function/greet\n"
        "\n")
    assert gateway.seen() == ["PUT /system/functions", "POST /system/functions"]
    assert gateway.requests[1].body.decode() == (
        '{"service":"greet","image":"greet:0.1","envProcess":"bash index.sh",'
        '"envVars":{"colour":"blue"},"labels":{"com.openfaas.scale.min":"1"},"annotations":{}}')
    assert gateway.requests[1].headers["Content-Type"] == "application/json"
    assert gateway.requests[1].headers["User-Agent"].startswith("faas-cli/")
    assert "Authorization" not in gateway.requests[1].headers


def test_deploy_says_when_it_updates(cli, gateway):
    with_greet(cli)
    gateway.on("PUT", "/system/functions", (200, ""))
    r = cli("deploy", "--read-template=false", "--namespace", "dev")
    assert r.out == (
        "Deploying: greet.\n"
        "Function greet already exists, attempting rolling-update.\n"
        "\n"
        "Deployed. 200 OK.\n"
        f"URL: {gateway.url}/function/greet.dev\n"
        "\n")


def test_flags_and_files_add_to_what_is_deployed(cli, gateway):
    cli.write("stack.yaml", STACK.replace("    labels:", "    environment_file: [env.yml]\n"
              "    secrets: [a]\n    namespace: dev\n    constraints: []\n"
              "    limits: {memory: 64Mi}\n    annotations: {x: y}\n    labels:"))
    cli.write("env.yml", "environment:\n  colour: green\n  size: 010\n  raw: ${HOME}\n")
    gateway.on("PUT", "/system/functions", (202, ""))
    cli("deploy", "--read-template=false", "-e", "size=2", "--label", "a=b", "--annotation", "x=z",
        "--secret", "b", "--secret=a", "--constraint", "ignored", "--readonly")
    (_, body), = deployed(gateway)
    assert body == {
        "service": "greet", "image": "greet:0.1", "namespace": "dev",
        "envVars": {"colour": "green", "size": "2", "raw": "${HOME}"}, "secrets": ["b", "a"],
        "labels": {"com.openfaas.scale.min": "1", "a": "b"}, "annotations": {"x": "z"},
        "limits": {"memory": "64Mi"}, "readOnlyRootFilesystem": True}


def test_deploy_without_a_stack_file_takes_flags(cli, gateway):
    gateway.on("PUT", "/system/functions", (201, ""))
    r = cli("deploy", "--image", "img", "--name", "f", "--fprocess", "cat", "--memory-limit", "64Mi")
    assert r.out.startswith("\nDeployed. 201 Created.\n")
    assert deployed(gateway) == [("PUT", {
        "service": "f", "image": "img", "envProcess": "cat", "labels": {}, "annotations": {},
        "limits": {"memory": "64Mi"}})]
    assert "--image" in cli("deploy", rc=1).err
    assert "--name" in cli("deploy", "--image", "x", rc=1).err


def test_replace_removes_first(cli, gateway):
    with_greet(cli)
    gateway.on("DELETE", "/system/functions", (202, ""))
    gateway.on("POST", "/system/functions", (202, ""))
    r = cli("deploy", "--replace", "--read-template=false")
    assert "Removing old function.\n" in r.out
    assert gateway.seen() == ["DELETE /system/functions", "POST /system/functions"]
    assert json.loads(gateway.requests[0].body) == {"functionName": "greet"}


def test_a_refused_deployment_fails_with_the_gateways_words(cli, gateway):
    with_greet(cli)
    gateway.on("PUT", "/system/functions", (400, "memory limit: not a quantity " + "x" * 300))
    r = cli("deploy", "--read-template=false", rc=1)
    assert "Unexpected status: 400, message: memory limit: not a quantity " + "x" * 300 in r.err
    assert r.err.endswith("Function 'greet' failed to deploy with status code: 400\n")
    gateway.on("PUT", "/system/functions", (401, ""))
    assert "faas-cli login" in cli("deploy", "--read-template=false", rc=1).err


def test_deploy_without_its_template_says_what_to_do(cli, gateway):
    with_greet(cli)
    r = cli("deploy", rc=1)
    assert "no ./template/bash/template.yml" in r.err and "--read-template=false" in r.err
    assert gateway.seen() == []


def test_up_builds_pushes_and_deploys(cli, gateway):
    with_greet(cli)
    gateway.on("PUT", "/system/images", (201, '{"name":"greet:0.1","digest":"sha256:abc"}'))
    gateway.on("PUT", "/system/functions", (404, ""))
    gateway.on("POST", "/system/functions", (202, ""))
    r = cli("up", "--tag", "latest")
    assert re.sub(r"size: [\d.]+ kB", "size: N kB", r.timeless) == (
        "[0] > Building greet.\n"
        "Building: greet:0.1 with bash template.\n"
        "Image: greet:0.1 built.\n"
        "[0] < Building greet done in N.NNs.\n"
        "[0] Worker done.\n"
        "\nTotal build time: N.NNs\n"
        "[0] > Pushing greet [greet:0.1]\n"
        "greet:0.1: digest: sha256:abc size: N kB\n"
        "[0] < Pushing greet [greet:0.1] done.\n"
        "[0] Worker done.\n"
        "Deploying: greet.\n"
        "\n"
        "Deployed. 202 Accepted.\n"
        f"URL: {gateway.url}/function/greet\n"
        "\n")
    assert [s.split("?")[0] for s in gateway.seen()] == [
        "PUT /system/images", "PUT /system/functions", "POST /system/functions"]
    gateway.requests.clear()
    cli("up", "--skip-push", "--skip-deploy")
    assert gateway.seen() == []


def test_a_tag_is_the_same_in_every_stage(cli, gateway):
    with_greet(cli)
    gateway.on("PUT", "/system/images", (201, "{}"))
    gateway.on("PUT", "/system/functions", (202, ""))
    cli("up", "--tag=digest")
    image = json.loads(gateway.requests[1].body)["image"]
    assert re.fullmatch(r"greet:[0-9a-f]{32}", image)
    assert gateway.seen()[0] == "PUT /system/images?name=" + image.replace(":", "%3A")
    assert "--tag needs a git repository" in cli("up", "--tag", "sha", rc=1).err


def test_the_example_works_from_a_clean_clone(cli, gateway):
    shutil.copy(os.path.join(ROOT, "stack.yml.example"), cli.path("stack.yml.example"))
    shutil.copytree(os.path.join(ROOT, "samples"), cli.path("samples"))
    gateway.on("PUT", "/system/images", (201, "{}"))
    gateway.on("PUT", "/system/functions", (202, ""))
    r = cli("up", "-f", "stack.yml.example", "--quiet")
    for name in ("hello-python", "hello-node", "wordcount-bash", "hello-c"):
        assert f"URL: {gateway.url}/function/{name}\n" in r.out
    assert run_bundle(cli, "hello-python", b"Ada\n", Http_Method="POST")[1] == (
        b"Hello, Ada! Python says so, called by POST.\n")
    with Server(cli, "hello-node") as node, node.connect() as c:
        for target, greeting in (("/", "Hello, Ada!"), ("/?shout=1", "HELLO, ADA!")):
            c.request("POST", target, b"Ada", {"Content-Type": "application/x-www-form-urlencoded"})
            assert json.loads(c.getresponse().read())["greeting"] == greeting
    assert run_bundle(cli, "wordcount-bash", b"b a b\n")[1] == b"      2 b\n      1 a\n"
    assert run_bundle(cli, "hello-c", b"Ada\n")[1] == b"Hello, Ada! C says so.\n"


# ---- list, describe, invoke, logs, remove, ready


def test_list_aligns_its_columns(cli, gateway):
    other = {**FUNCTION, "name": "a-very-long-name-of-more-than-thirty-characters", "replicas": 0,
             "invocationCount": 20, "createdAt": "2023-01-01T00:00:00.5Z"}
    gateway.on("GET", "/system/functions", (200, json.dumps([FUNCTION, other])))
    assert cli("list").out == (
        f"{'Function':30}\t{'Invocations':15}\tReplicas\n"
        f"{other['name']}\t{'20':15}\t{'0':5}\n"
        f"{'figlet':30}\t{'12':15}\t{'1':5}\n")
    assert cli("ls", "-q").out == other["name"] + "\nfiglet\n"
    assert cli("list", "-v", "--sort", "creation").out == (
        f"{'Function':30}\t{'Image':40}\t{'Invocations':15}\tReplicas\tCreatedAt\n"
        f"{other['name']}\t{FUNCTION['image']:40}\t{'20':15}\t{'0':5}\t\t2023-01-01 00:00:00.5 +0000 UTC\n"
        f"{'figlet':30}\t{FUNCTION['image']:40}\t{'12':15}\t{'1':5}\t\t2024-01-02 03:04:05 +0000 UTC\n")
    listed = cli("list", "--json", "--sort", "invocations", "-n", "dev").out
    assert listed.startswith('[\n  {\n    "name": "a-very') and listed.endswith("]\n")
    assert [f["invocationCount"] for f in json.loads(listed)] == [20, 12]
    assert gateway.seen()[-1] == "GET /system/functions?namespace=dev"
    gateway.on("GET", "/system/functions", (200, "[]"))
    assert cli("list").out.count("\n") == 1
    assert cli("list", "--json").out == "[]\n"


def test_describe_shows_all_there_is(cli, gateway):
    full = {**FUNCTION, "envVars": {"b": "2", "a": "1"}, "secrets": ["s1"], "constraints": ["c=1"],
            "requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "64Mi"},
            "usage": {"cpu": 12.6, "totalMemoryBytes": 10485760}}
    gateway.on("GET", "/system/function/figlet", (200, json.dumps({**full, "invocationCount": 0})))
    gateway.on("GET", "/system/functions", (200, json.dumps([full])))
    assert cli("describe", "figlet", "-n", "dev").out == (
        "Name:               figlet\n"
        "Status:             Ready\n"
        "Replicas:           1\n"
        "Available Replicas: 1\n"
        "Invocations:        12\n"
        "Image:              ghcr.io/openfaas/figlet:latest\n"
        "Function Process:   <default>\n"
        f"URL:                {gateway.url}/function/figlet.dev\n"
        f"Async URL:          {gateway.url}/async-function/figlet.dev\n"
        "Labels:\n l: 1\n"
        "Annotations:\n x: y\n"
        "Constraints:\n - c=1\n"
        "Environment:\n a: 1\n b: 2\n"
        "Secrets:\n - s1\n"
        "Requests:\n CPU: 50m\n Memory: 32Mi\n"
        "Limits:\n Memory: 64Mi\n"
        "Usage:\n  RAM:  10.00 MB\n  CPU:  13 Mi\n")
    assert gateway.seen() == ["GET /system/function/figlet?namespace=dev&usage=1",
                              "GET /system/functions?namespace=dev"]
    shown = json.loads(cli("describe", "figlet", "--json").out)
    assert shown["Status"] == "Ready" and shown["InvocationCount"] == 12
    assert shown["URL"] == f"{gateway.url}/function/figlet"
    assert list(shown["envVars"]) == list(json.loads(cli("list", "--json").out)[0]["envVars"]) == ["a", "b"]
    gateway.on("GET", "/system/function/figlet", (200, json.dumps(
        {"name": "figlet", "image": "i", "createdAt": FUNCTION["createdAt"]})))
    bare = cli("describe", "figlet", "-v").out
    assert "Status:             Not Ready\n" in bare
    assert "Labels:              <none>\n" in bare and "Limits:              <none>\n" in bare
    assert cli("describe", "nope", rc=1).err == "No such function: nope\n"


def test_invoke_passes_bytes_both_ways(cli, gateway):
    body = bytes(range(256)) * 700
    gateway.on("POST", "/function/f.openfaas-fn", (200, body))
    r = cli("invoke", "f", stdin=body)
    assert r.raw == body and r.err == ""
    sent, = gateway.requests
    assert sent.body == body
    assert sent.headers["Content-Type"] == "text/plain"
    assert re.fullmatch(r"faas-cli/\S+ \(openfaas; linux; \w+\)", sent.headers["User-Agent"])


def test_invoke_looks_at_its_flags_before_it_reads(cli):
    unread, kept_open = os.pipe()
    for flags in (("-H", "x"), ("--query", "x"), ("--sign", "X"), ("-m", "BAD"), ("-g", "ftp://x")):
        done = subprocess.run([os.path.join(BIN, "faas-cli"), "invoke", "f", *flags], cwd=cli.folder, env=cli.env,
                              stdin=unread, capture_output=True, timeout=20)
        assert done.returncode == 1 and done.stderr, flags
    os.close(unread)
    os.close(kept_open)


def test_invoke_says_what_the_function_answered(cli, gateway):
    gateway.on("PUT", "/function/f.dev", (503, "nothing ready\n"))
    r = cli("invoke", "f", "-n", "dev", "-m", "PUT", "--query", "a=b c", "-H", "X-A: 1",
            "--header", "old=style", rc=1)
    assert r.out == ""
    assert r.err.endswith("Server returned unexpected status code: 503 - nothing ready\n")
    assert "deprecated" in r.err
    sent, = gateway.requests
    assert repr(sent) == "PUT /function/f.dev?a=b+c"
    assert sent.headers["X-A"] == "1" and sent.headers["old"] == "style"
    assert "BAD" in cli("invoke", "f", "-m", "BAD", rc=1).err
    assert len(gateway.requests) == 1


def test_an_error_object_is_shown_as_a_sentence(cli, gateway):
    error = json.dumps({"error": "function f is not deployed", "code": "not_found", "call_id": "c-1"})
    gateway.on("POST", "/function/f.openfaas-fn", (404, error))
    assert cli("invoke", "f", rc=1).err == (
        "Server returned unexpected status code: 404 - function f is not deployed (call id c-1)\n")
    gateway.on("GET", "/system/functions", (500, '{"error": 5}'))
    assert cli("list", rc=1).err == 'Server returned unexpected status code: 500 - {"error": 5}\n'


def test_invoke_queues_and_signs(cli, gateway):
    gateway.on("POST", "/async-function/f.openfaas-fn", (202, ""))
    r = cli("invoke", "f", "--async", "--sign", "Hmac", "--key", "k", stdin="{}")
    assert r.out == "" and r.err == "Function submitted asynchronously.\n"
    assert gateway.requests[0].headers["Hmac"] == (
        "sha256=add853b103fbcc936a194f9eb15e29c4ff08af6e47d5d1bca4f20218e31e4fff")


def test_invoke_never_sends_the_gateways_password(cli, gateway):
    log_in(cli, gateway)
    gateway.on("POST", "/function/f.openfaas-fn", (200, "ok"))
    cli("invoke", "f")
    assert "Authorization" not in gateway.requests[-1].headers


LINES = [{"name": "f", "namespace": "", "instance": "f-1", "timestamp": "2024-01-02T03:04:05.5Z",
          "text": "one\n"},
         {"name": "f", "namespace": "", "instance": "f-2", "timestamp": "2024-01-02T03:04:06Z",
          "text": 'two "}"'}]


def test_logs_in_every_format(cli, gateway):
    gateway.on("GET", "/system/logs", (200, "\n".join(json.dumps(x) for x in LINES) + "\n"))
    assert cli("logs", "f", "--tail=false").out == (
        '2024-01-02T03:04:05Z one\n2024-01-02T03:04:06Z two "}"\n')
    assert cli("logs", "f", "--name", "--instance", "--time-format=").out == (
        'f (f-1) one\nf (f-2) two "}"\n')
    assert cli("logs", "f", "-o", "keyvalue", "--name").out.startswith(
        'timestamp="2024-01-02T03:04:05Z" name="f" text="one" \n')
    assert [json.loads(x) for x in cli("logs", "f", "--json").out.splitlines()] == LINES
    assert cli("logs", "f", "-o", "json").out == cli("logs", "f", "-j").out
    cli("logs", "f", "--lines=5", "--since-time", "2024-01-02T03:04:05Z", "-n", "dev", "-t=false")
    assert gateway.seen()[0] == "GET /system/logs?follow=false&name=f&tail=-1"
    assert gateway.seen()[-1] == ("GET /system/logs?follow=false&name=f&namespace=dev"
                                  "&since=2024-01-02T03%3A04%3A05Z&tail=5")
    assert "one of plain" in cli("logs", "f", "-o", "xml", rc=1).err
    gateway.on("GET", "/system/logs", (404, "no such function"))
    assert "404 - no such function" in cli("logs", "f", rc=1).err
    gateway.on("GET", "/system/logs", (200, "<html>"))
    assert "not made of JSON objects" in cli("logs", "f", rc=1).err


def test_remove_one_or_all_of_a_stack(cli, gateway):
    gateway.on("DELETE", "/system/functions", (202, ""), (404, ""), (202, ""), (404, ""))
    assert cli("rm", "f", "-n", "dev").out == "Deleting: f.dev\nRemoving old function.\n"
    assert json.loads(gateway.requests[0].body) == {"functionName": "f", "namespace": "dev"}
    r = cli("remove", "f", rc=1)
    assert r.out == "Deleting: f.\n" and "no existing function to remove" in r.err.lower()
    cli.write("stack.yaml", STACK + "  other: {lang: bash, handler: ./greet, image: o}\n")
    r = cli("remove", rc=1)
    assert r.out == "Deleting: greet.\nRemoving old function.\nDeleting: other.\n"
    assert "other" in r.err
    os.remove(cli.path("stack.yaml"))
    assert "give the name" in cli("remove", rc=1).err.lower()


def test_ready_waits_for_gateway_and_function(cli, gateway):
    gateway.on("GET", "/healthz", (503, ""), (200, ""))
    assert cli("ready", "--interval", "10ms").out == (
        "[1/60] Waiting for gateway\n[2/60] Waiting for gateway\nOpenFaaS gateway is ready\n")
    gateway.on("GET", "/system/function/f", (404, ""), (200, json.dumps({**FUNCTION, "name": "f"})))
    r = cli("ready", "f", "-n", "dev", "--interval=10ms", "--attempts", "2")
    assert r.out == ("[1/2] Waiting for function f.dev\n[2/2] Waiting for function f.dev\n"
                     "Function f is ready\n")
    gateway.on("GET", "/system/function/f", (404, ""))
    r = cli("ready", "f", "--interval=1ms", "--attempts=2", rc=1)
    assert r.err == f"Function f at {gateway.url} was not ready after 0.0s: No such function: f\n"
    gateway.on("GET", "/system/function/f", (401, ""))
    r = cli("ready", "f", rc=1)
    assert "faas-cli login" in r.err and r.out.count("Waiting") == 1
    cli("ready", "f", "--interval", "1", rc=1)


# ---- login, logout, errors of the connection


def log_in(cli, gateway):
    gateway.on("GET", "/system/functions", (200, "[]"))
    cli("login", "--password-stdin", stdin=" s3cret\n")


def test_login_saves_what_works(cli, gateway):
    gateway.on("GET", "/system/functions", (200, "[]"))
    r = cli("login", "-s", stdin=" s3cret\n")
    assert r.out.endswith(f"credentials saved for admin {gateway.url}\n")
    token = base64.b64encode(b"admin:s3cret").decode()
    assert gateway.requests[0].headers["Authorization"] == f"Basic {token}"
    config = "home/.openfaas/config.yml"
    assert cli.read(config) == (
        f"auths:\n  - gateway: {gateway.url}\n    auth: basic\n    token: {token}\n")
    assert cli.mode(config) == 0o600 and cli.mode("home/.openfaas") == 0o700
    cli("list")
    assert gateway.requests[-1].headers["Authorization"] == f"Basic {token}"
    cli("list", "--token", "abc")
    assert gateway.requests[-1].headers["Authorization"] == "Bearer abc"
    assert cli("logout").out == f"credentials removed for {gateway.url}\n"
    assert cli.read(config) == "auths: []\n"
    assert "no credentials are saved" in cli("logout", rc=1).err.lower()


def test_login_keeps_entries_that_it_did_not_make(cli, gateway):
    other = ("auths:\n  - gateway: https://other\n    auth: oauth2\n    token: t\n"
             "    options:\n      - name: client_id\n        value: abc\n")
    cli.write("home/.openfaas/config.yml", other)
    log_in(cli, gateway)
    cli("logout")
    assert cli.read("home/.openfaas/config.yml") == other


def test_a_saved_login_that_cannot_be_one_is_told(cli, gateway):
    gateway.on("GET", "/system/functions", (200, "[]"))
    for token in ("'!!'", "YWJj", "''"):  # no base64, no colon, nothing
        cli.write("home/.openfaas/config.yml",
                  f"auths:\n  - {{gateway: '{gateway.url}', auth: basic, token: {token}}}\n")
        assert "Invalid auth config file" in cli("list", rc=1).err
    assert not gateway.requests
    cli("list", "--token", "abc")
    cli("login", "-s", stdin="x")
    cli("list")


def test_login_refuses_what_does_not_work(cli, gateway):
    gateway.on("GET", "/system/functions", (401, ""))
    assert "did not accept" in cli("login", "-s", stdin="x", rc=1).err
    assert not os.path.exists(cli.path("home/.openfaas"))
    assert "empty" in cli("login", "-s", stdin=" \n", rc=1).err
    assert "exclude" in cli("login", "-s", "-p", "x", rc=1).err
    assert "--password-stdin" in cli("login", rc=1).err
    gateway.on("GET", "/system/functions", (500, "broken"))
    assert "500 - broken" in cli("login", "-s", stdin="x", rc=1).err
    assert "WARNING!" in cli("login", "-p", "x", rc=1).err


def test_what_is_no_url_of_a_gateway_is_refused(cli):
    for command in (("list",), ("logs", "f"), ("invoke", "f"), ("login", "-s"), ("logout",), ("version",),
                    ("new", "f", "--lang", "bash")):
        r = cli(*command, "-g", "ftp://faas", rc=1)
        assert 'gateway\'s URL must be http://HOST:PORT or https://HOST:PORT, not "http://ftp://faas"' in r.err
    assert not os.path.exists(cli.path("f")) and not os.path.exists(cli.path("stack.yaml"))


def test_certificates_are_checked_and_can_be_trusted(cli, tmp_path):
    (tmp_path / "tls").mkdir()
    gateway = FakeGateway(str(tmp_path / "tls"))
    try:
        gateway.on("GET", "/system/functions", (200, "[]"))
        for command in (("list",), ("invoke", "f")):
            refused = cli(*command, "-g", gateway.url, rc=1).err
            assert f"Cannot connect to OpenFaaS on URL: {gateway.url}\n" in refused and "self-signed" in refused
            assert "SSL_CERT_FILE" in refused and "--tls-no-verify" in refused and "running" not in refused
        assert cli("list", "-q", "-g", gateway.url, "--tls-no-verify").out == ""
        assert cli("list", "-q", "-g", gateway.url, SSL_CERT_FILE=str(tmp_path / "tls/cert.pem")).out == ""
        assert gateway.seen() == ["GET /system/functions"] * 2
    finally:
        gateway.close()


def test_a_gateway_that_is_not_there_is_named_with_what_to_do(cli):
    r = cli("list", "-g", "http://127.0.0.1:1", rc=1)
    assert r.err.startswith("Cannot connect to OpenFaaS on URL: http://127.0.0.1:1\n")
    assert "--gateway" in r.err and "OPENFAAS_URL" in r.err
    assert cli("invoke", "f", "-g", "http://127.0.0.1:1", rc=1).err.startswith("Cannot connect")


def test_an_unencrypted_gateway_elsewhere_is_warned_about(cli):
    r = cli("secret", "list", "-g", "http://gateway.invalid", rc=1)
    assert r.err.startswith("WARNING! ") and "https://" in r.err


def test_debug_shows_requests_but_no_secret(cli, gateway):
    log_in(cli, gateway)
    gateway.on("POST", "/system/secrets", (201, ""))
    r = cli("secret", "create", "s", "--from-literal", "top-s3cret", FAAS_DEBUG="1")
    assert f"POST {gateway.url}/system/secrets\n" in r.err
    assert "Authorization: Basic REDACTED\n" in r.err and "top-s3cret" not in r.err


# ---- secrets


def test_secrets_from_every_source(cli, gateway):
    gateway.on("POST", "/system/secrets", (201, ""))
    assert cli("secret", "create", "s", "-n", "dev", stdin=" a \n").out == (
        "Creating secret: s.dev\nCreated: 201 Created\n")
    cli("secret", "create", "s", "--from-literal", " b ", "--trim=false")
    with open(cli.path("bin"), "wb") as f:
        f.write(b" \xff\x00 ")
    cli("secret", "create", "s", "--from-file", "bin")
    bodies = [json.loads(r.body) for r in gateway.requests]
    assert bodies[0] == {"name": "s", "namespace": "dev", "value": "a"}
    assert bodies[1] == {"name": "s", "value": " b "}
    assert base64.b64decode(bodies[2]["rawValue"]) == b" \xff\x00 " and bodies[2]["value"] == ""
    for bad in ("UPPER", "a/b", "..", ""):
        cli("secret", "create", bad, "--from-literal", "x", rc=1)
    assert "empty" in cli("secret", "create", "s", stdin="\n", rc=1).err
    assert len(gateway.requests) == 3


def test_standard_input_without_an_end_is_refused(cli, gateway):
    for command in (("secret", "create", "s"), ("secret", "update", "s"), ("login", "-s"),
                    ("registry-login", "-u", "ada", "-s")):
        with open("/dev/zero", "rb") as endless:
            done = subprocess.run([os.path.join(BIN, "faas-cli"), *command], cwd=cli.folder, env=cli.env, stdin=endless,
                                  capture_output=True, text=True, timeout=20)
        assert done.returncode == 1 and "Standard input: more than" in done.stderr, done
    assert not gateway.requests


def test_an_update_sends_the_raw_value_only_of_what_is_no_text(cli, gateway):
    gateway.on("PUT", "/system/secrets", (202, ""))
    cli.write("f", " text\n")
    cli("secret", "update", "s", "--from-file", "f")
    cli("secret", "update", "s", stdin=b"\xfe\n")
    assert [json.loads(r.body) for r in gateway.requests] == [
        {"name": "s", "value": "text"}, {"name": "s", "value": "", "rawValue": "/g=="}]


def test_a_secret_that_exists(cli, gateway):
    gateway.on("POST", "/system/secrets", (409, "there already"))
    gateway.on("PUT", "/system/secrets", (202, ""), (202, ""), (404, ""))
    assert "--replace" in cli("secret", "create", "s", "--from-literal=x", rc=1).err
    assert cli("secret", "create", "s", "--from-literal=x", "--replace").out.endswith(
        "Updated: 202 Accepted\n")
    assert cli("secret", "update", "s", "--from-literal=x").out == (
        "Updating secret: s\nUpdated: 202 Accepted\n")
    assert "unable to find secret" in cli("secret", "u", "s", "--from-literal=x", rc=1).err.lower()


def test_secrets_are_listed_and_removed(cli, gateway):
    gateway.on("GET", "/system/secrets", (200, '[{"name":"a","namespace":"x"},{"name":"b"}]'))
    assert cli("secret", "list").out == "\nNAME\na\nb\n\n"
    assert json.loads(cli("secret", "ls", "--json").out)[0]["name"] == "a"
    gateway.on("GET", "/system/secrets", (200, "[]"))
    assert "no secrets" in cli("secret", "list").out
    gateway.on("DELETE", "/system/secrets", (202, ""), (404, ""))
    assert cli("secret", "rm", "a").out == "Removed.. OK.\n"
    assert json.loads(gateway.requests[-1].body) == {"name": "a"}
    cli("secret", "remove", "a", rc=1)


def test_secret_apply_takes_a_folder(cli, gateway):
    cli("secret", "apply", rc=1)
    cli.write(".secrets/there", "1\n")
    cli.write(".secrets/new", "2\n")
    cli.write(".secrets/Not_valid", "3")
    cli.write(".secrets/empty", "")
    gateway.on("GET", "/system/secrets", (200, '[{"name":"there"},{"name":"new","namespace":"dev"}]'))
    gateway.on("POST", "/system/secrets", (201, ""))
    gateway.on("PUT", "/system/secrets", (202, ""))
    r = cli("secret", "apply")
    assert gateway.seen() == ["GET /system/secrets", "POST /system/secrets", "PUT /system/secrets"]
    assert json.loads(gateway.requests[1].body) == {
        "name": "new", "value": "2", "rawValue": base64.b64encode(b"2\n").decode()}
    assert r.out.count("Skipping") == 2 and r.out.count("Applied secret") == 2


def test_generated_secrets_are_random(cli):
    first, second = cli("secret", "generate").out, cli("secret", "gen").out
    assert first != second and len(base64.b64decode(first)) == 32 and "\n" not in first
    cli("secret", "generate", "--length=8", "-o", "sub/key")
    assert len(base64.b64decode(cli.read("sub/key"))) == 8 and cli.mode("sub/key") == 0o600
    cli("secret", "generate", "--length", "0", rc=1)


def test_files_are_written_to_where_links_and_devices_lead(cli, gateway):
    assert len(base64.b64decode(cli("secret", "generate", "-o", "/dev/stdout").out)) == 32
    os.mkfifo(cli.path("fifo"))
    reader = os.open(cli.path("fifo"), os.O_RDONLY | os.O_NONBLOCK)
    cli("secret", "generate", "-o", "fifo")
    assert len(base64.b64decode(os.read(reader, 100))) == 32
    os.close(reader)
    assert cli("secret", "generate", "-o", "home", rc=1).err == "Open home: Is a directory\n"
    cli.write("large", "x" * 2000000)
    assert cli("secret", "create", "s", "--from-file", "large", rc=1).err == "Read large: more than 1048576 bytes\n"

    cli.write("dotfiles/config.yml", "auths: []\n")
    os.makedirs(cli.path("home/.openfaas"), exist_ok=True)
    os.symlink("../../dotfiles/config.yml", cli.path("home/.openfaas/config.yml"))
    gateway.on("GET", "/system/functions", (200, "[]"))
    cli("login", "--password-stdin", stdin="s3cret")
    assert os.path.islink(cli.path("home/.openfaas/config.yml"))
    assert gateway.url in cli.read("dotfiles/config.yml") and cli.mode("dotfiles/config.yml") == 0o600


# ---- version, streams, terminals


def test_version_with_and_without_a_gateway(cli, gateway):
    short = cli("version", "--short-version").out.strip()
    alone = cli("version")
    assert f"CLI:\n commit:  " in alone.out and f" version: {short}\n" in alone.out
    assert "Provider" not in alone.out
    cli("version", "--json", rc=1)
    gateway.on("GET", "/system/info", (200, json.dumps(
        {"provider": {"provider": "minnow-local", "orchestration": "local",
                      "version": {"release": "1", "sha": "p"}},
         "version": {"release": "2", "sha": "g"}, "arch": "x86_64"})))
    both = cli("version").out
    assert f"Gateway\n uri:     {gateway.url}\n version: 2\n sha:     g\n" in both
    assert " name:          minnow-local\n orchestration: local\n" in both
    assert json.loads(cli("version", "--json").out)["provider"] == {
        "name": "minnow-local", "orchestration": "local", "version": "1", "sha": "p"}


def on_terminal(cli, *args, **env):
    """stdout and stderr together, as a terminal gets them."""
    main, side = pty.openpty()
    child = subprocess.Popen([os.path.join(BIN, "faas-cli"), *args], cwd=cli.folder,
                             env={**cli.env, **env}, stdin=side, stdout=side, stderr=side)
    os.close(side)
    shown = b""
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(main)
    child.wait(timeout=20)
    return shown.decode()


def test_colour_is_for_terminals_only(cli):
    with_greet(cli)
    assert "\033" not in cli("build").out
    assert "\033[33m[0] > Building greet.\033[0m\r\n" in on_terminal(cli, "build")
    assert "\033" not in on_terminal(cli, "build", NO_COLOR="1")


def test_a_result_that_cannot_be_written_is_an_error(cli):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([os.path.join(BIN, "faas-cli"), "list", "--help"], stdout=full,
                              stderr=subprocess.PIPE, env=cli.env)
    assert done.returncode == 1 and b"cannot write to standard output" in done.stderr.lower()


# ---- plugins


def test_a_plugin_is_a_command_and_comes_first(cli):
    cli.write("home/.openfaas/plugins/list", '#!/bin/sh\necho "$0 $*"\nexit 7\n', 0o755)
    r = cli("list", "-x", "y", rc=7)
    assert r.out == cli.path("home/.openfaas/plugins/list") + " -x y\n"
    cli.write("home/.openfaas/plugins/broken", "", 0o644)
    assert "cannot run plugin" in cli("broken", rc=127).err.lower()
    assert "Commands:" in cli("secret").out
