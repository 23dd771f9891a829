/* Whole trees: remove and copy. Both work on descriptors, so that a path component that is swapped
 * for a symlink while they run leads nowhere. */
#include "libfaas/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* Descriptors that one removal may hold open; deeper folders are moved up first. */
#define MAX_OPEN_DEPTH 32
/* Symlinks are followed, so only a bound ends a circle. */
#define MAX_COPY_DEPTH 64
/* A folder into which somebody keeps writing is not emptied for ever. */
#define MAX_PASSES 1000

static void close_dirp(DIR **d)
{
    if (*d)
        closedir(*d);
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Opens folder name in parent for listing. Its owner may have taken the rights away. */
static DIR *open_folder(int parent, const char *name)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(parent, name, flags);
    struct stat st;
    DIR *d;

    if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
        fd = openat(parent, name, flags);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
        (void)!fchmod(fd, st.st_mode | 0700);
    d = fdopendir(fd);
    if (!d)
        close(fd);
    return d;
}

static int empty_folder(DIR *d, int top, int depth, bool *again, struct faas_error *err);

/* Moves a folder that lies too deep into the top one, whose next pass removes it. */
static int move_up(int parent, const char *name, int top, struct faas_error *err)
{
    char moved[32];

    for (unsigned i = 0; i < 100000; i++) {
        snprintf(moved, sizeof(moved), ".removed-%u", i);
        if (renameat2(parent, name, top, moved, RENAME_NOREPLACE) == 0)
            return 0;
        if (errno != EEXIST)
            break;
    }
    return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "move %s", name);
}

static int remove_entry(int parent, const char *name, int top, int depth, bool *again,
                        struct faas_error *err)
{
    _cleanup_(close_dirp) DIR *d = NULL;
    int e;

    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    e = errno;
    if (e != EISDIR && e != EPERM) /* Linux's and POSIX's answers for a folder */
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, e, "remove %s", name);
    if (depth >= MAX_OPEN_DEPTH) {
        *again = true;
        return move_up(parent, name, top, err);
    }
    d = open_folder(parent, name);
    if (!d)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno == ENOTDIR ? e : errno, "remove %s",
                               name);
    if (empty_folder(d, depth == 0 ? dirfd(d) : top, depth + 1, again, err) < 0)
        return faas_error_wrap(err, "%s", name);
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    if (errno != ENOTEMPTY && errno != EEXIST)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "remove %s", name);
    *again = true;
    return 0;
}

static int empty_folder(DIR *d, int top, int depth, bool *again, struct faas_error *err)
{
    struct dirent *e;

    while ((e = readdir(d))) {
        if (!is_dot(e->d_name) && remove_entry(dirfd(d), e->d_name, top, depth, again, err) < 0)
            return -1;
    }
    return 0;
}

int faas_remove_tree(const char *path, struct faas_error *err)
{
    for (int pass = 0; pass < MAX_PASSES; pass++) {
        bool again = false;

        if (remove_entry(AT_FDCWD, path, -1, 0, &again, err) < 0)
            return -1;
        if (!again)
            return 0;
    }
    return faas_fail(err, FAAS_ERR_CONFLICT, "remove %s: something keeps writing into it", path);
}

struct copy {
    dev_t dev; /* the target, which is not to be copied into itself */
    ino_t ino;
    bool too_deep; /* names on the way say nothing then, and would push out what does */
};

static int copy_bytes(int from, int to, struct faas_error *err)
{
    char piece[65536];

    for (;;) {
        ssize_t n = read(from, piece, sizeof(piece));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "read");
        if (n == 0)
            return 0;
        if (faas_write_all(to, piece, (size_t)n, err) < 0)
            return -1;
    }
}

static int copy_file(int from, int to_dir, const char *name, mode_t mode, struct faas_error *err)
{
    _cleanup_close_ int to = -1;

    /* A new file, never through an old one: that may be a symlink, read-only, or running. */
    if (unlinkat(to_dir, name, 0) < 0 && errno != ENOENT)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "replace");
    to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "create");
    if (copy_bytes(from, to, err) < 0)
        return -1;
    if (fchmod(to, mode) < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "set mode");
    return 0;
}

static int copy_entry(struct copy *c, int from_dir, int to_dir, const char *name,
                      const char *to_name, int depth, struct faas_error *err);

static int copy_folder(struct copy *c, int from, int to_dir, const char *name, mode_t mode,
                       int depth, struct faas_error *err)
{
    _cleanup_close_ int to = -1;
    _cleanup_(close_dirp) DIR *d = NULL;
    int listing = dup(from);
    struct dirent *e;

    d = listing < 0 ? NULL : fdopendir(listing);
    if (!d) {
        if (listing >= 0)
            close(listing);
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "list");
    }
    if (mkdirat(to_dir, name, 0700) < 0 && errno != EEXIST)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "make folder");
    to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (to < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "open folder");
    while ((e = readdir(d))) {
        if (!is_dot(e->d_name) && copy_entry(c, from, to, e->d_name, e->d_name, depth + 1, err) < 0)
            return -1;
    }
    if (fchmod(to, mode) < 0) /* last: it may forbid writing */
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "set mode");
    return 0;
}

static int copy_entry(struct copy *c, int from_dir, int to_dir, const char *name,
                      const char *to_name, int depth, struct faas_error *err)
{
    /* O_NONBLOCK: opening a named pipe must not wait for its writer */
    _cleanup_close_ int from = openat(from_dir, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    int rc;

    if (from < 0 || fstat(from, &st) < 0)
        return faas_fail_errno(err, errno == ENOENT ? FAAS_ERR_NOT_FOUND : FAAS_ERR_INTERNAL, errno,
                               "copy %s", name);
    if (depth > 0 && st.st_dev == c->dev && st.st_ino == c->ino)
        return 0;
    if (depth > MAX_COPY_DEPTH) {
        c->too_deep = true;
        return faas_fail(err, FAAS_ERR_INVALID, "nested too deeply (a symlink in a circle?)");
    }
    if (S_ISDIR(st.st_mode))
        rc = copy_folder(c, from, to_dir, to_name, st.st_mode & 0777, depth, err);
    else if (S_ISREG(st.st_mode))
        rc = copy_file(from, to_dir, to_name, st.st_mode & 0777, err);
    else
        rc = faas_fail(err, FAAS_ERR_INVALID, "is neither a file nor a folder");
    if (rc < 0 && depth > 1 && c->too_deep)
        return -1;
    return rc < 0 ? faas_error_wrap(err, "%s", name) : 0;
}

int faas_copy_tree(const char *from, const char *to, struct faas_error *err)
{
    struct copy c = {0};
    struct stat st;

    if (stat(from, &st) < 0)
        return faas_fail_errno(err, errno == ENOENT ? FAAS_ERR_NOT_FOUND : FAAS_ERR_INTERNAL, errno,
                               "copy %s", from);
    if (S_ISDIR(st.st_mode)) {
        if (mkdir(to, 0700) < 0 && errno != EEXIST)
            return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "make folder %s", to);
        if (stat(to, &st) < 0)
            return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "make folder %s", to);
        c = (struct copy){.dev = st.st_dev, .ino = st.st_ino};
    }
    return copy_entry(&c, AT_FDCWD, AT_FDCWD, from, to, 0, err);
}
