#include "gateway/async/queue_gauges.h"

enum { EVERY_MS = 5000 };

/* In the order of the reply's columns, behind the name. */
static const struct faas_family_def defs[] = {
    {FAAS_METRIC_GAUGE, "gateway_async_queue_depth", "Calls that wait to be made.", {"queue"}},
    {FAAS_METRIC_GAUGE, "gateway_async_queue_in_flight", "Calls that are made now.", {"queue"}},
    {FAAS_METRIC_GAUGE, "gateway_async_queue_delayed", "Calls for later.", {"queue"}},
    {FAAS_METRIC_GAUGE, "gateway_async_queue_dead", "Calls that were given up.", {"queue"}},
    {FAAS_METRIC_GAUGE,
     "gateway_async_queue_oldest_age_seconds",
     "How long ago the oldest call that is not over was queued.",
     {"queue"}},
};

static void look(void *arg);

static void set(struct gw_queue_gauges *g, const struct faas_redis_reply *row)
{
    char name[160];
    const char *labels[] = {name};

    snprintf(name, sizeof(name), "%.*s", FAAS_STR_FMT(faas_redis_str(faas_redis_at(row, 0))));
    for (size_t i = 0; i < FAAS_ARRAY_LEN(defs); i++) {
        int64_t n = faas_redis_integer(faas_redis_at(row, i + 1));

        faas_gauge_set(faas_gauge(g->families[i], labels), i == 4 ? n / 1000 : n);
    }
}

static void on_rows(void *arg, const struct faas_redis_reply *rows, const struct faas_error *err)
{
    struct gw_queue_gauges *g = arg;

    g->asking = false;
    (void)err; /* they stay as they were */
    for (size_t i = 0; i < faas_redis_len(rows); i++)
        set(g, faas_redis_at(rows, i));
}

static void look(void *arg)
{
    struct gw_queue_gauges *g = arg;

    faas_timer_start(g->loop, &g->timer, EVERY_MS, look, g);
    if (g->asking)
        return;
    g->asking = true;
    gw_store_queues(g->store, gw_async_now_ms(g->gw), on_rows, g);
}

void gw_queue_gauges_start(struct gw_queue_gauges *g, struct gw *gw, struct gw_store *store,
                           struct faas_loop *loop)
{
    *g = (struct gw_queue_gauges){.gw = gw, .store = store, .loop = loop};
    for (size_t i = 0; i < FAAS_ARRAY_LEN(defs); i++)
        g->families[i] = faas_metrics_family(gw->metrics, &defs[i]);
    look(g);
}

void gw_queue_gauges_stop(struct gw_queue_gauges *g)
{
    if (g->loop)
        faas_timer_stop(g->loop, &g->timer);
}
