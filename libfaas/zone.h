/* Time zones by name ("Europe/Berlin"), read from the system's time zone files (TZif, RFC 8536).
 *
 * The C library knows one zone at a time, in a global of the process that setenv() and tzset()
 * change under every other thread. A faas_zone is immutable: any thread. */
#ifndef FAAS_ZONE_H
#define FAAS_ZONE_H

#include "libfaas/cleanup.h"
#include "libfaas/zone_rule.h"

struct faas_zone;

/* From the folder $TZDIR, or /usr/share/zoneinfo. "UTC" needs no file. A name has letters, digits,
 * '_', '-', '+' and '/' between its parts and begins with a capital, as all of them do that mean
 * the same everywhere ("localtime" does not). INVALID says what is wrong with it. */
struct faas_zone *faas_zone_load(struct faas_str name, struct faas_error *err);
/* The content of such a file. */
struct faas_zone *faas_zone_parse(struct faas_str tzif, struct faas_error *err);
void faas_zone_free(struct faas_zone *z);
FAAS_DEFINE_CLEANUP(struct faas_zone *, faas_zone_free);

/* What goes for t, Unix seconds from 1970 on. */
void faas_zone_span(const struct faas_zone *z, int64_t t, struct faas_zone_span *out);

#endif
