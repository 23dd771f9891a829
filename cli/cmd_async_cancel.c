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
    _cleanup_free_ char *path = cli_async_path(cli->args.items[0], "");

    if (cli_client_open(&client, &o->connect, NULL, err) < 0 ||
        cli_async_call(&client, "DELETE", path, NULL, NULL, err) < 0)
        return -1;
    cli_print("Cancelled: %s\n", cli->args.items[0]);
    return 0;
}

const struct cli_command cli_cmd_async_cancel = {
    .name = "cancel",
    .args = "CALL-ID",
    .min_args = 1,
    .max_args = 1,
    .summary = "Cancel a call",
    .description = "A call that waits is dropped; one that runs is ended within a third of the "
                   "gateway's async_lease.",
    .example = "faas-cli async cancel 6f1c8a52-4f3f-4f0e-9a55-0f0f5d1c9b7e",
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)}},
    .run = run,
};
