/* What a worker reads from its queues: which are asked, for how many entries, and what becomes of
 * those for which there is no place yet (ahead.h). On the worker's thread. */
#ifndef FAAS_GATEWAY_ASYNC_READING_H
#define FAAS_GATEWAY_ASYNC_READING_H

#include "gateway/async/worker.h"

/* How many more calls may be begun. */
size_t gw_reading_room(const struct gw_worker *w);
/* Begins what there is room for, and asks for more. */
void gw_reading_more(struct gw_worker *w);
/* A queue that was left out of the open question may be asked again. */
void gw_reading_anew(struct gw_worker *w);
/* How many may be claimed from other workers: they are begun before what is read, but would wait
 * for ever if there had to be room at the moment. */
size_t gw_reading_claim_room(const struct gw_worker *w);
/* An entry that was is begun, or kept until there is room. */
void gw_reading_claimed(struct gw_worker *w, struct gw_served_queue *queue,
                        const struct faas_redis_reply *entry);
/* The worker drains: what has not begun goes back, and so does what is still on its way. Again and
 * again until true: nothing is left to be done. */
bool gw_reading_end(struct gw_worker *w);

#endif
