#include "gateway/shard.h"

#include "gateway/access_log.h"
#include "gateway/async/async.h"
#include "gateway/async/schedules.h"
#include "gateway/request.h"
#include "gateway/scale.h"
#include "libfaas/alloc.h"
#include "libfaas/crypto.h"

#include <stdlib.h>

/* A function's answer may have a larger head than a request: it costs nothing in advance. */
#define MIN_RESPONSE_HEAD (64 * 1024)

struct gw_shard *gw_shard_new(struct gw *gw, unsigned index, struct faas_error *err)
{
    struct gw_shard *s = faas_new(struct gw_shard);
    const struct gw_config *cfg = gw->cfg;

    s->gw = gw;
    s->index = index;
    faas_list_init(&s->waiting);
    faas_random_bytes(&s->random, sizeof(s->random));
    s->random |= 1; /* xorshift has one bad seed: 0 */
    s->loop = faas_loop_new(gw->clock, err);
    if (!s->loop) {
        gw_shard_free(s);
        return NULL;
    }
    s->upstream = faas_upstream_new(
        s->loop, &(struct faas_upstream_opts){
                     .max_idle_per_host = (unsigned)cfg->max_idle_conns_per_host,
                     .max_idle = (unsigned)cfg->max_idle_conns,
                     .idle_timeout_ms = cfg->idle_timeout_ms,
                     .connect_timeout_ms = cfg->connect_timeout_ms,
                     .max_head = (size_t)FAAS_MAX(cfg->max_header_size, (int64_t)MIN_RESPONSE_HEAD),
                 });
    return s;
}

int gw_shard_listen(struct gw_shard *s, int listen_fd, struct faas_error *err)
{
    const struct gw_config *cfg = s->gw->cfg;

    s->server = faas_http_server_new(
        s->loop,
        &(struct faas_http_server_opts){
            .listen_fd = listen_fd,
            .header_limit = (size_t)cfg->max_header_size,
            .max_connections = (unsigned)(cfg->max_connections / s->gw->n_shards + 1),
            .read_timeout_ms = cfg->read_timeout_ms,
            .write_timeout_ms = cfg->write_timeout_ms,
            .error_component = "gateway",
            .log = &s->gw->log,
            .on_request = gw_request_start,
            .arg = s,
        },
        err);
    if (!s->server)
        return -1;
    /* After the server's own hook, whose work still ends requests. */
    faas_hook_add(s->loop, &s->access_hook, gw_access_log_flush, s);
    return 0;
}

void gw_shard_close_server(struct gw_shard *s)
{
    if (s->server)
        faas_http_server_free(s->server);
    s->server = NULL;
}

void gw_shard_free(struct gw_shard *s)
{
    if (!s)
        return;
    gw_shard_close_server(s);
    if (s->upstream)
        faas_upstream_free(s->upstream);
    gw_access_log_flush(s);
    faas_snapshot_unref(s->table);
    gw_schedules_stop(s->schedules);
    gw_async_loop_free(s->async);
    gw_schedules_free(s->schedules);
    faas_loop_free(s->loop);
    faas_buf_deinit(&s->access);
    faas_buf_deinit(&s->scratch);
    free(s);
}

struct new_table {
    struct gw_shard *shard;
    struct faas_snapshot *table;
};

static void install(void *arg)
{
    struct new_table *n = arg;
    struct faas_snapshot *old = n->shard->table;

    n->shard->table = n->table;
    faas_snapshot_unref(old);
    gw_scale_table_changed(n->shard);
    gw_schedules_table_changed(n->shard->schedules);
    free(n);
}

void gw_shard_publish(struct gw_shard *s, struct faas_snapshot *table)
{
    struct new_table *n = faas_new(struct new_table);

    *n = (struct new_table){.shard = s, .table = faas_snapshot_ref(table)};
    faas_loop_post(s->loop, install, n);
}

uint64_t gw_shard_random(struct gw_shard *s)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    return s->random;
}
