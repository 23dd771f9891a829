#include "providers/local/disk.h"

#include "libfaas/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int local_sync_dir(const char *path, struct faas_error *err)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "open %s", path);
    if (fsync(fd) < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "sync %s", path);
    return 0;
}

static int sync_parent(const char *path, struct faas_error *err)
{
    ptrdiff_t slash = faas_str_rfind(faas_str_from(path), '/');
    _cleanup_free_ char *parent = faas_strndup(path, slash > 0 ? (size_t)slash : 1);

    return local_sync_dir(parent, err);
}

int local_mkdir(const char *path, mode_t mode, struct faas_error *err)
{
    bool made = mkdir(path, mode) == 0;

    if (!made && errno != EEXIST)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "make folder %s", path);
    if (chmod(path, mode) < 0) /* whatever the umask */
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "set mode of %s", path);
    return made ? sync_parent(path, err) : 0;
}

int local_remove_file(const char *path, struct faas_error *err)
{
    if (unlink(path) < 0) {
        if (errno == ENOENT)
            return 0;
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "remove %s", path);
    }
    return sync_parent(path, err);
}

static void close_dir(DIR **d)
{
    if (*d)
        closedir(*d);
}

int local_each_name(const char *dir, int (*visit)(void *arg, const char *name), void *arg,
                    struct faas_error *err)
{
    _cleanup_(close_dir) DIR *d = opendir(dir);
    const struct dirent *e;

    if (!d) {
        if (errno == ENOENT)
            return 0;
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "open %s", dir);
    }
    while ((e = readdir(d))) {
        int rc;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        rc = visit(arg, e->d_name);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int local_disk_failed(struct faas_error *err)
{
    if (!err)
        return -1;
    switch (err->sys_errno) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EROFS:
    case EIO:
        err->code = FAAS_ERR_UNAVAILABLE;
        return faas_error_wrap(err, "state disk");
    default:
        return -1;
    }
}
