/* marshal_request: the request as one JSON object for the function's stdin,
 * byte for byte as Go's encoder writes it:
 * {"header":{"Name":["v1","v2"]},"body":{"raw":"<base64>"}} */
#ifndef FAAS_WATCHDOG_MARSHAL_H
#define FAAS_WATCHDOG_MARSHAL_H

#include "libfaas/buf.h"
#include "libfaas/http.h"

void wd_marshal_request(struct faas_buf *out, const struct faas_http_header *headers, size_t n,
                        struct faas_str body);

#endif
