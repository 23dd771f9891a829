#include "providers/local/namespaces.h"

#include "libfaas/alloc.h"
#include "providers/local/disk.h"

#include <stdlib.h>

enum { MAX_FILE = 1 << 20 };

static char *path_of(const char *state_dir, const char *name)
{
    return faas_asprintf("%s/namespaces/%s.json", state_dir, name);
}

int local_namespace_save(const char *state_dir, const struct faas_namespace *n,
                         struct faas_error *err)
{
    _cleanup_free_ char *dir = faas_asprintf("%s/namespaces", state_dir);
    _cleanup_free_ char *path = path_of(state_dir, n->name);
    _cleanup_json_ json_t *j = faas_namespace_to_json(n);
    _cleanup_buf_ struct faas_buf text = {0};

    faas_json_write(&text, j, 2);
    faas_buf_append_c(&text, '\n');
    if (local_mkdir(dir, 0700, err) < 0 ||
        faas_file_replace(path, faas_buf_str(&text), 0600, err) < 0)
        return local_disk_failed(err);
    return 0;
}

int local_namespace_load(const char *state_dir, const char *name, struct faas_namespace *out,
                         struct faas_error *err)
{
    _cleanup_free_ char *path = path_of(state_dir, name);
    _cleanup_buf_ struct faas_buf text = {0};
    _cleanup_json_ json_t *j = NULL;

    if (faas_file_read(path, MAX_FILE, &text, err) < 0)
        return -1;
    j = faas_json_parse(faas_buf_str(&text), err);
    if (!j || faas_namespace_from_json(out, j, err) < 0) {
        err->code = FAAS_ERR_INTERNAL; /* nobody's request is to blame */
        return faas_error_wrap(err, "%s", path);
    }
    return 0;
}

int local_namespace_forget(const char *state_dir, const char *name, struct faas_error *err)
{
    _cleanup_free_ char *path = path_of(state_dir, name);

    return local_remove_file(path, err) < 0 ? local_disk_failed(err) : 0;
}

static int add(void *arg, const char *file)
{
    struct faas_str name = faas_str_from(file);
    _cleanup_free_ char *copy = NULL;

    if (!faas_str_ends(name, FAAS_STR(".json")))
        return 0;
    name.len -= strlen(".json");
    copy = faas_str_dup(name);
    if (faas_validate_name("namespace", name, NULL) == 0 && !faas_strv_has(arg, copy))
        faas_strv_add(arg, copy);
    return 0;
}

int local_namespaces_made(const char *state_dir, struct faas_strv *names, struct faas_error *err)
{
    _cleanup_free_ char *dir = faas_asprintf("%s/namespaces", state_dir);

    return local_each_name(dir, add, names, err);
}
