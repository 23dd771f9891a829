/* What became of a call: its state, its result, its end. */
#include "gateway/async/inquiry.h"

#include <stdlib.h>

enum {
    MAX_WAIT_MS = 10 * 60 * 1000,
    FIRST_LOOK_MS = 20, /* then twice as long each time */
    LAST_LOOK_MS = 500,
};

/* The hash of a call as gw_store_get() gives it. */
static struct faas_str field(const struct faas_redis_reply *hash, const char *name)
{
    for (size_t i = 0; i + 1 < faas_redis_len(hash); i += 2)
        if (faas_str_eqz(faas_redis_str(faas_redis_at(hash, i)), name))
            return faas_redis_str(faas_redis_at(hash, i + 1));
    return (struct faas_str){0};
}

static bool is_over(const struct faas_redis_reply *hash)
{
    struct faas_str state = field(hash, "s");

    return faas_str_eqz(state, "done") || faas_str_eqz(state, "dead") ||
           faas_str_eqz(state, "cancelled");
}

static void set_text(json_t *to, const char *key, struct faas_str value)
{
    if (value.len)
        json_object_set_new(to, key, faas_json_string(value));
}

static void set_number(json_t *to, const char *key, struct faas_str value)
{
    int64_t n;

    if (value.len && faas_parse_i64(value, &n, NULL) == 0)
        json_object_set_new(to, key, json_integer(n));
}

/* n is the next attempt's number as long as none runs. */
static void set_attempts(json_t *to, const struct faas_redis_reply *hash, const json_t *history)
{
    struct faas_str state = field(hash, "s");
    bool waits = faas_str_eqz(state, "queued") || faas_str_eqz(state, "delayed");
    int64_t n = 1;

    if (field(hash, "n").len && faas_parse_i64(field(hash, "n"), &n, NULL) < 0)
        return;
    if (field(hash, "cbs").len)
        n = gw_inquiry_attempts(history, n);
    json_object_set_new(to, "attempts", json_integer(waits ? n - 1 : n));
}

static json_t *describe(const char *id, const struct faas_redis_reply *hash)
{
    struct faas_str callback = field(hash, "cbs");
    json_t *o = json_object(), *history = gw_inquiry_history(field(hash, "h")), *last;

    json_object_set_new(o, "callId", faas_json_string(faas_str_from(id)));
    set_text(o, "function", field(hash, "f"));
    set_text(o, "queue", field(hash, "q"));
    set_text(o, "state", field(hash, "s"));
    set_attempts(o, hash, history);
    if (!faas_str_eqz(field(hash, "st"), "0")) /* cancelled: there was no answer */
        set_number(o, "status", field(hash, "st"));
    set_text(o, "reason", field(hash, "why"));
    gw_inquiry_time(o, "submittedAt", field(hash, "t"));
    gw_inquiry_time(o, "startedAt", field(hash, "at"));
    gw_inquiry_time(o, "dueAt", field(hash, "due"));
    gw_inquiry_time(o, "finishedAt", field(hash, "fin"));
    if (callback.len)
        set_text(o, "callback", faas_str_eqz(callback, "due") ? FAAS_STR("pending") : callback);
    if (!is_over(hash) && faas_str_eqz(field(hash, "x"), "1"))
        json_object_set_new(o, "cancelling", json_true());
    last = json_array_get(history, json_array_size(history) - 1);
    if (is_over(hash) && json_is_true(json_object_get(last, "truncated")))
        json_object_set_new(o, "truncated", json_true());
    json_object_set_new(o, "history", history);
    return o;
}

/* --- the status --- */

static bool goes_on_waiting(const struct gw_inquiry *q)
{
    return faas_loop_now_ms(q->loop) < q->until_ms && !atomic_load(&q->gw->draining);
}

static void look(void *arg);

static void on_status(void *arg, const struct faas_redis_reply *hash, const struct faas_error *err)
{
    struct gw_inquiry *q = arg;

    if (!gw_inquiry_back(q))
        return;
    if (err) {
        gw_inquiry_fail(q, err);
    } else if (faas_redis_len(hash) == 0) {
        gw_inquiry_error(q, FAAS_ERR_NOT_FOUND,
                         "no such call: it was never queued, or its time is over "
                         "(async_result_ttl, async_dead_ttl)");
    } else if (!is_over(hash) && goes_on_waiting(q)) {
        q->total = q->total ? FAAS_MIN(2 * q->total, (int64_t)LAST_LOOK_MS) : FIRST_LOOK_MS;
        faas_timer_start(q->loop, &q->timer, q->total, look, q);
    } else {
        gw_inquiry_json(q, 200, describe(q->name, hash));
    }
}

static void look(void *arg)
{
    struct gw_inquiry *q = arg;

    q->asking = true;
    gw_store_get(q->store, faas_str_from(q->name), gw_async_now_ms(q->gw), on_status, q);
}

static void begin_status(struct gw_inquiry *q)
{
    const char *wait = gw_inquiry_query(q, "wait");
    int64_t ms = 0;

    if (wait && (faas_parse_duration(faas_str_from(wait), &ms, NULL) < 0 || ms > MAX_WAIT_MS)) {
        gw_inquiry_error(q, FAAS_ERR_INVALID, "wait is no duration up to 10m, such as 30s");
        return;
    }
    q->until_ms = faas_loop_now_ms(q->loop) + ms;
    if (ms) /* longer than the server lets others take */
        faas_http_req_no_write_timeout(q->r->http);
    look(q);
}

static void status_handle(struct gw_request *r, const struct gw_action *self)
{
    (void)self;
    gw_inquiry_start(r, begin_status);
}

/* --- the result: the function's own answer --- */

static void on_result(void *arg, const struct faas_redis_reply *body, const struct faas_error *err)
{
    struct gw_inquiry *q = arg;

    if (!gw_inquiry_back(q))
        return;
    if (err) {
        gw_inquiry_fail(q, err);
        return;
    }
    if (faas_redis_is_null(body)) {
        gw_inquiry_error(q, FAAS_ERR_NOT_FOUND,
                         "there is no result: the call is not over, or was cancelled, or its time "
                         "is over (async_result_ttl)");
        return;
    }
    gw_reply(q->r, 200, "application/octet-stream", faas_redis_str(body));
}

static void begin_result(struct gw_inquiry *q)
{
    q->asking = true;
    gw_store_get_result(q->store, faas_str_from(q->name), on_result, q);
}

static void result_handle(struct gw_request *r, const struct gw_action *self)
{
    (void)self;
    gw_inquiry_start(r, begin_result);
}

/* --- the end --- */

static void on_cancelled(void *arg, int64_t n, const struct faas_error *err)
{
    struct gw_inquiry *q = arg;

    if (!gw_inquiry_back(q))
        return;
    if (err)
        gw_inquiry_fail(q, err);
    else if (n == 0)
        gw_inquiry_error(q, FAAS_ERR_NOT_FOUND, "no such call");
    else if (n == 2)
        gw_inquiry_error(q, FAAS_ERR_CONFLICT, "the call is over already");
    else
        gw_reply(q->r, 202, NULL, FAAS_STR(""));
}

static void begin_cancel(struct gw_inquiry *q)
{
    q->asking = true;
    gw_store_cancel(q->store, faas_str_from(q->name), q->gw->cfg->async.result_ms,
                    gw_async_now_ms(q->gw), on_cancelled, q);
}

static void cancel_handle(struct gw_request *r, const struct gw_action *self)
{
    (void)self;
    gw_inquiry_start(r, begin_cancel);
}

const struct gw_action gw_async_status_action = {.auth = GW_AUTH_BASIC, .handle = status_handle};
const struct gw_action gw_async_result_action = {.auth = GW_AUTH_BASIC, .handle = result_handle};
const struct gw_action gw_async_cancel_action = {.auth = GW_AUTH_BASIC, .handle = cancel_handle};
