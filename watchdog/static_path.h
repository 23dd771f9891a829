/* From a request's path to a file below a folder, and to nothing else. */
#ifndef FAAS_WATCHDOG_STATIC_PATH_H
#define FAAS_WATCHDOG_STATIC_PATH_H

#include "libfaas/arena.h"

/* "/a//b/../c%20d/" becomes "a/c d", and "." for the root; ".." never leads above it. False when it
 * cannot be decoded or holds a NUL. */
bool wd_static_clean(struct faas_arena *arena, struct faas_str path, const char **out);

/* Opens it for reading, without waiting for whoever is at the other end of a pipe. No step leads
 * out of root, be it a symlink; kernels without openat2() refuse symlinks altogether. -1 with
 * errno; EXDEV or ELOOP for what would lead out. */
int wd_open_beneath(int root, const char *path);

/* The way for those kernels, for tests. */
int wd_open_beneath_walking(int root, const char *path);

#endif
