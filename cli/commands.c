#include "cli/commands.h"

static const struct cli_command *const commands[] = {
    &cli_cmd_new,        &cli_cmd_build,
    &cli_cmd_push,       &cli_cmd_publish,
    &cli_cmd_deploy,     &cli_cmd_up,
    &cli_cmd_local_run,  &cli_cmd_list,
    &cli_cmd_describe,   &cli_cmd_invoke,
    &cli_cmd_logs,       &cli_cmd_remove,
    &cli_cmd_scale,      &cli_cmd_secret,
    &cli_cmd_queue,      &cli_cmd_async,
    &cli_cmd_namespace,  &cli_cmd_store,
    &cli_cmd_ready,      &cli_cmd_template,
    &cli_cmd_generate,   &cli_cmd_chart,
    &cli_cmd_diff,       &cli_cmd_login,
    &cli_cmd_logout,     &cli_cmd_registry_login,
    &cli_cmd_completion, &cli_cmd_info,
    &cli_cmd_version,    &cli_cmd_help,
    &cli_cmd_namespaces, &cli_cmd_print_token,
    &cli_cmd_complete,   &cli_cmd_bashcompletion,
    &cli_cmd_man,        NULL,
};

const struct cli_command cli_root = {
    .name = "faas-cli",
    .summary = "Manage functions from the command line",
    .description = "Makes, builds, deploys and calls functions of an OpenFaaS-compatible gateway.",
    .example = "faas-cli new hello --lang python3\n"
               "faas-cli up\n"
               "echo Ada | faas-cli invoke hello",
    .subcommands = commands,
};
