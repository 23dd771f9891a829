/* What is remembered of a function: the durable record and its JSON. Pure. */
#ifndef FAAS_PROVIDERS_LOCAL_RECORD_H
#define FAAS_PROVIDERS_LOCAL_RECORD_H

#include "libfaas/api_types.h"

#include <sys/types.h>

struct local_record {
    struct faas_function_spec spec; /* namespace_ is always set */
    uint64_t desired;               /* replicas */
    uid_t uid;                      /* user and group it runs as; 0: the gateway's own */
    char *digest;                   /* the bundle that its image meant: "sha256:<64 hex digits>" */
    int64_t created_ns;
};

void local_record_deinit(struct local_record *r);
void local_record_copy(struct local_record *into, const struct local_record *from);

/* INVALID says what is wrong. *r is zeroed by the caller and left empty on failure. */
FAAS_NODISCARD int local_record_parse(struct faas_str text, struct local_record *r,
                                      struct faas_error *err);
void local_record_write(struct faas_buf *out, const struct local_record *r);

/* "sha256:" and 64 lower-case hex digits, so it is safe as part of a path. */
bool local_digest_valid(const char *digest);

#endif
