/* What the fork modes start for each request: fprocess, with the request in its
 * environment. It is all that an executor of theirs has, and so is the executor itself. */
#ifndef FAAS_WATCHDOG_COMMAND_H
#define FAAS_WATCHDOG_COMMAND_H

#include "watchdog/argv.h"
#include "watchdog/executor.h"
#include "watchdog/log_lines.h"

struct wd_command {
    const struct wd_context *ctx;
    struct faas_strv argv;
    struct wd_program program;
};

/* Slots of struct wd_executor_ops. */
void *wd_command_create(const struct wd_context *ctx, struct faas_error *err);
void wd_command_destroy(void *cmd);

/* Starts it for a call whose client is still there, with the configured limit on its time, which
 * begins now. spec has the input, the ops and their argument; the rest is filled in. NULL with the
 * words that users know; INVALID when the request cannot stand in an environment. */
struct wd_child *wd_command_start(const struct wd_command *cmd, struct wd_call *call,
                                  struct wd_child_spec *spec, struct faas_error *err);

/* What a call is answered with that could not be started. */
int wd_command_failure_status(const struct faas_error *err);

/* For the stderr of one call, in the modes that log it line by line. */
struct wd_log_lines wd_command_log(const struct wd_command *cmd);

#endif
