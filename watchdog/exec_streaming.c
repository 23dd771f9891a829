/* streaming: a process for each request. Its input is the body as it arrives, its
 * output is the response as it is written; neither is held beyond what is on its way.
 *
 * Until the function has written something a failure has a status of its own. Afterwards the status
 * is out, and the connection is cut so that the client can tell that the response is not whole. */
#include "watchdog/executor.h"

#include "watchdog/command.h"
#include "watchdog/log_lines.h"
#include "watchdog/request_log.h"

#include <sys/wait.h>

enum {
    STATUS_BAD_REQUEST = 400,
    STATUS_CLIENT_LEFT = 499, /* nobody gets it: for metrics and log */
    STATUS_FAILED = 500,
    STATUS_TIMEOUT = 504,
    /* Of the body, before the process starts with what there is. */
    INPUT_MAX = 64 * 1024,
};

struct streaming_call {
    const struct wd_command *command;
    struct wd_child *child; /* NULL: has not started or is not ours any more */
    struct faas_timer start_timer;
    struct faas_buf input; /* what came before the process started; it may still be reading it */
    struct wd_log_lines errors;
    char *log_text; /* see request_log.h */
    int64_t written;
    bool started;
    bool body_is_over;
    bool has_begun; /* the response */
    bool is_head;
};

/* --- the end of a call --- */

/* A process that still runs ends by it. */
static void streaming_release(struct wd_call *call)
{
    struct streaming_call *c = call->data;

    if (c->child)
        wd_child_kill(c->child);
    c->child = NULL;
    faas_timer_stop(c->command->ctx->loop, &c->start_timer);
    wd_log_lines_end(&c->errors);
    faas_buf_deinit(&c->input);
    free(c->log_text);
    c->log_text = NULL;
}

/* What the function said comes first, then the reason, then the line, as in of-watchdog. */
static void log_end(struct wd_call *call, int status, const char *why)
{
    struct streaming_call *c = call->data;
    struct wd_log *log = c->command->ctx->log;
    const struct wd_request_log line = {
        .what = c->log_text,
        .status = status,
        .measure = "ContentLength",
        .bytes = c->written,
        .seconds = wd_call_seconds(call),
    };

    wd_log_lines_end(&c->errors);
    if (why)
        wd_logf(log, "%s", why);
    wd_request_log_write(log, &line);
}

/* The call may be freed by it. */
static void succeed(struct wd_call *call)
{
    struct streaming_call *c = call->data;
    const struct faas_http_header type = {FAAS_STR("Content-Type"),
                                          faas_str_from(c->command->ctx->config->content_type)};

    log_end(call, 200, NULL);
    streaming_release(call);
    if (c->has_begun)
        wd_call_end(call);
    else
        wd_call_finish(call, 200, &type, 1, NULL);
}

/* The call may be freed by it. */
static void fail(struct wd_call *call, int status, const char *why)
{
    static const struct faas_http_header type = {FAAS_STR_INIT("Content-Type"),
                                                 FAAS_STR_INIT("text/plain; charset=utf-8")};
    struct streaming_call *c = call->data;
    struct faas_buf body = {0};

    log_end(call, status, why);
    streaming_release(call);
    if (c->has_begun) {
        wd_call_abort(call, status);
        return;
    }
    faas_buf_printf(&body, "%s\n", why);
    wd_call_finish(call, status, &type, 1, &body);
}

/* --- the run --- */

static void on_output(void *arg, struct wd_child *child, struct faas_str data)
{
    struct wd_call *call = arg;
    struct streaming_call *c = call->data;
    const struct faas_http_header type = {FAAS_STR("Content-Type"),
                                          faas_str_from(c->command->ctx->config->content_type)};

    /* A HEAD is answered in full by its head, and must not be before the function is through. */
    if (c->is_head)
        return;
    if (!c->has_begun)
        wd_call_begin(call, 200, &type, 1, -1);
    c->has_begun = true;
    c->written += (int64_t)data.len;
    if (wd_call_write(call, data) > FAAS_HTTP_HIGH_WATER)
        wd_child_pause(child);
}

static void streaming_on_drain(struct wd_call *call)
{
    struct streaming_call *c = call->data;

    if (c->child)
        wd_child_resume(c->child);
}

static void on_writable(void *arg, struct wd_child *child)
{
    struct wd_call *call = arg;

    (void)child;
    if (call->req)
        faas_http_req_resume(call->req);
}

static void on_errors(void *arg, struct faas_str data)
{
    struct streaming_call *c = ((struct wd_call *)arg)->data;

    wd_log_lines_feed(&c->errors, data);
}

static void on_end(void *arg, struct wd_child *child)
{
    struct wd_call *call = arg;
    struct streaming_call *c = call->data;
    int status = wd_child_status(child);
    char failure[64];

    c->child = NULL;
    wd_child_free(child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        succeed(call);
        return;
    }
    faas_format_exit(status, failure);
    fail(call, STATUS_FAILED, failure);
}

static void on_timeout(void *arg)
{
    struct wd_call *call = arg;
    struct streaming_call *c = call->data;

    c->child = NULL;
    fail(call, STATUS_TIMEOUT, "exec_timeout has passed: the function was killed");
}

static const struct wd_child_ops child_ops = {
    .on_output = on_output,
    .on_errors = on_errors,
    .on_writable = on_writable,
    .on_end = on_end,
    .on_timeout = on_timeout,
};

static void start(struct wd_call *call)
{
    struct streaming_call *c = call->data;
    struct faas_error err = {0};
    struct wd_child_spec spec = {
        .input = faas_buf_str(&c->input),
        .more_input = !c->body_is_over,
        .ops = &child_ops,
        .arg = call,
    };

    c->started = true;
    faas_timer_stop(c->command->ctx->loop, &c->start_timer);
    c->child = wd_command_start(c->command, call, &spec, &err);
    if (!c->child)
        fail(call, wd_command_failure_status(&err), err.msg);
}

/* --- the request --- */

static void on_start_time(void *arg)
{
    start(arg);
}

/* Most bodies are there with their head. They are gathered for one turn of the loop, so that they
 * are in the pipe before the process is there; whatever comes later is written to it. */
static void streaming_handle(void *command, struct wd_call *call)
{
    struct streaming_call *c = call->data;

    c->command = command;
    if (!c->command->ctx->config->kill_on_disconnect)
        faas_http_req_allow_half_close(call->req);
    c->log_text = wd_request_log_begin(call);
    c->errors = wd_command_log(c->command);
    c->is_head = faas_str_eqz(call->head->method, "HEAD");
    if (call->head->content_length != 0)
        faas_timer_start(c->command->ctx->loop, &c->start_timer, 0, on_start_time, call);
}

static size_t streaming_on_body(struct wd_call *call, struct faas_str data)
{
    struct streaming_call *c = call->data;

    if (c->child)
        return wd_child_write(c->child, data);
    if (c->started)
        return data.len;
    faas_buf_append_str(&c->input, data);
    if (c->input.len > INPUT_MAX)
        start(call);
    return data.len;
}

static void streaming_on_body_end(struct wd_call *call)
{
    struct streaming_call *c = call->data;

    c->body_is_over = true;
    if (!c->started)
        start(call);
    else if (c->child)
        wd_child_end_input(c->child);
}

/* What is missing of the body would be missing in the function's input, which it could not tell. */
static void streaming_on_body_timeout(struct wd_call *call)
{
    fail(call, STATUS_BAD_REQUEST, wd_call_timeout_text(call));
}

static void streaming_on_client_gone(struct wd_call *call, const char *why)
{
    struct streaming_call *c = call->data;

    if (c->child && c->body_is_over && !c->command->ctx->config->kill_on_disconnect)
        wd_child_resume(c->child);
    else
        fail(call, STATUS_CLIENT_LEFT, why);
}

const struct wd_executor_ops wd_streaming_executor = {
    .call_size = sizeof(struct streaming_call),
    .create = wd_command_create,
    .destroy = wd_command_destroy,
    .on_drain = streaming_on_drain,
    .handle = streaming_handle,
    .on_body = streaming_on_body,
    .on_body_end = streaming_on_body_end,
    .on_body_timeout = streaming_on_body_timeout,
    .on_client_gone = streaming_on_client_gone,
    .release = streaming_release,
};
