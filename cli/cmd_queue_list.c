#include "cli/commands.h"

#include "cli/async_calls.h"
#include "cli/json_text.h"
#include "cli/out.h"
#include "cli/table.h"

struct options {
    struct cli_connect connect;
    bool json;
};

static const struct cli_flag flags[] = {
    CLI_ROW_JSON(struct options),
    {0},
};

static void add_row(struct cli_table *t, const json_t *q)
{
    char numbers[4][24], age[32];
    static const char *const keys[] = {"depth", "inFlight", "delayed", "dead"};
    bool paused = json_is_true(faas_json_get(q, "paused"));

    for (size_t i = 0; i < FAAS_ARRAY_LEN(keys); i++)
        snprintf(numbers[i], sizeof(numbers[i]), "%lld",
                 (long long)json_integer_value(faas_json_get(q, keys[i])));
    snprintf(age, sizeof(age), "%.1fs", json_number_value(faas_json_get(q, "oldestAgeSeconds")));
    cli_table_row(t,
                  (const char *const[]){cli_json_text(q, "name"), numbers[0], numbers[1],
                                        numbers[2], numbers[3], age, paused ? "paused" : "active"});
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_table_ struct cli_table table = {.columns = 7};
    _cleanup_buf_ struct faas_buf text = {0};
    _cleanup_json_ json_t *list = NULL;
    const json_t *q;
    size_t i;

    (void)cli;
    if (cli_client_open(&client, &o->connect, NULL, err) < 0 ||
        cli_async_call(&client, "GET", "/system/queues", NULL, &list, err) < 0)
        return -1;
    if (o->json) {
        cli_print_json(list);
        return 0;
    }
    cli_table_row(&table, (const char *const[]){"Queue", "Waiting", "Running", "Delayed", "Dead",
                                                "Oldest", "State"});
    json_array_foreach(list, i, q) add_row(&table, q);
    cli_table_write(&text, &table, 3);
    cli_write(faas_buf_str(&text));
    return 0;
}

const struct cli_command cli_cmd_queue_list = {
    .name = "list",
    .aliases = {"ls"},
    .summary = "List queues",
    .description = "Lists the queues with how many calls wait, run, are delayed and were given up, "
                   "and how long the oldest has waited.",
    .example = "faas-cli queue list\n"
               "faas-cli queue list --json",
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};
