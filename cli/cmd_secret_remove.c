#include "cli/commands.h"

#include "cli/out.h"
#include "cli/secret.h"

struct options {
    struct cli_connect connect;
    char *namespace_;
};

static const struct cli_flag flags[] = {
    CLI_ROW_NAMESPACE(struct options),
    {0},
};

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_client_ struct cli_client client = {0};
    const struct cli_secret_call call = {
        .method = "DELETE", .name = cli->args.items[0], .namespace_ = o->namespace_};
    int status;

    if (cli_client_open(&client, &o->connect, NULL, err) < 0)
        return -1;
    cli_warn_if_exposed(&o->connect, client.gateway);
    if (cli_secret_send(&client, &call, &status, err) < 0)
        return -1;
    cli_print("Removed.. OK.\n");
    return 0;
}

const struct cli_command cli_cmd_secret_remove = {
    .name = "remove",
    .aliases = {"rm", "delete"},
    .args = "NAME",
    .min_args = 1,
    .max_args = 1,
    .summary = "Remove a secret",
    .description = "Removes a secret.",
    .example = "faas-cli secret remove api-key",
    .completes = CLI_SECRETS,
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};
