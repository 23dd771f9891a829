#include "cli/document.h"

#include "libfaas/alloc.h"
#include "libfaas/fetch.h"
#include "libfaas/file.h"
#include "libfaas/version.h"

#include <stdlib.h>

static int fetch(const struct cli_document *d, struct faas_buf *out, struct faas_error *err)
{
    _cleanup_free_ char *agent = faas_asprintf("faas-cli/%s", faas_version());
    struct faas_fetch_resp resp = {0};
    const struct faas_fetch_req req = {.method = "GET",
                                       .url = d->place,
                                       .timeout_ms = d->timeout_ms,
                                       .user_agent = agent,
                                       .max_redirects = 10,
                                       .max_body = d->max};
    int rc = faas_fetch(&req, &resp, err);

    if (rc == 0 && resp.status != 200)
        rc = faas_fail(err, FAAS_ERR_BAD_GATEWAY, "the server answered with status %d, not 200",
                       resp.status);
    if (rc == 0)
        faas_buf_append_str(out, faas_buf_str(&resp.body));
    faas_fetch_resp_deinit(&resp);
    return rc;
}

int cli_document_read(const struct cli_document *d, struct faas_buf *out, struct faas_error *err)
{
    static const char file_scheme[] = "file://";

    if (strncmp(d->place, file_scheme, strlen(file_scheme)) == 0)
        return faas_file_read(d->place + strlen(file_scheme), d->max, out, err);
    return strstr(d->place, "://") ? fetch(d, out, err)
                                   : faas_file_read(d->place, d->max, out, err);
}
