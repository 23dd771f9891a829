#include "gateway/async/inquiry.h"

#include "libfaas/alloc.h"

#include <stdlib.h>

enum { MAX_NAME = 256 };

static void inquiry_free(struct gw_inquiry *q)
{
    faas_timer_stop(q->loop, &q->timer);
    free(q->name);
    free(q);
}

static size_t on_body(void *arg, struct faas_str data)
{
    (void)arg;
    return data.len;
}

static void on_body_end(void *arg)
{
    struct gw_inquiry *q = arg;

    if (q->begin)
        q->begin(q);
}

static void on_done(void *arg, const struct faas_error *err)
{
    struct gw_inquiry *q = arg;

    gw_request_done(q->r, err);
    q->r = NULL;
    if (!q->asking)
        inquiry_free(q);
}

static const struct faas_http_req_ops ops = {
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_done = on_done,
};

/* Names become parts of keys; beyond that they are only compared. */
static int read_names(struct gw_inquiry *q, struct faas_error *err)
{
    struct faas_str raw = q->r->match.params[0], name;

    /* What follows would take a pair that cannot be read for none, and none may mean "all". */
    if (!faas_url_decode(faas_http_req_arena(q->r->http), q->r->head->query, &name))
        return faas_fail(err, FAAS_ERR_INVALID, "the query holds a %% without two hex digits");
    if (!raw.ptr)
        return 0;
    if (!faas_url_decode(faas_http_req_arena(q->r->http), raw, &name) || name.len == 0 ||
        name.len > MAX_NAME)
        return faas_fail(err, FAAS_ERR_INVALID, "\"%.*s\" is no name",
                         (int)FAAS_MIN(raw.len, (size_t)80), raw.ptr);
    q->name = faas_str_dup(name);
    return 0;
}

struct gw_inquiry *gw_inquiry_start(struct gw_request *r, void (*begin)(struct gw_inquiry *q))
{
    struct gw_inquiry *q;
    struct faas_error err;

    if (!r->shard->async) {
        faas_fail(&err, FAAS_ERR_UNSUPPORTED,
                  "asynchronous calls are off: the gateway has no redis_url");
        gw_reply_error(r, &err);
        return NULL;
    }
    q = faas_new(struct gw_inquiry);
    q->r = r;
    q->gw = r->shard->gw;
    q->store = &r->shard->async->store;
    q->loop = r->shard->loop;
    q->begin = begin;
    faas_http_req_attach(r->http, &ops, q);
    if (read_names(q, &err) < 0) {
        q->begin = NULL;
        gw_reply_error(r, &err);
        return NULL;
    }
    return q;
}

bool gw_inquiry_back(struct gw_inquiry *q)
{
    q->asking = false;
    if (q->r)
        return true;
    inquiry_free(q);
    return false;
}

void gw_inquiry_fail(struct gw_inquiry *q, const struct faas_error *err)
{
    struct faas_error why = *err;

    gw_async_explain(&why, "that did not succeed");
    gw_reply_error_with(q->r, &why, 503, "Retry-After", "1");
}

void gw_inquiry_error(struct gw_inquiry *q, enum faas_code code, const char *why)
{
    struct faas_error err;

    faas_fail(&err, code, "%s", why);
    gw_reply_error(q->r, &err);
}

void gw_inquiry_json(struct gw_inquiry *q, int status, json_t *value)
{
    _cleanup_buf_ struct faas_buf text = {0};

    faas_json_write(&text, value, 0);
    faas_buf_append_c(&text, '\n');
    json_decref(value);
    gw_reply(q->r, status, "application/json", faas_buf_str(&text));
}

void gw_inquiry_time(json_t *to, const char *key, struct faas_str ms_text)
{
    char text[40];
    int64_t ms;
    time_t t;
    struct tm tm;

    if (!ms_text.len || faas_parse_i64(ms_text, &ms, NULL) < 0)
        return;
    t = (time_t)(ms / 1000);
    gmtime_r(&t, &tm);
    if (strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm))
        json_object_set_new(to, key, json_sprintf("%s.%03dZ", text, (int)(ms % 1000)));
}

/* Kept short in Redis: "at", a number. */
static void set_start(json_t *attempt)
{
    char text[24];

    snprintf(text, sizeof(text), "%lld",
             (long long)json_integer_value(json_object_get(attempt, "at")));
    gw_inquiry_time(attempt, "startedAt", faas_str_from(text));
    json_object_del(attempt, "at");
}

json_t *gw_inquiry_history(struct faas_str objects)
{
    _cleanup_buf_ struct faas_buf text = {0};
    json_t *list, *attempt;
    size_t i;

    faas_buf_append_c(&text, '[');
    faas_buf_append_str(&text, objects);
    faas_buf_append_c(&text, ']');
    list = faas_json_parse(faas_buf_str(&text), NULL);
    if (!list)
        return json_array();
    json_array_foreach(list, i, attempt) set_start(attempt);
    return list;
}

const char *gw_inquiry_query(struct gw_inquiry *q, const char *key)
{
    struct faas_str value;

    if (!faas_query_get(faas_http_req_arena(q->r->http), q->r->head->query, faas_str_from(key),
                        &value))
        return NULL;
    return value.ptr;
}

int64_t gw_inquiry_attempts(const json_t *history, int64_t otherwise)
{
    const json_t *last = json_array_get(history, json_array_size(history) - 1);

    return last ? json_integer_value(json_object_get(last, "attempt")) : otherwise;
}
