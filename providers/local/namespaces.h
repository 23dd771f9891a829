/* Namespaces that somebody made: one JSON file each, <state>/namespaces/<name>.json, replaced
 * atomically. Others exist while something is in them. Any thread; changes are the caller's to
 * serialise. */
#ifndef FAAS_PROVIDERS_LOCAL_NAMESPACES_H
#define FAAS_PROVIDERS_LOCAL_NAMESPACES_H

#include "libfaas/api_types.h"

FAAS_NODISCARD int local_namespace_save(const char *state_dir, const struct faas_namespace *n,
                                        struct faas_error *err);
/* NOT_FOUND when nobody made it. */
FAAS_NODISCARD int local_namespace_load(const char *state_dir, const char *name,
                                        struct faas_namespace *out, struct faas_error *err);
/* Absent is fine. */
FAAS_NODISCARD int local_namespace_forget(const char *state_dir, const char *name,
                                          struct faas_error *err);
/* Adds the names that names has not. */
FAAS_NODISCARD int local_namespaces_made(const char *state_dir, struct faas_strv *names,
                                         struct faas_error *err);

#endif
