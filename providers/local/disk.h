/* Small file-system steps that survive a crash, and what a full disk is called. */
#ifndef FAAS_PROVIDERS_LOCAL_DISK_H
#define FAAS_PROVIDERS_LOCAL_DISK_H

#include "libfaas/file.h"

/* mkdir one level, durably; an existing folder is fine, and gets mode. */
FAAS_NODISCARD int local_mkdir(const char *path, mode_t mode, struct faas_error *err);
FAAS_NODISCARD int local_sync_dir(const char *path, struct faas_error *err);
/* Removes a file, durably. Absent is fine. */
FAAS_NODISCARD int local_remove_file(const char *path, struct faas_error *err);
/* Visits the names in a folder (not "." and "..", no order) until visit is negative, which is
 * returned. An absent folder is empty. */
int local_each_name(const char *dir, int (*visit)(void *arg, const char *name), void *arg,
                    struct faas_error *err);

/* Turns an error whose errno says that the state disk cannot take more (full, quota, read-only,
 * failing) into UNAVAILABLE, so that callers see "try later", not "bug". Always returns -1. */
int local_disk_failed(struct faas_error *err);

#endif
