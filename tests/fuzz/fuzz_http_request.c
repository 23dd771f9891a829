/* Bytes of a client reach a server over a loopback connection. Whatever they are: no request is
 * done twice, none is forgotten, every connection ends, and the server answers the next good
 * request.
 *
 * The first byte chooses what the handler does, the second where the bytes are cut in two. */
#include "libfaas/alloc.h"
#include "libfaas/http_server.h"
#include "libfaas/net.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT_MS = 5000 };

enum behaviour {
    AT_ONCE,
    AT_THE_END,
    LATER,
    IN_PIECES,
    EARLY_IN_PIECES,
    ABORT,
    UPGRADE,
    N_BEHAVIOURS
};

struct call {
    struct faas_http_req *req;
    unsigned dones;
    bool paused;
    bool upgraded;
};

static struct faas_fake_clock clock_;
static struct faas_loop *loop;
static struct faas_http_server *server;
static unsigned port;
static enum behaviour behaviour;
static unsigned begun, done;

/* --- the handler --- */

static void check_head(struct faas_http_req *req)
{
    const struct faas_http_head *head = faas_http_req_head(req);

    assert(faas_http_valid_token(head->method));
    assert(faas_str_find(head->target, ' ') < 0 && faas_str_find(head->target, '\0') < 0);
    assert(head->path.len > 0 && head->path.len <= FAAS_MAX(head->target.len, (size_t)1));
    assert(head->content_length >= -1);
    for (size_t i = 0; i < head->n_headers; i++) {
        assert(faas_http_valid_token(head->headers[i].name));
        assert(faas_http_valid_value(head->headers[i].value));
    }
}

static void answer(void *arg)
{
    struct call *call = arg;

    if (call->req && !faas_http_reply_started(call->req))
        faas_http_reply(call->req, 200, NULL, 0, FAAS_STR("answer"));
}

static void finish_pieces(void *arg)
{
    struct call *call = arg;

    if (!call->req)
        return;
    faas_http_reply_write(call->req, FAAS_STR("two"));
    faas_http_reply_end(call->req);
}

static void begin_pieces(struct call *call)
{
    faas_http_reply_begin(call->req, 200, NULL, 0, -1);
    faas_http_reply_write(call->req, FAAS_STR("one"));
    faas_loop_post(loop, finish_pieces, call);
}

/* Without an end of its own: it would last for as long as the client does. */
static void cut_tunnel(void *arg)
{
    struct call *call = arg;

    if (!call->req)
        return;
    faas_http_reply_write(call->req, FAAS_STR("raw"));
    faas_http_reply_cut(call->req);
}

static void upgrade(struct call *call)
{
    static const struct faas_http_header to[] = {
        {FAAS_STR_INIT("Upgrade"), FAAS_STR_INIT("other")}};
    struct faas_error err;
    bool asked = faas_http_wants_upgrade(faas_http_req_head(call->req));

    if (faas_http_reply_upgrade(call->req, to, 1, &err) < 0) {
        assert(!faas_http_reply_started(call->req));
        answer(call);
        return;
    }
    assert(asked && !faas_http_req_head(call->req)->http_1_0);
    call->upgraded = true;
    faas_loop_post(loop, cut_tunnel, call);
}

static void resume(void *arg)
{
    struct call *call = arg;

    if (call->req && call->paused)
        faas_http_req_resume(call->req);
    call->paused = false;
}

static size_t on_body(void *arg, struct faas_str data)
{
    struct call *call = arg;

    assert(call->dones == 0 && data.len > 0);
    if (behaviour != LATER || data.len < 2 || call->paused)
        return data.len;
    call->paused = true;
    faas_loop_post(loop, resume, call);
    return data.len / 2;
}

static void on_body_end(void *arg)
{
    struct call *call = arg;

    assert(call->dones == 0);
    if (call->upgraded)
        return; /* the client half-closed */
    if (behaviour == UPGRADE)
        upgrade(call);
    else if (behaviour == LATER)
        faas_loop_post(loop, answer, call);
    else if (behaviour == IN_PIECES)
        begin_pieces(call);
    else
        answer(call);
}

static void on_done(void *arg, const struct faas_error *err)
{
    struct call *call = arg;

    (void)err;
    assert(call->dones == 0);
    call->dones++;
    call->req = NULL;
    done++;
}

/* Calls are freed when nothing posted can find them any more: after the input. */
static struct call *calls[4096];

static void on_request(void *arg, struct faas_http_req *req)
{
    static const struct faas_http_req_ops ops = {
        .on_body = on_body, .on_body_end = on_body_end, .on_done = on_done};
    struct call *call = faas_new(struct call);

    (void)arg;
    assert(begun < FAAS_ARRAY_LEN(calls));
    calls[begun++] = call;
    call->req = req;
    check_head(req);
    faas_http_req_attach(req, &ops, call);
    if (behaviour == AT_ONCE)
        answer(call);
    else if (behaviour == EARLY_IN_PIECES)
        begin_pieces(call);
    else if (behaviour == ABORT)
        faas_http_reply_abort(req);
}

/* --- the client --- */

static int dial(void)
{
    struct faas_addr addr;
    struct faas_error err;
    int fd;

    if (faas_addr_parse("127.0.0.1", port, &addr, &err) < 0)
        abort();
    fd = faas_connect_start(&addr, &err);
    assert(fd >= 0);
    return fd;
}

static void nothing(void *arg)
{
    (void)arg;
}

/* With a message waiting, a turn does not: the loopback delivers at once or not at all. */
static bool countdown(void *arg)
{
    faas_loop_post(loop, nothing, NULL);
    return (*(int *)arg)-- == 0;
}

static void turns(int n)
{
    faas_loop_run_until(loop, countdown, &n, LIMIT_MS);
}

struct reading {
    int fd;
    char in[4096];
    size_t len;
};

static bool ended(struct reading *r)
{
    ssize_t n;

    while ((n = recv(r->fd, r->in, sizeof(r->in), MSG_DONTWAIT)) > 0)
        r->len = (size_t)n;
    return n == 0 || (errno != EAGAIN && errno != ENOTCONN);
}

static bool has_ended(void *arg)
{
    return ended(arg);
}

static void feed(int fd, const uint8_t *data, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (sent < 0 && errno != EAGAIN && errno != ENOTCONN)
            return;
        if (sent > 0)
            data += sent, n -= (size_t)sent;
        else
            turns(1);
    }
}

/* Where it waits for more, the deadlines do the rest. */
static void until_ended(struct reading *r)
{
    for (int i = 0; i < 4 && !ended(r); i++) {
        turns(10);
        if (i > 0)
            faas_fake_clock_advance_ms(&clock_, 60000);
    }
    if (!faas_loop_run_until(loop, has_ended, r, LIMIT_MS))
        abort();
}

static void expect_an_answer(void)
{
    static const char good[] = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    struct reading r = {.fd = dial()};

    behaviour = AT_ONCE;
    feed(r.fd, (const uint8_t *)good, sizeof(good) - 1);
    until_ended(&r);
    assert(r.len > 15 && memcmp(r.in, "HTTP/1.1 200 OK", 15) == 0);
    close(r.fd);
}

static bool nobody_left(void *arg)
{
    (void)arg;
    return faas_http_server_connections(server) == 0;
}

/* --- */

static void start(void)
{
    static struct faas_log log;
    struct faas_error err;
    struct faas_http_server_opts opts = {.header_limit = 4096,
                                         .max_connections = 100,
                                         .read_timeout_ms = 1000,
                                         .write_timeout_ms = 1000,
                                         .log = &log,
                                         .on_request = on_request};

    faas_fake_clock_init(&clock_, 0);
    loop = faas_loop_new(&clock_.clock, &err);
    opts.listen_fd = faas_listen("127.0.0.1", 0, 0, false, &err);
    port = faas_socket_port(opts.listen_fd);
    server = faas_http_server_new(loop, &opts, &err);
    assert(server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reading r = {0};
    size_t cut;

    if (size < 2 || size > 60000)
        return 0;
    if (!server)
        start();
    behaviour = data[0] % N_BEHAVIOURS;
    cut = FAAS_MIN((size_t)data[1], size - 2);
    r.fd = dial();
    feed(r.fd, data + 2, cut);
    turns(3);
    feed(r.fd, data + 2 + cut, size - 2 - cut);
    turns(3);
    if (data[0] & 0x80)
        shutdown(r.fd, SHUT_WR);
    until_ended(&r);
    close(r.fd);
    turns(5);
    faas_fake_clock_advance_ms(&clock_, 60000); /* for those that linger */
    if (!faas_loop_run_until(loop, nobody_left, NULL, LIMIT_MS))
        abort();
    turns(3); /* what was posted has found nobody by now */
    assert(begun == done);
    assert(faas_http_server_active(server) == 0);
    expect_an_answer();
    assert(begun == done);
    while (begun > 0)
        free(calls[--begun]);
    done = 0;
    return 0;
}
