#include "gateway/async/worker.h"

#include "gateway/access_log.h"
#include "gateway/async/attempt.h"
#include "gateway/async/keys.h"
#include "gateway/async/reading.h"
#include "gateway/async/sweep.h"
#include "libfaas/alloc.h"
#include "libfaas/crypto.h"
#include "libfaas/url.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    REFRESH_MS = 1000, /* which queues there are, and which are paused */
    PROMOTE_MS = 100,  /* calls whose time has come */
    PROMOTE_MAX = 1000,
    RECLAIM_MS = 1000,   /* after there was something */
    READ_RETRY_MS = 200, /* after a failure */
    DRAIN_TICK_MS = 20,
    MAX_BACKOFF_MS = 5000,
};

static struct faas_redis *redis_of(const struct gw_worker *w)
{
    return w->async->redis;
}

static void read_now(void *arg)
{
    gw_reading_more(arg);
}

void gw_worker_more(struct gw_worker *w, struct gw_served_queue *queue)
{
    bool was_full = queue && queue->running == queue->max;

    if (queue)
        gw_served_leave(&w->queues, queue);
    if (w->reading && w->full && was_full)
        gw_reading_anew(w);
    if (!faas_timer_running(&w->read_timer)) /* in the next turn: more may end in this one */
        faas_timer_start(w->loop, &w->read_timer, 0, read_now, w);
}

/* --- which queues there are --- */

static void refresh(void *arg);

static void make_group(struct gw_worker *w, const char *queue)
{
    _cleanup_(faas_arena_deinit) struct faas_arena arena = {0};

    /* An error means that it is there already. */
    FAAS_REDIS(redis_of(w), NULL, NULL, FAAS_STR("XGROUP"), FAAS_STR("CREATE"),
               gw_key(&arena, w->gw->cfg->async.redis_prefix, "queue:", faas_str_from(queue)),
               FAAS_STR(GW_ASYNC_GROUP), FAAS_STR("0"), FAAS_STR("MKSTREAM"));
}

static void on_queues(void *arg, const struct faas_redis_reply *reply, const struct faas_error *err)
{
    struct gw_worker *w = arg;

    w->refreshing = false;
    if (!w->draining)
        faas_timer_start(w->loop, &w->refresh_timer, REFRESH_MS, refresh, w);
    if (err)
        return;
    gw_served_begin(&w->queues);
    for (size_t i = 0; i < faas_redis_len(reply); i++)
        gw_served_add(&w->queues, faas_redis_str(faas_redis_at(reply, i)));
    gw_served_end(&w->queues);
    for (size_t i = 0; i < w->queues.n; i++)
        make_group(w, w->queues.items[i]->name);
    gw_reading_more(w);
}

static void refresh(void *arg)
{
    struct gw_worker *w = arg;
    _cleanup_(faas_arena_deinit) struct faas_arena arena = {0};
    const char *prefix = w->gw->cfg->async.redis_prefix;

    if (w->refreshing)
        return;
    w->refreshing = true;
    /* The usual queue is served before its first call comes. What is a queue has its group. */
    make_group(w, w->gw->cfg->async.queue);
    FAAS_REDIS(redis_of(w), NULL, NULL, FAAS_STR("SADD"),
               gw_key(&arena, prefix, "queues", FAAS_STR("")),
               faas_str_from(w->gw->cfg->async.queue));
    FAAS_REDIS(redis_of(w), on_queues, w, FAAS_STR("SDIFF"),
               gw_key(&arena, prefix, "queues", FAAS_STR("")),
               gw_key(&arena, prefix, "paused", FAAS_STR("")));
}

void gw_worker_read_later(struct gw_worker *w)
{
    if (!w->draining)
        faas_timer_start(w->loop, &w->refresh_timer, READ_RETRY_MS, refresh, w);
}

/* --- calls whose time has come --- */

static void promote(void *arg);

static void on_promoted(void *arg, int64_t n, const struct faas_error *err)
{
    struct gw_worker *w = arg;

    if (!err && n == PROMOTE_MAX && !w->draining) /* there are more */
        faas_timer_start(w->loop, &w->promote_timer, 0, promote, w);
}

static void promote(void *arg)
{
    struct gw_worker *w = arg;

    faas_timer_start(w->loop, &w->promote_timer, PROMOTE_MS, promote, w);
    if (!faas_redis_is_up(redis_of(w)))
        return;
    for (size_t i = 0; i < w->queues.n; i++)
        gw_store_promote(&w->async->store, faas_str_from(w->queues.items[i]->name), PROMOTE_MAX,
                         on_promoted, w);
}

/* --- leases --- */

static void renew(void *arg)
{
    struct gw_worker *w = arg;

    faas_timer_start(w->loop, &w->renew_timer, w->gw->cfg->async.lease_ms / 3, renew, w);
    faas_list_for_each (&w->attempts, it)
        gw_attempt_renew(FAAS_CONTAINER_OF(it, struct gw_attempt, node));
}

struct reclaiming {
    struct gw_worker *worker;
    char queue[GW_MAX_QUEUE_NAME + 1];
};

static void reclaim_from(struct gw_worker *w, struct gw_served_queue *queue, struct faas_str from);

static void reclaim_all(void *arg)
{
    struct gw_worker *w = arg;

    for (size_t i = 0; i < w->queues.n; i++)
        reclaim_from(w, w->queues.items[i], FAAS_STR("0"));
}

static bool is_ours(struct gw_worker *w, struct faas_str entry)
{
    return gw_attempt_runs(w, entry) || gw_ahead_has(&w->ahead, entry);
}

static struct reclaiming *reclaiming_new(struct gw_worker *w, struct gw_served_queue *queue)
{
    struct reclaiming *r = faas_new(struct reclaiming);

    r->worker = w;
    snprintf(r->queue, sizeof(r->queue), "%s", queue->name);
    return r;
}

/* XAUTOCLAIM: [next, [entry…], [deleted…]]. It looks at a few entries at a time, and those that
 * others hold may come first, so it is asked again until it has seen all. */
static void on_reclaimed(void *arg, const struct faas_redis_reply *reply,
                         const struct faas_error *err)
{
    _cleanup_free_ struct reclaiming *r = arg;
    const struct faas_redis_reply *entries = faas_redis_at(reply, 1);
    struct faas_str next = faas_redis_str(faas_redis_at(reply, 0));
    struct gw_served_queue *queue = gw_served_get(&r->worker->queues, faas_str_from(r->queue));

    if (err || r->worker->draining || !queue)
        return;
    for (size_t i = 0; i < faas_redis_len(entries); i++) {
        const struct faas_redis_reply *entry = faas_redis_at(entries, i);

        /* Our own as well, when Redis was away for so long; they need no second attempt. */
        if (!is_ours(r->worker, faas_redis_str(faas_redis_at(entry, 0))))
            gw_reading_claimed(r->worker, queue, entry);
    }
    if (faas_redis_len(entries) > 0) /* a worker is dead, and may have had more than we took */
        faas_timer_start(r->worker->loop, &r->worker->more_timer, RECLAIM_MS, reclaim_all,
                         r->worker);
    if (next.len && !faas_str_eqz(next, "0-0"))
        reclaim_from(r->worker, queue, next);
}

static void reclaim_from(struct gw_worker *w, struct gw_served_queue *queue, struct faas_str from)
{
    _cleanup_(faas_arena_deinit) struct faas_arena arena = {0};
    size_t n = gw_served_room(queue, gw_reading_claim_room(w));
    struct reclaiming *r;
    char lease[21], count[21];

    if (n == 0)
        return;
    r = reclaiming_new(w, queue);
    FAAS_REDIS(
        redis_of(w), on_reclaimed, r, FAAS_STR("XAUTOCLAIM"),
        gw_key(&arena, w->gw->cfg->async.redis_prefix, "queue:", faas_str_from(queue->name)),
        FAAS_STR(GW_ASYNC_GROUP), faas_str_from(w->name),
        ((struct faas_str){lease, faas_format_u64((uint64_t)w->gw->cfg->async.lease_ms, lease)}),
        from, FAAS_STR("COUNT"), ((struct faas_str){count, faas_format_u64(n, count)}));
}

static void on_swept(void *arg, struct faas_str next, const struct faas_redis_reply *taken,
                     const struct faas_error *err)
{
    _cleanup_free_ struct reclaiming *r = arg;
    struct gw_served_queue *queue = gw_served_get(&r->worker->queues, faas_str_from(r->queue));

    if (err || r->worker->draining || !queue)
        return;
    snprintf(queue->swept, sizeof(queue->swept), "%.*s", FAAS_STR_FMT(next));
    for (size_t i = 0; i < faas_redis_len(taken); i++)
        gw_reading_claimed(r->worker, queue, faas_redis_at(taken, i));
}

static void sweep_queue(struct gw_worker *w, struct gw_served_queue *queue)
{
    gw_sweep_queue(&w->async->store, faas_str_from(queue->name), faas_str_from(w->name),
                   faas_str_from(queue->swept), gw_served_room(queue, gw_reading_claim_room(w)),
                   on_swept, reclaiming_new(w, queue));
}

static void on_mended(void *arg, uint64_t next, const struct faas_error *err)
{
    if (!err)
        ((struct gw_worker *)arg)->mended = next;
}

static void reclaim(void *arg)
{
    struct gw_worker *w = arg;
    const struct gw_async_config *cfg = &w->gw->cfg->async;

    faas_timer_start(w->loop, &w->reclaim_timer, cfg->lease_ms / 2, reclaim, w);
    reclaim_all(w);
    for (size_t i = 0; i < w->queues.n; i++)
        sweep_queue(w, w->queues.items[i]);
    gw_sweep_calls(&w->async->store, w->mended, cfg->result_ms, cfg->dead_ms, on_mended, w);
}

/* --- life --- */

static void *worker_main(void *arg)
{
    struct gw_worker *w = arg;

    faas_loop_run(w->loop);
    return NULL;
}

static void make_name(struct gw_worker *w)
{
    char host[64] = "host", id[37];

    gethostname(host, sizeof(host) - 1);
    faas_uuid(id);
    snprintf(w->name, sizeof(w->name), "%.40s-%d-%.8s", host, (int)getpid(), id);
}

static int find_gateway(struct gw_worker *w, const char *text, struct faas_error *err)
{
    struct faas_addr found[FAAS_MAX_ADDRS];
    struct faas_url url;
    char host[256];

    if (faas_url_parse(&url, faas_str_from(text), err) < 0)
        return faas_error_wrap(err, "gateway_url");
    if (!faas_url_is_plain(&url) || url.path.len > 1 || url.host.len >= sizeof(host))
        return faas_fail(err, FAAS_ERR_INVALID,
                         "gateway_url=\"%.100s\" is not of the form http://host:port", text);
    snprintf(host, sizeof(host), "%.*s", FAAS_STR_FMT(url.host));
    if (faas_resolve(host, url.port, found, err) < 0)
        return faas_error_wrap(err, "gateway_url");
    w->front_door = found[0];
    return 0;
}

/* Ours, unless another is named. */
static int find_front_door(struct gw_worker *w, struct faas_error *err)
{
    const char *bind = w->gw->cfg->bind_address;
    bool any = !*bind || strcmp(bind, "0.0.0.0") == 0;

    if (w->gw->cfg->async.gateway_url[0])
        return find_gateway(w, w->gw->cfg->async.gateway_url, err);
    if (strcmp(bind, "::") == 0 || strcmp(bind, "[::]") == 0)
        bind = "::1";
    if (faas_addr_parse(any ? "127.0.0.1" : bind, w->gw->port, &w->front_door, err) < 0)
        return faas_error_wrap(err, "bind_address");
    return 0;
}

static void worker_free(struct gw_worker *w)
{
    if (w->loop) {
        while (!faas_list_empty(&w->attempts))
            gw_attempt_abandon(FAAS_CONTAINER_OF(w->attempts.next, struct gw_attempt, node));
        while (faas_loop_deliver(w->loop)) /* tables, and callbacks that nobody waits for */
            ;
        w->draining = true;
        gw_queue_gauges_stop(&w->gauges);
        faas_redis_free(w->reader);
        gw_async_loop_free(w->async);
        if (w->upstream)
            faas_upstream_free(w->upstream);
        gw_shard_free(w->shard);
    }
    gw_fn_limits_deinit(&w->limits);
    gw_ahead_deinit(&w->ahead);
    gw_served_deinit(&w->queues);
    free(w);
}

static void on_reader_id(void *arg, const struct faas_redis_reply *reply,
                         const struct faas_error *err)
{
    struct gw_worker *w = arg;

    if (!err)
        w->reader_id = faas_redis_integer(reply);
}

static void on_reader_connected(void *arg)
{
    struct gw_worker *w = arg;

    FAAS_REDIS(w->reader, on_reader_id, w, FAAS_STR("CLIENT"), FAAS_STR("ID"));
}

static int open_worker(struct gw_worker *w, struct faas_error *err)
{
    const struct gw_config *cfg = w->gw->cfg;
    const struct faas_upstream_opts upstream = {
        .max_idle_per_host = (unsigned)cfg->async.max_inflight,
        .max_idle = (unsigned)cfg->async.max_inflight,
        .idle_timeout_ms = cfg->read_timeout_ms / 2, /* before the gateway does */
        .connect_timeout_ms = cfg->connect_timeout_ms,
        .max_head = (size_t)FAAS_MAX(cfg->max_header_size, INT64_C(65536)),
    };
    const struct faas_redis_opts reader = {
        .url = &w->gw->async->url,
        .pool = w->gw->pool,
        .name = w->name,
        .connect_timeout_ms = cfg->async.redis_timeout_ms,
        .command_timeout_ms = cfg->async.redis_timeout_ms,
        .max_backoff_ms = MAX_BACKOFF_MS,
        .max_pending = 16,
        .log = NULL, /* the other one tells */
        .on_connect = on_reader_connected,
        .arg = w,
    };

    if (find_front_door(w, err) < 0)
        return -1;
    w->shard = gw_shard_new(w->gw, w->gw->n_shards, err);
    if (!w->shard)
        return -1;
    w->loop = w->shard->loop;
    w->is_direct = !cfg->async.gateway_url[0];
    faas_hook_add(w->loop, &w->shard->access_hook, gw_access_log_flush, w->shard);
    w->upstream = faas_upstream_new(w->loop, &upstream);
    w->async = gw_async_loop_new(w->gw, w->loop);
    w->reader = faas_redis_new(w->loop, &reader);
    return 0;
}

struct gw_worker *gw_worker_start(struct gw *gw, struct faas_error *err)
{
    struct gw_worker *w = faas_new(struct gw_worker);
    int rc;

    w->gw = gw;
    w->queues.rules = &gw->async->queues;
    w->limits.fixed = (unsigned)gw->cfg->async.max_inflight_function;
    faas_list_init(&w->attempts);
    gw_callees_init(&w->callees, (unsigned)gw->cfg->async.callback_max_inflight);
    gw_ahead_init(&w->ahead, (size_t)gw->cfg->async.read_ahead);
    make_name(w);
    if (open_worker(w, err) < 0) {
        worker_free(w);
        return NULL;
    }
    refresh(w);
    promote(w);
    renew(w);
    gw_queue_gauges_start(&w->gauges, gw, &w->async->store, w->loop);
    faas_timer_start(w->loop, &w->reclaim_timer, gw->cfg->async.lease_ms / 2, reclaim, w);
    rc = pthread_create(&w->thread, NULL, worker_main, w);
    if (rc != 0) {
        faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, rc, "worker thread");
        worker_free(w);
        return NULL;
    }
    return w;
}

/* Without its reader nothing is handed to us any more, not even by a question that is still open.
 */
static void close_reader(struct gw_worker *w)
{
    faas_redis_free(w->reader);
    w->reader = NULL;
}

/* A callback that waits for its next try is left for whoever takes the entry over. */
static bool has_work(const struct gw_worker *w)
{
    faas_list_for_each (&w->attempts, it)
        if (!gw_attempt_rests(FAAS_CONTAINER_OF(it, struct gw_attempt, node)))
            return true;
    return false;
}

static void drain_tick(void *arg)
{
    struct gw_worker *w = arg;
    bool is_over = gw_reading_end(w) && !has_work(w);

    if (!is_over && faas_loop_now_ms(w->loop) < w->drain_until_ms) {
        faas_timer_start(w->loop, &w->drain_timer, DRAIN_TICK_MS, drain_tick, w);
        return;
    }
    close_reader(w);
    w->drained(w->drained_arg);
    faas_loop_stop(w->loop);
}

static void begin_drain(void *arg)
{
    struct gw_worker *w = arg;

    w->draining = true;
    w->drain_until_ms = faas_loop_now_ms(w->loop) + w->gw->cfg->drain_ms;
    drain_tick(w);
}

void gw_worker_drain(struct gw_worker *w, void (*drained)(void *arg), void *arg)
{
    w->drained = drained;
    w->drained_arg = arg;
    faas_loop_post(w->loop, begin_drain, w);
}

void gw_worker_join(struct gw_worker *w)
{
    if (!w)
        return;
    faas_loop_stop(w->loop);
    pthread_join(w->thread, NULL);
}

void gw_worker_free(struct gw_worker *w)
{
    if (w)
        worker_free(w);
}
