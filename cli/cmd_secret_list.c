#include "cli/commands.h"

#include "cli/client.h"
#include "cli/json_text.h"
#include "cli/out.h"

struct options {
    struct cli_connect connect;
    char *namespace_;
    bool json;
};

static const struct cli_flag flags[] = {
    CLI_ROW_NAMESPACE(struct options),
    CLI_ROW_JSON(struct options),
    {0},
};

static void print_names(const json_t *list)
{
    const json_t *item;
    size_t i;

    if (json_array_size(list) == 0) {
        cli_print("There are no secrets.\n");
        return;
    }
    cli_print("\nNAME\n");
    json_array_foreach(list, i, item) cli_print("%s\n", cli_json_text(item, "name"));
    cli_print("\n");
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_map_ struct faas_map query = {0};
    _cleanup_json_ json_t *list = NULL;

    (void)cli;
    if (cli_client_open(&client, &o->connect, NULL, err) < 0)
        return -1;
    if (!o->json)
        cli_warn_if_exposed(&o->connect, client.gateway);
    if (o->namespace_ && *o->namespace_)
        faas_map_set(&query, "namespace", o->namespace_);
    list = cli_client_get(&client, "/system/secrets", &query, err);
    if (!list)
        return -1;
    if (!json_is_array(list))
        return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "the gateway's answer is not a list");
    if (o->json)
        cli_print_json(list);
    else
        print_names(list);
    return 0;
}

const struct cli_command cli_cmd_secret_list = {
    .name = "list",
    .aliases = {"ls"},
    .summary = "List secrets",
    .description = "Lists the names of secrets. Their values never leave the gateway.",
    .example = "faas-cli secret list\n"
               "faas-cli secret list --json",
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};
