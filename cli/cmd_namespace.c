#include "cli/commands.h"

static const struct cli_command *const subcommands[] = {
    &cli_cmd_namespace_list,   &cli_cmd_namespace_create, &cli_cmd_namespace_get,
    &cli_cmd_namespace_update, &cli_cmd_namespace_remove, NULL,
};

const struct cli_command cli_cmd_namespace = {
    .name = "namespace",
    .aliases = {"ns"},
    .summary = "Manage namespaces",
    .description = "Namespaces keep functions and secrets of different teams or stages apart.",
    .example = "faas-cli namespace list\n"
               "faas-cli namespace create staging --label team=blue",
    .subcommands = subcommands,
};
