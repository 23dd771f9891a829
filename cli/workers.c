#include "cli/workers.h"

#include "libfaas/alloc.h"
#include "libfaas/cleanup.h"

#include <pthread.h>
#include <stdatomic.h>

struct queue {
    const struct cli_workers *w;
    atomic_size_t next;
    atomic_bool failed;
};

struct worker {
    struct queue *queue;
    size_t number;
    pthread_t thread;
};

static void *work(void *arg)
{
    const struct worker *self = arg;
    struct queue *q = self->queue;

    while (!atomic_load(&q->failed)) {
        size_t index = atomic_fetch_add(&q->next, 1);

        if (index >= q->w->n_jobs)
            break;
        if (!q->w->job(q->w->arg, self->number, index))
            atomic_store(&q->failed, true);
    }
    if (q->w->done)
        q->w->done(q->w->arg, self->number);
    return NULL;
}

bool cli_workers_run(const struct cli_workers *w)
{
    struct queue queue = {.w = w};
    size_t n = w->parallel > w->n_jobs && w->n_jobs > 0 ? w->n_jobs : w->parallel;
    _cleanup_free_ struct worker *workers = faas_zalloc(n * sizeof(*workers));
    size_t started = 0;

    for (size_t i = 0; i < n; i++)
        workers[i] = (struct worker){.queue = &queue, .number = i};
    /* The last is this thread; one that cannot be started is done without. */
    while (started + 1 < n &&
           pthread_create(&workers[started].thread, NULL, work, &workers[started]) == 0)
        started++;
    workers[started].number = started;
    work(&workers[started]);
    for (size_t i = 0; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    return !atomic_load(&queue.failed);
}
