/* The function as a server of its own, in http mode: one process group that runs for as long as
 * the watchdog does, its output in our log, its end noticed. What follows from an end is for the
 * owner to decide. */
#ifndef FAAS_WATCHDOG_UPSTREAM_CHILD_H
#define FAAS_WATCHDOG_UPSTREAM_CHILD_H

#include "watchdog/argv.h"
#include "watchdog/executor.h"
#include "watchdog/log_pump.h"

struct wd_upstream_child {
    const struct wd_context *ctx;
    struct faas_strv argv;
    struct wd_program program;
    struct faas_process process;
    struct faas_io exit_io;
    struct faas_timer kill_timer;
    int stdin_fd; /* held open and never written to */
    struct wd_log_pump out, err;
    /* It has ended and is collected, its output is in the log. It may be started again. */
    void (*on_exit)(void *arg, int status);
    void *arg;
};

void wd_upstream_child_init(struct wd_upstream_child *c, const struct wd_context *ctx,
                            void (*on_exit)(void *arg, int status), void *arg);
/* Kills and collects what runs. */
void wd_upstream_child_deinit(struct wd_upstream_child *c);

/* Errors as of wd_child_start(). */
FAAS_NODISCARD int wd_upstream_child_start(struct wd_upstream_child *c, char *const *envp,
                                           struct faas_error *err);
bool wd_upstream_child_runs(const struct wd_upstream_child *c);
void wd_upstream_child_signal(struct wd_upstream_child *c, int signo); /* to the group */
/* SIGKILL to the group unless it has ended by then. */
void wd_upstream_child_kill_after(struct wd_upstream_child *c, int64_t delay_ms);

#endif
