/* How a fresh call ended, as one text: "STATUS BEGAN FINISHED FUNCTION QUEUE N\n" with times in
 * Unix milliseconds, then N bytes of history, then the result. The scripts read it. Pure. */
#ifndef FAAS_GATEWAY_ASYNC_DONE_H
#define FAAS_GATEWAY_ASYNC_DONE_H

#include "gateway/async/store.h"

void gw_done_append(struct faas_buf *out, const struct gw_attempt_ref *ref,
                    const struct gw_outcome *o);

#endif
