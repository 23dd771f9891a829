/* What Prometheus calls the process collector: this process as the kernel sees it. */
#ifndef FAAS_METRICS_PROCESS_H
#define FAAS_METRICS_PROCESS_H

#include "libfaas/buf.h"

/* Seconds since 1970 at which this process was started; ask once, the answer wavers by a tick. */
double faas_process_start_time(void);
/* Appends process_* as Prometheus text. What the kernel does not tell is left out. */
void faas_process_metrics_text(struct faas_buf *out, double start_time);

#endif
