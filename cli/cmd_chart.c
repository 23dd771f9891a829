#include "cli/commands.h"

static const struct cli_command *const subcommands[] = {&cli_cmd_chart_export, NULL};

const struct cli_command cli_cmd_chart = {
    .name = "chart",
    .summary = "Work with Helm charts",
    .description = "What helps to run the platform on a cluster from its Helm chart.",
    .example = "faas-cli chart export openfaas --namespace openfaas",
    .subcommands = subcommands,
};
