#include "cli/engine.h"

#include "cli/out.h"
#include "cli/run.h"
#include "libfaas/alloc.h"

#include <errno.h>

static bool uses_buildkit(const struct cli_build_job *job)
{
    return job->secrets.len > 0 || (job->template_ && job->template_->mount_ssh);
}

static void add_variable(struct faas_strv *out, const char *name)
{
    const char *value = getenv(name);

    if (!value || !*value)
        return;
    faas_strv_add(out, "--build-arg");
    faas_strv_addf(out, "%s=%s", name, value);
}

static void add_pairs(struct faas_strv *out, const char *flag, const struct faas_map *pairs)
{
    if (!pairs)
        return;
    faas_map_for_each (pairs, e) {
        faas_strv_add(out, flag);
        faas_strv_addf(out, "%s=%s", e->key, e->value);
    }
}

static void add_flags(struct faas_strv *out, const struct cli_build_job *job)
{
    if (job->no_cache)
        faas_strv_add(out, "--no-cache");
    if (job->squash)
        faas_strv_add(out, "--squash");
    add_variable(out, "http_proxy");
    add_variable(out, "https_proxy");
    add_pairs(out, "--build-arg", &job->args);
    add_pairs(out, "--label", job->labels);
    if (job->pull)
        faas_strv_add(out, "--pull");
}

static void add_mounts(struct faas_strv *out, const struct cli_build_job *job)
{
    faas_map_for_each (&job->secrets, e) {
        faas_strv_add(out, "--secret");
        faas_strv_addf(out, "id=%s,src=%s", e->key, e->value);
    }
    if (job->template_ && job->template_->mount_ssh) {
        faas_strv_add(out, "--ssh");
        faas_strv_add(out, "default");
    }
}

static void add_image(struct faas_strv *out, const char *flag, const char *image)
{
    faas_strv_add(out, flag);
    faas_strv_add(out, image);
}

/* The folder, and what has always stood behind it. */
static void add_context(struct faas_strv *out, const struct cli_builder *b,
                        const struct cli_build_job *job, const struct faas_strv *more_images)
{
    if (!b->context_last)
        faas_strv_add(out, ".");
    for (size_t i = 0; more_images && i < more_images->len; i++)
        add_image(out, "--tag", more_images->items[i]);
    add_mounts(out, job);
    if (b->context_last)
        faas_strv_add(out, ".");
}

/* A name of its own for the list of images that publishing makes: one image under the function's
 * name may be here already, and would be in the way. Heap. */
static char *list_name(const struct cli_build_job *job)
{
    return faas_asprintf("localhost/faas-cli-publish/%s", job->fn->name);
}

void cli_engine_build_argv(struct faas_strv *out, const struct cli_builder *b,
                           const struct cli_build_job *job)
{
    faas_strv_add(out, b->program);
    faas_strv_add(out, "build");
    add_flags(out, job);
    add_image(out, "--tag", job->image);
    add_context(out, b, job, NULL);
}

void cli_engine_buildx_argv(struct faas_strv *out, const struct cli_builder *b,
                            const struct cli_build_job *job)
{
    faas_strv_add(out, b->program);
    faas_strv_add(out, "buildx");
    faas_strv_add(out, "build");
    faas_strv_add(out, "--progress=plain");
    faas_strv_addf(out, "--platform=%s", job->platforms);
    faas_strv_add(out, "--output=type=registry,push=true");
    add_flags(out, job);
    add_image(out, "--tag", job->image);
    add_context(out, b, job, job->extra_images);
}

void cli_engine_manifest_argv(struct faas_strv *out, const struct cli_builder *b,
                              const struct cli_build_job *job)
{
    _cleanup_free_ char *list = list_name(job);

    faas_strv_add(out, b->program);
    faas_strv_add(out, "build");
    faas_strv_addf(out, "--platform=%s", job->platforms);
    add_flags(out, job);
    add_image(out, "--manifest", list);
    add_context(out, b, job, NULL);
}

char *cli_engine_words(const struct faas_strv *argv, size_t from)
{
    _cleanup_buf_ struct faas_buf words = {0};

    for (size_t i = from; i < argv->len; i++)
        faas_buf_printf(&words, "%s%s", i > from ? " " : "", argv->items[i]);
    return faas_strdup(words.data ? words.data : "");
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

static void drop_line(void *arg, struct faas_str line)
{
    (void)arg;
    (void)line;
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
            &(struct cli_run){.argv = argv, .environment = &environment, .line = drop_line}, err) <
        0)
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
    _cleanup_free_ char *list = list_name(job);
    char *argv[] = {(char *)b->program, "manifest", "rm", list, NULL};
    const struct cli_run run = {.argv = argv, .with_stderr = true, .line = drop_line};
    int status;

    return cli_run(&run, &status, err);
}

static int push_manifest(const struct cli_builder *b, const struct cli_build_job *job,
                         const char *image, struct faas_error *err)
{
    _cleanup_free_ char *list = list_name(job);
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
