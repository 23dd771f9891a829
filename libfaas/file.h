/* Files as wholes: read with a cap, replaced atomically, removed as trees. */
#ifndef FAAS_FILE_H
#define FAAS_FILE_H

#include "libfaas/buf.h"

#include <sys/types.h>

/* Appends the file to out. NOT_FOUND when absent, TOO_LARGE beyond max. */
FAAS_NODISCARD int faas_file_read(const char *path, size_t max, struct faas_buf *out,
                                  struct faas_error *err);
/* Readers see the old or the new content, also after a crash: temporary file in the same folder,
 * fsync, rename, fsync of the folder. On failure (disk full …) the old file stands and nothing is
 * left. */
FAAS_NODISCARD int faas_file_replace(const char *path, struct faas_str data, mode_t mode,
                                     struct faas_error *err);
FAAS_NODISCARD int faas_mkdirs(const char *path, mode_t mode, struct faas_error *err); /* -p */
/* rm -rf, never following symlinks. Absent is fine. */
FAAS_NODISCARD int faas_remove_tree(const char *path, struct faas_error *err);
/* Recursive copy: symlinks followed, mode bits kept, existing files overwritten. */
FAAS_NODISCARD int faas_copy_tree(const char *from, const char *to, struct faas_error *err);
FAAS_NODISCARD int faas_write_all(int fd, const void *p, size_t n, struct faas_error *err);
bool faas_file_exists(const char *path);

#endif
