/* The watchdog's metrics, under the names and labels of OpenFaaS. */
#ifndef FAAS_WATCHDOG_STATS_H
#define FAAS_WATCHDOG_STATS_H

#include "libfaas/metrics.h"
#include "libfaas/str.h"

struct wd_stats {
    struct faas_metrics *metrics;
    struct faas_family *requests;
    struct faas_family *durations;
    struct faas_gauge *in_flight;
    struct wd_series *series; /* those seen so far, so that a request needs no look-up by label */
    size_t n_series, cap_series;
};

void wd_stats_init(struct wd_stats *s);
void wd_stats_deinit(struct wd_stats *s);

/* One request in flight. Returns the label of its method, to be given to wd_stats_end(). */
const char *wd_stats_begin(struct wd_stats *s, struct faas_str method);
void wd_stats_end(struct wd_stats *s, const char *method_label, int status, int64_t took_ns);

#endif
