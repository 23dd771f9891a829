/* What runs the function: one const table a mode, one instance a watchdog. A mode
 * is a file of its own and a row in executors.c. */
#ifndef FAAS_WATCHDOG_EXECUTOR_H
#define FAAS_WATCHDOG_EXECUTOR_H

#include "libfaas/http_server.h"
#include "watchdog/call.h"
#include "watchdog/cgi.h"
#include "watchdog/child.h"
#include "watchdog/config.h"
#include "watchdog/line_log.h"
#include "watchdog/mode.h"

/* What the watchdog lends to its executor. */
struct wd_context {
    const struct wd_config *config;
    struct faas_loop *loop;
    struct wd_log *log;
    struct wd_children *children;
    const struct wd_base_env *env;
    /* Ends the watchdog with this exit status; harmless when it is ending already. */
    void (*exit)(void *arg, int status);
    void *exit_arg;
};

struct wd_executor_ops {
    size_t call_size; /* of the executor's own state in a call: call->data, zeroed */

    /* ctx outlives the instance. NULL with the reason when it cannot start. */
    void *(*create)(const struct wd_context *ctx, struct faas_error *err);
    void (*destroy)(void *self); /* no call is left */

    /* Slots that may be NULL. */
    /* Can a call be served now? It is asked for readiness probes only. NULL: always. */
    bool (*ready)(const void *self);
    /* The watchdog has been told to leave; calls go on coming for a while. */
    void (*leaving)(void *self);
    /* The last call has been answered, or the drain's limit is over. Whatever runs is to be ended;
     * then ctx->exit(ctx->exit_arg, 0). NULL: the watchdog exits at once. */
    void (*stop)(void *self);
    /* The reply's backlog, which had been above FAAS_HTTP_HIGH_WATER, has room again. */
    void (*on_drain)(struct wd_call *call);

    /* The calls below never block. The executor owns the call until it gives it up with
     * wd_call_finish(), wd_call_end() or wd_call_abort(), at once or later, also when the client
     * has left meanwhile. */

    /* The head is there and a slot is taken. */
    void (*handle)(void *self, struct wd_call *call);
    /* Body bytes; returns how many were taken, as in struct faas_http_req_ops. */
    size_t (*on_body)(struct wd_call *call, struct faas_str data);
    void (*on_body_end)(struct wd_call *call);
    /* The read deadline passed before the body's end. */
    void (*on_body_timeout)(struct wd_call *call);
    /* The client left before it was answered in full, or was cut off; why says so. call->req and
     * call->head are NULL from now on. */
    void (*on_client_gone)(struct wd_call *call, const char *why);
    /* The watchdog answers by itself and takes the call back: whatever the executor runs and holds
     * for it is to be ended and freed. */
    void (*release)(struct wd_call *call);
};

extern const struct wd_executor_ops wd_classic_executor;
extern const struct wd_executor_ops wd_http_executor;
extern const struct wd_executor_ops wd_streaming_executor;
extern const struct wd_executor_ops wd_serializing_executor;
extern const struct wd_executor_ops wd_static_executor;

extern const struct wd_executor_ops *const wd_executors[WD_N_MODES];

#endif
