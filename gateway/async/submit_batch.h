/* Submissions of one turn of the loop, sent to Redis as one script: reading and starting a script
 * is half of what a call costs there. Only plain ones, whose id nobody else can have: for these
 * there is one answer, all or none. On the loop's thread. */
#ifndef FAAS_GATEWAY_ASYNC_SUBMIT_BATCH_H
#define FAAS_GATEWAY_ASYNC_SUBMIT_BATCH_H

#include "gateway/async/store.h"

struct gw_submit_batch;

struct gw_submit_batch *gw_submit_batch_new(struct gw_store *s, struct faas_loop *loop);
/* Sends what it has: whoever waits is told by the connection. */
void gw_submit_batch_free(struct gw_submit_batch *b);
void gw_submit_batch_add(struct gw_submit_batch *b, const struct gw_submission *sub,
                         gw_submitted_fn *fn, void *arg);

#endif
