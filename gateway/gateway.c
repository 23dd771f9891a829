#include "gateway/gateway.h"

#include "gateway/async/async.h"
#include "gateway/async/schedules.h"
#include "gateway/async/worker.h"
#include "gateway/flight.h"
#include "gateway/metrics_server.h"
#include "gateway/routes.h"
#include "gateway/scale.h"
#include "libfaas/alloc.h"
#include "libfaas/file.h"
#include "libfaas/version.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define BACKLOG    1024
#define QUEUE      1024 /* management calls that may wait for a thread */
#define DRAIN_TICK 50   /* ms between looks at what is still in flight */

int gw_prepare_state(const struct gw_config *cfg, bool *created, struct faas_error *err)
{
    *created = false;
    /* 0711: functions of other users pass through to their own folders, and see nothing else. */
    if (faas_mkdirs(cfg->state_dir, 0711, err) < 0)
        return faas_error_wrap(err, "state_dir");
    if (!cfg->basic_auth)
        return 0;
    if (faas_credentials_ensure(cfg->secret_mount_path, created, err) < 0)
        return faas_error_wrap(err, "secret_mount_path");
    return 0;
}

/* --- opening, in order --- */

static int open_credentials(struct gw *gw, struct faas_error *err)
{
    bool created;

    if (gw_prepare_state(gw->cfg, &created, err) < 0)
        return -1;
    if (created)
        faas_log_info(&gw->log, "made an admin password; to see it run faas-gateway --init-auth",
                      FAAS_F_STR("folder", gw->cfg->secret_mount_path));
    if (!gw->cfg->basic_auth) {
        faas_log_warn(&gw->log,
                      "management is open to everyone who can connect (basic_auth=false)");
        return 0;
    }
    gw->credentials = faas_credentials_load(gw->cfg->secret_mount_path, err);
    return gw->credentials ? 0 : -1;
}

static unsigned usable_cpus(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

static int open_shards(struct gw *gw, struct faas_error *err)
{
    unsigned n = gw->cfg->loops > 0 ? (unsigned)gw->cfg->loops : usable_cpus();

    if (gw->cfg->role == GW_ROLE_WORKER)
        n = 1; /* for signals and metrics */

    gw->shards = faas_zalloc(n * sizeof(*gw->shards));
    gw->n_shards = n;
    for (unsigned i = 0; i < n; i++) {
        gw->shards[i] = gw_shard_new(gw, i, err);
        if (!gw->shards[i])
            return -1;
    }
    return 0;
}

static int open_async(struct gw *gw, struct faas_error *err)
{
    if (!gw->cfg->async.redis_url[0])
        return 0;
    gw->async = gw_async_open(gw, err);
    if (!gw->async)
        return -1;
    for (unsigned i = 0; i < gw->n_shards; i++)
        gw->shards[i]->async = gw_async_loop_new(gw, gw->shards[i]->loop);
    return 0;
}

/* SO_REUSEPORT would let a second gateway of the same user share the port, and half the calls, in
 * silence. So the port is first taken without it. Returns it (a free one for 0), or 0 on failure.
 */
static unsigned claim_port(const struct gw_config *cfg, struct faas_error *err)
{
    int fd = faas_listen(cfg->bind_address, (unsigned)cfg->port, BACKLOG, false, err);
    unsigned port = fd < 0 ? 0 : faas_socket_port(fd);

    if (fd >= 0)
        close(fd);
    return port;
}

/* All listeners are bound before the first one serves: a taken port is a failed start, not half a
 * one. */
static int listen_all(struct gw *gw, struct faas_error *err)
{
    const struct gw_config *cfg = gw->cfg;

    gw->port = claim_port(cfg, err);
    if (gw->port == 0)
        return faas_error_wrap(err, "bind_address, port");
    for (unsigned i = 0; i < gw->n_shards; i++) {
        int fd = faas_listen(cfg->bind_address, gw->port, BACKLOG, gw->n_shards > 1, err);

        if (fd < 0)
            return faas_error_wrap(err, "bind_address, port");
        if (gw_shard_listen(gw->shards[i], fd, err) < 0)
            return -1;
    }
    return gw_metrics_server_open(gw, err);
}

static void publish(void *arg, struct faas_snapshot *table)
{
    struct gw *gw = arg;
    struct faas_snapshot *old;

    pthread_mutex_lock(&gw->table_lock);
    gw_fn_registry_bind(gw->functions, table);
    old = gw->table;
    gw->table = table;
    for (unsigned i = 0; i < gw->n_shards; i++)
        gw_shard_publish(gw->shards[i], table);
    if (gw->worker)
        gw_shard_publish(gw->worker->shard, table);
    pthread_mutex_unlock(&gw->table_lock);
    faas_snapshot_unref(old);
}

static int open_provider(struct gw *gw, const struct gw_settings *settings, struct faas_error *err)
{
    _cleanup_free_ char *url = faas_asprintf("http://127.0.0.1:%u", gw->port);
    const struct faas_provider_env env = {
        .log = &gw->log,
        .clock = gw->clock,
        .state_dir = gw->cfg->state_dir,
        .gateway_url = url,
        .publisher = {.publish = publish, .arg = gw},
        .options = settings->provider_options,
    };

    return faas_provider_open(&gw->provider, settings->provider, &env, err);
}

/* Every connection is a descriptor; the soft limit of 1,024 is there for select(). */
static void raise_descriptor_limit(const struct gw *gw)
{
    struct rlimit l;
    rlim_t wanted = (rlim_t)gw->cfg->max_connections * 2 + 256;

    if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur >= wanted)
        return;
    l.rlim_cur = FAAS_MIN(wanted, l.rlim_max);
    setrlimit(RLIMIT_NOFILE, &l);
    if (l.rlim_cur < wanted)
        faas_log_warn(&gw->log, "the descriptor limit is lower than max_connections asks for",
                      FAAS_F_INT("limit", (int64_t)l.rlim_cur),
                      FAAS_F_INT("wanted", (int64_t)wanted));
}

static void on_signal(void *arg, int signo);

static int open_all(struct gw *gw, const struct gw_settings *settings, struct faas_error *err)
{
    bool serves = gw->cfg->role != GW_ROLE_WORKER;

    raise_descriptor_limit(gw);
    if ((serves && open_credentials(gw, err) < 0) || open_shards(gw, err) < 0)
        return -1;
    /* Before any thread starts, so that all of them inherit the blocked mask. */
    if (faas_loop_signal(gw->shards[0]->loop, SIGTERM, on_signal, gw, err) < 0 ||
        faas_loop_signal(gw->shards[0]->loop, SIGINT, on_signal, gw, err) < 0)
        return -1;
    gw->pool = faas_pool_new((unsigned)gw->cfg->pool_threads, QUEUE, err);
    if (!gw->pool || open_async(gw, err) < 0)
        return -1;
    if (!serves)
        return gw_metrics_server_open(gw, err);
    if (gw->cfg->async.schedules)
        gw->shards[0]->schedules = gw_schedules_new(gw->shards[0]);
    if (listen_all(gw, err) < 0)
        return -1;
    return open_provider(gw, settings, err);
}

struct gw *gw_new(const struct gw_settings *settings, const struct faas_log *log,
                  struct faas_error *err)
{
    struct gw *gw = faas_new(struct gw);

    gw->cfg = settings->config;
    gw->log = *log;
    gw->clock = &faas_system_clock;
    gw->served_by = faas_asprintf("minnow/%s", faas_version());
    pthread_mutex_init(&gw->table_lock, NULL);
    gw->metrics = faas_metrics_new();
    gw->functions = gw_fn_registry_new(gw->metrics);
    gw->http_metrics = gw_http_metrics_new(gw->metrics);
    gw->scaler = gw_scaler_new();
    gw->flight = gw_flight_new((size_t)gw->cfg->flight_records);
    signal(SIGPIPE, SIG_IGN);
    if (open_all(gw, settings, err) < 0) {
        gw_free(gw);
        return NULL;
    }
    return gw;
}

/* --- running --- */

static void *shard_main(void *arg)
{
    struct gw_shard *s = arg;

    faas_loop_run(s->loop);
    return NULL;
}

static void join_shards(struct gw *gw, bool stop)
{
    for (unsigned i = 1; i < gw->n_shards; i++) {
        if (!gw->shards[i] || !gw->shards[i]->has_thread)
            continue;
        if (stop)
            faas_loop_stop(gw->shards[i]->loop);
        pthread_join(gw->shards[i]->thread, NULL);
        gw->shards[i]->has_thread = false;
    }
}

/* The first calls must not race the first table's way through the mailboxes. */
static void install_first_table(struct gw *gw)
{
    if (!gw->table)
        return; /* a worker has none */
    for (unsigned i = 0; i < gw->n_shards; i++)
        gw->shards[i]->table = faas_snapshot_ref(gw->table);
    gw_schedules_table_changed(gw->shards[0]->schedules);
}

/* From then on it is told of every table. */
static void set_worker(struct gw *gw, struct gw_worker *worker)
{
    pthread_mutex_lock(&gw->table_lock);
    gw->worker = worker;
    if (worker && gw->table)
        gw_shard_publish(worker->shard, gw->table);
    pthread_mutex_unlock(&gw->table_lock);
}

static int start_worker(struct gw *gw, struct faas_error *err)
{
    struct gw_worker *worker = gw_worker_start(gw, err);

    if (!worker)
        return -1;
    set_worker(gw, worker);
    return 0;
}

static void free_worker(struct gw *gw)
{
    struct gw_worker *worker = gw->worker;

    set_worker(gw, NULL);
    gw_worker_free(worker);
}

int gw_run(struct gw *gw, struct faas_error *err)
{
    install_first_table(gw);
    for (unsigned i = 1; i < gw->n_shards; i++) {
        int rc = pthread_create(&gw->shards[i]->thread, NULL, shard_main, gw->shards[i]);

        if (rc != 0)
            return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, rc, "loop thread");
        gw->shards[i]->has_thread = true;
    }
    if (gw->async && gw->cfg->role != GW_ROLE_GATEWAY && start_worker(gw, err) < 0)
        return -1;
    faas_log_info(&gw->log, "serving", FAAS_F_STR("address", gw->cfg->bind_address),
                  FAAS_F_INT("port", gw->port), FAAS_F_INT("metrics_port", gw->metrics_port),
                  FAAS_F_STR("provider", gw->provider.ops ? gw->provider.ops->name : ""),
                  FAAS_F_STR("state_dir", gw->cfg->state_dir), FAAS_F_INT("loops", gw->n_shards),
                  FAAS_F_STR("version", faas_version()));
    faas_loop_run(gw->shards[0]->loop);
    join_shards(gw, false); /* they drain and stop by themselves */
    return 0;
}

/* --- stopping: each shard drains, then its loop ends --- */

struct drain {
    struct gw_shard *shard;
    struct faas_timer timer;
    int64_t until_ms;
};

static void drain_tick(void *arg)
{
    struct drain *d = arg;
    struct gw_shard *s = d->shard;

    if (s->server && faas_http_server_active(s->server) > 0 &&
        faas_loop_now_ms(s->loop) < d->until_ms) {
        faas_timer_start(s->loop, &d->timer, DRAIN_TICK, drain_tick, d);
        return;
    }
    faas_loop_stop(s->loop);
    free(d);
}

static void drain_shard(void *arg)
{
    struct gw_shard *s = arg;
    struct drain *d = faas_new(struct drain);

    d->shard = s;
    d->until_ms = faas_loop_now_ms(s->loop) + s->gw->cfg->drain_ms;
    if (s->server)
        faas_http_server_drain(s->server);
    drain_tick(d);
}

static void drain_shards(void *arg)
{
    struct gw *gw = arg;

    for (unsigned i = 0; i < gw->n_shards; i++)
        faas_loop_post(gw->shards[i]->loop, drain_shard, gw->shards[i]);
}

/* The worker first: its calls need replicas, and some of them our own front door. */
static void on_signal(void *arg, int signo)
{
    struct gw *gw = arg;

    if (atomic_exchange(&gw->draining, true))
        return;
    faas_log_info(&gw->log, "stopping", FAAS_F_STR("signal", strsignal(signo)));
    gw_schedules_stop(gw->shards[0]->schedules);
    if (gw->worker)
        gw_worker_drain(gw->worker, drain_shards, gw);
    else
        drain_shards(gw);
}

/* What was posted to loops that had stopped already: jobs that ended late, tables. */
static void deliver(struct gw *gw)
{
    bool any;

    do {
        any = false;
        for (unsigned i = 0; i < gw->n_shards; i++)
            any |= gw->shards[i] && faas_loop_deliver(gw->shards[i]->loop);
    } while (any);
}

/* Requests end first (their handlers let go of pool and provider), then who works for them, then
 * the loops that these post to. */
void gw_free(struct gw *gw)
{
    if (!gw)
        return;
    join_shards(gw, true);
    gw_worker_join(gw->worker);
    gw_metrics_server_close(gw);
    for (unsigned i = 0; i < gw->n_shards; i++) {
        if (gw->shards[i])
            gw_shard_close_server(gw->shards[i]);
    }
    faas_pool_free(gw->pool);
    gw_async_stop(gw->async);
    free_worker(gw);
    while (atomic_load(&gw->log_streams) > 0)
        sched_yield();
    if (gw->provider.ops)
        faas_provider_close(&gw->provider);
    deliver(gw);
    for (unsigned i = 0; i < gw->n_shards; i++)
        gw_shard_free(gw->shards[i]);
    free(gw->shards);
    faas_snapshot_unref(gw->table);
    gw_async_free(gw->async);
    gw_scaler_free(gw->scaler);
    gw_flight_free(gw->flight);
    gw_fn_registry_free(gw->functions);
    free(gw->http_metrics);
    faas_metrics_free(gw->metrics);
    faas_credentials_free(gw->credentials);
    pthread_mutex_destroy(&gw->table_lock);
    free(gw->served_by);
    free(gw);
}
