/* Schedules of functions as queued calls: the scheduler on a gateway's first loop, its calls by way
 * of that loop's Redis. */
#ifndef FAAS_GATEWAY_ASYNC_SCHEDULES_H
#define FAAS_GATEWAY_ASYNC_SCHEDULES_H

#include "gateway/shard.h"

struct gw_schedules;

struct gw_schedules *gw_schedules_new(struct gw_shard *shard);
/* The shard has a new table. Harmless on NULL, as those below. */
void gw_schedules_table_changed(struct gw_schedules *s);
void gw_schedules_stop(struct gw_schedules *s);
/* After the shard's connection to Redis. */
void gw_schedules_free(struct gw_schedules *s);

#endif
