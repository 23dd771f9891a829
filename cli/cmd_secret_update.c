#include "cli/commands.h"

#include "cli/out.h"
#include "cli/secret.h"

struct options {
    struct cli_connect connect;
    struct cli_secret_source source;
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
    _cleanup_secret_value_ struct cli_secret_value value = {0};
    const struct cli_secret_call call = {
        .method = "PUT", .name = cli->args.items[0], .namespace_ = o->namespace_, .value = &value};
    int status;

    if (cli_secret_value_read(&value, &o->source, err) < 0 ||
        cli_client_open(&client, &o->connect, NULL, err) < 0)
        return -1;
    faas_buf_clear(&value.raw); /* unlike create, it sends the value alone */
    cli_warn_if_exposed(&o->connect, client.gateway);
    cli_print("Updating secret: %s\n", call.name);
    if (cli_secret_send(&client, &call, &status, err) < 0)
        return -1;
    cli_print("Updated: %d %s\n", status, cli_status_text(status));
    return 0;
}

const struct cli_command cli_cmd_secret_update = {
    .name = "update",
    .aliases = {"u"},
    .args = "NAME",
    .min_args = 1,
    .max_args = 1,
    .summary = "Change a secret's value",
    .description = "Gives a secret that exists another value, from a file, from a flag, or from "
                   "standard input.",
    .example = "faas-cli secret update api-key --from-file ./key.txt",
    .completes = CLI_SECRETS,
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {cli_secret_source_flags, offsetof(struct options, source)},
              {flags, 0}},
    .run = run,
};
