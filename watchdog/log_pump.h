/* Carries what a function writes to one of its outputs into our own, line by line. It never stops
 * reading: a line that is too long is written in pieces, and what our own reader does not take in
 * time is dropped and counted (line_log.h), so a function never waits for whoever reads its log. */
#ifndef FAAS_WATCHDOG_LOG_PUMP_H
#define FAAS_WATCHDOG_LOG_PUMP_H

#include "libfaas/loop.h"
#include "watchdog/log_lines.h"

struct wd_log_pump {
    struct faas_loop *loop;
    struct wd_log_lines lines;
    int fd; /* -1: closed */
    struct faas_io io;
    struct faas_timer timer;
};

struct wd_log_pump_spec {
    const char *stream; /* borrowed */
    bool to_stdout;     /* else to stderr */
    bool prefix;        /* "2026/01/02 15:04:05 stdout: " in front of each line */
    size_t max_line;    /* > 0 */
};

/* Takes fd, which has to be non-blocking. */
void wd_log_pump_start(struct wd_log_pump *pump, struct faas_loop *loop, struct wd_log *log, int fd,
                       const struct wd_log_pump_spec *spec);
/* Writes what can be read without waiting and an unfinished last line, and closes. Harmless when
 * stopped, or zeroed and never started. */
void wd_log_pump_stop(struct wd_log_pump *pump);
/* False: the function has closed its end, or the pump was stopped. */
bool wd_log_pump_running(const struct wd_log_pump *pump);

#endif
