/* The calls that manage namespaces. */
#ifndef FAAS_CLI_NAMESPACE_H
#define FAAS_CLI_NAMESPACE_H

#include "cli/client.h"

/* What create and update are told. */
struct cli_namespace_options {
    struct cli_connect connect;
    struct faas_map labels;
    struct faas_map annotations;
};

extern const struct cli_flag cli_namespace_flags[]; /* --label, --annotation */

/* The names, as the gateway sends them. NULL on failure. */
json_t *cli_namespaces_ask(const struct cli_client *c, struct faas_error *err);
/* Creates (POST) or updates (PUT) it, marked as one for functions. Refusals have been told. */
FAAS_NODISCARD int cli_namespace_put(const struct cli_client *c, const char *method,
                                     const char *name, const struct cli_namespace_options *o,
                                     struct faas_error *err);
FAAS_NODISCARD int cli_namespace_remove(const struct cli_client *c, const char *name,
                                        struct faas_error *err);
/* {"name", "labels", "annotations"}, or NULL. */
json_t *cli_namespace_get(const struct cli_client *c, const char *name, struct faas_error *err);

#endif
