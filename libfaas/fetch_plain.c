/* HTTP/1.1 over TCP to an address, one call a connection. */
#include "libfaas/fetch_impl.h"

#include "libfaas/alloc.h"
#include "libfaas/clock.h"
#include "libfaas/http_parse.h"
#include "libfaas/net.h"
#include "libfaas/version.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <strings.h>

enum { MAX_HEAD = 300 * 1024, PIECE = 65536 };

struct target {
    char host[64]; /* "127.0.0.1", "[::1]", "localhost" */
    unsigned port;
    struct faas_str path; /* with the query; borrowed; "": the root */
};

struct plain {
    struct faas_fetch_call base;
    struct target target;
    struct faas_http_parser *parser;
    int fd;
    int64_t deadline_ms; /* INT64_MAX: none */
    struct faas_buf out; /* what goes out next */
    size_t out_sent;
    bool all_sent;
    bool over; /* the answer is complete */
};

static int64_t now_ms(void)
{
    return faas_now_ms(&faas_system_clock);
}

static void plain_deinit(struct plain *p)
{
    if (p->fd >= 0)
        close(p->fd);
    if (p->parser)
        faas_http_parser_free(p->parser);
    faas_buf_deinit(&p->out);
    free(p->base.host);
}

/* Only what needs no second thought: everything else is curl's to read, or to refuse. */
static bool read_url(const char *url, struct target *t)
{
    struct faas_str rest = faas_str_from(url);
    struct faas_str authority, host, port;
    uint64_t number = 80;

    if (!faas_str_istarts(rest, FAAS_STR("http://")))
        return false;
    for (size_t i = 0; i < rest.len; i++)
        if (rest.ptr[i] <= ' ' || rest.ptr[i] >= 0x7f || strchr("#\\\"<>^`{|}", rest.ptr[i]))
            return false;
    rest.ptr += strlen("http://");
    rest.len -= strlen("http://");
    authority = (struct faas_str){.ptr = rest.ptr, .len = strcspn(rest.ptr, "/?")};
    t->path = (struct faas_str){.ptr = rest.ptr + authority.len, .len = rest.len - authority.len};
    host = authority;
    if (authority.len > 0 && authority.ptr[0] == '[')
        host.len = (size_t)(faas_str_find(authority, ']') + 1);
    else if (faas_str_find(authority, ':') >= 0)
        host.len = (size_t)faas_str_find(authority, ':');
    port = (struct faas_str){.ptr = authority.ptr + host.len, .len = authority.len - host.len};
    if (port.len > 0) {
        port.ptr++;
        port.len--;
        if (port.ptr[-1] != ':' || faas_parse_u64(port, &number, NULL) < 0)
            return false;
    }
    if (host.len == 0 || host.len >= sizeof(t->host) || number == 0 || number > 65535)
        return false;
    memcpy(t->host, host.ptr, host.len);
    t->host[host.len] = '\0';
    t->port = (unsigned)number;
    return true;
}

static bool has_proxy(void)
{
    static const char *const names[] = {"http_proxy", "all_proxy", "ALL_PROXY"};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(names); i++)
        if (getenv(names[i]) && *getenv(names[i]))
            return true;
    return faas_fetch_http_proxy() != NULL;
}

/* Names would have to be looked up, which cannot be given up in time. */
static bool is_near(const struct target *t)
{
    struct faas_addr unused;

    if (strcasecmp(t->host, "localhost") == 0)
        return true;
    return faas_addr_parse(t->host, t->port, &unused, NULL) == 0 &&
           (faas_fetch_is_this_machine(t->host) || !has_proxy());
}

static bool is_one_of(struct faas_str name, const char *const *names)
{
    for (; *names; names++)
        if (faas_str_ieq(name, faas_str_from(*names)))
            return true;
    return false;
}

/* Headers that say how the message is to be read change more than they say. */
static bool has_odd_headers(const struct faas_fetch_req *req)
{
    static const char *const odd[] = {
        "content-length", "transfer-encoding", "connection", "expect", "te",
        "trailer",        "upgrade",           NULL};
    struct faas_str name;

    if (!req->headers)
        return false;
    faas_strv_for_each(req->headers, line) if (faas_fetch_check_header(*line, &name, NULL) == 0 &&
                                               is_one_of(name, odd)) return true;
    return false;
}

static bool has_header(const struct faas_fetch_req *req, const char *name)
{
    const char *const names[] = {name, NULL};
    struct faas_str given;

    if (!req->headers)
        return false;
    faas_strv_for_each(req->headers, line) if (faas_fetch_check_header(*line, &given, NULL) == 0 &&
                                               is_one_of(given, names)) return true;
    return false;
}

static void add_default(struct plain *p, const char *name, const char *value)
{
    if (!has_header(p->base.req, name))
        faas_buf_printf(&p->out, "%s: %s\r\n", name, value);
}

static int add_headers(struct plain *p, struct faas_error *err)
{
    const struct faas_fetch_req *req = p->base.req;
    struct faas_str name;

    if (!req->headers)
        return 0;
    faas_strv_for_each(req->headers, line)
    {
        if (faas_fetch_check_header(*line, &name, err) < 0)
            return -1;
        faas_buf_append_str(&p->out, faas_str_trim(faas_str_from(*line)));
        faas_buf_append_z(&p->out, "\r\n");
    }
    return 0;
}

/* The head, and a body that is in memory. */
static int write_request(struct plain *p, struct faas_error *err)
{
    const struct faas_fetch_req *req = p->base.req;
    const struct target *t = &p->target;
    _cleanup_free_ char *agent = faas_asprintf("minnow/%s", faas_version());
    _cleanup_free_ char *host =
        t->port == 80 ? faas_strdup(t->host) : faas_asprintf("%s:%u", t->host, t->port);
    bool root = t->path.len == 0 || t->path.ptr[0] == '?';

    if (faas_fetch_check_method(req->method, err) < 0 ||
        (req->body_fd > 0 && faas_fetch_size_body(&p->base, err) < 0))
        return -1;
    faas_buf_printf(&p->out, "%s %s%.*s HTTP/1.1\r\n", req->method, root ? "/" : "",
                    FAAS_STR_FMT(t->path));
    add_default(p, "Host", host);
    add_default(p, "User-Agent", req->user_agent ? req->user_agent : agent);
    add_default(p, "Accept", "*/*");
    if (add_headers(p, err) < 0)
        return -1;
    faas_buf_append_z(&p->out, "Connection: close\r\n");
    if (req->body_fd > 0)
        faas_buf_printf(&p->out, "Content-Length: %lld\r\n", (long long)p->base.to_send);
    else if (req->body.ptr || faas_fetch_expects_body(req->method))
        faas_buf_printf(&p->out, "Content-Length: %zu\r\n", req->body.len);
    faas_buf_append_z(&p->out, "\r\n");
    if (req->body_fd <= 0)
        faas_buf_append_str(&p->out, req->body);
    return 0;
}

/* What is ready, or 0 when the time is up. */
static short wait_for(const struct plain *p, short events, int64_t deadline_ms)
{
    struct pollfd ready = {.fd = p->fd, .events = events};
    int n;

    do {
        int64_t left = deadline_ms - now_ms();

        if (deadline_ms == INT64_MAX)
            left = -1;
        else if (left < 0)
            left = 0;
        n = poll(&ready, 1, (int)FAAS_MIN(left, (int64_t)INT32_MAX));
    } while (n < 0 && errno == EINTR);
    return n > 0 ? ready.revents : 0;
}

static int connect_failed(const struct plain *p, int why, struct faas_error *err)
{
    return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, why, "connect to %s", p->base.host);
}

static int connect_to(struct plain *p, const char *address, struct faas_error *err)
{
    int64_t deadline = FAAS_MIN(p->deadline_ms, now_ms() + faas_fetch_connect_ms(p->base.req));
    struct faas_error why = {0};
    struct faas_addr addr;
    socklen_t len = sizeof(int);
    int failed = 0;

    if (faas_addr_parse(address, p->target.port, &addr, err) < 0)
        return -1;
    p->fd = faas_connect_start(&addr, &why);
    if (p->fd < 0)
        return connect_failed(p, why.sys_errno, err);
    if (!wait_for(p, POLLOUT, deadline))
        return faas_fetch_timed_out(&p->base, false, err);
    if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &failed, &len) < 0)
        failed = errno;
    if (failed)
        return connect_failed(p, failed, err);
    faas_socket_keepalive(p->fd); /* following a log may be silent for long */
    return 0;
}

static int connect_any(struct plain *p, struct faas_error *err)
{
    if (strcasecmp(p->target.host, "localhost") != 0)
        return connect_to(p, p->target.host, err);
    if (connect_to(p, "127.0.0.1", err) == 0)
        return 0;
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    return connect_to(p, "::1", err);
}

/* Sends as much as goes. A server that has closed its side may have answered: so it is read. */
static int send_some(struct plain *p)
{
    ssize_t n;

    if (p->out_sent == p->out.len) {
        faas_buf_clear(&p->out);
        p->out_sent = 0;
        n = p->base.req->body_fd > 0
                ? faas_fetch_read_body(&p->base, faas_buf_reserve(&p->out, PIECE), PIECE)
                : 0;
        if (n < 0)
            return -1;
        p->out.len = (size_t)n;
        p->all_sent = n == 0;
        if (p->all_sent)
            return 0;
    }
    n = send(p->fd, p->out.data + p->out_sent, p->out.len - p->out_sent, MSG_NOSIGNAL);
    if (n >= 0)
        p->out_sent += (size_t)n;
    else if (errno != EAGAIN && errno != EINTR)
        p->all_sent = true;
    return 0;
}

static bool follows(const struct plain *p)
{
    const struct faas_fetch_req *req = p->base.req;
    bool reading = strcmp(req->method, "GET") == 0 || strcmp(req->method, "HEAD") == 0;

    return reading && req->max_redirects > 0 && !req->body.ptr && req->body_fd <= 0;
}

static int take_head(struct plain *p)
{
    const struct faas_http_response_head *head = faas_http_parser_head(p->parser);

    if (head->n_headers > FAAS_FETCH_MAX_HEADERS) {
        p->base.verdict = FAAS_FETCH_TOO_MANY_HEADERS;
        return -1;
    }
    p->base.resp->status = head->status;
    for (size_t i = 0; i < head->n_headers; i++)
        faas_fetch_keep_header(&p->base, head->headers[i].name, head->headers[i].value);
    return 0;
}

static bool is_redirect(const struct plain *p)
{
    return follows(p) && p->base.resp->status / 100 == 3 &&
           faas_map_get(&p->base.resp->headers, "location");
}

static int broken(const struct plain *p, const struct faas_error *why, struct faas_error *err)
{
    return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "%s: %s", p->base.host, why->msg);
}

static int take_event(struct plain *p, enum faas_http_event event, struct faas_str data,
                      const struct faas_error *why, struct faas_error *err)
{
    switch (event) {
    case FAAS_HTTP_HEAD:
        if (take_head(p) < 0)
            return faas_fetch_judge(&p->base, err);
        if (faas_http_parser_head(p->parser)->upgraded)
            return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "%s: it changed the protocol unasked",
                             p->base.host);
        if (is_redirect(p))
            p->over = true;
        else
            faas_fetch_tell_status(&p->base);
        return 0;
    case FAAS_HTTP_BODY:
        return faas_fetch_take_body(&p->base, data) ? 0 : faas_fetch_judge(&p->base, err);
    case FAAS_HTTP_END:
        p->over = true;
        return 0;
    case FAAS_HTTP_ERROR:
        return broken(p, why, err);
    case FAAS_HTTP_NEED_MORE:
        break;
    }
    return 0;
}

static int parse(struct plain *p, struct faas_str in, struct faas_error *err)
{
    enum faas_http_event event;

    do {
        struct faas_error why = {0};
        struct faas_str data = {0};

        event = faas_http_parser_next(p->parser, &in, &data, &why);
        if (take_event(p, event, data, &why, err) < 0)
            return -1;
    } while (event != FAAS_HTTP_NEED_MORE && !p->over);
    return 0;
}

static int receive_some(struct plain *p, struct faas_error *err)
{
    struct faas_error why = {0};
    char piece[PIECE];
    ssize_t n = recv(p->fd, piece, sizeof(piece), 0);

    if (n > 0)
        return parse(p, (struct faas_str){.ptr = piece, .len = (size_t)n}, err);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0)
        return faas_fail_errno(err, FAAS_ERR_BAD_GATEWAY, errno, "%s", p->base.host);
    return take_event(p, faas_http_parser_eof(p->parser, &why), (struct faas_str){0}, &why, err);
}

static int exchange(struct plain *p, struct faas_error *err)
{
    while (!p->over) {
        short ready = wait_for(p, p->all_sent ? POLLIN : POLLIN | POLLOUT, p->deadline_ms);

        if (!ready)
            return faas_fetch_timed_out(&p->base, true, err);
        if ((ready & POLLOUT) && !p->all_sent && send_some(p) < 0)
            return faas_fetch_judge(&p->base, err);
        if ((ready & ~POLLOUT) && receive_some(p, err) < 0)
            return -1;
    }
    return 0;
}

static int call(struct plain *p, struct faas_error *err)
{
    p->base.host = faas_asprintf("%s:%u", p->target.host, p->target.port);
    if (write_request(p, err) < 0 || connect_any(p, err) < 0)
        return -1;
    p->parser = faas_http_parser_new(MAX_HEAD);
    faas_http_parser_reset(p->parser, strcmp(p->base.req->method, "HEAD") == 0);
    return exchange(p, err);
}

/* Where a redirect leads, when it says so in whole or from the root on. Heap, or NULL. */
static char *next_url(const struct plain *p)
{
    const char *location = faas_map_get(&p->base.resp->headers, "location");

    if (strstr(location, "://"))
        return faas_strdup(location);
    if (location[0] != '/' || location[1] == '/')
        return NULL;
    return faas_asprintf("http://%s:%u%s", p->target.host, p->target.port, location);
}

static bool same_origin(const struct plain *p, const char *url)
{
    struct target t;

    return read_url(url, &t) && strcasecmp(t.host, p->target.host) == 0 && t.port == p->target.port;
}

/* The headers, without the credentials when it goes elsewhere. */
static void copy_headers(const struct plain *p, const char *url, struct faas_strv *out)
{
    bool same = same_origin(p, url);
    struct faas_str name;

    if (!p->base.req->headers)
        return;
    faas_strv_for_each(p->base.req->headers,
                       line) if (same || (faas_fetch_check_header(*line, &name, NULL) == 0 &&
                                          !faas_str_ieq(name, FAAS_STR("Authorization"))))
        faas_strv_add(out, *line);
}

static int follow_to(const struct plain *p, const char *url, struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv headers = {0};
    struct faas_fetch_req req = *p->base.req;
    int rc;

    copy_headers(p, url, &headers);
    req.headers = &headers;
    req.url = url;
    req.max_redirects--;
    if (req.max_redirects > 0)
        rc = faas_fetch(&req, p->base.resp, err);
    else /* for whom one more is an error */
        rc = faas_fetch_by_curl(&req, true, p->base.resp, err);
    if (rc < 0 && err->code == FAAS_ERR_INVALID) /* nobody here wrote that URL */
        return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "%s: it redirects to nowhere", p->base.host);
    return rc;
}

static int follow(struct plain *p, struct faas_error *err)
{
    _cleanup_free_ char *url = next_url(p);
    struct faas_error why = {0};
    int rc;

    close(p->fd); /* some servers take one connection at a time */
    p->fd = -1;
    faas_fetch_resp_deinit(p->base.resp);
    if (url)
        rc = follow_to(p, url, &why);
    else /* relative to the path: asked once more, by somebody who can tell */
        rc = faas_fetch_by_curl(p->base.req, true, p->base.resp, &why);
    return rc == 0 || why.code == FAAS_ERR_NONE ? rc : faas_fail(err, why.code, "%s", why.msg);
}

enum faas_fetch_outcome faas_fetch_plain(const struct faas_fetch_req *req,
                                         struct faas_fetch_resp *resp, struct faas_error *err)
{
    _cleanup_(plain_deinit) struct plain p = {
        .base = {.req = req, .resp = resp},
        .fd = -1,
        .deadline_ms = req->timeout_ms > 0 ? now_ms() + req->timeout_ms : INT64_MAX,
    };

    if (!read_url(req->url, &p.target) || !is_near(&p.target) || has_odd_headers(req))
        return FAAS_FETCH_FOR_CURL;
    if (call(&p, err) < 0)
        return FAAS_FETCH_FAILED;
    if (is_redirect(&p))
        return follow(&p, err) < 0 ? FAAS_FETCH_FAILED : FAAS_FETCH_DONE;
    faas_fetch_tell_status(&p.base);
    return FAAS_FETCH_DONE;
}
