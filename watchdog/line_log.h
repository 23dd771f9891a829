/* The watchdog's two outputs. Its log goes to stderr as "YYYY/MM/DD HH:MM:SS msg",
 * the form that log scrapers of OpenFaaS match; write_debug and debug_headers go to
 * stdout bare. Lines are gathered and written at the end of a loop turn.
 *
 * Nobody waits for whoever reads them: what does not fit now is kept up to a limit, and beyond it
 * whole lines are dropped and counted. One thread. */
#ifndef FAAS_WATCHDOG_LINE_LOG_H
#define FAAS_WATCHDOG_LINE_LOG_H

#include "libfaas/buf.h"
#include "libfaas/clock.h"

struct wd_out {
    int fd;
    struct faas_buf pending;
    uint64_t dropped; /* lines, since the last time that this could be said */
};

struct wd_log {
    const struct faas_clock *clock;
    struct wd_out err;
    struct wd_out out;
    int64_t stamp_second; /* what stamp is for */
    char stamp[24];
};

void wd_log_init(struct wd_log *log, const struct faas_clock *clock);
void wd_log_deinit(struct wd_log *log); /* writes what can be written within a second */

void wd_logf(struct wd_log *log, const char *fmt, ...) FAAS_PRINTF(2, 3);
/* The function's words as one record, whatever bytes they are. lost more of them are not shown. */
void wd_log_text(struct wd_log *log, const char *prefix, struct faas_str text, size_t lost);
/* One line that the function wrote, without its newline. stream "stdout" or "stderr" goes in front
 * of it behind the time; NULL: the line goes out bare. */
void wd_log_line(struct wd_log *log, bool to_stdout, const char *stream, struct faas_str line);
/* Bare bytes to stdout; they should end in a newline. */
void wd_log_stdout(struct wd_log *log, struct faas_str bytes);
/* Writes without waiting. True: nothing is left. */
bool wd_log_flush(struct wd_log *log);

#endif
