/* Durable function records: one JSON file each, <state>/functions/<ns>/<name>.json,
 * replaced atomically. Any thread; changes to one function are the caller's to serialise. */
#ifndef FAAS_PROVIDERS_LOCAL_STORE_H
#define FAAS_PROVIDERS_LOCAL_STORE_H

#include "libfaas/log.h"
#include "providers/local/record.h"

FAAS_NODISCARD int local_store_save(const char *state_dir, const struct local_record *r,
                                    struct faas_error *err);
/* Absent is fine. */
FAAS_NODISCARD int local_store_remove(const char *state_dir, const char *name, const char *ns,
                                      struct faas_error *err);

/* Hands every readable record over (visit takes its content). One that cannot be read is logged and
 * set aside as <name>.json.broken, so that it neither stops the rest nor is overwritten. */
FAAS_NODISCARD int local_store_load(const char *state_dir, const struct faas_log *log,
                                    void (*visit)(void *arg, struct local_record *r), void *arg,
                                    struct faas_error *err);

#endif
