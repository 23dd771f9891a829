/* Fetches one document over plain HTTP and blocks meanwhile: for the copy of a job
 * (watchdog/job.h), which is killed when it takes too long. Redirects are not followed. */
#ifndef FAAS_WATCHDOG_HTTP_GET_H
#define FAAS_WATCHDOG_HTTP_GET_H

#include "libfaas/buf.h"

#define WD_HTTP_GET_MAX (512 * 1024) /* bytes of a document */

/* Appends the body of a 200; any other status is an error (BAD_GATEWAY). The message names the URL.
 */
FAAS_NODISCARD int wd_http_get(const char *url, struct faas_buf *body, struct faas_error *err);

#endif
