#include "libfaas/alloc.h"
#include "providers/memory/internal.h"

#include <time.h>

#define CANCEL_CHECK_MS 100 /* how long a follower may go without asking cancelled() */

void memory_log_locked(struct memory *m, const char *name, const char *ns, const char *instance,
                       const char *text)
{
    struct memory_line *l = &m->lines[m->last_seq % MEMORY_LOG_LINES];

    free(l->name);
    free(l->namespace_);
    free(l->instance);
    free(l->text);
    *l = (struct memory_line){
        .seq = ++m->last_seq,
        .time_ns = memory_now_ns(m),
        .name = faas_strdup(name),
        .namespace_ = faas_strdup(ns),
        .instance = faas_strdup(instance),
        .text = faas_strdup(text),
    };
    pthread_cond_broadcast(&m->logged);
}

void faas_memory_log(struct faas_provider *p, const char *name, const char *ns,
                     const char *instance, const char *text)
{
    struct memory *m = p->self;

    MEMORY_LOCKED(m);
    memory_log_locked(m, name, ns, instance, text);
}

static bool matches(const struct memory_line *l, const struct faas_log_query *q)
{
    return strcmp(l->name, q->name) == 0 && strcmp(l->namespace_, q->namespace_) == 0 &&
           (!q->instance || strcmp(l->instance, q->instance) == 0) && l->time_ns >= q->since_ns;
}

static uint64_t oldest(const struct memory *m)
{
    return m->last_seq < MEMORY_LOG_LINES ? 1 : m->last_seq - MEMORY_LOG_LINES + 1;
}

static uint64_t count_matches(const struct memory *m, const struct faas_log_query *q)
{
    uint64_t n = 0;

    for (uint64_t seq = oldest(m); seq <= m->last_seq; seq++)
        n += matches(&m->lines[(seq - 1) % MEMORY_LOG_LINES], q);
    return n;
}

/* Copies the first match behind *seq; false when there is none yet. */
static bool next_line(const struct memory *m, const struct faas_log_query *q, uint64_t *seq,
                      struct memory_line *out)
{
    for (*seq = FAAS_MAX(*seq + 1, oldest(m)); *seq <= m->last_seq; (*seq)++) {
        const struct memory_line *l = &m->lines[(*seq - 1) % MEMORY_LOG_LINES];

        if (matches(l, q)) {
            *out = (struct memory_line){
                .time_ns = l->time_ns,
                .instance = faas_strdup(l->instance),
                .text = faas_strdup(l->text),
            };
            return true;
        }
    }
    *seq = m->last_seq;
    return false;
}

static int hand_over(const struct faas_log_query *q, faas_log_sink_fn sink, struct memory_line *l)
{
    int rc = sink(q->arg, &(struct faas_log_message){
                              .name = q->name,
                              .namespace_ = q->namespace_,
                              .instance = l->instance,
                              .time_ns = l->time_ns,
                              .text = faas_str_from(l->text),
                          });

    free(l->instance);
    free(l->text);
    return rc;
}

static void wait_for_line(struct memory *m)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += CANCEL_CHECK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&m->logged, &m->lock, &until);
}

/* True: *l is the next line. False: the reader is done. The sink runs without the lock. */
static bool await_line(struct memory *m, const struct faas_log_query *q, uint64_t *seq,
                       uint64_t *skip, struct memory_line *l)
{
    MEMORY_LOCKED(m);
    for (;;) {
        while (next_line(m, q, seq, l)) {
            if (*skip == 0)
                return true;
            (*skip)--;
            free(l->instance);
            free(l->text);
        }
        if (!q->follow || (q->cancelled && q->cancelled(q->arg)))
            return false;
        wait_for_line(m);
    }
}

int memory_logs(void *self, const struct faas_log_query *q, faas_log_sink_fn sink,
                struct faas_error *err)
{
    struct memory *m = self;
    struct memory_line l = {0};
    uint64_t seq = 0, skip = 0;

    {
        MEMORY_LOCKED(m);
        uint64_t n = count_matches(m, q);

        if (n == 0 && !memory_find_locked(m, q->name, q->namespace_))
            return faas_fail(err, FAAS_ERR_NOT_FOUND, "no function is named \"%s\"", q->name);
        if (q->tail > 0 && n > (uint64_t)q->tail)
            skip = n - (uint64_t)q->tail;
    }
    while (await_line(m, q, &seq, &skip, &l)) {
        if (hand_over(q, sink, &l) < 0)
            break;
    }
    return 0;
}
