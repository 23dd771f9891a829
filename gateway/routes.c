#include "gateway/routes.h"

#include "gateway/async/async.h"
#include "gateway/async/inquiry.h"
#include "gateway/flight.h"
#include "gateway/invoke.h"
#include "gateway/system.h"
#include "libfaas/alloc.h"
#include "libfaas/version.h"

#include <stdio.h>

static void health(struct gw_request *r, const struct gw_action *self)
{
    struct faas_error err;

    (void)self;
    if (!atomic_load(&r->shard->gw->draining)) {
        gw_reply(r, 200, "text/plain; charset=utf-8", FAAS_STR("OK"));
        return;
    }
    faas_fail(&err, FAAS_ERR_UNAVAILABLE, "the gateway is stopping");
    gw_reply_error(r, &err);
}

static void welcome(struct gw_request *r, const struct gw_action *self)
{
    (void)self;
    gw_reply(r, 200, "text/plain; charset=utf-8",
             FAAS_STR("Minnow gateway. Call a function at /function/NAME; manage them with "
                      "faas-cli.\n"));
}

#define MANAGED(name)                                                            \
    &(const struct gw_action)                                                    \
    {                                                                            \
        .auth = GW_AUTH_BASIC, .handle = gw_management_handle, .detail = &(name) \
    }

static const struct gw_action health_action = {.handle = health};
static const struct gw_action welcome_action = {.handle = welcome};
static const struct gw_action logs_action = {.auth = GW_AUTH_BASIC, .handle = gw_logs_handle};

/* The first match wins, so the busiest route stands first. */
const struct faas_route gw_routes[] = {
    {"*", "/function/{name}*", &gw_invoke_action},
    {"POST", "/async-function/{name}*", &gw_async_submit_action},
    {"GET", "/async-function/{name}", &gw_async_status_action},
    {"GET", "/async-function/{name}/result", &gw_async_result_action},
    {"DELETE", "/async-function/{name}", &gw_async_cancel_action},
    {"GET", "/system/calls/{id}", &gw_flight_action},
    {"GET", "/system/queues", &gw_queues_action},
    {"POST", "/system/queues/{name}/pause", &gw_queue_pause_action},
    {"POST", "/system/queues/{name}/resume", &gw_queue_resume_action},
    {"POST", "/system/queues/{name}/purge", &gw_queue_purge_action},
    {"GET", "/system/queues/{name}/dead", &gw_queue_dead_action},
    {"POST", "/system/queues/{name}/redrive", &gw_queue_redrive_action},
    {"GET", "/system/functions", MANAGED(gw_functions_list)},
    {"POST", "/system/functions", MANAGED(gw_functions_create)},
    {"PUT", "/system/functions", MANAGED(gw_functions_update)},
    {"DELETE", "/system/functions", MANAGED(gw_functions_delete)},
    {"GET", "/system/function/{name}", MANAGED(gw_function_get)},
    {"POST", "/system/scale-function/{name}", MANAGED(gw_function_scale)},
    {"GET", "/system/secrets", MANAGED(gw_secrets_list)},
    {"POST", "/system/secrets", MANAGED(gw_secrets_create)},
    {"PUT", "/system/secrets", MANAGED(gw_secrets_update)},
    {"DELETE", "/system/secrets", MANAGED(gw_secrets_delete)},
    {"GET", "/system/logs", &logs_action},
    {"GET", "/system/namespaces", MANAGED(gw_namespaces_list)},
    {"POST", "/system/namespace/", MANAGED(gw_namespace_create)},
    {"GET", "/system/namespace/{name}", MANAGED(gw_namespace_get)},
    {"PUT", "/system/namespace/{name}", MANAGED(gw_namespace_update)},
    {"DELETE", "/system/namespace/{name}", MANAGED(gw_namespace_delete)},
    /* OpenFaaS's documentation writes it so. */
    {"POST", "/system/namespaces/", MANAGED(gw_namespace_create)},
    {"GET", "/system/namespaces/{name}", MANAGED(gw_namespace_get)},
    {"PUT", "/system/namespaces/{name}", MANAGED(gw_namespace_update)},
    {"DELETE", "/system/namespaces/{name}", MANAGED(gw_namespace_delete)},
    {"GET", "/system/images", MANAGED(gw_images_list)},
    {"PUT", "/system/images", MANAGED(gw_images_put)},
    {"DELETE", "/system/images", MANAGED(gw_images_delete)},
    {"GET", "/system/info", MANAGED(gw_info)},
    {"GET", "/healthz", &health_action},
    {"HEAD", "/healthz", &health_action},
    {"GET", "/", &welcome_action},
};
const size_t gw_n_routes = FAAS_ARRAY_LEN(gw_routes);

struct gw_http_metrics {
    struct faas_family *total, *seconds;
};

struct gw_http_metrics *gw_http_metrics_new(struct faas_metrics *m)
{
    static const struct faas_family_def total = {FAAS_METRIC_COUNTER,
                                                 "http_requests_total",
                                                 "Management requests answered.",
                                                 {"method", "path", "status"}};
    static const struct faas_family_def seconds = {FAAS_METRIC_HISTOGRAM,
                                                   "http_request_duration_seconds",
                                                   "Time taken by management requests.",
                                                   {"method", "path", "status"}};
    struct gw_http_metrics *h = faas_new(struct gw_http_metrics);

    h->total = faas_metrics_family(m, &total);
    h->seconds = faas_metrics_family(m, &seconds);
    return h;
}

/* Labels come from the table, never from the client, so that nobody can make series at will. */
void gw_routes_count(const struct gw_request *r, int64_t took_ns)
{
    const struct faas_route *route = r->match.route;
    const struct gw_http_metrics *h = r->shard->gw->http_metrics;
    char status[16];

    if (!route || route->handler == &gw_invoke_action)
        return;
    snprintf(status, sizeof(status), "%d", r->status);
    const char *labels[] = {route->method, route->pattern, status};

    faas_counter_add(faas_counter(h->total, labels), 1);
    faas_histogram_observe_ns(faas_histogram(h->seconds, labels), took_ns);
}
