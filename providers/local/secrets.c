#include "providers/local/secrets.h"

#include "libfaas/alloc.h"
#include "providers/local/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static char *secret_path(const char *state_dir, const char *ns, const char *name)
{
    return faas_asprintf("%s/secrets/%s/%s", state_dir, ns, name);
}

static int add_name(void *arg, const char *name)
{
    /* Temporary files of a write that a crash cut short start with a dot; names cannot. */
    if (faas_validate_secret_name(faas_str_from(name), NULL) == 0)
        faas_strv_add(arg, name);
    return 0;
}

int local_secret_list(const char *state_dir, const char *ns, struct faas_strv *names,
                      struct faas_error *err)
{
    _cleanup_free_ char *dir = faas_asprintf("%s/secrets/%s", state_dir, ns);

    if (local_each_name(dir, add_name, names, err) < 0)
        return -1;
    faas_strv_sort(names);
    return 0;
}

struct namespaces {
    const char *state_dir;
    struct faas_strv *out;
};

static int add_namespace(void *arg, const char *ns)
{
    const struct namespaces *n = arg;
    _cleanup_strv_ struct faas_strv names = {0};

    if (faas_validate_name("namespace", faas_str_from(ns), NULL) == 0 &&
        !faas_strv_has(n->out, ns) && local_secret_list(n->state_dir, ns, &names, NULL) == 0 &&
        names.len > 0)
        faas_strv_add(n->out, ns);
    return 0;
}

int local_secret_namespaces(const char *state_dir, struct faas_strv *out, struct faas_error *err)
{
    _cleanup_free_ char *root = faas_asprintf("%s/secrets", state_dir);
    struct namespaces n = {.state_dir = state_dir, .out = out};

    return local_each_name(root, add_namespace, &n, err);
}

bool local_secret_exists(const char *state_dir, const char *ns, const char *name)
{
    _cleanup_free_ char *path = secret_path(state_dir, ns, name);

    return faas_file_exists(path);
}

int local_secret_save(const char *state_dir, const struct faas_secret *s, struct faas_error *err)
{
    _cleanup_free_ char *path = secret_path(state_dir, s->namespace_, s->name);
    _cleanup_free_ char *root = faas_asprintf("%s/secrets", state_dir);
    _cleanup_free_ char *dir = faas_asprintf("%s/%s", root, s->namespace_);

    if (s->value.len > LOCAL_SECRET_MAX)
        return faas_fail(err, FAAS_ERR_TOO_LARGE, "a secret holds at most %d bytes",
                         LOCAL_SECRET_MAX);
    if (local_mkdir(root, 0700, err) < 0 || local_mkdir(dir, 0700, err) < 0 ||
        faas_file_replace(path, faas_buf_str(&s->value), 0600, err) < 0)
        return local_disk_failed(err);
    return 0;
}

int local_secret_remove(const char *state_dir, const char *ns, const char *name,
                        struct faas_error *err)
{
    _cleanup_free_ char *path = secret_path(state_dir, ns, name);

    if (local_remove_file(path, err) < 0)
        return local_disk_failed(err);
    return 0;
}

static void wipe(struct faas_buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->cap);
    faas_buf_deinit(b);
}

/* Written beside dir and renamed into it, so that the function sees whole files only. Not synced:
 * copies are made anew at each start of the gateway. */
static int write_copy(const struct local_secret_target *to, const char *name,
                      const struct faas_buf *value, struct faas_error *err)
{
    _cleanup_free_ char *tmp = faas_asprintf("%s/.secret", to->root);
    _cleanup_free_ char *path = faas_asprintf("%s/%s", to->dir, name);
    _cleanup_close_ int fd = -1;

    (void)unlink(tmp);
    fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
    if (fd < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "make %s", tmp);
    if (faas_write_all(fd, value->data, value->len, err) < 0)
        goto fail;
    if (to->set_owner && (fchown(fd, 0, to->gid) < 0 || fchmod(fd, 0440) < 0)) {
        faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "give %s to its function", tmp);
        goto fail;
    }
    if (rename(tmp, path) < 0) {
        faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "rename to %s", path);
        goto fail;
    }
    return 0;

fail:
    (void)unlink(tmp);
    return -1;
}

static int copy_one(const char *state_dir, const char *ns, const char *name,
                    const struct local_secret_target *to, struct faas_error *err)
{
    _cleanup_free_ char *path = secret_path(state_dir, ns, name);
    _cleanup_(wipe) struct faas_buf value = {0};

    /* Room for all of it at once: growing would leave pieces of the value in freed memory. */
    (void)faas_buf_reserve(&value, LOCAL_SECRET_MAX + 1);
    if (faas_file_read(path, LOCAL_SECRET_MAX, &value, err) < 0)
        return faas_error_wrap(err, "secret \"%s\"", name);
    return write_copy(to, name, &value, err);
}

static int make_folder(const struct local_secret_target *to, struct faas_error *err)
{
    if (mkdir(to->dir, 0700) < 0 && errno != EEXIST)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "make folder %s", to->dir);
    if (to->set_owner && (chown(to->dir, 0, to->gid) < 0 || chmod(to->dir, 0750) < 0))
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "give %s to its function", to->dir);
    return 0;
}

int local_secret_copy(const char *state_dir, const char *ns, const struct faas_strv *names,
                      const struct local_secret_target *to, struct faas_error *err)
{
    if (make_folder(to, err) < 0)
        return local_disk_failed(err);
    faas_strv_for_each(names, name)
    {
        if (copy_one(state_dir, ns, *name, to, err) < 0)
            return local_disk_failed(err);
    }
    return 0;
}

struct prune {
    const struct local_secret_target *to;
    const struct faas_strv *keep;
};

static int prune_one(void *arg, const char *name)
{
    const struct prune *p = arg;
    _cleanup_free_ char *path = faas_asprintf("%s/%s", p->to->dir, name);

    if (!faas_strv_has(p->keep, name))
        (void)unlink(path);
    return 0;
}

void local_secret_prune(const struct local_secret_target *to, const struct faas_strv *names)
{
    struct prune p = {.to = to, .keep = names};

    (void)local_each_name(to->dir, prune_one, &p, NULL);
}
