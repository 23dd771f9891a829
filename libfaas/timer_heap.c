#include "libfaas/timer_heap.h"

#include "libfaas/alloc.h"

#include <stdlib.h>

void faas_timer_heap_deinit(struct faas_timer_heap *h)
{
    free(h->items);
    *h = (struct faas_timer_heap){0};
}

static bool before(const struct faas_timer *a, const struct faas_timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->seq < b->seq;
}

static void place(struct faas_timer_heap *h, struct faas_timer *t, size_t i)
{
    h->items[i] = t;
    t->heap_at = i + 1;
}

/* Moves the hole at i towards the root until t fits into it. */
static size_t rise(struct faas_timer_heap *h, const struct faas_timer *t, size_t i)
{
    while (i > 0) {
        size_t parent = (i - 1) / 2;

        if (!before(t, h->items[parent]))
            break;
        place(h, h->items[parent], i);
        i = parent;
    }
    return i;
}

/* Moves the hole at i towards the leaves until t fits into it. */
static size_t sink(struct faas_timer_heap *h, const struct faas_timer *t, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= h->len)
            return i;
        if (child + 1 < h->len && before(h->items[child + 1], h->items[child]))
            child++;
        if (!before(h->items[child], t))
            return i;
        place(h, h->items[child], i);
        i = child;
    }
}

static void settle(struct faas_timer_heap *h, struct faas_timer *t, size_t i)
{
    place(h, t, sink(h, t, rise(h, t, i)));
}

void faas_timer_heap_set(struct faas_timer_heap *h, struct faas_timer *t, int64_t due_ms)
{
    size_t i = t->heap_at - 1;

    t->due_ms = due_ms;
    t->seq = h->next_seq++;
    if (t->heap_at == 0) {
        if (h->len == h->cap) {
            h->cap = h->cap ? h->cap * 2 : 64;
            h->items = faas_reallocarray(h->items, h->cap, sizeof(*h->items));
        }
        i = h->len++;
    }
    settle(h, t, i);
}

void faas_timer_heap_remove(struct faas_timer_heap *h, struct faas_timer *t)
{
    size_t i = t->heap_at - 1;
    struct faas_timer *last;

    if (t->heap_at == 0)
        return;
    t->heap_at = 0;
    last = h->items[--h->len];
    if (last != t)
        settle(h, last, i);
}
