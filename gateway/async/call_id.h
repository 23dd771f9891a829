/* The id of a call that was queued without one: its entry in the stream, and a few characters that
 * nobody can guess, in the form of a UUID (RFC 9562, version 8, whose bits are ours):
 *
 *   MMMMMMMM-MMMM-8SSS-8SSS-SSSTTTTTTTTT     the entry M-S, the tail T; all in hex
 *
 * So whoever knows the id finds the entry, and nothing but the entry has to be written to Redis for
 * a new call. */
#ifndef FAAS_GATEWAY_ASYNC_CALL_ID_H
#define FAAS_GATEWAY_ASYNC_CALL_ID_H

#include "libfaas/str.h"

enum {
    GW_CALL_ID_LEN = 36,
    GW_CALL_ID_TAIL = 9,
    GW_ENTRY_ID_SIZE = 42, /* of any entry's text, with its NUL */
};

/* The last characters of any UUID. */
struct faas_str gw_call_id_tail(struct faas_str uuid);
/* False: entry is no "M-S" of at most 48 and 36 bits, or tail is none. */
bool gw_call_id_format(char out[GW_CALL_ID_LEN + 1], struct faas_str entry, struct faas_str tail);
/* False: id is none of these. tail is a view of id. */
bool gw_call_id_parse(struct faas_str id, char entry[GW_ENTRY_ID_SIZE], struct faas_str *tail);

#endif
