/* Makes the queued calls: a thread with a loop of its own that takes entries from every queue,
 * calls the functions and records what comes of it. A function that has a replica here is called
 * directly (direct.h), any other through the front door of this gateway, or of gateway_url.
 *
 * What it has taken is leased: it says that it is alive three times a lease, and takes over what
 * others have not spoken for during one. */
#ifndef FAAS_GATEWAY_ASYNC_WORKER_H
#define FAAS_GATEWAY_ASYNC_WORKER_H

#include "gateway/async/ahead.h"
#include "gateway/async/async.h"
#include "gateway/async/callees.h"
#include "gateway/async/fn_limits.h"
#include "gateway/async/queue_gauges.h"
#include "gateway/async/served_queues.h"
#include "libfaas/http_client.h"

#include <pthread.h>

struct gw_worker {
    struct gw *gw;
    struct gw_shard *shard; /* without a server: its loop, and calls of our own */
    struct faas_loop *loop; /* the shard's */
    pthread_t thread;
    char name[96];             /* of the consumer in the group */
    struct faas_redis *reader; /* waits for entries */
    struct gw_async_loop *async;
    struct faas_upstream *upstream;
    struct faas_addr front_door;
    bool is_direct; /* what can be called without the front door is */
    struct gw_fn_limits limits;
    struct gw_queue_gauges gauges;
    struct faas_list attempts; /* those that run */
    size_t n_attempts;
    size_t n_calling;          /* of them; the others are being recorded or call back */
    size_t n_calling_back;     /* of them */
    size_t calling_back_bytes; /* answers that these hold */
    struct gw_callees callees;
    struct gw_served_queues queues;
    uint64_t mended; /* up to where Redis's keys have been looked at (sweep.h) */
    struct gw_ahead ahead;
    size_t n_giving_back; /* of what was read ahead */
    int64_t reader_id;    /* Redis's, of the reader's connection */
    size_t rank;          /* of the queues that are asked next; GW_ANY_RANK: all, waiting for one */
    bool reading;         /* the reader waits for an answer */
    size_t asked;         /* for so many entries of each queue */
    int64_t asked_ms;     /* when */
    bool full;            /* meanwhile a queue that is not asked has as many calls as it may */
    bool refreshing;
    bool told_away;        /* that the gateway which makes the calls is */
    int64_t away_until_ms; /* nothing is begun before that */
    bool draining;
    int64_t drain_until_ms;
    void (*drained)(void *arg);
    void *drained_arg;
    struct faas_timer refresh_timer, read_timer, kept_timer, promote_timer, renew_timer,
        reclaim_timer, more_timer, drain_timer;
};

/* Starts it; the gateway's listeners are up. Its shard has no table yet. */
struct gw_worker *gw_worker_start(struct gw *gw, struct faas_error *err);
/* Takes nothing more and waits for what runs (drain_timeout); then drained(arg) is called on the
 * worker's thread, which ends. What is left then is taken over when its lease is over. Any thread,
 * once. */
void gw_worker_drain(struct gw_worker *w, void (*drained)(void *arg), void *arg);
/* Ends the thread, drained or not. Harmless on NULL, as the next. */
void gw_worker_join(struct gw_worker *w);
/* After that, and after the pool: callbacks come home to its loop. */
void gw_worker_free(struct gw_worker *w);

/* --- for attempt.c --- */
/* An attempt at a call of this queue (NULL: of none) is over: there is room. */
void gw_worker_more(struct gw_worker *w, struct gw_served_queue *queue);

/* --- for reading.c --- */
/* Redis could not answer: it is asked again in a moment. */
void gw_worker_read_later(struct gw_worker *w);

#endif
