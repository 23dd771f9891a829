/* Folders that are to go: moved away at once, under a lock or on a loop, and
 * deleted later by whoever has the time. <state>/trash/. Any thread. */
#ifndef FAAS_PROVIDERS_LOCAL_TRASH_H
#define FAAS_PROVIDERS_LOCAL_TRASH_H

#include "libfaas/error.h"

#include <stdbool.h>

FAAS_NODISCARD int local_trash_init(const char *state_dir, struct faas_error *err);
/* Moves path (a file or folder; absent is fine). True: it is gone from its place. */
bool local_trash_move(const char *state_dir, const char *path);
/* Deletes what lies there. Blocks for as long as that takes. */
void local_trash_empty(const char *state_dir);

#endif
