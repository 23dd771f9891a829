/* serializing: the whole request is read, then a process is started for it, and its
 * whole output is the response once it has ended well. */
#include "watchdog/executor.h"

#include "watchdog/command.h"
#include "watchdog/log_lines.h"
#include "watchdog/request_log.h"

#include <stdio.h>
#include <sys/wait.h>

enum {
    STATUS_CLIENT_LEFT = 499, /* nobody gets it: for metrics and log */
    STATUS_FAILED = 500,
    /* A client may announce a gigabyte and send nothing: memory follows what has come. */
    RESERVE_MAX = 1024 * 1024,
};

struct serializing_call {
    const struct wd_command *command;
    struct faas_buf input;
    struct wd_log_lines errors;
    char *log_text; /* see request_log.h */
    bool running;
};

/* --- the end of a call --- */

static void serializing_release(struct wd_call *call)
{
    struct serializing_call *c = call->data;

    wd_log_lines_end(&c->errors);
    faas_buf_deinit(&c->input);
    free(c->log_text);
    c->log_text = NULL;
}

/* The call may be freed by it. The reason stands behind the line, as in of-watchdog. */
static void finish(struct wd_call *call, int status, struct faas_buf *body, const char *why)
{
    struct serializing_call *c = call->data;
    const struct wd_context *ctx = c->command->ctx;
    double seconds = wd_call_seconds(call);
    char duration[32];
    const struct wd_request_log line = {
        .what = c->log_text,
        .status = status,
        .measure = "ContentLength",
        .bytes = (int64_t)body->len,
        .seconds = seconds,
    };
    struct faas_http_header headers[] = {
        {FAAS_STR("Content-Type"), faas_str_from(ctx->config->content_type)},
        {FAAS_STR("X-Duration-Seconds"), {.ptr = duration}},
    };

    headers[1].value.len = (size_t)snprintf(duration, sizeof(duration), "%f", seconds);
    wd_log_lines_end(&c->errors);
    wd_request_log_write(ctx->log, &line);
    if (why)
        wd_logf(ctx->log, "%s", why);
    serializing_release(call);
    wd_call_finish(call, status, headers, FAAS_ARRAY_LEN(headers), body);
}

static void fail(struct wd_call *call, int status, const char *why)
{
    struct faas_buf body = {0};

    faas_buf_append_z(&body, why);
    finish(call, status, &body, why);
}

/* --- the run --- */

static void on_errors(void *arg, struct faas_str data)
{
    struct serializing_call *c = ((struct wd_call *)arg)->data;

    wd_log_lines_feed(&c->errors, data);
}

static void on_end(void *arg, struct wd_child *child)
{
    struct wd_call *call = arg;
    int status = wd_child_status(child);
    char failure[64];

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        finish(call, 200, wd_child_output(child), NULL);
    } else {
        faas_format_exit(status, failure);
        fail(call, STATUS_FAILED, failure);
    }
    wd_child_free(child);
}

static void on_timeout(void *arg)
{
    fail(arg, STATUS_FAILED, "signal: killed");
}

static const struct wd_child_ops child_ops = {
    .on_errors = on_errors,
    .on_end = on_end,
    .on_timeout = on_timeout,
};

/* --- the request --- */

static void serializing_handle(void *command, struct wd_call *call)
{
    int64_t length = call->head->content_length;
    struct serializing_call *c = call->data;

    c->command = command;
    faas_http_req_allow_half_close(call->req);
    c->log_text = wd_request_log_begin(call);
    c->errors = wd_command_log(c->command);
    if (length > 0)
        faas_buf_reserve(&c->input, FAAS_MIN((size_t)length, (size_t)RESERVE_MAX));
}

static size_t serializing_on_body(struct wd_call *call, struct faas_str data)
{
    struct serializing_call *c = call->data;

    faas_buf_append_str(&c->input, data);
    return data.len;
}

static void serializing_on_body_end(struct wd_call *call)
{
    struct serializing_call *c = call->data;
    struct faas_error err = {0};
    struct wd_child_spec spec = {
        .input = faas_buf_str(&c->input),
        .ops = &child_ops,
        .arg = call,
    };

    c->running = wd_command_start(c->command, call, &spec, &err) != NULL;
    if (!c->running)
        fail(call, wd_command_failure_status(&err), err.msg);
}

static void serializing_on_body_timeout(struct wd_call *call)
{
    fail(call, STATUS_FAILED, wd_call_timeout_text(call));
}

/* A function that runs is not stopped: it may have side effects. */
static void serializing_on_client_gone(struct wd_call *call, const char *why)
{
    struct serializing_call *c = call->data;

    if (!c->running)
        fail(call, STATUS_CLIENT_LEFT, why);
}

const struct wd_executor_ops wd_serializing_executor = {
    .call_size = sizeof(struct serializing_call),
    .create = wd_command_create,
    .destroy = wd_command_destroy,
    .handle = serializing_handle,
    .on_body = serializing_on_body,
    .on_body_end = serializing_on_body_end,
    .on_body_timeout = serializing_on_body_timeout,
    .on_client_gone = serializing_on_client_gone,
    .release = serializing_release,
};
