/* Cuts what a function writes into lines of our log. A line that is too long is
 * logged in pieces: nothing is kept beyond one line, and nothing is lost. */
#ifndef FAAS_WATCHDOG_LOG_LINES_H
#define FAAS_WATCHDOG_LOG_LINES_H

#include "watchdog/line_log.h"

struct wd_log_lines {
    struct wd_log *log;
    const char *stream; /* "stdout" or "stderr": the prefix; NULL: lines go out bare */
    bool to_stdout;     /* else to stderr */
    size_t max_line;    /* > 0 */
    struct faas_buf unfinished;
};

void wd_log_lines_feed(struct wd_log_lines *lines, struct faas_str data);
/* The unfinished last line is logged too, and memory is freed. */
void wd_log_lines_end(struct wd_log_lines *lines);

#endif
