/* The templates that are part of the program, so that it works without a network. */
#ifndef FAAS_CLI_EMBEDDED_H
#define FAAS_CLI_EMBEDDED_H

#include "libfaas/map.h"

/* The names, sorted. */
void cli_embedded_names(struct faas_strv *out);
/* Unpacks one into dir, which must not exist; it appears whole or not at all. */
FAAS_NODISCARD int cli_embedded_unpack(const char *name, const char *dir, struct faas_error *err);

#endif
