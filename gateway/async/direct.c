#include "gateway/async/direct.h"

#include "gateway/balance.h"
#include "gateway/calling.h"
#include "gateway/fn_name.h"
#include "gateway/forward.h"
#include "gateway/invoke.h"
#include "gateway/routes.h"
#include "libfaas/alloc.h"
#include "libfaas/version.h"

#include <stdlib.h>

enum { MAX_HEADERS = 256 };

struct gw_direct {
    struct gw_request r;
    struct faas_http_head head;
    struct gw_fn_name name;
    struct faas_arena arena; /* holds the head */
    struct gw_fn_stats *stats;
    struct faas_endpoint *endpoint; /* reference, counted in its in_flight */
    struct faas_exchange *exchange;
    unsigned connects; /* failed */
    int64_t timeout_ms;
    bool answering;
    struct faas_timer watch; /* of the answer's progress */
    int64_t progress_ms;
    const struct faas_exchange_ops *ops;
    void *arg;
};

static struct gw_shard *shard_of(const struct gw_direct *d)
{
    return d->r.shard;
}

static const struct gw_config *config_of(const struct gw_direct *d)
{
    return d->r.shard->gw->cfg;
}

/* --- the end --- */

static void leave_endpoint(struct gw_direct *d)
{
    if (!d->endpoint)
        return;
    atomic_fetch_sub_explicit(&d->endpoint->in_flight, 1, memory_order_relaxed);
    faas_endpoint_unref(d->endpoint);
    d->endpoint = NULL;
}

static void enter_endpoint(struct gw_direct *d, struct faas_endpoint *e /* takes */)
{
    leave_endpoint(d);
    d->endpoint = e;
    d->r.instance = e->instance;
    atomic_fetch_add_explicit(&e->in_flight, 1, memory_order_relaxed);
}

static void direct_free(struct gw_direct *d)
{
    leave_endpoint(d);
    faas_arena_deinit(&d->arena);
    free(d);
}

/* Counts and writes the record, which names the endpoint. */
static void finish(struct gw_direct *d, const struct faas_error *err)
{
    const struct faas_clock *clock = shard_of(d)->gw->clock;

    faas_timer_stop(shard_of(d)->loop, &d->watch);
    atomic_fetch_sub_explicit(&d->stats->in_flight, 1, memory_order_relaxed);
    gw_fn_stats_finished(d->stats, d->r.status, clock->monotonic_ns(clock->self) - d->r.start_ns);
    gw_request_done(&d->r, err);
    direct_free(d);
}

void gw_direct_cancel(struct gw_direct *d)
{
    struct faas_error err;

    faas_exchange_cancel(d->exchange);
    if (!d->r.status)
        d->r.status = 499; /* as if a client had left */
    faas_fail(&err, FAAS_ERR_UNAVAILABLE, "the call was ended");
    finish(d, &err);
}

/* --- the answer --- */

static void on_watch(void *arg)
{
    struct gw_direct *d = arg;
    const struct faas_exchange_ops *ops = d->ops;
    void *ops_arg = d->arg;
    int64_t limit_ms = config_of(d)->stream_idle_timeout_ms;
    int64_t left_ms = limit_ms - (faas_loop_now_ms(shard_of(d)->loop) - d->progress_ms);
    struct faas_error err;
    char limit[32];

    if (left_ms > 0) {
        faas_timer_start(shard_of(d)->loop, &d->watch, left_ms, on_watch, d);
        return;
    }
    faas_format_go_duration(limit_ms * 1000000, limit);
    faas_fail(&err, FAAS_ERR_TIMEOUT,
              "the function sent nothing for longer than stream_idle_timeout=%s", limit);
    faas_exchange_cancel(d->exchange);
    finish(d, &err);
    ops->on_error(ops_arg, FAAS_PHASE_BODY, &err);
}

/* From here on progress counts, not length. */
static void on_head(void *arg, const struct faas_http_response_head *head)
{
    struct gw_direct *d = arg;
    struct faas_http_response_head ours = *head;
    struct gw_shard *s = shard_of(d);

    ours.headers = gw_forward_response(&d->arena, &d->r, head, &ours.n_headers);
    d->r.status = head->status;
    d->answering = true;
    faas_exchange_no_timeout(d->exchange);
    d->progress_ms = faas_loop_now_ms(s->loop);
    faas_timer_start(s->loop, &d->watch, config_of(d)->stream_idle_timeout_ms, on_watch, d);
    d->ops->on_head(d->arg, &ours);
}

static size_t on_body(void *arg, struct faas_str data)
{
    struct gw_direct *d = arg;

    d->r.bytes_out += data.len;
    d->progress_ms = faas_loop_now_ms(shard_of(d)->loop);
    d->ops->on_body(d->arg, data);
    return data.len;
}

static void on_end(void *arg)
{
    struct gw_direct *d = arg;
    const struct faas_exchange_ops *ops = d->ops;
    void *ops_arg = d->arg;

    finish(d, NULL);
    ops->on_end(ops_arg);
}

/* What a client would be told. */
static void refuse(struct gw_direct *d, const struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf body = {0};
    const struct faas_http_header headers[] = {
        {FAAS_STR("Content-Type"), FAAS_STR("application/json")},
        {FAAS_STR("X-OpenFaaS-Internal"), FAAS_STR("gateway")},
        {FAAS_STR("X-Call-Id"), d->r.call_id},
        {FAAS_STR("X-Start-Time"), faas_str_from(d->r.start_time)},
    };
    const struct faas_http_response_head head = {
        .status = faas_code_http_status(err->code),
        .headers = headers,
        .n_headers = FAAS_ARRAY_LEN(headers),
    };

    gw_error_body(&body, &d->r, err);
    d->r.status = head.status;
    d->r.bytes_out = body.len;
    d->ops->on_head(d->arg, &head);
    d->ops->on_body(d->arg, faas_buf_str(&body));
}

static void on_error(void *arg, enum faas_http_phase phase, const struct faas_error *cause)
{
    struct gw_direct *d = arg;
    const struct faas_exchange_ops *ops = d->ops;
    void *ops_arg = d->arg;
    bool answering = d->answering;
    struct faas_error err;

    gw_explain_no_answer(&err, config_of(d), d->timeout_ms, phase, cause);
    if (!answering)
        refuse(d, &err);
    d->r.error = faas_arena_str(&d->arena, faas_str_from(err.msg));
    finish(d, answering ? &err : NULL);
    if (answering)
        ops->on_error(ops_arg, FAAS_PHASE_BODY, &err);
    else
        ops->on_end(ops_arg);
}

static const struct faas_addr *on_connect_failed(void *arg, const struct faas_error *cause)
{
    struct gw_direct *d = arg;
    struct gw_shard *s = shard_of(d);
    const struct faas_fn *fn = faas_snapshot_find(s->table, d->name.name, d->name.ns);
    struct faas_endpoint *other;

    (void)cause;
    gw_eject(s, d->endpoint);
    if (!fn || ++d->connects >= GW_MAX_CONNECTS)
        return NULL;
    other = gw_balance(s, fn, d->endpoint);
    if (!other || other == d->endpoint) {
        faas_endpoint_unref(other);
        return NULL;
    }
    enter_endpoint(d, other);
    return &d->endpoint->addr;
}

static const struct faas_exchange_ops exchange_ops = {
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_error = on_error,
    .on_connect_failed = on_connect_failed,
};

/* --- the beginning --- */

/* "Name: value\r\n"…, in the arena. */
static bool read_headers(struct gw_direct *d, struct faas_str lines)
{
    struct faas_http_header *headers = faas_arena_alloc(&d->arena, MAX_HEADERS * sizeof(*headers));
    size_t n = 0;

    headers[n++] = (struct faas_http_header){
        FAAS_STR("User-Agent"),
        faas_str_from(faas_arena_printf(&d->arena, "queue-worker/%s", faas_version()))};
    while (lines.ptr && lines.len) {
        struct faas_str value = faas_str_split(&lines, '\n');
        struct faas_str name = faas_str_split(&value, ':');

        if (n == MAX_HEADERS || !value.ptr)
            return false;
        headers[n++] = (struct faas_http_header){name, faas_str_trim(value)};
    }
    d->head.headers = headers;
    d->head.n_headers = n;
    return true;
}

/* "POST /function/NAME/path?query HTTP/1.1\r\n" and the headers. */
static bool read_request(struct gw_direct *d, struct faas_str text)
{
    struct faas_str rest = faas_arena_str(&d->arena, text);
    struct faas_str line = faas_str_split(&rest, '\n');
    char allowed[64];

    d->head.method = faas_str_split(&line, ' ');
    d->head.target = faas_str_split(&line, ' ');
    d->head.query = d->head.target;
    d->head.path = faas_str_split(&d->head.query, '?');
    if (!line.ptr || !read_headers(d, rest))
        return false;
    return faas_router_match(gw_routes, gw_n_routes, d->head.method, d->head.path, &d->r.match,
                             allowed, NULL) == 0 &&
           d->r.match.route->handler == &gw_invoke_action;
}

/* Only what would go straight to a replica is for us. */
static const struct faas_fn *find(struct gw_direct *d)
{
    const struct gw_config *cfg = config_of(d);
    const struct faas_fn *fn;

    if (!shard_of(d)->table ||
        (cfg->max_body_size > 0 && d->head.content_length > cfg->max_body_size) ||
        gw_fn_name_parse(d->r.match.params[0], faas_str_from(cfg->function_namespace), &d->name,
                         NULL) < 0)
        return NULL;
    fn = faas_snapshot_find(shard_of(d)->table, d->name.name, d->name.ns);
    return fn && fn->n_endpoints > 0 ? fn : NULL;
}

static bool admit(struct gw_direct *d, const struct faas_fn *fn)
{
    int64_t limit = gw_inflight_limit(config_of(d), fn);
    unsigned before;

    d->stats = fn->user;
    before = atomic_fetch_add_explicit(&d->stats->in_flight, 1, memory_order_relaxed);
    if (limit > 0 && before >= (uint64_t)limit) {
        atomic_fetch_sub_explicit(&d->stats->in_flight, 1, memory_order_relaxed);
        return false;
    }
    gw_fn_stats_started(d->stats);
    return true;
}

static void identify(struct gw_direct *d)
{
    const struct faas_clock *clock = shard_of(d)->gw->clock;

    d->r.head = &d->head;
    d->r.function = faas_str_from(d->stats->key);
    d->r.start_ns = clock->monotonic_ns(clock->self);
    faas_format_u64((uint64_t)clock->realtime_ns(clock->self), d->r.start_time);
}

static void forward(struct gw_direct *d, const struct faas_fn *fn, struct faas_str body)
{
    struct gw_shard *s = shard_of(d);
    struct faas_exchange_req req = {.body = gw_forward_body_kind(&d->head)};

    d->timeout_ms = gw_call_timeout_ms(config_of(d), fn);
    req.head_timeout_ms = req.total_timeout_ms = d->timeout_ms;
    enter_endpoint(d, gw_balance(s, fn, NULL));
    req.addr = &d->endpoint->addr;
    faas_buf_clear(&s->scratch);
    gw_forward_request(&s->scratch, &d->r, FAAS_STR("127.0.0.1:0"));
    req.head = faas_buf_str(&s->scratch);
    d->exchange = faas_exchange_start(s->upstream, &req, &exchange_ops, d);
    if (body.len)
        faas_exchange_write(d->exchange, body);
    faas_exchange_end(d->exchange);
}

struct gw_direct *gw_direct_start(struct gw_shard *s, struct faas_str request, struct faas_str body,
                                  struct faas_str id, const struct faas_exchange_ops *ops,
                                  void *arg)
{
    struct gw_direct *d = faas_new(struct gw_direct);
    const struct faas_fn *fn;

    d->r.shard = s;
    d->r.call_id = faas_arena_str(&d->arena, id);
    d->r.call_id_is_new = true; /* the head does not have it */
    d->ops = ops;
    d->arg = arg;
    d->head.content_length = (int64_t)body.len;
    d->head.received_ms = faas_loop_now_ms(s->loop);
    d->r.bytes_in = body.len;
    fn = read_request(d, request) ? find(d) : NULL;
    if (!fn || !admit(d, fn)) {
        direct_free(d);
        return NULL;
    }
    identify(d);
    forward(d, fn, body);
    return d;
}
