/* Knows when which function is due by its schedule. Whoever has it queued, and how, is the user's
 * affair (schedules.h). One loop.
 *
 * A planned time is asked for until it is dealt with; it is given up when the next one is due and
 * catch_up_ms are over. All gateways plan the same times, and nothing here prevents that several
 * ask for one. */
#ifndef FAAS_GATEWAY_ASYNC_SCHEDULER_H
#define FAAS_GATEWAY_ASYNC_SCHEDULER_H

#include "gateway/async/schedule.h"
#include "libfaas/log.h"
#include "libfaas/loop.h"
#include "providers/snapshot.h"

/* A clock that is set back by less plans nothing again, and what was done for a planned time has to
 * be remembered for so much longer than anybody asks. */
#define GW_CLOCK_SLACK_MS INT64_C(3600000)

struct gw_scheduler;

/* A function and the time that it is due. */
struct gw_planned {
    struct gw_scheduler *scheduler;
    const struct faas_fn *fn; /* in the newest table; NULL: not there any more */
    struct gw_schedule *schedule;
    int64_t at_ms; /* Unix time */
    /* the scheduler's own */
    char *function, *text;
    int64_t asked_ms; /* 0: nothing is asked; else the time that is */
    int64_t again_ms; /* by the loop's clock: not before */
    int64_t missed;   /* since it was last dealt with */
    bool failing, kept;
};

enum gw_planned_outcome {
    GW_PLANNED_QUEUED,
    GW_PLANNED_ELSEWHERE, /* another gateway has seen to it */
    GW_PLANNED_SKIPPED,
    GW_PLANNED_MISSED, /* counted, never reported */
    GW_PLANNED_FAILED, /* reported, never counted: it will be asked again */
};

struct gw_scheduler_opts {
    struct faas_log log;
    int64_t catch_up_ms;
    /* p is due. gw_scheduler_done() follows, later; until then p lives. NULL: nothing can be done
     * about schedules, which is logged once for each. */
    void (*due)(void *arg, struct gw_planned *p);
    void (*count)(void *arg, const char *function, enum gw_planned_outcome outcome, uint64_t n);
    void *arg;
};

struct gw_scheduler *gw_scheduler_new(struct faas_loop *loop, const struct gw_scheduler_opts *opts);
/* These are the functions now; the table stays at least until the next call. What the first one
 * holds was there before this gateway started: what was due in the last catch_up_ms is due still.
 */
void gw_scheduler_install(struct gw_scheduler *s, const struct faas_snapshot *table);
/* why may be NULL unless it FAILED. */
void gw_scheduler_done(struct gw_planned *p, enum gw_planned_outcome outcome,
                       const struct faas_error *why);
/* Nothing is due any more. */
void gw_scheduler_stop(struct gw_scheduler *s);
/* Everything that was due is done. */
void gw_scheduler_free(struct gw_scheduler *s);

/* How long one firing may be asked for, by any gateway whose clock is not off by more than the
 * slack. */
int64_t gw_planned_remember_ms(const struct gw_planned *p);

#endif
