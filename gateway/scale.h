/* Scale from zero: calls that find no replica wait here. However many they are,
 * one start is asked for; a new function table, not a poll, wakes them. */
#ifndef FAAS_GATEWAY_SCALE_H
#define FAAS_GATEWAY_SCALE_H

#include "gateway/invoke.h"

struct gw_scaler *gw_scaler_new(void);
void gw_scaler_free(struct gw_scaler *s);

/* Makes v wait for a replica of fn, and asks for one if fn has none coming. UNAVAILABLE when too
 * many wait already or the start cannot be asked for. */
FAAS_NODISCARD int gw_scale_join(struct gw_invocation *v, const struct faas_fn *fn,
                                 struct faas_error *err);
void gw_scale_leave(struct gw_invocation *v); /* harmless when it does not wait */
/* The shard has a new table: wakes those for whom it makes a difference. */
void gw_scale_table_changed(struct gw_shard *s);

#endif
