/* upstream_url: where the function listens, in http mode. */
#ifndef FAAS_WATCHDOG_UPSTREAM_URL_H
#define FAAS_WATCHDOG_UPSTREAM_URL_H

#include "libfaas/url.h"

struct wd_upstream_url {
    char *host;      /* without brackets */
    char *authority; /* as written, for a Host header: "127.0.0.1:3000" */
    char *base;      /* what every target is appended to: "" or "/base/" */
    unsigned port;   /* 0: a free one is to be chosen */
};

/* "http://host[:port][/base]". INVALID for anything else: another scheme or none, credentials, a
 * query, since targets are appended to it byte by byte. */
FAAS_NODISCARD int wd_upstream_url_parse(struct wd_upstream_url *url, struct faas_str text,
                                         struct faas_error *err);
void wd_upstream_url_deinit(struct wd_upstream_url *url);

/* As faas_resolve(), which may block: only before we serve. */
FAAS_NODISCARD int wd_upstream_resolve(const struct wd_upstream_url *url,
                                       struct faas_addr out[FAAS_MAX_ADDRS],
                                       struct faas_error *err);

#endif
