/* What operators ask of queues. */
#include "gateway/async/inquiry.h"

#include <stdlib.h>

enum {
    DEFAULT_LIMIT = 100,
    MAX_LIMIT = 1000,
    STEP = 500, /* calls that one script deals with, so that Redis is not held up */
};

static struct faas_str text_at(const struct faas_redis_reply *row, size_t i)
{
    return faas_redis_str(faas_redis_at(row, i));
}

static json_t *number_at(const struct faas_redis_reply *row, size_t i)
{
    return json_integer(faas_redis_integer(faas_redis_at(row, i)));
}

/* A list, made of a script's rows. */
static void reply_rows(struct gw_inquiry *q, const struct faas_redis_reply *rows,
                       const struct faas_error *err,
                       json_t *(*make)(const struct faas_redis_reply *row))
{
    json_t *list;

    if (!gw_inquiry_back(q))
        return;
    if (err) {
        gw_inquiry_fail(q, err);
        return;
    }
    list = json_array();
    for (size_t i = 0; i < faas_redis_len(rows); i++)
        json_array_append_new(list, make(faas_redis_at(rows, i)));
    gw_inquiry_json(q, 200, list);
}

/* --- the list --- */

static json_t *queue_json(const struct faas_redis_reply *row)
{
    json_t *o = json_object();

    json_object_set_new(o, "name", faas_json_string(text_at(row, 0)));
    json_object_set_new(o, "depth", number_at(row, 1));
    json_object_set_new(o, "inFlight", number_at(row, 2));
    json_object_set_new(o, "delayed", number_at(row, 3));
    json_object_set_new(o, "dead", number_at(row, 4));
    json_object_set_new(o, "oldestAgeSeconds",
                        json_real((double)faas_redis_integer(faas_redis_at(row, 5)) / 1000));
    json_object_set_new(o, "paused", json_boolean(faas_redis_integer(faas_redis_at(row, 6)) == 1));
    return o;
}

static void on_queues(void *arg, const struct faas_redis_reply *rows, const struct faas_error *err)
{
    reply_rows(arg, rows, err, queue_json);
}

static void begin_queues(struct gw_inquiry *q)
{
    q->asking = true;
    gw_store_queues(q->store, gw_async_now_ms(q->gw), on_queues, q);
}

static void queues_handle(struct gw_request *r, const struct gw_action *self)
{
    (void)self;
    gw_inquiry_start(r, begin_queues);
}

/* --- what is about one queue: is there such a one? --- */

static void on_known(void *arg, const struct faas_redis_reply *reply, const struct faas_error *err)
{
    struct gw_inquiry *q = arg;

    if (!gw_inquiry_back(q))
        return;
    if (err)
        gw_inquiry_fail(q, err);
    else if (faas_redis_integer(reply) == 0)
        gw_inquiry_error(q, FAAS_ERR_NOT_FOUND,
                         "no such queue; a queue is there from its first call on");
    else
        q->when_known(q);
}

static void ask_whether_known(struct gw_inquiry *q)
{
    q->asking = true;
    gw_store_has_queue(q->store, faas_str_from(q->name), on_known, q);
}

static void start(struct gw_request *r, void (*when_known)(struct gw_inquiry *q))
{
    struct gw_inquiry *q = gw_inquiry_start(r, ask_whether_known);

    if (q)
        q->when_known = when_known;
}

/* --- pause and resume --- */

static void on_paused(void *arg, const struct faas_redis_reply *reply, const struct faas_error *err)
{
    struct gw_inquiry *q = arg;

    (void)reply;
    if (!gw_inquiry_back(q))
        return;
    if (err)
        gw_inquiry_fail(q, err);
    else
        gw_reply(q->r, 204, NULL, FAAS_STR(""));
}

static void begin_pause(struct gw_inquiry *q)
{
    q->asking = true;
    gw_store_pause(q->store, faas_str_from(q->name), true, on_paused, q);
}

static void begin_resume(struct gw_inquiry *q)
{
    q->asking = true;
    gw_store_pause(q->store, faas_str_from(q->name), false, on_paused, q);
}

static void pause_handle(struct gw_request *r, const struct gw_action *self)
{
    (void)self;
    start(r, begin_pause);
}

static void resume_handle(struct gw_request *r, const struct gw_action *self)
{
    (void)self;
    start(r, begin_resume);
}

/* Where no parameter means all, a mistyped one must not. */
static bool asks_something_else(struct gw_inquiry *q, const char *key)
{
    struct faas_error err;

    if (!q->r->head->query.len)
        return false;
    faas_fail(&err, FAAS_ERR_INVALID, "the query may hold nothing but %s", key);
    gw_reply_error(q->r, &err);
    return true;
}

/* --- purge --- */

static void purge_more(struct gw_inquiry *q);

static void reply_count(struct gw_inquiry *q, const char *key)
{
    json_t *o = json_object();

    json_object_set_new(o, key, json_integer(q->total));
    gw_inquiry_json(q, 200, o);
}

static void on_purged(void *arg, int64_t n, const struct faas_error *err)
{
    struct gw_inquiry *q = arg;

    if (!gw_inquiry_back(q))
        return;
    q->total += n;
    if (err)
        gw_inquiry_fail(q, err);
    else if (n > 0)
        purge_more(q);
    else
        reply_count(q, "purged");
}

static void purge_more(struct gw_inquiry *q)
{
    q->asking = true;
    gw_store_purge(q->store, faas_str_from(q->name), q->which, STEP, on_purged, q);
}

static void begin_purge(struct gw_inquiry *q)
{
    static const char *const kinds[] = {"queue", "delayed", "dead"};
    const char *which = gw_inquiry_query(q, "which");

    if (!which && asks_something_else(q, "which"))
        return;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(kinds); i++)
        if (which ? strcmp(which, kinds[i]) == 0 : i == 0) {
            q->which = kinds[i];
            purge_more(q);
            return;
        }
    gw_inquiry_error(q, FAAS_ERR_INVALID, "which is none of queue, delayed, dead");
}

static void purge_handle(struct gw_request *r, const struct gw_action *self)
{
    (void)self;
    start(r, begin_purge);
}

/* --- the dead --- */

/* MILLISECONDS-NUMBER, as Redis writes it; the number may be left out. */
static bool is_position(struct faas_str text)
{
    struct faas_str number = text;
    int64_t n;

    return faas_parse_i64(faas_str_split(&number, '-'), &n, NULL) == 0 && n >= 0 &&
           (!number.ptr || (faas_parse_i64(number, &n, NULL) == 0 && n >= 0));
}

static json_t *dead_json(const struct faas_redis_reply *row)
{
    json_t *o = json_object(), *history = gw_inquiry_history(text_at(row, 7));
    int64_t n = faas_redis_integer(faas_redis_at(row, 4));

    json_object_set_new(o, "callId", faas_json_string(text_at(row, 1)));
    json_object_set_new(o, "function", faas_json_string(text_at(row, 2)));
    json_object_set_new(o, "status", number_at(row, 3));
    json_object_set_new(o, "attempts", json_integer(gw_inquiry_attempts(history, n)));
    gw_inquiry_time(o, "finishedAt", text_at(row, 5));
    json_object_set_new(o, "reason", faas_json_string(text_at(row, 6)));
    json_object_set_new(o, "history", history);
    json_object_set_new(o, "position", faas_json_string(text_at(row, 0)));
    return o;
}

static void on_dead(void *arg, const struct faas_redis_reply *rows, const struct faas_error *err)
{
    reply_rows(arg, rows, err, dead_json);
}

static void begin_dead(struct gw_inquiry *q)
{
    const char *after = gw_inquiry_query(q, "after"), *limit = gw_inquiry_query(q, "limit");
    uint64_t n = DEFAULT_LIMIT;

    if (limit && (faas_parse_u64(faas_str_from(limit), &n, NULL) < 0 || n == 0 || n > MAX_LIMIT)) {
        gw_inquiry_error(q, FAAS_ERR_INVALID, "limit is no number from 1 to 1000");
        return;
    }
    if (after && *after && !is_position(faas_str_from(after))) {
        gw_inquiry_error(q, FAAS_ERR_INVALID, "after is no position of an earlier answer");
        return;
    }
    q->asking = true;
    gw_store_dead(q->store, faas_str_from(q->name), after ? faas_str_from(after) : FAAS_STR(""),
                  (int64_t)n, on_dead, q);
}

static void dead_handle(struct gw_request *r, const struct gw_action *self)
{
    (void)self;
    start(r, begin_dead);
}

/* --- redrive: one, or one after the other --- */

static void redrive_more(struct gw_inquiry *q);

static void on_redriven_one(void *arg, int64_t n, const struct faas_error *err)
{
    struct gw_inquiry *q = arg;

    if (!gw_inquiry_back(q))
        return;
    q->total = n;
    if (err)
        gw_inquiry_fail(q, err);
    else if (n == 0)
        gw_inquiry_error(q, FAAS_ERR_NOT_FOUND, "no dead call of that id is in this queue");
    else
        reply_count(q, "redriven");
}

static void on_redriven(void *arg, int64_t n, const struct faas_error *err)
{
    struct gw_inquiry *q = arg;

    if (!gw_inquiry_back(q))
        return;
    q->total += n;
    if (err)
        gw_inquiry_fail(q, err);
    else if (n == 0) /* its callback is still under way: nothing behind it is waited for */
        reply_count(q, "redriven");
    else
        redrive_more(q);
}

/* What has died again meanwhile is not for this round. */
static bool is_newer(const struct faas_redis_reply *row, int64_t than_ms)
{
    struct faas_str position = text_at(row, 0);
    int64_t ms;

    return faas_parse_i64(faas_str_split(&position, '-'), &ms, NULL) < 0 || ms > than_ms;
}

static void on_first_dead(void *arg, const struct faas_redis_reply *rows,
                          const struct faas_error *err)
{
    struct gw_inquiry *q = arg;

    if (!gw_inquiry_back(q))
        return;
    if (err) {
        gw_inquiry_fail(q, err);
        return;
    }
    if (faas_redis_len(rows) == 0 || is_newer(faas_redis_at(rows, 0), q->until_ms)) {
        reply_count(q, "redriven");
        return;
    }
    q->asking = true;
    gw_store_redrive(q->store, faas_str_from(q->name), text_at(faas_redis_at(rows, 0), 1),
                     on_redriven, q);
}

static void redrive_more(struct gw_inquiry *q)
{
    q->asking = true;
    gw_store_dead(q->store, faas_str_from(q->name), FAAS_STR(""), 1, on_first_dead, q);
}

static void begin_redrive(struct gw_inquiry *q)
{
    const char *id = gw_inquiry_query(q, "id");

    if (!id) {
        if (asks_something_else(q, "id"))
            return;
        q->until_ms = gw_async_now_ms(q->gw);
        redrive_more(q);
        return;
    }
    q->asking = true;
    gw_store_redrive(q->store, faas_str_from(q->name), faas_str_from(id), on_redriven_one, q);
}

static void redrive_handle(struct gw_request *r, const struct gw_action *self)
{
    (void)self;
    start(r, begin_redrive);
}

const struct gw_action gw_queues_action = {.auth = GW_AUTH_BASIC, .handle = queues_handle};
const struct gw_action gw_queue_pause_action = {.auth = GW_AUTH_BASIC, .handle = pause_handle};
const struct gw_action gw_queue_resume_action = {.auth = GW_AUTH_BASIC, .handle = resume_handle};
const struct gw_action gw_queue_purge_action = {.auth = GW_AUTH_BASIC, .handle = purge_handle};
const struct gw_action gw_queue_dead_action = {.auth = GW_AUTH_BASIC, .handle = dead_handle};
const struct gw_action gw_queue_redrive_action = {.auth = GW_AUTH_BASIC, .handle = redrive_handle};
