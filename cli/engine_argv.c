#include "cli/engine.h"

#include "libfaas/alloc.h"

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

char *cli_engine_list_name(const struct cli_build_job *job)
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
    _cleanup_free_ char *list = cli_engine_list_name(job);

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
