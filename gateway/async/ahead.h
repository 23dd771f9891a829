/* Entries that the worker has read before it has a place for them, so that places which get free
 * need not wait for Redis, which may wait for its disk each time.
 *
 * As many as calls end while Redis answers, and only while they end about as fast: a slow
 * function's calls stay in Redis, where other workers find them. One thread. */
#ifndef FAAS_GATEWAY_ASYNC_AHEAD_H
#define FAAS_GATEWAY_ASYNC_AHEAD_H

#include "gateway/async/served_queues.h"
#include "libfaas/list.h"

/* An entry as it was read. */
struct gw_entry {
    struct faas_str entry, id, function;
    struct faas_str packet; /* len 0: it did not come along */
};

struct gw_kept {
    struct faas_list node;
    struct gw_served_queue *queue; /* counts it among those that run */
    struct gw_entry entry;         /* views of data */
    bool claimed;                  /* from another worker, which may have begun it */
    int64_t since_ms;              /* Redis has handed it out then or later */
    char data[];
};

struct gw_ahead {
    size_t max;            /* entries; 0: nothing is read ahead */
    struct faas_list kept; /* in the order in which they are to be begun */
    size_t n, n_claimed;
    size_t quick;        /* calls that have ended, soon, since entries came */
    size_t wanted;       /* entries, those that are kept included */
    int64_t question_ms; /* how long Redis took for the last ones */
};

void gw_ahead_init(struct gw_ahead *a, size_t max);
void gw_ahead_deinit(struct gw_ahead *a); /* what is kept is forgotten */

/* Copies the entry, behind what its rank has already (but what was claimed goes before what was
 * not), and takes a place of its queue. */
void gw_ahead_keep(struct gw_ahead *a, struct gw_served_queue *queue, const struct gw_entry *e,
                   bool claimed, int64_t since_ms);
/* The next to be begun, which is the caller's to free, as is its place; NULL: there is none. */
struct gw_kept *gw_ahead_take(struct gw_ahead *a);
/* The same for the next that was kept before then. */
struct gw_kept *gw_ahead_take_old(struct gw_ahead *a, int64_t before_ms, bool or_claimed);
bool gw_ahead_has(const struct gw_ahead *a, struct faas_str entry);

/* --- how many --- */
void gw_ahead_ended(struct gw_ahead *a, int64_t took_ms); /* a call */
/* n entries have come, of so many bytes, took_ms after they were asked for, and there are more. */
void gw_ahead_came(struct gw_ahead *a, size_t n, size_t bytes, int64_t took_ms);
/* There were not as many as were asked for: nobody has to hurry. */
void gw_ahead_rest(struct gw_ahead *a);
/* How many to ask for beyond those that there are places for. */
size_t gw_ahead_room(const struct gw_ahead *a);
/* How long an entry may be kept: then calls have become slow, and it is for others. */
int64_t gw_ahead_patience_ms(const struct gw_ahead *a, int64_t lease_ms);

#endif
