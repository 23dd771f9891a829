/* Ends of a turn of the loop, recorded by one script. Only of
 * attempts that are done and leave nothing else to be told; each has an answer of its own. On the
 * loop's thread. */
#ifndef FAAS_GATEWAY_ASYNC_FINISH_BATCH_H
#define FAAS_GATEWAY_ASYNC_FINISH_BATCH_H

#include "gateway/async/store.h"

struct gw_finish_batch;

struct gw_finish_batch *gw_finish_batch_new(struct gw_store *s, struct faas_loop *loop);
/* Sends what it has: whoever waits is told by the connection. */
void gw_finish_batch_free(struct gw_finish_batch *b);
void gw_finish_batch_add(struct gw_finish_batch *b, const struct gw_attempt_ref *ref,
                         const struct gw_outcome *o, gw_stored_fn *fn, void *arg);

#endif
