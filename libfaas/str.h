/* A borrowed run of bytes: never owns, never NUL-terminated by contract.
 * And the checked readings of such bytes: numbers, durations, sizes. */
#ifndef FAAS_STR_H
#define FAAS_STR_H

#include "libfaas/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct faas_str {
    const char *ptr;
    size_t len;
};

#define FAAS_STR(lit) ((struct faas_str){.ptr = (lit), .len = sizeof("" lit) - 1})
#define FAAS_STR_INIT(lit)                      \
    {                                           \
        .ptr = (lit), .len = sizeof("" lit) - 1 \
    } /* for static tables */
/* printf("%.*s", FAAS_STR_FMT(s)) */
#define FAAS_STR_FMT(s) (int)(s).len, (s).ptr

static inline struct faas_str faas_str_from(const char *z)
{
    return (struct faas_str){.ptr = z, .len = z ? strlen(z) : 0};
}

static inline bool faas_str_eq(struct faas_str a, struct faas_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool faas_str_eqz(struct faas_str a, const char *z)
{
    return faas_str_eq(a, faas_str_from(z));
}

bool faas_str_ieq(struct faas_str a, struct faas_str b); /* ASCII case ignored */
bool faas_str_starts(struct faas_str s, struct faas_str prefix);
bool faas_str_istarts(struct faas_str s, struct faas_str prefix);
bool faas_str_ends(struct faas_str s, struct faas_str suffix);
struct faas_str faas_str_trim(struct faas_str s); /* blanks, tabs, CR, LF at both ends */
/* Index of the first / last c, or -1. */
ptrdiff_t faas_str_find(struct faas_str s, char c);
ptrdiff_t faas_str_rfind(struct faas_str s, char c);
/* Cuts *rest at the first sep: returns what stands before it and moves *rest behind it.
 * Without sep all of *rest is returned and *rest becomes empty with ptr NULL, so
 *     while (rest.ptr) item = faas_str_split(&rest, ',');
 * visits every item, empty ones too. */
struct faas_str faas_str_split(struct faas_str *rest, char sep);
char *faas_str_dup(struct faas_str s) FAAS_NODISCARD; /* heap, NUL-terminated; caller frees */

/* Base-10, whole string, no sign for u64; INVALID with the text quoted otherwise. */
FAAS_NODISCARD int faas_parse_u64(struct faas_str s, uint64_t *out, struct faas_error *err);
FAAS_NODISCARD int faas_parse_i64(struct faas_str s, int64_t *out, struct faas_error *err);
/* Strictly a Go duration: "1h15m30.5s", ".5s", "300ms", "-5s", "0"; not "30". Nanoseconds. */
FAAS_NODISCARD int faas_parse_go_duration(struct faas_str s, int64_t *out_ns,
                                          struct faas_error *err);
/* OpenFaaS's "integer seconds or Go duration", refused when negative. Milliseconds; a positive
 * duration below one millisecond becomes 1, so that it never turns into "off". */
FAAS_NODISCARD int faas_parse_duration(struct faas_str s, int64_t *out_ms, struct faas_error *err);
/* Bytes: "4096", "64k", "64KiB", "8M", "1GiB"; all powers of 1024. */
FAAS_NODISCARD int faas_parse_size(struct faas_str s, uint64_t *out, struct faas_error *err);
/* Kubernetes quantity: "128Mi", "1G", "500m", "0.5"; the result is in thousandths. */
FAAS_NODISCARD int faas_parse_quantity(struct faas_str s, int64_t *out_milli,
                                       struct faas_error *err);

/* Decimal digits and a NUL; returns how many digits. For where printf would be the most expensive
 * part. */
size_t faas_format_u64(uint64_t n, char out[21]);
/* Go's Duration.String: "0s", "1.5s", "1m30s", "1h0m0s", "100ms". out holds at least 32 bytes. */
void faas_format_go_duration(int64_t ns, char out[32]);

#endif
