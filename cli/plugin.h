/* Plugins: programs in ~/.openfaas/plugins that add commands, or stand in for ours. */
#ifndef FAAS_CLI_PLUGIN_H
#define FAAS_CLI_PLUGIN_H

#include "libfaas/error.h"

enum { CLI_PLUGIN_NOT_RUN = 127 };

/* Becomes the plugin called argv[1], when there is one; it gets the arguments behind its name.
 * Returns 0 when there is none, -1 when the folder cannot be read, and CLI_PLUGIN_NOT_RUN when the
 * plugin is there but cannot be run. */
int cli_plugin_run(char **argv, struct faas_error *err);

#endif
