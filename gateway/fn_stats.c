#include "gateway/fn_stats.h"

#include "libfaas/alloc.h"

#include <pthread.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FAM_TOTAL,
    FAM_SECONDS,
    FAM_STARTED,
    FAM_STARTED_ALIAS,
    FAM_IN_FLIGHT,
    FAM_DESIRED,
    FAM_READY,
    FAM_MIN,
    N_FAMILIES
};

/* Names as dashboards know them; the alias is the spelling of OpenFaaS's manual. */
static const struct faas_family_def defs[N_FAMILIES] = {
    [FAM_TOTAL] = {FAAS_METRIC_COUNTER,
                   "gateway_function_invocation_total",
                   "Function invocations completed.",
                   {"function_name", "code"}},
    [FAM_SECONDS] = {FAAS_METRIC_HISTOGRAM,
                     "gateway_functions_seconds",
                     "Time taken by function invocations.",
                     {"function_name", "code"}},
    [FAM_STARTED] = {FAAS_METRIC_COUNTER,
                     "gateway_function_invocation_started",
                     "Function invocations started.",
                     {"function_name"}},
    [FAM_STARTED_ALIAS] = {FAAS_METRIC_COUNTER,
                           "gateway_invocation_function_started",
                           "Function invocations started.",
                           {"function_name"}},
    [FAM_IN_FLIGHT] = {FAAS_METRIC_GAUGE,
                       "gateway_function_invocation_inflight",
                       "Function invocations in flight.",
                       {"function_name"}},
    [FAM_DESIRED] = {FAAS_METRIC_GAUGE,
                     "gateway_service_count",
                     "Replicas asked for.",
                     {"function_name"}},
    [FAM_READY] = {FAAS_METRIC_GAUGE,
                   "gateway_service_ready_count",
                   "Replicas that are ready.",
                   {"function_name"}},
    [FAM_MIN] = {FAAS_METRIC_GAUGE,
                 "gateway_service_min",
                 "Least number of replicas under load.",
                 {"function_name"}},
};

struct gw_fn_registry {
    pthread_mutex_t lock;    /* of the tree and of making code entries */
    void *tree;              /* tsearch() of struct gw_fn_stats by key */
    struct gw_fn_stats *all; /* prepended to under the lock */
    uint64_t tables;         /* bound so far */
    struct faas_family *families[N_FAMILIES];
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct gw_fn_stats *)a)->key, ((const struct gw_fn_stats *)b)->key);
}

struct gw_fn_registry *gw_fn_registry_new(struct faas_metrics *m)
{
    struct gw_fn_registry *r = faas_new(struct gw_fn_registry);

    pthread_mutex_init(&r->lock, NULL);
    for (size_t i = 0; i < N_FAMILIES; i++)
        r->families[i] = faas_metrics_family(m, &defs[i]);
    return r;
}

static void free_stats(void *p)
{
    struct gw_fn_stats *s = p;
    struct gw_code_stats *c = atomic_load(&s->codes);

    while (c) {
        struct gw_code_stats *next = c->next;

        free(c);
        c = next;
    }
    free(s->key);
    free(s);
}

void gw_fn_registry_free(struct gw_fn_registry *r)
{
    if (!r)
        return;
    tdestroy(r->tree, free_stats);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static struct gw_fn_stats *new_stats(struct gw_fn_registry *r, const char *key)
{
    struct gw_fn_stats *s = faas_new(struct gw_fn_stats);
    const char *labels[] = {key};

    s->key = faas_strdup(key);
    s->registry = r;
    s->started = faas_counter(r->families[FAM_STARTED], labels);
    s->started_alias = faas_counter(r->families[FAM_STARTED_ALIAS], labels);
    s->in_flight_gauge = faas_gauge(r->families[FAM_IN_FLIGHT], labels);
    s->desired = faas_gauge(r->families[FAM_DESIRED], labels);
    s->ready = faas_gauge(r->families[FAM_READY], labels);
    s->min = faas_gauge(r->families[FAM_MIN], labels);
    return s;
}

struct gw_fn_stats *gw_fn_stats_get(struct gw_fn_registry *r, const char *key)
{
    struct gw_fn_stats probe = {.key = (char *)key};
    struct gw_fn_stats *s;
    struct gw_fn_stats **at;

    pthread_mutex_lock(&r->lock);
    at = tfind(&probe, &r->tree, compare);
    if (at) {
        s = *at;
    } else {
        s = new_stats(r, key);
        s->next = r->all;
        r->all = s;
        tsearch(s, &r->tree, compare);
    }
    pthread_mutex_unlock(&r->lock);
    return s;
}

static void set_gauges(const struct gw_fn_stats *s, uint64_t desired, uint64_t ready, uint64_t min)
{
    faas_gauge_set(s->desired, (int64_t)desired);
    faas_gauge_set(s->ready, (int64_t)ready);
    faas_gauge_set(s->min, (int64_t)min);
}

void gw_fn_registry_bind(struct gw_fn_registry *r, struct faas_snapshot *table)
{
    const struct gw_fn_stats *all;
    uint64_t id;

    pthread_mutex_lock(&r->lock);
    id = ++r->tables;
    pthread_mutex_unlock(&r->lock);
    for (size_t i = 0; i < faas_snapshot_len(table); i++) {
        struct faas_fn *fn = (struct faas_fn *)faas_snapshot_at(table, i);
        struct gw_fn_stats *s = gw_fn_stats_get(r, fn->key);

        fn->user = s;
        s->bound = id;
        set_gauges(s, fn->desired, fn->n_endpoints, fn->scaling.min);
    }
    pthread_mutex_lock(&r->lock);
    all = r->all;
    pthread_mutex_unlock(&r->lock);
    for (const struct gw_fn_stats *s = all; s; s = s->next) {
        if (s->bound != id)
            set_gauges(s, 0, 0, 0);
    }
}

void gw_fn_stats_started(struct gw_fn_stats *s)
{
    faas_counter_add(s->started, 1);
    faas_counter_add(s->started_alias, 1);
    faas_gauge_add(s->in_flight_gauge, 1);
}

static struct gw_code_stats *find_code(struct gw_code_stats *c, int code)
{
    while (c && c->code != code)
        c = c->next;
    return c;
}

static struct gw_code_stats *make_code(struct gw_fn_stats *s, int code)
{
    struct gw_fn_registry *r = s->registry;
    char text[16];
    const char *labels[] = {s->key, text};
    struct gw_code_stats *c;

    pthread_mutex_lock(&r->lock);
    c = find_code(atomic_load(&s->codes), code);
    if (!c) {
        snprintf(text, sizeof(text), "%d", code);
        c = faas_new(struct gw_code_stats);
        c->code = code;
        c->total = faas_counter(r->families[FAM_TOTAL], labels);
        c->seconds = faas_histogram(r->families[FAM_SECONDS], labels);
        c->next = atomic_load(&s->codes);
        atomic_store_explicit(&s->codes, c, memory_order_release);
    }
    pthread_mutex_unlock(&r->lock);
    return c;
}

void gw_fn_stats_finished(struct gw_fn_stats *s, int code, int64_t took_ns)
{
    struct gw_code_stats *c =
        find_code(atomic_load_explicit(&s->codes, memory_order_acquire), code);

    if (!c)
        c = make_code(s, code);
    faas_counter_add(c->total, 1);
    faas_histogram_observe_ns(c->seconds, took_ns);
    faas_gauge_add(s->in_flight_gauge, -1);
}

uint64_t gw_fn_registry_invocations(struct gw_fn_registry *r, const char *key)
{
    return faas_family_sum(r->families[FAM_TOTAL], 0, key);
}
