#include "libfaas/metrics.h"

#include "libfaas/alloc.h"
#include "libfaas/metrics_process.h"
#include "libfaas/utf8.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static const struct {
    int64_t ns;
    const char *le;
} buckets[] = {
    {5000000, "0.005"},  {10000000, "0.01"},  {25000000, "0.025"}, {50000000, "0.05"},
    {100000000, "0.1"},  {250000000, "0.25"}, {500000000, "0.5"},  {1000000000, "1"},
    {2500000000, "2.5"}, {5000000000, "5"},   {10000000000, "10"}, {INT64_MAX, "+Inf"},
};

struct faas_counter {
    _Atomic uint64_t n;
};

struct faas_gauge {
    _Atomic int64_t n;
};

struct faas_histogram {
    _Atomic uint64_t in_bucket[FAAS_ARRAY_LEN(buckets)]; /* each observation in one of them */
    _Atomic uint64_t sum_ns;
};

/* Series are only ever appended, so readers walk the list without the lock. */
struct series {
    _Atomic(struct series *) next;
    char *values[FAAS_ARRAY_LEN(((struct faas_family_def *)0)->labels)];
    char *labels; /* as text, escaped, without braces: function_name="f",code="200" */
    union {
        struct faas_counter counter;
        struct faas_gauge gauge;
        struct faas_histogram histogram;
    };
};

struct faas_family {
    struct faas_metrics *registry;
    const struct faas_family_def *def;
    size_t n_labels;
    _Atomic(struct series *) first;
    struct series *last; /* under the registry's lock */
    _Atomic(struct faas_family *) next;
};

struct faas_metrics {
    pthread_mutex_t lock; /* held to append, never to read or to count */
    _Atomic(struct faas_family *) first;
    struct faas_family *last;
    double start_time;
};

struct faas_metrics *faas_metrics_new(void)
{
    struct faas_metrics *m = faas_new(struct faas_metrics);

    pthread_mutex_init(&m->lock, NULL);
    m->start_time = faas_process_start_time();
    return m;
}

static void free_series(struct series *s)
{
    for (size_t i = 0; i < FAAS_ARRAY_LEN(s->values); i++)
        free(s->values[i]);
    free(s->labels);
    free(s);
}

void faas_metrics_free(struct faas_metrics *m)
{
    struct faas_family *f, *next_family;

    if (!m)
        return;
    for (f = m->first; f; f = next_family) {
        struct series *s, *next;

        next_family = f->next;
        for (s = f->first; s; s = next) {
            next = s->next;
            free_series(s);
        }
        free(f);
    }
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* In help texts quotes are plain, in label values they end the value. Prometheus refuses a whole
 * scrape for one byte that is not UTF-8, so such bytes are replaced. */
static void append_escaped(struct faas_buf *out, struct faas_str s, bool is_label)
{
    while (s.len > 0) {
        uint32_t cp;
        bool valid;
        size_t len = faas_utf8_next(s, &cp, &valid);

        if (!valid)
            faas_buf_append_z(out, "\xef\xbf\xbd");
        else if (cp == '\n')
            faas_buf_append_z(out, "\\n");
        else if (cp == '\\' || (cp == '"' && is_label))
            faas_buf_printf(out, "\\%c", (int)cp);
        else
            faas_buf_append(out, s.ptr, len);
        s = (struct faas_str){.ptr = s.ptr + len, .len = s.len - len};
    }
}

static char *label_text(const struct faas_family *f, const char *const *values)
{
    struct faas_buf out = {0};

    for (size_t i = 0; i < f->n_labels; i++) {
        faas_buf_printf(&out, "%s%s=\"", i ? "," : "", f->def->labels[i]);
        append_escaped(&out, faas_str_from(values[i]), true);
        faas_buf_append_c(&out, '"');
    }
    return faas_buf_steal(&out);
}

static struct series *find_series(struct faas_family *f, const char *const *values)
{
    struct series *s = atomic_load_explicit(&f->first, memory_order_acquire);

    for (; s; s = atomic_load_explicit(&s->next, memory_order_acquire)) {
        size_t i = 0;

        while (i < f->n_labels && strcmp(s->values[i], values[i]) == 0)
            i++;
        if (i == f->n_labels)
            return s;
    }
    return NULL;
}

static struct series *append_series(struct faas_family *f, const char *const *values)
{
    struct series *s = faas_new(struct series);

    for (size_t i = 0; i < f->n_labels; i++)
        s->values[i] = faas_strdup(values[i]);
    s->labels = label_text(f, values);
    /* released last: who sees the pointer sees what it points at */
    atomic_store_explicit(f->last ? &f->last->next : &f->first, s, memory_order_release);
    f->last = s;
    return s;
}

static struct series *get_series(struct faas_family *f, enum faas_metric_type type,
                                 const char *const *values)
{
    struct series *s = find_series(f, values);

    assert(f->def->type == type);
    (void)type;
    if (s)
        return s;
    pthread_mutex_lock(&f->registry->lock);
    s = find_series(f, values); /* another thread may have been faster */
    if (!s)
        s = append_series(f, values);
    pthread_mutex_unlock(&f->registry->lock);
    return s;
}

static struct faas_family *find_family(struct faas_metrics *m, const char *name)
{
    struct faas_family *f = atomic_load_explicit(&m->first, memory_order_acquire);

    while (f && strcmp(f->def->name, name) != 0)
        f = atomic_load_explicit(&f->next, memory_order_acquire);
    return f;
}

static struct faas_family *append_family(struct faas_metrics *m, const struct faas_family_def *def)
{
    struct faas_family *f = faas_new(struct faas_family);

    f->registry = m;
    f->def = def;
    while (f->n_labels < FAAS_ARRAY_LEN(def->labels) && def->labels[f->n_labels])
        f->n_labels++;
    if (f->n_labels == 0)
        append_series(f, NULL); /* its only series is there from the start, at 0 */
    atomic_store_explicit(m->last ? &m->last->next : &m->first, f, memory_order_release);
    m->last = f;
    return f;
}

struct faas_family *faas_metrics_family(struct faas_metrics *m, const struct faas_family_def *def)
{
    struct faas_family *f;

    pthread_mutex_lock(&m->lock);
    f = find_family(m, def->name);
    if (!f)
        f = append_family(m, def);
    pthread_mutex_unlock(&m->lock);
    return f;
}

struct faas_counter *faas_counter(struct faas_family *f, const char *const *values)
{
    return &get_series(f, FAAS_METRIC_COUNTER, values)->counter;
}

struct faas_gauge *faas_gauge(struct faas_family *f, const char *const *values)
{
    return &get_series(f, FAAS_METRIC_GAUGE, values)->gauge;
}

struct faas_histogram *faas_histogram(struct faas_family *f, const char *const *values)
{
    return &get_series(f, FAAS_METRIC_HISTOGRAM, values)->histogram;
}

/* Relaxed throughout: a count orders nothing, it only must not get lost. */
void faas_counter_add(struct faas_counter *c, uint64_t n)
{
    atomic_fetch_add_explicit(&c->n, n, memory_order_relaxed);
}

uint64_t faas_counter_get(const struct faas_counter *c)
{
    return atomic_load_explicit(&c->n, memory_order_relaxed);
}

void faas_gauge_set(struct faas_gauge *g, int64_t v)
{
    atomic_store_explicit(&g->n, v, memory_order_relaxed);
}

void faas_gauge_add(struct faas_gauge *g, int64_t v)
{
    atomic_fetch_add_explicit(&g->n, v, memory_order_relaxed);
}

int64_t faas_gauge_get(const struct faas_gauge *g)
{
    return atomic_load_explicit(&g->n, memory_order_relaxed);
}

void faas_histogram_observe_ns(struct faas_histogram *h, int64_t ns)
{
    size_t i = 0;

    while (ns > buckets[i].ns)
        i++;
    atomic_fetch_add_explicit(&h->in_bucket[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum_ns, ns > 0 ? (uint64_t)ns : 0, memory_order_relaxed);
}

uint64_t faas_family_sum(struct faas_family *f, size_t label_index, const char *value)
{
    struct series *s = atomic_load_explicit(&f->first, memory_order_acquire);
    uint64_t sum = 0;

    assert(f->def->type == FAAS_METRIC_COUNTER && label_index < f->n_labels);
    for (; s; s = atomic_load_explicit(&s->next, memory_order_acquire)) {
        if (strcmp(s->values[label_index], value) == 0)
            sum += faas_counter_get(&s->counter);
    }
    return sum;
}

static void append_name(struct faas_buf *out, const struct faas_family *f, const struct series *s,
                        const char *suffix)
{
    faas_buf_append_z(out, f->def->name);
    faas_buf_append_z(out, suffix);
    if (s->labels[0]) {
        faas_buf_append_c(out, '{');
        faas_buf_append_z(out, s->labels);
        faas_buf_append_c(out, '}');
    }
    faas_buf_append_c(out, ' ');
}

static void append_sample(struct faas_buf *out, const struct faas_family *f, const struct series *s,
                          const char *suffix, uint64_t n)
{
    append_name(out, f, s, suffix);
    faas_buf_append_u64(out, n);
    faas_buf_append_c(out, '\n');
}

static void append_histogram(struct faas_buf *out, const struct faas_family *f,
                             const struct series *s)
{
    uint64_t sum_ns = atomic_load_explicit(&s->histogram.sum_ns, memory_order_relaxed);
    uint64_t below = 0; /* cumulated here, so that buckets and count agree while others observe */

    for (size_t i = 0; i < FAAS_ARRAY_LEN(buckets); i++) {
        below += atomic_load_explicit(&s->histogram.in_bucket[i], memory_order_relaxed);
        faas_buf_append_z(out, f->def->name);
        faas_buf_append_z(out, "_bucket{");
        faas_buf_append_z(out, s->labels);
        faas_buf_append_z(out, s->labels[0] ? ",le=\"" : "le=\"");
        faas_buf_append_z(out, buckets[i].le);
        faas_buf_append_z(out, "\"} ");
        faas_buf_append_u64(out, below);
        faas_buf_append_c(out, '\n');
    }
    append_name(out, f, s, "_sum");
    faas_buf_printf(out, "%llu.%09llu\n", (unsigned long long)(sum_ns / 1000000000),
                    (unsigned long long)(sum_ns % 1000000000));
    append_sample(out, f, s, "_count", below);
}

static void append_one(struct faas_buf *out, const struct faas_family *f, const struct series *s)
{
    int64_t v;

    switch (f->def->type) {
    case FAAS_METRIC_COUNTER:
        append_sample(out, f, s, "", faas_counter_get(&s->counter));
        break;
    case FAAS_METRIC_GAUGE:
        v = faas_gauge_get(&s->gauge);
        append_name(out, f, s, "");
        faas_buf_append_z(out, v < 0 ? "-" : "");
        faas_buf_append_u64(out, v < 0 ? -(uint64_t)v : (uint64_t)v);
        faas_buf_append_c(out, '\n');
        break;
    case FAAS_METRIC_HISTOGRAM:
        append_histogram(out, f, s);
        break;
    }
}

static void append_family_text(struct faas_buf *out, struct faas_family *f)
{
    static const char *const types[] = {
        [FAAS_METRIC_COUNTER] = "counter",
        [FAAS_METRIC_GAUGE] = "gauge",
        [FAAS_METRIC_HISTOGRAM] = "histogram",
    };
    struct series *s = atomic_load_explicit(&f->first, memory_order_acquire);

    if (!s)
        return;
    faas_buf_printf(out, "# HELP %s ", f->def->name);
    append_escaped(out, faas_str_from(f->def->help), false);
    faas_buf_printf(out, "\n# TYPE %s %s\n", f->def->name, types[f->def->type]);
    for (; s; s = atomic_load_explicit(&s->next, memory_order_acquire))
        append_one(out, f, s);
}

void faas_metrics_text(struct faas_metrics *m, struct faas_buf *out)
{
    struct faas_family *f = atomic_load_explicit(&m->first, memory_order_acquire);

    for (; f; f = atomic_load_explicit(&f->next, memory_order_acquire))
        append_family_text(out, f);
    faas_process_metrics_text(out, m->start_time);
}
