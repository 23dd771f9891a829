/* bare_proxy PORT UPSTREAM_PORT: the HTTP server and the upstream client of libfaas with nothing
 * but a header copy in between. What the gateway costs above it is the gateway's own doing. */
#include "libfaas/http_client.h"
#include "libfaas/http_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct proxy {
    struct faas_loop *loop;
    struct faas_upstream *upstream;
    struct faas_addr addr;
    struct faas_log log;
    uint64_t calls;
};

struct call {
    struct proxy *p;
    struct faas_http_req *req;
    struct faas_exchange *ex; /* NULL: over */
    bool upload_full;
    bool download_full;
};

static void on_head(void *arg, const struct faas_http_response_head *head)
{
    struct call *c = arg;
    struct faas_http_header *kept =
        faas_arena_alloc(faas_http_req_arena(c->req), (head->n_headers + 1) * sizeof(*kept));
    size_t n = 0;

    for (size_t i = 0; i < head->n_headers; i++)
        if (!faas_http_is_hop_by_hop(head->headers[i].name))
            kept[n++] = head->headers[i];
    faas_http_reply_begin(c->req, head->status, kept, n, head->content_length);
}

static size_t on_response_body(void *arg, struct faas_str data)
{
    struct call *c = arg;

    if (c->download_full)
        return 0;
    c->download_full = faas_http_reply_write(c->req, data) > FAAS_HTTP_HIGH_WATER;
    return data.len;
}

static void on_end(void *arg)
{
    struct call *c = arg;

    c->ex = NULL;
    faas_http_reply_end(c->req);
}

static void on_error(void *arg, enum faas_http_phase phase, const struct faas_error *err)
{
    struct call *c = arg;

    (void)phase;
    c->ex = NULL;
    if (faas_http_reply_started(c->req))
        faas_http_reply_abort(c->req);
    else
        faas_http_reply_error(c->req, err);
}

static void on_writable(void *arg)
{
    struct call *c = arg;

    c->upload_full = false;
    faas_http_req_resume(c->req);
}

static const struct faas_exchange_ops exchange_ops = {
    .on_head = on_head,
    .on_body = on_response_body,
    .on_end = on_end,
    .on_error = on_error,
    .on_writable = on_writable,
};

static size_t on_request_body(void *arg, struct faas_str data)
{
    struct call *c = arg;

    if (!c->ex)
        return data.len;
    if (c->upload_full)
        return 0;
    c->upload_full = faas_exchange_write(c->ex, data) > FAAS_CLIENT_HIGH_WATER;
    return data.len;
}

static void on_request_body_end(void *arg)
{
    struct call *c = arg;

    if (c->ex)
        faas_exchange_end(c->ex);
}

static void on_drain(void *arg)
{
    struct call *c = arg;

    c->download_full = false;
    if (c->ex)
        faas_exchange_resume(c->ex);
}

static void on_done(void *arg, const struct faas_error *err)
{
    struct call *c = arg;

    (void)err;
    if (c->ex)
        faas_exchange_cancel(c->ex);
}

static const struct faas_http_req_ops req_ops = {
    .on_body = on_request_body,
    .on_body_end = on_request_body_end,
    .on_drain = on_drain,
    .on_done = on_done,
};

static struct faas_str build_head(struct call *c, const struct faas_http_head *h)
{
    static struct faas_buf out; /* copied by start */

    faas_buf_clear(&out);
    faas_buf_append_str(&out, h->method);
    faas_buf_append_c(&out, ' ');
    faas_buf_append_str(&out, h->target);
    faas_buf_append_z(&out, " HTTP/1.1\r\n");
    for (size_t i = 0; i < h->n_headers; i++) {
        if (faas_http_is_hop_by_hop(h->headers[i].name))
            continue;
        faas_buf_append_str(&out, h->headers[i].name);
        faas_buf_append_z(&out, ": ");
        faas_buf_append_str(&out, h->headers[i].value);
        faas_buf_append_z(&out, "\r\n");
    }
    if (h->content_length < 0)
        faas_buf_append_z(&out, "Transfer-Encoding: chunked\r\n");
    faas_buf_append_z(&out, "X-Call-Id: ");
    faas_buf_append_u64(&out, c->p->calls++);
    faas_buf_append_z(&out, "\r\nX-Forwarded-For: ");
    faas_buf_append_z(&out, faas_http_req_peer(c->req));
    faas_buf_append_z(&out, "\r\n\r\n");
    return faas_buf_str(&out);
}

static void on_request(void *arg, struct faas_http_req *req)
{
    struct proxy *p = arg;
    const struct faas_http_head *h = faas_http_req_head(req);
    struct call *c = faas_arena_zalloc(faas_http_req_arena(req), sizeof(*c));
    struct faas_exchange_req out = {
        .addr = &p->addr,
        .body = h->content_length < 0   ? FAAS_BODY_CHUNKED
                : h->content_length > 0 ? FAAS_BODY_LENGTH
                                        : FAAS_BODY_NONE,
        .is_head = faas_str_eqz(h->method, "HEAD"),
        .idempotent = faas_str_eqz(h->method, "GET") || faas_str_eqz(h->method, "HEAD"),
        .head_timeout_ms = 60000,
        .total_timeout_ms = 60000,
    };

    c->p = p;
    c->req = req;
    faas_http_req_attach(req, &req_ops, c);
    out.head = build_head(c, h);
    c->ex = faas_exchange_start(p->upstream, &out, &exchange_ops, c);
}

static void on_term(void *arg, int signo)
{
    (void)signo;
    faas_loop_stop(arg);
}

static int run(struct proxy *p, unsigned port, unsigned upstream_port, struct faas_error *err)
{
    struct faas_upstream_opts client_opts = {.max_idle_per_host = 512,
                                             .max_idle = 1024,
                                             .idle_timeout_ms = 60000,
                                             .connect_timeout_ms = 5000,
                                             .max_head = 65536};
    struct faas_http_server_opts server_opts = {.header_limit = 65536,
                                                .max_connections = 4096,
                                                .read_timeout_ms = 60000,
                                                .write_timeout_ms = 60000,
                                                .error_component = "bare_proxy",
                                                .log = &p->log,
                                                .on_request = on_request,
                                                .arg = p};
    struct faas_http_server *server;

    if (faas_addr_parse("127.0.0.1", upstream_port, &p->addr, err) < 0)
        return -1;
    p->loop = faas_loop_new(NULL, err);
    if (!p->loop || faas_loop_signal(p->loop, SIGTERM, on_term, p->loop, err) < 0)
        return -1;
    server_opts.listen_fd = faas_listen("127.0.0.1", port, 0, false, err);
    if (server_opts.listen_fd < 0)
        return -1;
    p->upstream = faas_upstream_new(p->loop, &client_opts);
    server = faas_http_server_new(p->loop, &server_opts, err);
    if (!server)
        return -1;
    faas_loop_run(p->loop);
    faas_http_server_free(server);
    faas_upstream_free(p->upstream);
    faas_loop_free(p->loop);
    return 0;
}

int main(int argc, char **argv)
{
    struct proxy p = {0};
    struct faas_error err = {0};

    if (argc != 3) {
        fprintf(stderr, "usage: bare_proxy PORT UPSTREAM_PORT\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    faas_log_init_stderr(&p.log, "bare_proxy");
    if (run(&p, (unsigned)atoi(argv[1]), (unsigned)atoi(argv[2]), &err) < 0) {
        fprintf(stderr, "bare_proxy: %s\n", err.msg);
        return 1;
    }
    return 0;
}
