/* The queues that a worker serves now, and how many calls of each it makes: which of them it asks
 * next, and for how many entries. One thread. */
#ifndef FAAS_GATEWAY_ASYNC_SERVED_QUEUES_H
#define FAAS_GATEWAY_ASYNC_SERVED_QUEUES_H

#include "gateway/async/queue_rules.h"

struct gw_served_queue {
    char *name;
    size_t rank;      /* of its rule: 0 goes first */
    unsigned max;     /* calls at a time; 0: no limit of its own */
    unsigned running; /* of them */
    unsigned held;    /* those, and what is known of others that have run */
    bool listed;      /* Redis has it, and it is not paused */
    char swept[44];   /* up to which entry it has been looked at (sweep.h) */
};

struct gw_served_queues {
    const struct gw_queue_rules *rules; /* borrowed */
    struct gw_served_queue **items;
    size_t n, cap;
    size_t turn; /* where the next question begins, when it cannot be about all of them */
};

/* The queues are listed anew: _begin, _add for each, _end. Those of no rule are left out; what is
 * not listed any more is forgotten once none of its calls runs or is held. */
void gw_served_begin(struct gw_served_queues *q);
void gw_served_add(struct gw_served_queues *q, struct faas_str name);
void gw_served_end(struct gw_served_queues *q);
void gw_served_deinit(struct gw_served_queues *q);

/* Also of one that is not listed: what was asked for before it was paused may come yet. NULL: of no
 * rule. */
struct gw_served_queue *gw_served_get(struct gw_served_queues *q, struct faas_str name);
void gw_served_leave(struct gw_served_queues *q, struct gw_served_queue *s);  /* a call has ended */
void gw_served_let_go(struct gw_served_queues *q, struct gw_served_queue *s); /* and is recorded */

/* How many more calls of it there may be. */
size_t gw_served_room(const struct gw_served_queue *s, size_t room);

#define GW_ANY_RANK SIZE_MAX
enum { GW_MAX_ASKED = 64 };

struct gw_question {
    struct gw_served_queue *queues[GW_MAX_ASKED];
    size_t n;
    size_t count;  /* entries of each at most: n times as many find room */
    bool full;     /* one was left out because it has as many calls as it may */
    bool has_more; /* one was left out because the question would be too long */
};

/* room: for how many calls there is a place. n 0: there is nothing to ask for. */
void gw_served_ask(struct gw_served_queues *q, size_t rank, size_t room, struct gw_question *out);

#endif
