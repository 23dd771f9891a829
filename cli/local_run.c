#include "cli/local_run.h"

#include "cli/bundle.h"
#include "cli/out.h"
#include "libfaas/alloc.h"
#include "libfaas/file.h"

#include <limits.h>

enum { MAX_MANIFEST = 1 << 20, LEAST_MEMORY = 6 * 1024 * 1024 };

int cli_local_run_environment(const struct cli_function *fn, const struct faas_map *extra,
                              struct faas_map *out, struct faas_error *err)
{
    faas_map_copy(out, &fn->environment);
    faas_strv_for_each(&fn->environment_file, file)
    {
        if (cli_environment_file_read(out, *file, err) < 0)
            return -1;
    }
    faas_map_set(out, "OPENFAAS_NAME", fn->name);
    faas_map_set(out, "OPENFAAS_NAMESPACE",
                 fn->namespace_ ? fn->namespace_ : FAAS_DEFAULT_NAMESPACE);
    faas_map_set(out, "jwt_auth_local", "true");
    faas_map_merge(out, extra);
    return 0;
}

int cli_local_run_pairs(const struct faas_strv *items, struct faas_map *out, struct faas_error *err)
{
    faas_strv_for_each(items, item)
    {
        struct faas_str rest = faas_str_from(*item);

        while (rest.ptr) {
            _cleanup_free_ char *pair = faas_str_dup(faas_str_split(&rest, ','));
            const char *eq = strchr(pair, '=');

            if (!eq || eq == pair)
                return faas_fail(err, FAAS_ERR_INVALID, "flag --env: \"%s\": must be KEY=VALUE",
                                 pair);
            faas_map_set_str(out, (struct faas_str){.ptr = pair, .len = (size_t)(eq - pair)},
                             faas_str_from(eq + 1));
        }
    }
    return 0;
}

static int read_limit(const struct cli_function *fn, const char *key, int64_t *milli,
                      struct faas_error *err)
{
    const char *text = faas_map_get(&fn->limits, key);
    struct faas_error why = {0};

    *milli = 0;
    if (!text || !*text || faas_parse_quantity(faas_str_from(text), milli, &why) == 0)
        return 0;
    return faas_fail(err, FAAS_ERR_INVALID, "function %s: limits.%s \"%s\": %s", fn->name, key,
                     text, why.msg);
}

static int add_memory(struct faas_strv *out, const struct cli_function *fn, struct faas_error *err)
{
    int64_t milli, bytes;

    if (read_limit(fn, "memory", &milli, err) < 0)
        return -1;
    if (milli == 0)
        return 0;
    if (milli % 1000 != 0)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "function %s: limits.memory \"%s\": must be whole bytes", fn->name,
                         faas_map_get(&fn->limits, "memory"));
    bytes = milli / 1000;
    if (bytes < LEAST_MEMORY) {
        cli_note("Function %s: limits.memory of %lld bytes is raised to %d, the least that engines "
                 "take.\n",
                 fn->name, (long long)bytes, LEAST_MEMORY);
        bytes = LEAST_MEMORY;
    }
    faas_strv_addf(out, "--memory-reservation=%lld", (long long)bytes);
    return 0;
}

static int add_cpus(struct faas_strv *out, const struct cli_function *fn, struct faas_error *err)
{
    _cleanup_free_ char *cpus = NULL;
    int64_t milli;
    size_t len;

    if (read_limit(fn, "cpu", &milli, err) < 0)
        return -1;
    if (milli == 0)
        return 0;
    cpus = faas_asprintf("%lld.%03d", (long long)(milli / 1000), (int)(milli % 1000));
    len = strlen(cpus);
    while (cpus[len - 1] == '0')
        cpus[--len] = '\0';
    if (cpus[len - 1] == '.')
        cpus[--len] = '\0';
    faas_strv_addf(out, "--cpus=%s", cpus);
    return 0;
}

static int add_secrets(struct faas_strv *out, const struct cli_function *fn, struct faas_error *err)
{
    char here[PATH_MAX];

    if (fn->secrets.len == 0)
        return 0;
    if (!realpath(".", here))
        return faas_fail(err, FAAS_ERR_INTERNAL, "cannot find out the working directory");
    faas_strv_addf(out, "--volume=%s/.secrets:/var/openfaas/secrets", here);
    return 0;
}

int cli_local_run_argv(const struct cli_local_run *r, struct faas_strv *out, struct faas_error *err)
{
    faas_strv_add(out, r->builder->program);
    faas_strv_add(out, "run");
    faas_strv_add(out, "--name");
    faas_strv_add(out, r->fn->name);
    faas_strv_add(out, "--rm");
    faas_strv_add(out, "-i");
    faas_strv_addf(out, "-p=%u:8080", r->port);
    if (r->network && *r->network)
        faas_strv_addf(out, "--network=%s", r->network);
    faas_map_for_each (&r->environment, e) {
        faas_strv_addf(out, "-e=%s=%s", e->key, e->value);
    }
    if (r->fn->readonly_root_filesystem)
        faas_strv_add(out, "--read-only");
    if (add_memory(out, r->fn, err) < 0 || add_cpus(out, r->fn, err) < 0 ||
        add_secrets(out, r->fn, err) < 0)
        return -1;
    if (r->fprocess)
        faas_strv_addf(out, "-e=fprocess=%s", r->fprocess);
    faas_strv_add(out, r->image);
    return 0;
}

int cli_bundle_read(const char *dir, char **fprocess, struct faas_map *environment,
                    struct faas_error *err)
{
    _cleanup_free_ char *file = faas_asprintf("%s/" CLI_BUNDLE_MANIFEST, dir);
    _cleanup_buf_ struct faas_buf text = {0};
    _cleanup_map_ struct faas_map own = {0};
    _cleanup_json_ json_t *manifest = NULL;

    if (faas_file_read(file, MAX_MANIFEST, &text, err) < 0)
        return -1;
    manifest = faas_json_parse(faas_buf_str(&text), err);
    if (!manifest || faas_json_get_string(manifest, "fprocess", fprocess, err) < 0 ||
        faas_json_get_map(manifest, "environment", &own, err) < 0)
        return faas_error_wrap(err, "%s", file);
    faas_map_for_each (&own, e) {
        if (!faas_map_get(environment, e->key))
            faas_map_set(environment, e->key, e->value);
    }
    return 0;
}
