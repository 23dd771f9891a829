#include "cli/commands.h"

#include "cli/namespace.h"
#include "cli/out.h"

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct cli_connect *connect = options;
    const char *name = cli->args.items[0];
    _cleanup_client_ struct cli_client client = {0};

    if (cli_client_open(&client, connect, NULL, err) < 0)
        return -1;
    cli_print("Deleting Namespace: %s\n", name);
    if (cli_namespace_remove(&client, name, err) < 0)
        return -1;
    cli_print("Namespace Removed: %s\n", name);
    return 0;
}

const struct cli_command cli_cmd_namespace_remove = {
    .name = "remove",
    .aliases = {"rm", "delete"},
    .args = "NAME",
    .min_args = 1,
    .max_args = 1,
    .summary = "Remove a namespace",
    .description = "Removes a namespace that has nothing in it any more.",
    .example = "faas-cli namespace remove staging",
    .completes = CLI_NAMESPACES,
    .options_size = sizeof(struct cli_connect),
    .flags = {{cli_gateway_flags_alone, 0}, {cli_token_flags, 0}},
    .run = run,
};
