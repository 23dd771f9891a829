/* Asynchronous calls as the gateway sees them: what all loops share, and each loop's way to Redis.
 */
#ifndef FAAS_GATEWAY_ASYNC_H
#define FAAS_GATEWAY_ASYNC_H

#include "gateway/async/host_policy.h"
#include "gateway/async/queue_rules.h"
#include "gateway/async/retry_policy.h"
#include "gateway/async/store.h"
#include "gateway/request.h"

struct gw_async {
    struct faas_redis_url url;
    struct gw_host_policy *callbacks;
    struct faas_pool *callers;     /* make callbacks, whose receivers may be as slow as they like */
    struct gw_retry_policy retry;  /* of functions that say nothing */
    struct gw_queue_rules queues;  /* those that this worker serves */
    char *callback_secret;         /* NULL: callbacks are not signed */
    struct faas_family *submitted; /* by queue and outcome */
    struct faas_family *finished;  /* by queue and state */
    struct faas_family *attempts;  /* by queue and status */
};

/* NULL with err untouched when redis_url is not set. */
struct gw_async *gw_async_open(struct gw *gw, struct faas_error *err);
/* Waits for callbacks that are under way. While loops can still be posted to. NULL is fine. */
void gw_async_stop(struct gw_async *a);
void gw_async_free(struct gw_async *a);

/* A loop's connection and what is asked through it. */
struct gw_async_loop {
    struct faas_redis *redis;
    struct gw_store store;
    struct gw_finish_batch *ends; /* the store's */
};

struct gw_async_loop *gw_async_loop_new(struct gw *gw, struct faas_loop *loop);
void gw_async_loop_free(struct gw_async_loop *a);

/* Unix milliseconds. */
int64_t gw_async_now_ms(const struct gw *gw);
/* The queue of a function: its annotation com.openfaas.queue, or the setting. */
struct faas_str gw_async_queue(const struct gw *gw, const struct faas_fn *fn);
/* INVALID names the first annotation about asynchronous calls that cannot be read. At a call such a
 * one is ignored: functions come from elsewhere as well. */
FAAS_NODISCARD int gw_async_check_annotations(const struct faas_map *annotations,
                                              struct faas_error *err);
/* What Redis's failure means for who asked: 503, with a reason a person can act on, behind what has
 * not been done because of it ("the call was not queued"). */
void gw_async_explain(struct faas_error *err, const char *not_done);

/* POST /async-function/{name} */
extern const struct gw_action gw_async_submit_action;

#endif
