/* Work that blocks, above all the look-up of host names, done by a forked copy of this process so
 * that the loop goes on. The watchdog has no threads, so a copy is whole and can do anything that
 * needs nothing of the original's: no loop, no log, no descriptors.
 *
 * The end is reported once, from a later event than wd_job_start(). */
#ifndef FAAS_WATCHDOG_JOB_H
#define FAAS_WATCHDOG_JOB_H

#include "libfaas/buf.h"
#include "libfaas/loop.h"

struct wd_jobs {
    struct faas_loop *loop;
    struct faas_list all; /* struct job by node: those that run, and those not yet collected */
};

struct wd_job_spec {
    /* In the copy. input is what it was when the job started. */
    int (*run)(const void *input, struct faas_buf *out, struct faas_error *err);
    const void *input;
    size_t max_result; /* bytes of out; beyond it the job has failed */
    int64_t limit_ms;  /* then the copy is killed */
    /* result is borrowed and empty when err is not NULL: the job's own, TIMEOUT, or UNAVAILABLE
     * when the copy died. May start jobs, but not end those that there are. */
    void (*on_end)(void *arg, struct faas_str result, const struct faas_error *err);
    void *arg;
};

void wd_jobs_init(struct wd_jobs *jobs, struct faas_loop *loop);
/* Ends them all without a word. */
void wd_jobs_deinit(struct wd_jobs *jobs);
FAAS_NODISCARD int wd_job_start(struct wd_jobs *jobs, const struct wd_job_spec *spec,
                                struct faas_error *err);

#endif
