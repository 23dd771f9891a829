/* What Redis holds, as gauges, looked at every few seconds. */
#ifndef FAAS_GATEWAY_ASYNC_QUEUE_GAUGES_H
#define FAAS_GATEWAY_ASYNC_QUEUE_GAUGES_H

#include "gateway/async/async.h"

struct gw_queue_gauges {
    struct gw *gw;
    struct gw_store *store;
    struct faas_loop *loop;
    struct faas_timer timer;
    bool asking;
    struct faas_family *families[5]; /* see queue_gauges.c */
};

/* On the loop's thread, or before it runs. */
void gw_queue_gauges_start(struct gw_queue_gauges *g, struct gw *gw, struct gw_store *store,
                           struct faas_loop *loop);
void gw_queue_gauges_stop(struct gw_queue_gauges *g);

#endif
