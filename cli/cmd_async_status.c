#include "cli/commands.h"

#include "cli/async_calls.h"
#include "cli/json_text.h"
#include "cli/out.h"
#include "libfaas/cleanup.h"

struct options {
    struct cli_connect connect;
    bool json;
    char *wait;
};

static const struct cli_flag flags[] = {
    {.name = "wait",
     .type = CLI_STRING,
     .at = offsetof(struct options, wait),
     .arg = "DURATION",
     .help = "wait so long for its end, such as 30s, up to 10m"},
    CLI_ROW_JSON(struct options),
    {0},
};

static void print_field(const json_t *call, const char *key, const char *label)
{
    const json_t *v = faas_json_get(call, key);

    if (json_is_string(v))
        cli_print("%-11s%s\n", label, json_string_value(v));
    else if (json_is_integer(v))
        cli_print("%-11s%lld\n", label, (long long)json_integer_value(v));
}

static void print_call(const json_t *call)
{
    static const struct {
        const char *key, *label;
    } fields[] = {
        {"callId", "Call:"},   {"function", "Function:"}, {"queue", "Queue:"},
        {"state", "State:"},   {"attempts", "Attempts:"}, {"status", "Status:"},
        {"reason", "Reason:"}, {"callback", "Callback:"}, {"submittedAt", "Submitted:"},
        {"dueAt", "Due:"},     {"startedAt", "Started:"}, {"finishedAt", "Finished:"},
    };

    for (size_t i = 0; i < FAAS_ARRAY_LEN(fields); i++)
        print_field(call, fields[i].key, fields[i].label);
    if (json_is_true(faas_json_get(call, "truncated")))
        cli_print("%-11s%s\n", "Result:", "cut off (async_max_result_size)");
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_free_ char *path = cli_async_path(cli->args.items[0], "");
    _cleanup_map_ struct faas_map query = {0};
    _cleanup_json_ json_t *call = NULL;

    if (o->wait)
        faas_map_set(&query, "wait", o->wait);
    if (cli_client_open(&client, &o->connect, NULL, err) < 0 ||
        cli_async_call(&client, "GET", path, &query, &call, err) < 0)
        return -1;
    if (o->json)
        cli_print_json(call);
    else
        print_call(call);
    return 0;
}

const struct cli_command cli_cmd_async_status = {
    .name = "status",
    .args = "CALL-ID",
    .min_args = 1,
    .max_args = 1,
    .summary = "Show what became of a call",
    .description = "Shows a call's state: queued, delayed, running, done, dead or cancelled.",
    .example = "faas-cli async status 6f1c8a52-4f3f-4f0e-9a55-0f0f5d1c9b7e\n"
               "faas-cli async status 6f1c8a52-4f3f-4f0e-9a55-0f0f5d1c9b7e --wait 30s --json",
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};
