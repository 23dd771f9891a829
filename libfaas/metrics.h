/* Counters, gauges and histograms, and their Prometheus text (0.0.4). A handle
 * is looked up once and kept; adding to it is a relaxed atomic, any thread. */
#ifndef FAAS_METRICS_H
#define FAAS_METRICS_H

#include "libfaas/buf.h"

struct faas_metrics; /* a registry */
struct faas_family;  /* one metric name */
struct faas_counter; /* one series */
struct faas_gauge;
struct faas_histogram;

struct faas_metrics *faas_metrics_new(void);
void faas_metrics_free(struct faas_metrics *m);

enum faas_metric_type { FAAS_METRIC_COUNTER, FAAS_METRIC_GAUGE, FAAS_METRIC_HISTOGRAM };

struct faas_family_def {
    enum faas_metric_type type;
    const char *name;
    const char *help;
    const char *labels[4]; /* NULL-ended label names, in output order */
};

/* Registers a family; def is borrowed and usually const static. Registering a name twice returns
 * the first one. */
struct faas_family *faas_metrics_family(struct faas_metrics *m, const struct faas_family_def *def);

/* The series with these label values, made on first use. values has one entry per label. Locks;
 * keep the handle, which is valid as long as the registry. */
struct faas_counter *faas_counter(struct faas_family *f, const char *const *values);
struct faas_gauge *faas_gauge(struct faas_family *f, const char *const *values);
struct faas_histogram *faas_histogram(struct faas_family *f, const char *const *values);

void faas_counter_add(struct faas_counter *c, uint64_t n);
uint64_t faas_counter_get(const struct faas_counter *c);
void faas_gauge_set(struct faas_gauge *g, int64_t v);
void faas_gauge_add(struct faas_gauge *g, int64_t v);
int64_t faas_gauge_get(const struct faas_gauge *g);
/* Buckets in seconds: .005 .01 .025 .05 .1 .25 .5 1 2.5 5 10 +Inf. */
void faas_histogram_observe_ns(struct faas_histogram *h, int64_t ns);

/* Sum over all series of a counter family whose label at index has this value. */
uint64_t faas_family_sum(struct faas_family *f, size_t label_index, const char *value);

/* Appends the whole registry, families in registration order, then process_* of this process. */
void faas_metrics_text(struct faas_metrics *m, struct faas_buf *out);

#define FAAS_METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

#endif
