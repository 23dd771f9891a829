#include "gateway/balance.h"

static bool in_service(const struct faas_endpoint *e, const struct faas_endpoint *except,
                       int64_t now_ms)
{
    return e != except &&
           atomic_load_explicit(&e->ejected_until_ms, memory_order_relaxed) <= now_ms;
}

/* The i-th endpoint, or the next one after it that is in service; NULL when none is. */
static struct faas_endpoint *from(const struct faas_fn *fn, size_t i,
                                  const struct faas_endpoint *except, int64_t now_ms)
{
    for (size_t tried = 0; tried < fn->n_endpoints; tried++) {
        struct faas_endpoint *e = fn->endpoints[(i + tried) % fn->n_endpoints];

        if (in_service(e, except, now_ms))
            return e;
    }
    return NULL;
}

static unsigned load(const struct faas_endpoint *e)
{
    return atomic_load_explicit(&e->in_flight, memory_order_relaxed);
}

struct faas_endpoint *gw_balance(struct gw_shard *s, const struct faas_fn *fn,
                                 const struct faas_endpoint *except)
{
    int64_t now_ms = faas_loop_now_ms(s->loop);
    struct faas_endpoint *a, *b;
    uint64_t random;

    if (fn->n_endpoints == 0)
        return NULL;
    if (fn->n_endpoints == 1) /* ejected or not, there is no better one */
        return faas_endpoint_ref(fn->endpoints[0]);

    random = gw_shard_random(s);
    a = from(fn, (uint32_t)random % fn->n_endpoints, except, now_ms);
    b = from(fn, (uint32_t)(random >> 32) % fn->n_endpoints, except, now_ms);
    if (!a || !b)
        return faas_endpoint_ref(fn->endpoints[(uint32_t)random % fn->n_endpoints]);
    return faas_endpoint_ref(load(b) < load(a) ? b : a);
}

void gw_eject(struct gw_shard *s, struct faas_endpoint *e)
{
    int64_t until_ms = faas_loop_now_ms(s->loop) + s->gw->cfg->eject_ms;

    atomic_store_explicit(&e->ejected_until_ms, until_ms, memory_order_relaxed);
}
