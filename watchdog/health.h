/* Whether we want traffic: a flag of ours, and the lock file, which container
 * health checks look at and which a person may remove to take the function out. */
#ifndef FAAS_WATCHDOG_HEALTH_H
#define FAAS_WATCHDOG_HEALTH_H

#include "libfaas/error.h"

#include <stdbool.h>

struct wd_health {
    const char *lock_path; /* borrowed */
    bool suppress_lock;    /* the flag alone decides */
    bool make_folder;      /* that the file lies in, if need be: an empty image has no /tmp */
    bool accepting;
};

/* Writes the lock file (over a stale one) unless suppressed, and starts to accept. */
FAAS_NODISCARD int wd_health_start(struct wd_health *h, struct faas_error *err);
/* Stops accepting and removes the file. */
void wd_health_stop(struct wd_health *h);
/* Looks at the file each time. */
bool wd_health_ok(const struct wd_health *h);

#endif
