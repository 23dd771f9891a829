#include "libfaas/http_server_impl.h"

#include "libfaas/alloc.h"
#include "libfaas/net.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
    MAX_SPARE = 256,            /* requests kept for reuse */
    MAX_SPARE_BUF = 128 * 1024, /* a larger buffer is not kept with them */
    MHD_HEADER_BYTES = 64,      /* what MHD spends on each header or cookie beside its text */
};

/* --- life --- */

static struct faas_http_req *req_take(struct faas_http_server *s)
{
    struct faas_http_req *req;

    if (s->n_spare == 0)
        return faas_new(struct faas_http_req);
    req = FAAS_CONTAINER_OF(s->spare.prev, struct faas_http_req, node);
    faas_list_remove(&req->node);
    s->n_spare--;
    return req;
}

static void buf_recycle(struct faas_buf *b)
{
    if (b->cap > MAX_SPARE_BUF)
        faas_buf_deinit(b);
    else
        faas_buf_clear(b);
}

static void req_free(struct faas_http_req *req)
{
    faas_arena_deinit(&req->arena);
    faas_buf_deinit(&req->reply.out);
    faas_buf_deinit(&req->wire);
    faas_buf_deinit(&req->tunnel.held);
    free(req);
}

static void req_put(struct faas_http_server *s, struct faas_http_req *req)
{
    struct faas_http_req fresh = {0};

    if (s->n_spare == MAX_SPARE) {
        req_free(req);
        return;
    }
    faas_arena_reset(&req->arena);
    buf_recycle(&req->reply.out);
    buf_recycle(&req->wire);
    faas_buf_deinit(&req->tunnel.held);
    fresh.arena = req->arena;
    fresh.reply.out = req->reply.out;
    fresh.wire = req->wire;
    *req = fresh;
    faas_list_append(&s->spare, &req->node);
    s->n_spare++;
}

void http_req_free_spare(struct faas_http_server *s)
{
    faas_list_for_each (&s->spare, it)
        req_free(FAAS_CONTAINER_OF(it, struct faas_http_req, node));
}

void http_req_end(struct faas_http_req *req, const struct faas_error *err)
{
    if (!req->dispatched || req->done)
        return;
    req->done = true;
    req->conn->server->n_active--;
    if (req->ops && req->ops->on_done)
        req->ops->on_done(req->arg, err);
}

void http_req_break(struct faas_http_req *req, enum faas_code code, const char *why)
{
    struct faas_error err;

    faas_fail(&err, code, "%s", why);
    http_conn_cut(req->conn, http_reply_ends_with_connection(req));
    http_req_end(req, &err);
}

/* MHD has nothing to do with it any more. */
void http_req_release(struct faas_http_req *req)
{
    struct http_conn *c = req->conn;
    struct faas_error err;

    faas_fail(&err, FAAS_ERR_UNAVAILABLE, "the connection broke");
    http_req_end(req, &err);
    if (req->dirty)
        faas_list_remove(&req->node);
    c->req = NULL;
    req_put(c->server, req);
}

void http_req_dirty(struct faas_http_req *req)
{
    if (req->dirty)
        return;
    req->dirty = true;
    faas_list_append(&req->conn->server->dirty, &req->node);
}

/* --- the request line --- */

/* Called before MHD splits the query string into arguments, in place, with memory of the connection
 * for each of them. Nobody wants them, and a long query would exhaust that memory, so the text that
 * it is about to look at is made to look empty: MHD has just found the '?', and takes what is
 * behind it for a string. The copy, of course, is made first. */
static void hide_query(const char *target)
{
    char *mark = strchr(target, '?');

    if (mark)
        mark[1] = '\0';
}

void *http_req_on_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct faas_http_server *s = cls;
    struct http_conn *c = info->socket_context;
    struct faas_http_req *req = req_take(s);

    s->activity++;
    assert(!c->req);
    req->conn = c;
    c->req = req;
    c->clean = false;
    c->awaits_reply = c->was_suspended = false;
    c->swallowed = 0;
    c->phase = HTTP_HEAD;
    /* Counted from accept for the first request; for others an idle time is not held against it. */
    if (c->requests++ > 0 && s->opts.read_timeout_ms > 0) {
        c->read_deadline_ms = faas_loop_now_ms(s->loop) + s->opts.read_timeout_ms;
        http_conn_arm(c);
    }
    req->raw_target = target;
    req->head.target = faas_arena_str(&req->arena, faas_str_from(target));
    hide_query(target);
    return c;
}

/* --- the head --- */

struct header_cursor {
    struct faas_http_header *at;
    size_t bytes; /* of cookies */
};

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   size_t name_len, const char *value, size_t value_len)
{
    struct header_cursor *cursor = cls;

    (void)kind;
    *cursor->at++ = (struct faas_http_header){.name = {.ptr = name, .len = name_len},
                                              .value = {.ptr = value, .len = value_len}};
    return MHD_YES;
}

static struct faas_http_header *take_fields(struct faas_http_req *req, enum MHD_ValueKind kind,
                                            size_t *n)
{
    struct MHD_Connection *mhd = req->conn->mhd;
    struct header_cursor cursor;

    *n = (size_t)MHD_get_connection_values_n(mhd, kind, NULL, NULL);
    cursor.at = faas_arena_alloc(&req->arena, *n * sizeof(*cursor.at));
    MHD_get_connection_values_n(mhd, kind, take_header, &cursor);
    return cursor.at - *n;
}

static struct faas_http_header *take_headers(struct faas_http_req *req)
{
    struct faas_http_header *headers = take_fields(req, MHD_HEADER_KIND, &req->head.n_headers);

    req->head.headers = headers;
    return headers;
}

/* MHD judges them less strictly than we do a head, and what it let pass is not worth a refusal: the
 * body is there. */
const struct faas_http_header *faas_http_req_trailers(struct faas_http_req *req, size_t *n)
{
    struct faas_http_header *fields = NULL;
    size_t all = 0;

    *n = 0;
    if (req->stage == HTTP_BODY_OVER && req->head.content_length < 0)
        fields = take_fields(req, MHD_FOOTER_KIND, &all);
    for (size_t i = 0; i < all; i++) {
        if (!faas_http_valid_token(fields[i].name) || !faas_http_valid_value(fields[i].value))
            continue;
        fields[*n] = fields[i];
        fields[*n].value = faas_str_trim(fields[i].value);
        ++*n;
    }
    return fields;
}

/* What is left of MHD's memory decides whether it can build the reply's head. It also copies the
 * first Cookie header to take it apart. */
static size_t mhd_memory_used(const struct faas_http_req *req, size_t header_bytes)
{
    const struct faas_http_head *head = &req->head;
    size_t cookie = faas_http_value(head->headers, head->n_headers, FAAS_STR("cookie")).len;
    int n_cookies = 0;

    if (cookie)
        n_cookies = MHD_get_connection_values_n(req->conn->mhd, MHD_COOKIE_KIND, NULL, NULL);
    return header_bytes + cookie + (head->n_headers + (size_t)n_cookies + 1) * MHD_HEADER_BYTES;
}

/* A tunnel outlives MHD's memory, and handlers have views of all of it. */
static void own_head(struct faas_http_req *req, struct faas_http_header *headers)
{
    struct faas_arena *a = &req->arena;

    req->head.method = faas_arena_str(a, req->head.method);
    for (size_t i = 0; i < req->head.n_headers; i++) {
        headers[i].name = faas_arena_str(a, headers[i].name);
        headers[i].value = faas_arena_str(a, headers[i].value);
    }
}

static void begin(struct faas_http_req *req)
{
    struct http_conn *c = req->conn;
    struct faas_http_server *s = c->server;
    int64_t timeout_ms = s->opts.write_timeout_ms;

    c->phase = HTTP_ACTIVE;
    req->head.received_ms = faas_loop_now_ms(s->loop);
    c->write_deadline_ms = timeout_ms > 0 ? req->head.received_ms + timeout_ms : INT64_MAX;
}

/* 0, or the status with which the request was refused. */
static int judge(struct faas_http_req *req, const char *method, const char *version)
{
    struct http_conn *c = req->conn;
    struct http_head_input in = {
        .method = method,
        .target = req->raw_target,
        .version = version,
        .header_bytes =
            MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size,
        .header_limit = c->server->opts.header_limit,
    };
    struct faas_http_header *headers = take_headers(req);
    const char *why;
    int status;

    req->head.method = faas_str_from(method);
    status = http_head_check(&req->head, headers, &in, &req->expects_continue, &why);
    req->mhd_memory = mhd_memory_used(req, in.header_bytes);
    if (!status && faas_http_wants_upgrade(&req->head))
        own_head(req, headers);
    if (status) {
        req->head.method.len = 0; /* MHD leaves out a HEAD's body itself, if it took it for one */
        http_reply_refuse(req, status, why);
    }
    return status;
}

/* MHD closes the connection after a reply that is queued while it expects a body. */
static enum MHD_Result reply_now(struct faas_http_req *req)
{
    return http_reply_queue(req) ? MHD_YES : MHD_NO;
}

static bool wants_body(const struct faas_http_req *req)
{
    return req->ops && (req->ops->on_body || req->ops->on_body_end);
}

static enum MHD_Result on_head(struct faas_http_req *req, const char *method, const char *version)
{
    struct faas_http_server *s = req->conn->server;

    begin(req);
    if (judge(req, method, version))
        return reply_now(req);
    req->stage = HTTP_BODY_COMING;
    req->dispatched = true;
    s->n_active++;
    s->opts.on_request(s->opts.arg, req);
    http_conn_arm(req->conn);
    if (!req->expects_continue || req->head.content_length == 0)
        return MHD_YES;
    if (req->reply.ended && http_reply_fits(req))
        return reply_now(req);
    if (wants_body(req) && !req->reply.ended)
        return MHD_YES; /* and MHD sends "100 Continue" */
    req->stage = HTTP_BODY_HELD;
    http_conn_suspend(req->conn);
    return MHD_YES;
}

/* --- the body --- */

static enum MHD_Result on_body(struct faas_http_req *req, const char *data, size_t *size)
{
    struct http_conn *c = req->conn;
    size_t taken = *size;

    if (req->reply.ended) {
        c->swallowed += *size;
        *size = 0;
        return MHD_YES;
    }
    if (req->ops && req->ops->on_body) {
        req->in_body = true;
        taken = req->ops->on_body(req->arg, (struct faas_str){.ptr = data, .len = *size});
        req->in_body = false;
        assert(taken <= *size);
    }
    req->body_bytes += (int64_t)taken;
    *size -= taken;
    req->body_left_over = *size;
    if (*size > 0) {
        http_conn_suspend(c);
        if (req->resume_wanted)
            http_conn_wake(c);
    }
    req->resume_wanted = false;
    return MHD_YES;
}

static enum MHD_Result on_body_over(struct faas_http_req *req)
{
    struct http_conn *c = req->conn;

    if (req->stage == HTTP_BODY_COMING) {
        req->stage = HTTP_BODY_OVER;
        if (!req->reply.ended && req->ops && req->ops->on_body_end)
            req->ops->on_body_end(req->arg);
    }
    c->awaits_reply =
        !req->reply.ended || req->duplex || req->reply.aborted || !http_reply_fits(req);
    if (!c->awaits_reply)
        return reply_now(req);
    if (req->reply.begun || c->half_closed)
        http_req_dirty(req);
    http_conn_settle_later(c);
    return MHD_YES;
}

/* After a while the rest is left in the socket, so that the client cannot send on and on. */
static enum MHD_Result swallow(struct http_conn *c, size_t *size)
{
    c->swallowed += *size;
    *size = 0;
    if (c->swallowed > HTTP_SWALLOW_MAX)
        http_conn_suspend(c);
    return MHD_YES;
}

/* MHD calls this for the head, for each piece of the body, and at the body's end; the first and the
 * last again when they left the connection suspended and it is woken. */
enum MHD_Result http_req_on_access(void *cls, struct MHD_Connection *mhd, const char *url,
                                   const char *method, const char *version, const char *data,
                                   size_t *size, void **context)
{
    struct faas_http_server *s = cls;
    struct http_conn *c = *context;
    struct faas_http_req *req = c->req;

    (void)mhd;
    (void)url;
    s->activity++;
    if (c->phase == HTTP_HEAD)
        return on_head(req, method, version);
    if (c->phase == HTTP_SWALLOW && *size > 0)
        return swallow(c, size);
    if (c->phase != HTTP_ACTIVE)
        return MHD_NO;
    if (*size > 0)
        return on_body(req, data, size);
    if (req->stage != HTTP_BODY_HELD)
        return on_body_over(req);
    http_conn_suspend(c);
    return MHD_YES;
}

/* MHD has one code for a client that is gone and for one that sent nonsense. */
static bool still_there(const struct http_conn *c)
{
    char byte;
    ssize_t n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return n > 0 || (n < 0 && errno == EAGAIN);
}

static void explain(struct faas_error *err, const struct faas_http_req *req,
                    enum MHD_RequestTerminationCode code)
{
    if (code == MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN)
        faas_fail(err, FAAS_ERR_UNAVAILABLE, "the server is going down");
    else if (code == MHD_REQUEST_TERMINATED_WITH_ERROR && req->stage != HTTP_BODY_OVER &&
             !req->conn->half_closed && still_there(req->conn))
        faas_fail(err, FAAS_ERR_INVALID, "the request body is malformed");
    else
        faas_fail(err, FAAS_ERR_UNAVAILABLE, "the client went away");
}

void http_req_on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                           enum MHD_RequestTerminationCode code)
{
    struct faas_http_server *s = cls;
    struct http_conn *c = *context;
    struct faas_http_req *req = c->req;
    struct faas_error err;

    (void)mhd;
    s->activity++;
    if (http_tunnel_is_open(req))
        return; /* it has just begun */
    if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK) {
        c->clean = req->stage == HTTP_BODY_OVER;
        http_req_end(req, NULL);
    } else if (!req->done) {
        explain(&err, req, code);
        http_req_end(req, &err);
    }
    if (c->phase == HTTP_HEAD || c->phase == HTTP_ACTIVE)
        c->phase = HTTP_IDLE;
    http_req_release(req);
    http_conn_settle_later(c);
    if (s->opts.read_timeout_ms > 0)
        c->read_deadline_ms = faas_loop_now_ms(s->loop) + s->opts.read_timeout_ms;
    http_conn_arm(c);
    if (s->draining && c->phase == HTTP_IDLE)
        http_conn_finish(c);
}

/* --- what the handler asked for --- */

/* A reply before the body's end has to go around MHD and costs the connection. That is not needed
 * if the rest of the body is here already: it is dropped first. */
static bool rest_is_here(struct faas_http_req *req)
{
    struct http_conn *c = req->conn;
    int waiting = 0;

    if (!req->reply.ended || c->swallowed > HTTP_SWALLOW_MAX)
        return false;
    if (c->suspended)
        http_conn_wake(c);
    if (c->woken_at == c->server->runs)
        return true;
    return ioctl(c->fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

static void start_reply(struct faas_http_req *req)
{
    struct http_conn *c = req->conn;

    if (req->stage == HTTP_BODY_COMING && rest_is_here(req)) {
        http_req_dirty(req);
        c->server->run_mhd = true;
    } else if (req->stage == HTTP_BODY_COMING || !http_reply_fits(req) ||
               (http_reply_ends_with_connection(req) && !req->reply.upgrade &&
                (!req->reply.ended || req->reply.cut))) {
        http_duplex_start(req);
    } else if (c->suspended && http_reply_queue(req)) {
        http_conn_wake(c);
    } else {
        http_req_break(req, FAAS_ERR_INTERNAL, "the reply was not accepted");
    }
}

void http_req_flush(struct faas_http_req *req)
{
    struct http_reply *reply = &req->reply;

    if (req->done)
        return;
    if (reply->aborted) {
        http_req_break(req, FAAS_ERR_INTERNAL, "the reply was broken off");
        return;
    }
    if (req->dispatched && http_conn_left(req->conn)) {
        http_req_break(req, FAAS_ERR_UNAVAILABLE, "the client went away");
        return;
    }
    if (reply->drain_due && !reply->ended && req->ops && req->ops->on_drain) {
        reply->drain_due = false;
        req->ops->on_drain(req->arg);
    }
    if (http_tunnel_is_open(req))
        http_tunnel_flush(req);
    else if (req->duplex)
        http_duplex_push(req);
    else if (reply->begun && !reply->queued)
        start_reply(req);
    else if (reply->starved && (reply->ended || http_reply_backlog(req) > 0))
        http_conn_wake(req->conn);
}

/* --- for the handler --- */

const struct faas_http_head *faas_http_req_head(const struct faas_http_req *req)
{
    return &req->head;
}

struct faas_arena *faas_http_req_arena(struct faas_http_req *req)
{
    return &req->arena;
}

struct faas_loop *faas_http_req_loop(struct faas_http_req *req)
{
    return req->conn->server->loop;
}

const char *faas_http_req_peer(struct faas_http_req *req)
{
    struct http_conn *c = req->conn;

    if (!c->peer_name[0])
        faas_addr_format(&c->peer.sa, c->peer_name);
    return c->peer_name;
}

void faas_http_req_attach(struct faas_http_req *req, const struct faas_http_req_ops *ops, void *arg)
{
    req->ops = ops;
    req->arg = arg;
}

void faas_http_req_resume(struct faas_http_req *req)
{
    if (req->in_body)
        req->resume_wanted = true;
    else if (http_tunnel_is_open(req))
        http_tunnel_resume(req);
    else if (req->stage == HTTP_BODY_COMING)
        http_conn_wake(req->conn);
}

void faas_http_req_no_read_timeout(struct faas_http_req *req)
{
    req->no_read_timeout = true;
}

void faas_http_req_allow_half_close(struct faas_http_req *req)
{
    req->half_close_allowed = true;
}

void faas_http_req_no_write_timeout(struct faas_http_req *req)
{
    req->no_write_timeout = true;
}
