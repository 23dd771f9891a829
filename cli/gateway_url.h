/* Which gateway a command talks to. */
#ifndef FAAS_CLI_GATEWAY_URL_H
#define FAAS_CLI_GATEWAY_URL_H

#include "libfaas/error.h"

#include <stdbool.h>

#define CLI_DEFAULT_GATEWAY "http://127.0.0.1:8080"

/* Scheme and host in lower case, "http://" in front when there is none, no '/' at the end. Heap. */
char *cli_gateway_normalise(const char *url);
/* The first that says something: flag, stack file, environment (OPENFAAS_URL), the default. A flag
 * or stack file that names the default counts as saying nothing. Any may be NULL. Heap. */
char *cli_gateway_choose(const char *flag, const char *stack, const char *environment);
/* Whether a normalised URL can be one of a gateway at all; INVALID otherwise. */
FAAS_NODISCARD int cli_gateway_check(const char *url, struct faas_error *err);
/* Whether credentials would travel in the clear to another machine. */
bool cli_gateway_is_exposed(const char *url);

#endif
