/* What is piped into a command. */
#ifndef FAAS_CLI_STDIN_H
#define FAAS_CLI_STDIN_H

#include "libfaas/buf.h"

/* Appends all of standard input, to its end. A person at a terminal is told how to end it. */
FAAS_NODISCARD int cli_read_stdin(struct faas_buf *out, struct faas_error *err);

#endif
