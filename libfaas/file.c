#include "libfaas/file.h"

#include "libfaas/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define READ_STEP ((size_t)64 << 10)

static enum faas_code code_of(int e)
{
    return e == ENOENT || e == ENOTDIR ? FAAS_ERR_NOT_FOUND : FAAS_ERR_INTERNAL;
}

bool faas_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

int faas_write_all(int fd, const void *p, size_t n, struct faas_error *err)
{
    const char *at = p;

    while (n > 0) {
        ssize_t done = write(fd, at, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "write");
        at += done;
        n -= (size_t)done;
    }
    return 0;
}

int faas_file_read(const char *path, size_t max, struct faas_buf *out, struct faas_error *err)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t before = out->len;

    if (fd < 0)
        return faas_fail_errno(err, code_of(errno), errno, "open %s", path);
    for (;;) {
        ssize_t n = read(fd, faas_buf_reserve(out, READ_STEP), READ_STEP);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            out->len = before;
            return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "read %s", path);
        }
        if (n == 0)
            break;
        out->len += (size_t)n;
        if (out->len - before > max) {
            out->len = before;
            return faas_fail(err, FAAS_ERR_TOO_LARGE, "read %s: more than %zu bytes", path, max);
        }
    }
    out->data[out->len] = '\0';
    return 0;
}

static int sync_folder(const char *dir, struct faas_error *err)
{
    _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return faas_fail_errno(err, code_of(errno), errno, "open %s", dir);
    /* EINVAL: a file system on which folders cannot be synced, nor need to be */
    if (fsync(fd) < 0 && errno != EINVAL)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "sync %s", dir);
    return 0;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return faas_strdup(".");
    return faas_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* A complete, synced file at temporary, an mkostemp template. Nothing is left when it fails. */
static int write_temporary(char *temporary, struct faas_str data, mode_t mode,
                           struct faas_error *err)
{
    _cleanup_close_ int fd = mkostemp(temporary, O_CLOEXEC);

    if (fd < 0)
        return faas_fail_errno(err, code_of(errno), errno, "create");
    if (faas_write_all(fd, data.ptr, data.len, err) < 0) {
        unlink(temporary);
        return -1;
    }
    /* fchmod, since the mode of a creation is subject to the umask */
    if (fchmod(fd, mode) < 0 || fsync(fd) < 0) {
        faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "sync");
        unlink(temporary);
        return -1;
    }
    return 0;
}

int faas_file_replace(const char *path, struct faas_str data, mode_t mode, struct faas_error *err)
{
    _cleanup_free_ char *dir = folder_of(path);
    _cleanup_free_ char *temporary = faas_asprintf("%s/.tmp-XXXXXX", dir);

    if (write_temporary(temporary, data, mode, err) < 0)
        return faas_error_wrap(err, "write %s", path);
    if (rename(temporary, path) < 0) {
        faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "write %s: rename", path);
        unlink(temporary);
        return -1;
    }
    return sync_folder(dir, err);
}

int faas_file_create(const char *path, struct faas_str data, mode_t mode, struct faas_error *err)
{
    _cleanup_free_ char *dir = folder_of(path);
    _cleanup_free_ char *temporary = faas_asprintf("%s/.tmp-XXXXXX", dir);
    int rc;

    if (write_temporary(temporary, data, mode, err) < 0)
        return faas_error_wrap(err, "write %s", path);
    rc = link(temporary, path); /* unlike rename, refuses to replace */
    if (rc < 0 && errno == EEXIST)
        faas_fail(err, FAAS_ERR_CONFLICT, "write %s: it exists already", path);
    else if (rc < 0)
        faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "write %s: link", path);
    unlink(temporary);
    return rc < 0 ? -1 : sync_folder(dir, err);
}

static int make_folder(const char *path, mode_t mode, struct faas_error *err)
{
    struct stat st;
    int e;

    if (mkdir(path, mode) == 0)
        return 0;
    e = errno;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;
    return faas_fail_errno(err, FAAS_ERR_INTERNAL, e, "make folder %s", path);
}

int faas_mkdirs(const char *path, mode_t mode, struct faas_error *err)
{
    _cleanup_free_ char *partial = faas_strdup(path);

    for (char *slash = strchr(partial + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (make_folder(partial, mode, err) < 0)
            return -1;
        *slash = '/';
    }
    return make_folder(path, mode, err);
}
