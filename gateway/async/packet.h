/* What a worker needs to make a call, as one text that Redis keeps and nobody there looks into:
 * "1 2 3\n" with the lengths of policy, callback and request, then those, then the body. Pure. */
#ifndef FAAS_GATEWAY_ASYNC_PACKET_H
#define FAAS_GATEWAY_ASYNC_PACKET_H

#include "libfaas/buf.h"

struct gw_packet {
    struct faas_str policy;   /* retry_policy.h's text */
    struct faas_str callback; /* URL; len 0: none */
    struct faas_str request;  /* HTTP head as it is to be sent, up to the worker's own headers */
    struct faas_str body;
};

void gw_packet_append(struct faas_buf *out, const struct gw_packet *p);
/* Views into text. False when it is no packet. */
bool gw_packet_parse(struct faas_str text, struct gw_packet *out);

#endif
