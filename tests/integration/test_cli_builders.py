"""Which builder is taken, and what container engines are told to do: the engines are scripts that write
down what they were asked."""

import json
import os
import re

import pytest

from cli_helpers import FUNCTION_PATH, Cli, FakeGateway

# Writes one line a call: the folder's name, then each argument in brackets.
ENGINE = """#!/bin/sh
line="$(basename "$PWD"):"
for a in "$@"; do line="$line [$a]"; done
echo "$line${DOCKER_BUILDKIT:+ BUILDKIT=$DOCKER_BUILDKIT}" >> "$ENGINE_LOG"
echo "%(name)s says out"
echo "%(name)s says err" >&2
case "$1" in %(fail)s) exit 3 ;; esac
exit 0
"""
STACK = """\
provider: {name: openfaas}
functions:
  greet:
    lang: t
    handler: ./greet
    image: r/greet:0.1
"""


@pytest.fixture
def gateway():
    g = FakeGateway()
    yield g
    g.close()


@pytest.fixture
def cli(tmp_path, gateway):
    folder = tmp_path / "project"
    folder.mkdir()
    c = Cli(str(folder), gateway.url)
    os.mkdir(tmp_path / "engines")
    os.mkdir(tmp_path / "tools")
    # Nothing but what is put there; a shell and the tools that scripts use.
    for tool in ("sh", "basename", "git", "cat"):
        os.symlink(f"/usr/bin/{tool}", tmp_path / "tools" / tool)
    c.env["PATH"] = f"{tmp_path}/engines:{tmp_path}/tools"
    c.env["ENGINE_LOG"] = str(tmp_path / "engine.log")
    del c.env["OPENFAAS_BUILDER"]
    c.write("stack.yaml", STACK)
    c.write("template/t/template.yml", "language: t\nfprocess: cat\nbuild_options:\n"
            "  - name: dev\n    packages: [make, gcc]\n")
    c.write("template/t/Dockerfile", "FROM scratch\n")
    c.write("template/t/bundle.sh", ":\n")
    c.write("greet/x", "")
    return c


def engine(cli, name, fail="nothing"):
    cli.write(f"../engines/{name}", ENGINE % {"name": name, "fail": fail}, mode=0o755)


def calls(cli):
    try:
        with open(cli.env["ENGINE_LOG"]) as f:
            lines = f.read().splitlines()
    except FileNotFoundError:
        return []
    os.remove(cli.env["ENGINE_LOG"])
    return lines


def provider(gateway, orchestration, status=200):
    gateway.on("GET", "/system/info", (status, json.dumps(
        {"provider": {"name": "p", "orchestration": orchestration}, "version": {}})))


def built_with(cli):
    asked = calls(cli)
    return asked[0] if asked else "bundle" if os.path.exists(cli.path("build/greet/bundle.json")) else None


# ---- choice


def test_a_local_provider_gets_bundles_whatever_engines_there_are(cli, gateway):
    engine(cli, "docker")
    provider(gateway, "local")
    r = cli("build")
    assert calls(cli) == [] and os.path.exists(cli.path("build/greet/bundle.json"))
    assert r.err == ""
    assert gateway.seen() == ["GET /system/info"]


@pytest.mark.parametrize("installed, taken", [
    (("docker", "podman", "buildah"), "docker"), (("podman", "buildah"), "podman"),
    (("buildah",), "buildah")])
def test_other_providers_get_images_of_the_first_engine(cli, gateway, installed, taken):
    for name in installed:
        engine(cli, name)
    provider(gateway, "kubernetes")
    r = cli("build")
    assert len(calls(cli)) == 1
    assert f"{taken} says out" in r.err
    assert not os.path.exists(cli.path("build/greet/bundle.json"))


def test_images_without_an_engine_are_an_error_that_says_so(cli, gateway):
    provider(gateway, "kubernetes")
    r = cli("build", rc=1)
    assert "runs container images (kubernetes)" in r.err and "in PATH" in r.err


def test_a_gateway_that_says_nothing_gets_what_can_be_made_and_that_is_said(cli, gateway):
    for status, body in ((500, "broken"), (200, "{}"), (200, "no JSON"), (200, '{"provider": "x"}'),
                         (401, "no"), (200, "[]")):
        gateway.on("GET", "/system/info", (status, body))
        r = cli("build")
        assert os.path.exists(cli.path("build/greet/bundle.json"))
        assert r.err.startswith("Building with bundle: the gateway at"), (status, body)
        assert r.err.count("\n") == 1
    engine(cli, "podman")
    r = cli("build", OPENFAAS_URL="http://127.0.0.1:1")
    assert "Building with podman: the gateway at http://127.0.0.1:1 did not say" in r.err
    assert "podman says out" in r.err


def test_flag_and_environment_decide_without_asking(cli, gateway):
    engine(cli, "docker")
    engine(cli, "podman")
    cli("build", "--builder", "podman")
    assert "[build]" in calls(cli)[0]
    cli("build", OPENFAAS_BUILDER="podman")
    assert len(calls(cli)) == 1
    cli("build", "--builder", "bundle", OPENFAAS_BUILDER="podman")
    assert calls(cli) == [] and gateway.seen() == []
    provider(gateway, "local")
    cli("build", "--builder", "auto", OPENFAAS_BUILDER="podman")
    assert calls(cli) == [] and gateway.seen() == ["GET /system/info"]


def test_builders_that_are_not_there_are_errors(cli):
    assert "must be one of auto, bundle, docker, podman, buildah" in cli(
        "build", "--builder", "kaniko", rc=1).err
    assert 'OPENFAAS_BUILDER: there is no builder "kaniko"' in cli(
        "build", OPENFAAS_BUILDER="kaniko", rc=1).err
    assert "Flag --builder asks for docker, which is not in PATH" in cli(
        "build", "--builder", "docker", rc=1).err


def test_shrinkwrap_needs_no_builder(cli, gateway):
    assert "greet shrink-wrapped to build/greet\n" in cli("build", "--shrinkwrap").out
    assert "greet shrink-wrapped to build/greet\n" in cli("up", "--shrinkwrap").out
    assert "greet shrink-wrapped to build/greet\n" in cli("publish", "--shrinkwrap").out
    assert gateway.seen() == []


# ---- docker build


def full_stack(cli):
    cli.write("pip.conf", "secret")
    cli.write("stack.yaml", STACK + """\
    build_args: {A: "1", B: two words}
    build_options: [dev]
    build_secrets: {pip: pip.conf}
""")


ALL_FLAGS = ["--no-cache", "--squash", "--pull", "--build-arg", "A=2", "-b", "C=3",
             "--build-label", "l=v", "--build-label", "m=w"]


def test_the_command_line_of_docker_build(cli):
    engine(cli, "docker")
    r = cli("build", "--builder", "docker")
    assert calls(cli) == [
        "greet: [build] [--build-arg] [ADDITIONAL_PACKAGE=] [--tag] [r/greet:0.1] [.]"]
    assert re.search(r"(?m)^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d Build flags: \[build --build-arg "
                     r"ADDITIONAL_PACKAGE= --tag r/greet:0.1 .\]$", r.err)
    assert r.timeless == (
        "[0] > Building greet.\n"
        "Building: r/greet:0.1 with t template.\n"
        "Image: r/greet:0.1 built.\n"
        "[0] < Building greet done in N.NNs.\n"
        "[0] Worker done.\n"
        "\nTotal build time: N.NNs\n")
    full_stack(cli)
    cli("build", "--builder", "docker", *ALL_FLAGS, http_proxy="http://p:1", https_proxy="http://p:2")
    assert calls(cli) == [
        "greet: [build] [--no-cache] [--squash] [--build-arg] [http_proxy=http://p:1] [--build-arg] "
        "[https_proxy=http://p:2] [--build-arg] [A=2] [--build-arg] [B=two words] [--build-arg] [C=3] "
        "[--build-arg] [ADDITIONAL_PACKAGE=gcc make] [--label] [l=v] [--label] [m=w] [--pull] [--tag] "
        f"[r/greet:0.1] [.] [--secret] [id=pip,src={cli.path('pip.conf')}] BUILDKIT=1"]


def test_podman_and_buildah_want_the_folder_last(cli):
    full_stack(cli)
    for name in ("podman", "buildah"):
        engine(cli, name)
        cli("build", "--builder", name, "--squash")
        assert calls(cli) == [
            "greet: [build] [--squash] [--build-arg] [A=1] [--build-arg] [B=two words] [--build-arg] "
            "[ADDITIONAL_PACKAGE=gcc make] [--tag] [r/greet:0.1] [--secret] "
            f"[id=pip,src={cli.path('pip.conf')}] [.] BUILDKIT=1"]


def test_mount_ssh_hands_the_agent_to_the_build(cli):
    engine(cli, "docker")
    cli.write("template/t/template.yml", "language: t\nfprocess: cat\nmount_ssh: true\n")
    cli("build", "--builder", "docker")
    assert calls(cli)[0].endswith("[.] [--ssh] [default] BUILDKIT=1")


def test_a_failing_engine_is_shown_with_its_words(cli):
    engine(cli, "docker", fail="build")
    r = cli("build", "--builder", "docker", rc=1)
    assert "docker says err\n" in r.err
    assert "Errors received during build:\n- [greet] docker build ended with exit status 3\n" in r.err
    assert "Image:" not in r.out
    quiet = cli("build", "--builder", "docker", "--quiet", rc=1).err
    assert "docker says out\ndocker says err\n" in quiet
    engine(cli, "docker")
    assert "says" not in cli("build", "--builder", "docker", "--quiet").err


def test_the_dockerfile_template_is_its_own_context(cli):
    engine(cli, "docker")
    cli.write("stack.yaml", STACK.replace("lang: t", "lang: Dockerfile"))
    r = cli("build", "--builder", "docker", rc=1)
    assert "has no Dockerfile" in r.err
    cli.write("greet/Dockerfile", "FROM scratch\n")
    cli("build", "--builder", "docker")
    assert os.path.exists(cli.path("build/greet/Dockerfile"))
    assert not os.path.exists(cli.path("build/greet/function"))
    assert len(calls(cli)) == 1


def test_a_template_without_a_dockerfile_is_for_bundles(cli):
    engine(cli, "docker")
    os.remove(cli.path("template/t/Dockerfile"))
    assert "template t has no Dockerfile, so docker cannot build it" in cli(
        "build", "--builder", "docker", rc=1).err
    assert calls(cli) == []


def test_build_secrets_have_to_be_there(cli):
    full_stack(cli)
    os.remove(cli.path("pip.conf"))
    assert "[greet] build_secrets.pip: pip.conf: No such file" in cli("build", rc=1).err


def test_a_bundles_recipe_finds_its_build_secrets(cli):
    full_stack(cli)
    cli.write("template/t/bundle.sh", 'cat "$BUILD_SECRET_pip" > found\n')
    cli("build", "--builder", "bundle")
    assert cli.read("build/greet/found") == "secret"


def test_several_builds_at_a_time_are_told_apart(cli):
    engine(cli, "docker")
    cli.write("stack.yaml", STACK + "  other: {lang: t, handler: greet, image: r/other}\n")
    r = cli("build", "--builder", "docker", "--parallel", "5")
    assert "[greet] docker says out\n" in r.err and "[other] docker says err\n" in r.err
    assert sorted(re.findall(r"\[(\d)\] Worker done", r.out)) == ["0", "1"]
    assert "must be 1 or more" in cli("build", "--parallel", "0", rc=1).err


# ---- push


def test_the_command_line_of_push(cli):
    for name, quiet in (("docker", "[push] [r/greet:0.1] [--quiet]"),
                        ("podman", "[push] [--quiet] [r/greet:0.1]"),
                        ("buildah", "[push] [--quiet] [r/greet:0.1]")):
        engine(cli, name)
        r = cli("push", "--builder", name)
        assert calls(cli) == ["project: [push] [r/greet:0.1]"]
        assert r.out == ("[0] > Pushing greet [r/greet:0.1]\n"
                         f"{name} says out\n"
                         "[0] < Pushing greet [r/greet:0.1] done.\n"
                         "[0] Worker done.\n")
        cli("push", "--builder", name, "--quiet")
        assert calls(cli) == [f"project: {quiet}"]


def test_nothing_is_pushed_when_a_name_has_no_registry(cli):
    engine(cli, "docker")
    cli.write("stack.yaml", STACK + "  a: {lang: t, handler: greet, image: alone}\n"
              "  b: {lang: t, handler: greet, image: also:1}\n  c: {skip_build: true, image: c}\n")
    r = cli("push", "--builder", "docker", rc=1)
    assert "- a: alone\n- b: also:1\n" in r.err and "- c" not in r.err
    assert calls(cli) == []
    cli("build", "--builder", "docker")  # only pushing minds


def test_a_failing_push_ends_it(cli):
    engine(cli, "docker", fail="push")
    cli.write("stack.yaml", STACK + "  z: {lang: t, handler: greet, image: r/z}\n")
    r = cli("push", "--builder", "docker", rc=1)
    assert "[greet] docker push ended with exit status 3" in r.err
    assert len(calls(cli)) == 1


def test_push_falls_back_where_git_has_no_tag(cli):
    engine(cli, "docker")
    r = cli("push", "--builder", "docker", "--tag", "sha")
    assert calls(cli) == ["project: [push] [r/greet:0.1]"]
    assert re.search(r"(?m)^\S+ \S+ \[greet\] --tag sha: .*; taking the image's own tag$", r.err)
    assert "git" in cli("build", "--builder", "docker", "--tag", "sha", rc=1).err


def test_what_push_needs(cli):
    engine(cli, "docker")
    assert "must be 1 or more" in cli("push", "--parallel", "0", rc=1).err
    cli.write("stack.yaml", STACK + "  s: {skip_build: true, image: r/s}\n")
    assert "Skipping s\n" in cli("push", "--builder", "docker").out
    assert calls(cli) == ["project: [push] [r/greet:0.1]"]
    cli.write("stack.yaml", STACK.replace("    image: r/greet:0.1\n", ""))
    assert "Function greet has no image" in cli("push", "--builder", "docker", rc=1).err
    os.remove(cli.path("stack.yaml"))
    assert "There is nothing to push" in cli("push", rc=1).err


# ---- publish


def test_publish_with_buildx(cli):
    engine(cli, "docker")
    full_stack(cli)
    r = cli("publish", "--builder", "docker", "--platforms", "linux/amd64,linux/arm64",
            "--extra-tag", "latest", "--extra-tag", "v1", "--reset-qemu", "--no-cache")
    build = (
        "[buildx] [build] [--progress=plain] [--platform=linux/amd64,linux/arm64] "
        "[--output=type=registry,push=true] [--no-cache] [--build-arg] [A=1] [--build-arg] "
        "[B=two words] [--build-arg] [ADDITIONAL_PACKAGE=gcc make] [--tag] [r/greet:0.1] [.] "
        f"[--tag] [r/greet:latest] [--tag] [r/greet:v1] [--secret] [id=pip,src={cli.path('pip.conf')}]")
    assert calls(cli) == [
        "project: [run] [--rm] [--privileged] [multiarch/qemu-user-static] [--reset] [-p] [yes]",
        "project: [buildx] [create] [--use] [--name=multiarch] [--node=multiarch]",
        f"greet: {build}"]
    assert 'Created buildx node: "multiarch"\n' in r.out
    assert "Publishing with command: docker [buildx build --progress=plain" in r.out
    assert "Build flags" not in r.err


def test_a_functions_own_platforms_are_published(cli):
    engine(cli, "docker")
    for flags, expected in (([], "linux/arm64"), (["--platforms", "linux/s390x"], "linux/s390x")):
        cli.write("stack.yaml", STACK + "    platforms: linux/arm64\n")
        cli("publish", "--builder", "docker", *flags)
        assert f"[--platform={expected}]" in calls(cli)[1]
    cli.write("stack.yaml", STACK)
    cli("publish", "--builder", "docker")
    assert "[--platform=linux/amd64]" in calls(cli)[1]


def test_publish_with_manifest_lists(cli):
    engine(cli, "podman")
    cli("publish", "--builder", "podman", "--platforms", "linux/amd64,linux/arm64",
        "--extra-tag", "latest")
    assert calls(cli) == [
        "project: [manifest] [rm] [localhost/faas-cli-publish/greet]",
        "greet: [build] [--platform=linux/amd64,linux/arm64] [--build-arg] [ADDITIONAL_PACKAGE=] "
        "[--manifest] [localhost/faas-cli-publish/greet] [.]",
        "project: [manifest] [push] [--all] [localhost/faas-cli-publish/greet] [docker://r/greet:0.1]",
        "project: [manifest] [push] [--all] [localhost/faas-cli-publish/greet] [docker://r/greet:latest]"]
    engine(cli, "buildah")
    assert "--reset-qemu runs a container, which buildah does not" in cli(
        "publish", "--builder", "buildah", "--reset-qemu", rc=1).err


def test_a_publish_that_fails_says_at_what(cli):
    engine(cli, "podman", fail="manifest")
    assert "[greet] podman manifest ended with exit status 3" in cli(
        "publish", "--builder", "podman", rc=1).err
    assert [c.split()[1] for c in calls(cli)] == ["[manifest]", "[build]", "[manifest]"]
    engine(cli, "podman", fail="build")
    assert "[greet] podman build ended with exit status 3" in cli(
        "publish", "--builder", "podman", rc=1).err
    os.remove(cli.path("template/t/Dockerfile"))
    assert "has no Dockerfile" in cli("publish", "--builder", "podman", rc=1).err
    engine(cli, "docker", fail="run")
    assert "docker run ended with exit status 3" in cli(
        "publish", "--builder", "docker", "--reset-qemu", rc=1).err.lower()


def test_publishing_without_buildx_says_what_is_missing(cli):
    engine(cli, "docker", fail="buildx")
    assert "Publishing with docker needs its buildx plugin" in cli(
        "publish", "--builder", "docker", rc=1).err


def test_publishing_a_bundle_is_sending_it(cli, gateway):
    gateway.on("PUT", "/system/images", (201, '{"digest": "sha256:1"}'))
    r = cli("publish", "--builder", "bundle", "--extra-tag", "v1")
    assert gateway.seen() == ["PUT /system/images?name=r%2Fgreet%3A0.1",
                              "PUT /system/images?name=r%2Fgreet%3Av1"]
    assert "Image: r/greet:0.1 built.\n" in r.out
    here = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}[os.uname().machine]
    cli("publish", "--builder", "bundle", "--platforms", f"linux/none, {here}")
    gateway.on("PUT", "/system/images", (201, "{}"), (507, "full"))
    r = cli("publish", "--builder", "bundle", "--extra-tag", "v1", rc=1)
    assert "507" in r.err and "Image:" not in r.out
    assert "bundles are for the machine that makes them" in cli(
        "publish", "--builder", "bundle", "--platforms", "plan9/mips", rc=1).err


# ---- up


def test_up_with_an_engine_builds_pushes_and_deploys(cli, gateway):
    engine(cli, "docker")
    provider(gateway, "kubernetes")
    gateway.on("PUT", "/system/functions", (202, ""))
    r = cli("up")
    assert [c.split()[1] for c in calls(cli)] == ["[build]", "[push]"]
    assert gateway.seen() == ["GET /system/info", "PUT /system/functions"]
    assert r.out.index("Image: r/greet:0.1 built.") < r.out.index("Pushing greet") < r.out.index(
        "Deployed. 202 Accepted.")
    cli("up", "--skip-push", "--skip-deploy")
    assert [c.split()[1] for c in calls(cli)] == ["[build]"]
    cli("up", "--publish", "--platforms", "linux/arm64", "--skip-deploy")
    assert [c.split()[1] for c in calls(cli)] == ["[buildx]", "[buildx]"]
    assert "--platforms needs --publish" in cli("up", "--platforms", "linux/arm64", rc=1).err


def test_up_stops_at_the_first_stage_that_fails(cli, gateway):
    engine(cli, "docker", fail="push")
    provider(gateway, "kubernetes")
    cli("up", rc=1)
    assert [c.split()[1] for c in calls(cli)] == ["[build]", "[push]"]
    assert gateway.seen() == ["GET /system/info"]


# ---- several stack files


def test_several_stack_files_are_one_stack(cli):
    cli.write("more.yml", "provider: {name: openfaas}\nfunctions:\n"
              "  other: {lang: t, handler: greet, image: r/other}\n")
    r = cli("build", "--builder", "bundle", "-f", "stack.yaml", "-f", "more.yml")
    assert "Image: r/greet:0.1 built." in r.out and "Image: r/other:latest built." in r.out
    assert "Image: r/greet" not in cli("build", "--builder", "bundle", "-f", "more.yml").out
    cli.write("twice.yml", STACK)
    assert "twice.yml:3: functions.greet is in stack.yaml:3 already" in cli(
        "build", "-f", "stack.yaml", "-f", "twice.yml", rc=1).err.replace("\n", " ")


# ---- local-run


def test_the_command_line_of_local_run(cli):
    engine(cli, "docker")
    cli.write("env.yml", "environment: {b: file, c: file}\n")
    cli.write(".secrets/key", "s")
    cli.write("stack.yaml", STACK + """\
    namespace: dev
    environment: {a: yaml, b: yaml}
    environment_file: [env.yml]
    readonly_root_filesystem: true
    limits: {memory: 128Mi, cpu: 250m}
    secrets: [key]
""")
    r = cli("local-run", "--builder", "docker", "--port", "8081", "--network", "n",
            "-e", "c=flag,d=4", "--env", "e=5", "--tag", "latest")
    run = ("[run] [--name] [greet] [--rm] [-i] [-p=8081:8080] [--network=n] [-e=a=yaml] [-e=b=file] "
           "[-e=c=flag] [-e=OPENFAAS_NAME=greet] [-e=OPENFAAS_NAMESPACE=dev] "
           "[-e=jwt_auth_local=true] [-e=d=4] [-e=e=5] [--read-only] "
           "[--memory-reservation=134217728] [--cpus=0.25] "
           f"[--volume={cli.path('.secrets')}:/var/openfaas/secrets] [-e=fprocess=cat] [r/greet:0.1]")
    asked = calls(cli)
    assert asked[0].startswith("greet: [build]")
    assert asked[1:] == ["project: [rm] [-f] [greet]", f"project: {run}"]
    assert "Image: r/greet:0.1\nStarting local-run for: greet on: http://0.0.0.0:8081\n\n" in r.out
    printed = cli("local-run", "--builder", "docker", "--build=false", "--print", "greet")
    assert printed.out.startswith("Image: r/greet:0.1\ndocker run --name greet --rm -i -p=8080:8080 -e=a=yaml")
    assert calls(cli) == []


def test_limits_of_local_run(cli):
    engine(cli, "podman")
    def line(limits):
        cli.write("stack.yaml", STACK + f"    limits: {{{limits}}}\n")
        r = cli("local-run", "--builder", "podman", "--build=false", "--print", rc=None)
        return r.out if r.rc == 0 else "", r.err
    for memory, expected in (("1Gi", 1 << 30), ("64Mi", 64 << 20), ("10M", 10000000),
                             ("8000000", 8000000), ("7k", 6291456), ("1Ki", 6291456), ("1e7", 10000000)):
        out, err = line(f"memory: {memory}")
        assert f"--memory-reservation={expected} " in out, memory
        assert ("is raised to 6291456" in err) == (expected == 6291456)
    for cpu, expected in (("250m", "0.25"), ("1", "1"), ("1500m", "1.5"), ("0.1", "0.1"), ("10", "10")):
        assert f"--cpus={expected} " in line(f"cpu: {cpu}")[0], cpu
    assert "limits.memory" in line("memory: 100m")[1]
    assert "limits.memory" in line("memory: lots")[1]
    assert "limits.cpu" in line("cpu: x")[1]


def test_the_process_of_a_local_run_is_the_functions_own_or_its_templates(cli):
    engine(cli, "docker")

    def printed(keys, *flags):
        cli.write("stack.yaml", STACK + keys)
        return cli("local-run", "--print", *flags).out

    docker = ("--builder", "docker", "--build=false")
    assert " -e=fprocess=cat r/greet:0.1\n" in printed("", *docker)
    assert " -e=fprocess=own r/greet:0.1\n" in printed("    fprocess: own\n", *docker)
    assert " fprocess=own " in printed("    fprocess: own\n", "--builder", "bundle")
    cli.write("template/t/template.yml", "language: t\n")
    assert "fprocess" not in printed("", *docker)
    cli.write("stack.yaml", STACK.replace("lang: t", "lang: gone"))
    assert "fprocess" not in cli("local-run", "--print", *docker).out


def test_local_run_of_what_is_not_there(cli):
    bundle = ("local-run", "--builder", "bundle", "--build=false")
    assert "build/greet/bundle.json" in cli(*bundle, rc=1).err
    cli.write("build/greet/bundle.json", "nonsense")
    assert "build/greet/bundle.json" in cli(*bundle, rc=1).err
    cli.write("stack.yaml", STACK + "    environment_file: [gone.yml]\n")
    assert "Environment_file: open gone.yml: No such file" in cli(*bundle, rc=1).err
    cli.write("stack.yaml", STACK.replace("    image: r/greet:0.1\n", ""))
    assert "Function greet has no image" in cli(*bundle, rc=1).err


def test_what_local_run_needs(cli):
    engine(cli, "docker")
    engine(cli, "buildah")
    cli.write("stack.yaml", STACK + "    secrets: [key]\n")
    r = cli("local-run", "--builder", "docker", rc=1)
    assert "put its value into ./.secrets/key" in r.err
    assert cli.mode(".secrets") == 0o700
    cli("local-run", "--builder", "docker", "--print")
    cli.write("stack.yaml", STACK + "  other: {lang: t, handler: greet, image: r/other}\n")
    assert "There are 2 functions: give the NAME of one" in cli("local-run", rc=1).err
    assert 'stack.yaml: there is no function "nope"' in cli("local-run", "nope", rc=1).err
    assert "unexpected argument" in cli("local-run", "greet", "other", rc=1).err
    assert "Buildah builds images but runs none" in cli(
        "local-run", "greet", "--builder", "buildah", rc=1).err
    assert 'Flag --env: "x": must be KEY=VALUE' in cli(
        "local-run", "greet", "--builder", "docker", "-e", "a=1,x", rc=1).err
    assert "Flag --port" in cli("local-run", "greet", "-p", "70000", rc=1).err
    engine(cli, "docker", fail="run")
    assert "It ended by itself: exit status 3" in cli(
        "local-run", "greet", "--builder", "docker", rc=1).err


def test_the_engines_are_not_those_of_this_machine(cli):
    assert cli.env["PATH"] != FUNCTION_PATH and calls(cli) == []
