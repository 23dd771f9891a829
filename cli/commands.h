/* The commands, each in a file of its own. commands.c says which of them belong where. */
#ifndef FAAS_CLI_COMMANDS_H
#define FAAS_CLI_COMMANDS_H

#include "cli/command.h"

extern const struct cli_command cli_cmd_async;
extern const struct cli_command cli_cmd_async_cancel;
extern const struct cli_command cli_cmd_async_result;
extern const struct cli_command cli_cmd_async_status;
extern const struct cli_command cli_cmd_bashcompletion;
extern const struct cli_command cli_cmd_build;
extern const struct cli_command cli_cmd_chart;
extern const struct cli_command cli_cmd_chart_export;
extern const struct cli_command cli_cmd_complete;
extern const struct cli_command cli_cmd_completion;
extern const struct cli_command cli_cmd_deploy;
extern const struct cli_command cli_cmd_describe;
extern const struct cli_command cli_cmd_diff;
extern const struct cli_command cli_cmd_explain;
extern const struct cli_command cli_cmd_generate;
extern const struct cli_command cli_cmd_help;
extern const struct cli_command cli_cmd_info;
extern const struct cli_command cli_cmd_invoke;
extern const struct cli_command cli_cmd_list;
extern const struct cli_command cli_cmd_local_run;
extern const struct cli_command cli_cmd_login;
extern const struct cli_command cli_cmd_logout;
extern const struct cli_command cli_cmd_logs;
extern const struct cli_command cli_cmd_man;
extern const struct cli_command cli_cmd_namespace;
extern const struct cli_command cli_cmd_namespace_create;
extern const struct cli_command cli_cmd_namespace_get;
extern const struct cli_command cli_cmd_namespace_list;
extern const struct cli_command cli_cmd_namespace_remove;
extern const struct cli_command cli_cmd_namespace_update;
extern const struct cli_command cli_cmd_namespaces;
extern const struct cli_command cli_cmd_new;
extern const struct cli_command cli_cmd_print_token;
extern const struct cli_command cli_cmd_publish;
extern const struct cli_command cli_cmd_push;
extern const struct cli_command cli_cmd_queue;
extern const struct cli_command cli_cmd_queue_dead;
extern const struct cli_command cli_cmd_queue_list;
extern const struct cli_command cli_cmd_queue_pause;
extern const struct cli_command cli_cmd_queue_purge;
extern const struct cli_command cli_cmd_queue_redrive;
extern const struct cli_command cli_cmd_queue_resume;
extern const struct cli_command cli_cmd_ready;
extern const struct cli_command cli_cmd_registry_login;
extern const struct cli_command cli_cmd_remove;
extern const struct cli_command cli_cmd_scale;
extern const struct cli_command cli_cmd_secret;
extern const struct cli_command cli_cmd_secret_apply;
extern const struct cli_command cli_cmd_secret_create;
extern const struct cli_command cli_cmd_secret_generate;
extern const struct cli_command cli_cmd_secret_list;
extern const struct cli_command cli_cmd_secret_remove;
extern const struct cli_command cli_cmd_secret_update;
extern const struct cli_command cli_cmd_store;
extern const struct cli_command cli_cmd_store_deploy;
extern const struct cli_command cli_cmd_store_describe;
extern const struct cli_command cli_cmd_store_list;
extern const struct cli_command cli_cmd_template;
extern const struct cli_command cli_cmd_template_pull;
extern const struct cli_command cli_cmd_template_pull_stack;
extern const struct cli_command cli_cmd_template_store;
extern const struct cli_command cli_cmd_template_store_describe;
extern const struct cli_command cli_cmd_template_store_list;
extern const struct cli_command cli_cmd_template_store_pull;
extern const struct cli_command cli_cmd_up;
extern const struct cli_command cli_cmd_version;

#endif
