/* The flags of push, for commands that push among other things. */
#ifndef FAAS_CLI_CMD_PUSH_H
#define FAAS_CLI_CMD_PUSH_H

#include "cli/build.h"

struct cli_push_options {
    struct cli_connect connect;
    char *builder; /* NULL: see cli_builder_choose() */
    int64_t parallel;
    char *tag;
    bool envsubst;
    bool quiet;
};

extern const struct cli_flag cli_push_flags[]; /* offsets in struct cli_push_options */

#endif
