#include "cli/commands.h"

#include "cli/async_calls.h"
#include "cli/out.h"
#include "libfaas/cleanup.h"

struct options {
    struct cli_connect connect;
};

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_free_ char *path = cli_queue_path(cli->args.items[0], "/resume");

    if (cli_client_open(&client, &o->connect, NULL, err) < 0 ||
        cli_async_call(&client, "POST", path, NULL, NULL, err) < 0)
        return -1;
    cli_print("Resumed: %s\n", cli->args.items[0]);
    return 0;
}

const struct cli_command cli_cmd_queue_resume = {
    .name = "resume",
    .args = "QUEUE",
    .min_args = 1,
    .max_args = 1,
    .summary = "Make calls of a queue again",
    .description = "Workers take from it again within two seconds.",
    .example = "faas-cli queue resume faas-request",
    .completes = CLI_QUEUES,
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)}},
    .run = run,
};
