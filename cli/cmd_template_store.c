#include "cli/commands.h"

static const struct cli_command *const subcommands[] = {
    &cli_cmd_template_store_list,
    &cli_cmd_template_store_describe,
    &cli_cmd_template_store_pull,
    NULL,
};

const struct cli_command cli_cmd_template_store = {
    .name = "store",
    .summary = "Find templates in the template store",
    .description = "The store is an index of templates that others have published. Those that come "
                   "with faas-cli are not in it.",
    .example = "faas-cli template store list --recommended\n"
               "faas-cli template store pull golang-middleware",
    .subcommands = subcommands,
};
