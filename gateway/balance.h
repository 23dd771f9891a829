/* Which replica takes a call. */
#ifndef FAAS_GATEWAY_BALANCE_H
#define FAAS_GATEWAY_BALANCE_H

#include "gateway/shard.h"

/* The less busy of two random endpoints, passing over ejected ones while others are there, and over
 * except (may be NULL) unless it is the only one. Returns a reference, or NULL when the function
 * has none. */
struct faas_endpoint *gw_balance(struct gw_shard *s, const struct faas_fn *fn,
                                 const struct faas_endpoint *except);
/* After a failed connect: out of service for a while. */
void gw_eject(struct gw_shard *s, struct faas_endpoint *e);

#endif
