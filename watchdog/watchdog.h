/* The watchdog: one loop, the function's port and the metrics' port, one executor. */
#ifndef FAAS_WATCHDOG_H
#define FAAS_WATCHDOG_H

#include "watchdog/config.h"
#include "watchdog/line_log.h"

struct wd;

/* Listens and writes the lock file. config, log and env_vars are borrowed. */
struct wd *wd_new(const struct wd_config *config, struct wd_log *log, char *const *env_vars,
                  struct faas_error *err);
/* Serves until SIGTERM has been obeyed, or the executor wants no more; returns the exit status. */
int wd_run(struct wd *wd);
void wd_free(struct wd *wd);

#endif
