/* From SIGTERM to the end: unhealthy at once, but serving, for the interval in
 * which orchestrators notice; then no new connections until the last request is answered or the
 * limit is reached. */
#ifndef FAAS_WATCHDOG_DRAIN_H
#define FAAS_WATCHDOG_DRAIN_H

#include "watchdog/call.h"
#include "watchdog/health.h"
#include "watchdog/line_log.h"

struct wd_drain {
    struct faas_loop *loop;
    struct wd_log *log;
    struct wd_health *health;
    struct faas_http_server *server;
    const struct wd_calls *calls;
    int64_t interval_ms;
    int64_t limit_ms; /* 0: none */
    enum { WD_SERVING, WD_LEAVING, WD_DRAINING, WD_DRAINED } state;
    struct faas_timer timer;
    void (*drained)(void *arg); /* once: all is answered, or the limit is over */
    void *arg;
};

void wd_drain_begin(struct wd_drain *d, const char *why); /* again: nothing happens */
/* Once a turn of the loop: looks whether all is done. */
void wd_drain_check(struct wd_drain *d);

#endif
