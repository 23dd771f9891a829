#include "gateway/async/attempt.h"

#include "libfaas/alloc.h"
#include "libfaas/crypto.h"
#include "libfaas/http_hop.h"
#include "libfaas/json.h"
#include "libfaas/version.h"

#include <stdlib.h>

enum {
    STATUS_UNREACHED = 503, /* what an attempt counts as that got no answer */
    STORE_RETRY_MS = 500,   /* while Redis is away */
    BUSY_WAIT_MS = 200,     /* until an entry of a busy function is looked at again */
    GATEWAY_WAIT_MS = 1000, /* until the gateway is tried again */
    CALLBACK_WAIT_MS = 1000,
    CALLBACK_MAX_WAIT_MS = 30000,
};

static struct gw_store *store_of(const struct gw_attempt *a)
{
    return &a->worker->async->store;
}

static int64_t now_ms(const struct gw_attempt *a)
{
    return gw_async_now_ms(a->worker->gw);
}

/* For how long things take, whatever the clock for people is set to meanwhile. */
static int64_t monotonic_ns(const struct gw_attempt *a)
{
    const struct faas_clock *clock = a->worker->gw->clock;

    return clock->monotonic_ns(clock->self);
}

static const struct gw_async_config *config_of(const struct gw_attempt *a)
{
    return &a->worker->gw->cfg->async;
}

static void stop_calling(struct gw_attempt *a)
{
    if (a->exchange)
        faas_exchange_cancel(a->exchange);
    if (a->direct)
        gw_direct_cancel(a->direct);
    a->exchange = NULL;
    a->direct = NULL;
}

static void attempt_free(struct gw_attempt *a)
{
    struct gw_worker *w = a->worker;

    stop_calling(a);
    if (a->has_place)
        w->n_calling--;
    faas_list_remove(&a->waiting_node);
    if (a->calling_back)
        gw_callback_forget(a->calling_back);
    faas_timer_stop(w->loop, &a->timer);
    if (a->limit)
        gw_fn_limit_leave(&w->limits, a->limit, a->status);
    faas_list_remove(&a->node);
    w->n_attempts--;
    if (a->is_called_back) {
        w->n_calling_back--;
        w->calling_back_bytes -= a->body.len;
    }
    gw_served_let_go(&w->queues, a->queue);
    free(a->entry);
    free(a->id);
    free(a->function);
    free(a->callback);
    faas_buf_deinit(&a->headers);
    faas_buf_deinit(&a->body);
    free(a);
}

void gw_attempt_abandon(struct gw_attempt *a)
{
    attempt_free(a);
}

static void over(struct gw_attempt *a)
{
    struct gw_worker *w = a->worker;
    struct gw_served_queue *queue = a->has_place ? a->queue : NULL;

    attempt_free(a);
    gw_worker_more(w, queue);
}

/* The function, its queue and the next call need not wait for our book-keeping, and even less for
 * a callback's receiver. */
static void leave_function(struct gw_attempt *a)
{
    if (a->limit)
        gw_fn_limit_leave(&a->worker->limits, a->limit, a->status);
    a->limit = NULL;
    if (!a->has_place)
        return;
    a->has_place = false;
    a->worker->n_calling--;
    gw_worker_more(a->worker, a->queue);
}

static void count(struct faas_family *family, const struct gw_attempt *a, const char *what)
{
    const char *labels[] = {a->queue->name, what};

    faas_counter_add(faas_counter(family, labels), 1);
}

/* --- the callback --- */

static void call_back(void *arg);

static void on_released(void *arg, enum gw_store_result result, const struct faas_error *err);

static void release(struct gw_attempt *a, const char *note)
{
    a->step = GW_RECORDING;
    gw_store_release(store_of(a), &a->ref, faas_str_from(note), on_released, a);
}

/* Should Redis be away now, the callback is delivered once more by whoever takes the entry over. */
static void on_released(void *arg, enum gw_store_result result, const struct faas_error *err)
{
    (void)result;
    (void)err;
    over(arg);
}

static void on_called_back(struct gw_attempt *a, const char *failure, bool again);

static void call_back_now(struct gw_attempt *a)
{
    a->callbacks++;
    a->calling_back = gw_callback_start(a, on_called_back);
    if (!a->calling_back) /* too much to do */
        on_called_back(a, "no thread is free", true);
}

/* Its place is the next one's. */
static void call_next_back(struct gw_attempt *a)
{
    struct faas_list *next = gw_callees_leave(&a->worker->callees, a->callee);

    if (next)
        call_back_now(FAAS_CONTAINER_OF(next, struct gw_attempt, waiting_node));
}

static void on_called_back(struct gw_attempt *a, const char *failure, bool again)
{
    char note[256];
    int64_t wait_ms = CALLBACK_WAIT_MS;

    a->calling_back = NULL;
    call_next_back(a);
    if (!failure) {
        release(a, "delivered");
        return;
    }
    if (again && a->callbacks < (unsigned)config_of(a)->callback_attempts) {
        for (unsigned i = 1; i < a->callbacks && wait_ms < CALLBACK_MAX_WAIT_MS; i++)
            wait_ms *= 2;
        faas_timer_start(a->worker->loop, &a->timer, FAAS_MIN(wait_ms, CALLBACK_MAX_WAIT_MS),
                         call_back, a);
        return;
    }
    faas_log_warn(&a->worker->gw->log, "callback given up", FAAS_F_STR("call_id", a->id),
                  FAAS_F_STR("function", a->function), FAAS_F_STR("why", failure),
                  FAAS_F_INT("tries", a->callbacks));
    snprintf(note, sizeof(note), "failed: %.200s", failure);
    release(a, note);
}

static void call_back(void *arg)
{
    struct gw_attempt *a = arg;

    if (!a->is_called_back) {
        a->is_called_back = true;
        a->worker->n_calling_back++;
        a->worker->calling_back_bytes += a->body.len;
        a->callee = gw_callees_find(&a->worker->callees, faas_str_from(a->callback));
        gw_worker_more(a->worker, NULL);
    }
    a->step = GW_CALLING_BACK;
    if (gw_callees_enter(&a->worker->callees, a->callee, &a->waiting_node))
        call_back_now(a);
}

/* --- recording --- */

static void record(void *arg);

static bool is_wanted_again(const struct gw_attempt *a)
{
    bool worth = a->status == 0 || gw_retry_wanted(&a->policy, a->status, a->ours);

    return worth && !a->cancelled && a->ref.attempt < a->policy.attempts;
}

static bool is_dead(const struct gw_attempt *a)
{
    return a->status == 0 || gw_retry_wanted(&a->policy, a->status, a->ours);
}

/* One attempt, for the call's history. As short as can be, see store_scripts.c. */
static void append_history(const struct gw_attempt *a, struct faas_buf *out)
{
    faas_buf_printf(out, "{\"attempt\":%lld,\"status\":%d,\"at\":%lld,\"seconds\":%.3f",
                    (long long)a->ref.attempt, a->status, (long long)a->started_ms, a->seconds);
    if (a->truncated)
        faas_buf_append_z(out, ",\"truncated\":true");
    if (a->why[0]) {
        faas_buf_append_z(out, ",\"why\":\"");
        faas_json_escape(out, faas_str_from(a->why));
        faas_buf_append_c(out, '"');
    }
    faas_buf_append_c(out, '}');
}

static const char *final_state(const struct gw_attempt *a)
{
    if (a->cancelled)
        return "cancelled";
    return is_dead(a) ? "dead" : "done";
}

/* Whoever cancels a call does so wherever it is, and one that waits has nothing to tell. */
static bool wants_callback(const struct gw_attempt *a)
{
    return a->callback && !a->cancelled;
}

static void on_recorded(void *arg, enum gw_store_result result, const struct faas_error *err)
{
    struct gw_attempt *a = arg;

    (void)err;
    if (result == GW_ASYNC_OK)
        count(a->worker->gw->async->finished, a, final_state(a));
    if (result == GW_ASYNC_AGAIN) {
        a->has_more = true;
        record(a);
    } else if (result == GW_ASYNC_ERROR) /* it may have been done: then the next answer is LOST */
        faas_timer_start(a->worker->loop, &a->timer, STORE_RETRY_MS, record, a);
    else if (result == GW_ASYNC_OK && wants_callback(a))
        call_back(a);
    else
        over(a);
}

static void on_put_off(void *arg, enum gw_store_result result, const struct faas_error *err)
{
    struct gw_attempt *a = arg;

    (void)err;
    if (result == GW_ASYNC_ERROR)
        faas_timer_start(a->worker->loop, &a->timer, STORE_RETRY_MS, record, a);
    else
        over(a);
}

static void put_off(struct gw_attempt *a)
{
    _cleanup_buf_ struct faas_buf history = {0};
    uint64_t random;
    int64_t wait_ms = a->retry_after_ms;

    faas_random_bytes(&random, sizeof(random));
    if (wait_ms < 0)
        wait_ms = gw_retry_wait_ms(&a->policy, a->ref.attempt, random);
    append_history(a, &history);
    gw_store_retry(store_of(a), &a->ref, wait_ms, faas_buf_str(&history), config_of(a)->result_ms,
                   now_ms(a), on_put_off, a);
}

static void finish(struct gw_attempt *a)
{
    _cleanup_buf_ struct faas_buf history = {0};
    struct gw_outcome o = {
        .state = final_state(a),
        .status = a->status || a->cancelled ? a->status : STATUS_UNREACHED,
        .reason = faas_str_from(a->why),
        .result_headers = faas_buf_str(&a->headers),
        .result_body = faas_buf_str(&a->body),
        .began_ms = a->started_ms,
        .now_ms = now_ms(a),
        .has_more = a->has_more,
        .hold = wants_callback(a),
    };

    o.ttl_ms = strcmp(o.state, "dead") == 0 ? config_of(a)->dead_ms : config_of(a)->result_ms;
    append_history(a, &history);
    o.history = faas_buf_str(&history);
    gw_store_finish(store_of(a), &a->ref, &o, on_recorded, a);
}

static void record(void *arg)
{
    struct gw_attempt *a = arg;

    a->step = GW_RECORDING;
    if (a->lost)
        over(a);
    else if (is_wanted_again(a))
        put_off(a);
    else
        finish(a);
}

static void conclude(struct gw_attempt *a)
{
    char status[16];

    a->exchange = NULL;
    a->direct = NULL;
    a->seconds = (double)(monotonic_ns(a) - a->began_ns) / 1e9;
    if (a->callback)
        gw_callback_seal(a);
    snprintf(status, sizeof(status), "%d", a->status);
    count(a->worker->gw->async->attempts, a, status);
    gw_ahead_ended(&a->worker->ahead, (int64_t)(a->seconds * 1000));
    leave_function(a);
    record(a);
}

/* --- the call --- */

static void keep_headers(struct gw_attempt *a, const struct faas_http_response_head *head)
{
    const struct faas_hop hop = faas_hop_of(head->headers, head->n_headers);

    for (size_t i = 0; i < head->n_headers; i++)
        if (!faas_hop_ends(&hop, head->headers[i].name) &&
            !faas_str_ieq(head->headers[i].name, FAAS_STR("Content-Length")) &&
            !gw_callback_says(head->headers[i].name))
            faas_hop_append(&a->headers, head->headers[i].name, head->headers[i].value);
}

static void on_head(void *arg, const struct faas_http_response_head *head)
{
    struct gw_attempt *a = arg;

    if (a->exchange)
        a->worker->told_away = false;
    a->status = head->status;
    a->ours =
        faas_http_find(head->headers, head->n_headers, FAAS_STR("X-OpenFaaS-Internal")) != NULL;
    if (head->status == 429 || head->status == 503)
        a->retry_after_ms = gw_retry_after_ms(
            &a->policy, faas_http_value(head->headers, head->n_headers, FAAS_STR("Retry-After")),
            (time_t)(now_ms(a) / 1000));
    keep_headers(a, head);
}

/* What is more than can be kept is read all the same, so that the function may end. */
static size_t on_body(void *arg, struct faas_str data)
{
    struct gw_attempt *a = arg;
    size_t room = (size_t)config_of(a)->max_result_size - a->body.len;

    if (data.len > room)
        a->truncated = true;
    faas_buf_append(&a->body, data.ptr, FAAS_MIN(data.len, room));
    return data.len;
}

static void on_end(void *arg)
{
    conclude(arg);
}

/* Half an answer is none. */
static void no_answer(struct gw_attempt *a, const char *why)
{
    a->status = 0;
    a->ours = a->truncated = false;
    faas_buf_clear(&a->headers);
    faas_buf_clear(&a->body);
    snprintf(a->why, sizeof(a->why), "%.150s", why);
    conclude(a);
}

static void on_put_back(void *arg, enum gw_store_result result, const struct faas_error *err)
{
    (void)result; /* if it was not: it will be found again when nobody has spoken for it */
    (void)err;
    over(arg);
}

/* The gateway that would make the call is not there. That says nothing about the function: calls
 * wait, and none of their attempts is used up. */
static void wait_for_gateway(struct gw_attempt *a, const struct faas_error *err)
{
    struct gw_worker *w = a->worker;

    if (!w->told_away)
        faas_log_warn(&w->gw->log, "calls wait for the gateway", FAAS_F_STR("why", err->msg));
    w->told_away = true;
    w->away_until_ms = faas_loop_now_ms(w->loop) + GATEWAY_WAIT_MS;
    a->exchange = NULL;
    a->step = GW_RECORDING;
    leave_function(a);
    gw_store_postpone(store_of(a), a->ref.queue, a->ref.entry, a->ref.id, GATEWAY_WAIT_MS,
                      on_put_back, a);
}

static void on_error(void *arg, enum faas_http_phase phase, const struct faas_error *err)
{
    struct gw_attempt *a = arg;

    if (phase == FAAS_PHASE_CONNECT && a->exchange)
        wait_for_gateway(a, err);
    else
        no_answer(a, err->msg);
}

static const struct faas_exchange_ops exchange_ops = {
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_error = on_error,
};

/* The gateway has its deadlines for the call, the function's own included. */
static void call_front_door(struct gw_attempt *a, const struct gw_started *call)
{
    _cleanup_buf_ struct faas_buf head = {0};
    struct faas_exchange_req req = {
        .addr = &a->worker->front_door,
        .body = call->body.len ? FAAS_BODY_LENGTH : FAAS_BODY_NONE,
    };

    faas_buf_append_str(&head, call->request);
    faas_buf_printf(&head, "X-Call-Id: %s\r\nUser-Agent: queue-worker/%s\r\n\r\n", a->id,
                    faas_version());
    req.head = faas_buf_str(&head);
    a->exchange = faas_exchange_start(a->worker->upstream, &req, &exchange_ops, a);
    if (call->body.len)
        faas_exchange_write(a->exchange, call->body);
    faas_exchange_end(a->exchange);
}

static void make_call(struct gw_attempt *a, const struct gw_started *call)
{
    a->step = GW_CALLING;
    if (a->worker->is_direct)
        a->direct = gw_direct_start(a->worker->shard, call->request, call->body, a->ref.id,
                                    &exchange_ops, a);
    if (!a->direct)
        call_front_door(a, call);
}

/* There is nothing to call: the call is dead, for a person to look at. */
static void give_up(struct gw_attempt *a)
{
    a->policy.attempts = a->ref.attempt;
    no_answer(a, "what Redis has of the call cannot be read");
}

static void begin(struct gw_attempt *a, const struct gw_started *call)
{
    a->ref.attempt = call->attempt;
    a->started_ms = now_ms(a);
    a->began_ns = monotonic_ns(a);
    if (!gw_retry_parse(call->policy, &a->policy))
        a->policy = a->worker->gw->async->retry;
    if (call->callback.len)
        a->callback = faas_str_dup(call->callback);
    if (call->unreadable) {
        give_up(a);
        return;
    }
    if (!call->only_callback) {
        make_call(a, call);
        return;
    }
    a->status = (int)call->status;
    faas_buf_append_str(&a->headers, call->result_headers);
    faas_buf_append_str(&a->body, call->result_body);
    leave_function(a);
    call_back(a);
}

static void on_started(void *arg, enum gw_store_result result, const struct gw_started *call,
                       const struct faas_error *err)
{
    struct gw_attempt *a = arg;

    (void)err;
    if (result == GW_ASYNC_OK)
        begin(a, call);
    else
        over(a); /* ERROR: it will be found again when nobody has spoken for it */
}

/* --- for the worker --- */

static void on_postponed(void *arg, enum gw_store_result result, const struct faas_error *err)
{
    (void)result; /* if it was not: it will be found again when nobody has spoken for it */
    (void)err;
    gw_worker_more(arg, NULL);
}

static void start(struct gw_attempt *a, const struct gw_entry *e, bool again)
{
    struct gw_started call = {0};

    if (again || !e->packet.len) {
        a->has_more = true; /* or may have */
        gw_store_start(store_of(a), a->ref.queue, a->ref.entry, a->ref.id,
                       faas_str_from(a->worker->name), again, config_of(a)->result_ms, now_ms(a),
                       on_started, a);
        return;
    }
    gw_store_begin(e->packet, &call);
    begin(a, &call);
}

void gw_attempt_begin(struct gw_worker *w, struct gw_served_queue *queue, const struct gw_entry *e,
                      bool again)
{
    struct gw_fn_limit *limit = gw_fn_limit_enter(&w->limits, e->function);
    struct gw_attempt *a;

    if (!limit && again) /* it may count as running, which nobody puts off: one lease later */
        return;
    if (!limit) {
        gw_store_postpone(&w->async->store, faas_str_from(queue->name), e->entry, e->id,
                          BUSY_WAIT_MS, on_postponed, w);
        return;
    }
    a = faas_new(struct gw_attempt);
    a->worker = w;
    a->limit = limit;
    a->retry_after_ms = -1;
    a->queue = queue;
    queue->running++;
    queue->held++;
    a->entry = faas_str_dup(e->entry);
    a->id = faas_str_dup(e->id);
    a->function = faas_str_dup(e->function);
    a->ref = (struct gw_attempt_ref){
        .queue = faas_str_from(a->queue->name),
        .entry = faas_str_from(a->entry),
        .id = faas_str_from(a->id),
        .function = faas_str_from(a->function),
    };
    faas_list_init(&a->waiting_node);
    faas_list_append(&w->attempts, &a->node);
    w->n_attempts++;
    w->n_calling++;
    a->has_place = true;
    start(a, e, again);
}

/* The attempt may be over by the time that Redis answers, so it is looked for by its entry. */
struct renewal {
    struct gw_worker *worker;
    char entry[];
};

static struct gw_attempt *find(struct gw_worker *w, struct faas_str entry)
{
    faas_list_for_each (&w->attempts, it) {
        struct gw_attempt *a = FAAS_CONTAINER_OF(it, struct gw_attempt, node);

        if (faas_str_eq(a->ref.entry, entry))
            return a;
    }
    return NULL;
}

bool gw_attempt_runs(struct gw_worker *w, struct faas_str entry)
{
    return find(w, entry) != NULL;
}

static void on_renewed(void *arg, enum gw_store_result result, bool cancelled,
                       const struct faas_error *err)
{
    _cleanup_free_ struct renewal *r = arg;
    struct gw_attempt *a = find(r->worker, faas_str_from(r->entry));

    (void)err;
    if (!a || result == GW_ASYNC_ERROR || a->step != GW_CALLING)
        return;
    a->cancelled |= cancelled;
    a->lost |= result == GW_ASYNC_LOST;
    if (!a->cancelled && !a->lost)
        return;
    stop_calling(a);
    no_answer(a, a->lost ? "the lease was lost" : "cancelled");
}

bool gw_attempt_rests(const struct gw_attempt *a)
{
    return a->step == GW_CALLING_BACK && !a->calling_back && faas_list_empty(&a->waiting_node);
}

void gw_attempt_renew(struct gw_attempt *a)
{
    size_t n = strlen(a->entry) + 1;
    struct renewal *r;

    if (a->step == GW_STARTING)
        return;
    a->has_more = true;
    r = faas_zalloc(sizeof(*r) + n);
    r->worker = a->worker;
    memcpy(r->entry, a->entry, n);
    gw_store_renew(store_of(a), &a->ref, faas_str_from(a->worker->name), a->started_ms, on_renewed,
                   r);
}
