/* max_inflight: how many requests the function may have at once. */
#ifndef FAAS_WATCHDOG_LIMITER_H
#define FAAS_WATCHDOG_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

struct wd_limiter {
    uint64_t max; /* 0: no limit */
    uint64_t now;
};

/* True: a slot is taken, and must be left once. */
bool wd_limiter_enter(struct wd_limiter *l);
bool wd_limiter_is_full(const struct wd_limiter *l);
void wd_limiter_leave(struct wd_limiter *l);

#endif
