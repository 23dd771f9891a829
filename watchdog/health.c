#include "watchdog/health.h"

#include "libfaas/alloc.h"
#include "libfaas/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int make_folder_of(const char *path, struct faas_error *err)
{
    _cleanup_free_ char *folder = faas_strdup(path);
    char *slash = strrchr(folder, '/');

    if (!slash || slash == folder)
        return 0;
    *slash = '\0';
    return faas_mkdirs(folder, 0777, err);
}

static int write_lock(const struct wd_health *h, struct faas_error *err)
{
    _cleanup_close_ int fd = -1;

    if (h->make_folder && make_folder_of(h->lock_path, err) < 0)
        return -1;
    fd = open(h->lock_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0660);
    return fd < 0 ? faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, errno, "open") : 0;
}

int wd_health_start(struct wd_health *h, struct faas_error *err)
{
    if (!h->suppress_lock && write_lock(h, err) < 0)
        return faas_error_wrap(
            err, "cannot write lock-file %.120s (set suppress_lock=true to do without)",
            h->lock_path);
    h->accepting = true;
    return 0;
}

void wd_health_stop(struct wd_health *h)
{
    h->accepting = false;
    if (!h->suppress_lock)
        unlink(h->lock_path);
}

bool wd_health_ok(const struct wd_health *h)
{
    return h->accepting && (h->suppress_lock || access(h->lock_path, F_OK) == 0);
}
