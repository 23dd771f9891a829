/* Go's canonical spelling of header names, which functions know from their
 * environment and from marshalled requests: "x-FOO-bar" -> "X-Foo-Bar". */
#ifndef FAAS_WATCHDOG_HEADER_NAME_H
#define FAAS_WATCHDOG_HEADER_NAME_H

#include "libfaas/http.h"

/* Writes name.len bytes. '-' alone starts a new word ("x_y" -> "X_y"). */
void wd_canonical_name(char *out, struct faas_str name);

/* Headers that Go's server takes out of the set before a handler sees it. */
bool wd_header_is_hidden(struct faas_str name);

#endif
