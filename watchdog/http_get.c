#include "watchdog/http_get.h"

#include "libfaas/alloc.h"
#include "libfaas/http_parse.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

enum {
    URL_MAX = 2048,
    HEAD_MAX = 16 * 1024,
    CONNECT_SECONDS = 2, /* of one address, so that there is time for the next */
    HTTP_PORT = 80,
    HTTPS_PORT = 443,
};

/* --- URL --- */

static bool is_clean(struct faas_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
            return false;
    return true;
}

static bool split_port(struct wd_url *u)
{
    struct faas_str rest = u->authority;
    ptrdiff_t end;
    uint64_t port;

    if (rest.len && rest.ptr[0] == '[') {
        end = faas_str_find(rest, ']');
        if (end < 0)
            return false;
        u->host = (struct faas_str){.ptr = rest.ptr + 1, .len = (size_t)end - 1};
        rest.ptr += end + 1;
        rest.len -= (size_t)end + 1;
    } else {
        u->host = faas_str_split(&rest, ':');
        if (!rest.ptr)
            return true;
        rest.ptr--; /* with the colon again, as behind a bracket */
        rest.len++;
    }
    if (rest.len == 0)
        return true;
    if (rest.ptr[0] != ':' ||
        faas_parse_u64((struct faas_str){rest.ptr + 1, rest.len - 1}, &port, NULL) < 0 ||
        port == 0 || port > 65535)
        return false;
    u->port = (unsigned)port;
    return true;
}

static bool parse_url(struct wd_url *u, struct faas_str url)
{
    static const struct {
        struct faas_str prefix;
        unsigned port;
    } schemes[] = {
        {FAAS_STR_INIT("http://"), HTTP_PORT},
        {FAAS_STR_INIT("https://"), HTTPS_PORT},
    };
    size_t slash;

    if (url.len > URL_MAX || !is_clean(url) || faas_str_find(url, '#') >= 0)
        return false;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(schemes); i++) {
        if (!faas_str_istarts(url, schemes[i].prefix))
            continue;
        u->scheme = (struct faas_str){.ptr = url.ptr, .len = schemes[i].prefix.len - 3};
        u->port = schemes[i].port;
        url.ptr += schemes[i].prefix.len;
        url.len -= schemes[i].prefix.len;
        for (slash = 0; slash < url.len && url.ptr[slash] != '/'; slash++)
            ;
        u->authority = (struct faas_str){.ptr = url.ptr, .len = slash};
        u->path = (struct faas_str){.ptr = url.ptr + slash, .len = url.len - slash};
        if (u->path.len == 0)
            u->path = FAAS_STR("/");
        return faas_str_find(u->authority, '@') < 0 && faas_str_find(u->authority, '?') < 0 &&
               split_port(u) && u->host.len > 0;
    }
    return false;
}

int wd_url_parse(struct wd_url *out, const char *url, struct faas_error *err)
{
    *out = (struct wd_url){0};
    if (parse_url(out, faas_str_from(url)))
        return 0;
    return faas_fail(err, FAAS_ERR_INVALID, "\"%.120s\" is no URL of http", url);
}

/* --- connection --- */

static int connect_to(const struct addrinfo *a, struct faas_error *err)
{
    const struct timeval limit = {.tv_sec = CONNECT_SECONDS};
    _cleanup_close_ int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);

    if (fd < 0)
        return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, errno, "make a socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (connect(fd, a->ai_addr, a->ai_addrlen) < 0)
        return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, errno == EINPROGRESS ? ETIMEDOUT : errno,
                               "connect");
    return faas_steal_fd(&fd);
}

static int connect_by_name(const struct wd_url *u, struct faas_error *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    _cleanup_free_ char *host = faas_str_dup(u->host);
    struct addrinfo *found = NULL;
    char port[16];
    int fd = -1;
    int failed;

    snprintf(port, sizeof(port), "%u", u->port);
    failed = getaddrinfo(host, port, &hints, &found);
    if (failed)
        return faas_fail(err, FAAS_ERR_UNAVAILABLE, "look up %.64s: %s", host,
                         gai_strerror(failed));
    for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next)
        fd = connect_to(a, err);
    freeaddrinfo(found);
    return fd;
}

/* --- exchange --- */

static int send_request(int fd, const struct wd_url *u, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf head = {0};
    size_t done = 0;

    faas_buf_printf(&head,
                    "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: openfaas-watchdog\r\n"
                    "Accept: application/json\r\nConnection: close\r\n\r\n",
                    FAAS_STR_FMT(u->path), FAAS_STR_FMT(u->authority));
    while (done < head.len) {
        ssize_t n = send(fd, head.data + done, head.len - done, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return faas_fail_errno(err, FAAS_ERR_BAD_GATEWAY, errno, "send");
        done += (size_t)n;
    }
    return 0;
}

/* 1: complete; 0: more is needed. */
static int take(struct faas_http_parser *parser, struct faas_str in, struct faas_buf *body,
                struct faas_error *err)
{
    for (;;) {
        struct faas_str data;

        switch (faas_http_parser_next(parser, &in, &data, err)) {
        case FAAS_HTTP_NEED_MORE:
            return 0;
        case FAAS_HTTP_HEAD:
            if (faas_http_parser_head(parser)->status != 200)
                return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "status %d",
                                 faas_http_parser_head(parser)->status);
            break;
        case FAAS_HTTP_BODY:
            if (body->len + data.len > WD_HTTP_GET_MAX)
                return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "longer than %d bytes",
                                 WD_HTTP_GET_MAX);
            faas_buf_append_str(body, data);
            break;
        case FAAS_HTTP_END:
            return 1;
        case FAAS_HTTP_ERROR:
            return -1;
        }
    }
}

static int receive(int fd, struct faas_http_parser *parser, struct faas_buf *body,
                   struct faas_error *err)
{
    char piece[16384];
    int complete = 0;

    while (!complete) {
        ssize_t n = recv(fd, piece, sizeof(piece), 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return faas_fail_errno(err, FAAS_ERR_BAD_GATEWAY, errno, "receive");
        if (n == 0)
            return faas_http_parser_eof(parser, err) == FAAS_HTTP_END ? 0 : -1;
        complete = take(parser, (struct faas_str){.ptr = piece, .len = (size_t)n}, body, err);
        if (complete < 0)
            return -1;
    }
    return 0;
}

static int get(const struct wd_url *u, struct faas_buf *body, struct faas_error *err)
{
    _cleanup_close_ int fd = connect_by_name(u, err);
    struct faas_http_parser *parser;
    int r;

    if (fd < 0 || send_request(fd, u, err) < 0)
        return -1;
    parser = faas_http_parser_new(HEAD_MAX);
    faas_http_parser_reset(parser, false);
    r = receive(fd, parser, body, err);
    faas_http_parser_free(parser);
    return r;
}

int wd_http_get(const char *url, struct faas_buf *body, struct faas_error *err)
{
    struct wd_url u;

    if (wd_url_parse(&u, url, err) < 0)
        return -1;
    if (!faas_str_ieq(u.scheme, FAAS_STR("http")))
        return faas_fail(err, FAAS_ERR_UNSUPPORTED, "\"%.120s\": only http is spoken here", url);
    if (get(&u, body, err) < 0)
        return faas_error_wrap(err, "GET %.120s", url);
    return 0;
}
