/* GET /system/logs: records flow from a thread that may block in the provider to
 * the client, through a bounded buffer. A client that leaves stops the thread; a slow one holds it
 * up. */
#include "gateway/system.h"

#include "libfaas/alloc.h"
#include "libfaas/api_types.h"

#include <pthread.h>
#include <stdlib.h>

#define BUFFERED  (256 * 1024)
#define RECENT_NS (INT64_C(300) * 1000000000) /* without "since" */

struct stream {
    struct gw *gw;
    struct faas_loop *loop;
    struct gw_request *r; /* loop only; NULL once the request is over */
    struct faas_log_query query;
    char *name, *ns, *instance;
    bool started; /* loop only: the reply has begun */
    bool held;    /* loop only: the client does not keep up */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t room;
    struct faas_buf ready;
    bool posted;
    bool cancelled;
    bool finished;
    int rc;
    struct faas_error err;
    unsigned refs; /* thread, request */
};

static void unref(struct stream *s)
{
    bool last;

    pthread_mutex_lock(&s->lock);
    last = --s->refs == 0;
    pthread_mutex_unlock(&s->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->room);
    faas_buf_deinit(&s->ready);
    free(s->name);
    free(s->ns);
    free(s->instance);
    free(s);
}

static void begin_reply(struct stream *s)
{
    const struct faas_http_header headers[] = {
        {FAAS_STR("Content-Type"), FAAS_STR("application/x-ndjson")},
        {FAAS_STR("X-Call-Id"), s->r->call_id},
    };

    if (s->started)
        return;
    s->started = true;
    s->r->status = 200;
    faas_http_reply_begin(s->r->http, 200, headers, FAAS_ARRAY_LEN(headers), -1);
}

static void end_reply(struct stream *s, int rc, const struct faas_error *err)
{
    if (rc == 0) {
        begin_reply(s);
        faas_http_reply_end(s->r->http);
    } else if (s->started) {
        faas_http_reply_abort(s->r->http);
    } else {
        gw_reply_error(s->r, err);
    }
}

/* On the loop: hands over what the thread has left. */
static void flush(void *arg)
{
    struct stream *s = arg;
    struct faas_buf taken = {0};
    struct faas_error err;
    bool finished;
    int rc;

    pthread_mutex_lock(&s->lock);
    s->posted = false;
    if (s->r && !s->held) {
        taken = s->ready;
        s->ready = (struct faas_buf){0};
        pthread_cond_signal(&s->room);
    }
    finished = s->finished && s->ready.len == 0;
    rc = s->rc;
    err = s->err;
    pthread_mutex_unlock(&s->lock);

    if (taken.len > 0) {
        begin_reply(s);
        s->r->bytes_out += taken.len;
        s->held = faas_http_reply_write(s->r->http, faas_buf_str(&taken)) > FAAS_HTTP_HIGH_WATER;
    }
    faas_buf_deinit(&taken);
    if (s->r && finished)
        end_reply(s, rc, &err);
    unref(s);
}

/* With the lock held. The message holds a reference of its own. */
static void post_flush(struct stream *s)
{
    if (s->posted)
        return;
    s->posted = true;
    s->refs++;
    faas_loop_post(s->loop, flush, s);
}

static int take_record(void *arg, const struct faas_log_message *m)
{
    struct stream *s = arg;
    bool cancelled;

    pthread_mutex_lock(&s->lock);
    while (s->ready.len > BUFFERED && !s->cancelled)
        pthread_cond_wait(&s->room, &s->lock);
    cancelled = s->cancelled;
    if (!cancelled) {
        faas_log_message_write(&s->ready, m);
        post_flush(s);
    }
    pthread_mutex_unlock(&s->lock);
    return cancelled ? -1 : 0;
}

static bool is_cancelled(void *arg)
{
    struct stream *s = arg;
    bool cancelled;

    pthread_mutex_lock(&s->lock);
    cancelled = s->cancelled;
    pthread_mutex_unlock(&s->lock);
    return cancelled;
}

static void *read_logs(void *arg)
{
    struct stream *s = arg;
    struct faas_error err = {0};
    struct gw *gw = s->gw;
    int rc = faas_provider_logs(&gw->provider, &s->query, take_record, &err);

    pthread_mutex_lock(&s->lock);
    s->finished = true;
    s->rc = rc;
    s->err = err;
    if (!s->cancelled)
        post_flush(s);
    pthread_mutex_unlock(&s->lock);
    unref(s);
    atomic_fetch_sub(&gw->log_streams, 1); /* last: the gateway waits for it before it ends */
    return NULL;
}

static void on_drain(void *arg)
{
    struct stream *s = arg;

    s->held = false;
    pthread_mutex_lock(&s->lock);
    if (s->ready.len > 0 || s->finished)
        post_flush(s);
    pthread_mutex_unlock(&s->lock);
}

static void on_done(void *arg, const struct faas_error *err)
{
    struct stream *s = arg;

    gw_request_done(s->r, err);
    s->r = NULL;
    pthread_mutex_lock(&s->lock);
    s->cancelled = true;
    pthread_cond_signal(&s->room);
    pthread_mutex_unlock(&s->lock);
    unref(s);
}

static const struct faas_http_req_ops ops = {.on_drain = on_drain, .on_done = on_done};

static char *query_text(struct gw_request *r, const char *key)
{
    struct faas_str v;

    if (!faas_query_get(faas_http_req_arena(r->http), r->head->query, faas_str_from(key), &v) ||
        v.len == 0)
        return NULL;
    return faas_str_dup(v);
}

static int parse_query(struct gw_request *r, struct stream *s, struct faas_error *err)
{
    const struct faas_clock *clock = s->gw->clock;
    _cleanup_free_ char *since = query_text(r, "since");
    _cleanup_free_ char *tail = query_text(r, "tail");
    _cleanup_free_ char *follow = query_text(r, "follow");

    s->name = query_text(r, "name");
    s->ns = query_text(r, "namespace");
    s->instance = query_text(r, "instance");
    if (!s->name)
        return faas_fail(err, FAAS_ERR_INVALID, "name: the query must have one");
    if (since && faas_parse_time(since, &s->query.since_ns) < 0)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "since: \"%s\" is not a time such as 2026-01-02T03:04:05Z", since);
    if (!since && !tail)
        s->query.since_ns = clock->realtime_ns(clock->self) - RECENT_NS;
    if (tail && faas_parse_i64(faas_str_from(tail), &s->query.tail, err) < 0)
        return faas_error_wrap(err, "tail");
    s->query.follow = follow && (strcmp(follow, "true") == 0 || strcmp(follow, "1") == 0);
    s->query.name = s->name;
    s->query.namespace_ = s->ns ? s->ns : s->gw->cfg->function_namespace;
    s->query.instance = s->instance;
    s->query.cancelled = is_cancelled;
    s->query.arg = s;
    return 0;
}

static int start_thread(struct stream *s, struct faas_error *err)
{
    pthread_attr_t attr;
    pthread_t thread;
    int rc;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, 256 * 1024);
    rc = pthread_create(&thread, &attr, read_logs, s);
    pthread_attr_destroy(&attr);
    return rc == 0 ? 0 : faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, rc, "log reader");
}

/* A deployed function's stream opens at once, so that a follower of a silent one sees that it
 * works. */
static bool is_deployed(const struct stream *s)
{
    return faas_snapshot_find(s->r->shard->table, faas_str_from(s->query.name),
                              faas_str_from(s->query.namespace_)) != NULL;
}

void gw_logs_handle(struct gw_request *r, const struct gw_action *self)
{
    struct gw *gw = r->shard->gw;
    struct stream *s = faas_new(struct stream);
    struct faas_error err;

    (void)self;
    *s = (struct stream){.gw = gw, .loop = r->shard->loop, .r = r, .refs = 2};
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->room, NULL);
    faas_http_req_attach(r->http, &ops, s);

    if (parse_query(r, s, &err) < 0) {
        gw_reply_error_with(r, &err, 422, NULL, NULL);
        unref(s);
        return;
    }
    if (atomic_fetch_add(&gw->log_streams, 1) >= (uint64_t)gw->cfg->max_log_streams) {
        atomic_fetch_sub(&gw->log_streams, 1);
        faas_fail(&err, FAAS_ERR_TOO_MANY, "max_log_streams=%lld readers are connected",
                  (long long)gw->cfg->max_log_streams);
        gw_reply_error_with(r, &err, 429, "Retry-After", "5");
        unref(s);
        return;
    }
    faas_http_req_no_write_timeout(r->http);
    if (is_deployed(s))
        begin_reply(s);
    if (start_thread(s, &err) < 0) {
        atomic_fetch_sub(&gw->log_streams, 1);
        end_reply(s, -1, &err);
        unref(s);
    }
}
