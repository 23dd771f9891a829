/* What the fork modes start for each request: fprocess, with the request in its
 * environment. */
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

void wd_command_init(struct wd_command *cmd, const struct wd_context *ctx);
void wd_command_deinit(struct wd_command *cmd);

/* Starts it for a call whose client is still there, with the configured limit on its time, which
 * begins now. spec has the input, the ops and their argument; the rest is filled in. NULL with the
 * words that users know; INVALID when the request cannot stand in an environment. */
struct wd_child *wd_command_start(const struct wd_command *cmd, struct wd_call *call,
                                  struct wd_child_spec *spec, struct faas_error *err);

/* For the stderr of one call, in the modes that log it line by line. */
struct wd_log_lines wd_command_log(const struct wd_command *cmd);

#endif
