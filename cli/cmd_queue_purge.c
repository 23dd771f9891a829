#include "cli/commands.h"

#include "cli/async_calls.h"
#include "cli/out.h"
#include "libfaas/cleanup.h"

struct options {
    struct cli_connect connect;
    char *which;
};

static const char *const kinds[] = {"queue", "delayed", "dead", NULL};

static const struct cli_flag flags[] = {
    {.name = "which",
     .type = CLI_STRING,
     .at = offsetof(struct options, which),
     .arg = "KIND",
     .choices = kinds,
     .dflt = "queue",
     .help = "waiting calls, delayed ones, or those that were given up"},
    {0},
};

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_free_ char *path = cli_queue_path(cli->args.items[0], "/purge");
    _cleanup_map_ struct faas_map query = {0};
    _cleanup_json_ json_t *answer = NULL;

    faas_map_set(&query, "which", o->which);
    if (cli_client_open(&client, &o->connect, NULL, err) < 0 ||
        cli_async_call(&client, "POST", path, &query, &answer, err) < 0)
        return -1;
    cli_print("Purged: %lld\n", (long long)json_integer_value(faas_json_get(answer, "purged")));
    return 0;
}

const struct cli_command cli_cmd_queue_purge = {
    .name = "purge",
    .args = "QUEUE",
    .min_args = 1,
    .max_args = 1,
    .summary = "Forget a queue's calls",
    .description = "Forgets the calls that wait in a queue, for good. What runs goes on.",
    .example = "faas-cli queue purge faas-request\n"
               "faas-cli queue purge faas-request --which dead",
    .completes = CLI_QUEUES,
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags_alone, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};
