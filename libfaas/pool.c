#include "libfaas/pool.h"

#include "libfaas/alloc.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct waiting_job {
    struct faas_job job;
    struct faas_loop *home;
};

struct faas_pool {
    pthread_mutex_t lock; /* over everything below */
    pthread_cond_t work;
    struct waiting_job *ring; /* max_threads + max_waiting places */
    size_t first, len;
    size_t max_waiting;
    pthread_t *threads;
    unsigned n_threads, max_threads;
    unsigned idle; /* threads that will take the next job; a new one counts from its start */
    bool stopping;
};

struct faas_pool *faas_pool_new(unsigned threads, unsigned queue, struct faas_error *err)
{
    struct faas_pool *pool;

    if (threads == 0) {
        faas_fail(err, FAAS_ERR_INVALID, "a pool needs at least one thread");
        return NULL;
    }
    pool = faas_new(struct faas_pool);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pool->max_threads = threads;
    pool->max_waiting = queue;
    pool->threads = faas_reallocarray(NULL, threads, sizeof(*pool->threads));
    pool->ring = faas_reallocarray(NULL, (size_t)threads + queue, sizeof(*pool->ring));
    return pool;
}

static size_t ring_size(const struct faas_pool *pool)
{
    return pool->max_threads + pool->max_waiting;
}

static struct waiting_job ring_take(struct faas_pool *pool)
{
    struct waiting_job w = pool->ring[pool->first];

    pool->first = (pool->first + 1) % ring_size(pool);
    pool->len--;
    return w;
}

/* Threads stay until the pool is freed, however idle: a process that is started by one of them with
 * a death signal dies with it. */
static void *work(void *arg)
{
    struct faas_pool *pool = arg;

    pthread_mutex_lock(&pool->lock);
    for (;;) {
        struct waiting_job w;

        while (pool->len == 0 && !pool->stopping)
            pthread_cond_wait(&pool->work, &pool->lock);
        if (pool->stopping)
            break;
        w = ring_take(pool);
        pool->idle--;
        pthread_mutex_unlock(&pool->lock);
        w.job.run(w.job.arg);
        if (w.job.done)
            faas_loop_post(w.home, w.job.done, w.job.arg);
        pthread_mutex_lock(&pool->lock);
        pool->idle++;
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Signals are for the loop that asked for them, so the threads take none. Returns an errno. */
static int add_thread(struct faas_pool *pool)
{
    sigset_t all, old;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&pool->threads[pool->n_threads], NULL, work, pool);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc != 0)
        return rc;
    pthread_setname_np(pool->threads[pool->n_threads], "pool");
    pool->n_threads++;
    pool->idle++;
    return 0;
}

static int enqueue(struct faas_pool *pool, const struct waiting_job *w, struct faas_error *err)
{
    int rc = 0;

    if (pool->stopping)
        return faas_fail(err, FAAS_ERR_UNAVAILABLE, "shutting down: no new work is taken");
    if (pool->len >= pool->idle && pool->n_threads < pool->max_threads)
        rc = add_thread(pool);
    if (rc != 0 && pool->n_threads == 0)
        return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, rc, "start a thread");
    if (pool->len >= pool->idle + pool->max_waiting)
        return faas_fail(err, FAAS_ERR_UNAVAILABLE, "busy: %u jobs run and %zu wait already",
                         pool->n_threads - pool->idle, pool->len - pool->idle);
    pool->ring[(pool->first + pool->len) % ring_size(pool)] = *w;
    pool->len++;
    pthread_cond_signal(&pool->work);
    return 0;
}

int faas_pool_submit(struct faas_pool *pool, struct faas_loop *home, const struct faas_job *job,
                     struct faas_error *err)
{
    struct waiting_job w = {.job = *job, .home = home};
    int rc;

    pthread_mutex_lock(&pool->lock);
    rc = enqueue(pool, &w, err);
    pthread_mutex_unlock(&pool->lock);
    return rc;
}

void faas_pool_free(struct faas_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->n_threads; i++)
        pthread_join(pool->threads[i], NULL);

    while (pool->len) {
        struct waiting_job w = ring_take(pool);

        if (w.job.drop)
            w.job.drop(w.job.arg);
    }
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->work);
    free(pool->threads);
    free(pool->ring);
    free(pool);
}
