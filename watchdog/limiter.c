#include "watchdog/limiter.h"

#include <assert.h>

bool wd_limiter_is_full(const struct wd_limiter *l)
{
    return l->max && l->now >= l->max;
}

bool wd_limiter_enter(struct wd_limiter *l)
{
    if (wd_limiter_is_full(l))
        return false;
    l->now++;
    return true;
}

void wd_limiter_leave(struct wd_limiter *l)
{
    assert(l->now > 0);
    l->now--;
}
