#include "cli/commands.h"

#include "cli/json_text.h"
#include "cli/namespace.h"
#include "cli/out.h"

struct options {
    struct cli_connect connect;
    bool json;
};

static const struct cli_flag flags[] = {
    CLI_ROW_JSON(struct options),
    {0},
};

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_json_ json_t *list = NULL;
    const json_t *name;
    size_t i;

    (void)cli;
    if (cli_client_open(&client, &o->connect, NULL, err) < 0)
        return -1;
    list = cli_namespaces_ask(&client, err);
    if (!list)
        return -1;
    if (o->json) {
        cli_print_json(list);
        return 0;
    }
    cli_print("Namespaces:\n");
    json_array_foreach(list, i, name) if (json_is_string(name))
        cli_print(" - %s\n", json_string_value(name));
    return 0;
}

const struct cli_command cli_cmd_namespace_list = {
    .name = "list",
    .aliases = {"ls"},
    .summary = "List namespaces",
    .description = "Lists the gateway's namespaces.",
    .example = "faas-cli namespace list\n"
               "faas-cli namespace list --json",
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};

static int run_deprecated(struct cli *cli, void *options, struct faas_error *err)
{
    cli_note("Command \"namespaces\" is deprecated, use \"namespace list\" instead.\n");
    return run(cli, options, err);
}

const struct cli_command cli_cmd_namespaces = {
    .name = "namespaces",
    .summary = "List namespaces",
    .description = "The old name of \"namespace list\".",
    .example = "faas-cli namespace list",
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run_deprecated,
    .hidden = true,
};
