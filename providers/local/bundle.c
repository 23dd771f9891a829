#include "providers/local/bundle.h"

#include "libfaas/alloc.h"
#include "libfaas/file.h"

#define BUNDLE_VERSION 1
#define MANIFEST_MAX   (64 * 1024)

void local_bundle_deinit(struct local_bundle *b)
{
    free(b->fprocess);
    faas_map_deinit(&b->env);
    *b = (struct local_bundle){0};
}

static int check_environment(const struct faas_map *env, struct faas_error *err)
{
    faas_map_for_each (env, e) {
        if (!*e->key || strchr(e->key, '='))
            return faas_fail(err, FAAS_ERR_INVALID, "environment: \"%s\" cannot be a name", e->key);
    }
    return 0;
}

static int parse(const json_t *j, struct local_bundle *b, struct faas_error *err)
{
    uint64_t version = 0;

    if (!json_is_object(j))
        return faas_fail(err, FAAS_ERR_INVALID, "it is not a JSON object");
    if (faas_json_get_u64(j, "version", &version, err) < 0 ||
        faas_json_get_string(j, "fprocess", &b->fprocess, err) < 0 ||
        faas_json_get_map(j, "environment", &b->env, err) < 0)
        return -1;
    if (version != BUNDLE_VERSION)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "version is %llu, and this gateway knows only version %d",
                         (unsigned long long)version, BUNDLE_VERSION);
    if (!b->fprocess || faas_str_trim(faas_str_from(b->fprocess)).len == 0)
        return faas_fail(err, FAAS_ERR_INVALID, "fprocess is missing: it is the command to run");
    return check_environment(&b->env, err);
}

int local_bundle_parse(struct faas_str text, struct local_bundle *b, struct faas_error *err)
{
    _cleanup_json_ json_t *j = faas_json_parse(text, err);

    if (!j)
        return -1;
    if (parse(j, b, err) < 0) {
        local_bundle_deinit(b);
        return -1;
    }
    return 0;
}

int local_bundle_load(const char *dir, struct local_bundle *b, struct faas_error *err)
{
    _cleanup_free_ char *path = faas_asprintf("%s/%s", dir, LOCAL_BUNDLE_MANIFEST);
    _cleanup_buf_ struct faas_buf text = {0};
    struct faas_error why = {0};

    if (faas_file_read(path, MANIFEST_MAX, &text, &why) < 0) {
        if (why.code == FAAS_ERR_NOT_FOUND)
            return faas_fail(err, FAAS_ERR_INVALID, "the bundle has no %s", LOCAL_BUNDLE_MANIFEST);
        return faas_fail(err, FAAS_ERR_INVALID, "%s: %s", LOCAL_BUNDLE_MANIFEST, why.msg);
    }
    if (local_bundle_parse(faas_buf_str(&text), b, err) < 0)
        return faas_error_wrap(err, "%s", LOCAL_BUNDLE_MANIFEST);
    return 0;
}
