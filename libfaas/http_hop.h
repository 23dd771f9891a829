/* Passing a message on: which headers stay behind, and how those that do not are written. Pure. */
#ifndef FAAS_HTTP_HOP_H
#define FAAS_HTTP_HOP_H

#include "libfaas/buf.h"
#include "libfaas/http.h"

/* The headers of one message, which are borrowed. */
struct faas_hop {
    const struct faas_http_header *headers;
    size_t n;
    bool connection_names; /* further headers that were meant for this hop alone */
};

struct faas_hop faas_hop_of(const struct faas_http_header *headers, size_t n);
/* True when this header is for one hop only: by faas_http_is_hop_by_hop(), or because a Connection
 * header of the message names it. */
bool faas_hop_ends(const struct faas_hop *hop, struct faas_str name);

void faas_hop_append(struct faas_buf *out, struct faas_str name, struct faas_str value);
/* May a request with this method be sent again when nobody knows what became of it? */
bool faas_http_is_idempotent(struct faas_str method);

#endif
