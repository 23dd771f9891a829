#include "cli/commands.h"

#include "cli/json_text.h"
#include "cli/options.h"
#include "cli/out.h"
#include "cli/table.h"
#include "cli/template_store.h"

struct options {
    char *url;
    bool json;
};

static const struct cli_flag flags[] = {
    CLI_ROW_STORE_URL(struct options),
    CLI_ROW_JSON(struct options),
    {0},
};

static void print_text(const struct cli_store_template *t)
{
    const char *const rows[][2] = {
        {"Name:", t->name},
        {"Description:", t->description},
        {"Language:", t->language},
        {"Source:", t->source},
        {"Repository:", t->repo},
        {"Platform:", t->platform},
        {"Official:", strcmp(t->official, "true") == 0 ? "[x]" : "[ ]"},
        {"Recommended:", t->recommended ? "[x]" : "[ ]"},
    };
    _cleanup_table_ struct cli_table table = {.columns = 2};
    _cleanup_buf_ struct faas_buf text = {0};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(rows); i++)
        cli_table_row(&table, rows[i]);
    cli_table_write(&text, &table, 1);
    cli_print("\n%s\n", text.data);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_template_store_ struct cli_template_store store = {0};
    const struct cli_store_template *t;

    if (cli_template_store_load(&store, o->url, err) < 0)
        return -1;
    t = cli_template_store_find(&store, cli->args.items[0], err);
    if (!t)
        return -1;
    if (o->json)
        cli_print_json(t->json);
    else
        print_text(t);
    return 0;
}

const struct cli_command cli_cmd_template_store_describe = {
    .name = "describe",
    .args = "NAME|SOURCE/NAME",
    .min_args = 1,
    .max_args = 1,
    .summary = "Show what the store knows about a template",
    .description = "Shows where a template comes from and what it is for.",
    .example = "faas-cli template store describe golang-middleware\n"
               "faas-cli template store describe openfaas/golang-middleware --json",
    .options_size = sizeof(struct options),
    .flags = {{flags, 0}},
    .run = run,
};
