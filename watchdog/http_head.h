/* Heads on their way through in http mode: what the client's asks of us, what of it the function
 * gets, what of the function's answer the client gets. Pure. */
#ifndef FAAS_WATCHDOG_HTTP_HEAD_H
#define FAAS_WATCHDOG_HTTP_HEAD_H

#include "libfaas/arena.h"
#include "libfaas/buf.h"
#include "libfaas/http_client.h"
#include "libfaas/http_server.h"

/* exec_timeout (0: none), or X-Timeout where that is a shorter Go duration above 0: a client may
 * shorten the limit, and never lift it. *by_client tells which it was. */
int64_t wd_http_limit_ms(const struct faas_http_head *head, int64_t exec_timeout_ms,
                         bool *by_client);

/* There is an X-Timeout that cannot shorten anything: without a unit, or not above 0. */
bool wd_http_limit_is_odd(const struct faas_http_head *head);

/* The answer may go on for ever: Accept has text/event-stream or application/x-ndjson. */
bool wd_http_wants_stream(const struct faas_http_head *head);

struct wd_http_request {
    const struct faas_http_head *head; /* the client's */
    struct faas_str base;              /* put in front of the path */
    struct faas_str authority;         /* the function's, for Host where the client's does not do */
    bool own_host;                     /* as for a probe */
    struct faas_str peer;              /* the client's address, port included, for X-Forwarded-For;
                                        * ptr NULL: not added */
    bool upgrade;                      /* passed on */
    enum faas_body_kind body;
    int64_t length; /* of the body, for FAAS_BODY_LENGTH */
};

/* False, and nothing written, when the target is none that has a path (CONNECT). */
bool wd_http_request_head(struct faas_buf *out, const struct wd_http_request *r);

/* Which of the fields behind a body go on: none that could change what the head said of the
 * message. *n: how many there are, then how many are left. */
struct faas_http_header *wd_http_trailers(struct faas_arena *arena,
                                          const struct faas_http_header *trailers, size_t *n);

/* seconds: X-Duration-Seconds, which then is ours alone; NULL: none. For 101 Upgrade is kept. */
struct faas_http_header *wd_http_response_headers(struct faas_arena *arena,
                                                  const struct faas_http_response_head *head,
                                                  const char *seconds, size_t *n);

#endif
