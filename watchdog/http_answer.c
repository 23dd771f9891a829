#include "watchdog/http_mode.h"

#include "watchdog/request_log.h"

#include <stdio.h>

void wd_http_forget(struct wd_http_call *c)
{
    if (c->exchange)
        faas_exchange_cancel(c->exchange);
    faas_timer_stop(c->http->ctx->loop, &c->timer);
    faas_list_remove(&c->node);
    faas_buf_deinit(&c->body);
    free(c->what);
    free(c->call_id);
    c->exchange = NULL;
    c->what = c->call_id = NULL;
}

void wd_http_log(const struct wd_http_call *c, int status)
{
    struct wd_request_log line = {
        .what = c->what,
        .status = status,
        .reason = *c->reason ? c->reason : NULL,
        .measure = "ContentLength",
        .bytes = c->length,
        .seconds = wd_call_seconds(c->call),
        .call_id = faas_str_from(c->call_id),
    };

    if (c->stream || c->tunnel) {
        line.reason = NULL;
        line.measure = "Bytes";
        line.bytes = (int64_t)c->bytes;
    }
    wd_request_log_write(c->http->ctx->log, &line);
}

/* What of the request is still coming is read and dropped. */
static void part(struct wd_http_call *c)
{
    struct faas_http_req *req = c->call->req;

    if (c->up_paused && req)
        faas_http_req_resume(req);
    wd_http_forget(c);
}

/* The first header tells a queue that it was not the function that failed: it may try again. */
static void answer(struct wd_http_call *c, int status)
{
    char seconds[32];
    struct faas_http_header headers[2] = {
        {FAAS_STR("X-Openfaas-Internal"), FAAS_STR("of-watchdog")},
        {FAAS_STR("X-Duration-Seconds"), {.ptr = seconds}},
    };
    struct wd_call *call = c->call;
    size_t n = c->stream || c->upgrade ? 1 : 2;

    headers[1].value.len = (size_t)snprintf(seconds, sizeof(seconds), "%f", wd_call_seconds(call));
    part(c);
    wd_call_finish(call, status, headers, n, NULL);
}

void wd_http_fail(struct wd_http_call *c, int status)
{
    struct wd_call *call = c->call;

    if (!c->replied) {
        snprintf(c->reason, sizeof(c->reason), "%s", faas_http_reason(status));
        c->length = 0;
        wd_http_log(c, status);
        answer(c, status);
        return;
    }
    wd_http_log(c, call->status);
    wd_http_forget(c);
    wd_call_abort(call, call->status);
}

void wd_http_finish(struct wd_http_call *c)
{
    struct wd_call *call = c->call;

    wd_http_log(c, call->status);
    part(c);
    wd_call_end(call);
}

void wd_http_fail_all(struct wd_http *http, bool only_waiting)
{
    faas_list_for_each (&http->calls, it) {
        struct wd_http_call *c = FAAS_CONTAINER_OF(it, struct wd_http_call, node);

        if (c->waiting || !only_waiting)
            wd_http_fail(c, 500);
    }
}
