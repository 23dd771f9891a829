/* The gateway's whole surface: one table of method, path, action, auth. */
#ifndef FAAS_GATEWAY_ROUTES_H
#define FAAS_GATEWAY_ROUTES_H

#include "gateway/request.h"

extern const struct faas_route gw_routes[];
extern const size_t gw_n_routes;

/* Counts a finished management request; calls of functions have counters of their own. */
struct gw_http_metrics *gw_http_metrics_new(struct faas_metrics *m);
void gw_routes_count(const struct gw_request *r, int64_t took_ns);

#endif
