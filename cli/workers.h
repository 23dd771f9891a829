/* Several functions at a time: N threads take jobs from one queue, in order. What a job shares
 * with others (the stack, options) it only reads. */
#ifndef FAAS_CLI_WORKERS_H
#define FAAS_CLI_WORKERS_H

#include <stdbool.h>
#include <stddef.h>

struct cli_workers {
    size_t parallel; /* 1: the calling thread does it all */
    size_t n_jobs;
    /* Any worker's thread; worker counts from 0. False ends the queue: jobs that run are finished,
     * no more are begun. */
    bool (*job)(void *arg, size_t worker, size_t index);
    /* A worker has no more to do; its own thread. May be NULL. */
    void (*done)(void *arg, size_t worker);
    void *arg;
};

/* True when every job was run and returned true. */
bool cli_workers_run(const struct cli_workers *w);

#endif
