/* A call of a function, from match to last byte: look-up, admission, perhaps a
 * wait for the first replica, then both bodies streamed with back-pressure.
 *
 * States: WAITING (no replica yet; the upload is paused) -> FORWARDING (an exchange runs) -> done.
 * An upgraded connection (WebSocket) is a call like any other: it is in flight, and it has its
 * place, its record and its metrics when it ends. Bodies become raw bytes, and only silence ends
 * it.
 */
#ifndef FAAS_GATEWAY_INVOKE_H
#define FAAS_GATEWAY_INVOKE_H

#include "gateway/request.h"

struct gw_invocation {
    struct gw_request r;      /* first: the chain's view of it */
    struct faas_str name, ns; /* views into the request's target, or the default */
    struct gw_fn_stats *stats;
    struct faas_endpoint *endpoint; /* reference, counted in its in_flight */
    struct faas_exchange *exchange; /* NULL: not started, or over */
    unsigned connects;              /* failed connects */
    int64_t timeout_ms;             /* until the function answers */
    size_t up_backlog;              /* towards the function */
    size_t down_backlog;            /* towards the client */
    bool up_paused, down_paused;
    bool upload_done;
    bool admitted;
    bool answering; /* the function's head is through */
    bool tunnel;    /* which was a 101 */
    bool one_way;   /* one side of the tunnel has ended */

    struct faas_timer watch; /* progress of either side; or the deadline of the wait */
    int64_t progress_ms;

    struct faas_list waiting; /* in shard->waiting */
    bool is_waiting;
};

extern const struct gw_action gw_invoke_action;

/* For scale.c: a replica may be there now, or the start failed (err). */
void gw_invocation_wake(struct gw_invocation *v, const struct faas_error *err);

#endif
