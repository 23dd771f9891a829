#include "libfaas/http_server_impl.h"

#include <assert.h>

enum {
    /* The status line, MHD's own headers, and a little for it to frame chunks in. */
    MHD_HEAD_RESERVE = 512,
    /* Its buffer between the reader and the socket, where the length is known. */
    READER_BLOCK = 32 * 1024,
    COMPACT_AT = 64 * 1024,
};

/* --- what the handler says --- */

static bool is_ours(struct faas_str name)
{
    switch (name.len) {
    case 10:
        return faas_str_ieq(name, FAAS_STR("connection"));
    case 14:
        return faas_str_ieq(name, FAAS_STR("content-length"));
    case 17:
        return faas_str_ieq(name, FAAS_STR("transfer-encoding"));
    default:
        return false;
    }
}

/* Returns how many bytes they will take. */
static size_t copy_fields(struct faas_arena *a, const struct faas_http_header *from, size_t n,
                          struct http_reply_header **to, size_t *n_to)
{
    size_t bytes = 0;

    *to = faas_arena_alloc(a, n * sizeof(**to));
    for (size_t i = 0; i < n; i++) {
        const struct faas_http_header *h = &from[i];

        if (is_ours(h->name) || !faas_http_valid_token(h->name) || !faas_http_valid_value(h->value))
            continue;
        /* MHD refuses empty values; the blank counts for nothing. */
        (*to)[(*n_to)++] = (struct http_reply_header){
            .name = faas_arena_strndup(a, h->name.ptr, h->name.len),
            .value = h->value.len ? faas_arena_strndup(a, h->value.ptr, h->value.len) : " "};
        bytes += h->name.len + h->value.len + 5;
    }
    return bytes;
}

void faas_http_reply_begin(struct faas_http_req *req, int status,
                           const struct faas_http_header *headers, size_t n, int64_t length)
{
    struct http_reply *reply = &req->reply;

    assert(!reply->begun);
    assert(status >= 200 && status <= 999);
    reply->begun = true;
    reply->status = status;
    reply->length = length;
    reply->bodiless =
        status == 204 || status == 304 || faas_str_eq(req->head.method, FAAS_STR("HEAD"));
    reply->head_bytes = copy_fields(&req->arena, headers, n, &reply->headers, &reply->n_headers);
    http_req_dirty(req);
}

bool http_reply_set_upgrade(struct faas_http_req *req, const struct faas_http_header *headers,
                            size_t n)
{
    struct http_reply *reply = &req->reply;

    assert(!reply->begun);
    reply->head_bytes = copy_fields(&req->arena, headers, n, &reply->headers, &reply->n_headers);
    if (!http_reply_fits(req)) {
        reply->n_headers = reply->head_bytes = 0;
        return false;
    }
    reply->begun = reply->upgrade = true;
    reply->status = 101;
    reply->length = -1;
    http_req_dirty(req);
    return true;
}

size_t http_reply_backlog(const struct faas_http_req *req)
{
    return req->reply.out.len - req->reply.sent;
}

size_t faas_http_reply_unsent(const struct faas_http_req *req)
{
    return http_reply_backlog(req) + req->wire.len - req->wire_sent;
}

size_t faas_http_reply_write(struct faas_http_req *req, struct faas_str data)
{
    struct http_reply *reply = &req->reply;
    size_t backlog;

    assert(reply->begun && !reply->ended);
    if (reply->bodiless)
        return 0;
    if (reply->length >= 0) /* more than was announced cannot be sent */
        data.len = (size_t)FAAS_MIN((int64_t)data.len, reply->length - reply->written);
    faas_buf_append_str(&reply->out, data);
    reply->written += (int64_t)data.len;
    backlog = faas_http_reply_unsent(req);
    if (backlog > FAAS_HTTP_HIGH_WATER)
        reply->was_high = true;
    http_req_dirty(req);
    return backlog;
}

void faas_http_reply_trailers(struct faas_http_req *req, const struct faas_http_header *trailers,
                              size_t n)
{
    struct http_reply *reply = &req->reply;

    assert(reply->begun && !reply->ended);
    reply->n_trailers = 0;
    reply->head_bytes +=
        copy_fields(&req->arena, trailers, n, &reply->trailers, &reply->n_trailers);
}

void faas_http_reply_end(struct faas_http_req *req)
{
    struct http_reply *reply = &req->reply;

    assert(reply->begun && !reply->ended);
    reply->ended = true;
    if (reply->length > reply->written && !reply->bodiless)
        reply->aborted = true;
    http_req_dirty(req);
}

void faas_http_reply_abort(struct faas_http_req *req)
{
    req->reply.aborted = true;
    http_req_dirty(req);
}

void faas_http_reply_cut(struct faas_http_req *req)
{
    struct http_reply *reply = &req->reply;

    assert(reply->begun && !reply->ended);
    if (reply->bodiless || faas_http_reply_unsent(req) == 0)
        reply->aborted = true;
    reply->ended = reply->cut = true;
    http_req_dirty(req);
}

bool faas_http_reply_started(const struct faas_http_req *req)
{
    return req->reply.begun;
}

void faas_http_reply(struct faas_http_req *req, int status, const struct faas_http_header *headers,
                     size_t n, struct faas_str body)
{
    faas_http_reply_begin(req, status, headers, n, (int64_t)body.len);
    faas_http_reply_write(req, body);
    faas_http_reply_end(req);
}

void faas_http_reply_take(struct faas_http_req *req, int status,
                          const struct faas_http_header *headers, size_t n, struct faas_buf *body)
{
    struct http_reply *reply = &req->reply;

    faas_http_reply_begin(req, status, headers, n, (int64_t)body->len);
    if (!reply->bodiless) {
        faas_buf_deinit(&reply->out); /* of the connection's last reply: empty */
        reply->out = *body;
        reply->written = (int64_t)body->len;
        *body = (struct faas_buf){0};
    }
    faas_buf_deinit(body);
    faas_http_reply_end(req);
}

/* --- errors --- */

static void reply_json(struct faas_http_req *req, int status, const char *code, const char *text)
{
    static const struct faas_http_header type[] = {
        {FAAS_STR_INIT("Content-Type"), FAAS_STR_INIT("application/json")},
    };
    const char *component = req->conn->server->opts.error_component;
    _cleanup_buf_ struct faas_buf body = {0};

    faas_buf_append_z(&body, "{\"error\":\"");
    faas_json_escape(&body, faas_str_from(text));
    faas_buf_append_z(&body, "\",\"code\":\"");
    faas_buf_append_z(&body, code);
    if (component) {
        faas_buf_append_z(&body, "\",\"component\":\"");
        faas_json_escape(&body, faas_str_from(component));
    }
    faas_buf_append_z(&body, "\"}\n");
    faas_http_reply(req, status, type, FAAS_ARRAY_LEN(type), faas_buf_str(&body));
}

void faas_http_reply_error(struct faas_http_req *req, const struct faas_error *err)
{
    reply_json(req, faas_code_http_status(err->code), faas_code_name(err->code), err->msg);
}

void http_reply_refuse(struct faas_http_req *req, int status, const char *why)
{
    enum faas_code code = FAAS_ERR_INVALID;

    if (status == 414 || status == 431)
        code = FAAS_ERR_TOO_LARGE;
    else if (status == 501)
        code = FAAS_ERR_UNSUPPORTED;
    reply_json(req, status, faas_code_name(code), why);
}

/* --- handing it to MHD --- */

void http_reply_took(struct faas_http_req *req, size_t n)
{
    struct http_reply *reply = &req->reply;

    reply->sent += n;
    if (reply->sent == reply->out.len || reply->sent >= COMPACT_AT) {
        faas_buf_consume(&reply->out, reply->sent);
        reply->sent = 0;
    }
    if (reply->was_high && http_reply_backlog(req) < FAAS_HTTP_LOW_WATER) {
        reply->was_high = false;
        reply->drain_due = true;
        http_req_dirty(req);
    }
}

/* MHD is about to write them, and nobody else has the response. */
static ssize_t end_of_stream(struct http_reply *reply)
{
    for (size_t i = 0; i < reply->n_trailers; i++)
        MHD_add_response_footer(reply->response, reply->trailers[i].name, reply->trailers[i].value);
    return MHD_CONTENT_READER_END_OF_STREAM;
}

/* MHD is ready for more. It would ask again and again if it just got nothing, so a starved
 * connection is suspended. The last byte of an announced length waits for the handler's end: with
 * it the reply would be over, and the request gone from under the handler. */
static ssize_t read_reply(void *cls, uint64_t pos, char *to, size_t max)
{
    struct faas_http_req *req = cls;
    struct http_reply *reply = &req->reply;
    size_t n = FAAS_MIN(http_reply_backlog(req), max);

    req->conn->server->activity++;
    if (req->done || reply->aborted)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (reply->length >= 0 && (!reply->ended || reply->cut) && n > 0 &&
        pos + n == (uint64_t)reply->length)
        n--;
    if (n > 0) {
        memcpy(to, reply->out.data + reply->sent, n);
        http_reply_took(req, n);
        return (ssize_t)n;
    }
    if (reply->cut)
        faas_http_reply_abort(req);
    else if (reply->ended) /* chunked */
        return end_of_stream(reply);
    reply->starved = true;
    http_conn_suspend(req->conn);
    return 0;
}

/* Nothing of it is ever read; it only says how long the body would be. */
static struct MHD_Response *new_bodiless_response(struct faas_http_req *req)
{
    int64_t length = req->reply.length;
    bool unknown = length < 0 && faas_str_eq(req->head.method, FAAS_STR("HEAD"));
    struct MHD_Response *r = MHD_create_response_from_callback(
        unknown ? MHD_SIZE_UNKNOWN : (uint64_t)FAAS_MAX(length, (int64_t)0), 1, read_reply, req,
        NULL);

    /* MHD would end a HEAD's chunked body, which is not there, with a last chunk, which is. So
     * a length that is not known is not told, and the connection's end ends the reply. */
    if (r && unknown)
        MHD_set_response_options(r, MHD_RF_HTTP_VERSION_1_0_ONLY, MHD_RO_END);
    return r;
}

static struct MHD_Response *new_response(struct faas_http_req *req)
{
    struct http_reply *reply = &req->reply;

    if (reply->upgrade)
        return MHD_create_response_for_upgrade(http_tunnel_open, req);
    if (reply->bodiless)
        return new_bodiless_response(req);
    if (reply->ended && !reply->cut && !(reply->n_trailers && reply->length < 0))
        return MHD_create_response_from_buffer(reply->out.len, reply->out.data,
                                               MHD_RESPMEM_PERSISTENT);
    if (reply->length >= 0)
        return MHD_create_response_from_callback((uint64_t)reply->length, READER_BLOCK, read_reply,
                                                 req, NULL);
    /* Chunks are made in the connection's own memory: no block is needed. */
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1, read_reply, req, NULL);
}

bool http_reply_queue(struct faas_http_req *req)
{
    struct http_reply *reply = &req->reply;
    struct MHD_Response *r = new_response(req);
    enum MHD_Result queued;

    if (!r)
        return false;
    for (size_t i = 0; i < reply->n_headers; i++)
        MHD_add_response_header(r, reply->headers[i].name, reply->headers[i].value);
    if (req->conn->server->draining && !reply->upgrade) /* that has "Connection: Upgrade" */
        MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
    queued = MHD_queue_response(req->conn->mhd, (unsigned)reply->status, r);
    MHD_destroy_response(r);
    reply->response = r; /* there as long as MHD reads it */
    reply->queued = queued == MHD_YES;
    return reply->queued;
}

/* MHD needs room for the whole head in what the request has left of the connection's memory. */
bool http_reply_fits(const struct faas_http_req *req)
{
    return req->mhd_memory + req->reply.head_bytes + MHD_HEAD_RESERVE <=
           req->conn->server->pool_size;
}

bool http_reply_ends_with_connection(const struct faas_http_req *req)
{
    const struct http_reply *reply = &req->reply;

    return reply->upgrade ||
           (reply->begun && reply->length < 0 && req->head.http_1_0 && !reply->bodiless);
}
