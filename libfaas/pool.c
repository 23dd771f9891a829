#include "libfaas/pool.h"

#include "libfaas/alloc.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* Small: provider calls build their data on the heap. */
#define STACK_SIZE (512 * 1024)

struct task {
    struct faas_job job;
    struct faas_loop *home;
    struct faas_list node;
};

struct faas_pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct faas_list waiting; /* of struct task */
    unsigned n_waiting, max_waiting;
    pthread_t *threads;
    unsigned n_threads, max_threads, n_idle;
    bool stopping;
};

struct faas_pool *faas_pool_new(unsigned threads, unsigned queue, struct faas_error *err)
{
    struct faas_pool *p;

    if (threads == 0) {
        faas_fail(err, FAAS_ERR_INVALID, "a pool needs at least one thread");
        return NULL;
    }
    p = faas_new(struct faas_pool);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    faas_list_init(&p->waiting);
    p->max_waiting = queue;
    p->max_threads = threads;
    p->threads = faas_zalloc(threads * sizeof(*p->threads));
    return p;
}

static struct task *take(struct faas_pool *p)
{
    struct task *t = FAAS_CONTAINER_OF(p->waiting.next, struct task, node);

    faas_list_remove(&t->node);
    p->n_waiting--;
    return t;
}

static void finish(struct task *t)
{
    if (t->job.done)
        faas_loop_post(t->home, t->job.done, t->job.arg);
    free(t);
}

static void *thread_main(void *arg)
{
    struct faas_pool *p = arg;

    pthread_mutex_lock(&p->lock);
    while (!p->stopping) {
        struct task *t;

        if (faas_list_empty(&p->waiting)) {
            p->n_idle++;
            pthread_cond_wait(&p->work, &p->lock);
            p->n_idle--;
            continue;
        }
        t = take(p);
        pthread_mutex_unlock(&p->lock);
        t->job.run(t->job.arg);
        finish(t);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Signals are the loops' business: a pool thread must never be the one that takes them. */
static int start_thread(struct faas_pool *p, struct faas_error *err)
{
    pthread_attr_t attr;
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&p->threads[p->n_threads], &attr, thread_main, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (rc != 0)
        return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, rc, "start a worker thread");
    p->n_threads++;
    return 0;
}

/* With the lock held. A thread that cannot be had matters only when there is none at all. */
static int admit(struct faas_pool *p, struct faas_error *err)
{
    if (p->n_waiting >= p->max_waiting)
        return faas_fail(err, FAAS_ERR_UNAVAILABLE, "%u jobs wait already", p->n_waiting);
    if (p->n_waiting < p->n_idle || p->n_threads == p->max_threads)
        return 0;
    return start_thread(p, err) < 0 && p->n_threads == 0 ? -1 : 0;
}

int faas_pool_submit(struct faas_pool *p, struct faas_loop *home, const struct faas_job *job,
                     struct faas_error *err)
{
    struct task *t = faas_new(struct task);
    int rc;

    *t = (struct task){.job = *job, .home = home};
    pthread_mutex_lock(&p->lock);
    rc = admit(p, err);
    if (rc == 0) {
        faas_list_append(&p->waiting, &t->node);
        p->n_waiting++;
        pthread_cond_signal(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
    if (rc < 0)
        free(t);
    return rc;
}

static void drop_waiting(struct faas_pool *p)
{
    while (!faas_list_empty(&p->waiting)) {
        struct task *t = take(p);

        if (t->job.drop)
            t->job.drop(t->job.arg);
        free(t);
    }
}

void faas_pool_free(struct faas_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n_threads; i++)
        pthread_join(p->threads[i], NULL);
    drop_waiting(p);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p->threads);
    free(p);
}
