/* The manual page, in mdoc, from the table of commands. */
#ifndef FAAS_CLI_MAN_H
#define FAAS_CLI_MAN_H

#include "cli/command.h"

/* day is how the page is dated: "January 2, 2026". */
void cli_man_write(struct faas_buf *out, const struct cli_command *root, const char *day);

#endif
