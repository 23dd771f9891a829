/* The flight recorder: the last calls that failed, so that somebody with a call id can be told why.
 * Failures are rare enough for a lock. */
#ifndef FAAS_GATEWAY_FLIGHT_H
#define FAAS_GATEWAY_FLIGHT_H

#include "gateway/request.h"
#include "libfaas/json.h"

struct gw_flight;

/* keep: how many calls; 0: none. */
struct gw_flight *gw_flight_new(size_t keep);
void gw_flight_free(struct gw_flight *f);
/* A call of a function that is over. Any thread. */
void gw_flight_record(struct gw_flight *f, const struct gw_request *r, int64_t took_ns);
/* {"callId","function","method","path","status","error","instance","at","seconds"}, or NULL. The
 * latest of that id. Any thread. */
json_t *gw_flight_find(struct gw_flight *f, struct faas_str call_id);

extern const struct gw_action gw_flight_action; /* GET /system/calls/{id} */

#endif
