/* A folder as a page of links. */
#ifndef FAAS_WATCHDOG_STATIC_LIST_H
#define FAAS_WATCHDOG_STATIC_LIST_H

#include "libfaas/buf.h"
#include "libfaas/error.h"

/* Takes fd, an open folder. At most max entries, sorted; how many more there are is said. */
FAAS_NODISCARD int wd_static_list(int fd, size_t max, struct faas_buf *out, struct faas_error *err);

#endif
