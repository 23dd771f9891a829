#include "cli/commands.h"

#include "cli/json_text.h"
#include "cli/options.h"
#include "cli/out.h"
#include "cli/store.h"
#include "cli/table.h"
#include "libfaas/alloc.h"

struct options {
    struct cli_store_options store;
    bool verbose;
    bool json;
};

static const struct cli_flag flags[] = {
    {.name = "verbose",
     .letter = 'v',
     .type = CLI_BOOL,
     .at = offsetof(struct options, verbose),
     .help = "do not shorten what functions are about"},
    CLI_ROW_JSON(struct options),
    {0},
};

static void print_json(const struct cli_store *store, const char *platform)
{
    _cleanup_json_ json_t *list = json_array();

    for (size_t i = 0; i < store->len; i++)
        if (cli_store_image(&store->items[i], platform))
            json_array_append(list, store->items[i].json);
    cli_print_json(list);
}

/* A long title without its end. Heap. */
static char *shortened(const char *title)
{
    enum { LONGEST = 40, KEPT = 37 };

    if (strlen(title) <= LONGEST)
        return faas_strdup(title);
    return faas_asprintf("%.*s...", KEPT, title);
}

static void tell_platforms(const struct cli_store *store, const char *platform)
{
    _cleanup_strv_ struct faas_strv platforms = {0};
    _cleanup_buf_ struct faas_buf names = {0};

    cli_store_platforms(store, &platforms);
    faas_strv_for_each(&platforms, name)
        faas_buf_printf(&names, "%s%s", names.len ? ", " : "", *name);
    cli_print("The store has no function for the platform %s; it has some for: %s\n", platform,
              names.len ? names.data : "none");
}

static void print_table(const struct cli_store *store, const struct options *o)
{
    static const char *const heading[] = {"FUNCTION", "AUTHOR", "DESCRIPTION"};
    _cleanup_table_ struct cli_table table = {.columns = FAAS_ARRAY_LEN(heading)};
    _cleanup_buf_ struct faas_buf text = {0};

    cli_table_row(&table, heading);
    for (size_t i = 0; i < store->len; i++) {
        const struct cli_store_function *f = &store->items[i];
        _cleanup_free_ char *title = o->verbose ? faas_strdup(f->title) : shortened(f->title);
        const char *const cells[] = {f->name, *f->author ? f->author : "unknown", title};

        if (cli_store_image(f, o->store.platform))
            cli_table_row(&table, cells);
    }
    if (table.cells.len == table.columns) {
        tell_platforms(store, o->store.platform);
        return;
    }
    cli_table_write(&text, &table, 1);
    cli_print("\n%s\n", text.data);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_store_ struct cli_store store = {0};

    (void)cli;
    if (cli_store_load(&store, o->store.url, err) < 0)
        return -1;
    if (o->json)
        print_json(&store, o->store.platform);
    else
        print_table(&store, o);
    return 0;
}

const struct cli_command cli_cmd_store_list = {
    .name = "list",
    .aliases = {"ls"},
    .summary = "List the store's functions",
    .description = "Lists the functions that have an image for the platform.",
    .example = "faas-cli store list\n"
               "faas-cli store list --platform arm64 --verbose\n"
               "faas-cli store list --json",
    .options_size = sizeof(struct options),
    .flags = {{cli_store_flags, offsetof(struct options, store)}, {flags, 0}},
    .run = run,
};
