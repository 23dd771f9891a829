#include "watchdog/stats.h"

#include "libfaas/alloc.h"

#include <stdio.h>

/* Series exist for known methods only: a client must not be able to make more. */
static const struct {
    struct faas_str method;
    const char *label;
} methods[] = {
    {FAAS_STR_INIT("GET"), "get"},         {FAAS_STR_INIT("POST"), "post"},
    {FAAS_STR_INIT("PUT"), "put"},         {FAAS_STR_INIT("PATCH"), "patch"},
    {FAAS_STR_INIT("DELETE"), "delete"},   {FAAS_STR_INIT("HEAD"), "head"},
    {FAAS_STR_INIT("OPTIONS"), "options"}, {FAAS_STR_INIT("CONNECT"), "connect"},
    {FAAS_STR_INIT("TRACE"), "trace"},     {FAAS_STR_INIT("NOTIFY"), "notify"},
};

static const char unknown_method[] = "unknown";

struct wd_series {
    const char *method; /* one of the labels above, compared by address */
    int status;
    struct faas_counter *count;
    struct faas_histogram *duration;
};

static const struct faas_family_def requests_def = {
    .type = FAAS_METRIC_COUNTER,
    .name = "http_requests_total",
    .help = "total HTTP requests processed",
    .labels = {"code", "method"},
};

static const struct faas_family_def durations_def = {
    .type = FAAS_METRIC_HISTOGRAM,
    .name = "http_request_duration_seconds",
    .help = "Seconds spent serving HTTP requests.",
    .labels = {"code", "method"},
};

static const struct faas_family_def in_flight_def = {
    .type = FAAS_METRIC_GAUGE,
    .name = "http_requests_in_flight",
    .help = "total HTTP requests in-flight",
};

void wd_stats_init(struct wd_stats *s)
{
    *s = (struct wd_stats){.metrics = faas_metrics_new()};
    s->requests = faas_metrics_family(s->metrics, &requests_def);
    s->durations = faas_metrics_family(s->metrics, &durations_def);
    s->in_flight = faas_gauge(faas_metrics_family(s->metrics, &in_flight_def), NULL);
}

void wd_stats_deinit(struct wd_stats *s)
{
    free(s->series);
    faas_metrics_free(s->metrics);
    *s = (struct wd_stats){0};
}

static struct wd_series *find_series(struct wd_stats *s, const char *method, int status)
{
    char code[16];
    const char *values[] = {code, method};
    struct wd_series *series;

    for (size_t i = 0; i < s->n_series; i++)
        if (s->series[i].method == method && s->series[i].status == status)
            return &s->series[i];
    if (s->n_series == s->cap_series) {
        s->cap_series = s->cap_series ? 2 * s->cap_series : 8;
        s->series = faas_reallocarray(s->series, s->cap_series, sizeof(*s->series));
    }
    snprintf(code, sizeof(code), "%d", status);
    series = &s->series[s->n_series++];
    *series = (struct wd_series){
        .method = method,
        .status = status,
        .count = faas_counter(s->requests, values),
        .duration = faas_histogram(s->durations, values),
    };
    return series;
}

static const char *label_of(struct faas_str method)
{
    for (size_t i = 0; i < FAAS_ARRAY_LEN(methods); i++)
        if (faas_str_ieq(method, methods[i].method))
            return methods[i].label;
    return unknown_method;
}

const char *wd_stats_begin(struct wd_stats *s, struct faas_str method)
{
    faas_gauge_add(s->in_flight, 1);
    return label_of(method);
}

void wd_stats_end(struct wd_stats *s, const char *method_label, int status, int64_t took_ns)
{
    struct wd_series *series = find_series(s, method_label, status);

    faas_gauge_add(s->in_flight, -1);
    faas_counter_add(series->count, 1);
    faas_histogram_observe_ns(series->duration, took_ns);
}
