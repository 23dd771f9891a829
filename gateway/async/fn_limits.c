#include "gateway/async/fn_limits.h"

#include "libfaas/alloc.h"

#include <stdlib.h>

#define FALL       0.7
#define NO_MORE_OF 10000.0 /* a limit this high is none */

static void forget(struct gw_fn_limits *l, size_t i)
{
    free(l->items[i]->function);
    free(l->items[i]);
    l->items[i] = l->items[--l->n];
}

void gw_fn_limits_deinit(struct gw_fn_limits *l)
{
    while (l->n)
        forget(l, 0);
    free(l->items);
    *l = (struct gw_fn_limits){0};
}

static struct gw_fn_limit *find(struct gw_fn_limits *l, struct faas_str function)
{
    for (size_t i = 0; i < l->n; i++)
        if (faas_str_eqz(function, l->items[i]->function))
            return l->items[i];
    return NULL;
}

static struct gw_fn_limit *add(struct gw_fn_limits *l, struct faas_str function)
{
    struct gw_fn_limit *f = faas_new(struct gw_fn_limit);

    f->function = faas_str_dup(function);
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 16;
        l->items = faas_reallocarray(l->items, l->cap, sizeof(*l->items));
    }
    l->items[l->n++] = f;
    return f;
}

struct gw_fn_limit *gw_fn_limit_enter(struct gw_fn_limits *l, struct faas_str function)
{
    struct gw_fn_limit *f = find(l, function);

    if (!f)
        f = add(l, function);
    if ((l->fixed && f->running >= l->fixed) || (f->limit > 0 && f->running >= (unsigned)f->limit))
        return NULL;
    f->running++;
    return f;
}

static void adapt(struct gw_fn_limit *f, int status)
{
    if (status == 429) {
        double base = f->limit > 0 ? FAAS_MIN(f->limit, (double)f->running) : (double)f->running;

        f->limit = FAAS_MAX(base * FALL, 1.0);
    } else if (f->limit > 0 && status >= 200 && status < 300) {
        f->limit += 1 / f->limit;
        if (f->limit > NO_MORE_OF)
            f->limit = 0;
    }
}

void gw_fn_limit_leave(struct gw_fn_limits *l, struct gw_fn_limit *f, int status)
{
    adapt(f, status);
    if (--f->running > 0 || f->limit > 0)
        return;
    for (size_t i = 0; i < l->n; i++)
        if (l->items[i] == f) {
            forget(l, i);
            return;
        }
}
