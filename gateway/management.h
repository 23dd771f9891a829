/* Management calls (/system/…): the body is collected under a cap, the work is
 * done on a pool thread, the answer goes out on the loop. A client that leaves does not stop work
 * that has begun: a failure is logged. */
#ifndef FAAS_GATEWAY_MANAGEMENT_H
#define FAAS_GATEWAY_MANAGEMENT_H

#include "gateway/request.h"
#include "libfaas/json.h"

/* What the work sees: copies that outlive the request, and what it leaves as the answer. */
struct gw_management {
    struct gw *gw;
    struct faas_arena arena;
    struct faas_str params[FAAS_ROUTE_PARAMS]; /* of the route, decoded */
    struct faas_str query;                     /* raw */
    json_t *body;                              /* NULL unless the call wants one */
    int body_fd;                               /* spooled body of an upload, else -1 */

    int status; /* 200 unless set */
    const char *content_type;
    struct faas_buf reply;
};

struct gw_management_call {
    /* On a pool thread. Failure is answered by the error's status. */
    int (*run)(struct gw_management *m, struct faas_error *err);
    bool json_body;   /* wants m->body: bad JSON is refused beforehand */
    bool spool;       /* wants m->body_fd */
    int error_status; /* for INVALID, where the reference has another than 400; 0: none */
};

void gw_management_handle(struct gw_request *r, const struct gw_action *self);

/* A decoded query parameter, NUL-terminated, or NULL when absent or empty. */
const char *gw_management_query(struct gw_management *m, const char *key);
/* A route parameter, NUL-terminated. */
const char *gw_management_param(struct gw_management *m, size_t i);
/* Namespace: the body's, else the query's, else NULL for the default. Arena memory. */
FAAS_NODISCARD int gw_management_namespace(struct gw_management *m, const char **ns,
                                           struct faas_error *err);
/* (takes) the value and makes it the answer. */
void gw_management_reply_json(struct gw_management *m, json_t *value);

#endif
