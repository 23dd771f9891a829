#include "cli/commands.h"

#include "cli/namespace.h"
#include "cli/out.h"

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct cli_namespace_options *o = options;
    const char *name = cli->args.items[0];
    _cleanup_client_ struct cli_client client = {0};

    if (cli_client_open(&client, &o->connect, NULL, err) < 0)
        return -1;
    cli_print("Creating Namespace: %s\n", name);
    if (cli_namespace_put(&client, "POST", name, o, err) < 0)
        return -1;
    cli_print("Namespace Created: %s\n", name);
    return 0;
}

const struct cli_command cli_cmd_namespace_create = {
    .name = "create",
    .args = "NAME",
    .min_args = 1,
    .max_args = 1,
    .summary = "Create a namespace",
    .description = "Creates a namespace, marked as one for functions.",
    .example = "faas-cli namespace create staging --label team=blue",
    .options_size = sizeof(struct cli_namespace_options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct cli_namespace_options, connect)},
              {cli_token_flags, offsetof(struct cli_namespace_options, connect)},
              {cli_namespace_flags, 0}},
    .run = run,
};
