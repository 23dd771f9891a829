/* What both sides of HTTP share: headers as borrowed views, methods, status texts. */
#ifndef FAAS_HTTP_H
#define FAAS_HTTP_H

#include "libfaas/arena.h"
#include "libfaas/str.h"

struct faas_http_header {
    struct faas_str name;
    struct faas_str value;
};

/* First header of that name (case ignored), or NULL. */
const struct faas_http_header *faas_http_find(const struct faas_http_header *h, size_t n,
                                              struct faas_str name);
/* The value, or an empty str with ptr NULL. */
struct faas_str faas_http_value(const struct faas_http_header *h, size_t n, struct faas_str name);
/* True when a comma-separated header value has this token (case ignored): "keep-alive, Upgrade". */
bool faas_http_has_token(struct faas_str value, struct faas_str token);
/* Connection, Keep-Alive, TE, Trailer, Transfer-Encoding, Upgrade, Proxy-Connection,
 * Proxy-Authenticate, Proxy-Authorization: one hop only. */
bool faas_http_is_hop_by_hop(struct faas_str name);
bool faas_http_valid_token(struct faas_str s); /* a legal header name or method */
bool faas_http_valid_value(struct faas_str s); /* no CR, LF or NUL */
const char *faas_http_reason(int status);      /* "Not Found"; "Unknown" when there is none */
/* %XX decoded into the arena, NUL-terminated (and %00 is a NUL inside it: check where that
 * matters). False on a malformed escape. */
bool faas_url_decode(struct faas_arena *a, struct faas_str in, struct faas_str *out);
/* Value of key in a raw query string, decoded into the arena ('+' is a blank); the last one wins,
 * as in OpenFaaS. A pair with a malformed escape is skipped. False when absent. */
bool faas_query_get(struct faas_arena *a, struct faas_str query, struct faas_str key,
                    struct faas_str *out);

#endif
