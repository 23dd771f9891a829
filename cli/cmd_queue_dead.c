#include "cli/commands.h"

#include "cli/async_calls.h"
#include "cli/json_text.h"
#include "cli/out.h"
#include "cli/table.h"
#include "libfaas/cleanup.h"

struct options {
    struct cli_connect connect;
    bool json;
    char *after;
    int64_t limit;
};

static const struct cli_flag flags[] = {
    {.name = "limit",
     .type = CLI_INT,
     .at = offsetof(struct options, limit),
     .arg = "N",
     .dflt = "100",
     .help = "how many, up to 1000"},
    {.name = "after",
     .type = CLI_STRING,
     .at = offsetof(struct options, after),
     .arg = "POSITION",
     .help = "go on behind this one (\"position\" in --json)"},
    CLI_ROW_JSON(struct options),
    {0},
};

static void add_row(struct cli_table *t, const json_t *call)
{
    char status[24], attempts[24];

    snprintf(status, sizeof(status), "%lld",
             (long long)json_integer_value(faas_json_get(call, "status")));
    snprintf(attempts, sizeof(attempts), "%lld",
             (long long)json_integer_value(faas_json_get(call, "attempts")));
    cli_table_row(t, (const char *const[]){cli_json_text(call, "callId"),
                                           cli_json_text(call, "function"), status, attempts,
                                           cli_json_text(call, "reason")});
}

static int ask(const struct cli_client *client, const char *queue, const struct options *o,
               json_t **list, struct faas_error *err)
{
    _cleanup_free_ char *path = cli_queue_path(queue, "/dead");
    _cleanup_map_ struct faas_map query = {0};
    char limit[24];

    snprintf(limit, sizeof(limit), "%lld", (long long)o->limit);
    faas_map_set(&query, "limit", limit);
    if (o->after)
        faas_map_set(&query, "after", o->after);
    return cli_async_call(client, "GET", path, &query, list, err);
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_table_ struct cli_table table = {.columns = 5};
    _cleanup_buf_ struct faas_buf out = {0};
    _cleanup_json_ json_t *list = NULL;
    const json_t *call;
    size_t i;

    if (cli_client_open(&client, &o->connect, NULL, err) < 0 ||
        ask(&client, cli->args.items[0], o, &list, err) < 0)
        return -1;
    if (o->json) {
        cli_print_json(list);
        return 0;
    }
    cli_table_row(&table,
                  (const char *const[]){"Call", "Function", "Status", "Attempts", "Reason"});
    json_array_foreach(list, i, call) add_row(&table, call);
    cli_table_write(&out, &table, 3);
    cli_write(faas_buf_str(&out));
    return 0;
}

const struct cli_command cli_cmd_queue_dead = {
    .name = "dead",
    .args = "QUEUE",
    .min_args = 1,
    .max_args = 1,
    .summary = "List calls that were given up",
    .description = "Lists a queue's dead-letter list, oldest first; --json has every attempt.",
    .example = "faas-cli queue dead faas-request\n"
               "faas-cli queue dead faas-request --json",
    .completes = CLI_QUEUES,
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};
