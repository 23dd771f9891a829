/* One line at the bottom of the terminal for each worker that builds: which function, for how long,
 * and what its tools said last. Off a terminal there are none, and all of this does nothing. */
#ifndef FAAS_CLI_PROGRESS_H
#define FAAS_CLI_PROGRESS_H

#include "libfaas/buf.h"

struct cli_progress;

/* NULL when lines cannot change in place here: no terminal, a dumb one. One at a time. */
struct cli_progress *cli_progress_new(size_t n_workers);
void cli_progress_free(struct cli_progress *p);

/* Any worker's thread; p may be NULL. */
void cli_progress_begin(struct cli_progress *p, size_t worker, const char *name);
void cli_progress_line(struct cli_progress *p, size_t worker, struct faas_str line);
void cli_progress_end(struct cli_progress *p, size_t worker);

/* One row as it is shown: at most width columns, without control characters. */
void cli_progress_row(struct faas_buf *out, const char *name, double seconds, struct faas_str line,
                      size_t width);

#endif
