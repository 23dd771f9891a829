/* One client request on its way through the gateway: what the chain knows of
 * it (call id, route, times, outcome), and the answers that are ours. Lives in the request's arena.
 */
#ifndef FAAS_GATEWAY_REQUEST_H
#define FAAS_GATEWAY_REQUEST_H

#include "gateway/shard.h"
#include "libfaas/router.h"

struct gw_request {
    struct gw_shard *shard;
    struct faas_http_req *http;
    const struct faas_http_head *head;
    struct faas_route_match match;
    struct faas_str call_id;
    bool call_id_is_new; /* not the client's: it has to be added upstream */
    char start_time[24]; /* X-Start-Time: UTC nanoseconds */
    int64_t start_ns;    /* monotonic */

    /* for the access record */
    int status;
    uint64_t bytes_in, bytes_out;
    struct faas_str function; /* "name.namespace" */
    const char *instance;
    struct faas_str error; /* why it failed, when we know */
};

enum gw_auth { GW_AUTH_NONE, GW_AUTH_BASIC };

/* What a row of the route table does. */
struct gw_action {
    enum gw_auth auth;
    /* Attaches itself to r->http and answers, now or later. */
    void (*handle)(struct gw_request *r, const struct gw_action *self);
    const void *detail; /* the handler's own: for management calls a struct gw_management_call */
};

/* The gateway's server callback: match, identify, authenticate, hand on. */
void gw_request_start(void *shard, struct faas_http_req *http);
/* Every handler's on_done ends here: counts and writes the access record. err as in on_done. */
void gw_request_done(struct gw_request *r, const struct faas_error *err);

/* Our own answers. They carry the call id and X-OpenFaaS-Internal: gateway. */
void gw_reply_error(struct gw_request *r, const struct faas_error *err);
/* The same with one more header (Retry-After, Allow, WWW-Authenticate); name NULL: none. */
void gw_reply_error_with(struct gw_request *r, const struct faas_error *err, int status,
                         const char *name, const char *value);
/* Their body, for answers that take another way. */
void gw_error_body(struct faas_buf *out, const struct gw_request *r, const struct faas_error *err);
void gw_reply(struct gw_request *r, int status, const char *content_type, struct faas_str body);
/* For handlers that answer at once and need nothing from the request's body. */
extern const struct faas_http_req_ops gw_plain_ops;

#endif
