#include "providers/local/store.h"

#include "libfaas/alloc.h"
#include "providers/local/disk.h"

#include <errno.h>

#define RECORD_SUFFIX ".json"
#define RECORD_MAX    (4 * 1024 * 1024)
#define BROKEN_MAX    100 /* versions of one broken record that are told apart */

static char *record_path(const char *state_dir, const char *name, const char *ns)
{
    return faas_asprintf("%s/functions/%s/%s" RECORD_SUFFIX, state_dir, ns, name);
}

int local_store_save(const char *state_dir, const struct local_record *r, struct faas_error *err)
{
    _cleanup_free_ char *path = record_path(state_dir, r->spec.service, r->spec.namespace_);
    _cleanup_free_ char *root = faas_asprintf("%s/functions", state_dir);
    _cleanup_free_ char *dir = faas_asprintf("%s/%s", root, r->spec.namespace_);
    _cleanup_buf_ struct faas_buf text = {0};

    local_record_write(&text, r);
    if (text.len > RECORD_MAX)
        return faas_fail(err, FAAS_ERR_TOO_LARGE, "its settings take more than %d bytes",
                         RECORD_MAX);
    if (local_mkdir(root, 0700, err) < 0 || local_mkdir(dir, 0700, err) < 0 ||
        faas_file_replace(path, faas_buf_str(&text), 0600, err) < 0)
        return local_disk_failed(err);
    return 0;
}

int local_store_remove(const char *state_dir, const char *name, const char *ns,
                       struct faas_error *err)
{
    _cleanup_free_ char *path = record_path(state_dir, name, ns);

    if (local_remove_file(path, err) < 0)
        return local_disk_failed(err);
    return 0;
}

struct load {
    const struct faas_log *log;
    void (*visit)(void *arg, struct local_record *r);
    void *arg;
    char *root; /* <state>/functions */
    const char *ns;
};

static void set_aside(const struct load *l, const char *path, const struct faas_error *why)
{
    for (int i = 0; i < BROKEN_MAX; i++) {
        _cleanup_free_ char *aside =
            i == 0 ? faas_asprintf("%s.broken", path) : faas_asprintf("%s.broken.%d", path, i);

        if (faas_file_exists(aside))
            continue;
        if (rename(path, aside) < 0)
            break;
        faas_log_error(l->log, "set an unreadable function record aside", FAAS_F_STR("file", aside),
                       FAAS_F_ERR(why));
        return;
    }
    faas_log_error(l->log, "skipped an unreadable function record", FAAS_F_STR("file", path),
                   FAAS_F_ERR(why));
}

/* The file's place says which function it is; content that disagrees was copied there by hand. */
static int check_place(const struct load *l, const char *file, const struct local_record *r,
                       struct faas_error *err)
{
    size_t n = strlen(r->spec.service);

    if (strcmp(r->spec.namespace_, l->ns) != 0 || strncmp(file, r->spec.service, n) != 0 ||
        strcmp(file + n, RECORD_SUFFIX) != 0)
        return faas_fail(err, FAAS_ERR_INVALID, "it describes function \"%s\" of namespace \"%s\"",
                         r->spec.service, r->spec.namespace_);
    return 0;
}

static int load_record(void *arg, const char *file)
{
    const struct load *l = arg;
    _cleanup_free_ char *path = faas_asprintf("%s/%s/%s", l->root, l->ns, file);
    _cleanup_(local_record_deinit) struct local_record r = {0};
    _cleanup_buf_ struct faas_buf text = {0};
    struct faas_error err = {0};

    if (!faas_str_ends(faas_str_from(file), FAAS_STR(RECORD_SUFFIX)))
        return 0;
    if (faas_file_read(path, RECORD_MAX, &text, &err) < 0 ||
        local_record_parse(faas_buf_str(&text), &r, &err) < 0 || check_place(l, file, &r, &err) < 0)
        set_aside(l, path, &err);
    else
        l->visit(l->arg, &r);
    return 0;
}

static int load_namespace(void *arg, const char *ns)
{
    struct load *l = arg;
    _cleanup_free_ char *dir = faas_asprintf("%s/%s", l->root, ns);
    struct faas_error err = {0};

    l->ns = ns;
    if (local_each_name(dir, load_record, l, &err) < 0)
        faas_log_error(l->log, "skipped a folder of function records", FAAS_F_STR("folder", dir),
                       FAAS_F_ERR(&err));
    return 0;
}

int local_store_load(const char *state_dir, const struct faas_log *log,
                     void (*visit)(void *arg, struct local_record *r), void *arg,
                     struct faas_error *err)
{
    _cleanup_free_ char *root = faas_asprintf("%s/functions", state_dir);
    struct load l = {.log = log, .visit = visit, .arg = arg, .root = root};

    return local_each_name(root, load_namespace, &l, err);
}
