#include "watchdog/health.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int wd_health_start(struct wd_health *h, struct faas_error *err)
{
    int fd;

    if (!h->suppress_lock) {
        fd = open(h->lock_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0660);
        if (fd < 0)
            return faas_fail_errno(
                err, FAAS_ERR_UNAVAILABLE, errno,
                "cannot write lock-file %.120s (set suppress_lock=true to do without)",
                h->lock_path);
        close(fd);
    }
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
