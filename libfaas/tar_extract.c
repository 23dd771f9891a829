/* libarchive reads; the files are made here. Its own disk writer changes the umask and may change
 * the working folder, which are the whole process's, and takes paths where a descriptor and
 * O_NOFOLLOW for every step leave nothing to race against. */
#include "libfaas/tar.h"

#include "libfaas/archive_lazy.h"
#include "libfaas/buf.h"
#include "libfaas/tar_locale.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define READ_BLOCK 65536

struct extraction {
    struct archive *archive;
    int root; /* folder into which everything goes */
    const char *prefix;
    const struct faas_tar_limits *limits;
    uint64_t bytes;
    uint64_t entries;
    bool any;
};

static void free_archive(struct archive **a)
{
    if (*a)
        archive_read_free(*a);
}

static int from_errno(struct faas_error *err, const char *what)
{
    bool theirs = errno == ENAMETOOLONG || errno == EILSEQ;

    return faas_fail_errno(err, theirs ? FAAS_ERR_INVALID : FAAS_ERR_INTERNAL, errno, "%s", what);
}

static int unreadable(struct archive *a, struct faas_error *err)
{
    const char *why = archive_error_string(a);

    return faas_fail(err, FAAS_ERR_INVALID, "not a readable tar archive: %.160s",
                     why ? why : "unknown reason");
}

static int count_entry(struct extraction *x, struct faas_error *err)
{
    if (++x->entries <= x->limits->max_entries)
        return 0;
    return faas_fail(err, FAAS_ERR_TOO_LARGE, "archive has more than %llu entries",
                     (unsigned long long)x->limits->max_entries);
}

/* Whether a file may have so many bytes, given all that was unpacked before it. */
static int check_size(const struct extraction *x, uint64_t size, struct faas_error *err)
{
    if (size <= x->limits->max_bytes && x->bytes <= x->limits->max_bytes - size)
        return 0;
    return faas_fail(err, FAAS_ERR_TOO_LARGE, "archive unpacks to more than %llu bytes",
                     (unsigned long long)x->limits->max_bytes);
}

/* "./a//b/" becomes "a/b"; the top folder becomes "". */
static int normalise(const char *path, struct faas_buf *out, struct faas_error *err)
{
    struct faas_str rest = faas_str_from(path);

    if (path[0] == '/')
        return faas_fail(err, FAAS_ERR_INVALID, "the path is absolute");
    while (rest.ptr) {
        struct faas_str name = faas_str_split(&rest, '/');

        if (name.len == 0 || faas_str_eqz(name, "."))
            continue;
        if (faas_str_eqz(name, ".."))
            return faas_fail(err, FAAS_ERR_INVALID, "the path has \"..\" in it");
        if (out->len)
            faas_buf_append_c(out, '/');
        faas_buf_append_str(out, name);
    }
    return 0;
}

/* The part of path behind prefix; false when it does not lie below it. */
static bool below(const char *prefix, struct faas_str path, struct faas_str *rest)
{
    struct faas_str p = faas_str_from(prefix);

    while (p.len > 0 && p.ptr[p.len - 1] == '/')
        p.len--;
    *rest = path;
    if (p.len == 0)
        return path.len > 0;
    if (!faas_str_starts(path, p) || path.len <= p.len + 1 || path.ptr[p.len] != '/')
        return false;
    *rest = (struct faas_str){.ptr = path.ptr + p.len + 1, .len = path.len - p.len - 1};
    return true;
}

/* Opens folder name in parent, made when it is absent; a symlink to a folder is none. */
static int enter_folder(int parent, const char *name, bool *made, struct faas_error *err)
{
    int fd;

    *made = mkdirat(parent, name, 0700) == 0;
    if (!*made && errno != EEXIST)
        return from_errno(err, "make folder");
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
        return faas_fail(err, FAAS_ERR_INVALID, "\"%.64s\" on the way is not a folder", name);
    if (fd < 0)
        return from_errno(err, "open folder");
    if (*made && fchmod(fd, 0755) < 0) { /* whatever the umask */
        from_errno(err, "set mode");
        close(fd);
        return -1;
    }
    return fd;
}

/* Where an entry goes: its folder, and its name in there. */
struct place {
    int folder;
    size_t depth; /* folders between the root and it */
    char name[256];
};

static void leave(struct place *p)
{
    faas_closep(&p->folder);
}
#define _cleanup_place_ _cleanup_(leave)
#define NOWHERE         ((struct place){.folder = -1})

static int set_name(struct place *p, struct faas_str name, struct faas_error *err)
{
    if (name.len >= sizeof(p->name))
        return faas_fail(err, FAAS_ERR_INVALID, "a name is longer than %zu bytes",
                         sizeof(p->name) - 1);
    memcpy(p->name, name.ptr, name.len);
    p->name[name.len] = '\0';
    return 0;
}

static int find_place(struct extraction *x, struct faas_str path, struct place *p,
                      struct faas_error *err)
{
    p->folder = fcntl(x->root, F_DUPFD_CLOEXEC, 0);
    if (p->folder < 0)
        return from_errno(err, "open folder");
    for (;;) {
        bool made;
        int next;

        if (set_name(p, faas_str_split(&path, '/'), err) < 0)
            return -1;
        if (!path.ptr)
            return 0;
        next = enter_folder(p->folder, p->name, &made, err);
        if (next < 0)
            return -1;
        close(p->folder);
        p->folder = next;
        p->depth++;
        if (made && count_entry(x, err) < 0)
            return -1;
    }
}

/* What was there under that name is replaced, never written through. */
static int make_way(const struct place *p, struct faas_error *err)
{
    if (unlinkat(p->folder, p->name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno == EISDIR || errno == EPERM)
        return faas_fail(err, FAAS_ERR_INVALID, "would replace a folder");
    return from_errno(err, "replace");
}

static int write_at(int fd, const char *p, size_t n, int64_t offset, struct faas_error *err)
{
    while (n > 0) {
        ssize_t done = pwrite(fd, p, n, offset);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return from_errno(err, "write");
        p += done;
        offset += done;
        n -= (size_t)done;
    }
    return 0;
}

static int write_content(struct extraction *x, int fd, uint64_t size, struct faas_error *err)
{
    uint64_t end = size; /* the most that was promised or came */

    for (;;) {
        const void *block;
        size_t n;
        int64_t offset;
        int rc = archive_read_data_block(x->archive, &block, &n, &offset);

        if (rc == ARCHIVE_EOF)
            break;
        if (rc < ARCHIVE_WARN)
            return unreadable(x->archive, err);
        if (offset < 0 || (uint64_t)offset > x->limits->max_bytes)
            return check_size(x, UINT64_MAX, err);
        end = FAAS_MAX(end, (uint64_t)offset + n);
        if (check_size(x, end, err) < 0 || write_at(fd, block, n, offset, err) < 0)
            return -1;
    }
    if (ftruncate(fd, (off_t)end) < 0) /* a hole at the end */
        return from_errno(err, "write");
    x->bytes += end;
    return 0;
}

static int extract_file(struct extraction *x, const struct place *p, struct archive_entry *e,
                        struct faas_error *err)
{
    _cleanup_close_ int fd = -1;
    int64_t size = archive_entry_size(e);

    if (archive_entry_mode(e) & (S_ISUID | S_ISGID))
        return faas_fail(err, FAAS_ERR_INVALID, "is setuid or setgid");
    if (size < 0 || check_size(x, (uint64_t)size, err) < 0)
        return -1;
    if (make_way(p, err) < 0)
        return -1;
    fd = openat(p->folder, p->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return from_errno(err, "create");
    if (write_content(x, fd, (uint64_t)size, err) < 0)
        return -1;
    if (fchmod(fd, archive_entry_perm(e) & 0111 ? 0755 : 0644) < 0)
        return from_errno(err, "set mode");
    if (close(faas_steal_fd(&fd)) < 0) /* some file systems tell only now that the disk is full */
        return from_errno(err, "write");
    return 0;
}

/* From a real folder at that depth, "../" leads to its real parent; behind a name, which may be a
 * symlink to anywhere inside, ".." could lead anywhere. */
static bool stays_inside(const char *target, size_t depth)
{
    struct faas_str rest = faas_str_from(target);
    bool named = false;

    if (!*target || *target == '/')
        return false;
    while (rest.ptr) {
        struct faas_str name = faas_str_split(&rest, '/');

        if (name.len == 0 || faas_str_eqz(name, "."))
            continue;
        if (!faas_str_eqz(name, "..")) {
            named = true;
            continue;
        }
        if (named || depth == 0)
            return false;
        depth--;
    }
    return true;
}

static int extract_symlink(const struct place *p, const char *target, struct faas_error *err)
{
    if (!target || !stays_inside(target, p->depth))
        return faas_fail(err, FAAS_ERR_INVALID, "is a symlink that may lead out, to \"%.64s\"",
                         target ? target : "");
    if (make_way(p, err) < 0)
        return -1;
    if (symlinkat(target, p->folder, p->name) < 0)
        return from_errno(err, "make symlink");
    return 0;
}

/* Only to a file: a symlink with a second name elsewhere would lead elsewhere. */
static int extract_hard_link(struct extraction *x, const struct place *p, const char *target,
                             struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf path = {0};
    _cleanup_place_ struct place from = NOWHERE;
    struct faas_str inside;
    struct stat st;

    if (normalise(target, &path, err) < 0)
        return faas_error_wrap(err, "hard link");
    if (!below(x->prefix, faas_buf_str(&path), &inside))
        return faas_fail(err, FAAS_ERR_INVALID, "is a hard link that leads out");
    if (find_place(x, inside, &from, err) < 0)
        return -1;
    if (fstatat(from.folder, from.name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return faas_fail(err, FAAS_ERR_INVALID, "is a hard link to something else than a file");
    if (make_way(p, err) < 0)
        return -1;
    if (linkat(from.folder, from.name, p->folder, p->name, 0) < 0)
        return from_errno(err, "link");
    return 0;
}

static int extract_folder(const struct place *p, struct faas_error *err)
{
    bool made;
    _cleanup_close_ int fd = enter_folder(p->folder, p->name, &made, err);

    return fd < 0 ? -1 : 0;
}

static int extract_entry(struct extraction *x, struct archive_entry *e, struct faas_str path,
                         struct faas_error *err)
{
    _cleanup_place_ struct place p = NOWHERE;
    const char *hard_link = archive_entry_hardlink(e);

    if (find_place(x, path, &p, err) < 0)
        return -1;
    if (hard_link)
        return extract_hard_link(x, &p, hard_link, err);
    switch (archive_entry_filetype(e)) {
    case AE_IFREG:
        return extract_file(x, &p, e, err);
    case AE_IFDIR:
        return extract_folder(&p, err);
    case AE_IFLNK:
        return extract_symlink(&p, archive_entry_symlink(e), err);
    default:
        return faas_fail(err, FAAS_ERR_INVALID, "is neither a file, a folder nor a symlink");
    }
}

static int handle_entry(struct extraction *x, struct archive_entry *e, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf path = {0};
    const char *name = archive_entry_pathname(e);
    struct faas_str inside;

    if (!name)
        return faas_fail(err, FAAS_ERR_INVALID, "an entry has no readable name");
    if (count_entry(x, err) < 0)
        return -1;
    if (normalise(name, &path, err) < 0)
        return faas_error_wrap(err, "entry \"%.100s\"", name);
    if (!below(x->prefix, faas_buf_str(&path), &inside))
        return 0;
    x->any = true;
    if (extract_entry(x, e, inside, err) < 0)
        return faas_error_wrap(err, "entry \"%.100s\"", name);
    return 0;
}

static int extract_all(struct extraction *x, struct faas_error *err)
{
    for (;;) {
        struct archive_entry *e;
        int rc = archive_read_next_header(x->archive, &e);

        if (rc == ARCHIVE_EOF)
            break;
        if (rc < ARCHIVE_WARN)
            return unreadable(x->archive, err);
        if (handle_entry(x, e, err) < 0)
            return -1;
    }
    if (*x->prefix && !x->any)
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "the archive has nothing below \"%s\"",
                         x->prefix);
    return 0;
}

static struct archive *new_reader(struct faas_error *err)
{
    struct archive *a;

    if (faas_archive_load(err) < 0)
        return NULL;
    a = archive_read_new();
    if (a && archive_read_support_format_tar(a) == ARCHIVE_OK &&
        archive_read_support_filter_gzip(a) == ARCHIVE_OK &&
        archive_read_support_filter_zstd(a) == ARCHIVE_OK)
        return a;
    free_archive(&a);
    faas_fail(err, FAAS_ERR_INTERNAL, "cannot set up the archive reader");
    return NULL;
}

static int extract_into(struct archive *a, const char *prefix, const char *dir,
                        const struct faas_tar_limits *limits, struct faas_error *err)
{
    _cleanup_close_ int root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct extraction x = {.archive = a, .root = root, .prefix = prefix, .limits = limits};

    if (root < 0)
        return faas_fail_errno(err, errno == ENOENT ? FAAS_ERR_NOT_FOUND : FAAS_ERR_INTERNAL, errno,
                               "open %s", dir);
    return extract_all(&x, err);
}

int faas_tar_extract(int fd, const char *dir, const struct faas_tar_limits *limits,
                     struct faas_error *err)
{
    _cleanup_tar_locale_ struct faas_tar_locale locale FAAS_UNUSED = faas_tar_locale_enter();
    _cleanup_(free_archive) struct archive *a = new_reader(err);

    if (!a)
        return -1;
    if (archive_read_open_fd(a, fd, READ_BLOCK) != ARCHIVE_OK)
        return unreadable(a, err);
    return extract_into(a, "", dir, limits, err);
}

int faas_tar_extract_mem(struct faas_str tar, const char *prefix, const char *dir,
                         const struct faas_tar_limits *limits, struct faas_error *err)
{
    _cleanup_tar_locale_ struct faas_tar_locale locale FAAS_UNUSED = faas_tar_locale_enter();
    _cleanup_(free_archive) struct archive *a = new_reader(err);

    if (!a)
        return -1;
    if (archive_read_open_memory(a, tar.len ? tar.ptr : "", tar.len) != ARCHIVE_OK)
        return unreadable(a, err);
    return extract_into(a, prefix, dir, limits, err);
}
