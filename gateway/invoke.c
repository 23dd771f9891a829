#include "gateway/invoke.h"

#include "gateway/balance.h"
#include "gateway/calling.h"
#include "gateway/fn_name.h"
#include "gateway/forward.h"
#include "gateway/scale.h"
#include "libfaas/http_hop.h"

#include <stdlib.h>

static void forward(struct gw_invocation *v, const struct faas_fn *fn);

/* --- endings --- */

/* Its name outlives it in the access record: the function may be removed, and the endpoint with it,
 * before the last byte of the answer is out. */
static void leave_endpoint(struct gw_invocation *v)
{
    if (!v->endpoint)
        return;
    if (v->r.instance)
        v->r.instance = faas_arena_strndup(faas_http_req_arena(v->r.http), v->r.instance,
                                           strlen(v->r.instance));
    atomic_fetch_sub_explicit(&v->endpoint->in_flight, 1, memory_order_relaxed);
    faas_endpoint_unref(v->endpoint);
    v->endpoint = NULL;
}

static void enter_endpoint(struct gw_invocation *v, struct faas_endpoint *e /* takes */)
{
    leave_endpoint(v);
    v->endpoint = e;
    v->r.instance = e->instance;
    atomic_fetch_add_explicit(&e->in_flight, 1, memory_order_relaxed);
}

static void stop_everything(struct gw_invocation *v)
{
    faas_timer_stop(v->r.shard->loop, &v->watch);
    gw_scale_leave(v);
    if (v->exchange)
        faas_exchange_cancel(v->exchange);
    v->exchange = NULL;
    leave_endpoint(v);
}

/* on_done: the reply is out, or the client is gone. */
static void finish(void *arg, const struct faas_error *err)
{
    struct gw_invocation *v = arg;
    const struct faas_clock *clock = v->r.shard->gw->clock;

    if (v->r.status == 0)
        v->r.status = 499; /* nothing was answered: the client left first */
    stop_everything(v);
    if (v->admitted) {
        atomic_fetch_sub_explicit(&v->stats->in_flight, 1, memory_order_relaxed);
        gw_fn_stats_finished(v->stats, v->r.status,
                             clock->monotonic_ns(clock->self) - v->r.start_ns);
    }
    gw_request_done(&v->r, err);
}

static void fail_with(struct gw_invocation *v, const struct faas_error *err, int status,
                      const char *header, const char *value)
{
    stop_everything(v);
    if (faas_http_reply_started(v->r.http)) {
        /* The status is out; all that is left is to let the client see that the answer is
         * incomplete. */
        v->r.error = faas_arena_str(faas_http_req_arena(v->r.http), faas_str_from(err->msg));
        faas_http_reply_abort(v->r.http);
        return;
    }
    gw_reply_error_with(&v->r, err, status, header, value);
}

static void fail(struct gw_invocation *v, const struct faas_error *err)
{
    fail_with(v, err, faas_code_http_status(err->code), NULL, NULL);
}

/* --- progress: one timer a call, moved only when it fires --- */

static void format_ms(int64_t ms, char out[32])
{
    faas_format_go_duration(ms * 1000000, out);
}

/* Who is awaited now, and the setting that says for how long. Whoever holds the other up is judged
 * by their own limit; with nobody to blame the exchange's own deadline runs. */
struct stall {
    const char *who;
    const char *setting;
    int64_t limit_ms;
};

static void fail_stalled(struct gw_invocation *v, const struct stall *stall)
{
    struct faas_error err;
    char limit[32];

    format_ms(stall->limit_ms, limit);
    faas_fail(&err, FAAS_ERR_TIMEOUT, "%s for longer than %s=%s", stall->who, stall->setting,
              limit);
    fail_with(v, &err, v->upload_done ? 504 : 408, NULL, NULL);
}

static void progressed(struct gw_invocation *v)
{
    v->progress_ms = faas_loop_now_ms(v->r.shard->loop);
}

/* A client that reads slowly, but reads, makes progress that no callback reports. */
static void note_reading(struct gw_invocation *v)
{
    size_t left;

    if (!faas_http_reply_started(v->r.http))
        return;
    left = faas_http_reply_unsent(v->r.http);
    if (left < v->down_backlog)
        progressed(v);
    v->down_backlog = left;
}

static struct stall awaited_in_tunnel(const struct gw_invocation *v)
{
    const struct gw_config *cfg = v->r.shard->gw->cfg;

    /* Who has heard the other's end should come to one, too. */
    if (v->one_way &&
        (!cfg->tunnel_idle_timeout_ms || cfg->stream_idle_timeout_ms < cfg->tunnel_idle_timeout_ms))
        return (struct stall){"half of the tunnel had ended, and nothing was sent",
                              "stream_idle_timeout", cfg->stream_idle_timeout_ms};
    if (cfg->tunnel_idle_timeout_ms > 0)
        return (struct stall){"nothing was sent through the tunnel", "tunnel_idle_timeout",
                              cfg->tunnel_idle_timeout_ms};
    return (struct stall){.limit_ms = INT64_MAX};
}

static struct stall awaited(const struct gw_invocation *v)
{
    const struct gw_config *cfg = v->r.shard->gw->cfg;

    if (v->tunnel)
        return awaited_in_tunnel(v);
    if (v->down_backlog > 0)
        return (struct stall){"the client did not read", "write_timeout", cfg->write_timeout_ms};
    if (v->answering)
        return (struct stall){"the function sent nothing", "stream_idle_timeout",
                              cfg->stream_idle_timeout_ms};
    if (!v->upload_done && !v->up_paused)
        return (struct stall){"the client did not go on with its body", "read_timeout",
                              cfg->read_timeout_ms};
    return (struct stall){.limit_ms = INT64_MAX};
}

static void watch(void *arg)
{
    struct gw_invocation *v = arg;
    const struct gw_config *cfg = v->r.shard->gw->cfg;
    struct stall stall;
    int64_t left_ms;

    note_reading(v);
    stall = awaited(v);
    left_ms = stall.limit_ms - (faas_loop_now_ms(v->r.shard->loop) - v->progress_ms);
    if (left_ms <= 0) {
        fail_stalled(v, &stall);
        return;
    }
    left_ms = FAAS_MIN(left_ms, cfg->read_timeout_ms);
    left_ms = FAAS_MIN(left_ms, cfg->write_timeout_ms);
    left_ms = FAAS_MIN(left_ms, cfg->stream_idle_timeout_ms);
    faas_timer_start(v->r.shard->loop, &v->watch, left_ms, watch, v);
}

static void half_ended(struct gw_invocation *v)
{
    v->one_way = true;
    progressed(v);
    watch(v); /* another limit from now on */
}

/* --- client -> function --- */

static size_t on_client_body(void *arg, struct faas_str data)
{
    struct gw_invocation *v = arg;
    const struct gw_config *cfg = v->r.shard->gw->cfg;

    if (!v->exchange || v->up_backlog > FAAS_CLIENT_HIGH_WATER) {
        v->up_paused = true;
        /* After an answer of ours there is nobody left to read it. */
        return v->is_waiting || v->exchange ? 0 : data.len;
    }
    v->r.bytes_in += data.len;
    if (!v->tunnel && cfg->max_body_size > 0 && v->r.bytes_in > (uint64_t)cfg->max_body_size) {
        struct faas_error err;

        faas_fail(&err, FAAS_ERR_TOO_LARGE, "the body is larger than max_body_size=%lld",
                  (long long)cfg->max_body_size);
        fail(v, &err);
        return data.len;
    }
    progressed(v);
    v->up_backlog = faas_exchange_write(v->exchange, data);
    return data.len;
}

static void on_client_body_end(void *arg)
{
    struct gw_invocation *v = arg;

    v->upload_done = true;
    if (v->tunnel)
        half_ended(v);
    if (v->exchange)
        faas_exchange_end(v->exchange);
}

static void resume_upload(struct gw_invocation *v)
{
    if (!v->up_paused)
        return;
    v->up_paused = false;
    faas_http_req_resume(v->r.http);
}

static void on_function_writable(void *arg)
{
    struct gw_invocation *v = arg;

    v->up_backlog = 0;
    progressed(v);
    resume_upload(v);
}

/* --- function -> client --- */

static void refuse_upgrade(struct gw_invocation *v, const struct faas_error *cause)
{
    struct faas_error err;

    faas_fail(&err, FAAS_ERR_BAD_GATEWAY, "the function answered with %s", cause->msg);
    fail(v, &err);
}

/* From here on progress counts, not length: a slow but living answer is not cut. */
static void on_function_head(void *arg, const struct faas_http_response_head *head)
{
    struct gw_invocation *v = arg;
    struct faas_http_header *headers;
    struct faas_error err;
    size_t n;

    headers = gw_forward_response(faas_http_req_arena(v->r.http), &v->r, head, &n);
    if (head->upgraded && faas_http_reply_upgrade(v->r.http, headers, n, &err) < 0) {
        refuse_upgrade(v, &err);
        return;
    }
    v->r.status = head->status;
    v->answering = true;
    v->tunnel = head->upgraded;
    faas_exchange_no_timeout(v->exchange);
    progressed(v);
    if (v->tunnel)
        watch(v); /* another limit from now on */
    else
        faas_http_reply_begin(v->r.http, head->status, headers, n, head->content_length);
}

static size_t on_function_body(void *arg, struct faas_str data)
{
    struct gw_invocation *v = arg;

    if (v->down_backlog > FAAS_HTTP_HIGH_WATER) {
        v->down_paused = true;
        return 0;
    }
    v->r.bytes_out += data.len;
    progressed(v);
    v->down_backlog = faas_http_reply_write(v->r.http, data);
    return data.len;
}

static void on_client_drain(void *arg)
{
    struct gw_invocation *v = arg;

    v->down_backlog = 0;
    progressed(v);
    if (v->down_paused && v->exchange) {
        v->down_paused = false;
        faas_exchange_resume(v->exchange);
    }
}

/* Of a tunnel: its half of the conversation is over. */
static void on_function_half_end(void *arg)
{
    struct gw_invocation *v = arg;

    half_ended(v);
    faas_http_reply_end(v->r.http);
}

static void on_function_end(void *arg)
{
    struct gw_invocation *v = arg;

    v->exchange = NULL;
    leave_endpoint(v);
    resume_upload(v); /* an early answer: what is left of the upload is read and dropped */
    if (!v->tunnel)
        faas_http_reply_end(v->r.http);
}

/* What there was of the answer still goes out, and then the client can see that it is not whole. It
 * is watched as ever until then. */
static void break_off(struct gw_invocation *v, const struct faas_error *err)
{
    leave_endpoint(v);
    v->r.error = faas_arena_str(faas_http_req_arena(v->r.http), faas_str_from(err->msg));
    faas_http_reply_cut(v->r.http);
}

static void on_function_error(void *arg, enum faas_http_phase phase, const struct faas_error *cause)
{
    struct gw_invocation *v = arg;
    struct faas_error err;

    v->exchange = NULL;
    gw_explain_no_answer(&err, v->r.shard->gw->cfg, v->timeout_ms, phase, cause);
    if (faas_http_reply_started(v->r.http) && !v->tunnel)
        break_off(v, &err);
    else
        fail(v, &err);
}

static const struct faas_addr *on_connect_failed(void *arg, const struct faas_error *cause)
{
    struct gw_invocation *v = arg;
    struct gw_shard *s = v->r.shard;
    const struct faas_fn *fn = faas_snapshot_find(s->table, v->name, v->ns);
    struct faas_endpoint *other;

    (void)cause;
    gw_eject(s, v->endpoint);
    if (!fn || ++v->connects >= GW_MAX_CONNECTS)
        return NULL;
    other = gw_balance(s, fn, v->endpoint);
    if (!other || other == v->endpoint) {
        faas_endpoint_unref(other);
        return NULL;
    }
    enter_endpoint(v, other);
    return &v->endpoint->addr;
}

static const struct faas_exchange_ops exchange_ops = {
    .on_head = on_function_head,
    .on_body = on_function_body,
    .on_end = on_function_end,
    .on_error = on_function_error,
    .on_writable = on_function_writable,
    .on_peer_end = on_function_half_end,
    .on_connect_failed = on_connect_failed,
};

static const struct faas_http_req_ops client_ops = {
    .on_body = on_client_body,
    .on_body_end = on_client_body_end,
    .on_drain = on_client_drain,
    .on_done = finish,
};

/* --- the beginning --- */

static void forward(struct gw_invocation *v, const struct faas_fn *fn)
{
    struct gw_shard *s = v->r.shard;
    struct faas_exchange_req req = {
        .body = gw_forward_body_kind(v->r.head),
        .is_head = faas_str_eq(v->r.head->method, FAAS_STR("HEAD")),
        .idempotent = faas_http_is_idempotent(v->r.head->method),
    };

    v->timeout_ms = gw_call_timeout_ms(s->gw->cfg, fn);
    req.head_timeout_ms = req.total_timeout_ms = v->timeout_ms;
    enter_endpoint(v, gw_balance(s, fn, NULL));
    req.addr = &v->endpoint->addr;
    faas_buf_clear(&s->scratch);
    gw_forward_request(&s->scratch, &v->r, faas_str_from(faas_http_req_peer(v->r.http)));
    req.head = faas_buf_str(&s->scratch);

    v->exchange = faas_exchange_start(s->upstream, &req, &exchange_ops, v);
    if (v->upload_done)
        faas_exchange_end(v->exchange);
    resume_upload(v);
    progressed(v);
    watch(v);
}

static void wait_over(void *arg)
{
    struct gw_invocation *v = arg;
    const struct faas_fn *fn = faas_snapshot_find(v->r.shard->table, v->name, v->ns);
    struct faas_error err;
    char limit[32];

    format_ms(v->r.shard->gw->cfg->scale_timeout_ms, limit);
    if (fn && fn->reason) {
        faas_fail(&err, FAAS_ERR_UNAVAILABLE,
                  "no replica is ready after scale_from_zero_timeout=%s: %s", limit, fn->reason);
        fail_with(v, &err, 503, "Retry-After", "5");
        return;
    }
    faas_fail(&err, FAAS_ERR_TIMEOUT, "no replica became ready within scale_from_zero_timeout=%s",
              limit);
    fail(v, &err);
}

static void wait_for_replica(struct gw_invocation *v, const struct faas_fn *fn)
{
    struct gw_shard *s = v->r.shard;
    struct faas_error err;

    if (fn->desired == 0 && !s->gw->cfg->scale_from_zero) {
        faas_fail(&err, FAAS_ERR_UNAVAILABLE,
                  "the function is scaled to zero and scale_from_zero is off");
        fail_with(v, &err, 503, "Retry-After", "5");
        return;
    }
    if (gw_scale_join(v, fn, &err) < 0) {
        fail_with(v, &err, 503, "Retry-After", "1");
        return;
    }
    faas_timer_start(s->loop, &v->watch, s->gw->cfg->scale_timeout_ms, wait_over, v);
}

void gw_invocation_wake(struct gw_invocation *v, const struct faas_error *cause)
{
    const struct faas_fn *fn = faas_snapshot_find(v->r.shard->table, v->name, v->ns);
    struct faas_error err;

    if (cause) {
        faas_fail(&err, FAAS_ERR_UNAVAILABLE, "the function could not be started: %s", cause->msg);
        fail_with(v, &err, 503, "Retry-After", "5");
    } else if (!fn) {
        faas_fail(&err, FAAS_ERR_NOT_FOUND, "the function was removed while the call waited");
        fail(v, &err);
    } else if (fn->n_endpoints > 0) {
        gw_scale_leave(v);
        faas_timer_stop(v->r.shard->loop, &v->watch);
        forward(v, fn);
    }
}

static bool admit(struct gw_invocation *v, const struct faas_fn *fn)
{
    int64_t limit = gw_inflight_limit(v->r.shard->gw->cfg, fn);
    unsigned before = atomic_fetch_add_explicit(&v->stats->in_flight, 1, memory_order_relaxed);
    struct faas_error err;

    v->admitted = true;
    gw_fn_stats_started(v->stats);
    if (limit <= 0 || before < (uint64_t)limit)
        return true;
    faas_fail(&err, FAAS_ERR_TOO_MANY,
              "%lld calls are in flight, as many as com.openfaas.max_inflight or "
              "max_inflight_per_function allows",
              (long long)limit);
    gw_reply_error_with(&v->r, &err, 429, "Retry-After", "1");
    return false;
}

static void invoke(struct gw_request *request, const struct gw_action *self)
{
    struct gw_shard *s = request->shard;
    struct faas_arena *arena = faas_http_req_arena(request->http);
    struct gw_invocation *v = faas_arena_zalloc(arena, sizeof(*v));
    const struct faas_fn *fn;
    struct gw_fn_name name;
    struct faas_error err;

    (void)self;
    v->r = *request;
    faas_http_req_attach(v->r.http, &client_ops, v);
    faas_list_init(&v->waiting);

    if (gw_fn_name_parse(v->r.match.params[0], faas_str_from(s->gw->cfg->function_namespace), &name,
                         &err) < 0) {
        gw_reply_error(&v->r, &err);
        return;
    }
    v->name = name.name;
    v->ns = name.ns;
    fn = faas_snapshot_find(s->table, name.name, name.ns);
    if (!fn) {
        faas_fail(&err, FAAS_ERR_NOT_FOUND, "function %.*s.%.*s is not deployed",
                  FAAS_STR_FMT(name.name), FAAS_STR_FMT(name.ns));
        gw_reply_error(&v->r, &err);
        return;
    }
    v->stats = fn->user;
    v->r.function = faas_str_from(v->stats->key);
    if (!admit(v, fn))
        return;
    faas_http_req_no_read_timeout(v->r.http);
    faas_http_req_no_write_timeout(v->r.http);
    if (fn->n_endpoints > 0)
        forward(v, fn);
    else
        wait_for_replica(v, fn);
}

const struct gw_action gw_invoke_action = {.auth = GW_AUTH_NONE, .handle = invoke};
