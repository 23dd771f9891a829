/* The invocation path's HTTP/1.1 client: plain TCP, keep-alive pool per loop,
 * streaming both ways, a deadline per phase. Everything is called on the loop's
 * thread. Callbacks never run from within start(): always from a later event. */
#ifndef FAAS_HTTP_CLIENT_H
#define FAAS_HTTP_CLIENT_H

#include "libfaas/http_parse.h"
#include "libfaas/loop.h"
#include "libfaas/net.h"

struct faas_upstream; /* a loop's pool of connections */
struct faas_exchange; /* one request and its response */

struct faas_upstream_opts {
    unsigned max_idle_per_host; /* idle connections kept for one address; 0 = no keep-alive */
    unsigned max_idle;          /* and in all: beyond it the one idle for longest goes */
    int64_t idle_timeout_ms;    /* how long an idle one is kept; 0 = until its peer closes it */
    int64_t connect_timeout_ms; /* 0 = the kernel's */
    size_t max_head;            /* response head limit; needed */
};

struct faas_upstream *faas_upstream_new(struct faas_loop *loop,
                                        const struct faas_upstream_opts *opts);
/* Ends running exchanges without a callback; their owners are gone by then. Not from a callback. */
void faas_upstream_free(struct faas_upstream *u);
/* Closes idle connections to an address that is no longer served. */
void faas_upstream_forget(struct faas_upstream *u, const struct faas_addr *addr);

enum faas_http_phase {
    FAAS_PHASE_CONNECT, /* no byte was sent: safe to try another endpoint */
    FAAS_PHASE_SEND,    /* some of the request may have been seen */
    FAAS_PHASE_HEAD,    /* all sent, waiting for the response */
    FAAS_PHASE_BODY,    /* response head delivered, body incomplete */
};

/* From within any of them this and other exchanges may be cancelled, written to and started, and
 * the owner may free itself in on_end and on_error. on_writable, on_peer_end and on_connect_failed
 * may be NULL. */
struct faas_exchange_ops {
    /* head is valid during the call only. */
    void (*on_head)(void *arg, const struct faas_http_response_head *head);
    /* Returns how many bytes were taken; fewer pauses until faas_exchange_resume(). */
    size_t (*on_body)(void *arg, struct faas_str data);
    /* Fields behind a chunked body, right before on_end; valid during the call only. NULL: they are
     * of no interest. */
    void (*on_trailers)(void *arg, const struct faas_http_header *trailers, size_t n);
    void (*on_end)(void *arg); /* complete; the exchange is gone when this returns */
    /* Failed; likewise gone. err->code: UNAVAILABLE connect, BAD_GATEWAY broken, TIMEOUT deadline.
     */
    void (*on_error)(void *arg, enum faas_http_phase phase, const struct faas_error *err);
    void (*on_writable)(void *arg); /* the request body's backlog fell below the low-water mark */
    /* After head.upgraded: the peer has said everything. It may still listen, and on_end waits for
     * our end. Without this slot the peer's end is the exchange's. */
    void (*on_peer_end)(void *arg);
    /* Could not connect, so nothing was sent: returns another address to try with the same bytes
     * (copied), or NULL to fail with on_error. Without this slot it fails. */
    const struct faas_addr *(*on_connect_failed)(void *arg, const struct faas_error *err);
};

enum faas_body_kind { FAAS_BODY_NONE, FAAS_BODY_LENGTH, FAAS_BODY_CHUNKED };

struct faas_exchange_req {
    const struct faas_addr *addr; /* copied */
    struct faas_str head;         /* request line, headers, blank line: sent as it is; copied */
    enum faas_body_kind body;     /* LENGTH: raw bytes follow; CHUNKED: write() frames them */
    bool is_head;                 /* method HEAD */
    bool idempotent;              /* GET, HEAD, PUT, DELETE, OPTIONS, TRACE */
    bool repeat_unread;           /* as if it were, when the peer cannot have read all of it */
    int64_t head_timeout_ms;      /* start -> response head; 0 = none */
    int64_t total_timeout_ms;     /* start -> last byte; 0 = none */
};

/* Uses an idle connection or opens one. A pooled connection that turns out to be dead before the
 * first response byte is replaced once by a fresh one, when no byte went out or the request is
 * idempotent and its body (if any) is still all in hand. With repeat_unread that goes for other
 * requests too if the connection was reset: its peer closed it with some of the request unread, as
 * it happens when it closes what it takes for idle. Never NULL. */
struct faas_exchange *faas_exchange_start(struct faas_upstream *u,
                                          const struct faas_exchange_req *req,
                                          const struct faas_exchange_ops *ops, void *arg);
/* Copies body bytes; returns the backlog. Above FAAS_CLIENT_HIGH_WATER stop until on_writable. What
 * is written within a turn leaves together; what the upstream will not read any more is dropped.
 * After a response with head.upgraded the bytes go out raw, whatever the body's kind was. */
size_t faas_exchange_write(struct faas_exchange *ex, struct faas_str data);
/* The request body is complete. After head.upgraded: we have said everything, the peer may go on.
 */
void faas_exchange_end(struct faas_exchange *ex);
/* The same with fields behind a chunked body; for other bodies they are dropped. */
void faas_exchange_end_with(struct faas_exchange *ex, const struct faas_http_header *trailers,
                            size_t n);
/* on_body has room again: it is called from a later event, never from within this. */
void faas_exchange_resume(struct faas_exchange *ex);
/* Drops it: no callback after this. Its connection is closed. */
void faas_exchange_cancel(struct faas_exchange *ex);
/* The response deadline no longer applies (event streams). */
void faas_exchange_no_timeout(struct faas_exchange *ex);

#define FAAS_CLIENT_HIGH_WATER (256 * 1024)
#define FAAS_CLIENT_LOW_WATER  (64 * 1024)

#endif
