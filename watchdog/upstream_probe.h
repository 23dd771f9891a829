/* Waits until somebody accepts connections at one of a few addresses: connects, at first every 10
 * ms, later every 250 ms, and closes at once what it got. */
#ifndef FAAS_WATCHDOG_UPSTREAM_PROBE_H
#define FAAS_WATCHDOG_UPSTREAM_PROBE_H

#include "libfaas/loop.h"
#include "libfaas/net.h"

struct wd_upstream_probe {
    struct faas_loop *loop;
    const struct faas_addr *addrs;
    int n, at;
    int fd; /* -1 between attempts */
    struct faas_io io;
    struct faas_timer timer; /* the next attempt, or the end of this one */
    int64_t delay_ms;
    /* It is stopped by then. addr is one of addrs. */
    void (*on_up)(void *arg, const struct faas_addr *addr);
    void *arg;
};

/* addrs are borrowed. on_up is called from a later event, never from within. */
void wd_upstream_probe_start(struct wd_upstream_probe *p, struct faas_loop *loop,
                             const struct faas_addr *addrs, int n,
                             void (*on_up)(void *arg, const struct faas_addr *addr), void *arg);
void wd_upstream_probe_stop(struct wd_upstream_probe *p); /* harmless when not started */

#endif
