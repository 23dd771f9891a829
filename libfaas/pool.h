/* A few threads for work that blocks: provider calls, DNS, disk. run() happens
 * on one of them, done() back on the loop that submitted. */
#ifndef FAAS_POOL_H
#define FAAS_POOL_H

#include "libfaas/loop.h"

struct faas_pool;

/* Threads are started on demand, up to threads; queue is the most jobs that may wait. */
struct faas_pool *faas_pool_new(unsigned threads, unsigned queue, struct faas_error *err);
/* Waits for running jobs; waiting ones are not started, their done() is not called, and drop()
 * (if any) frees their argument. Call before freeing the loops. */
void faas_pool_free(struct faas_pool *pool);

struct faas_job {
    void (*run)(void *arg);  /* on a pool thread; may block */
    void (*done)(void *arg); /* on the loop; may be NULL */
    void (*drop)(void *arg); /* instead of both, at shutdown; may be NULL */
    void *arg;
};

/* UNAVAILABLE when the queue is full: then nothing of the job is called. */
FAAS_NODISCARD int faas_pool_submit(struct faas_pool *pool, struct faas_loop *home,
                                    const struct faas_job *job, struct faas_error *err);

#endif
