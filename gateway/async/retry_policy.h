/* When a call is made again, and when. Pure. */
#ifndef FAAS_GATEWAY_ASYNC_RETRY_POLICY_H
#define FAAS_GATEWAY_ASYNC_RETRY_POLICY_H

#include "libfaas/buf.h"
#include "libfaas/map.h"
#include "libfaas/str.h"

#include <time.h>

enum { GW_MAX_RETRY_CODES = 32 };

enum gw_jitter { GW_JITTER_NONE, GW_JITTER_FULL, GW_JITTER_EQUAL };

struct gw_retry_policy {
    int64_t attempts; /* in all, the first included; > 0 */
    int codes[GW_MAX_RETRY_CODES];
    size_t n_codes;
    int64_t min_wait_ms, max_wait_ms;
    enum gw_jitter jitter;
};

/* "408,429,503": false when one is no status from 100 to 599, or there are too many. */
bool gw_retry_parse_codes(struct faas_str list, struct gw_retry_policy *out);
/* The function's annotations com.openfaas.retry.attempts, .codes, .min_wait, .max_wait in place of
 * what p holds; one that cannot be read changes nothing, and the first such is named by INVALID. */
int gw_retry_annotate(struct gw_retry_policy *p, const struct faas_map *annotations,
                      struct faas_error *err);

/* As text, to travel with the call: "10 10000 120000 0 408,429". */
void gw_retry_format(const struct gw_retry_policy *p, struct faas_buf *out);
bool gw_retry_parse(struct faas_str text, struct gw_retry_policy *out);

/* ours: the answer carries X-OpenFaaS-Internal, so it is the platform that failed. */
bool gw_retry_wanted(const struct gw_retry_policy *p, int status, bool ours);
/* The wait behind attempt number n (from 1). random: any 64 bits. */
int64_t gw_retry_wait_ms(const struct gw_retry_policy *p, int64_t n, uint64_t random);
/* What a Retry-After header asks for, from min_wait up to an hour; -1: nothing that can be read. */
int64_t gw_retry_after_ms(const struct gw_retry_policy *p, struct faas_str header, time_t now);

#endif
