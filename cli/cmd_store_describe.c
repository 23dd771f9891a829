#include "cli/commands.h"

#include "cli/json_text.h"
#include "cli/options.h"
#include "cli/out.h"
#include "cli/store.h"
#include "cli/table.h"
#include "cli/wrap.h"

struct options {
    struct cli_store_options store;
    bool json;
};

static const struct cli_flag flags[] = {
    CLI_ROW_JSON(struct options),
    {0},
};

static void append_map(struct faas_buf *out, const struct cli_store_function *f, const char *key,
                       const char *label)
{
    _cleanup_map_ struct faas_map map = {0};

    if (faas_json_get_map(f->json, key, &map, NULL) < 0 || map.len == 0)
        return;
    faas_map_sort(&map);
    faas_buf_printf(out, "%s:\n", label);
    faas_map_for_each (&map, e)
        faas_buf_printf(out, "-  %s: %s\n", e->key, e->value);
    faas_buf_append_c(out, '\n');
}

static void append_rows(struct faas_buf *out, const char *const rows[][2], size_t n)
{
    _cleanup_table_ struct cli_table table = {.columns = 2};

    for (size_t i = 0; i < n; i++)
        cli_table_row(&table, rows[i]);
    cli_table_write(out, &table, 1);
}

static void print_text(const struct cli_store_function *f, const char *platform)
{
    enum { WIDTH = 80 };
    const char *const who[][2] = {{"Title:", f->title},
                                  {"Author:", *f->author ? f->author : "unknown"}};
    const char *const what[][2] = {{"Image:", cli_store_image(f, platform)},
                                   {"Process:", f->fprocess},
                                   {"Repo URL:", f->repo_url}};
    _cleanup_buf_ struct faas_buf text = {0};

    append_rows(&text, who, FAAS_ARRAY_LEN(who));
    faas_buf_append_z(&text, "Description:\n");
    cli_wrap(&text, f->description, 0, WIDTH);
    faas_buf_append_c(&text, '\n');
    append_rows(&text, what, FAAS_ARRAY_LEN(what));
    faas_buf_append_c(&text, '\n');
    append_map(&text, f, "environment", "Environment");
    append_map(&text, f, "labels", "Labels");
    append_map(&text, f, "annotations", "Annotations");
    cli_write(faas_buf_str(&text));
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_store_ struct cli_store store = {0};
    const struct cli_store_function *f;

    if (cli_store_load(&store, o->store.url, err) < 0)
        return -1;
    f = cli_store_find(&store, cli->args.items[0], o->store.platform, err);
    if (!f)
        return -1;
    if (o->json)
        cli_print_json(f->json);
    else
        print_text(f, o->store.platform);
    return 0;
}

const struct cli_command cli_cmd_store_describe = {
    .name = "describe",
    .aliases = {"inspect"},
    .args = "NAME|TITLE",
    .min_args = 1,
    .max_args = 1,
    .summary = "Show what the store knows about a function",
    .description = "Shows what a function does, its image and how it would be deployed.",
    .example = "faas-cli store describe figlet\n"
               "faas-cli store describe figlet --json",
    .completes = CLI_STORE_FUNCTIONS,
    .options_size = sizeof(struct options),
    .flags = {{cli_store_flags, offsetof(struct options, store)}, {flags, 0}},
    .run = run,
};
