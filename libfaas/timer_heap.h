/* The running timers of one loop: a binary min-heap of pointers to timers that
 * live in their owners. Each timer knows its place, so moving and stopping cost
 * O(log n) without a search. Ordered by due time, then by order of starting. */
#ifndef FAAS_TIMER_HEAP_H
#define FAAS_TIMER_HEAP_H

#include "libfaas/loop.h"

struct faas_timer_heap {
    struct faas_timer **items;
    size_t len;
    size_t cap;
    uint64_t next_seq;
};

void faas_timer_heap_deinit(struct faas_timer_heap *h);
/* Puts t in with this due time, or moves it when it is in already. */
void faas_timer_heap_set(struct faas_timer_heap *h, struct faas_timer *t, int64_t due_ms);
/* Harmless when t is not in. */
void faas_timer_heap_remove(struct faas_timer_heap *h, struct faas_timer *t);

/* The next one due, or NULL. */
static inline struct faas_timer *faas_timer_heap_first(const struct faas_timer_heap *h)
{
    return h->len ? h->items[0] : NULL;
}

#endif
