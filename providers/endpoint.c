#include "providers/endpoint.h"

#include "libfaas/alloc.h"

#include <stdio.h>
#include <stdlib.h>

struct faas_endpoint *faas_endpoint_new(const struct faas_addr *addr, const char *instance)
{
    struct faas_endpoint *e = faas_new(struct faas_endpoint);

    e->addr = *addr;
    snprintf(e->instance, sizeof(e->instance), "%s", instance);
    atomic_init(&e->refs, 1);
    return e;
}

struct faas_endpoint *faas_endpoint_ref(struct faas_endpoint *e)
{
    atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
    return e;
}

void faas_endpoint_unref(struct faas_endpoint *e)
{
    if (e && atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) == 1)
        free(e);
}
