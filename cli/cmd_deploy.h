/* The flags of deploy, for commands that deploy among other things. */
#ifndef FAAS_CLI_CMD_DEPLOY_H
#define FAAS_CLI_CMD_DEPLOY_H

#include "cli/deployment.h"

/* Offsets in struct cli_deploy_options. The first are what any deployment can be given, the others
 * belong to stack files and images. */
extern const struct cli_flag cli_deployment_flags[];
extern const struct cli_flag cli_deploy_flags[];

#endif
