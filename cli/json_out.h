/* Results as JSON, for scripts. */
#ifndef FAAS_CLI_JSON_OUT_H
#define FAAS_CLI_JSON_OUT_H

#include "libfaas/json.h"

/* To stdout, indented, with a line feed behind it. */
void cli_print_json(const json_t *v);

#endif
