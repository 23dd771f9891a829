/* HTTP/1.x server on a loop: libmicrohttpd in external-epoll mode behind a face
 * that speaks our types. This is the only module that includes its header.
 *
 * A request belongs to its loop. After on_request() the handler may answer at once or later (the
 * connection is suspended meanwhile); a client that goes away is noticed either way. Bodies stream
 * in both directions with back-pressure. Everything is called on the loop's thread. */
#ifndef FAAS_HTTP_SERVER_H
#define FAAS_HTTP_SERVER_H

#include "libfaas/buf.h"
#include "libfaas/http.h"
#include "libfaas/log.h"
#include "libfaas/loop.h"

struct faas_http_server;
struct faas_http_req;

struct faas_http_server_opts {
    int listen_fd; /* taken: closed by the server */
    /* Bytes of request line and headers; beyond it 431 (414 for the line). A Cookie header counts
     * twice beyond half of it. libmicrohttpd clears about twice as much after every request and
     * keeps 1.5 times as much for every connection that was used: 16 KiB cost nothing to speak of,
     * 64 KiB some 2 us a request and 100 KiB a connection. */
    size_t header_limit;
    unsigned max_connections;    /* at the limit new ones wait in the backlog, in order */
    int64_t read_timeout_ms;     /* whole request, head and body, and idle keep-alive; 0 = none */
    int64_t write_timeout_ms;    /* head read -> last byte sent; 0 = none */
    const char *error_component; /* names us in the JSON of errors the server itself answers */
    const struct faas_log *log;
    /* The head is there. The handler attaches itself and answers, now or later. */
    void (*on_request)(void *arg, struct faas_http_req *req);
    void *arg;
};

struct faas_http_server *faas_http_server_new(struct faas_loop *loop,
                                              const struct faas_http_server_opts *opts,
                                              struct faas_error *err);
/* Stops accepting, closes idle connections, answers the rest with Connection: close. */
void faas_http_server_drain(struct faas_http_server *s);
unsigned faas_http_server_active(const struct faas_http_server *s); /* requests not yet done */
unsigned faas_http_server_connections(const struct faas_http_server *s);
/* Ends every connection (on_done is called for each request) and frees. */
void faas_http_server_free(struct faas_http_server *s);

/* --- the request; all views live until on_done --- */
struct faas_http_head {
    struct faas_str method;
    struct faas_str target;                 /* as sent, still encoded: "/a%2Fb?x=1" */
    struct faas_str path;                   /* target up to '?' */
    struct faas_str query;                  /* behind '?'; ptr NULL when there is none */
    const struct faas_http_header *headers; /* duplicates kept, in order */
    size_t n_headers;
    int64_t content_length; /* -1: chunked; 0: no body */
    int64_t received_ms;    /* loop time of the head */
    bool http_1_0;
};

const struct faas_http_head *faas_http_req_head(const struct faas_http_req *req);
struct faas_arena *faas_http_req_arena(struct faas_http_req *req); /* reset after on_done */
struct faas_loop *faas_http_req_loop(struct faas_http_req *req);
const char *faas_http_req_peer(struct faas_http_req *req); /* "10.0.0.7:51234" */

struct faas_http_req_ops {
    /* Body bytes. Returns how many were taken; fewer than len pauses the upload until
     * faas_http_req_resume(). NULL: the body is read and thrown away. */
    size_t (*on_body)(void *arg, struct faas_str data);
    /* The whole body has been given, be it empty: then this follows on_request() at once. Not
     * called for a broken body, nor after the reply's end. */
    void (*on_body_end)(void *arg);
    /* The reply's backlog had been above FAAS_HTTP_HIGH_WATER and fell below the low-water mark.
     * Not called after the reply's end. */
    void (*on_drain)(void *arg);
    /* Always called once, always last, never from within a faas_http_reply_…(); req is gone after
     * it. err NULL: the whole reply was handed to the kernel. Else why not: the client left, a
     * deadline passed, the reply was aborted, the server is going down. */
    void (*on_done)(void *arg, const struct faas_error *err);
};

/* Within on_request: who is told about this request from now on. ops is borrowed. */
void faas_http_req_attach(struct faas_http_req *req, const struct faas_http_req_ops *ops,
                          void *arg);
void faas_http_req_resume(struct faas_http_req *req); /* on_body has room again */
/* From on_body_end on: the fields behind a chunked body. */
const struct faas_http_header *faas_http_req_trailers(struct faas_http_req *req, size_t *n);
/* The server's deadlines no longer apply to this request: the handler watches it itself (uploads
 * that make progress, event streams). The read deadline is back for the next request. */
void faas_http_req_no_read_timeout(struct faas_http_req *req);
void faas_http_req_no_write_timeout(struct faas_http_req *req);
/* A client that ends its sending direction with its request is answered nevertheless. Without this
 * it counts as gone, since one that has closed its connection looks the same until it is sent
 * something: this is for handlers whose work is not in vain, or not stopped, when it has. */
void faas_http_req_allow_half_close(struct faas_http_req *req);

/* --- the reply. Names and values are copied. Content-Length, Transfer-Encoding and Connection are
 * the server's own business: such headers are skipped. A Date is made when there is none. --- */
/* All at once. */
void faas_http_reply(struct faas_http_req *req, int status, const struct faas_http_header *headers,
                     size_t n, struct faas_str body);
/* The same without copying the body: its memory is taken over and *body left empty. */
void faas_http_reply_take(struct faas_http_req *req, int status,
                          const struct faas_http_header *headers, size_t n, struct faas_buf *body);
/* In pieces: begin, write…, end. length -1: unknown (chunked). A reply that is begun and ended
 * within one turn goes out as one packet. For HEAD, 204 and 304 nothing is written but length is
 * announced. It may begin before the body's end, which costs the connection unless the rest of the
 * body is there already; after the reply's end what is left of the body is thrown away. */
void faas_http_reply_begin(struct faas_http_req *req, int status,
                           const struct faas_http_header *headers, size_t n, int64_t length);
/* Copies; returns the bytes not yet sent. Above FAAS_HTTP_HIGH_WATER stop until on_drain. */
size_t faas_http_reply_write(struct faas_http_req *req, struct faas_str data);
size_t faas_http_reply_unsent(const struct faas_http_req *req); /* the same without writing */
void faas_http_reply_end(struct faas_http_req *req);
/* Before the end: fields behind the body, where it is chunked; otherwise they are dropped. */
void faas_http_reply_trailers(struct faas_http_req *req, const struct faas_http_header *trailers,
                              size_t n);
/* Cuts the connection so that the client can tell that the reply is incomplete. */
void faas_http_reply_abort(struct faas_http_req *req);
/* The same, after what has been written has gone out. In place of the end; the reply must have
 * begun. */
void faas_http_reply_cut(struct faas_http_req *req);
bool faas_http_reply_started(const struct faas_http_req *req);

/* {"error","code","component"} with err's HTTP status. */
void faas_http_reply_error(struct faas_http_req *req, const struct faas_error *err);

/* --- tunnels --- */
/* Does the client ask for another protocol? HTTP/1.1, Upgrade, and Connection with that token. Not
 * for HTTP/2 (h2c). */
bool faas_http_wants_upgrade(const struct faas_http_head *head);
/* 101 in place of a reply. Allowed from on_body_end on, if the client asked for it; headers must
 * have Upgrade, "Connection: Upgrade" is added. -1: refused, nothing has been replied.
 *
 * From then on the connection is a pair of byte streams. What the client sends, from its first byte
 * behind the request, goes to on_body, with the same back-pressure; on_body_end, for the second
 * time, tells that it has half-closed. faas_http_reply_write() sends raw, faas_http_reply_end()
 * half-closes our side, and what the client sends still goes to on_body. When both sides are closed
 * on_done is called without an error; faas_http_reply_abort() and _cut() reset the connection.
 *
 * No deadline of the server's applies. A tunnel counts as active until on_done: draining neither
 * waits for it nor ends it, which is its owner's decision. */
int faas_http_reply_upgrade(struct faas_http_req *req, const struct faas_http_header *headers,
                            size_t n, struct faas_error *err);

#define FAAS_HTTP_HIGH_WATER (256 * 1024)
#define FAAS_HTTP_LOW_WATER  (64 * 1024)

#endif
