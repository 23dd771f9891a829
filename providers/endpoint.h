/* One place where a function answers: address and live load. Shared by every
 * snapshot that lists it, so that in-flight counts survive an update. */
#ifndef FAAS_PROVIDERS_ENDPOINT_H
#define FAAS_PROVIDERS_ENDPOINT_H

#include "libfaas/net.h"

#include <stdatomic.h>

struct faas_endpoint {
    struct faas_addr addr;
    char instance[64];                     /* replica's name, for logs */
    atomic_uint refs;                      /* private */
    atomic_uint in_flight;                 /* calls running there, all loops */
    atomic_int_least64_t ejected_until_ms; /* loop time; 0: in service */
};

struct faas_endpoint *faas_endpoint_new(const struct faas_addr *addr, const char *instance);
struct faas_endpoint *faas_endpoint_ref(struct faas_endpoint *e);
void faas_endpoint_unref(struct faas_endpoint *e); /* NULL is fine */

#endif
