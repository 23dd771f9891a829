/* The flags of deploy, for commands that deploy among other things. */
#ifndef FAAS_CLI_CMD_DEPLOY_H
#define FAAS_CLI_CMD_DEPLOY_H

#include "cli/deployment.h"

extern const struct cli_flag cli_deploy_flags[]; /* offsets in struct cli_deploy_options */

#endif
