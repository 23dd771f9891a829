/* URLs of http in settings and documents, and where their hosts are. */
#ifndef FAAS_URL_H
#define FAAS_URL_H

#include "libfaas/net.h"

/* In views of the text. */
struct faas_url {
    struct faas_str scheme;    /* http or https, in any case */
    struct faas_str authority; /* as written, for a Host header: "127.0.0.1:3000" */
    struct faas_str host;      /* without brackets */
    unsigned port;             /* that of the scheme when there is none; 0 is taken as it is */
    struct faas_str path;      /* with the query; empty or from the '/' on */
};

/* INVALID, quoting the text, for another scheme or none, credentials, a fragment, blanks. */
FAAS_NODISCARD int faas_url_parse(struct faas_url *out, struct faas_str text,
                                  struct faas_error *err);
bool faas_url_is_plain(const struct faas_url *url); /* http, not https */

enum { FAAS_MAX_ADDRS = 4 };

/* A host's addresses, best first: a literal, the loopback ones for "localhost", or what the
 * resolver says, which blocks. Returns how many, or -1. */
FAAS_NODISCARD int faas_resolve(const char *host, unsigned port,
                                struct faas_addr out[FAAS_MAX_ADDRS], struct faas_error *err);
void faas_addr_set_port(struct faas_addr *addr, unsigned port);

#endif
