/* Sends a deployment and tells how it went, as deploy and store deploy do. */
#ifndef FAAS_CLI_DEPLOY_H
#define FAAS_CLI_DEPLOY_H

#include "cli/client.h"
#include "cli/deployment.h"

/* The status that decided, 500 for a gateway out of reach; everything has been told. */
int cli_deploy(const struct cli_client *c, const struct cli_deploy_options *o,
               const struct faas_function_spec *spec);

#endif
