/* What every command is handed beside its own options: the arguments, the flags that all
 * commands have, and how to talk to the person. One thread, except where workers.h says so. */
#ifndef FAAS_CLI_CLI_H
#define FAAS_CLI_CLI_H

#include "cli/command.h"

struct cli {
    const struct cli_command *root;
    const struct cli_command *command;
    const char *path; /* "faas-cli secret create" */
    struct faas_strv args;
    char *yaml;             /* the last --yaml, or NULL */
    struct faas_strv files; /* all of them */
    char *regex;
    char *filter;
    struct faas_strv only; /* not a flag: functions to keep; empty: all */
    bool help;
};

/* Marks a failure whose reasons the user has been told. */
int cli_fail_told(struct faas_error *err);

#endif
