/* classic: the whole request is read, then a process is started for it, and what
 * that wrote is the response once it has exited. */
#include "watchdog/executor.h"

#include "libfaas/alloc.h"
#include "watchdog/command.h"
#include "watchdog/header_set.h"
#include "watchdog/marshal.h"
#include "watchdog/sniff.h"

#include <stdio.h>
#include <sys/wait.h>

enum {
    STATUS_BAD_REQUEST = 400,
    STATUS_NOT_ALLOWED = 405,
    STATUS_TIMEOUT = 408,
    STATUS_FAILED = 500,
    /* Of stderr, when it goes into the log as one record. */
    STDERR_MAX = 128 * 1024,
    /* A client may announce a gigabyte and send nothing: memory follows what has come. */
    RESERVE_MAX = 1024 * 1024,
};

/* What a call needs of its head after the client has left. */
struct classic_call {
    const struct wd_command *command;
    struct faas_buf body; /* of the request, then what goes to stdin */
    char *response_type;  /* heap; NULL: by the response's bytes */
    bool running;
};

/* --- answers --- */

/* "[in] X-A=[1 2]", a line for each name. */
static void debug_headers(const struct wd_context *ctx, const char *direction,
                          const struct faas_http_header *headers, size_t n)
{
    _cleanup_buf_ struct faas_buf text = {0};
    struct wd_header_set set;

    if (!ctx->config->debug_headers || n == 0)
        return;
    wd_header_set_init(&set, headers, n);
    for (size_t i = 0; i < set.n; i++) {
        if (wd_header_is_again(&set, i))
            faas_buf_append_c(&text, ' ');
        else
            faas_buf_printf(&text, "%s[%s] %.*s=[", i ? "]\n" : "", direction,
                            FAAS_STR_FMT(set.items[i].name));
        faas_buf_append_str(&text, set.items[i].value);
    }
    faas_buf_append_z(&text, set.n ? "]\n" : "");
    wd_log_stdout(ctx->log, faas_buf_str(&text));
    wd_header_set_deinit(&set);
}

/* The call may be freed by it, and what it held is. */
static void finish(struct wd_call *call, int status, const struct faas_http_header *headers,
                   size_t n, struct faas_buf *body)
{
    struct classic_call *c = call->data;
    struct faas_buf request_body = c->body;
    char *type = c->response_type; /* headers may point at it */

    debug_headers(c->command->ctx, "out", headers, n);
    wd_call_finish(call, status, headers, n, body);
    faas_buf_deinit(&request_body);
    free(type);
}

/* why is one line of its own; the output may be NULL. */
static void finish_failed(struct wd_call *call, int status, const char *why,
                          const struct faas_buf *output)
{
    struct faas_buf body = {0};
    struct faas_http_header type = {.name = FAAS_STR("Content-Type")};

    faas_buf_append_z(&body, why);
    faas_buf_append_c(&body, '\n');
    if (output)
        faas_buf_append_str(&body, faas_buf_str(output));
    type.value = faas_str_from(wd_sniff_type(faas_buf_str(&body)));
    finish(call, status, &type, 1, &body);
}

static void finish_ok(struct wd_call *call, struct faas_buf *output)
{
    struct classic_call *c = call->data;
    char seconds[32];
    struct faas_str type = faas_str_from(c->response_type);
    struct faas_http_header headers[2];
    size_t n = 0;

    if (!type.ptr && output->len)
        type = faas_str_from(wd_sniff_type(faas_buf_str(output)));
    if (type.ptr)
        headers[n++] = (struct faas_http_header){FAAS_STR("Content-Type"), type};
    snprintf(seconds, sizeof(seconds), "%f", wd_call_seconds(call));
    headers[n++] =
        (struct faas_http_header){FAAS_STR("X-Duration-Seconds"), faas_str_from(seconds)};
    finish(call, 200, headers, n, output);
}

/* --- the run --- */

static void log_stderr(struct wd_log *log, const struct wd_child *child)
{
    struct faas_str text = faas_buf_str(wd_child_stderr(child));

    if (text.len)
        wd_log_text(log, "stderr: ", text, wd_child_stderr_lost(child));
}

static void log_end(const struct wd_context *ctx, const struct wd_call *call, const char *failure,
                    const struct faas_buf *output)
{
    if (ctx->config->write_debug) {
        wd_log_stdout(ctx->log, faas_buf_str(output));
        if (failure)
            wd_logf(ctx->log, "Success=false, Error=%s", failure);
        else
            wd_logf(ctx->log, "Duration: %fs", wd_call_seconds(call));
    } else if (failure) {
        wd_logf(ctx->log, "Failed: %s - Duration: %fs", failure, wd_call_seconds(call));
    } else {
        wd_logf(ctx->log, "Wrote %zu Bytes - Duration: %fs", output->len, wd_call_seconds(call));
    }
}

static void on_child_end(void *arg, struct wd_child *child)
{
    struct wd_call *call = arg;
    const struct wd_context *ctx = ((struct classic_call *)call->data)->command->ctx;
    struct faas_buf *output = wd_child_output(child);
    int status = wd_child_status(child);
    char failure[64];

    log_stderr(ctx->log, child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        log_end(ctx, call, NULL, output);
        finish_ok(call, output);
    } else {
        faas_format_exit(status, failure);
        log_end(ctx, call, failure, output);
        finish_failed(call, STATUS_FAILED, failure, output);
    }
    wd_child_free(child);
}

static void on_child_timeout(void *arg)
{
    struct wd_call *call = arg;
    const struct wd_context *ctx = ((struct classic_call *)call->data)->command->ctx;

    wd_logf(ctx->log, "Killing process: %s", ctx->config->fprocess);
    finish_failed(call, STATUS_TIMEOUT, "Killed process.", NULL);
}

static const struct wd_child_ops child_ops = {
    .on_end = on_child_end,
    .on_timeout = on_child_timeout,
};

static void debug_request(const struct wd_context *ctx, const struct faas_http_head *head)
{
    debug_headers(ctx, "in", head->headers, head->n_headers);
    if (!ctx->config->write_debug)
        return;
    if (head->query.len)
        wd_logf(ctx->log, "Query  %.*s", FAAS_STR_FMT(head->query));
    wd_logf(ctx->log, "Path  %.*s", FAAS_STR_FMT(head->path));
}

/* What will be told of the response when the request's head is gone. */
static void note_type(const struct wd_context *ctx, struct wd_call *call)
{
    const struct faas_http_head *head = call->head;
    struct classic_call *c = call->data;
    struct faas_str type =
        faas_http_value(head->headers, head->n_headers, FAAS_STR("Content-Type"));

    if (ctx->config->content_type)
        c->response_type = faas_strdup(ctx->config->content_type);
    else if (type.len)
        c->response_type = faas_str_dup(type);
}

static void marshal_body(struct wd_call *call)
{
    const struct faas_http_head *head = call->head;
    struct classic_call *c = call->data;
    struct faas_buf json = {0};

    wd_marshal_request(&json, head->headers, head->n_headers, faas_buf_str(&c->body));
    faas_buf_deinit(&c->body);
    c->body = json;
}

static void run(struct wd_call *call)
{
    struct classic_call *c = call->data;
    const struct wd_context *ctx = c->command->ctx;
    struct faas_error err = {0};
    struct wd_child_spec spec = {
        .merge_stderr = ctx->config->combine_output,
        .max_stderr = STDERR_MAX,
        .ops = &child_ops,
        .arg = call,
    };

    debug_request(ctx, call->head);
    note_type(ctx, call);
    if (ctx->config->marshal_request)
        marshal_body(call);
    spec.input = faas_buf_str(&c->body);
    wd_logf(ctx->log, "Forking fprocess.");
    c->running = wd_command_start(c->command, call, &spec, &err) != NULL;
    if (c->running)
        return;
    log_end(ctx, call, err.msg, &(struct faas_buf){0});
    finish_failed(call, wd_command_failure_status(&err), err.msg, NULL);
}

/* --- the request --- */

static bool is_allowed(struct faas_str method)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(methods); i++)
        if (faas_str_eqz(method, methods[i]))
            return true;
    return false;
}

static void classic_handle(void *command, struct wd_call *call)
{
    const struct faas_http_head *head = call->head;
    struct classic_call *c = call->data;

    c->command = command;
    faas_http_req_allow_half_close(call->req);
    if (!is_allowed(head->method))
        finish(call, STATUS_NOT_ALLOWED, NULL, 0, NULL);
    else if (head->content_length > 0)
        faas_buf_reserve(&c->body, FAAS_MIN((size_t)head->content_length, (size_t)RESERVE_MAX));
}

static size_t classic_on_body(struct wd_call *call, struct faas_str data)
{
    struct classic_call *c = call->data;

    faas_buf_append_str(&c->body, data);
    return data.len;
}

static void classic_on_body_end(struct wd_call *call)
{
    run(call);
}

static void classic_on_body_timeout(struct wd_call *call)
{
    finish_failed(call, STATUS_BAD_REQUEST, wd_call_timeout_text(call), NULL);
}

/* A function that runs is not stopped: it may have side effects. */
static void classic_on_client_gone(struct wd_call *call, const char *why)
{
    struct classic_call *c = call->data;

    (void)why;
    if (!c->running)
        finish(call, STATUS_BAD_REQUEST, NULL, 0, NULL);
}

/* Only before its body's end, so nothing runs yet. */
static void classic_release(struct wd_call *call)
{
    struct classic_call *c = call->data;

    faas_buf_deinit(&c->body);
}

const struct wd_executor_ops wd_classic_executor = {
    .call_size = sizeof(struct classic_call),
    .create = wd_command_create,
    .destroy = wd_command_destroy,
    .handle = classic_handle,
    .on_body = classic_on_body,
    .on_body_end = classic_on_body_end,
    .on_body_timeout = classic_on_body_timeout,
    .on_client_gone = classic_on_client_gone,
    .release = classic_release,
};
