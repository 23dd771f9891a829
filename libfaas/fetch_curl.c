#include "libfaas/alloc.h"
#include "libfaas/curl_lazy.h"
#include "libfaas/fetch_impl.h"
#include "libfaas/version.h"

#include <pthread.h>
#include <stdio.h>

struct call {
    struct faas_fetch_call base;
    CURL *easy;
    struct curl_slist *headers;
    bool local; /* the host is this machine */
    bool follow;
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
    if (c->easy)
        curl_easy_cleanup(c->easy);
    if (c->headers)
        curl_slist_free_all(c->headers);
    free(c->base.host);
}

static void free_url(CURLU **u)
{
    curl_url_cleanup(*u);
}

static void free_curl(char **s)
{
    curl_free(*s);
}

static int read_url(struct call *c, struct faas_error *err)
{
    _cleanup_(free_url) CURLU *u = curl_url();
    _cleanup_(free_curl) char *scheme = NULL;
    _cleanup_(free_curl) char *host = NULL;
    _cleanup_(free_curl) char *port = NULL;
    CURLUcode rc = curl_url_set(u, CURLUPART_URL, c->base.req->url, CURLU_PATH_AS_IS);
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
    c->base.host = faas_asprintf("%.150s:%s", host, port);
    c->local = faas_fetch_is_this_machine(host);
    return 0;
}

static void add_header(struct call *c, const char *line)
{
    struct curl_slist *longer = curl_slist_append(c->headers, line);

    if (!longer)
        abort(); /* no memory */
    c->headers = longer;
}

static int take_header(struct call *c, const char *line, bool *has_type, struct faas_error *err)
{
    struct faas_str name;

    if (faas_fetch_check_header(line, &name, err) < 0)
        return -1;
    if (faas_str_ieq(name, FAAS_STR("Content-Type")))
        *has_type = true;
    if (line[name.len + 1 + strspn(line + name.len + 1, " \t")] == '\0') {
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

    if (c->base.req->headers) {
        faas_strv_for_each(c->base.req->headers, line)
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

static size_t on_read(char *to, size_t size, size_t n, void *arg)
{
    struct call *c = arg;
    ssize_t got = faas_fetch_read_body(&c->base, to, size * n);

    return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

static int on_seek(void *arg, curl_off_t offset, int origin)
{
    struct call *c = arg;

    if (origin != SEEK_SET || offset < 0 || offset > c->base.to_send)
        return CURL_SEEKFUNC_CANTSEEK;
    c->base.sent = offset;
    return CURL_SEEKFUNC_OK;
}

static int send_file(struct call *c, struct faas_error *err)
{
    if (faas_fetch_size_body(&c->base, err) < 0)
        return -1;
    curl_easy_setopt(c->easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(c->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)c->base.to_send);
    curl_easy_setopt(c->easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(c->easy, CURLOPT_READDATA, c);
    curl_easy_setopt(c->easy, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(c->easy, CURLOPT_SEEKDATA, c);
    return 0;
}

static int take_method_and_body(struct call *c, struct faas_error *err)
{
    const struct faas_fetch_req *req = c->base.req;
    bool get = strcmp(req->method, "GET") == 0;
    bool head = strcmp(req->method, "HEAD") == 0;

    if (faas_fetch_check_method(req->method, err) < 0)
        return -1;
    if (req->body_fd > 0) {
        if (send_file(c, err) < 0)
            return -1;
    } else if (req->body.ptr || faas_fetch_expects_body(req->method)) {
        curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body.len);
        curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, req->body.len ? req->body.ptr : "");
    } else if (head) {
        curl_easy_setopt(c->easy, CURLOPT_NOBODY, 1L);
    } else {
        curl_easy_setopt(c->easy, CURLOPT_HTTPGET, 1L);
    }
    if (req->body_fd > 0 || req->body.ptr || !(get || head)) {
        curl_easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, req->method);
        c->follow = false;
    }
    return 0;
}

static bool will_be_followed(const struct call *c)
{
    return c->follow && c->base.resp->status / 100 == 3 &&
           faas_map_get(&c->base.resp->headers, "location");
}

static void begin_answer(struct call *c, struct faas_str status_line)
{
    struct faas_str rest = status_line;
    uint64_t status = 0;

    faas_map_deinit(&c->base.resp->headers); /* those of a redirect or a 1xx before it */
    faas_str_split(&rest, ' ');
    if (faas_parse_u64(faas_str_split(&rest, ' '), &status, NULL) == 0 && status < 1000)
        c->base.resp->status = (int)status;
}

static void keep_header(struct faas_fetch_call *c, struct faas_str line)
{
    struct faas_str value = line;
    struct faas_str name = faas_str_split(&value, ':');

    faas_fetch_keep_header(c, name, value);
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct call *c = arg;
    struct faas_str line = faas_str_trim((struct faas_str){.ptr = p, .len = size * n});

    if (c->base.resp->headers.len >= FAAS_FETCH_MAX_HEADERS) {
        c->base.verdict = FAAS_FETCH_TOO_MANY_HEADERS;
        return 0;
    }
    if (line.len == 0) {
        if (c->base.resp->status >= 200 && !will_be_followed(c))
            faas_fetch_tell_status(&c->base);
    } else if (faas_str_starts(line, FAAS_STR("HTTP/"))) {
        begin_answer(c, line);
    } else if (faas_str_find(line, ':') > 0) {
        keep_header(&c->base, line);
    }
    return size * n;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct call *c = arg;

    return faas_fetch_take_body(&c->base, (struct faas_str){.ptr = p, .len = size * n}) ? size * n
                                                                                        : 0;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    const struct faas_fetch_req *req = arg;

    (void)purpose;
    if (!req->allow_addr(req->arg, &to->addr))
        return CURL_SOCKET_BAD;
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* The names that OpenSSL's and Go's programs go by, too. */
static void set_trust(struct call *c)
{
    const char *file = getenv("SSL_CERT_FILE"), *folder = getenv("SSL_CERT_DIR");

    curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYPEER, c->base.req->insecure_tls ? 0L : 1L);
    curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYHOST, c->base.req->insecure_tls ? 0L : 2L);
    if (file && *file)
        curl_easy_setopt(c->easy, CURLOPT_CAINFO, file);
    if (folder && *folder)
        curl_easy_setopt(c->easy, CURLOPT_CAPATH, folder);
}

static void set_options(struct call *c)
{
    const struct faas_fetch_req *req = c->base.req;
    _cleanup_free_ char *agent = faas_asprintf("minnow/%s", faas_version());

    curl_easy_setopt(c->easy, CURLOPT_URL, req->url);
    curl_easy_setopt(c->easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c->easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L); /* SIGALRM and threads do not mix */
    curl_easy_setopt(c->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->why);
    curl_easy_setopt(c->easy, CURLOPT_USERAGENT, req->user_agent ? req->user_agent : agent);
    curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)faas_fetch_connect_ms(req));
    curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)req->timeout_ms);
    curl_easy_setopt(c->easy, CURLOPT_FOLLOWLOCATION, c->follow ? 1L : 0L);
    curl_easy_setopt(c->easy, CURLOPT_MAXREDIRS, (long)req->max_redirects);
    set_trust(c);
    curl_easy_setopt(c->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS,
                     1L); /* a proxy's, not the answer's */
    if (req->allow_addr) {
        curl_easy_setopt(c->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        curl_easy_setopt(c->easy, CURLOPT_OPENSOCKETDATA, req);
    }
    curl_easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c->easy, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
    if (c->local)
        curl_easy_setopt(c->easy, CURLOPT_PROXY, "");
    else if (strncasecmp(req->url, "http://", 7) == 0 && faas_fetch_http_proxy())
        curl_easy_setopt(c->easy, CURLOPT_PROXY, faas_fetch_http_proxy());
}

static int timed_out(const struct call *c, struct faas_error *err)
{
    curl_off_t ready_us = 0;

    curl_easy_getinfo(c->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    return faas_fetch_timed_out(&c->base, ready_us > 0, err);
}

static int explain(const struct call *c, CURLcode rc, struct faas_error *err)
{
    const char *why = *c->why ? c->why : curl_easy_strerror(rc);
    long e = 0;

    if (c->base.verdict != FAAS_FETCH_GOES_ON)
        return faas_fetch_judge(&c->base, err);
    switch (rc) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return faas_fail(err, FAAS_ERR_UNAVAILABLE, "connect to %s: there is no such host",
                         c->base.host);
    case CURLE_COULDNT_RESOLVE_PROXY:
        return faas_fail(err, FAAS_ERR_UNAVAILABLE, "connect to %s: %.100s", c->base.host, why);
    case CURLE_COULDNT_CONNECT:
        curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &e);
        if (e == 0)
            return faas_fail(err, FAAS_ERR_UNAVAILABLE, "connect to %s: %.100s", c->base.host, why);
        return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, (int)e, "connect to %s", c->base.host);
    case CURLE_OPERATION_TIMEDOUT:
        return timed_out(c, err);
    default:
        return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "%s: %.100s", c->base.host, why);
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
    faas_fetch_tell_status(&c->base);
    return 0;
}

int faas_fetch_by_curl(const struct faas_fetch_req *req, bool follow, struct faas_fetch_resp *resp,
                       struct faas_error *err)
{
    _cleanup_(call_deinit) struct call c = {.base = {.req = req, .resp = resp}, .follow = follow};

    *resp = (struct faas_fetch_resp){0};
    if (faas_curl_load(err) < 0)
        return -1;
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
