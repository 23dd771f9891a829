/* What every back end says about a function in the function table, read from
 * the function's own settings. */
#ifndef FAAS_PROVIDERS_DESCRIBE_H
#define FAAS_PROVIDERS_DESCRIBE_H

#include "providers/snapshot.h"

/* Fills labels, annotations, scaling and exec_timeout_ms of a function just added to a snapshot.
 * env is the environment that the function runs with. spec has been validated. */
void faas_fn_describe(struct faas_fn *fn, const struct faas_function_spec *spec,
                      const struct faas_map *env);

/* How many replicas a deploy or update starts with: as many as run now, within the bounds of the
 * scaling labels, but never none. */
uint64_t faas_initial_replicas(const struct faas_scaling *scaling, uint64_t now);

#endif
