#include "cli/commands.h"

#include "cli/json_text.h"
#include "cli/options.h"
#include "cli/out.h"
#include "cli/table.h"
#include "cli/template_store.h"

#include <strings.h>

struct options {
    char *url;
    char *platform;
    bool verbose;
    bool recommended;
    bool official;
    bool json;
};

static const struct cli_flag flags[] = {
    CLI_ROW_STORE_URL(struct options),
    {.name = "platform",
     .letter = 'p',
     .type = CLI_STRING,
     .at = offsetof(struct options, platform),
     .dflt = "x86_64",
     .arg = "PLATFORM",
     .help = "only templates for this platform (not with --json)"},
    {.name = "recommended",
     .letter = 'r',
     .type = CLI_BOOL,
     .at = offsetof(struct options, recommended),
     .help = "only those that are recommended"},
    {.name = "official",
     .letter = 'o',
     .type = CLI_BOOL,
     .at = offsetof(struct options, official),
     .help = "only official ones"},
    {.name = "verbose",
     .letter = 'v',
     .type = CLI_BOOL,
     .at = offsetof(struct options, verbose),
     .help = "print language and platform too"},
    CLI_ROW_JSON(struct options),
    {0},
};

static bool wanted(const struct options *o, const struct cli_store_template *t)
{
    if (o->recommended)
        return t->recommended;
    return !o->official || strcmp(t->official, "true") == 0;
}

static void print_json(const struct options *o, const struct cli_template_store *store)
{
    _cleanup_json_ json_t *list = json_array();

    for (size_t i = 0; i < store->len; i++)
        if (wanted(o, &store->items[i]))
            json_array_append(list, store->items[i].json);
    cli_print_json(list);
}

static void print_table(const struct options *o, const struct cli_template_store *store)
{
    static const char *const heading[] = {"NAME",        "RECOMMENDED", "SOURCE",
                                          "DESCRIPTION", "LANGUAGE",    "PLATFORM"};
    _cleanup_table_ struct cli_table table = {.columns = o->verbose ? 6 : 4};
    _cleanup_buf_ struct faas_buf text = {0};

    cli_table_row(&table, heading);
    for (size_t i = 0; i < store->len; i++) {
        const struct cli_store_template *t = &store->items[i];
        const char *const cells[] = {t->name,     t->recommended ? "[x]" : "[ ]",
                                     t->source,   t->description,
                                     t->language, t->platform};

        if (wanted(o, t) && strcasecmp(t->platform, o->platform) == 0)
            cli_table_row(&table, cells);
    }
    if (table.cells.len == table.columns)
        return;
    cli_table_write(&text, &table, 1);
    cli_print("\n%s\n", text.data);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_template_store_ struct cli_template_store store = {0};

    (void)cli;
    if (cli_template_store_load(&store, o->url, err) < 0)
        return -1;
    if (o->json)
        print_json(o, &store);
    else
        print_table(o, &store);
    return 0;
}

const struct cli_command cli_cmd_template_store_list = {
    .name = "list",
    .aliases = {"ls"},
    .summary = "List the store's templates",
    .description = "Lists templates, recommended ones first.",
    .example = "faas-cli template store list\n"
               "faas-cli template store list --official --verbose\n"
               "faas-cli template store list --json",
    .options_size = sizeof(struct options),
    .flags = {{flags, 0}},
    .run = run,
};
