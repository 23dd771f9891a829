/* The flags of publish, for commands that publish among other things. */
#ifndef FAAS_CLI_CMD_PUBLISH_H
#define FAAS_CLI_CMD_PUBLISH_H

#include "cli/build.h"

#define CLI_ROW_PLATFORMS(options)                                                   \
    {                                                                                \
        .name = "platforms", .type = CLI_STRING, .at = offsetof(options, platforms), \
        .arg = "LIST", .shown_default = "the function's, then linux/amd64",          \
        .help = "what to publish for, such as linux/amd64,linux/arm64"               \
    }

#endif
