/* One record per request, collected during a turn of the loop and written in one go. */
#ifndef FAAS_GATEWAY_ACCESS_LOG_H
#define FAAS_GATEWAY_ACCESS_LOG_H

#include "gateway/request.h"

void gw_access_log(const struct gw_request *r, int64_t took_ns);
/* Writes what this turn collected; the shard's hook. */
int64_t gw_access_log_flush(void *shard);

#endif
