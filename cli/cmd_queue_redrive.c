#include "cli/commands.h"

#include "cli/async_calls.h"
#include "cli/out.h"
#include "libfaas/cleanup.h"

struct options {
    struct cli_connect connect;
    char *id;
};

static const struct cli_flag flags[] = {
    {.name = "id",
     .type = CLI_STRING,
     .at = offsetof(struct options, id),
     .arg = "CALL-ID",
     .help = "this one only"},
    {0},
};

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_free_ char *path = cli_queue_path(cli->args.items[0], "/redrive");
    _cleanup_map_ struct faas_map query = {0};
    _cleanup_json_ json_t *answer = NULL;

    if (o->id)
        faas_map_set(&query, "id", o->id);
    if (cli_client_open(&client, &o->connect, NULL, err) < 0 ||
        cli_async_call(&client, "POST", path, &query, &answer, err) < 0)
        return -1;
    cli_print("Queued again: %lld\n",
              (long long)json_integer_value(faas_json_get(answer, "redriven")));
    return 0;
}

const struct cli_command cli_cmd_queue_redrive = {
    .name = "redrive",
    .args = "QUEUE",
    .min_args = 1,
    .max_args = 1,
    .summary = "Queue calls again that were given up",
    .description =
        "Puts the calls of a queue's dead-letter list back into the queue, with attempts "
        "counted anew.",
    .example = "faas-cli queue redrive faas-request\n"
               "faas-cli queue redrive faas-request --id 6f1c8a52-4f3f-4f0e-9a55-0f0f5d1c9b7e",
    .completes = CLI_QUEUES,
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};
