/* Talking to the person: results go to stdout, everything else to stderr. Colour only on a
 * terminal, and never when NO_COLOR is set. Each call writes whole lines, so that workers may
 * share the streams. */
#ifndef FAAS_CLI_OUT_H
#define FAAS_CLI_OUT_H

#include "libfaas/buf.h"

#include <stdio.h>

/* Lines at the bottom of the terminal that change in place (progress.h). While they are set, all
 * that is said here is written above them. */
struct cli_live {
    void (*erase)(void *arg); /* both: under this module's lock, writing to stdout */
    void (*draw)(void *arg);
    void *arg;
};

void cli_out_set_live(const struct cli_live *live); /* borrowed; NULL: none any more */
/* Draws them again. Any thread. */
void cli_out_redraw(void);

enum cli_colour { CLI_PLAIN, CLI_RED, CLI_YELLOW, CLI_BLUE };

void cli_print(const char *fmt, ...) FAAS_PRINTF(1, 2); /* stdout */
void cli_note(const char *fmt, ...) FAAS_PRINTF(1, 2);  /* stderr */
/* A log line: stderr, with the local date and time in front and a line feed behind. */
void cli_log(const char *fmt, ...) FAAS_PRINTF(1, 2);
/* What to type next: for people at a terminal, so that scripts never see it. */
void cli_hint(const char *fmt, ...) FAAS_PRINTF(1, 2);
/* The same in a colour; a line feed at the end stays outside of it. */
void cli_paint(FILE *stream, enum cli_colour colour, const char *fmt, ...) FAAS_PRINTF(3, 4);
/* An error as all are shown: on stderr, first letter upper case (unless it is a file's name), one
 * line feed behind. */
void cli_print_error(const char *msg);
/* Bytes as they are to stdout. */
void cli_write(struct faas_str data);
/* Flushes stdout; -1 when something written there did not arrive (disk full, pipe closed). */
FAAS_NODISCARD int cli_flush(struct faas_error *err);

#endif
