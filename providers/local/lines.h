/* Cuts a stream of bytes into lines, and lines that are too long into pieces, so
 * that a function can write what it likes without anybody holding it all. Pure. */
#ifndef FAAS_PROVIDERS_LOCAL_LINES_H
#define FAAS_PROVIDERS_LOCAL_LINES_H

#include "libfaas/buf.h"

#define LOCAL_LINE_MAX (64 * 1024)

/* line is without its newline (and without a carriage return before it); borrowed. */
typedef void (*local_line_fn)(void *arg, struct faas_str line);

struct local_lines {
    struct faas_buf pending; /* a line whose end has not come yet */
};

void local_lines_deinit(struct local_lines *l);
void local_lines_feed(struct local_lines *l, struct faas_str bytes, local_line_fn fn, void *arg);
/* The stream is over: what is left is a line too. */
void local_lines_end(struct local_lines *l, local_line_fn fn, void *arg);

#endif
