/* The one line that of-watchdog writes about each request. Its form is what log scrapers match:
 * "GET /x?y=1 - 200 - ContentLength: 2.049kB (0.0025s)". */
#ifndef FAAS_WATCHDOG_REQUEST_LOG_H
#define FAAS_WATCHDOG_REQUEST_LOG_H

#include "watchdog/call.h"
#include "watchdog/line_log.h"

/* "GET /x?y=1", heap, to be kept until the line is written, for the request may be gone by then.
 * NULL: the request is not to be logged (probes). Long targets are cut. */
char *wd_request_log_begin(const struct wd_call *call);

struct wd_request_log {
    const char *what; /* from wd_request_log_begin(); NULL: nothing is written */
    int status;
    const char *reason;  /* behind the status; NULL: none */
    const char *measure; /* what bytes are: "ContentLength", "Bytes" */
    int64_t bytes;       /* -1: unknown */
    double seconds;
    struct faas_str call_id; /* ptr NULL: not to be shown */
};

void wd_request_log_write(struct wd_log *log, const struct wd_request_log *r);

/* "0B", "999B", "2.049kB", "1.05MB", "-1B": four significant digits, base 1000. */
void wd_format_size(int64_t bytes, char out[32]);

#endif
