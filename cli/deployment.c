#include "cli/deployment.h"

#include "cli/image.h"
#include "cli/template.h"
#include "libfaas/alloc.h"

static char *dup_or_null(const char *s)
{
    return s && *s ? faas_strdup(s) : NULL;
}

static int find_process(const struct cli_function *fn, bool read_template, char **out,
                        struct faas_error *err)
{
    _cleanup_template_ struct cli_template t = {0};

    *out = dup_or_null(fn->fprocess);
    if (*out || !read_template || !fn->lang || cli_is_dockerfile(fn->lang))
        return 0;
    if (cli_template_load(&t, fn->lang, err) < 0) {
        if (err->code != FAAS_ERR_NOT_FOUND)
            return -1;
        return faas_error_wrap(err,
                               "function %s: build it first, set its fprocess, or use "
                               "--read-template=false",
                               fn->name);
    }
    *out = dup_or_null(t.fprocess);
    return 0;
}

static int gather_environment(const struct cli_function *fn, const struct cli_deploy_options *o,
                              struct faas_map *out, struct faas_error *err)
{
    faas_map_copy(out, &fn->environment);
    for (size_t i = 0; i < fn->environment_file.len; i++)
        if (cli_environment_file_read(out, fn->environment_file.items[i], err) < 0)
            return faas_error_wrap(err, "function %s", fn->name);
    faas_map_merge(out, &o->environment);
    return 0;
}

static void copy_resources(struct faas_resources *into, const struct faas_map *from)
{
    faas_map_for_each (from, e) {
        if (strcmp(e->key, "memory") == 0)
            into->memory = dup_or_null(e->value);
        else if (strcmp(e->key, "cpu") == 0)
            into->cpu = dup_or_null(e->value);
        else
            faas_map_set(&into->devices, e->key, e->value);
    }
}

static void gather_secrets(struct faas_strv *out, const struct faas_strv *flags,
                           const struct faas_strv *stack)
{
    faas_strv_copy(out, flags);
    faas_strv_for_each(stack, name) if (!faas_strv_has(out, *name)) faas_strv_add(out, *name);
}

int cli_deployment_from_function(const struct cli_function *fn, const struct cli_deploy_options *o,
                                 struct faas_function_spec *out, struct faas_error *err)
{
    if (!fn->image)
        return faas_fail(err, FAAS_ERR_INVALID, "function %s has no image", fn->name);
    if (find_process(fn, o->read_template, &out->env_process, err) < 0 ||
        gather_environment(fn, o, &out->env, err) < 0)
        return -1;
    out->image = cli_image_name(fn->image, o->tag, fn->handler, err);
    if (!out->image)
        return faas_error_wrap(err, "function %s", fn->name);
    out->service = faas_strdup(fn->name);
    out->namespace_ = dup_or_null(o->namespace_ && *o->namespace_ ? o->namespace_ : fn->namespace_);
    faas_strv_copy(&out->constraints, fn->has_constraints ? &fn->constraints : &o->constraints);
    gather_secrets(&out->secrets, &o->secrets, &fn->secrets);
    faas_map_copy(&out->labels, &fn->labels);
    faas_map_merge(&out->labels, &o->labels);
    faas_map_copy(&out->annotations, &fn->annotations);
    faas_map_merge(&out->annotations, &o->annotations);
    copy_resources(&out->limits, &fn->limits);
    copy_resources(&out->requests, &fn->requests);
    out->read_only_root = fn->readonly_root_filesystem || o->readonly;
    return 0;
}

int cli_deployment_from_flags(const struct cli_deploy_options *o, struct faas_function_spec *out,
                              struct faas_error *err)
{
    if (!o->image || !*o->image)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "there is no function in a stack file, so give an --image and a --name");
    if (!o->name || !*o->name)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "there is no function in a stack file, so give a --name");
    out->service = faas_strdup(o->name);
    out->image = faas_strdup(o->image);
    out->namespace_ = dup_or_null(o->namespace_);
    out->env_process = dup_or_null(o->fprocess);
    faas_map_copy(&out->env, &o->environment);
    faas_strv_copy(&out->constraints, &o->constraints);
    faas_strv_copy(&out->secrets, &o->secrets);
    faas_map_copy(&out->labels, &o->labels);
    faas_map_copy(&out->annotations, &o->annotations);
    out->limits.memory = dup_or_null(o->resources.memory_limit);
    out->limits.cpu = dup_or_null(o->resources.cpu_limit);
    out->requests.memory = dup_or_null(o->resources.memory_request);
    out->requests.cpu = dup_or_null(o->resources.cpu_request);
    out->read_only_root = o->readonly;
    return 0;
}
