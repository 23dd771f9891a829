#include "watchdog/call.h"

#include "libfaas/alloc.h"
#include "watchdog/executor.h"

#include <stdio.h>

enum {
    UNAUTHORIZED = 401,
    /* For the answer to a function whose time is up, beyond write_timeout. */
    LAST_WORDS_MS = 1000,
    /* What is shown of a path in the log. */
    PATH_SHOWN = 1024,
};

static int64_t now_ns(const struct wd_call *call)
{
    const struct faas_clock *clock = faas_loop_clock(call->calls->loop);

    return clock->monotonic_ns(clock->self);
}

double wd_call_seconds(const struct wd_call *call)
{
    return (double)(now_ns(call) - call->started_ns) / 1e9;
}

const char *wd_call_timeout_text(const struct wd_call *call)
{
    return faas_arena_printf(faas_http_req_arena(call->req), "read tcp %s: i/o timeout",
                             faas_http_req_peer(call->req));
}

static void call_free_if_over(struct wd_call *call)
{
    struct wd_calls *calls = call->calls;

    if (call->req || call->held)
        return;
    if (!call->is_probe)
        wd_stats_end(calls->stats, call->method_label, call->status,
                     now_ns(call) - call->started_ns);
    if (call->has_slot)
        wd_limiter_leave(&calls->limiter);
    calls->count--;
    free(call);
}

/* The executor has said its last word. */
static void give_up(struct wd_call *call, int status)
{
    faas_timer_stop(call->calls->loop, &call->body_timer);
    call->held = false;
    call->status = status;
}

void wd_call_finish(struct wd_call *call, int status, const struct faas_http_header *headers,
                    size_t n, struct faas_buf *body)
{
    struct faas_buf nothing = {0};

    give_up(call, status);
    if (call->req) {
        faas_http_reply_take(call->req, status, headers, n, body ? body : &nothing);
        return;
    }
    if (body)
        faas_buf_deinit(body);
    call_free_if_over(call);
}

static void on_reply_deadline(void *arg)
{
    struct wd_call *call = arg;

    call->cut = "write_timeout is over";
    faas_http_reply_abort(call->req);
}

void wd_call_judge_by_progress(struct wd_call *call)
{
    if (!call->req)
        return;
    call->by_progress = true;
    faas_http_req_no_write_timeout(call->req);
}

/* The client has to take something now. */
static void await_client(struct wd_call *call)
{
    struct wd_calls *calls = call->calls;

    if (call->by_progress && calls->write_timeout_ms)
        faas_timer_start(calls->loop, &call->reply_timer, calls->write_timeout_ms,
                         on_reply_deadline, call);
}

void wd_call_begin(struct wd_call *call, int status, const struct faas_http_header *headers,
                   size_t n, int64_t length)
{
    call->status = status;
    if (call->req)
        faas_http_reply_begin(call->req, status, headers, n, length);
}

size_t wd_call_write(struct wd_call *call, struct faas_str data)
{
    size_t backlog = call->req ? faas_http_reply_write(call->req, data) : 0;

    if (backlog > FAAS_HTTP_HIGH_WATER && !faas_timer_running(&call->reply_timer))
        await_client(call);
    return backlog;
}

void wd_call_end(struct wd_call *call)
{
    give_up(call, call->status);
    if (call->req) {
        await_client(call);
        wd_call_half_close(call);
    } else {
        call_free_if_over(call);
    }
}

void wd_call_abort(struct wd_call *call, int status)
{
    give_up(call, status);
    if (!call->req) {
        call_free_if_over(call);
    } else if (faas_http_reply_started(call->req) && !call->half_closed) {
        await_client(call);
        faas_http_reply_cut(call->req);
    } else {
        faas_http_reply_abort(call->req);
    }
}

int wd_call_upgrade(struct wd_call *call, const struct faas_http_header *headers, size_t n,
                    struct faas_error *err)
{
    if (faas_http_reply_upgrade(call->req, headers, n, err) < 0)
        return -1;
    call->upgraded = true;
    call->status = 101;
    return 0;
}

void wd_call_half_close(struct wd_call *call)
{
    if (call->req && !call->half_closed)
        faas_http_reply_end(call->req);
    call->half_closed = true;
}

/* --- what the server tells --- */

/* Ours, not the function's: a queue that sees the second header may try again. */
static void finish_refused(struct wd_call *call, int status, struct faas_buf *text)
{
    static const struct faas_http_header headers[] = {
        {FAAS_STR_INIT("Content-Type"), FAAS_STR_INIT("text/plain")},
        {FAAS_STR_INIT("X-Openfaas-Internal"), FAAS_STR_INIT("faas-middleware")},
    };

    wd_call_finish(call, status, headers, FAAS_ARRAY_LEN(headers), text);
}

static void finish_too_large(struct wd_call *call)
{
    struct faas_buf text = {0};

    if (faas_http_reply_started(call->req)) {
        wd_call_abort(call, 413);
        return;
    }
    faas_buf_printf(&text, "request body is larger than max_body_size: %llu bytes\n",
                    (unsigned long long)call->calls->max_body_size);
    finish_refused(call, 413, &text);
}

static bool is_too_large(const struct wd_call *call, uint64_t bytes)
{
    return call->calls->max_body_size && !call->upgraded && bytes > call->calls->max_body_size;
}

static size_t on_body(void *arg, struct faas_str data)
{
    struct wd_call *call = arg;
    size_t taken;

    if (!call->held || call->is_probe) /* the rest is of no interest */
        return data.len;
    if (!call->admitted) {
        call->body_paused = true;
        return 0;
    }
    if (is_too_large(call, call->body_bytes + data.len)) {
        call->calls->ops->release(call);
        finish_too_large(call);
        return data.len;
    }
    taken = call->calls->ops->on_body(call, data);
    call->body_bytes += taken;
    return taken;
}

static void on_body_end(void *arg)
{
    struct wd_call *call = arg;

    faas_timer_stop(call->calls->loop, &call->body_timer);
    if (!call->admitted)
        call->body_ended = true;
    else if (call->held)
        call->calls->ops->on_body_end(call);
}

static void on_drain(void *arg)
{
    struct wd_call *call = arg;

    if (call->by_progress)
        faas_timer_stop(call->calls->loop, &call->reply_timer);
    if (call->held && call->calls->ops->on_drain)
        call->calls->ops->on_drain(call);
}

/* Answered already, or gone while its token was being looked at. */
static void leave_unadmitted(struct wd_call *call)
{
    wd_jwt_check_leave(&call->check);
    if (call->held)
        give_up(call, UNAUTHORIZED);
    call_free_if_over(call);
}

static const char *why_gone(const struct wd_call *call, const struct faas_error *err)
{
    if (call->cut)
        return call->cut;
    return err ? err->msg : "the connection was closed";
}

static void on_done(void *arg, const struct faas_error *err)
{
    struct wd_call *call = arg;

    faas_timer_stop(call->calls->loop, &call->body_timer);
    faas_timer_stop(call->calls->loop, &call->reply_timer);
    call->req = NULL;
    call->head = NULL;
    if (!call->admitted)
        leave_unadmitted(call);
    else if (call->held)
        call->calls->ops->on_client_gone(call, why_gone(call, err));
    else
        call_free_if_over(call);
}

static const struct faas_http_req_ops req_ops = {
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_drain = on_drain,
    .on_done = on_done,
};

/* --- deadlines --- */

static void on_body_deadline(void *arg)
{
    struct wd_call *call = arg;

    call->calls->ops->on_body_timeout(call);
}

/* The body has a deadline of ours, so that the executor can answer in its own way. */
static void watch_body(struct wd_call *call)
{
    struct wd_calls *calls = call->calls;

    if (!calls->read_timeout_ms || call->head->content_length == 0)
        return;
    faas_http_req_no_read_timeout(call->req);
    faas_timer_start(calls->loop, &call->body_timer, calls->read_timeout_ms, on_body_deadline,
                     call);
}

void wd_call_expect_within(struct wd_call *call, int64_t limit_ms)
{
    struct wd_calls *calls = call->calls;
    int64_t now_ms = faas_loop_now_ms(calls->loop);
    int64_t write_left_ms = call->head_ms + calls->write_timeout_ms - now_ms;

    if (!call->req || !calls->write_timeout_ms || !limit_ms || limit_ms > calls->write_timeout_ms ||
        write_left_ms > limit_ms + LAST_WORDS_MS)
        return;
    faas_http_req_no_write_timeout(call->req);
    faas_timer_start(calls->loop, &call->reply_timer, limit_ms + LAST_WORDS_MS, on_reply_deadline,
                     call);
}

/* --- admission --- */

static void finish_busy(struct wd_call *call)
{
    struct faas_buf text = {0};

    faas_buf_printf(&text, "Concurrent request limit exceeded. Max concurrent requests: %llu\n",
                    (unsigned long long)call->calls->limiter.max);
    finish_refused(call, 429, &text);
}

static struct wd_call *call_new(struct wd_calls *calls, struct faas_http_req *req,
                                const struct faas_http_head *head)
{
    size_t size = sizeof(struct wd_call) + calls->ops->call_size;
    struct wd_call *call = faas_zalloc(size);

    call->calls = calls;
    call->req = req;
    call->head = head;
    call->data = call + 1;
    call->held = true;
    call->started_ns = now_ns(call);
    call->head_ms = head->received_ms;
    calls->count++;
    faas_http_req_attach(req, &req_ops, call);
    return call;
}

static void hand_over(struct wd_call *call)
{
    call->admitted = true;
    call->calls->ops->handle(call->calls->executor, call);
}

static void admit(struct wd_call *call)
{
    struct wd_calls *calls = call->calls;
    int64_t length = call->head->content_length;

    call->has_slot = wd_limiter_enter(&calls->limiter);
    if (!call->has_slot) {
        finish_busy(call);
    } else if (length > 0 && is_too_large(call, (uint64_t)length)) {
        finish_too_large(call);
    } else {
        if (!call->body_ended)
            watch_body(call);
        hand_over(call);
    }
}

static void finish_denied(struct wd_call *call)
{
    static const struct faas_http_header headers[] = {
        {FAAS_STR_INIT("Content-Type"), FAAS_STR_INIT("text/plain; charset=utf-8")},
        {FAAS_STR_INIT("X-Content-Type-Options"), FAAS_STR_INIT("nosniff")},
        {FAAS_STR_INIT("X-Openfaas-Internal"), FAAS_STR_INIT("faas-middleware")},
        /* Last, because a 403 has none. Not quoted, as clients know it. */
        {FAAS_STR_INIT("Www-Authenticate"), FAAS_STR_INIT("Bearer realm=IAM function invoke")},
    };
    const struct faas_http_head *head = call->head;
    size_t n = FAAS_ARRAY_LEN(headers) - (call->check.status == UNAUTHORIZED ? 0 : 1);
    struct faas_buf text = {0};

    wd_logf(call->calls->log, "%.*s %.*s - %d ACCESS DENIED - (%.0fms)", FAAS_STR_FMT(head->method),
            (int)FAAS_MIN(head->path.len, (size_t)PATH_SHOWN), head->path.ptr, call->check.status,
            wd_call_seconds(call) * 1000);
    faas_buf_printf(&text, "%s\n", call->check.reason);
    wd_call_finish(call, call->check.status, headers, n, &text);
}

/* The function is told how long the look at the token took. Nobody else can tell it that. */
static void add_auth_seconds(struct wd_call *call)
{
    static const struct faas_str name = FAAS_STR_INIT("X-Auth-Seconds");
    struct faas_arena *arena = faas_http_req_arena(call->req);
    const struct faas_http_head *from = call->head;
    struct faas_http_head *head = faas_arena_alloc(arena, sizeof(*head));
    struct faas_http_header *headers =
        faas_arena_alloc(arena, (from->n_headers + 1) * sizeof(*headers));
    size_t n = 0;

    for (size_t i = 0; i < from->n_headers; i++)
        if (!faas_str_ieq(from->headers[i].name, name))
            headers[n++] = from->headers[i];
    headers[n++] = (struct faas_http_header){
        name, faas_str_from(faas_arena_printf(arena, "%f", wd_call_seconds(call)))};
    *head = *from;
    head->headers = headers;
    head->n_headers = n;
    call->head = head;
}

static void on_keys(void *arg);

static void authorise(struct wd_call *call)
{
    struct faas_str authorization =
        faas_http_value(call->head->headers, call->head->n_headers, FAAS_STR("Authorization"));

    switch (wd_jwt_auth_check(call->calls->auth, &call->check, authorization, on_keys, call)) {
    case WD_JWT_ALLOWED:
        add_auth_seconds(call);
        admit(call);
        break;
    case WD_JWT_DENIED:
        finish_denied(call);
        break;
    case WD_JWT_WAITING:
        break;
    }
}

/* Newer keys are there, or cannot be had. What the client has sent meanwhile follows. */
static void on_keys(void *arg)
{
    struct wd_call *call = arg;
    bool paused = call->body_paused, ended = call->body_ended;

    authorise(call);
    if (paused)
        faas_http_req_resume(call->req);
    else if (ended && call->admitted && call->held)
        call->calls->ops->on_body_end(call);
}

void wd_calls_take(struct wd_calls *calls, struct faas_http_req *req)
{
    struct wd_call *call = call_new(calls, req, faas_http_req_head(req));

    call->method_label = wd_stats_begin(calls->stats, call->head->method);
    if (calls->auth)
        authorise(call);
    else
        admit(call);
}

static const struct faas_http_head *probe_head(struct faas_http_req *req, struct faas_str path)
{
    struct faas_http_head *head = faas_arena_alloc(faas_http_req_arena(req), sizeof(*head));

    *head = *faas_http_req_head(req);
    head->method = FAAS_STR("GET");
    head->target = head->path = path;
    head->query = (struct faas_str){0};
    head->content_length = 0;
    return head;
}

void wd_calls_probe(struct wd_calls *calls, struct faas_http_req *req, struct faas_str path)
{
    struct wd_call *call = call_new(calls, req, probe_head(req, path));

    call->is_probe = true;
    hand_over(call);
}
