/* A management request that is answered by asking Redis, once or several times. */
#ifndef FAAS_GATEWAY_ASYNC_INQUIRY_H
#define FAAS_GATEWAY_ASYNC_INQUIRY_H

#include "gateway/async/async.h"
#include "libfaas/json.h"

struct gw_inquiry {
    struct gw_request *r; /* NULL: the client has left */
    struct gw *gw;
    struct gw_store *store;
    struct faas_loop *loop;
    char *name; /* {name} of the route, decoded: a call id or a queue; checked to be one */
    struct faas_timer timer;
    int64_t until_ms; /* whatever time matters to it */
    int64_t total;    /* of what is done in steps */
    bool asking;      /* Redis has been asked: it is not freed before it answers */
    const char *which;
    /* What follows when the whole request is there. */
    void (*begin)(struct gw_inquiry *q);
    void (*when_known)(struct gw_inquiry *q); /* for queues.c: there is such a queue */
};

/* Attaches itself; begin() is called when the body (which is ignored) is through. Answers 501
 * itself when there is no Redis, 400 for a name or a query that cannot be read: then NULL. begin()
 * is not called from within this. */
struct gw_inquiry *gw_inquiry_start(struct gw_request *r, void (*begin)(struct gw_inquiry *q));
/* First thing in every reply's function: false when nobody waits any more, q is gone then. */
bool gw_inquiry_back(struct gw_inquiry *q);
void gw_inquiry_fail(struct gw_inquiry *q, const struct faas_error *err); /* Redis's failure */
void gw_inquiry_error(struct gw_inquiry *q, enum faas_code code, const char *why);
void gw_inquiry_json(struct gw_inquiry *q, int status, json_t *value /* takes */);
/* Unix milliseconds as RFC 3339; nothing if there are none. */
void gw_inquiry_time(json_t *to, const char *key, struct faas_str ms_text);
/* The attempts of a call as the API shows them. text: field h of store_scripts.c. Never NULL. */
json_t *gw_inquiry_history(struct faas_str text);
/* How many attempts there were at a call that has been made: who takes over its callback counts as
 * one more in Redis. */
int64_t gw_inquiry_attempts(const json_t *history, int64_t otherwise);
/* Value of a query parameter in the request's arena, "" too; NULL when absent. */
const char *gw_inquiry_query(struct gw_inquiry *q, const char *key);

extern const struct gw_action gw_async_status_action; /* GET /async-function/{id} */
extern const struct gw_action gw_async_result_action; /* GET /async-function/{id}/result */
extern const struct gw_action gw_async_cancel_action; /* DELETE /async-function/{id} */
extern const struct gw_action gw_queues_action;       /* GET /system/queues */
extern const struct gw_action gw_queue_pause_action, gw_queue_resume_action;
extern const struct gw_action gw_queue_purge_action;   /* ?which=queue|delayed|dead */
extern const struct gw_action gw_queue_dead_action;    /* ?after=&limit= */
extern const struct gw_action gw_queue_redrive_action; /* ?id=, or all */

#endif
