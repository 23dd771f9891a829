#include "cli/commands.h"

static const struct cli_command *const subcommands[] = {
    &cli_cmd_store_list,
    &cli_cmd_store_describe,
    &cli_cmd_store_deploy,
    NULL,
};

const struct cli_command cli_cmd_store = {
    .name = "store",
    .summary = "Find and deploy ready-made functions",
    .description = "The function store lists functions that others have built and published as "
                   "container images. Another store is named with --url or OPENFAAS_STORE, which "
                   "may also be a file.",
    .example = "faas-cli store list\n"
               "faas-cli store deploy figlet",
    .subcommands = subcommands,
};
