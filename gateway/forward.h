/* Headers on their way through: what is dropped, kept, added. Pure. */
#ifndef FAAS_GATEWAY_FORWARD_H
#define FAAS_GATEWAY_FORWARD_H

#include "gateway/request.h"

/* Appends the request head for the function: raw path and query, hop-by-hop headers (and those that
 * Connection names) dropped, X-Call-Id, X-Start-Time and X-Forwarded-* set. Upgrade passes if the
 * client means it for all hops. peer is the client's address, port included. */
void gw_forward_request(struct faas_buf *out, const struct gw_request *r, struct faas_str peer);
enum faas_body_kind gw_forward_body_kind(const struct faas_http_head *head);
/* The function's headers and ours for the client, in arena memory. Ours give way to same-named
 * ones. Those of a 101 keep Upgrade. */
struct faas_http_header *gw_forward_response(struct faas_arena *arena, const struct gw_request *r,
                                             const struct faas_http_response_head *head, size_t *n);

#endif
