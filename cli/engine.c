#include "cli/engine.h"

#include "cli/out.h"
#include "cli/run.h"
#include "libfaas/alloc.h"

#include <errno.h>

static bool uses_buildkit(const struct cli_build_job *job)
{
    return job->secrets.len > 0 || (job->template_ && job->template_->mount_ssh);
}

/* Runs it in the function's folder. Its first two words say in errors what failed. */
static int run_there(const struct faas_strv *argv, const struct cli_build_job *job,
                     const struct faas_map *environment, struct faas_error *err)
{
    const struct cli_run run = {.argv = argv->items,
                                .cwd = job->dir,
                                .environment = environment,
                                .with_stderr = true,
                                .line = job->line,
                                .arg = job->arg};

    return cli_run_checked(&run, err);
}

static int check_dockerfile(const struct cli_builder *b, const struct cli_build_job *job,
                            struct faas_error *err)
{
    _cleanup_free_ char *dockerfile = faas_asprintf("%s/Dockerfile", job->dir);
    _cleanup_free_ char *containerfile = faas_asprintf("%s/Containerfile", job->dir);

    if (access(dockerfile, R_OK) == 0 || (b->context_last && access(containerfile, R_OK) == 0))
        return 0;
    return faas_fail(err, FAAS_ERR_NOT_FOUND,
                     "template %s has no Dockerfile, so %s cannot build it; bundles need none "
                     "(--builder bundle)",
                     job->fn->lang, b->name);
}

static int engine_build(const struct cli_builder *b, const struct cli_build_job *job,
                        struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv argv = {0};
    _cleanup_map_ struct faas_map environment = {0};
    _cleanup_free_ char *shown = NULL;

    if (check_dockerfile(b, job, err) < 0)
        return -1;
    cli_engine_build_argv(&argv, b, job);
    if (uses_buildkit(job))
        faas_map_set(&environment, "DOCKER_BUILDKIT", "1");
    shown = cli_engine_words(&argv, 1);
    cli_log("Build flags: [%s]", shown);
    return run_there(&argv, job, &environment, err);
}

static int engine_push(const struct cli_builder *b, const struct cli_push_job *job,
                       struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv argv = {0};

    faas_strv_add(&argv, b->program);
    faas_strv_add(&argv, "push");
    if (b->context_last && job->quiet)
        faas_strv_add(&argv, "--quiet");
    faas_strv_add(&argv, job->image);
    if (!b->context_last && job->quiet)
        faas_strv_add(&argv, "--quiet");
    return cli_run_checked(&(struct cli_run){.argv = argv.items}, err);
}

static int reset_qemu(const struct cli_builder *b, struct faas_error *err)
{
    char *argv[] = {(char *)b->program,
                    "run",
                    "--rm",
                    "--privileged",
                    "multiarch/qemu-user-static",
                    "--reset",
                    "-p",
                    "yes",
                    NULL};

    if (!b->runs_images)
        return faas_fail(err, FAAS_ERR_UNSUPPORTED,
                         "--reset-qemu runs a container, which %s does not", b->name);
    if (cli_run_checked(&(struct cli_run){.argv = argv}, err) < 0)
        return -1;
    cli_print("Installed emulators for other platforms: multiarch/qemu-user-static\n");
    return 0;
}

static int engine_prepare(const struct cli_builder *b, bool reset, struct faas_error *err)
{
    return reset ? reset_qemu(b, err) : 0;
}

/* buildx wants a builder instance that can do more than the engine's own. */
static int docker_prepare(const struct cli_builder *b, bool reset, struct faas_error *err)
{
    char *argv[] = {(char *)b->program, "buildx",           "create", "--use",
                    "--name=multiarch", "--node=multiarch", NULL};
    _cleanup_map_ struct faas_map environment = {0};

    if (engine_prepare(b, reset, err) < 0)
        return -1;
    faas_map_set(&environment, "DOCKER_CLI_EXPERIMENTAL", "enabled");
    if (cli_run_checked(
            &(struct cli_run){.argv = argv, .environment = &environment, .line = cli_drop_line},
            err) < 0)
        return faas_error_wrap(err, "publishing with docker needs its buildx plugin");
    cli_print("Created buildx node: \"multiarch\"\n");
    return 0;
}

static int run_publish(const struct cli_builder *b, const struct cli_build_job *job,
                       const struct faas_strv *argv, struct faas_error *err)
{
    _cleanup_free_ char *shown = cli_engine_words(argv, 1);

    if (check_dockerfile(b, job, err) < 0)
        return -1;
    cli_print("Publishing with command: %s [%s]\n", b->program, shown);
    return run_there(argv, job, NULL, err);
}

static int docker_publish(const struct cli_builder *b, const struct cli_build_job *job,
                          struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv argv = {0};

    cli_engine_buildx_argv(&argv, b, job);
    return run_publish(b, job, &argv, err);
}

/* A list of images that an earlier run left would be added to. */
static int forget_manifest(const struct cli_builder *b, const struct cli_build_job *job,
                           struct faas_error *err)
{
    _cleanup_free_ char *list = cli_engine_list_name(job);
    char *argv[] = {(char *)b->program, "manifest", "rm", list, NULL};
    const struct cli_run run = {.argv = argv, .with_stderr = true, .line = cli_drop_line};
    int status;

    return cli_run(&run, &status, err);
}

static int push_manifest(const struct cli_builder *b, const struct cli_build_job *job,
                         const char *image, struct faas_error *err)
{
    _cleanup_free_ char *list = cli_engine_list_name(job);
    _cleanup_free_ char *to = faas_asprintf("docker://%s", image);
    char *argv[] = {(char *)b->program, "manifest", "push", "--all", list, to, NULL};
    const struct cli_run run = {
        .argv = argv, .with_stderr = true, .line = job->line, .arg = job->arg};

    return cli_run_checked(&run, err);
}

static int manifest_publish(const struct cli_builder *b, const struct cli_build_job *job,
                            struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv argv = {0};

    cli_engine_manifest_argv(&argv, b, job);
    if (forget_manifest(b, job, err) < 0 || run_publish(b, job, &argv, err) < 0 ||
        push_manifest(b, job, job->image, err) < 0)
        return -1;
    for (size_t i = 0; job->extra_images && i < job->extra_images->len; i++)
        if (push_manifest(b, job, job->extra_images->items[i], err) < 0)
            return -1;
    return 0;
}

const struct cli_builder cli_docker_builder = {
    .name = "docker",
    .summary = "container images, by Docker",
    .program = "docker",
    .runs_images = true,
    .build = engine_build,
    .push = engine_push,
    .prepare = docker_prepare,
    .publish = docker_publish,
};

const struct cli_builder cli_podman_builder = {
    .name = "podman",
    .summary = "container images, by Podman",
    .program = "podman",
    .runs_images = true,
    .context_last = true,
    .build = engine_build,
    .push = engine_push,
    .prepare = engine_prepare,
    .publish = manifest_publish,
};

const struct cli_builder cli_buildah_builder = {
    .name = "buildah",
    .summary = "container images, by Buildah",
    .program = "buildah",
    .context_last = true,
    .build = engine_build,
    .push = engine_push,
    .prepare = engine_prepare,
    .publish = manifest_publish,
};
