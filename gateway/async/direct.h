/* A queued call made by the gateway itself: what its front door does for a POST of /function/NAME,
 * without a connection in between. Admission, balancing, deadlines, metrics, the access record and
 * the reports of failed calls are those of any call. On the loop of the shard that it is given. */
#ifndef FAAS_GATEWAY_ASYNC_DIRECT_H
#define FAAS_GATEWAY_ASYNC_DIRECT_H

#include "gateway/request.h"

struct gw_direct;

/* request: the head as request.c made it, without the blank line. All is copied. NULL, and
 * nothing has been counted: this call needs the front door, which knows how to wait for a replica
 * and how to refuse. ops: on_head is also called for our own refusals, on_error for what was broken
 * off after it; on_body takes everything; the rest is not called. Never from within this. */
struct gw_direct *gw_direct_start(struct gw_shard *s, struct faas_str request, struct faas_str body,
                                  struct faas_str id, const struct faas_exchange_ops *ops,
                                  void *arg);
/* No callback after this. */
void gw_direct_cancel(struct gw_direct *d);

#endif
