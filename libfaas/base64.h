/* base64 (RFC 4648): the standard one, padded, and base64url without padding (RFC 7515). Pure. */
#ifndef FAAS_BASE64_H
#define FAAS_BASE64_H

#include "libfaas/buf.h"

void faas_base64_encode(struct faas_buf *out, const void *p, size_t n);
/* Append what in stands for. Strict: no blanks, one spelling for each value. Nothing is appended on
 * failure (INVALID), which never quotes the input: it may be secret. */
FAAS_NODISCARD int faas_base64_decode(struct faas_buf *out, struct faas_str in,
                                      struct faas_error *err);
FAAS_NODISCARD int faas_base64url_decode(struct faas_buf *out, struct faas_str in,
                                         struct faas_error *err);

#endif
