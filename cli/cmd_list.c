#include "cli/commands.h"

#include "cli/functions.h"
#include "cli/json_text.h"
#include "cli/out.h"
#include "libfaas/clock.h"

struct options {
    struct cli_connect connect;
    char *namespace_;
    char *sort;
    bool envsubst;
    bool json;
    bool quiet;
    bool verbose;
};

static const struct cli_flag flags[] = {
    CLI_ROW_NAMESPACE(struct options),
    {.name = "quiet",
     .letter = 'q',
     .type = CLI_BOOL,
     .at = offsetof(struct options, quiet),
     .help = "print names only"},
    {.name = "verbose",
     .letter = 'v',
     .type = CLI_BOOL,
     .at = offsetof(struct options, verbose),
     .help = "print images and times too"},
    {.name = "sort",
     .type = CLI_STRING,
     .at = offsetof(struct options, sort),
     .dflt = "name",
     .arg = "KEY",
     .help = "order by name, invocations or creation; anything else: the gateway's order"},
    CLI_ROW_JSON(struct options),
    CLI_ROW_ENVSUBST(struct options),
    {0},
};

static int by_name(const void *a, const void *b)
{
    const struct faas_function_status *x = a, *y = b;

    return strcmp(x->spec.service ? x->spec.service : "", y->spec.service ? y->spec.service : "");
}

static int by_invocations(const void *a, const void *b)
{
    const struct faas_function_status *x = a, *y = b;

    return (x->invocation_count < y->invocation_count) -
           (x->invocation_count > y->invocation_count);
}

static int by_creation(const void *a, const void *b)
{
    const struct faas_function_status *x = a, *y = b;

    return (x->created_ns > y->created_ns) - (x->created_ns < y->created_ns);
}

static void sort(struct faas_status_list *list, const char *key)
{
    static const struct {
        const char *key;
        int (*compare)(const void *, const void *);
    } orders[] = {{"name", by_name}, {"invocations", by_invocations}, {"creation", by_creation}};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(orders); i++)
        if (strcmp(key, orders[i].key) == 0 && list->len > 1)
            qsort(list->items, list->len, sizeof(*list->items), orders[i].compare);
}

/* As Go prints a time: "2024-01-02 03:04:05 +0000 UTC". */
static void format_created(int64_t created_ns, char out[64])
{
    char rfc3339[40] = "0001-01-01T00:00:00Z";

    if (created_ns != 0)
        faas_format_time_go(created_ns, rfc3339);
    snprintf(out, 64, "%.10s %.*s +0000 UTC", rfc3339, (int)strcspn(rfc3339 + 11, "Z"),
             rfc3339 + 11);
}

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

static void print_table(const struct faas_status_list *list)
{
    cli_print("%-30s\t%-15s\t%-5s\n", "Function", "Invocations", "Replicas");
    for (size_t i = 0; i < list->len; i++) {
        const struct faas_function_status *f = &list->items[i];

        cli_print("%-30s\t%-15.0f\t%-5llu\n", or_empty(f->spec.service), f->invocation_count,
                  (unsigned long long)f->replicas);
    }
}

static void print_verbose(const struct faas_status_list *list)
{
    int width = 40;

    for (size_t i = 0; i < list->len; i++)
        width = FAAS_MAX(width, (int)strlen(or_empty(list->items[i].spec.image)));
    cli_print("%-30s\t%-*s\t%-15s\t%-5s\t%-5s\n", "Function", width, "Image", "Invocations",
              "Replicas", "CreatedAt");
    for (size_t i = 0; i < list->len; i++) {
        const struct faas_function_status *f = &list->items[i];
        char created[64];

        format_created(f->created_ns, created);
        cli_print("%-30s\t%-*s\t%-15.0f\t%-5llu\t\t%-5s\n", or_empty(f->spec.service), width,
                  or_empty(f->spec.image), f->invocation_count, (unsigned long long)f->replicas,
                  created);
    }
}

static void print_json(const struct faas_status_list *list)
{
    _cleanup_json_ json_t *array = json_array();

    for (size_t i = 0; i < list->len; i++)
        json_array_append_new(array, faas_function_status_to_json(&list->items[i]));
    cli_print_json(array);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_stack_ struct cli_stack stack = {0};
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_(faas_status_list_deinit) struct faas_status_list list = {0};

    if (cli_load_stack(cli, o->envsubst, &stack, err) < 0 ||
        cli_client_open(&client, &o->connect, &stack, err) < 0 ||
        cli_functions_list(&client, o->namespace_, &list, err) < 0)
        return -1;
    sort(&list, o->sort);
    if (o->json) {
        print_json(&list);
    } else if (o->quiet) {
        for (size_t i = 0; i < list.len; i++)
            cli_print("%s\n", or_empty(list.items[i].spec.service));
    } else if (o->verbose) {
        print_verbose(&list);
    } else {
        print_table(&list);
    }
    return 0;
}

const struct cli_command cli_cmd_list = {
    .name = "list",
    .aliases = {"ls"},
    .summary = "List functions",
    .description = "Lists the functions of the gateway, with their invocations and replicas.",
    .example = "faas-cli list\n"
               "faas-cli list --verbose --sort invocations\n"
               "faas-cli list --json",
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};
