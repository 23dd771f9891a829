/* One event loop's share of the gateway: a listener (the worker's has none), an upstream pool, a
 * reference to the function table. A connection lives and dies on its shard, so nothing here is
 * locked. */
#ifndef FAAS_GATEWAY_SHARD_H
#define FAAS_GATEWAY_SHARD_H

#include "gateway/gateway.h"
#include "libfaas/http_client.h"
#include "libfaas/http_server.h"

struct gw_async_loop;
struct gw_schedules;

struct gw_shard {
    struct gw *gw;
    unsigned index;
    struct faas_loop *loop;
    struct faas_http_server *server;
    struct faas_upstream *upstream;
    struct faas_snapshot *table;    /* this shard's reference */
    struct faas_list waiting;       /* calls that wait for a replica (scale.c) */
    struct gw_async_loop *async;    /* NULL: no redis_url */
    struct gw_schedules *schedules; /* of the first shard; NULL: they are off */
    struct faas_buf access;         /* access records of this turn */
    struct faas_hook access_hook;
    struct faas_buf scratch; /* request heads are put together here */
    uint64_t random;
    pthread_t thread;
    bool has_thread;
};

struct gw_shard *gw_shard_new(struct gw *gw, unsigned index, struct faas_error *err);
/* Takes the listening socket and begins to serve as soon as the loop runs. */
FAAS_NODISCARD int gw_shard_listen(struct gw_shard *s, int listen_fd, struct faas_error *err);
/* Ends every request. The loop stays, so that workers can still post to it. */
void gw_shard_close_server(struct gw_shard *s);
void gw_shard_free(struct gw_shard *s);
/* Uses this table (a reference of its own is taken) from the next request on. Any thread. */
void gw_shard_publish(struct gw_shard *s, struct faas_snapshot *table);
uint64_t gw_shard_random(struct gw_shard *s); /* for balancing, not for secrets */

#endif
