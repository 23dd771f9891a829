/* Thin face over jansson, whose header only this module's users of json_t see
 * through here. Adds error texts that say where, and Go's reading rules: keys match whatever their
 * case, unknown keys are ignored, null counts as absent. */
#ifndef FAAS_JSON_H
#define FAAS_JSON_H

#include "libfaas/buf.h"
#include "libfaas/json_string.h"
#include "libfaas/map.h"

#include <jansson.h>

#define FAAS_JSON_MAX     ((size_t)64 << 20) /* bytes of text */
#define FAAS_JSON_MAP_MAX 4096               /* members of an object read into a faas_map */

/* Parses the whole text; INVALID with line and column otherwise, TOO_LARGE beyond FAAS_JSON_MAX.
 * Nesting is bounded by jansson (2048). The message never quotes the text, which may be a secret.
 * Strings with a NUL (\u0000) are refused. The caller owns the result (json_decref, or
 * _cleanup_json_). */
json_t *faas_json_parse(struct faas_str text, struct faas_error *err);
/* In insertion order, '<' '>' '&' escaped as Go does. indent 0 (compact) or 2. */
void faas_json_write(struct faas_buf *out, const json_t *v, int indent);

/* Member by name, case ignored; NULL when absent or null. Borrowed. */
json_t *faas_json_get(const json_t *obj, const char *key);
/* Readers of one member: absent leaves *out alone; a wrong type is INVALID and names the key. */
FAAS_NODISCARD int faas_json_get_string(const json_t *obj, const char *key, char **out,
                                        struct faas_error *err); /* heap, replaces */
FAAS_NODISCARD int faas_json_get_bool(const json_t *obj, const char *key, bool *out,
                                      struct faas_error *err);
FAAS_NODISCARD int faas_json_get_u64(const json_t *obj, const char *key, uint64_t *out,
                                     struct faas_error *err); /* refuses fractions and negatives */
FAAS_NODISCARD int faas_json_get_number(const json_t *obj, const char *key, double *out,
                                        struct faas_error *err);
/* null members read as "", as in Go. */
FAAS_NODISCARD int faas_json_get_map(const json_t *obj, const char *key, struct faas_map *out,
                                     struct faas_error *err); /* replaces */
FAAS_NODISCARD int faas_json_get_strv(const json_t *obj, const char *key, struct faas_strv *out,
                                      struct faas_error *err); /* replaces */
/* INVALID unless it is an object; what names it in the message. */
FAAS_NODISCARD int faas_json_expect_object(const json_t *v, const char *what,
                                           struct faas_error *err);

/* A string node from any bytes; those that are not UTF-8 become U+FFFD. Never NULL. */
json_t *faas_json_string(struct faas_str s);
json_t *faas_json_from_map(const struct faas_map *m);
json_t *faas_json_from_strv(const struct faas_strv *v);

static inline void faas_json_unref(json_t **v)
{
    json_decref(*v);
}
#define _cleanup_json_ _cleanup_(faas_json_unref)

#endif
