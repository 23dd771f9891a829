/* Text as paragraphs. */
#ifndef FAAS_CLI_WRAP_H
#define FAAS_CLI_WRAP_H

#include "libfaas/buf.h"

/* Appends text, broken at blanks into lines of at most width columns, each but the first behind
 * indent blanks (the caller has written that much already), and a line feed. A word that is longer
 * has a line of its own. */
void cli_wrap(struct faas_buf *out, const char *text, size_t indent, size_t width);

#endif
