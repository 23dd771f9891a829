#include "cli/commands.h"

static const struct cli_command *const subcommands[] = {
    &cli_cmd_async_status,
    &cli_cmd_async_result,
    &cli_cmd_async_cancel,
    NULL,
};

const struct cli_command cli_cmd_async = {
    .name = "async",
    .summary = "Ask about asynchronous calls",
    .description = "The call id is in the X-Call-Id header of the answer to /async-function.",
    .example = "faas-cli async status 6f1c8a52-4f3f-4f0e-9a55-0f0f5d1c9b7e --wait 30s",
    .subcommands = subcommands,
};
