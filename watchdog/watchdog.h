/* The watchdog: one loop, the function's port and the metrics' port, one executor. */
#ifndef FAAS_WATCHDOG_H
#define FAAS_WATCHDOG_H

#include "watchdog/config.h"
#include "watchdog/line_log.h"

struct wd;

enum {
    /* What Go programs leave with after a panic or a bad flag; images were written for that. */
    WD_EXIT_CANNOT_START = 2,
    WD_EXIT_NO_KEYS = 1,
};

/* Waits for what has to be there first (keys of tokens), listens and writes the lock file. NULL:
 * *failure is what to exit with, 0 when it was merely told to stop meanwhile. config, log and
 * env_vars are borrowed. */
struct wd *wd_new(const struct wd_config *config, struct wd_log *log, char *const *env_vars,
                  int *failure, struct faas_error *err);
/* Serves until SIGTERM has been obeyed, or the executor wants no more; returns the exit status. */
int wd_run(struct wd *wd);
void wd_free(struct wd *wd);

#endif
