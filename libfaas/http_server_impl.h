/* What the files of the HTTP server share; nobody else includes this.
 *
 *   http_server.c   the daemon, turning it with the loop, accepting, draining
 *   http_conn.c     a connection's life: deadlines, the peer going away, lingering
 *   http_head.c     what a request's head must look like (pure)
 *   http_req.c      a request from its head to the end of its body
 *   http_reply.c    the reply, handed to libmicrohttpd when the turn ends
 *   http_duplex.c   the reply that cannot wait for the body's end, written by ourselves
 *   http_tunnel.c   connections that went over to another protocol
 *
 * libmicrohttpd ("MHD" below) parses requests, frames replies and reads and writes sockets. It
 * calls us only while it runs: from the loop's hook, when a connection is added, and when it is
 * stopped. Functions that a handler calls therefore never enter it; they mark their request dirty,
 * and the hook does the rest. */
#ifndef FAAS_HTTP_SERVER_IMPL_H
#define FAAS_HTTP_SERVER_IMPL_H

#include "libfaas/buf.h"
#include "libfaas/http_server.h"
#include "libfaas/list.h"

#include <microhttpd.h>
#include <netinet/in.h>

enum {
    /* What is read of a body that nobody wants before the connection is given up for it. */
    HTTP_SWALLOW_MAX = 256 * 1024,
    /* How long a client has for reading the last reply before its connection is closed for good. */
    HTTP_LINGER_MS = 2000,
    /* With more connections than this idle ones are left to MHD, see park(). */
    HTTP_PARK_MAX = 512,
};

enum http_phase {
    HTTP_IDLE,    /* between requests */
    HTTP_HEAD,    /* the request line is there */
    HTTP_ACTIVE,  /* the head is there; the request is the handler's (or ours, if refused) */
    HTTP_SWALLOW, /* replied in full; the rest of the body is read and dropped before closing */
    HTTP_LINGER,  /* closed by MHD; our duplicate of the socket waits for the client */
    HTTP_DEAD,    /* cut; MHD is about to notice */
};

/* Where MHD stands with the body. */
enum http_stage {
    HTTP_BODY_HELD,   /* not read and not asked for: MHD has not answered Expect: 100-continue */
    HTTP_BODY_COMING, /* MHD takes no reply now */
    HTTP_BODY_OVER,   /* MHD waits for the reply */
};

struct http_conn {
    struct faas_list node;
    struct faas_http_server *server;
    struct MHD_Connection *mhd; /* NULL while lingering, and for a tunnel */
    int fd;
    bool own_fd; /* ours to close: a duplicate of MHD's */
    enum http_phase phase;
    /* Tells when the peer leaves, and wakes it when it is parked. MHD watches fd in an epoll of its
     * own, unless suspended. */
    struct faas_io io;
    struct faas_timer timer;
    int64_t read_deadline_ms, write_deadline_ms, linger_deadline_ms;
    unsigned requests; /* begun so far */
    size_t swallowed;
    bool suspended;     /* MHD leaves it alone until http_conn_wake() */
    bool awaits_reply;  /* to be suspended after this run of MHD */
    bool was_suspended; /* in this request */
    struct faas_list settle_node;
    uint64_t woken_at;   /* server->runs when it was last woken */
    bool half_closed;    /* the peer sends no more */
    bool gone;           /* the peer is not there any more */
    bool told_to_finish; /* we shut its reading side: not the peer's doing */
    bool clean;          /* the last request was read to its end and answered */
    struct faas_http_req *req;
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } peer;
    char peer_name[64]; /* written when it is first asked for */
};

struct http_reply {
    int status;
    struct http_reply_header {
        const char *name, *value;
    } * headers; /* in the request's arena */
    size_t n_headers;
    struct http_reply_header *trailers;
    size_t n_trailers;
    struct MHD_Response *response; /* MHD's, while it is being sent */
    size_t head_bytes;
    int64_t length;  /* announced; -1: unknown */
    int64_t written; /* so far by the handler */
    bool begun, ended, aborted;
    bool upgrade;  /* 101: what is written goes out as it is, once the tunnel is open */
    bool cut;      /* ended, and aborted once nothing is left in out */
    bool queued;   /* MHD has it */
    bool bodiless; /* HEAD, 204, 304 */
    bool starved;  /* MHD asked for bytes and there were none */
    bool was_high; /* on_drain is owed */
    bool drain_due;
    struct faas_buf out; /* written by the handler and not yet taken, from sent on */
    size_t sent;
};

/* Both directions of an upgraded connection. The outgoing bytes are the reply's. */
struct http_tunnel {
    bool open;
    struct faas_buf held; /* came in and was not taken */
    bool readable;        /* until recv() says otherwise */
    bool paused;          /* until faas_http_req_resume() */
    bool in_ended, out_ended;
};

/* Reused from request to request, on whatever connection. */
struct faas_http_req {
    struct faas_list node; /* dirty or spare */
    struct http_conn *conn;
    struct faas_arena arena;
    struct faas_http_head head;
    const char *raw_target; /* where MHD holds it */
    const struct faas_http_req_ops *ops;
    void *arg;
    enum http_stage stage;
    size_t mhd_memory; /* how much of its pool MHD has spent on this request */
    int64_t body_bytes;
    size_t body_left_over; /* offered at last and not taken */
    bool dirty;
    bool dispatched; /* on_request was called, on_done will be */
    bool done;       /* on_done was called */
    bool expects_continue;
    bool in_body, resume_wanted;
    bool no_read_timeout, no_write_timeout;
    bool half_close_allowed;
    struct http_reply reply;
    bool duplex;          /* the reply is written by http_duplex.c */
    bool duplex_ended;    /* its last byte is in wire */
    struct faas_buf wire; /* framed, from wire_sent on not yet sent */
    size_t wire_sent;
    struct http_tunnel tunnel;
};

struct faas_http_server {
    struct faas_loop *loop;
    struct faas_http_server_opts opts;
    struct MHD_Daemon *daemon;
    size_t pool_size; /* MHD's memory for one connection */
    struct faas_io mhd_io;
    struct faas_hook hook;
    bool run_mhd;      /* it has something to do */
    uint64_t runs;     /* of MHD_run() */
    uint64_t activity; /* anything that shows that a run was not in vain */
    unsigned vain_runs;
    int listen_fd;
    struct faas_io listen_io;
    struct faas_timer accept_timer; /* after a failure */
    int64_t accept_logged_ms;
    struct http_conn *adding; /* within MHD_add_connection() */
    struct faas_list conns;
    unsigned n_conns, n_active;
    struct faas_list unsettled; /* connections to be looked at after this run of MHD */
    struct faas_list dirty;     /* requests */
    struct faas_list spare;     /* requests */
    unsigned n_spare;
    bool draining, stopping;
};

/* --- http_server.c --- */
void http_server_wake_acceptor(struct faas_http_server *s);

/* --- http_conn.c --- */
/* Takes fd; it is closed if this fails. */
void http_conn_start(struct faas_http_server *s, int fd, const struct sockaddr *peer,
                     socklen_t peer_len);
void http_conn_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
                      enum MHD_ConnectionNotificationCode code);
void http_conn_free(struct http_conn *c);  /* MHD does not have it (any more) */
void http_conn_watch(struct http_conn *c); /* tells when the peer leaves, from now on */
int http_conn_add_io(struct http_conn *c, int fd, uint32_t events);
void http_conn_suspend(struct http_conn *c);
void http_conn_wake(struct http_conn *c); /* harmless when not suspended */
/* After the current (or next) run of MHD: suspends it if it waits for its reply or, where that
 * saves work, for its next request, and watches it. */
void http_conn_settle_later(struct http_conn *c);
void http_conn_settle(struct http_conn *c);
bool http_conn_left(const struct http_conn *c); /* has the client of its request left? */
/* Deadlines moved. */
void http_conn_arm(struct http_conn *c);
/* Ends the connection; MHD notices in its next run. With a reset, the client cannot take what it
 * got for the whole of a reply whose end is the end of the connection. */
void http_conn_cut(struct http_conn *c, bool reset);
/* Closes it once the request that may already be on its way has been answered. */
void http_conn_finish(struct http_conn *c);
/* All has been said; what the client still sends is read and dropped for a while. */
void http_conn_swallow(struct http_conn *c);

/* --- http_head.c --- */
struct http_head_input {
    const char *method, *version;
    const char *target; /* where MHD's buffer holds it; only compared, never read */
    size_t header_bytes;
    size_t header_limit;
};

/* Judges what MHD let pass and completes head (path, query, content_length, http_1_0, trimmed
 * values). head->headers are MHD's views, untrimmed. 0, or the HTTP status to refuse it with and
 * *why. *expects_continue tells whether the client waits for 100. */
int http_head_check(struct faas_http_head *head, struct faas_http_header *headers,
                    const struct http_head_input *in, bool *expects_continue, const char **why);

/* --- http_req.c --- */
void *http_req_on_target(void *cls, const char *target, struct MHD_Connection *mhd);
enum MHD_Result http_req_on_access(void *cls, struct MHD_Connection *mhd, const char *url,
                                   const char *method, const char *version, const char *data,
                                   size_t *size, void **context);
void http_req_on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                           enum MHD_RequestTerminationCode code);
/* Tells the handler and parts with it. The connection is the caller's business. */
void http_req_end(struct faas_http_req *req, const struct faas_error *err);
/* The same with an error, and cuts the connection. */
void http_req_break(struct faas_http_req *req, enum faas_code code, const char *why);
void http_req_release(struct faas_http_req *req);
void http_req_free_spare(struct faas_http_server *s);
void http_req_dirty(struct faas_http_req *req);
/* Does what the handler asked for since the last time. From the hook. */
void http_req_flush(struct faas_http_req *req);

/* --- http_reply.c --- */
/* An answer of the server's own, in JSON. */
void http_reply_refuse(struct faas_http_req *req, int status, const char *why);
/* Gives the reply to MHD, in one piece if it has ended. False: it would not have it. */
bool http_reply_queue(struct faas_http_req *req);
bool http_reply_fits(const struct faas_http_req *req);
bool http_reply_ends_with_connection(const struct faas_http_req *req);
/* Begins it with 101. False: the headers are too large, and nothing happened. */
bool http_reply_set_upgrade(struct faas_http_req *req, const struct faas_http_header *headers,
                            size_t n);
/* Unsent bytes of the body. */
size_t http_reply_backlog(const struct faas_http_req *req);
/* n bytes were taken from the backlog. */
void http_reply_took(struct faas_http_req *req, size_t n);

/* --- http_duplex.c --- */
void http_duplex_start(struct faas_http_req *req);
void http_duplex_push(struct faas_http_req *req);
/* A reply to a client that never finished its request. One attempt, then the connection is cut. */
void http_duplex_timeout_reply(struct http_conn *c);

/* --- http_tunnel.c --- */
/* The 101 has been sent. An MHD_UpgradeHandler; cls is the request. */
void http_tunnel_open(void *cls, struct MHD_Connection *mhd, void *context, const char *extra,
                      size_t n_extra, int fd, struct MHD_UpgradeResponseHandle *handle);
bool http_tunnel_is_open(const struct faas_http_req *req); /* req may be NULL */
void http_tunnel_ready(struct faas_http_req *req, uint32_t events);
void http_tunnel_resume(struct faas_http_req *req);
void http_tunnel_flush(struct faas_http_req *req);

#endif
