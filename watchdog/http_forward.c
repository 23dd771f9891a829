#include "watchdog/http_mode.h"

#include "libfaas/alloc.h"
#include "libfaas/http_hop.h"
#include "watchdog/http_head.h"
#include "watchdog/request_log.h"

#include <stdio.h>

enum {
    STATUS_BAD_REQUEST = 400,
    STATUS_FAILED = 500,
    STATUS_TIMEOUT = 504,
};

static struct wd_log *log_of(const struct wd_http_call *c)
{
    return c->http->ctx->log;
}

/* --- deadlines --- */

static void log_timeout(const struct wd_http_call *c)
{
    char limit[32];

    faas_format_go_duration(c->limit_ms * 1000000, limit);
    wd_logf(log_of(c), "Upstream HTTP killed due to %s: %s",
            c->limit_by_client ? "X-Timeout" : "exec_timeout", limit);
}

static void on_waited_too_long(void *arg)
{
    struct wd_http_call *c = arg;

    log_timeout(c);
    wd_http_fail(c, STATUS_TIMEOUT);
}

/* --- to the function --- */

static void resume_upload(struct wd_http_call *c)
{
    if (!c->up_paused)
        return;
    c->up_paused = false;
    faas_http_req_resume(c->call->req);
}

static void on_function_writable(void *arg)
{
    struct wd_http_call *c = arg;

    c->up_backlog = 0;
    resume_upload(c);
}

/* --- back to the client --- */

static void note_head(struct wd_http_call *c, const struct faas_http_response_head *head)
{
    snprintf(c->reason, sizeof(c->reason), "%.*s", FAAS_STR_FMT(head->reason));
    c->length = head->content_length;
    c->replied = true;
}

static void begin_answer(struct wd_http_call *c, const struct faas_http_response_head *head)
{
    struct faas_arena *arena = faas_http_req_arena(c->call->req);
    char seconds[32];
    struct faas_http_header *headers;
    size_t n;

    snprintf(seconds, sizeof(seconds), "%f", wd_call_seconds(c->call));
    headers = wd_http_response_headers(arena, head, c->stream || c->upgrade ? NULL : seconds, &n);
    note_head(c, head);
    wd_call_begin(c->call, head->status, headers, n, head->content_length);
}

/* The function speaks another protocol from now on, and so may the client. */
static void begin_tunnel(struct wd_http_call *c, const struct faas_http_response_head *head)
{
    struct faas_error err;
    size_t n;
    struct faas_http_header *headers =
        wd_http_response_headers(faas_http_req_arena(c->call->req), head, NULL, &n);

    if (!c->upgrade) {
        wd_logf(log_of(c), "Upstream HTTP request error: it upgraded a connection unasked");
        wd_http_fail(c, STATUS_FAILED);
        return;
    }
    if (wd_call_upgrade(c->call, headers, n, &err) < 0) {
        wd_logf(log_of(c), "Upstream HTTP request error: %s", err.msg);
        wd_http_fail(c, STATUS_FAILED);
        return;
    }
    note_head(c, head);
    c->tunnel = true;
}

static void on_function_head(void *arg, const struct faas_http_response_head *head)
{
    if (head->upgraded)
        begin_tunnel(arg, head);
    else
        begin_answer(arg, head);
}

static size_t on_function_body(void *arg, struct faas_str data)
{
    struct wd_http_call *c = arg;

    if (c->down_backlog > FAAS_HTTP_HIGH_WATER) {
        c->down_paused = true;
        return 0;
    }
    c->bytes += data.len;
    c->down_backlog = wd_call_write(c->call, data);
    return data.len;
}

void wd_http_on_drain(struct wd_call *call)
{
    struct wd_http_call *c = call->data;

    c->down_backlog = 0;
    if (!c->down_paused)
        return;
    c->down_paused = false;
    faas_exchange_resume(c->exchange);
}

static void on_function_trailers(void *arg, const struct faas_http_header *trailers, size_t n)
{
    struct wd_http_call *c = arg;
    struct faas_http_req *req = c->call->req;
    const struct faas_http_header *kept = wd_http_trailers(faas_http_req_arena(req), trailers, &n);

    faas_http_reply_trailers(req, kept, n);
}

static void on_function_end(void *arg)
{
    struct wd_http_call *c = arg;

    c->exchange = NULL;
    wd_http_finish(c);
}

/* Of a tunnel: the client may still talk. */
static void on_function_half_closed(void *arg)
{
    struct wd_http_call *c = arg;

    c->function_ended = true;
    wd_call_half_close(c->call);
}

static void on_function_error(void *arg, enum faas_http_phase phase, const struct faas_error *err)
{
    struct wd_http_call *c = arg;

    c->exchange = NULL;
    if (err->code == FAAS_ERR_TIMEOUT) {
        log_timeout(c);
        wd_http_fail(c, STATUS_TIMEOUT);
        return;
    }
    wd_logf(log_of(c), "%s: %s",
            phase == FAAS_PHASE_BODY ? "Error copying response body"
                                     : "Upstream HTTP request error",
            err->msg);
    wd_http_fail(c, STATUS_FAILED);
}

static const struct faas_exchange_ops exchange_ops = {
    .on_head = on_function_head,
    .on_body = on_function_body,
    .on_trailers = on_function_trailers,
    .on_end = on_function_end,
    .on_error = on_function_error,
    .on_peer_end = on_function_half_closed,
    .on_writable = on_function_writable,
};

/* --- the beginning --- */

static enum faas_body_kind body_kind(const struct wd_http_call *c, int64_t length)
{
    if (c->body.len)
        return FAAS_BODY_LENGTH;
    if (length < 0)
        return c->body_ended ? FAAS_BODY_NONE : FAAS_BODY_CHUNKED;
    return length > 0 ? FAAS_BODY_LENGTH : FAAS_BODY_NONE;
}

static bool write_head(struct wd_http_call *c, enum faas_body_kind body)
{
    struct wd_http *http = c->http;
    const struct faas_http_head *head = c->call->head;
    struct wd_http_request r = {
        .head = head,
        .base = faas_str_from(http->url.base),
        .authority = faas_str_from(*http->authority ? http->authority : http->url.authority),
        .own_host = c->call->is_probe,
        .upgrade = c->upgrade,
        .body = body,
        .length = c->body.len ? (int64_t)c->body.len : head->content_length,
    };

    if (c->stream || c->upgrade)
        r.peer = faas_str_from(faas_http_req_peer(c->call->req));
    faas_buf_clear(&http->scratch);
    return wd_http_request_head(&http->scratch, &r);
}

static void write_body(struct wd_http_call *c)
{
    if (c->body.len)
        faas_exchange_write(c->exchange, faas_buf_str(&c->body));
    faas_buf_deinit(&c->body);
    if (c->body_ended)
        faas_exchange_end(c->exchange);
    resume_upload(c);
}

static void send_call(struct wd_http_call *c)
{
    struct wd_http *http = c->http;
    const struct faas_http_head *head = c->call->head;
    struct faas_exchange_req req = {
        .addr = http->addr,
        .body = body_kind(c, head->content_length),
        .is_head = faas_str_eqz(head->method, "HEAD"),
        .idempotent = faas_http_is_idempotent(head->method),
        .repeat_unread = true,
    };

    c->waiting = false;
    faas_timer_stop(http->ctx->loop, &c->timer);
    if (!write_head(c, req.body)) {
        wd_http_fail(c, STATUS_BAD_REQUEST);
        return;
    }
    req.head = faas_buf_str(&http->scratch);
    if (c->limit_ms)
        req.total_timeout_ms = FAAS_MAX(c->due_ms - faas_loop_now_ms(http->ctx->loop), (int64_t)1);
    c->exchange = faas_exchange_start(http->upstream, &req, &exchange_ops, c);
    write_body(c);
}

static void send_or_wait(struct wd_http_call *c)
{
    struct wd_http *http = c->http;

    if (http->addr) {
        send_call(c);
    } else if (http->worth_waiting) {
        c->waiting = true;
        if (c->limit_ms)
            faas_timer_start(http->ctx->loop, &c->timer,
                             c->due_ms - faas_loop_now_ms(http->ctx->loop), on_waited_too_long, c);
    } else {
        wd_logf(log_of(c), "Upstream HTTP request error: the function does not listen");
        wd_http_fail(c, STATUS_FAILED);
    }
}

void wd_http_send_waiting(struct wd_http *http)
{
    faas_list_for_each (&http->calls, it) {
        struct wd_http_call *c = FAAS_CONTAINER_OF(it, struct wd_http_call, node);

        if (c->waiting)
            send_call(c);
    }
}

static void note_call_id(struct wd_http_call *c)
{
    const struct faas_http_head *head = c->call->head;
    struct faas_str id = faas_http_value(head->headers, head->n_headers, FAAS_STR("X-Call-Id"));

    if (c->what && c->http->ctx->config->log_callid)
        c->call_id = faas_str_dup(id.len ? id : FAAS_STR("none"));
}

/* Who sends one mostly sends it with every call. */
static void warn_once_of_odd_limit(struct wd_http_call *c)
{
    if (c->http->warned_of_limit || !wd_http_limit_is_odd(c->call->head))
        return;
    c->http->warned_of_limit = true;
    wd_logf(log_of(c),
            "Warning: an X-Timeout is ignored, here and later, that is no duration above "
            "0 with a unit, such as 10s");
}

/* A stream has no limit but its client's patience. */
static void set_limit(struct wd_http_call *c)
{
    const struct wd_context *ctx = c->http->ctx;

    if (c->stream || c->upgrade) {
        wd_call_judge_by_progress(c->call);
        return;
    }
    warn_once_of_odd_limit(c);
    c->limit_ms =
        wd_http_limit_ms(c->call->head, ctx->config->exec_timeout_ms, &c->limit_by_client);
    c->due_ms = faas_loop_now_ms(ctx->loop) + c->limit_ms;
    wd_call_expect_within(c->call, c->limit_ms);
}

void wd_http_handle(void *self, struct wd_call *call)
{
    struct wd_http *http = self;
    struct wd_http_call *c = call->data;

    http->all = call->calls;
    c->http = http;
    c->call = call;
    faas_list_append(&http->calls, &c->node);
    c->what = wd_request_log_begin(call);
    note_call_id(c);
    c->upgrade = faas_http_wants_upgrade(call->head);
    c->stream = wd_http_wants_stream(call->head);
    c->collecting = http->ctx->config->http_buffer_req_body && call->head->content_length != 0 &&
                    !c->stream && !c->upgrade;
    set_limit(c);
    if (!c->collecting)
        send_or_wait(c);
}

/* --- from the client --- */

size_t wd_http_on_body(struct wd_call *call, struct faas_str data)
{
    struct wd_http_call *c = call->data;

    if (c->collecting) {
        faas_buf_append_str(&c->body, data);
        return data.len;
    }
    if (!c->exchange || c->up_backlog > FAAS_CLIENT_HIGH_WATER) {
        c->up_paused = true;
        return 0;
    }
    c->up_backlog = faas_exchange_write(c->exchange, data);
    return data.len;
}

static void end_body(struct wd_http_call *c)
{
    struct faas_http_req *req = c->call->req;
    const struct faas_http_header *trailers;
    size_t n;

    trailers = faas_http_req_trailers(req, &n);
    if (n)
        trailers = wd_http_trailers(faas_http_req_arena(req), trailers, &n);
    faas_exchange_end_with(c->exchange, trailers, n);
}

/* A second time, in a tunnel: the client has half-closed it. */
void wd_http_on_body_end(struct wd_call *call)
{
    struct wd_http_call *c = call->data;

    c->body_ended = true;
    if (c->tunnel)
        c->client_done = true;
    if (c->collecting) {
        c->collecting = false;
        set_limit(c); /* collecting was the client's time, not the function's */
        send_or_wait(c);
    } else if (c->exchange) {
        end_body(c);
    }
}

void wd_http_on_body_timeout(struct wd_call *call)
{
    struct wd_http_call *c = call->data;

    wd_logf(log_of(c), "Upstream HTTP request error: %s", wd_call_timeout_text(call));
    wd_http_fail(c, c->collecting ? STATUS_BAD_REQUEST : STATUS_FAILED);
}

/* Counted as what of-watchdog counts it as. When a tunnel has been closed from both ends, what is
 * still on its way to the function gets there first. */
void wd_http_on_client_gone(struct wd_call *call, const char *why)
{
    struct wd_http_call *c = call->data;
    int status = c->replied ? call->status : STATUS_TIMEOUT;

    if (c->function_ended && c->client_done)
        return;

    if (c->what)
        wd_logf(log_of(c), "Upstream HTTP call given up: %s", why);
    wd_http_log(c, status);
    wd_http_forget(c);
    wd_call_abort(call, status);
}

void wd_http_release(struct wd_call *call)
{
    wd_http_forget(call->data);
}
