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
    cli_print("Updating Namespace: %s\n", name);
    if (cli_namespace_put(&client, "PUT", name, o, err) < 0)
        return -1;
    cli_print("Namespace Updated: %s\n", name);
    return 0;
}

const struct cli_command cli_cmd_namespace_update = {
    .name = "update",
    .args = "NAME",
    .min_args = 1,
    .max_args = 1,
    .summary = "Change a namespace's labels and annotations",
    .description = "Replaces the labels and annotations of a namespace.",
    .example = "faas-cli namespace update staging --label team=blue",
    .completes = CLI_NAMESPACES,
    .options_size = sizeof(struct cli_namespace_options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct cli_namespace_options, connect)},
              {cli_token_flags, offsetof(struct cli_namespace_options, connect)},
              {cli_namespace_flags, 0}},
    .run = run,
};
