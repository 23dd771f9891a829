/* HTTP(S) client for everything off the hot path, over libcurl, whose only
 * includer this is. Calls block: use them from a pool thread or a command-line program. */
#ifndef FAAS_FETCH_H
#define FAAS_FETCH_H

#include "libfaas/buf.h"
#include "libfaas/map.h"

#include <sys/socket.h>

#define FAAS_FETCH_MAX_BODY ((size_t)64 << 20)

struct faas_fetch_req {
    const char *method;
    const char *url;                 /* http or https; its path is sent as it is written */
    const struct faas_strv *headers; /* "Name: value"; may be NULL */
    struct faas_str body;            /* used when ptr is not NULL */
    int body_fd;                     /* or, when > 0, this file from its start; streamed */
    int64_t connect_timeout_ms;      /* 0: 30 s */
    int64_t timeout_ms;              /* whole call; 0: none */
    bool insecure_tls;
    const char *user_agent; /* NULL: minnow/VERSION */
    /* 0: 3xx is an answer like any other. Only GET and HEAD without a body are redirected; another
     * host is not told the Authorization header. */
    unsigned max_redirects;
    size_t max_body; /* most bytes kept in resp->body; 0: 64 MiB; beyond it TOO_LARGE */
    /* When set, body bytes go here instead; a negative answer ends the call with err as it is. */
    int (*sink)(void *arg, struct faas_str data);
    /* Called once with the final status, as soon as the headers are there; may be NULL. */
    void (*on_status)(void *arg, int status);
    /* May this address be connected to? UNAVAILABLE when none of the host's may; NULL: all. It is
     * asked about the address itself, whatever the name resolved to. */
    bool (*allow_addr)(void *arg, const struct sockaddr *sa);
    void *arg;
};

struct faas_fetch_resp {
    int status;
    struct faas_buf body;
    struct faas_map headers; /* names in lower case; the last of a repeated one */
};

/* Any status is success here; only transport failures are errors: UNAVAILABLE (connect, DNS; the
 * message names the host), TIMEOUT, BAD_GATEWAY (broken reply, TLS, too many redirects), INVALID
 * (URL, method or headers that cannot be sent). *resp is overwritten; after a failure it is empty.
 * Proxies are taken from the environment as curl does, HTTP_PROXY included, but never for this
 * machine itself; so are certificates to trust instead of the system's: SSL_CERT_FILE,
 * SSL_CERT_DIR. */
FAAS_NODISCARD int faas_fetch(const struct faas_fetch_req *req, struct faas_fetch_resp *resp,
                              struct faas_error *err);
void faas_fetch_resp_deinit(struct faas_fetch_resp *resp);

#endif
