/* An HTTP server on a loop with a clock that stands still, and clients on the same loop: everything
 * happens in one thread, over real loopback sockets, and only while the test drives it. */
#ifndef FAAS_TESTS_HTTP_RIG_H
#define FAAS_TESTS_HTTP_RIG_H

#include "libfaas/buf.h"
#include "libfaas/http_server.h"

struct http_rig_client {
    struct http_rig *rig;
    int fd;
    struct faas_io io;
    struct faas_buf in;
    bool closed;
    int error; /* with which reading ended; 0: in order */
};

struct http_rig {
    struct faas_fake_clock clock;
    struct faas_loop *loop;
    struct faas_http_server *server;
    struct faas_http_server_opts opts;
    struct faas_log log;
    struct faas_log_sink sink;
    unsigned logged;
    unsigned port;
    /* Connected from the start, and silent. libmicrohttpd looks after its oldest connection in
     * every run, so what works for a connection that is alone need not work for others. */
    struct http_rig_client bystander;

    /* What the handler does. */
    void (*on_request)(struct http_rig *rig, struct faas_http_req *req);
    void (*on_body_end)(struct http_rig *rig, struct faas_http_req *req);
    void (*on_drain)(struct http_rig *rig, struct faas_http_req *req);
    const struct faas_http_req_ops *ops; /* attached before on_request */
    size_t appetite; /* bytes of a body that are still taken; 0 at the start: all */
    void *arg;

    /* What it saw. */
    struct faas_http_req *req; /* the last one, NULL when it is done */
    unsigned requests, bodies_ended, drains, dones, dones_ok;
    struct faas_buf body;  /* of all requests */
    struct faas_error err; /* of the last that was not ok */
};

/* opts.listen_fd, log and callbacks are filled in. */
void http_rig_start(struct http_rig *rig);
void http_rig_stop(struct http_rig *rig);
unsigned http_rig_connections(const struct http_rig *rig); /* without the bystander */
void http_rig_turns(struct http_rig *rig, int n);
void http_rig_until(struct http_rig *rig, bool (*pred)(void *arg), void *arg, const char *what);
void http_rig_until_count(struct http_rig *rig, const unsigned *counter, unsigned value,
                          const char *what);
/* The clock moves, and what is due happens. */
void http_rig_sleep(struct http_rig *rig, int64_t ms);

/* Handlers: 200 with "METHOD target path query length\nName: value\n…\nbody", at the body's end. */
void http_rig_echo(struct http_rig *rig, struct faas_http_req *req);
void http_rig_reply_text(struct faas_http_req *req, int status, const char *text);

void http_rig_connect(struct http_rig *rig, struct http_rig_client *c);
void http_rig_send(struct http_rig_client *c, const char *data, size_t n);
void http_rig_send_z(struct http_rig_client *c, const char *z);
void http_rig_expect(struct http_rig_client *c, const char *text);
void http_rig_expect_closed(struct http_rig_client *c);
void http_rig_pause(struct http_rig_client *c, bool paused); /* stops reading */
void http_rig_close(struct http_rig_client *c);

#endif
