#include "libfaas/fetch.h"

#include "libfaas/alloc.h"
#include "libfaas/version.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>

#define CONNECT_TIMEOUT_MS 30000
#define MAX_HEADERS        1000 /* of an answer */

/* Why we, not curl, ended a call. */
enum verdict { GOING_ON, SINK_REFUSED, BODY_TOO_LARGE, TOO_MANY_HEADERS, BODY_UNREADABLE };

struct call {
    const struct faas_fetch_req *req;
    struct faas_fetch_resp *resp;
    CURL *easy;
    struct curl_slist *headers;
    char *host; /* "name:port", for people */
    bool local; /* the host is this machine */
    bool follow;
    off_t sent; /* of body_fd */
    off_t to_send;
    bool status_told;
    enum verdict verdict;
    int body_errno;
    char why[CURL_ERROR_SIZE];
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready;

static void init_curl(void)
{
    curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void call_deinit(struct call *c)
{
    curl_easy_cleanup(c->easy);
    curl_slist_free_all(c->headers);
    free(c->host);
}

void faas_fetch_resp_deinit(struct faas_fetch_resp *resp)
{
    faas_buf_deinit(&resp->body);
    faas_map_deinit(&resp->headers);
    *resp = (struct faas_fetch_resp){0};
}

static void free_url(CURLU **u)
{
    curl_url_cleanup(*u);
}

static void free_curl(char **s)
{
    curl_free(*s);
}

static bool is_this_machine(const char *host)
{
    struct faas_str h = faas_str_from(host);

    return faas_str_ieq(h, FAAS_STR("localhost")) || faas_str_ends(h, FAAS_STR(".localhost")) ||
           faas_str_eqz(h, "[::1]") ||
           (faas_str_starts(h, FAAS_STR("127.")) && strspn(host, "0123456789.") == h.len);
}

static int read_url(struct call *c, struct faas_error *err)
{
    _cleanup_(free_url) CURLU *u = curl_url();
    _cleanup_(free_curl) char *scheme = NULL;
    _cleanup_(free_curl) char *host = NULL;
    _cleanup_(free_curl) char *port = NULL;
    CURLUcode rc = curl_url_set(u, CURLUPART_URL, c->req->url, CURLU_PATH_AS_IS);
    bool other_scheme = rc == CURLUE_BAD_SCHEME || rc == CURLUE_UNSUPPORTED_SCHEME;

    if (rc == CURLUE_OK) {
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0);
        other_scheme = !scheme || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0);
    }
    if (other_scheme)
        return faas_fail(err, FAAS_ERR_INVALID, "a URL must begin with http:// or https://");
    if (rc == CURLUE_OK)
        rc = curl_url_get(u, CURLUPART_HOST, &host, 0);
    if (rc == CURLUE_OK)
        rc = curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (rc != CURLUE_OK)
        return faas_fail(err, FAAS_ERR_INVALID, "not a URL: %s", curl_url_strerror(rc));
    c->host = faas_asprintf("%.150s:%s", host, port);
    c->local = is_this_machine(host);
    return 0;
}

static bool is_token(struct faas_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!isalnum((unsigned char)s.ptr[i]) && !strchr("!#$%&'*+-.^_`|~", s.ptr[i]))
            return false;
    }
    return s.len > 0;
}

static void add_header(struct call *c, const char *line)
{
    struct curl_slist *longer = curl_slist_append(c->headers, line);

    if (!longer)
        abort(); /* no memory */
    c->headers = longer;
}

/* line is "Name: value". Values may be secret: errors name names only. */
static int take_header(struct call *c, const char *line, bool *has_type, struct faas_error *err)
{
    const char *colon = strchr(line, ':');
    struct faas_str name = {.ptr = line, .len = colon ? (size_t)(colon - line) : 0};

    if (!is_token(name))
        return faas_fail(err, FAAS_ERR_INVALID, "a header must be \"Name: value\"");
    if (strpbrk(line, "\r\n"))
        return faas_fail(err, FAAS_ERR_INVALID, "header %.*s has a line break in it",
                         FAAS_STR_FMT(name));
    if (faas_str_ieq(name, FAAS_STR("Content-Type")))
        *has_type = true;
    if (colon[1 + strspn(colon + 1, " \t")] == '\0') {
        /* curl's spelling for a header that is there but empty; "Name:" would take it away */
        _cleanup_free_ char *empty = faas_asprintf("%.*s;", FAAS_STR_FMT(name));

        add_header(c, empty);
        return 0;
    }
    add_header(c, line);
    return 0;
}

static int take_headers(struct call *c, struct faas_error *err)
{
    bool has_type = false;

    if (c->req->headers) {
        faas_strv_for_each(c->req->headers, line)
        {
            if (take_header(c, *line, &has_type, err) < 0)
                return -1;
        }
    }
    add_header(c, "Expect:"); /* else curl waits a second for a "100 Continue" */
    if (!has_type)
        add_header(c, "Content-Type:"); /* else curl claims that every POST is a form */
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
    return 0;
}

/* By offset: the descriptor's own position is somebody else's. */
static size_t on_read(char *to, size_t size, size_t n, void *arg)
{
    struct call *c = arg;
    size_t want = (size_t)FAAS_MIN((off_t)(size * n), c->to_send - c->sent);
    ssize_t got;

    do {
        got = want ? pread(c->req->body_fd, to, want, c->sent) : 0;
    } while (got < 0 && errno == EINTR);
    if (got < 0 || (got == 0 && want > 0)) { /* 0: somebody cut the file off meanwhile */
        c->verdict = BODY_UNREADABLE;
        c->body_errno = got < 0 ? errno : EIO;
        return CURL_READFUNC_ABORT;
    }
    c->sent += got;
    return (size_t)got;
}

static int on_seek(void *arg, curl_off_t offset, int origin)
{
    struct call *c = arg;

    if (origin != SEEK_SET || offset < 0 || offset > c->to_send)
        return CURL_SEEKFUNC_CANTSEEK;
    c->sent = offset;
    return CURL_SEEKFUNC_OK;
}

static int send_file(struct call *c, struct faas_error *err)
{
    struct stat st;

    if (fstat(c->req->body_fd, &st) < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "read the body");
    if (!S_ISREG(st.st_mode))
        return faas_fail(err, FAAS_ERR_INTERNAL, "the body to send is not a file");
    c->to_send = st.st_size;
    curl_easy_setopt(c->easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(c->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)st.st_size);
    curl_easy_setopt(c->easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(c->easy, CURLOPT_READDATA, c);
    curl_easy_setopt(c->easy, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(c->easy, CURLOPT_SEEKDATA, c);
    return 0;
}

static bool expects_body(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

static int take_method_and_body(struct call *c, struct faas_error *err)
{
    const struct faas_fetch_req *req = c->req;
    bool get = strcmp(req->method, "GET") == 0;
    bool head = strcmp(req->method, "HEAD") == 0;

    if (!is_token(faas_str_from(req->method)))
        return faas_fail(err, FAAS_ERR_INVALID, "\"%.20s\" is not an HTTP method", req->method);
    if (req->body_fd > 0) {
        if (send_file(c, err) < 0)
            return -1;
    } else if (req->body.ptr || expects_body(req->method)) {
        curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body.len);
        curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, req->body.len ? req->body.ptr : "");
    } else if (head) {
        curl_easy_setopt(c->easy, CURLOPT_NOBODY, 1L);
    } else {
        curl_easy_setopt(c->easy, CURLOPT_HTTPGET, 1L);
    }
    if (req->body_fd > 0 || req->body.ptr || !(get || head))
        curl_easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, req->method);
    else
        c->follow = req->max_redirects > 0;
    return 0;
}

static void tell_status(struct call *c)
{
    if (c->status_told)
        return;
    c->status_told = true;
    if (c->req->on_status)
        c->req->on_status(c->req->arg, c->resp->status);
}

static bool will_be_followed(const struct call *c)
{
    return c->follow && c->resp->status / 100 == 3 && faas_map_get(&c->resp->headers, "location");
}

static void begin_answer(struct call *c, struct faas_str status_line)
{
    struct faas_str rest = status_line;
    uint64_t status = 0;

    faas_map_deinit(&c->resp->headers); /* those of a redirect or a 1xx before it */
    faas_str_split(&rest, ' ');
    if (faas_parse_u64(faas_str_split(&rest, ' '), &status, NULL) == 0 && status < 1000)
        c->resp->status = (int)status;
}

static void keep_header(struct call *c, struct faas_str line)
{
    struct faas_str value = line;
    struct faas_str name = faas_str_split(&value, ':');
    _cleanup_buf_ struct faas_buf lower = {0};

    for (size_t i = 0; i < name.len; i++)
        faas_buf_append_c(&lower, (char)tolower((unsigned char)name.ptr[i]));
    faas_map_set_str(&c->resp->headers, faas_buf_str(&lower), faas_str_trim(value));
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct call *c = arg;
    struct faas_str line = faas_str_trim((struct faas_str){.ptr = p, .len = size * n});

    if (c->resp->headers.len >= MAX_HEADERS) {
        c->verdict = TOO_MANY_HEADERS;
        return 0;
    }
    if (line.len == 0) {
        if (c->resp->status >= 200 && !will_be_followed(c))
            tell_status(c);
    } else if (faas_str_starts(line, FAAS_STR("HTTP/"))) {
        begin_answer(c, line);
    } else if (faas_str_find(line, ':') > 0) {
        keep_header(c, line);
    }
    return size * n;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct call *c = arg;
    struct faas_str data = {.ptr = p, .len = size * n};
    size_t max = c->req->max_body ? c->req->max_body : FAAS_FETCH_MAX_BODY;

    tell_status(c);
    if (c->req->sink) {
        if (c->req->sink(c->req->arg, data) < 0) {
            c->verdict = SINK_REFUSED;
            return 0;
        }
        return data.len;
    }
    if (data.len > max - c->resp->body.len) {
        c->verdict = BODY_TOO_LARGE;
        return 0;
    }
    faas_buf_append_str(&c->resp->body, data);
    return data.len;
}

static int64_t connect_timeout(const struct faas_fetch_req *req)
{
    return req->connect_timeout_ms > 0 ? req->connect_timeout_ms : CONNECT_TIMEOUT_MS;
}

static void set_options(struct call *c)
{
    const struct faas_fetch_req *req = c->req;
    _cleanup_free_ char *agent = faas_asprintf("minnow/%s", faas_version());

    curl_easy_setopt(c->easy, CURLOPT_URL, req->url);
    curl_easy_setopt(c->easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c->easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L); /* SIGALRM and threads do not mix */
    curl_easy_setopt(c->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->why);
    curl_easy_setopt(c->easy, CURLOPT_USERAGENT, req->user_agent ? req->user_agent : agent);
    curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_timeout(req));
    curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)req->timeout_ms);
    curl_easy_setopt(c->easy, CURLOPT_FOLLOWLOCATION, c->follow ? 1L : 0L);
    curl_easy_setopt(c->easy, CURLOPT_MAXREDIRS, (long)req->max_redirects);
    curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYPEER, req->insecure_tls ? 0L : 1L);
    curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYHOST, req->insecure_tls ? 0L : 2L);
    curl_easy_setopt(c->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS,
                     1L); /* a proxy's, not the answer's */
    curl_easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c->easy, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
    if (c->local)
        curl_easy_setopt(c->easy, CURLOPT_PROXY, "");
}

static int our_verdict(const struct call *c, struct faas_error *err)
{
    switch (c->verdict) {
    case SINK_REFUSED:
        return -1; /* whoever refused has said why */
    case BODY_TOO_LARGE:
        return faas_fail(err, FAAS_ERR_TOO_LARGE, "%s: the answer is larger than %zu bytes",
                         c->host, c->req->max_body ? c->req->max_body : FAAS_FETCH_MAX_BODY);
    case TOO_MANY_HEADERS:
        return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "%s: the answer has more than %d headers",
                         c->host, MAX_HEADERS);
    default:
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, c->body_errno, "read the body for %s",
                               c->host);
    }
}

static int timed_out(const struct call *c, struct faas_error *err)
{
    int64_t connect_ms = connect_timeout(c->req), total_ms = c->req->timeout_ms;
    curl_off_t ready_us = 0;

    curl_easy_getinfo(c->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    if (ready_us > 0)
        return faas_fail(err, FAAS_ERR_TIMEOUT, "%s: no complete answer within %lld ms", c->host,
                         (long long)total_ms);
    if (total_ms > 0)
        connect_ms = FAAS_MIN(connect_ms, total_ms);
    return faas_fail(err, FAAS_ERR_UNAVAILABLE, "%s: no connection within %lld ms", c->host,
                     (long long)connect_ms);
}

static int explain(const struct call *c, CURLcode rc, struct faas_error *err)
{
    const char *why = *c->why ? c->why : curl_easy_strerror(rc);
    long e = 0;

    if (c->verdict != GOING_ON)
        return our_verdict(c, err);
    switch (rc) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return faas_fail(err, FAAS_ERR_UNAVAILABLE, "connect to %s: there is no such host",
                         c->host);
    case CURLE_COULDNT_RESOLVE_PROXY:
        return faas_fail(err, FAAS_ERR_UNAVAILABLE, "connect to %s: %.100s", c->host, why);
    case CURLE_COULDNT_CONNECT:
        curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &e);
        if (e == 0)
            return faas_fail(err, FAAS_ERR_UNAVAILABLE, "connect to %s: %.100s", c->host, why);
        return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, (int)e, "connect to %s", c->host);
    case CURLE_OPERATION_TIMEDOUT:
        return timed_out(c, err);
    default:
        return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "%s: %.100s", c->host, why);
    }
}

static int perform(struct call *c, struct faas_error *err)
{
    CURLcode rc;

    if (read_url(c, err) < 0 || take_method_and_body(c, err) < 0 || take_headers(c, err) < 0)
        return -1;
    set_options(c);
    rc = curl_easy_perform(c->easy);
    if (rc != CURLE_OK)
        return explain(c, rc, err);
    tell_status(c);
    return 0;
}

int faas_fetch(const struct faas_fetch_req *req, struct faas_fetch_resp *resp,
               struct faas_error *err)
{
    _cleanup_(call_deinit) struct call c = {.req = req, .resp = resp};

    *resp = (struct faas_fetch_resp){0};
    pthread_once(&curl_once, init_curl);
    c.easy = curl_ready == CURLE_OK ? curl_easy_init() : NULL;
    if (!c.easy)
        return faas_fail(err, FAAS_ERR_INTERNAL, "cannot set up the HTTP client");
    if (perform(&c, err) < 0) {
        faas_fetch_resp_deinit(resp);
        return -1;
    }
    return 0;
}
