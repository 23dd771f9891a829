#include "gateway/async/schedules.h"

#include "gateway/async/async.h"
#include "gateway/async/scheduler.h"
#include "libfaas/alloc.h"
#include "libfaas/crypto.h"

#include <stdlib.h>

struct gw_schedules {
    struct gw_shard *shard;
    struct gw_scheduler *scheduler;
    struct faas_family *firings; /* by function and outcome */
};

/* Redis is asked. */
struct asking {
    struct gw_schedules *schedules;
    struct gw_planned *planned;
    char id[37];
};

static const char *const outcomes[] = {
    [GW_PLANNED_QUEUED] = "queued",
    [GW_PLANNED_ELSEWHERE] = "elsewhere",
    [GW_PLANNED_SKIPPED] = "skipped",
    [GW_PLANNED_MISSED] = "missed",
};

static void count(void *arg, const char *function, enum gw_planned_outcome outcome, uint64_t n)
{
    struct gw_schedules *s = arg;
    const char *labels[] = {function, outcomes[outcome]};

    faas_counter_add(faas_counter(s->firings, labels), n);
}

static enum gw_planned_outcome outcome_of(enum gw_fired fired)
{
    return fired == GW_FIRED          ? GW_PLANNED_QUEUED
           : fired == GW_FIRED_BEFORE ? GW_PLANNED_ELSEWHERE
                                      : GW_PLANNED_SKIPPED;
}

static void on_fired(void *arg, enum gw_store_result result, enum gw_fired fired,
                     struct faas_str id, const struct faas_error *err)
{
    _cleanup_free_ struct asking *a = arg;
    struct gw *gw = a->schedules->shard->gw;
    struct faas_error why = {0};

    if (result != GW_ASYNC_OK) {
        why = *err;
        gw_async_explain(&why, "the call was not queued");
    } else if (!id.len) { /* somebody else's call has it: another one next time */
        faas_fail(&why, FAAS_ERR_CONFLICT, "the call's id is taken");
    }
    if (why.code != FAAS_ERR_NONE) {
        gw_scheduler_done(a->planned, GW_PLANNED_FAILED, &why);
        return;
    }
    if (fired == GW_FIRED && a->planned->fn) {
        const char *labels[] = {gw_async_queue(gw, a->planned->fn).ptr, "accepted"};

        faas_counter_add(faas_counter(gw->async->submitted, labels), 1);
    }
    faas_log_debug(&gw->log, "a time of a schedule has come",
                   FAAS_F_STR("function", a->planned->function), FAAS_F_STRN("call_id", id),
                   FAAS_F_STR("outcome", outcomes[outcome_of(fired)]));
    gw_scheduler_done(a->planned, outcome_of(fired), NULL);
}

/* Later than planned by chance, never more than jitter says; 0: now. */
static int64_t delay_ms(struct gw_schedules *s, const struct gw_planned *p, int64_t now_ms)
{
    uint64_t jitter = (uint64_t)p->schedule->jitter_ms;
    int64_t due_ms = p->at_ms + (int64_t)(gw_shard_random(s->shard) % (jitter + 1));

    return jitter && due_ms > now_ms ? due_ms - now_ms : 0;
}

static void fire(void *arg, struct gw_planned *p)
{
    _cleanup_buf_ struct faas_buf head = {0};
    _cleanup_buf_ struct faas_buf policy_text = {0};
    struct gw_schedules *s = arg;
    struct gw *gw = s->shard->gw;
    struct gw_retry_policy policy = gw->async->retry;
    int64_t now_ms = gw_async_now_ms(gw);
    struct asking *a = faas_new(struct asking);
    struct gw_firing firing = {
        .call = {.function = faas_str_from(p->fn->key),
                 .queue = gw_async_queue(gw, p->fn),
                 .body = faas_str_from(p->schedule->body),
                 .delay_ms = delay_ms(s, p, now_ms),
                 .now_ms = now_ms},
        .planned_ms = p->at_ms,
        .remember_ms = gw_planned_remember_ms(p),
        .skip_overlap = p->schedule->skip_overlap,
    };

    a->schedules = s;
    a->planned = p;
    faas_uuid(a->id);
    gw_retry_annotate(&policy, &p->fn->annotations, NULL);
    gw_retry_format(&policy, &policy_text);
    gw_schedule_request_head(&head, p->schedule, firing.call.function, p->at_ms,
                             gw->clock->realtime_ns(gw->clock->self));
    firing.call.id = faas_str_from(a->id);
    firing.call.request = faas_buf_str(&head);
    firing.call.policy = faas_buf_str(&policy_text);
    firing.call.spill = firing.call.body.len > (size_t)gw->cfg->async.inline_body_size;
    gw_store_fire(&s->shard->async->store, &firing, on_fired, a);
}

struct gw_schedules *gw_schedules_new(struct gw_shard *shard)
{
    static const struct faas_family_def firings = {FAAS_METRIC_COUNTER,
                                                   "gateway_schedule_firings_total",
                                                   "Times of schedules that came, by outcome.",
                                                   {"function_name", "outcome"}};
    struct gw_schedules *s = faas_new(struct gw_schedules);
    const struct gw_scheduler_opts opts = {
        .log = shard->gw->log,
        .catch_up_ms = shard->gw->cfg->async.schedule_catch_up_ms,
        .due = shard->async ? fire : NULL,
        .count = count,
        .arg = s,
    };

    s->shard = shard;
    s->firings = faas_metrics_family(shard->gw->metrics, &firings);
    s->scheduler = gw_scheduler_new(shard->loop, &opts);
    return s;
}

void gw_schedules_table_changed(struct gw_schedules *s)
{
    if (s && s->shard->table)
        gw_scheduler_install(s->scheduler, s->shard->table);
}

void gw_schedules_stop(struct gw_schedules *s)
{
    if (s)
        gw_scheduler_stop(s->scheduler);
}

void gw_schedules_free(struct gw_schedules *s)
{
    if (!s)
        return;
    gw_scheduler_free(s->scheduler);
    free(s);
}
