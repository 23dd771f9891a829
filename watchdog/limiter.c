#include "watchdog/limiter.h"

#include <assert.h>

bool wd_limiter_enter(struct wd_limiter *l)
{
    if (l->max && l->now >= l->max)
        return false;
    l->now++;
    return true;
}

void wd_limiter_leave(struct wd_limiter *l)
{
    assert(l->now > 0);
    l->now--;
}
