/* Flags that all commands fetching templates have. */
#ifndef FAAS_CLI_TEMPLATE_OPTIONS_H
#define FAAS_CLI_TEMPLATE_OPTIONS_H

#include "cli/flags.h"

struct cli_template_pull_options {
    bool overwrite;
    bool debug;
};

extern const struct cli_flag cli_template_pull_flags[];

#endif
