/* Tar archives, over libarchive: a folder to a stream, and a stream to a folder
 * without ever leaving it. Any thread; nothing of the process (umask, working folder) is touched.
 */
#ifndef FAAS_TAR_H
#define FAAS_TAR_H

#include "libfaas/str.h"

/* Writes dir's content (paths relative to it, sorted; owner and times zeroed, permissions reduced
 * to 0755 for folders and what may be executed and 0644 for the rest, so that equal trees give
 * equal archives) to fd as a POSIX tar. Symlinks stay symlinks. INVALID for anything but files,
 * folders and symlinks. */
FAAS_NODISCARD int faas_tar_create(const char *dir, int fd, struct faas_error *err);

struct faas_tar_limits {
    uint64_t max_bytes;   /* unpacked, in all, holes of sparse files included */
    uint64_t max_entries; /* folders that no entry names are counted as well */
};

/* Unpacks from fd (plain, gzip, or zstd) into dir, which exists. Permissions become 0755 or 0644,
 * as above. INVALID, naming the entry, for: absolute paths, "..", paths through a symlink, devices
 * and the like, hard links to anything but a file unpacked before, setuid and setgid files,
 * symlinks that are absolute, lead out of dir, or have ".." behind a name (those could leave by way
 * of another symlink). TOO_LARGE beyond limits. Leaves what was unpacked so far; the caller removes
 * dir. */
FAAS_NODISCARD int faas_tar_extract(int fd, const char *dir, const struct faas_tar_limits *limits,
                                    struct faas_error *err);
/* The same from memory (templates that are part of the program): only what lies below the folder
 * prefix, without it ("" for all). NOT_FOUND when nothing does. */
FAAS_NODISCARD int faas_tar_extract_mem(struct faas_str tar, const char *prefix, const char *dir,
                                        const struct faas_tar_limits *limits,
                                        struct faas_error *err);

#endif
