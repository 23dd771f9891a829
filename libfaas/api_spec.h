/* What FunctionDeployment and FunctionStatus have in common, for the files that implement
 * libfaas/api_types.h only. name_key is "service" or "name". */
#ifndef FAAS_API_SPEC_H
#define FAAS_API_SPEC_H

#include "libfaas/api_types.h"

FAAS_NODISCARD int faas_api_spec_read(struct faas_function_spec *s, const json_t *j,
                                      const char *name_key, struct faas_error *err);
void faas_api_spec_write(const struct faas_function_spec *s, json_t *into, const char *name_key);
/* A string member; "" counts as absent. */
FAAS_NODISCARD int faas_api_read_string(const json_t *obj, const char *key, char **out,
                                        struct faas_error *err);

#endif
