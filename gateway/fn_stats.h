/* What the gateway knows of a function beyond the table: its counters. They
 * outlive snapshots, so an update does not reset them; a snapshot's faas_fn.user points here. */
#ifndef FAAS_GATEWAY_FN_STATS_H
#define FAAS_GATEWAY_FN_STATS_H

#include "libfaas/metrics.h"
#include "providers/snapshot.h"

#include <stdatomic.h>

struct gw_fn_registry;

struct gw_code_stats {
    int code;
    struct faas_counter *total;
    struct faas_histogram *seconds;
    struct gw_code_stats *next;
};

struct gw_fn_stats {
    char *key; /* "name.namespace" */
    struct gw_fn_registry *registry;
    atomic_uint in_flight;
    atomic_uint waiting; /* for a first replica */
    struct faas_counter *started;
    struct faas_counter *started_alias;
    struct faas_gauge *in_flight_gauge;
    struct faas_gauge *desired, *ready, *min;
    _Atomic(struct gw_code_stats *) codes; /* only ever prepended to */
    struct gw_fn_stats *next;              /* registry's list, for gauges */
    uint64_t bound;                        /* the last table that had this function */
};

struct gw_fn_registry *gw_fn_registry_new(struct faas_metrics *m);
void gw_fn_registry_free(struct gw_fn_registry *r);
/* The function's stats, made on first sight; valid as long as the registry. Any thread. */
struct gw_fn_stats *gw_fn_stats_get(struct gw_fn_registry *r, const char *key);
/* Binds every function of a table that is not shared yet, and sets the gauges that describe it. One
 * caller at a time. */
void gw_fn_registry_bind(struct gw_fn_registry *r, struct faas_snapshot *table);

void gw_fn_stats_started(struct gw_fn_stats *s);
void gw_fn_stats_finished(struct gw_fn_stats *s, int code, int64_t took_ns);
/* Completed invocations, all codes. */
uint64_t gw_fn_registry_invocations(struct gw_fn_registry *r, const char *key);

#endif
