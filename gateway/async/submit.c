/* POST /async-function/NAME: the whole body, then Redis, then 202. Never a 202 before. */
#include "gateway/async/async.h"

#include "gateway/async/request.h"
#include "gateway/fn_name.h"
#include "libfaas/alloc.h"
#include "libfaas/crypto.h"

#include <stdlib.h>

enum {
    MAX_KEY = 256, /* of an Idempotency-Key */
    /* An id of the client's may be taken by another call of its own; ours are not. */
    MAX_IDS = 2,
    /* X-Call-Id and User-Agent at their longest, which a worker adds. */
    ADDED_HEAD = 512,
};

/* Outlives the request while Redis is asked. */
struct submission {
    struct gw_request *r; /* NULL: the client has left */
    struct gw *gw;
    char *function, *queue, *callback, *same_key;
    char id[MAX_KEY + 1];
    bool id_is_new; /* not the client's */
    int64_t delay_ms;
    struct faas_buf head, body, policy;
    unsigned ids;
    bool asking, refused, queue_is_new;
};

static void submission_free(struct submission *s)
{
    free(s->function);
    free(s->queue);
    free(s->callback);
    free(s->same_key);
    faas_buf_deinit(&s->head);
    faas_buf_deinit(&s->body);
    faas_buf_deinit(&s->policy);
    free(s);
}

static void count(const struct submission *s, const char *outcome)
{
    const char *labels[] = {s->queue ? s->queue : "", outcome};

    faas_counter_add(faas_counter(s->gw->async->submitted, labels), 1);
}

static void refuse_with(struct submission *s, const struct faas_error *err, int status)
{
    bool again = err->code == FAAS_ERR_UNAVAILABLE;

    s->refused = true;
    faas_buf_deinit(&s->body);
    count(s, again ? "unavailable" : "refused");
    gw_reply_error_with(s->r, err, status, again ? "Retry-After" : NULL, "1");
}

static void refuse(struct submission *s, const struct faas_error *err)
{
    refuse_with(s, err, faas_code_http_status(err->code));
}

static void accept_call(struct submission *s, struct faas_str id, bool is_new)
{
    struct faas_http_header headers[4] = {
        {FAAS_STR("X-Call-Id"), id},
        {FAAS_STR("X-Start-Time"), faas_str_from(s->r->start_time)},
        {FAAS_STR("X-Served-By"), faas_str_from(s->gw->served_by)},
        {FAAS_STR("Idempotency-Replayed"), FAAS_STR("true")},
    };

    count(s, is_new ? "accepted" : "same");
    s->r->status = 202;
    s->r->call_id = faas_arena_str(faas_http_req_arena(s->r->http), id); /* for the log */
    faas_http_reply(s->r->http, 202, headers, is_new ? 3 : 4, FAAS_STR(""));
}

static void ask(struct submission *s);

static void new_id(struct submission *s)
{
    faas_uuid(s->id);
    s->id_is_new = true;
    s->ids++;
}

static void on_submitted(void *arg, enum gw_store_result result, struct faas_str id, bool is_new,
                         const struct faas_error *err)
{
    struct submission *s = arg;

    s->asking = false;
    if (result == GW_ASYNC_LOST && s->r) {
        s->queue_is_new = true;
        ask(s);
        return;
    }
    if (result == GW_ASYNC_OK && !id.len && s->r && s->ids < MAX_IDS) {
        new_id(s);
        ask(s);
        return;
    }
    if (!s->r) {
        count(s, result == GW_ASYNC_OK ? "accepted" : "unavailable");
        submission_free(s);
    } else if (result == GW_ASYNC_OK && id.len) {
        accept_call(s, id, is_new);
    } else {
        struct faas_error why = {0};

        if (err)
            why = *err;
        else
            faas_fail(&why, FAAS_ERR_INTERNAL, "no call id is free");
        gw_async_explain(&why, "the call was not queued");
        refuse(s, &why);
    }
}

/* The front door would refuse it each time that it is made. */
static void refuse_head(struct submission *s)
{
    struct faas_error err;

    faas_fail(&err, FAAS_ERR_TOO_LARGE,
              "the headers, and the %d bytes that may be added to them, are larger than "
              "max_header_size=%lld",
              ADDED_HEAD, (long long)s->gw->cfg->max_header_size);
    refuse_with(s, &err, 431);
}

static void ask(struct submission *s)
{
    const struct gw_async_config *cfg = &s->gw->cfg->async;
    struct gw_submission sub = {
        .id = faas_str_from(s->id),
        .id_is_new = s->id_is_new,
        .queue_is_new = s->queue_is_new,
        .function = faas_str_from(s->function),
        .queue = faas_str_from(s->queue),
        .body = faas_buf_str(&s->body),
        .spill = s->body.len > (size_t)cfg->inline_body_size,
        .policy = faas_buf_str(&s->policy),
        .callback = faas_str_from(s->callback),
        .delay_ms = s->delay_ms,
        .same_key = faas_str_from(s->same_key),
        .same_ttl_ms = cfg->idempotency_ms,
        .now_ms = gw_async_now_ms(s->gw),
    };

    s->head.len = 0;
    gw_async_request_head(&s->head, s->r, sub.function, s->body.len);
    if (s->head.len + ADDED_HEAD > (size_t)s->gw->cfg->max_header_size) {
        refuse_head(s);
        return;
    }
    sub.request = faas_buf_str(&s->head);
    s->asking = true;
    gw_store_submit(&s->r->shard->async->store, &sub, on_submitted, s);
}

/* --- what the client asks for --- */

static int find_function(struct submission *s, struct faas_error *err)
{
    const struct gw_config *cfg = s->gw->cfg;
    struct gw_fn_name name;
    struct gw_retry_policy policy;
    const struct faas_fn *fn;

    if (gw_fn_name_parse(s->r->match.params[0], faas_str_from(cfg->function_namespace), &name,
                         err) < 0)
        return -1;
    fn = faas_snapshot_find(s->r->shard->table, name.name, name.ns);
    if (!fn)
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "function %.*s.%.*s does not exist",
                         FAAS_STR_FMT(name.name), FAAS_STR_FMT(name.ns));
    s->function = faas_strdup(fn->key);
    s->r->function = faas_arena_str(faas_http_req_arena(s->r->http), faas_str_from(fn->key));
    s->queue = faas_str_dup(gw_async_queue(s->gw, fn));
    policy = s->gw->async->retry;
    gw_retry_annotate(&policy, &fn->annotations, NULL);
    gw_retry_format(&policy, &s->policy);
    return 0;
}

static int read_callback(struct submission *s, struct faas_str url, struct faas_error *err)
{
    struct faas_str host;

    if (!url.len)
        return 0;
    if (!gw_url_host(url, &host))
        return faas_fail(err, FAAS_ERR_INVALID,
                         "X-Callback-Url is no http:// or https:// URL with a host");
    if (!gw_host_policy_allows(s->gw->async->callbacks, host))
        return faas_fail(err, FAAS_ERR_INVALID,
                         "X-Callback-Url: callback_allow and callback_deny forbid the host %.*s",
                         FAAS_STR_FMT(host));
    s->callback = faas_str_dup(url);
    return 0;
}

static int read_delay(struct submission *s, struct faas_str value, struct faas_error *err)
{
    int64_t max_ms = s->gw->cfg->async.max_delay_ms;
    uint64_t seconds;

    if (!value.ptr)
        return 0;
    if (faas_parse_u64(value, &seconds, NULL) < 0 || seconds > (uint64_t)max_ms / 1000)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "X-Delay-Seconds is no whole number from 0 to %lld (async_max_delay)",
                         (long long)(max_ms / 1000));
    s->delay_ms = (int64_t)seconds * 1000;
    return 0;
}

static int read_headers(struct submission *s, struct faas_error *err)
{
    const struct faas_http_head *head = s->r->head;
    struct faas_str key =
        faas_http_value(head->headers, head->n_headers, FAAS_STR("Idempotency-Key"));

    if (key.len > MAX_KEY)
        return faas_fail(err, FAAS_ERR_INVALID, "Idempotency-Key is longer than %d bytes", MAX_KEY);
    if (key.len)
        s->same_key = faas_str_dup(key);
    if (read_callback(s,
                      faas_http_value(head->headers, head->n_headers, FAAS_STR("X-Callback-Url")),
                      err) < 0)
        return -1;
    return read_delay(
        s, faas_http_value(head->headers, head->n_headers, FAAS_STR("X-Delay-Seconds")), err);
}

/* The call is made by way of the front door, whose limit holds as well. */
static bool is_narrower_at_the_door(const struct gw_config *cfg)
{
    return cfg->max_body_size > 0 && cfg->max_body_size < cfg->async.max_body_size;
}

static int64_t max_body(const struct submission *s)
{
    const struct gw_config *cfg = s->gw->cfg;

    return is_narrower_at_the_door(cfg) ? cfg->max_body_size : cfg->async.max_body_size;
}

static int fail_too_large(const struct submission *s, struct faas_error *err)
{
    if (is_narrower_at_the_door(s->gw->cfg))
        return faas_fail(err, FAAS_ERR_TOO_LARGE, "the body is larger than max_body_size=%lld",
                         (long long)max_body(s));
    return faas_fail(err, FAAS_ERR_TOO_LARGE,
                     "the body is larger than async_max_body_size=%lld: call /function/ instead, "
                     "which streams",
                     (long long)max_body(s));
}

/* --- the request --- */

static size_t on_body(void *arg, struct faas_str data)
{
    struct submission *s = arg;
    struct faas_error err;

    s->r->bytes_in += data.len;
    if (s->refused)
        return data.len;
    if (s->body.len + data.len > (size_t)max_body(s)) {
        fail_too_large(s, &err);
        refuse(s, &err);
    } else {
        faas_buf_append_str(&s->body, data);
    }
    return data.len;
}

static void on_body_end(void *arg)
{
    struct submission *s = arg;

    if (!s->refused)
        ask(s);
}

static void on_done(void *arg, const struct faas_error *err)
{
    struct submission *s = arg;

    gw_request_done(s->r, err);
    s->r = NULL;
    if (!s->asking)
        submission_free(s);
}

static const struct faas_http_req_ops ops = {
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_done = on_done,
};

static void submit_handle(struct gw_request *r, const struct gw_action *self)
{
    struct submission *s;
    struct faas_error err;

    (void)self;
    if (!r->shard->async) {
        faas_fail(&err, FAAS_ERR_UNSUPPORTED,
                  "asynchronous calls are off: the gateway has no redis_url");
        gw_reply_error(r, &err);
        return;
    }
    s = faas_new(struct submission);
    s->r = r;
    s->gw = r->shard->gw;
    memcpy(s->id, r->call_id.ptr, FAAS_MIN(r->call_id.len, sizeof(s->id) - 1));
    s->id_is_new = r->call_id_is_new;
    faas_http_req_attach(r->http, &ops, s);
    if (find_function(s, &err) < 0 || read_headers(s, &err) < 0)
        refuse(s, &err);
    else if (r->head->content_length > max_body(s)) {
        fail_too_large(s, &err);
        refuse(s, &err);
    }
}

const struct gw_action gw_async_submit_action = {.handle = submit_handle};
