/* A queued call as the HTTP head that the worker will send. Pure. */
#ifndef FAAS_GATEWAY_ASYNC_REQUEST_H
#define FAAS_GATEWAY_ASYNC_REQUEST_H

#include "gateway/request.h"

/* "POST /function/NAME.NS/path?query HTTP/1.1" and every header of the client that is not for its
 * connection only, then X-Start-Time and Content-Length; without the blank line, so that the worker
 * can add to it: X-Call-Id, which is known only when the call is queued. */
void gw_async_request_head(struct faas_buf *out, const struct gw_request *r,
                           struct faas_str function, size_t body_len);

#endif
