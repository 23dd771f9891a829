/* The gateway as a whole: it owns the configuration, the provider, the metrics,
 * the worker pool and the shards (one loop thread each). */
#ifndef FAAS_GATEWAY_GATEWAY_H
#define FAAS_GATEWAY_GATEWAY_H

#include "gateway/config.h"
#include "gateway/fn_stats.h"
#include "libfaas/auth.h"
#include "libfaas/loop.h"
#include "libfaas/metrics.h"
#include "libfaas/pool.h"
#include "providers/provider.h"

#include <pthread.h>
#include <stdatomic.h>

struct gw_shard;
struct gw_scaler;
struct gw_async;
struct gw_flight;
struct gw_worker;

struct gw {
    const struct gw_config *cfg;
    struct faas_log log;
    const struct faas_clock *clock;
    char *served_by; /* X-Served-By */

    struct faas_credentials *credentials; /* NULL: management is open (basic_auth=false) */
    struct faas_metrics *metrics;
    struct gw_fn_registry *functions;
    struct gw_http_metrics *http_metrics; /* of the management routes */
    struct gw_scaler *scaler;
    struct gw_flight *flight;
    struct gw_async *async;   /* NULL: no redis_url */
    struct gw_worker *worker; /* NULL: none here */
    struct faas_pool *pool;
    struct faas_provider provider;

    struct gw_shard **shards; /* the first one runs on the main thread */
    unsigned n_shards;
    struct faas_http_server *metrics_server; /* on the first shard's loop */

    pthread_mutex_t table_lock;
    struct faas_snapshot *table; /* the newest; shards hold references of their own */

    atomic_uint log_streams;
    atomic_bool draining;
    unsigned port; /* what the listeners got */
    unsigned metrics_port;
};

/* Opens everything in order: credentials, listeners, provider. Nothing is served before gw_run().
 */
struct gw *gw_new(const struct gw_settings *settings, const struct faas_log *log,
                  struct faas_error *err);
/* Serves until SIGTERM or SIGINT, then drains. */
FAAS_NODISCARD int gw_run(struct gw *gw, struct faas_error *err);
void gw_free(struct gw *gw);

/* Makes the state folder, and the credentials in it unless secret_mount_path names another place.
 */
FAAS_NODISCARD int gw_prepare_state(const struct gw_config *cfg, bool *created,
                                    struct faas_error *err);

#endif
