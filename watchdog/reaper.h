/* Collects processes that the functions left behind and that became our children
 * because we are process 1 of a container, or a subreaper. */
#ifndef FAAS_WATCHDOG_REAPER_H
#define FAAS_WATCHDOG_REAPER_H

#include "watchdog/child.h"

struct wd_reaper {
    struct wd_children *children; /* ours, whose exits are not to be taken away from them */
    struct faas_timer timer;
};

/* Does nothing when orphans do not come to us. */
FAAS_NODISCARD int wd_reaper_start(struct wd_reaper *r, struct wd_children *children,
                                   struct faas_error *err);
void wd_reaper_stop(struct wd_reaper *r);

#endif
