#include "libfaas/tar.h"

#include "libfaas/alloc.h"
#include "libfaas/archive_lazy.h"
#include "libfaas/map.h"
#include "libfaas/tar_locale.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

/* One descriptor is open for each level. */
#define MAX_DEPTH 128

static void close_dirp(DIR **d)
{
    if (*d)
        closedir(*d);
}

static void free_archive(struct archive **a)
{
    if (*a)
        archive_write_free(*a);
}

static void free_entry(struct archive_entry **e)
{
    archive_entry_free(*e);
}

static int write_failed(struct archive *a, struct faas_error *err)
{
    const char *why = archive_error_string(a);

    faas_fail(err, FAAS_ERR_INTERNAL, "write archive: %s", why ? why : "unknown reason");
    if (err)
        err->sys_errno = archive_errno(a);
    return -1;
}

static int write_header(struct archive *a, const char *path, const struct stat *st,
                        const char *target, struct faas_error *err)
{
    _cleanup_(free_entry) struct archive_entry *e = archive_entry_new();
    bool executable = S_ISDIR(st->st_mode) || (st->st_mode & 0111);

    archive_entry_set_pathname(e, path);
    archive_entry_set_filetype(e, st->st_mode & S_IFMT);
    archive_entry_set_perm(e, S_ISLNK(st->st_mode) ? 0777 : executable ? 0755 : 0644);
    archive_entry_set_size(e, S_ISREG(st->st_mode) ? st->st_size : 0);
    archive_entry_set_mtime(e, 0, 0);
    if (target)
        archive_entry_set_symlink(e, target);
    /* a warning: the name is not UTF-8 and was stored as it is */
    return archive_write_header(a, e) < ARCHIVE_WARN ? write_failed(a, err) : 0;
}

static int write_content(struct archive *a, int fd, off_t size, struct faas_error *err)
{
    char piece[65536];
    off_t left = size;

    while (left > 0) {
        ssize_t n = read(fd, piece, (size_t)FAAS_MIN(left, (off_t)sizeof(piece)));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "read");
        if (n == 0)
            return faas_fail(err, FAAS_ERR_CONFLICT, "shrank while it was read");
        if (archive_write_data(a, piece, (size_t)n) != n)
            return write_failed(a, err);
        left -= n;
    }
    return 0;
}

static int write_symlink(struct archive *a, int dir, const char *name, const char *path,
                         const struct stat *st, struct faas_error *err)
{
    char target[PATH_MAX];
    ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

    if (n < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "read link");
    target[n] = '\0';
    return write_header(a, path, st, target, err);
}

static int write_file(struct archive *a, int dir, const char *name, const char *path,
                      struct faas_error *err)
{
    _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "open");
    if (!S_ISREG(st.st_mode))
        return faas_fail(err, FAAS_ERR_CONFLICT, "changed while it was read");
    if (write_header(a, path, &st, NULL, err) < 0)
        return -1;
    return write_content(a, fd, st.st_size, err);
}

static int list(DIR *d, struct faas_strv *names, struct faas_error *err)
{
    struct dirent *e;

    errno = 0;
    while ((e = readdir(d))) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            faas_strv_add(names, e->d_name);
        errno = 0;
    }
    if (errno)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "list");
    faas_strv_sort(names);
    return 0;
}

static int write_entry(struct archive *a, int dir, const char *name, const char *path, int depth,
                       struct faas_error *err);

/* What is in the folder; path is its own, "" at the top. */
static int write_folder(struct archive *a, int parent, const char *name, const char *path,
                        int depth, struct faas_error *err)
{
    _cleanup_close_ int fd =
        openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (depth ? O_NOFOLLOW : 0));
    _cleanup_(close_dirp) DIR *d = NULL;
    _cleanup_strv_ struct faas_strv names = {0};

    if (depth > MAX_DEPTH)
        return faas_fail(err, FAAS_ERR_INVALID, "nested more than %d deep", MAX_DEPTH);
    d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return faas_fail_errno(err, errno == ENOENT ? FAAS_ERR_NOT_FOUND : FAAS_ERR_INTERNAL, errno,
                               "open");
    fd = -1; /* d has it */
    if (list(d, &names, err) < 0)
        return -1;
    faas_strv_for_each(&names, item)
    {
        _cleanup_free_ char *child = faas_asprintf("%s%s%s", path, *path ? "/" : "", *item);
        struct faas_error why = {0};

        if (write_entry(a, dirfd(d), *item, child, depth + 1, &why) == 0)
            continue;
        if (err)
            *err = why;
        return -1;
    }
    return 0;
}

static int write_entry(struct archive *a, int dir, const char *name, const char *path, int depth,
                       struct faas_error *err)
{
    struct stat st;
    int rc;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "%s", path);
    if (S_ISDIR(st.st_mode)) {
        if (write_header(a, path, &st, NULL, err) < 0)
            return -1;
        return write_folder(a, dir, name, path, depth, err);
    }
    if (S_ISLNK(st.st_mode))
        rc = write_symlink(a, dir, name, path, &st, err);
    else if (S_ISREG(st.st_mode))
        rc = write_file(a, dir, name, path, err);
    else
        rc = faas_fail(err, FAAS_ERR_INVALID, "is neither a file, a folder nor a symlink");
    return rc < 0 ? faas_error_wrap(err, "%s", path) : 0;
}

int faas_tar_create(const char *dir, int fd, struct faas_error *err)
{
    _cleanup_tar_locale_ struct faas_tar_locale locale FAAS_UNUSED = faas_tar_locale_enter();
    _cleanup_(free_archive) struct archive *a = NULL;

    if (faas_archive_load(err) < 0)
        return -1;
    a = archive_write_new();
    /* "Restricted" adds extended headers only for what a plain one cannot hold. */
    if (!a || archive_write_set_format_pax_restricted(a) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK ||
        archive_write_open_fd(a, fd) != ARCHIVE_OK)
        return faas_fail(err, FAAS_ERR_INTERNAL, "cannot set up the archive writer");
    if (write_folder(a, AT_FDCWD, dir, "", 0, err) < 0)
        return faas_error_wrap(err, "pack %s", dir);
    return archive_write_close(a) == ARCHIVE_OK ? 0 : write_failed(a, err);
}
