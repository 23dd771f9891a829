#include "cli/commands.h"

static const struct cli_command *const subcommands[] = {
    &cli_cmd_queue_list,
    &cli_cmd_queue_pause,
    &cli_cmd_queue_resume,
    &cli_cmd_queue_purge,
    &cli_cmd_queue_dead,
    &cli_cmd_queue_redrive,
    NULL,
};

const struct cli_command cli_cmd_queue = {
    .name = "queue",
    .summary = "Look at queues of asynchronous calls, and manage them",
    .description = "Calls by /async-function wait in queues until a worker makes them; those that "
                   "were given up lie in the dead-letter list of their queue.",
    .example = "faas-cli queue list\n"
               "faas-cli queue redrive faas-request",
    .subcommands = subcommands,
};
