/* JSON as commands print it, and the texts they take from it. */
#ifndef FAAS_CLI_JSON_TEXT_H
#define FAAS_CLI_JSON_TEXT_H

#include "libfaas/json.h"

/* To stdout, indented, with a line feed behind it. */
void cli_print_json(const json_t *v);
/* A member that is a string, or "". object may be NULL. Borrowed. */
const char *cli_json_text(const json_t *object, const char *key);

#endif
