#include "cli/commands.h"

#include "cli/async_calls.h"
#include "cli/out.h"
#include "libfaas/cleanup.h"

#define MAX_RESULT ((size_t)512 << 20) /* as much as async_max_result_size can be */

struct options {
    struct cli_connect connect;
};

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_free_ char *path = cli_async_path(cli->args.items[0], "/result");
    const struct cli_call call = {
        .method = "GET", .path = path, .timeout_ms = CLI_NO_TIMEOUT, .max_body = MAX_RESULT};
    _cleanup_resp_ struct faas_fetch_resp resp = {0};

    if (cli_client_open(&client, &o->connect, NULL, err) < 0 ||
        cli_client_call(&client, &call, &resp, err) < 0)
        return -1;
    if (resp.status != 200)
        return cli_async_refuse(&client, &resp, err);
    cli_write(faas_buf_str(&resp.body));
    return 0;
}

const struct cli_command cli_cmd_async_result = {
    .name = "result",
    .args = "CALL-ID",
    .min_args = 1,
    .max_args = 1,
    .summary = "Print what the function answered",
    .description = "Writes the body of the function's answer to stdout, byte for byte.",
    .example = "faas-cli async result 6f1c8a52-4f3f-4f0e-9a55-0f0f5d1c9b7e > answer",
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)}},
    .run = run,
};
