#include "cli/commands.h"

#include "cli/complete.h"
#include "cli/embedded.h"
#include "cli/functions.h"
#include "cli/namespace.h"
#include "cli/out.h"
#include "cli/store.h"
#include "cli/template.h"

/* Whoever presses a key does not wait for long. */
enum { TIMEOUT_MS = 2000, MAX_WORDS = 1000 };

static void add_items(struct faas_strv *out, const json_t *list, const char *key)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *name = json_string_value(key ? faas_json_get(item, key) : item);

        if (name)
            faas_strv_add(out, name);
    }
}

static void ask_gateway(struct faas_strv *out, const struct cli_completion *c,
                        const struct cli_client *client)
{
    static const struct {
        enum cli_completes names;
        const char *path;
        const char *key; /* NULL: the list holds names */
    } lists[] = {{CLI_FUNCTIONS, "/system/functions", "name"},
                 {CLI_SECRETS, "/system/secrets", "name"},
                 {CLI_NAMESPACES, "/system/namespaces", NULL},
                 {CLI_QUEUES, "/system/queues", "name"}};
    _cleanup_map_ struct faas_map query = {0};
    struct faas_error ignored = {0};

    if (c->namespace_ && *c->namespace_)
        faas_map_set(&query, "namespace", c->namespace_);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(lists); i++) {
        _cleanup_json_ json_t *list = NULL;

        if (lists[i].names != c->names)
            continue;
        list = cli_client_get(client, lists[i].path, &query, &ignored);
        add_items(out, list, lists[i].key);
    }
}

/* The commands that want these names look there for their gateway as well. */
static bool asks_the_stacks(enum cli_completes names)
{
    return names == CLI_FUNCTIONS || names == CLI_NAMESPACES;
}

/* The functions of the gateway that the words lead to, or when there is none, of the stack file. */
static void gateway_names(struct faas_strv *out, const struct cli_completion *c)
{
    const char *file = c->yaml ? c->yaml : cli_stack_default_file();
    const struct cli_connect connect = {.gateway = (char *)c->gateway};
    _cleanup_stack_ struct cli_stack stack = {0};
    _cleanup_client_ struct cli_client client = {0};
    struct faas_error ignored = {0};

    if (file)
        (void)!cli_stack_load(&stack, file, &cli_process_env, &ignored);
    if (cli_client_open(&client, &connect, asks_the_stacks(c->names) ? &stack : NULL, &ignored) < 0)
        return;
    client.timeout_ms = TIMEOUT_MS;
    ask_gateway(out, c, &client);
    for (size_t i = 0; c->names == CLI_FUNCTIONS && out->len == 0 && i < stack.n_functions; i++)
        faas_strv_add(out, stack.functions[i].name);
}

static void template_names(struct faas_strv *out)
{
    _cleanup_strv_ struct faas_strv here = {0};

    cli_embedded_names(out);
    (void)!cli_template_list(&here, NULL);
    faas_strv_for_each(&here, name) if (!faas_strv_has(out, *name)) faas_strv_add(out, *name);
}

static void store_names(struct faas_strv *out)
{
    _cleanup_store_ struct cli_store store = {0};

    if (cli_store_load(&store, NULL, NULL) < 0)
        return;
    for (size_t i = 0; i < store.len; i++)
        faas_strv_add(out, store.items[i].name);
}

static void print_names(const struct cli_completion *c)
{
    _cleanup_strv_ struct faas_strv names = {0};

    switch (c->names) {
    case CLI_FUNCTIONS:
    case CLI_SECRETS:
    case CLI_NAMESPACES:
    case CLI_QUEUES:
        gateway_names(&names, c);
        break;
    case CLI_TEMPLATES:
        template_names(&names);
        break;
    case CLI_STORE_FUNCTIONS:
        store_names(&names);
        break;
    case CLI_COMMANDS:
    case CLI_FILES:
    case CLI_NOTHING:
        break;
    }
    faas_strv_for_each(&names, name) if (faas_str_starts(faas_str_from(*name), c->typed))
        cli_print("%.*s%s\n", FAAS_STR_FMT(c->before), *name);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    _cleanup_(cli_completion_deinit) struct cli_completion c = {0};

    (void)options;
    (void)err;
    cli_complete(&c, cli->root, cli->args.items, cli->args.len);
    cli_print("%s\n", c.names == CLI_FILES ? ":files" : ":words");
    faas_strv_for_each(&c.offers, line) cli_print("%s\n", *line);
    print_names(&c);
    return 0;
}

const struct cli_command cli_cmd_complete = {
    .name = "complete",
    .args = "-- WORD...",
    .max_args = MAX_WORDS,
    .summary = "Offer what a command line can go on with",
    .description =
        "What the scripts of \"faas-cli completion\" ask: prints candidates for the last "
        "word, a tab and what they are. The first line is \":files\" when names of files "
        "would do too.",
    .example = "faas-cli complete -- describe ''",
    .run = run,
    .hidden = true,
};
