#include "cli/commands.h"

static const struct cli_command *const subcommands[] = {
    &cli_cmd_secret_create,
    &cli_cmd_secret_update,
    &cli_cmd_secret_list,
    &cli_cmd_secret_remove,
    &cli_cmd_secret_apply,
    &cli_cmd_secret_generate,
    NULL,
};

const struct cli_command cli_cmd_secret = {
    .name = "secret",
    .summary = "Manage secrets",
    .description = "Secrets are values that functions read as files, by default below "
                   "/var/openfaas/secrets. A function gets those that its deployment names.",
    .example = "faas-cli secret create api-key --from-file ./key.txt\n"
               "faas-cli secret list",
    .subcommands = subcommands,
};
