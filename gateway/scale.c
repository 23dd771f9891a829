#include "gateway/scale.h"

#include "libfaas/alloc.h"

#include <pthread.h>
#include <stdlib.h>

/* Names whose start is under way, so that a second caller does not ask again. */
struct gw_scaler {
    pthread_mutex_t lock;
    struct faas_map starting; /* used as a set */
};

struct start_job {
    struct gw *gw;
    char *key, *name, *ns;
    uint64_t replicas;
    struct faas_error err;
    int rc;
};

struct gw_scaler *gw_scaler_new(void)
{
    struct gw_scaler *s = faas_new(struct gw_scaler);

    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void gw_scaler_free(struct gw_scaler *s)
{
    if (!s)
        return;
    faas_map_deinit(&s->starting);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static bool begin(struct gw_scaler *s, const char *key)
{
    bool first;

    pthread_mutex_lock(&s->lock);
    first = !faas_map_get(&s->starting, key);
    if (first)
        faas_map_set(&s->starting, key, "");
    pthread_mutex_unlock(&s->lock);
    return first;
}

static void end(struct gw_scaler *s, const char *key)
{
    pthread_mutex_lock(&s->lock);
    faas_map_remove(&s->starting, key);
    pthread_mutex_unlock(&s->lock);
}

static void free_job(void *arg)
{
    struct start_job *job = arg;

    free(job->key);
    free(job->name);
    free(job->ns);
    free(job);
}

/* --- a failed start is told to the waiters of every shard --- */

struct failure {
    struct gw_shard *shard;
    char *key;
    struct faas_error err;
};

static void tell_waiters(void *arg)
{
    struct failure *f = arg;

    faas_list_for_each (&f->shard->waiting, node) {
        struct gw_invocation *v = FAAS_CONTAINER_OF(node, struct gw_invocation, waiting);

        if (strcmp(v->stats->key, f->key) == 0)
            gw_invocation_wake(v, &f->err);
    }
    free(f->key);
    free(f);
}

static void run_start(void *arg)
{
    struct start_job *job = arg;

    job->rc = faas_provider_scale(&job->gw->provider, job->name, job->ns, job->replicas, &job->err);
}

static void start_done(void *arg)
{
    struct start_job *job = arg;
    struct gw *gw = job->gw;

    end(gw->scaler, job->key);
    if (job->rc < 0) {
        faas_log_error(&gw->log, "scale from zero failed", FAAS_F_STR("function", job->key),
                       FAAS_F_ERR(&job->err));
        for (unsigned i = 0; i < gw->n_shards; i++) {
            struct failure *f = faas_new(struct failure);

            *f = (struct failure){
                .shard = gw->shards[i], .key = faas_strdup(job->key), .err = job->err};
            faas_loop_post(f->shard->loop, tell_waiters, f);
        }
    }
    free_job(job);
}

static int ask_for_start(struct gw_shard *s, const struct faas_fn *fn, struct faas_error *err)
{
    struct gw *gw = s->gw;
    struct start_job *job;

    if (!begin(gw->scaler, fn->key))
        return 0;
    job = faas_new(struct start_job);
    *job = (struct start_job){
        .gw = gw,
        .key = faas_strdup(fn->key),
        .name = faas_strdup(fn->name),
        .ns = faas_strdup(fn->namespace_),
        .replicas = FAAS_MAX(fn->scaling.min, (uint64_t)1),
    };
    if (faas_pool_submit(gw->pool, s->loop,
                         &(struct faas_job){run_start, start_done, free_job, job}, err) < 0) {
        end(gw->scaler, fn->key);
        free_job(job);
        return -1;
    }
    return 0;
}

int gw_scale_join(struct gw_invocation *v, const struct faas_fn *fn, struct faas_error *err)
{
    struct gw_shard *s = v->r.shard;
    unsigned waiting = atomic_fetch_add(&v->stats->waiting, 1);

    if (waiting >= (uint64_t)s->gw->cfg->max_waiting ||
        (fn->desired == 0 && ask_for_start(s, fn, err) < 0)) {
        atomic_fetch_sub(&v->stats->waiting, 1);
        if (waiting >= (uint64_t)s->gw->cfg->max_waiting)
            return faas_fail(err, FAAS_ERR_UNAVAILABLE,
                             "%u calls already wait for the first replica (max_waiting=%lld)",
                             waiting, (long long)s->gw->cfg->max_waiting);
        return faas_error_wrap(err, "scale from zero");
    }
    faas_list_append(&s->waiting, &v->waiting);
    v->is_waiting = true;
    return 0;
}

void gw_scale_leave(struct gw_invocation *v)
{
    if (!v->is_waiting)
        return;
    v->is_waiting = false;
    faas_list_remove(&v->waiting);
    atomic_fetch_sub(&v->stats->waiting, 1);
}

void gw_scale_table_changed(struct gw_shard *s)
{
    faas_list_for_each (&s->waiting, node) {
        gw_invocation_wake(FAAS_CONTAINER_OF(node, struct gw_invocation, waiting), NULL);
    }
}
