#include "libfaas/fetch_impl.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void faas_fetch_resp_deinit(struct faas_fetch_resp *resp)
{
    faas_buf_deinit(&resp->body);
    faas_map_deinit(&resp->headers);
    *resp = (struct faas_fetch_resp){0};
}

int64_t faas_fetch_connect_ms(const struct faas_fetch_req *req)
{
    return req->connect_timeout_ms > 0 ? req->connect_timeout_ms : FAAS_FETCH_CONNECT_MS;
}

const char *faas_fetch_http_proxy(void)
{
    const char *proxy = getenv("HTTP_PROXY");

    return proxy && *proxy && !getenv("http_proxy") && !getenv("REQUEST_METHOD") ? proxy : NULL;
}

bool faas_fetch_is_this_machine(const char *host)
{
    struct faas_str h = faas_str_from(host);

    return faas_str_ieq(h, FAAS_STR("localhost")) || faas_str_ends(h, FAAS_STR(".localhost")) ||
           faas_str_eqz(h, "[::1]") ||
           (faas_str_starts(h, FAAS_STR("127.")) && strspn(host, "0123456789.") == h.len);
}

static bool is_token(struct faas_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!isalnum((unsigned char)s.ptr[i]) && !strchr("!#$%&'*+-.^_`|~", s.ptr[i]))
            return false;
    }
    return s.len > 0;
}

int faas_fetch_check_method(const char *method, struct faas_error *err)
{
    if (is_token(faas_str_from(method)))
        return 0;
    return faas_fail(err, FAAS_ERR_INVALID, "\"%.20s\" is not an HTTP method", method);
}

int faas_fetch_check_header(const char *line, struct faas_str *name, struct faas_error *err)
{
    const char *colon = strchr(line, ':');

    *name = (struct faas_str){.ptr = line, .len = colon ? (size_t)(colon - line) : 0};
    if (!is_token(*name))
        return faas_fail(err, FAAS_ERR_INVALID, "a header must be \"Name: value\"");
    if (strpbrk(line, "\r\n"))
        return faas_fail(err, FAAS_ERR_INVALID, "header %.*s has a line break in it",
                         FAAS_STR_FMT(*name));
    return 0;
}

bool faas_fetch_expects_body(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

int faas_fetch_size_body(struct faas_fetch_call *c, struct faas_error *err)
{
    struct stat st;

    if (fstat(c->req->body_fd, &st) < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "read the body");
    if (!S_ISREG(st.st_mode))
        return faas_fail(err, FAAS_ERR_INTERNAL, "the body to send is not a file");
    c->to_send = st.st_size;
    return 0;
}

ssize_t faas_fetch_read_body(struct faas_fetch_call *c, void *to, size_t max)
{
    size_t want = (size_t)FAAS_MIN((off_t)max, c->to_send - c->sent);
    ssize_t got;

    do {
        got = want ? pread(c->req->body_fd, to, want, c->sent) : 0;
    } while (got < 0 && errno == EINTR);
    if (got < 0 || (got == 0 && want > 0)) { /* 0: somebody cut the file off meanwhile */
        c->verdict = FAAS_FETCH_BODY_UNREADABLE;
        c->body_errno = got < 0 ? errno : EIO;
        return -1;
    }
    c->sent += got;
    return got;
}

void faas_fetch_keep_header(struct faas_fetch_call *c, struct faas_str name, struct faas_str value)
{
    _cleanup_buf_ struct faas_buf lower = {0};

    for (size_t i = 0; i < name.len; i++)
        faas_buf_append_c(&lower, (char)tolower((unsigned char)name.ptr[i]));
    faas_map_set_str(&c->resp->headers, faas_buf_str(&lower), faas_str_trim(value));
}

void faas_fetch_tell_status(struct faas_fetch_call *c)
{
    if (c->status_told)
        return;
    c->status_told = true;
    if (c->req->on_status)
        c->req->on_status(c->req->arg, c->resp->status);
}

static size_t max_body(const struct faas_fetch_call *c)
{
    return c->req->max_body ? c->req->max_body : FAAS_FETCH_MAX_BODY;
}

bool faas_fetch_take_body(struct faas_fetch_call *c, struct faas_str data)
{
    faas_fetch_tell_status(c);
    if (c->req->sink) {
        if (c->req->sink(c->req->arg, data) < 0)
            c->verdict = FAAS_FETCH_SINK_REFUSED;
    } else if (data.len > max_body(c) - c->resp->body.len) {
        c->verdict = FAAS_FETCH_BODY_TOO_LARGE;
    } else {
        faas_buf_append_str(&c->resp->body, data);
    }
    return c->verdict == FAAS_FETCH_GOES_ON;
}

int faas_fetch_judge(const struct faas_fetch_call *c, struct faas_error *err)
{
    switch (c->verdict) {
    case FAAS_FETCH_SINK_REFUSED:
        return -1; /* whoever refused has said why */
    case FAAS_FETCH_BODY_TOO_LARGE:
        return faas_fail(err, FAAS_ERR_TOO_LARGE, "%s: the answer is larger than %zu bytes",
                         c->host, max_body(c));
    case FAAS_FETCH_TOO_MANY_HEADERS:
        return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "%s: the answer has more than %d headers",
                         c->host, FAAS_FETCH_MAX_HEADERS);
    default:
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, c->body_errno, "read the body for %s",
                               c->host);
    }
}

int faas_fetch_timed_out(const struct faas_fetch_call *c, bool connected, struct faas_error *err)
{
    int64_t connect_ms = faas_fetch_connect_ms(c->req), total_ms = c->req->timeout_ms;

    if (connected)
        return faas_fail(err, FAAS_ERR_TIMEOUT, "%s: no complete answer within %lld ms", c->host,
                         (long long)total_ms);
    if (total_ms > 0)
        connect_ms = FAAS_MIN(connect_ms, total_ms);
    return faas_fail(err, FAAS_ERR_UNAVAILABLE, "%s: no connection within %lld ms", c->host,
                     (long long)connect_ms);
}
