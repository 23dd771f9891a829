#include "cli/build.h"

#include "cli/context.h"
#include "cli/image.h"
#include "cli/out.h"
#include "libfaas/alloc.h"

/* Where a tool's output goes while it runs. */
struct output {
    const char *prefix; /* "[hello] " when several build at once */
    bool quiet;
    struct faas_buf kept; /* when quiet: shown only on failure */
};

static void take_line(void *arg, struct faas_str line)
{
    struct output *out = arg;

    if (out->quiet)
        faas_buf_printf(&out->kept, "%s%.*s\n", out->prefix, FAAS_STR_FMT(line));
    else
        cli_note("%s%.*s\n", out->prefix, FAAS_STR_FMT(line));
}

static int run_builder(const struct cli_build *b, struct cli_build_job *job, struct faas_error *err)
{
    _cleanup_free_ char *prefix =
        b->options->parallel > 1 ? faas_asprintf("[%s] ", job->fn->name) : faas_strdup("");
    struct output out = {.prefix = prefix, .quiet = b->options->quiet};
    int rc;

    job->line = take_line;
    job->arg = &out;
    rc = b->builder->build(job, err);
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

static int build_image(const struct cli_build *b, const struct cli_function *fn,
                       struct cli_build_job *job, struct faas_error *err)
{
    _cleanup_free_ char *image = cli_image_name(fn->image, b->options->tag, fn->handler, err);

    if (!image || cli_build_args(b->options, fn, job->template_, &job->args, err) < 0)
        return -1;
    job->image = image;
    cli_print("Building: %s with %s template.\n", image, fn->lang);
    if (run_builder(b, job, err) < 0)
        return -1;
    cli_print("Image: %s built.\n", image);
    return 0;
}

int cli_build_function(const struct cli_build *b, const struct cli_function *fn,
                       struct faas_error *err)
{
    _cleanup_template_ struct cli_template t = {0};
    _cleanup_free_ char *dir = cli_context_dir(fn->name);
    bool own = cli_is_dockerfile(fn->lang);
    struct cli_build_job job = {
        .fn = fn, .template_ = own ? NULL : &t, .dir = dir, .no_cache = b->options->no_cache};
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
    rc = build_image(b, fn, &job, err);
    faas_map_deinit(&job.args);
    return rc;
}
