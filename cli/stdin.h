/* What is piped into a command. */
#ifndef FAAS_CLI_STDIN_H
#define FAAS_CLI_STDIN_H

#include "libfaas/buf.h"

/* Appends all of standard input, to its end; TOO_LARGE beyond max bytes. A person at a terminal is
 * told how to end it. */
FAAS_NODISCARD int cli_read_stdin(struct faas_buf *out, size_t max, struct faas_error *err);

#endif
