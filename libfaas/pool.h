/* A few threads for work that blocks: provider calls, DNS, disk. run() happens
 * on one of them, done() back on the loop that submitted. */
#ifndef FAAS_POOL_H
#define FAAS_POOL_H

#include "libfaas/loop.h"

struct faas_pool;

/* Threads are started on demand, up to threads, and stay until the pool is freed; queue is the most
 * jobs that may wait for one. INVALID when threads is 0. */
struct faas_pool *faas_pool_new(unsigned threads, unsigned queue, struct faas_error *err);
/* Waits for running jobs, whose done() is posted as ever; waiting ones are not started, their
 * done() is not called, and drop() (if any) frees their argument, on this thread. Call before
 * freeing the loops, on none of the pool's threads; a submit from a running job is refused
 * meanwhile. */
void faas_pool_free(struct faas_pool *pool);

struct faas_job {
    void (*run)(void *arg);  /* on a pool thread; may block */
    void (*done)(void *arg); /* on the loop; may be NULL */
    void (*drop)(void *arg); /* instead of both, at shutdown; may be NULL */
    void *arg;
};

/* Any thread; job is copied. Jobs start in the order of submitting. home may be NULL without done.
 * UNAVAILABLE when the queue is full or no thread can be had: then nothing of the job is called. */
FAAS_NODISCARD int faas_pool_submit(struct faas_pool *pool, struct faas_loop *home,
                                    const struct faas_job *job, struct faas_error *err);

#endif
