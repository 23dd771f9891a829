#include "gateway/async/served_queues.h"

#include "libfaas/alloc.h"

#include <stdlib.h>

static void forget(struct gw_served_queues *q, size_t i)
{
    free(q->items[i]->name);
    free(q->items[i]);
    q->items[i] = q->items[--q->n];
}

void gw_served_deinit(struct gw_served_queues *q)
{
    while (q->n)
        forget(q, 0);
    free(q->items);
    *q = (struct gw_served_queues){0};
}

static struct gw_served_queue *find(struct gw_served_queues *q, struct faas_str name)
{
    for (size_t i = 0; i < q->n; i++)
        if (faas_str_eqz(name, q->items[i]->name))
            return q->items[i];
    return NULL;
}

void gw_served_begin(struct gw_served_queues *q)
{
    for (size_t i = 0; i < q->n; i++)
        q->items[i]->listed = false;
}

struct gw_served_queue *gw_served_get(struct gw_served_queues *q, struct faas_str name)
{
    struct gw_served_queue *s = find(q, name);
    int rule = gw_queue_rules_find(q->rules, name);

    if (s || rule < 0)
        return s;
    if (q->n == q->cap) {
        q->cap = q->cap ? 2 * q->cap : 16;
        q->items = faas_reallocarray(q->items, q->cap, sizeof(struct gw_served_queue *));
    }
    s = q->items[q->n++] = faas_new(struct gw_served_queue);
    s->name = faas_str_dup(name);
    s->rank = (size_t)rule;
    s->max = q->rules->items[rule].max;
    return s;
}

void gw_served_add(struct gw_served_queues *q, struct faas_str name)
{
    struct gw_served_queue *s = gw_served_get(q, name);

    if (s)
        s->listed = true;
}

void gw_served_end(struct gw_served_queues *q)
{
    for (size_t i = q->n; i-- > 0;)
        if (!q->items[i]->listed && q->items[i]->running == 0 && q->items[i]->held == 0)
            forget(q, i);
}

void gw_served_leave(struct gw_served_queues *q, struct gw_served_queue *s)
{
    s->running--;
    if (!s->listed)
        gw_served_end(q);
}

void gw_served_let_go(struct gw_served_queues *q, struct gw_served_queue *s)
{
    s->held--;
    if (!s->listed)
        gw_served_end(q);
}

size_t gw_served_room(const struct gw_served_queue *s, size_t room)
{
    size_t own = s->max > s->running ? s->max - s->running : 0;

    return s->max ? FAAS_MIN(own, room) : room;
}

void gw_served_ask(struct gw_served_queues *q, size_t rank, size_t room, struct gw_question *out)
{
    size_t most = FAAS_MIN(room, (size_t)GW_MAX_ASKED), own = room, i = 0;

    *out = (struct gw_question){0};
    for (; i < q->n && room > 0; i++) {
        struct gw_served_queue *s = q->items[(q->turn + i) % q->n];
        size_t of_this = gw_served_room(s, room);

        if (!s->listed || (rank != GW_ANY_RANK && s->rank != rank))
            continue;
        if (of_this == 0) {
            out->full = true;
            continue;
        }
        if (out->n == most) {
            out->has_more = true;
            break;
        }
        out->queues[out->n++] = s;
        own = FAAS_MIN(own, of_this);
    }
    if (out->has_more) /* it is their turn */
        q->turn = (q->turn + i) % q->n;
    if (out->n) {
        size_t each = room / out->n;

        out->count = FAAS_MIN(own, each); /* n <= room, so there is one for each */
    }
}
