/* What the gateway knows about functions; their maps sorted. */
#ifndef FAAS_CLI_FUNCTIONS_H
#define FAAS_CLI_FUNCTIONS_H

#include "cli/client.h"
#include "libfaas/api_types.h"

/* All of a namespace (NULL or "": the gateway's default), in the gateway's order. */
FAAS_NODISCARD int cli_functions_list(const struct cli_client *c, const char *namespace_,
                                      struct faas_status_list *out, struct faas_error *err);
/* One. NOT_FOUND when there is none. */
FAAS_NODISCARD int cli_functions_get(const struct cli_client *c, const char *name,
                                     const char *namespace_, struct faas_function_status *out,
                                     struct faas_error *err);
/* "figlet.dev", or "figlet" when namespace_ is NULL or "". Heap. */
char *cli_qualified_name(const char *name, const char *namespace_);

#endif
