/* A reply while the request's body is still coming, or one whose head is too large for MHD, or
 * whose end is the connection's (MHD would forget to close it).
 *
 * MHD takes a reply only before a body or after it. But a function may answer early (and an
 * upload of gigabytes need not be read for a 413), or while it reads: a stream that is transformed
 * on the way would come to a standstill if its beginning had to wait for its end. So such a reply
 * is framed and sent here, past MHD, which meanwhile reads the body or is suspended. As MHD knows
 * nothing of it, the connection cannot be used again. */
#include "libfaas/http_date.h"
#include "libfaas/http_server_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>

enum { CHUNK_MAX = 64 * 1024 };

static bool is_chunked(const struct faas_http_req *req)
{
    return req->reply.length < 0 && !req->head.http_1_0 && !req->reply.bodiless;
}

static bool has_date(const struct http_reply *reply)
{
    for (size_t i = 0; i < reply->n_headers; i++)
        if (strcasecmp(reply->headers[i].name, "Date") == 0)
            return true;
    return false;
}

static void append_date(struct faas_buf *b, const struct faas_clock *clock)
{
    char text[FAAS_HTTP_DATE_SIZE];

    faas_http_date_format((time_t)(clock->realtime_ns(clock->self) / 1000000000), text);
    faas_buf_printf(b, "Date: %s\r\n", text);
}

static void append_head(struct faas_http_req *req)
{
    const struct http_reply *reply = &req->reply;
    struct faas_buf *b = &req->wire;

    faas_buf_printf(b, "HTTP/1.1 %d %s\r\n", reply->status, faas_http_reason(reply->status));
    if (!has_date(reply))
        append_date(b, faas_loop_clock(req->conn->server->loop));
    faas_buf_append_z(b, "Connection: close\r\n");
    for (size_t i = 0; i < reply->n_headers; i++) {
        faas_buf_append_z(b, reply->headers[i].name);
        faas_buf_append_z(b, ": ");
        faas_buf_append_z(b, reply->headers[i].value);
        faas_buf_append_z(b, "\r\n");
    }
    if (is_chunked(req))
        faas_buf_append_z(b, "Transfer-Encoding: chunked\r\n");
    else if (reply->length >= 0 && reply->status != 204)
        faas_buf_printf(b, "Content-Length: %" PRId64 "\r\n", reply->length);
    faas_buf_append_z(b, "\r\n");
}

static void append_last_chunk(struct faas_http_req *req)
{
    const struct http_reply *reply = &req->reply;

    faas_buf_append_z(&req->wire, "0\r\n");
    for (size_t i = 0; i < reply->n_trailers; i++)
        faas_buf_printf(&req->wire, "%s: %s\r\n", reply->trailers[i].name,
                        reply->trailers[i].value);
    faas_buf_append_z(&req->wire, "\r\n");
}

/* Moves the next piece into wire. False: there is none. */
static bool frame(struct faas_http_req *req)
{
    struct http_reply *reply = &req->reply;
    size_t n = FAAS_MIN(http_reply_backlog(req), (size_t)CHUNK_MAX);

    if (n == 0 && reply->cut) {
        faas_http_reply_abort(req);
        return false;
    }
    if (n == 0 && reply->ended && !req->duplex_ended) {
        req->duplex_ended = true;
        if (is_chunked(req))
            append_last_chunk(req);
        return req->wire.len > 0;
    }
    if (n == 0)
        return false;
    if (is_chunked(req))
        faas_buf_printf(&req->wire, "%zx\r\n", n);
    faas_buf_append(&req->wire, reply->out.data + reply->sent, n);
    if (is_chunked(req))
        faas_buf_append_z(&req->wire, "\r\n");
    http_reply_took(req, n);
    return true;
}

/* 1: all sent; 0: the socket is full; -1: the client is gone. */
static int send_wire(struct faas_http_req *req)
{
    struct http_conn *c = req->conn;

    while (req->wire_sent < req->wire.len) {
        ssize_t n = send(c->fd, req->wire.data + req->wire_sent, req->wire.len - req->wire_sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            faas_io_mod(c->server->loop, &c->io, EPOLLRDHUP | EPOLLOUT | EPOLLET);
            return 0;
        }
        if (n < 0)
            return -1;
        req->wire_sent += (size_t)n;
    }
    faas_buf_clear(&req->wire);
    req->wire_sent = 0;
    return 1;
}

void http_duplex_push(struct faas_http_req *req)
{
    int sent;

    while ((sent = send_wire(req)) > 0) {
        if (frame(req))
            continue;
        if (req->duplex_ended) {
            http_conn_swallow(req->conn);
            http_req_end(req, NULL);
        }
        return;
    }
    if (sent < 0)
        http_req_break(req, FAAS_ERR_UNAVAILABLE, "the client went away");
}

void http_duplex_start(struct faas_http_req *req)
{
    req->duplex = true;
    http_conn_watch(req->conn);
    if (req->conn->gone) {
        http_req_break(req, FAAS_ERR_UNAVAILABLE, "the connection cannot be watched");
        return;
    }
    append_head(req);
    http_duplex_push(req);
}

void http_duplex_timeout_reply(struct http_conn *c)
{
    const char *component = c->server->opts.error_component;
    struct faas_buf body = {0}, all = {0};

    faas_buf_append_z(&body, "{\"error\":\"the request did not arrive within read_timeout\","
                             "\"code\":\"timeout\",\"component\":\"");
    faas_json_escape(&body, faas_str_from(component ? component : ""));
    faas_buf_append_z(&body, "\"}\n");
    faas_buf_printf(&all,
                    "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"
                    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                    body.len, body.data);
    (void)!send(c->fd, all.data, all.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    faas_buf_deinit(&body);
    faas_buf_deinit(&all);
}
