#include "watchdog/http_get.h"

#include "libfaas/alloc.h"
#include "libfaas/http_parse.h"
#include "libfaas/url.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

enum {
    HEAD_MAX = 16 * 1024,
    CONNECT_SECONDS = 2, /* of one address, so that there is time for the next */
};

/* --- connection --- */

static int connect_to(const struct faas_addr *addr, struct faas_error *err)
{
    const struct timeval limit = {.tv_sec = CONNECT_SECONDS};
    _cleanup_close_ int fd = socket(addr->ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, errno, "make a socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (connect(fd, (const struct sockaddr *)&addr->ss, addr->len) < 0)
        return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, errno == EINPROGRESS ? ETIMEDOUT : errno,
                               "connect");
    return faas_steal_fd(&fd);
}

static int connect_by_name(const struct faas_url *u, struct faas_error *err)
{
    _cleanup_free_ char *host = faas_str_dup(u->host);
    struct faas_addr addrs[FAAS_MAX_ADDRS];
    int n = faas_resolve(host, u->port, addrs, err);
    int fd = -1;

    for (int i = 0; i < n && fd < 0; i++)
        fd = connect_to(&addrs[i], err);
    return fd;
}

/* --- exchange --- */

static int send_request(int fd, const struct faas_url *u, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf head = {0};
    size_t done = 0;

    faas_buf_printf(&head,
                    "GET %s%.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: openfaas-watchdog\r\n"
                    "Accept: application/json\r\nConnection: close\r\n\r\n",
                    u->path.len ? "" : "/", FAAS_STR_FMT(u->path), FAAS_STR_FMT(u->authority));
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

static int get(const struct faas_url *u, struct faas_buf *body, struct faas_error *err)
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
    struct faas_url u;

    if (faas_url_parse(&u, faas_str_from(url), err) < 0)
        return -1;
    if (!faas_url_is_plain(&u))
        return faas_fail(err, FAAS_ERR_UNSUPPORTED, "\"%.120s\": only http is spoken here", url);
    if (get(&u, body, err) < 0)
        return faas_error_wrap(err, "GET %.120s", url);
    return 0;
}
