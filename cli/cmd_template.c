#include "cli/commands.h"

static const struct cli_command *const subcommands[] = {
    &cli_cmd_template_pull,
    &cli_cmd_template_store,
    NULL,
};

const struct cli_command cli_cmd_template = {
    .name = "template",
    .summary = "Fetch language templates",
    .description = "Templates are folders below ./template that functions are made and built "
                   "from. Those that come with faas-cli need no fetching: faas-cli new unpacks "
                   "them by itself.",
    .example = "faas-cli template pull https://github.com/me/my-templates#v1\n"
               "faas-cli template store list",
    .subcommands = subcommands,
};
