/* Doing something again whenever the files that it was made of change. One thread. */
#ifndef FAAS_CLI_WATCH_H
#define FAAS_CLI_WATCH_H

#include "cli/cli.h"

/* Runs step at once and after every change of the stack file or below a handler's folder, until
 * SIGINT or SIGTERM, which is success. After a change of handlers, only their functions are left
 * over by cli's filter; after one of the stack file, all that were before. What .gitignore names,
 * editors' own files and .git do not count. A step that fails is told about and waited after. */
FAAS_NODISCARD int cli_watch_run(struct cli *cli, bool envsubst,
                                 int (*step)(struct cli *cli, void *arg, struct faas_error *err),
                                 void *arg, struct faas_error *err);

#endif
