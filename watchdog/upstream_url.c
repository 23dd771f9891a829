#include "watchdog/upstream_url.h"

#include <stdlib.h>

int wd_upstream_url_parse(struct wd_upstream_url *url, struct faas_str text, struct faas_error *err)
{
    int shown = (int)FAAS_MIN(text.len, (size_t)100);
    struct faas_url parsed;

    *url = (struct wd_upstream_url){0};
    if (faas_url_parse(&parsed, text, err) < 0)
        return -1;
    if (!faas_url_is_plain(&parsed))
        return faas_fail(err, FAAS_ERR_INVALID, "\"%.*s\" does not begin with http://", shown,
                         text.ptr);
    if (faas_str_find(parsed.path, '?') >= 0)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "\"%.*s\" has a query: the path of each request is appended to it", shown,
                         text.ptr);
    url->host = faas_str_dup(parsed.host);
    url->authority = faas_str_dup(parsed.authority);
    url->base = faas_str_dup(parsed.path);
    url->port = parsed.port;
    return 0;
}

void wd_upstream_url_deinit(struct wd_upstream_url *url)
{
    free(url->host);
    free(url->authority);
    free(url->base);
    *url = (struct wd_upstream_url){0};
}

int wd_upstream_resolve(const struct wd_upstream_url *url, struct faas_addr out[FAAS_MAX_ADDRS],
                        struct faas_error *err)
{
    return faas_resolve(url->host, url->port, out, err);
}
