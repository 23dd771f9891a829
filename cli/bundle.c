#include "cli/bundle.h"

#include "cli/builder.h"
#include "cli/run.h"
#include "libfaas/alloc.h"
#include "libfaas/file.h"
#include "libfaas/json.h"
#include "libfaas/process.h"

#include <errno.h>

void cli_bundle_manifest(struct faas_buf *out, const struct cli_template *t)
{
    _cleanup_json_ json_t *manifest = json_object();

    json_object_set_new(manifest, "version", json_integer(1));
    if (t->language)
        json_object_set_new(manifest, "language", json_string(t->language));
    json_object_set_new(manifest, "fprocess", json_string(t->fprocess));
    if (t->environment.len)
        json_object_set_new(manifest, "environment", faas_json_from_map(&t->environment));
    faas_json_write(out, manifest, 2);
    faas_buf_append_c(out, '\n');
}

bool cli_bundle_is_complete(const char *dir)
{
    _cleanup_free_ char *manifest = faas_asprintf("%s/" CLI_BUNDLE_MANIFEST, dir);

    return faas_file_exists(manifest);
}

/* What can be told before anything is run. */
static int check(const struct cli_build_job *job, bool has_recipe, struct faas_error *err)
{
    _cleanup_free_ char *dockerfile = faas_asprintf("%s/Dockerfile", job->dir);

    if (!job->template_)
        return faas_fail(err, FAAS_ERR_UNSUPPORTED,
                         "the dockerfile template needs a container engine: --builder docker, "
                         "podman or buildah");
    if (!has_recipe && faas_file_exists(dockerfile))
        return faas_fail(err, FAAS_ERR_UNSUPPORTED,
                         "template %s has a Dockerfile but no bundle.sh: it needs a container "
                         "engine: --builder docker, podman or buildah",
                         job->fn->lang);
    if (!job->template_->fprocess)
        return faas_fail(err, FAAS_ERR_INVALID, "%s/template.yml has no fprocess",
                         job->template_->dir);
    return 0;
}

static int run_recipe(const struct cli_build_job *job, struct faas_error *err)
{
    _cleanup_map_ struct faas_map environment = {0};
    const struct cli_run run = {.argv = (char *[]){"sh", "-eu", "bundle.sh", NULL},
                                .cwd = job->dir,
                                .environment = &environment,
                                .with_stderr = true,
                                .line = job->line,
                                .arg = job->arg};
    char how[64];
    int status;

    faas_map_copy(&environment, &job->args);
    faas_map_for_each (&job->secrets, e) {
        _cleanup_free_ char *name = faas_asprintf("BUILD_SECRET_%s", e->key);

        faas_map_set(&environment, name, e->value);
    }
    if (job->no_cache)
        faas_map_set(&environment, "no_cache", "1");
    if (cli_run(&run, &status, err) < 0)
        return faas_error_wrap(err, "cannot run bundle.sh");
    if (status == 0)
        return 0;
    faas_format_exit(status, how);
    return faas_fail(err, FAAS_ERR_INVALID, "%s/bundle.sh ended with %s", job->dir, how);
}

static int bundle_build(const struct cli_builder *b, const struct cli_build_job *job,
                        struct faas_error *err)
{
    _cleanup_free_ char *recipe = faas_asprintf("%s/bundle.sh", job->dir);
    _cleanup_free_ char *manifest = faas_asprintf("%s/" CLI_BUNDLE_MANIFEST, job->dir);
    _cleanup_buf_ struct faas_buf text = {0};
    bool has_recipe = faas_file_exists(recipe);

    (void)b;
    if (check(job, has_recipe, err) < 0)
        return -1;
    /* A handler may have brought a file of this name, which says nothing about this build. */
    if (unlink(manifest) < 0 && errno != ENOENT)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "%s", manifest);
    if (has_recipe && run_recipe(job, err) < 0)
        return -1;
    cli_bundle_manifest(&text, job->template_);
    /* Last, so that half a bundle is none. */
    return faas_file_replace(manifest, faas_buf_str(&text), 0644, err);
}

const struct cli_builder cli_bundle_builder = {
    .name = "bundle",
    .summary = "a folder run by a gateway's local provider; needs no container engine",
    .for_gateway = true,
    .build = bundle_build,
    .push = cli_bundle_push,
};
