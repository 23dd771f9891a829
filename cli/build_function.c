#include "cli/build.h"

#include "cli/context.h"
#include "cli/image.h"
#include "cli/out.h"
#include "libfaas/alloc.h"
#include "libfaas/file.h"

#include <errno.h>
#include <limits.h>

/* Where a tool's output goes while it runs. */
struct output {
    const struct cli_build *build;
    size_t worker;
    const char *prefix; /* "[hello] " when several build at once */
    bool keep;          /* shown only on failure */
    struct faas_buf kept;
};

static void take_line(void *arg, struct faas_str line)
{
    struct output *out = arg;

    cli_progress_line(out->build->progress, out->worker, line);
    if (out->keep)
        faas_buf_printf(&out->kept, "%s%.*s\n", out->prefix, FAAS_STR_FMT(line));
    else
        cli_note("%s%.*s\n", out->prefix, FAAS_STR_FMT(line));
}

/* Engines draw progress of their own when they have the terminal to themselves. */
static bool has_terminal(const struct cli_build *b)
{
    return b->builder->program && b->n_workers == 1 && !b->options->quiet && isatty(STDOUT_FILENO);
}

/* A bundle is of this machine's kind, so publishing it is sending it. */
static int publish_here(const struct cli_build *b, const struct cli_build_job *job,
                        struct faas_error *err)
{
    struct cli_push_job push = {
        .dir = job->dir, .image = job->image, .quiet = b->options->quiet, .client = b->client};

    if (b->builder->build(b->builder, job, err) < 0 || b->builder->push(b->builder, &push, err) < 0)
        return -1;
    for (size_t i = 0; i < job->extra_images->len; i++) {
        push.image = job->extra_images->items[i];
        if (b->builder->push(b->builder, &push, err) < 0)
            return -1;
    }
    return 0;
}

static int make_image(const struct cli_build *b, const struct cli_build_job *job,
                      struct faas_error *err)
{
    if (!b->publish)
        return b->builder->build(b->builder, job, err);
    return b->builder->publish ? b->builder->publish(b->builder, job, err)
                               : publish_here(b, job, err);
}

static int run_builder(const struct cli_build *b, struct cli_build_job *job, size_t worker,
                       struct faas_error *err)
{
    _cleanup_free_ char *prefix =
        b->n_workers > 1 ? faas_asprintf("[%s] ", job->fn->name) : faas_strdup("");
    struct output out = {
        .build = b, .worker = worker, .prefix = prefix, .keep = b->options->quiet || b->progress};
    int rc;

    job->line = has_terminal(b) ? NULL : take_line;
    job->arg = &out;
    rc = make_image(b, job, err);
    if (rc < 0 && out.kept.len)
        cli_note("%s", out.kept.data);
    faas_buf_deinit(&out.kept);
    return rc;
}

static int assemble(const struct cli_build *b, const struct cli_function *fn,
                    const struct cli_template *t, struct faas_error *err)
{
    const struct cli_context context = {.name = fn->name,
                                        .template_dir = t ? t->dir : NULL,
                                        .handler_folder = t ? t->handler_folder : NULL,
                                        .handler = fn->handler,
                                        .copy = &b->copy};

    return cli_context_assemble(&context, err);
}

/* Absolute paths of files that are there. */
static int find_secrets(const struct cli_function *fn, struct faas_map *out, struct faas_error *err)
{
    faas_map_for_each (&fn->build_secrets, e) {
        char path[PATH_MAX];

        if (!realpath(e->value, path))
            return faas_fail_errno(err, FAAS_ERR_NOT_FOUND, errno, "build_secrets.%s: %s", e->key,
                                   e->value);
        faas_map_set(out, e->key, path);
    }
    return 0;
}

/* The image under another tag. Heap. */
static char *retagged(const char *image, const char *tag)
{
    return faas_asprintf("%.*s:%s", (int)(strrchr(image, ':') - image), image, tag);
}

static int image_job(const struct cli_build *b, struct cli_build_job *job, struct faas_error *err)
{
    const struct cli_function *fn = job->fn;

    job->no_cache = b->options->no_cache;
    job->squash = b->options->squash;
    job->pull = b->options->pull;
    job->labels = &b->options->build_labels;
    if (b->publish)
        job->platforms = b->publish->platforms ? b->publish->platforms
                         : fn->platforms       ? fn->platforms
                                               : "linux/amd64";
    if (cli_build_args(b->options, fn, job->template_, &job->args, err) < 0)
        return -1;
    return find_secrets(fn, &job->secrets, err);
}

static int build_image(const struct cli_build *b, struct cli_build_job *job, size_t worker,
                       struct faas_error *err)
{
    _cleanup_free_ char *image =
        cli_image_name(job->fn->image, b->options->tag, job->fn->handler, err);
    _cleanup_strv_ struct faas_strv extra = {0};

    if (!image || image_job(b, job, err) < 0)
        return -1;
    for (size_t i = 0; b->publish && i < b->publish->extra_tags.len; i++)
        faas_strv_take(&extra, retagged(image, b->publish->extra_tags.items[i]));
    job->image = image;
    job->extra_images = &extra;
    if (!b->progress)
        cli_print("Building: %s with %s template.\n", image, job->fn->lang);
    if (run_builder(b, job, worker, err) < 0)
        return -1;
    cli_print("Image: %s built.\n", image);
    return 0;
}

int cli_build_function(const struct cli_build *b, const struct cli_function *fn, size_t worker,
                       struct faas_error *err)
{
    _cleanup_template_ struct cli_template t = {0};
    _cleanup_free_ char *dir = cli_context_dir(fn->name);
    bool own = cli_is_dockerfile(fn->lang);
    struct cli_build_job job = {.fn = fn, .template_ = own ? NULL : &t, .dir = dir};
    int rc;

    if (!fn->handler)
        return faas_fail(err, FAAS_ERR_INVALID, "the function has no handler");
    if (!fn->image && !b->options->shrinkwrap)
        return faas_fail(err, FAAS_ERR_INVALID, "the function has no image");
    if (!own && cli_template_load(&t, fn->lang, err) < 0)
        return -1;
    if (assemble(b, fn, job.template_, err) < 0)
        return -1;
    if (b->options->shrinkwrap) {
        cli_print("%s shrink-wrapped to %s\n", fn->name, dir);
        return 0;
    }
    rc = build_image(b, &job, worker, err);
    faas_map_deinit(&job.args);
    faas_map_deinit(&job.secrets);
    return rc;
}
