#include "cli/commands.h"

#include "cli/about.h"
#include "cli/functions.h"
#include "cli/json_text.h"
#include "cli/namespace.h"
#include "cli/out.h"

struct options {
    struct cli_connect connect;
    bool envsubst;
    bool json;
};

static const struct cli_flag flags[] = {
    CLI_ROW_JSON(struct options),
    CLI_ROW_ENVSUBST(struct options),
    {0},
};

struct count {
    size_t total, ready;
};

static int count_functions(const struct cli_client *c, const char *namespace_, struct count *n,
                           struct faas_error *err)
{
    _cleanup_(faas_status_list_deinit) struct faas_status_list list = {0};

    if (cli_functions_list(c, namespace_, &list, err) < 0)
        return -1;
    n->total += list.len;
    for (size_t i = 0; i < list.len; i++)
        n->ready += list.items[i].available_replicas > 0;
    return 0;
}

static int count_all(const struct cli_client *c, const json_t *namespaces, struct count *n,
                     struct faas_error *err)
{
    const json_t *name;
    size_t i;

    json_array_foreach(namespaces, i,
                       name) if (json_is_string(name) &&
                                 count_functions(c, json_string_value(name), n, err) < 0) return -1;
    return 0;
}

static void print_text(const struct cli_about *a, const char *gateway, const json_t *namespaces,
                       const struct count *n)
{
    const json_t *name;
    size_t i;

    cli_about_print(a, gateway);
    cli_print("\nFunctions\n total: %zu\n ready: %zu\n\nNamespaces\n", n->total, n->ready);
    json_array_foreach(namespaces, i, name) if (json_is_string(name))
        cli_print(" %s\n", json_string_value(name));
}

static void print_json(const struct cli_about *a, const char *gateway, json_t *namespaces,
                       const struct count *n)
{
    _cleanup_json_ json_t *all = json_object();

    cli_about_to_json(a, gateway, all);
    json_object_set_new(json_object_get(all, "gateway"), "arch", json_string(a->arch));
    json_object_set_new(
        all, "functions",
        json_pack("{s:I,s:I}", "total", (json_int_t)n->total, "ready", (json_int_t)n->ready));
    json_object_set(all, "namespaces", namespaces);
    cli_print_json(all);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_stack_ struct cli_stack stack = {0};
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_json_ json_t *info = NULL;
    _cleanup_json_ json_t *namespaces = NULL;
    struct cli_about about;
    struct count n = {0};

    if (cli_load_stack(cli, o->envsubst, &stack, err) < 0 ||
        cli_client_open(&client, &o->connect, &stack, err) < 0)
        return -1;
    namespaces = cli_namespaces_ask(&client, err);
    if (!namespaces || count_all(&client, namespaces, &n, err) < 0)
        return -1;
    info = cli_about_ask(&client, err);
    if (!info)
        return -1;
    about = cli_about_read(info);
    if (o->json)
        print_json(&about, client.gateway, namespaces, &n);
    else
        print_text(&about, client.gateway, namespaces, &n);
    return 0;
}

const struct cli_command cli_cmd_info = {
    .name = "info",
    .summary = "Show what a gateway is and holds",
    .description = "Shows the gateway's version, its provider, its namespaces and how many of its "
                   "functions are ready.",
    .example = "faas-cli info\n"
               "faas-cli info --gateway https://faas.example.com --json",
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};
