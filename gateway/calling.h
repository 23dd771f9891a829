/* What a call of a function is subject to, whoever makes it. Pure. */
#ifndef FAAS_GATEWAY_CALLING_H
#define FAAS_GATEWAY_CALLING_H

#include "gateway/config.h"
#include "libfaas/http_client.h"
#include "providers/snapshot.h"

/* A refused connect is tried on other replicas so many times in all. */
enum { GW_MAX_CONNECTS = 3 };

/* How many calls of it may be in flight; 0: any number. */
int64_t gw_inflight_limit(const struct gw_config *cfg, const struct faas_fn *fn);
/* How long it may take to answer. */
int64_t gw_call_timeout_ms(const struct gw_config *cfg, const struct faas_fn *fn);
/* Why a call got no answer, for people: BAD_GATEWAY or TIMEOUT, with the setting that decided.
 * timeout_ms: what gw_call_timeout_ms() said. */
void gw_explain_no_answer(struct faas_error *out, const struct gw_config *cfg, int64_t timeout_ms,
                          enum faas_http_phase phase, const struct faas_error *cause);

#endif
