/* How many queued calls of each function may run at once: a fixed limit, and one that follows what
 * the function can bear. It falls by 0.7 when the function answers 429 and rises by one for each
 * round of calls that went well. One thread. */
#ifndef FAAS_GATEWAY_ASYNC_FN_LIMITS_H
#define FAAS_GATEWAY_ASYNC_FN_LIMITS_H

#include "libfaas/str.h"

struct gw_fn_limit {
    char *function;
    unsigned running;
    double limit; /* 0: it has never complained */
};

struct gw_fn_limits {
    struct gw_fn_limit **items;
    size_t n, cap;
    unsigned fixed; /* for each function; 0: none */
};

void gw_fn_limits_deinit(struct gw_fn_limits *l);
/* A place is taken, or NULL: it has enough to do. */
struct gw_fn_limit *gw_fn_limit_enter(struct gw_fn_limits *l, struct faas_str function);
/* status: what the call came to; 0: nothing that tells. Functions without a call and without a
 * complaint are forgotten, so f is gone after it. */
void gw_fn_limit_leave(struct gw_fn_limits *l, struct gw_fn_limit *f, int status);

#endif
