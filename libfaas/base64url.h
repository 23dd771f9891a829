/* base64url without padding (RFC 7515, appendix C). Pure. */
#ifndef FAAS_BASE64URL_H
#define FAAS_BASE64URL_H

#include "libfaas/buf.h"

/* Appends what in stands for. Strict: no padding, no blanks, one spelling for each value. Never
 * quotes its input, which may be secret. */
FAAS_NODISCARD int faas_base64url_decode(struct faas_buf *out, struct faas_str in,
                                         struct faas_error *err);

#endif
