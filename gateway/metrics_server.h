/* GET /metrics on a port of its own, and /healthz beside it. */
#ifndef FAAS_GATEWAY_METRICS_SERVER_H
#define FAAS_GATEWAY_METRICS_SERVER_H

#include "gateway/gateway.h"

FAAS_NODISCARD int gw_metrics_server_open(struct gw *gw, struct faas_error *err);
void gw_metrics_server_close(struct gw *gw);

#endif
