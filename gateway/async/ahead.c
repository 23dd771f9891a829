#include "gateway/async/ahead.h"

#include "libfaas/alloc.h"

#include <stdlib.h>

enum {
    /* What is kept when entries come has to last until the next ones do. */
    QUESTIONS = 2,
    /* A call ends soon when it takes no longer than so many questions. Of one that takes longer a
     * place is empty for a small part of its time, and entries would be kept for a long one. */
    SOON = 8,
    LONGEST_QUESTION_MS = 100, /* that counts */
    MIN_PATIENCE_MS = 100,
    MAX_BYTES = 4 * 1024 * 1024, /* about */
};

void gw_ahead_init(struct gw_ahead *a, size_t max)
{
    *a = (struct gw_ahead){.max = max, .question_ms = 1};
    faas_list_init(&a->kept);
}

static struct gw_kept *kept_of(struct faas_list *node)
{
    return FAAS_CONTAINER_OF(node, struct gw_kept, node);
}

void gw_ahead_deinit(struct gw_ahead *a)
{
    if (!a->kept.next) /* it was never begun */
        return;
    faas_list_for_each (&a->kept, it)
        free(kept_of(it));
    gw_ahead_init(a, 0);
}

static struct faas_str copy(char **to, struct faas_str s)
{
    struct faas_str out = {*to, s.len};

    if (s.len)
        memcpy(*to, s.ptr, s.len);
    *to += s.len;
    return out;
}

static bool goes_before(const struct gw_kept *k, const struct gw_kept *other)
{
    if (k->queue->rank != other->queue->rank)
        return k->queue->rank < other->queue->rank;
    return k->claimed && !other->claimed;
}

void gw_ahead_keep(struct gw_ahead *a, struct gw_served_queue *queue, const struct gw_entry *e,
                   bool claimed, int64_t since_ms)
{
    size_t size = e->entry.len + e->id.len + e->function.len + e->packet.len;
    struct gw_kept *k = faas_zalloc(sizeof(*k) + size);
    struct faas_list *before = a->kept.prev;
    char *p = k->data;

    k->queue = queue;
    k->claimed = claimed;
    k->since_ms = since_ms;
    k->entry = (struct gw_entry){
        .entry = copy(&p, e->entry),
        .id = copy(&p, e->id),
        .function = copy(&p, e->function),
        .packet = copy(&p, e->packet),
    };
    while (before != &a->kept && goes_before(k, kept_of(before)))
        before = before->prev;
    faas_list_append(before->next, &k->node);
    queue->running++;
    a->n++;
    a->n_claimed += claimed;
}

static struct gw_kept *remove_kept(struct gw_ahead *a, struct faas_list *node)
{
    faas_list_remove(node);
    a->n--;
    a->n_claimed -= kept_of(node)->claimed;
    return kept_of(node);
}

struct gw_kept *gw_ahead_take(struct gw_ahead *a)
{
    return faas_list_empty(&a->kept) ? NULL : remove_kept(a, a->kept.next);
}

struct gw_kept *gw_ahead_take_old(struct gw_ahead *a, int64_t before_ms, bool or_claimed)
{
    faas_list_for_each (&a->kept, it)
        if (kept_of(it)->since_ms < before_ms && (or_claimed || !kept_of(it)->claimed))
            return remove_kept(a, it);
    return NULL;
}

bool gw_ahead_has(const struct gw_ahead *a, struct faas_str entry)
{
    faas_list_for_each (&a->kept, it)
        if (faas_str_eq(kept_of(it)->entry.entry, entry))
            return true;
    return false;
}

void gw_ahead_ended(struct gw_ahead *a, int64_t took_ms)
{
    if (took_ms <= SOON * a->question_ms)
        a->quick++;
}

void gw_ahead_came(struct gw_ahead *a, size_t n, size_t bytes, int64_t took_ms)
{
    size_t fit = n * MAX_BYTES / (bytes + 1);
    size_t wanted = FAAS_MIN(QUESTIONS * a->quick, a->max);

    took_ms = FAAS_MAX(took_ms, (int64_t)1);
    a->question_ms = FAAS_MIN(took_ms, (int64_t)LONGEST_QUESTION_MS);
    a->wanted = FAAS_MIN(wanted, fit);
    a->quick = 0;
}

void gw_ahead_rest(struct gw_ahead *a)
{
    a->wanted = a->quick = 0;
}

size_t gw_ahead_room(const struct gw_ahead *a)
{
    return a->wanted > a->n ? a->wanted - a->n : 0;
}

int64_t gw_ahead_patience_ms(const struct gw_ahead *a, int64_t lease_ms)
{
    int64_t patience_ms = FAAS_MAX(SOON * a->question_ms, (int64_t)MIN_PATIENCE_MS);

    return FAAS_MIN(patience_ms, lease_ms / 3);
}
