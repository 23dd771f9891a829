#include "providers/local/state_dir.h"

#include "libfaas/alloc.h"
#include "libfaas/cleanup.h"
#include "providers/local/disk.h"
#include "providers/local/trash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

static int lock_failed(int fd, const char *path, struct faas_error *err)
{
    char pid[32] = "";
    ssize_t n;

    if (errno != EWOULDBLOCK)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "lock %s", path);
    n = pread(fd, pid, sizeof(pid) - 1, 0);
    if (n > 0)
        pid[strcspn(pid, "\n")] = '\0';
    return faas_fail(err, FAAS_ERR_UNAVAILABLE,
                     "%s is held by process %s: two gateways cannot share a state directory", path,
                     n > 0 ? pid : "(unknown)");
}

int local_state_dir_lock(const char *state_dir, struct faas_error *err)
{
    _cleanup_free_ char *path = faas_asprintf("%s/lock", state_dir);
    _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "open %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return lock_failed(fd, path, err);
    /* The pid is for people; a full disk is no reason not to start. */
    if (ftruncate(fd, 0) == 0)
        dprintf(fd, "%d\n", (int)getpid());
    return faas_steal_fd(&fd);
}

int local_state_dir_passable(const char *state_dir, struct faas_error *err)
{
    _cleanup_free_ char *path = faas_strdup(state_dir);
    struct stat st;
    char *slash;

    if (stat(path, &st) < 0 || chmod(path, (st.st_mode | 0011) & 07777) < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "set mode of %s", path);
    while ((slash = strrchr(path, '/')) && slash != path) {
        *slash = '\0';
        if (stat(path, &st) < 0)
            return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "look at %s", path);
        if (!(st.st_mode & S_IXOTH))
            return faas_fail(err, FAAS_ERR_INVALID,
                             "state directory %s: functions run as users of their own, which "
                             "cannot pass through %s (mode %03o); choose another directory or "
                             "chmod o+x it",
                             state_dir, path, st.st_mode & 0777);
    }
    return 0;
}

int local_state_dir_renew_run(const char *state_dir, struct faas_error *err)
{
    _cleanup_free_ char *run = faas_asprintf("%s/run", state_dir);
    _cleanup_free_ char *pids = faas_asprintf("%s/.pids", run);

    if (!local_trash_move(state_dir, run))
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "clear %s", run);
    if (local_mkdir(run, 0711, err) < 0 || local_mkdir(pids, 0700, err) < 0)
        return local_disk_failed(err);
    return 0;
}
