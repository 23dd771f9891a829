/* Files as wholes: read with a cap, written atomically, removed and copied as trees. Any thread. */
#ifndef FAAS_FILE_H
#define FAAS_FILE_H

#include "libfaas/buf.h"

#include <sys/types.h>

/* Appends the file to out. NOT_FOUND when absent, TOO_LARGE beyond max; out is then as before. */
FAAS_NODISCARD int faas_file_read(const char *path, size_t max, struct faas_buf *out,
                                  struct faas_error *err);
/* Readers see the old or the new content, also after a crash: temporary file in the same folder,
 * fsync, rename, fsync of the folder. On failure (disk full …) the old file stands and nothing is
 * left. (A crash in between may leave a ".tmp-XXXXXX"; listings skip names with a dot.) */
FAAS_NODISCARD int faas_file_replace(const char *path, struct faas_str data, mode_t mode,
                                     struct faas_error *err);
/* The same for a file that must not be there yet: CONFLICT when it is, also when somebody else
 * makes it at the same moment. */
FAAS_NODISCARD int faas_file_create(const char *path, struct faas_str data, mode_t mode,
                                    struct faas_error *err);
FAAS_NODISCARD int faas_mkdirs(const char *path, mode_t mode, struct faas_error *err); /* -p */
/* rm -rf, never following symlinks, whatever the depth. Absent is fine. */
FAAS_NODISCARD int faas_remove_tree(const char *path, struct faas_error *err);
/* Recursive copy: symlinks followed, rwx bits kept, existing files overwritten. When to lies
 * inside from, it is not copied into itself. INVALID for what is neither file nor folder, and for
 * symlinks that go in circles. */
FAAS_NODISCARD int faas_copy_tree(const char *from, const char *to, struct faas_error *err);
FAAS_NODISCARD int faas_write_all(int fd, const void *p, size_t n, struct faas_error *err);
bool faas_file_exists(const char *path);

#endif
