#include "watchdog/command.h"

#include "libfaas/alloc.h"

#include <stdlib.h>

void *wd_command_create(const struct wd_context *ctx, struct faas_error *err)
{
    struct wd_command *cmd = faas_new(struct wd_command);

    (void)err;
    cmd->ctx = ctx;
    wd_split_command(ctx->config->fprocess, &cmd->argv);
    wd_program_init(&cmd->program, cmd->argv.items[0], getenv("PATH"));
    return cmd;
}

void wd_command_destroy(void *arg)
{
    struct wd_command *cmd = arg;

    wd_program_deinit(&cmd->program);
    faas_strv_deinit(&cmd->argv);
    free(cmd);
}

static char *const *make_env(const struct wd_context *ctx, struct wd_call *call,
                             struct faas_error *err)
{
    const struct faas_http_head *head = call->head;
    const struct wd_cgi_request request = {
        .family = wd_modes[ctx->config->mode].family,
        .method = head->method,
        .target = head->target,
        .headers = head->headers,
        .n_headers = head->n_headers,
        .content_length = head->content_length,
    };

    if (!ctx->config->cgi_headers)
        return ctx->env->all;
    return wd_cgi_env(ctx->env, faas_http_req_arena(call->req), &request, err);
}

struct wd_child *wd_command_start(const struct wd_command *cmd, struct wd_call *call,
                                  struct wd_child_spec *spec, struct faas_error *err)
{
    const struct wd_context *ctx = cmd->ctx;
    struct wd_child *child;

    spec->argv = cmd->argv.items;
    spec->timeout_ms = ctx->config->exec_timeout_ms;
    spec->envp = make_env(ctx, call, err);
    if (!spec->envp)
        return NULL;
    spec->path = wd_program_find(&cmd->program, err);
    if (!spec->path)
        return NULL;
    child = wd_child_start(ctx->children, spec, err);
    if (child)
        wd_call_expect_within(call, spec->timeout_ms);
    return child;
}

int wd_command_failure_status(const struct faas_error *err)
{
    return err->code == FAAS_ERR_INVALID ? 400 : 500;
}

struct wd_log_lines wd_command_log(const struct wd_command *cmd)
{
    const struct wd_config *config = cmd->ctx->config;

    return (struct wd_log_lines){
        .log = cmd->ctx->log,
        .stream = config->prefix_logs ? "stderr" : NULL,
        .max_line = config->log_buffer_size,
    };
}
