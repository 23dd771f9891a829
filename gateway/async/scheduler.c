#include "gateway/async/scheduler.h"

#include "libfaas/alloc.h"

#include <stdlib.h>

enum {
    MAX_SLEEP_MS = 5000, /* the loop's clock does not tell when the other one is set */
    RETRY_MS = 250,
    MAX_MISSED = 1000, /* that are counted one by one */
};

struct gw_scheduler {
    struct faas_loop *loop;
    struct gw_scheduler_opts opts;
    struct faas_timer timer;
    struct gw_planned **items; /* by function */
    size_t n;
    bool started; /* the first table is there */
    bool stopped;
    int64_t ahead_ms; /* how far the clock for people has been ahead of the loop's */
};

static int64_t now_ms(const struct gw_scheduler *s)
{
    const struct faas_clock *clock = faas_loop_clock(s->loop);

    return clock->realtime_ns(clock->self) / 1000000;
}

static int64_t next_ms(const struct gw_planned *p, int64_t after_ms)
{
    return gw_schedule_next_ms(p->schedule, after_ms);
}

int64_t gw_planned_remember_ms(const struct gw_planned *p)
{
    int64_t next = next_ms(p, p->at_ms);
    int64_t until_next = next == FAAS_CRON_NEVER ? 0 : next - p->at_ms;

    return FAAS_MAX(until_next, p->scheduler->opts.catch_up_ms) + GW_CLOCK_SLACK_MS;
}

static void planned_free(struct gw_planned *p)
{
    gw_schedule_free(p->schedule);
    free(p->function);
    free(p->text);
    free(p);
}

static struct faas_field time_field(const char *name, int64_t at_ms, char text[40])
{
    if (at_ms == FAAS_CRON_NEVER)
        return FAAS_F_STR(name, "never");
    faas_format_time_go(at_ms * 1000000, text);
    return FAAS_F_STR(name, text);
}

/* --- when --- */

/* A planned time whose successor is due has had its chance. */
static bool is_missed(const struct gw_planned *p, int64_t now)
{
    return now - p->at_ms > p->scheduler->opts.catch_up_ms && next_ms(p, p->at_ms) <= now;
}

static void pass_missed(struct gw_planned *p, int64_t now)
{
    struct gw_scheduler *s = p->scheduler;
    int64_t first = p->at_ms;
    uint64_t n = 0;
    char text[40];

    for (; is_missed(p, now); n++)
        p->at_ms = next_ms(p, n < MAX_MISSED ? p->at_ms : now - s->opts.catch_up_ms);
    if (!n)
        return;
    s->opts.count(s->opts.arg, p->function, GW_PLANNED_MISSED, n);
    if (!p->missed)
        faas_log_warn(&s->opts.log, "a function is not called at a time of its schedule",
                      FAAS_F_STR("function", p->function), time_field("planned", first, text));
    p->missed += (int64_t)n;
}

static void step(struct gw_planned *p, int64_t now)
{
    struct gw_scheduler *s = p->scheduler;

    if (!p->schedule || p->asked_ms || faas_loop_now_ms(s->loop) < p->again_ms)
        return;
    pass_missed(p, now);
    if (p->at_ms > now)
        return;
    p->asked_ms = p->at_ms;
    s->opts.due(s->opts.arg, p);
}

/* What was planned by a clock that was wrong would hold up a schedule until that time comes. */
static void watch_clock(struct gw_scheduler *s, int64_t now)
{
    int64_t ahead = now - faas_loop_now_ms(s->loop);

    if (ahead >= s->ahead_ms - GW_CLOCK_SLACK_MS) {
        s->ahead_ms = FAAS_MAX(s->ahead_ms, ahead);
        return;
    }
    faas_log_warn(&s->opts.log, "the clock was set back: schedules go on from here",
                  FAAS_F_INT("seconds", (s->ahead_ms - ahead) / 1000));
    s->ahead_ms = ahead;
    for (size_t i = 0; i < s->n; i++)
        if (s->items[i]->schedule)
            s->items[i]->at_ms = next_ms(s->items[i], now);
}

static void tick(void *arg);

static void arm_for(struct gw_scheduler *s, const struct gw_planned *p)
{
    int64_t loop_now = faas_loop_now_ms(s->loop), wait;

    if (!p->fn || !p->schedule || p->asked_ms || s->stopped || !s->opts.due)
        return;
    wait = FAAS_MAX(p->at_ms - now_ms(s), p->again_ms - loop_now);
    wait = FAAS_MIN(wait, (int64_t)MAX_SLEEP_MS);
    if (!faas_timer_running(&s->timer) || loop_now + wait < s->timer.due_ms)
        faas_timer_start(s->loop, &s->timer, wait, tick, s);
}

static void arm(struct gw_scheduler *s)
{
    for (size_t i = 0; i < s->n; i++)
        arm_for(s, s->items[i]);
}

static void tick(void *arg)
{
    struct gw_scheduler *s = arg;
    int64_t now = now_ms(s);

    watch_clock(s, now);
    for (size_t i = 0; i < s->n; i++)
        step(s->items[i], now);
    arm(s);
}

void gw_scheduler_done(struct gw_planned *p, enum gw_planned_outcome outcome,
                       const struct faas_error *why)
{
    struct gw_scheduler *s = p->scheduler;
    char text[40];

    if (outcome != GW_PLANNED_FAILED) {
        s->opts.count(s->opts.arg, p->function, outcome, 1);
        if (p->missed)
            faas_log_warn(&s->opts.log, "a function's schedule goes on",
                          FAAS_F_STR("function", p->function), FAAS_F_INT("missed", p->missed));
        p->missed = 0;
        p->failing = false;
        if (p->at_ms == p->asked_ms)
            p->at_ms = next_ms(p, p->at_ms);
    } else if (!s->stopped) {
        p->again_ms = faas_loop_now_ms(s->loop) + RETRY_MS;
        if (!p->failing)
            faas_log_warn(&s->opts.log, "a scheduled call could not be queued yet",
                          FAAS_F_STR("function", p->function),
                          time_field("planned", p->asked_ms, text), FAAS_F_ERR(why));
        p->failing = true;
    }
    p->asked_ms = 0;
    arm_for(s, p);
    if (!p->fn)
        planned_free(p);
}

/* --- which --- */

static int by_function(const void *a, const void *b)
{
    return strcmp((*(struct gw_planned *const *)a)->function,
                  (*(struct gw_planned *const *)b)->function);
}

/* The one of this function, if its schedule is the same; or NULL. */
static struct gw_planned *keep(struct gw_scheduler *s, const struct faas_fn *fn, const char *text)
{
    struct gw_planned wanted = {.function = fn->key};
    struct gw_planned *key = &wanted;
    struct gw_planned **found = NULL;

    if (s->n)
        found = bsearch(&key, s->items, s->n, sizeof(*s->items), by_function);
    if (!found || strcmp((*found)->text, text) != 0)
        return NULL;
    (*found)->kept = true;
    (*found)->fn = fn;
    return *found;
}

static struct gw_planned *plan(struct gw_scheduler *s, const struct faas_fn *fn, const char *text)
{
    struct gw_planned *p = faas_new(struct gw_planned);
    struct faas_error err = {0};
    char next[40];

    p->scheduler = s;
    p->fn = fn;
    p->function = faas_strdup(fn->key);
    p->text = faas_strdup(text);
    /* Its zones are read here and not on another thread: a few KiB from the page cache, since the
     * deployment was checked a moment ago. */
    p->schedule = gw_schedule_read(&fn->annotations, &err);
    if (!p->schedule) {
        faas_log_warn(&s->opts.log, "a schedule cannot be read: the function is not called by it",
                      FAAS_F_STR("function", p->function), FAAS_F_ERR(&err));
        return p;
    }
    p->at_ms = next_ms(p, now_ms(s) - (s->started ? 0 : s->opts.catch_up_ms));
    if (s->opts.due)
        faas_log_info(&s->opts.log, "a function is called by a schedule",
                      FAAS_F_STR("function", p->function),
                      FAAS_F_STR("schedule", faas_map_get(&fn->annotations, "schedule")),
                      time_field("next", p->at_ms, next));
    else
        faas_log_warn(&s->opts.log,
                      "the function is not called by its schedule: that takes a redis_url",
                      FAAS_F_STR("function", p->function));
    return p;
}

static void forget(struct gw_scheduler *s)
{
    for (size_t i = 0; i < s->n; i++) {
        struct gw_planned *p = s->items[i];

        if (p->kept) {
            p->kept = false;
            continue;
        }
        p->fn = NULL;
        if (!p->asked_ms)
            planned_free(p);
    }
    free(s->items);
    s->items = NULL;
    s->n = 0;
}

void gw_scheduler_install(struct gw_scheduler *s, const struct faas_snapshot *table)
{
    struct gw_planned **items = faas_zalloc((faas_snapshot_len(table) + 1) * sizeof(*items));
    size_t n = 0;

    watch_clock(s, now_ms(s)); /* which plans now */
    for (size_t i = 0; i < faas_snapshot_len(table); i++) {
        const struct faas_fn *fn = faas_snapshot_at(table, i);
        _cleanup_buf_ struct faas_buf text = {0};

        if (!gw_schedule_given(&fn->annotations))
            continue;
        gw_schedule_text(&fn->annotations, &text);
        items[n] = keep(s, fn, text.data);
        if (!items[n])
            items[n] = plan(s, fn, text.data);
        n++;
    }
    forget(s);
    qsort(items, n, sizeof(*items), by_function);
    s->items = items;
    s->n = n;
    s->started = true;
    arm(s);
}

/* --- life --- */

struct gw_scheduler *gw_scheduler_new(struct faas_loop *loop, const struct gw_scheduler_opts *opts)
{
    struct gw_scheduler *s = faas_new(struct gw_scheduler);

    s->loop = loop;
    s->opts = *opts;
    s->ahead_ms = now_ms(s) - faas_loop_now_ms(loop);
    return s;
}

void gw_scheduler_stop(struct gw_scheduler *s)
{
    s->stopped = true;
    faas_timer_stop(s->loop, &s->timer);
}

void gw_scheduler_free(struct gw_scheduler *s)
{
    if (!s)
        return;
    gw_scheduler_stop(s);
    forget(s);
    free(s);
}
