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

static int print_map(const json_t *answer, const char *key, const char *label,
                     struct faas_error *err)
{
    _cleanup_map_ struct faas_map map = {0};

    if (faas_json_get_map(answer, key, &map, err) < 0)
        return -1;
    faas_map_sort(&map);
    if (map.len > 0)
        cli_print("%s:\n", label);
    faas_map_for_each (&map, e)
        cli_print(" %s: %s\n", e->key, e->value);
    return 0;
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_json_ json_t *answer = NULL;

    if (cli_client_open(&client, &o->connect, NULL, err) < 0)
        return -1;
    answer = cli_namespace_get(&client, cli->args.items[0], err);
    if (!answer)
        return -1;
    if (o->json) {
        cli_print_json(answer);
        return 0;
    }
    cli_print("Name: %s\n", cli_json_text(answer, "name"));
    return print_map(answer, "labels", "Labels", err) < 0
               ? -1
               : print_map(answer, "annotations", "Annotations", err);
}

const struct cli_command cli_cmd_namespace_get = {
    .name = "get",
    .args = "NAME",
    .min_args = 1,
    .max_args = 1,
    .summary = "Show a namespace's labels and annotations",
    .description = "Shows the labels and annotations of a namespace.",
    .example = "faas-cli namespace get staging\n"
               "faas-cli namespace get staging --json",
    .completes = CLI_NAMESPACES,
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};
