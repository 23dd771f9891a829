/* Tar archives, over libarchive: a folder to a stream, and a stream to a folder
 * without ever leaving it. */
#ifndef FAAS_TAR_H
#define FAAS_TAR_H

#include "libfaas/str.h"

/* Writes dir's content (paths relative to it, sorted, owner and times zeroed, so that equal trees
 * give equal archives) to fd as a POSIX tar. */
FAAS_NODISCARD int faas_tar_create(const char *dir, int fd, struct faas_error *err);

struct faas_tar_limits {
    uint64_t max_bytes; /* unpacked, in all */
    uint64_t max_entries;
};

/* Unpacks from fd (plain, gzip, or zstd) into dir, which exists. Only files, folders and symlinks
 * that stay inside; absolute paths, "..", devices, hard links out, setuid bits: INVALID, naming the
 * entry. Leaves what was unpacked so far; the caller removes dir. */
FAAS_NODISCARD int faas_tar_extract(int fd, const char *dir, const struct faas_tar_limits *limits,
                                    struct faas_error *err);
/* The same from memory (templates that are part of the program). */
FAAS_NODISCARD int faas_tar_extract_mem(struct faas_str tar, const char *prefix, const char *dir,
                                        const struct faas_tar_limits *limits,
                                        struct faas_error *err);

#endif
