/* Fetches one document over plain HTTP and blocks meanwhile: for the copy of a job
 * (watchdog/job.h), which is killed when it takes too long. Redirects are not followed. */
#ifndef FAAS_WATCHDOG_HTTP_GET_H
#define FAAS_WATCHDOG_HTTP_GET_H

#include "libfaas/buf.h"

#define WD_HTTP_GET_MAX (512 * 1024) /* bytes of a document */

/* "http://host:8080/a/b?c" in views of it. */
struct wd_url {
    struct faas_str scheme;
    struct faas_str authority; /* host and port, for the Host header */
    struct faas_str host;      /* without the brackets of an IPv6 address */
    unsigned port;
    struct faas_str path; /* with the query; "/" when there is none */
};

/* Takes http and https, without user and password. The message quotes the URL. */
FAAS_NODISCARD int wd_url_parse(struct wd_url *out, const char *url, struct faas_error *err);

/* Appends the body of a 200; any other status is an error (BAD_GATEWAY). The message names the URL.
 */
FAAS_NODISCARD int wd_http_get(const char *url, struct faas_buf *body, struct faas_error *err);

#endif
