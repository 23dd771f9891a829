/* Times by layouts as Go writes them: a layout shows how Monday, 2 January 2006, 15:04:05, seven
 * hours behind UTC, would look. */
#ifndef FAAS_CLI_TIMEFMT_H
#define FAAS_CLI_TIMEFMT_H

#include "libfaas/buf.h"

/* The layout behind a well-known name (rfc3339, ansic, …; case ignored), or the argument itself. */
const char *cli_time_layout(const char *name_or_layout);
/* Appends the time, which is UTC. */
void cli_time_format(struct faas_buf *out, int64_t real_ns, const char *layout);

#endif
