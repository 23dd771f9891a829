#include "libfaas/fetch_impl.h"
#include "tests/unit/unit.h"

#include "libfaas/alloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

/* All of it holds whichever way a call goes. */
static int by_curl(const struct faas_fetch_req *req, struct faas_fetch_resp *resp,
                   struct faas_error *err)
{
    return faas_fetch_by_curl(req, req->max_redirects > 0, resp, err);
}

static int (*fetch)(const struct faas_fetch_req *req, struct faas_fetch_resp *resp,
                    struct faas_error *err);

/* A server of one thread that answers each connection with the next of its texts, whatever was
 * asked, and keeps what was asked. A NULL text: it never answers. */
struct server {
    int fd;
    int port;
    pthread_t thread;
    bool running;
    const char *answers[8];
    size_t n;
    struct faas_buf asked[8];
};

static size_t content_length(struct faas_str head)
{
    const char *at = memmem(head.ptr, head.len, "Content-Length: ", 16);

    return at ? strtoul(at + 16, NULL, 10) : 0;
}

static void read_request(int fd, struct faas_buf *asked)
{
    size_t want = SIZE_MAX;

    while (asked->len < want) {
        ssize_t n = read(fd, faas_buf_reserve(asked, 65536), 65536);
        const char *end;

        if (n <= 0)
            return;
        asked->len += (size_t)n;
        end = memmem(asked->data, asked->len, "\r\n\r\n", 4);
        if (end && want == SIZE_MAX)
            want = (size_t)(end - asked->data) + 4 + content_length(faas_buf_str(asked));
    }
}

static void *serve(void *arg)
{
    struct server *s = arg;

    for (size_t i = 0; i < s->n; i++) {
        int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
        char rest[256];

        if (fd < 0)
            break;
        read_request(fd, &s->asked[i]);
        if (s->answers[i]) {
            (void)!send(fd, s->answers[i], strlen(s->answers[i]), MSG_NOSIGNAL);
            shutdown(fd, SHUT_WR);
        }
        while (read(fd, rest, sizeof(rest)) > 0) /* until the client has had enough */
            ;
        close(fd);
    }
    return NULL;
}

static int listen_somewhere(int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void start(struct server *s)
{
    while (s->n < FAAS_ARRAY_LEN(s->answers) && s->answers[s->n])
        s->n++;
    if (s->n == 0)
        s->n = 1;
    s->fd = listen_somewhere(&s->port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
    s->running = true;
}

/* Ends the thread, after which what was asked may be looked at. */
static void finish(struct server *s)
{
    if (!s->running)
        return;
    shutdown(s->fd, SHUT_RDWR); /* wakes accept() */
    pthread_join(s->thread, NULL);
    close(s->fd);
    s->running = false;
}

static void stop(struct server *s)
{
    finish(s);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(s->asked); i++)
        faas_buf_deinit(&s->asked[i]);
}

static char *url_of(const struct server *s, const char *path)
{
    return faas_asprintf("http://127.0.0.1:%d%s", s->port, path);
}

static bool asked(const struct server *s, size_t i, const char *part)
{
    return s->asked[i].data && memmem(s->asked[i].data, s->asked[i].len, part, strlen(part));
}

#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static void an_answer_comes_with_status_headers_and_body(void **state)
{
    _cleanup_(stop) struct server s = {
        .answers = {
            "HTTP/1.1 404 Not Found\r\nX-One: a\r\nx-ONE:  b \r\nContent-Length: 4\r\n\r\nnope"}};
    _cleanup_free_ char *url = NULL;
    _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};
    struct faas_error err = {0};

    (void)state;
    start(&s);
    url = url_of(&s, "/a/../b%2Fc?d=%20e");
    if ((*fetch)(&(struct faas_fetch_req){.method = "GET", .url = url}, &resp, &err) < 0)
        fail_msg("%s", err.msg);
    finish(&s);
    assert_int_equal(resp.status, 404);
    assert_string_equal(resp.body.data, "nope");
    assert_string_equal(faas_map_get(&resp.headers, "x-one"), "b");
    assert_true(asked(&s, 0, "GET /a/../b%2Fc?d=%20e HTTP/1.1\r\n"));
    assert_true(asked(&s, 0, "User-Agent: minnow/"));
}

static void headers_go_out_as_given(void **state)
{
    _cleanup_(stop) struct server s = {.answers = {OK_HELLO}};
    _cleanup_free_ char *url = NULL;
    _cleanup_strv_ struct faas_strv headers = {0};
    _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};

    (void)state;
    start(&s);
    url = url_of(&s, "/");
    faas_strv_add(&headers, "X-Empty: ");
    faas_strv_add(&headers, "X-Twice: 1");
    faas_strv_add(&headers, "X-Twice: 2");
    assert_int_equal((*fetch)(&(struct faas_fetch_req){.method = "DELETE",
                                                       .url = url,
                                                       .headers = &headers,
                                                       .body = FAAS_STR("{}"),
                                                       .user_agent = "me/1"},
                              &resp, NULL),
                     0);
    finish(&s);
    assert_true(asked(&s, 0, "DELETE / HTTP/1.1\r\n"));
    assert_true(asked(&s, 0, "\r\nX-Empty:\r\n"));
    assert_true(asked(&s, 0, "\r\nX-Twice: 1\r\nX-Twice: 2\r\n"));
    assert_true(asked(&s, 0, "\r\nUser-Agent: me/1\r\n"));
    assert_true(asked(&s, 0, "\r\n\r\n{}"));
    assert_false(asked(&s, 0, "Content-Type"));
}

static void a_large_body_is_sent_at_once_with_its_length(void **state)
{
    _cleanup_(stop) struct server s = {.answers = {OK_HELLO}};
    _cleanup_free_ char *url = NULL;
    size_t n = 3 << 20;
    _cleanup_free_ char *big = faas_alloc(n);
    _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};

    (void)state;
    start(&s);
    url = url_of(&s, "/");
    memset(big, 'x', n);
    assert_int_equal(
        (*fetch)(&(struct faas_fetch_req){.method = "POST", .url = url, .body = {big, n}}, &resp,
                 NULL),
        0);
    finish(&s);
    assert_true(asked(&s, 0, "\r\nContent-Length: 3145728\r\n"));
    assert_false(asked(&s, 0, "Expect:"));
    assert_memory_equal(s.asked[0].data + s.asked[0].len - n, big, n);
}

/* Answers the first bytes of whatever is sent and reads no more. */
static void *answer_at_once(void *arg)
{
    struct server *s = arg;
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
    static const char answer[] = "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!";
    char first[64];

    assert_true(read(fd, first, sizeof(first)) > 0);
    assert_int_equal(send(fd, answer, strlen(answer), MSG_NOSIGNAL), strlen(answer));
    shutdown(fd, SHUT_WR);
    while (read(fd, first, 1) > 0 && s->running)
        ;
    close(fd);
    return NULL;
}

static void an_answer_that_comes_before_the_end_of_the_body_is_taken(void **state)
{
    _cleanup_(stop) struct server s = {0};
    _cleanup_free_ char *url = NULL;
    size_t n = 16 << 20;
    _cleanup_free_ char *big = faas_zalloc(n);
    _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};
    struct faas_error err = {0};

    (void)state;
    s.fd = listen_somewhere(&s.port);
    s.running = true;
    assert_int_equal(pthread_create(&s.thread, NULL, answer_at_once, &s), 0);
    url = url_of(&s, "/");
    if ((*fetch)(&(struct faas_fetch_req){.method = "PUT", .url = url, .body = {big, n}}, &resp,
                 &err) < 0)
        fail_msg("%s", err.msg);
    assert_int_equal(resp.status, 413);
    assert_string_equal(resp.body.data, "no!");
}

static void a_redirect_may_be_relative_to_the_path(void **state)
{
    static const char redirect[] =
        "HTTP/1.1 302 Found\r\nLocation: next\r\nContent-Length: 0\r\n\r\n";
    /* Ours hands the call over to curl, which asks once more. */
    bool again = fetch == faas_fetch;
    _cleanup_(stop) struct server s = {
        .answers = {redirect, again ? redirect : OK_HELLO, again ? OK_HELLO : NULL}};
    _cleanup_free_ char *url = NULL;
    _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};

    (void)state;
    start(&s);
    url = url_of(&s, "/a/b");
    assert_int_equal(
        (*fetch)(&(struct faas_fetch_req){.method = "GET", .url = url, .max_redirects = 5}, &resp,
                 NULL),
        0);
    finish(&s);
    assert_int_equal(resp.status, 200);
    assert_true(asked(&s, again ? 2 : 1, "GET /a/next HTTP/1.1\r\n"));
}

static void a_post_without_body_says_so(void **state)
{
    _cleanup_(stop) struct server s = {.answers = {OK_HELLO}};
    _cleanup_free_ char *url = NULL;
    _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};

    (void)state;
    start(&s);
    url = url_of(&s, "/");
    assert_int_equal((*fetch)(&(struct faas_fetch_req){.method = "POST", .url = url}, &resp, NULL),
                     0);
    finish(&s);
    assert_true(asked(&s, 0, "POST / HTTP/1.1\r\n"));
    assert_true(asked(&s, 0, "\r\nContent-Length: 0\r\n"));
}

static int file_of(const char *text)
{
    FILE *f = tmpfile();
    int fd;

    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    fflush(f);
    fd = fcntl(fileno(f), F_DUPFD_CLOEXEC, 3);
    fclose(f);
    return fd;
}

static void a_file_is_sent_whole_wherever_it_stands(void **state)
{
    _cleanup_(stop) struct server s = {.answers = {OK_HELLO}};
    _cleanup_free_ char *url = NULL;
    _cleanup_close_ int fd = file_of("content of the file");
    _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};

    (void)state;
    start(&s);
    url = url_of(&s, "/");
    assert_int_equal(lseek(fd, 7, SEEK_SET), 7);
    assert_int_equal(
        (*fetch)(&(struct faas_fetch_req){.method = "PUT", .url = url, .body_fd = fd}, &resp, NULL),
        0);
    finish(&s);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 7);
    assert_true(asked(&s, 0, "PUT / HTTP/1.1\r\n"));
    assert_true(asked(&s, 0, "\r\nContent-Length: 19\r\n"));
    assert_true(asked(&s, 0, "\r\n\r\ncontent of the file"));
    assert_false(asked(&s, 0, "Transfer-Encoding"));
}

static void only_files_are_sent_from_descriptors(void **state)
{
    _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};
    struct faas_error err = {0};
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal((*fetch)(&(struct faas_fetch_req){.method = "PUT",
                                                       .url = "http://127.0.0.1:1/",
                                                       .body_fd = ends[0]},
                              &resp, &err),
                     -1);
    assert_string_equal(err.msg, "the body to send is not a file");
    close(ends[0]);
    close(ends[1]);
    assert_int_equal((*fetch)(&(struct faas_fetch_req){.method = "PUT",
                                                       .url = "http://127.0.0.1:1/",
                                                       .body_fd = ends[0]},
                              &resp, &err),
                     -1);
    assert_int_equal(err.sys_errno, EBADF);
}

static void a_body_beyond_the_cap_is_refused(void **state)
{
    _cleanup_(stop) struct server s = {.answers = {OK_HELLO, OK_HELLO}};
    _cleanup_free_ char *url = NULL;
    _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};
    struct faas_error err = {0};

    (void)state;
    start(&s);
    url = url_of(&s, "/");
    assert_int_equal(
        (*fetch)(&(struct faas_fetch_req){.method = "GET", .url = url, .max_body = 5}, &resp, &err),
        0);
    faas_fetch_resp_deinit(&resp);
    assert_int_equal(
        (*fetch)(&(struct faas_fetch_req){.method = "GET", .url = url, .max_body = 4}, &resp, &err),
        -1);
    assert_int_equal(err.code, FAAS_ERR_TOO_LARGE);
    assert_non_null(strstr(err.msg, "127.0.0.1:"));
    assert_int_equal(resp.body.len, 0);
}

struct seen {
    struct faas_buf events;
    bool refuse;
    struct faas_error *err;
};

static void note_status(void *arg, int status)
{
    faas_buf_printf(&((struct seen *)arg)->events, "[%d]", status);
}

static int note_data(void *arg, struct faas_str data)
{
    struct seen *seen = arg;

    if (seen->refuse)
        return faas_fail(seen->err, FAAS_ERR_CONFLICT, "enough");
    faas_buf_append_str(&seen->events, data);
    return 0;
}

static void a_stream_goes_to_its_sink_after_the_status(void **state)
{
    static const struct {
        const char *method, *first, *second, *want;
    } cases[] = {
        {"GET", OK_HELLO, NULL, "[200]hello"},
        {"GET", "HTTP/1.1 204 No Content\r\n\r\n", NULL, "[204]"},
        {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", NULL, "[200]"},
        {"GET", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK_HELLO, NULL, "[200]hello"},
        {"GET", "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 3\r\n\r\nbye", OK_HELLO,
         "[200]hello"},
        {"POST", "HTTP/1.1 307 Moved\r\nLocation: /x\r\nContent-Length: 3\r\n\r\nbye", NULL,
         "[307]bye"},
        {"GET", "HTTP/1.1 304 Not Modified\r\n\r\n", NULL, "[304]"},
        {"GET",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: x\r\n\r\n", NULL,
         "[200]abc"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(stop) struct server s = {.answers = {cases[i].first, cases[i].second}};
        _cleanup_free_ char *url = NULL;
        _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};
        struct seen seen = {0};
        struct faas_error err = {0};

        start(&s);
        url = url_of(&s, "/");
        if ((*fetch)(&(struct faas_fetch_req){.method = cases[i].method,
                                              .url = url,
                                              .max_redirects = 3,
                                              .sink = note_data,
                                              .on_status = note_status,
                                              .arg = &seen},
                     &resp, &err) < 0)
            fail_msg("case %zu: %s", i, err.msg);
        assert_string_equal(seen.events.data, cases[i].want);
        assert_int_equal(resp.body.len, 0);
        faas_buf_deinit(&seen.events);
    }
}

static void a_sink_that_refuses_has_the_last_word(void **state)
{
    _cleanup_(stop) struct server s = {.answers = {OK_HELLO}};
    _cleanup_free_ char *url = NULL;
    _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};
    struct faas_error err = {0};
    struct seen seen = {.refuse = true, .err = &err};

    (void)state;
    start(&s);
    url = url_of(&s, "/");
    assert_int_equal(
        faas_fetch(
            &(struct faas_fetch_req){.method = "GET", .url = url, .sink = note_data, .arg = &seen},
            &resp, &err),
        -1);
    assert_int_equal(err.code, FAAS_ERR_CONFLICT);
    assert_string_equal(err.msg, "enough");
}

static void another_host_is_not_told_the_credentials(void **state)
{
    _cleanup_(stop) struct server target = {.answers = {OK_HELLO}};
    _cleanup_(stop) struct server first = {0};
    _cleanup_free_ char *url = NULL, *moved = NULL;
    _cleanup_strv_ struct faas_strv headers = {0};
    _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};
    struct faas_error err = {0};

    (void)state;
    start(&target);
    moved = faas_asprintf("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/new\r\n"
                          "Content-Length: 0\r\n\r\n",
                          target.port);
    first.answers[0] = moved;
    start(&first);
    url = url_of(&first, "/");
    faas_strv_add(&headers, "Authorization: Basic c2VjcmV0");
    if (faas_fetch(
            &(struct faas_fetch_req){
                .method = "GET", .url = url, .headers = &headers, .max_redirects = 1},
            &resp, &err) < 0)
        fail_msg("%s", err.msg);
    finish(&first);
    finish(&target);
    assert_int_equal(resp.status, 200);
    assert_true(asked(&first, 0, "Authorization: "));
    assert_true(asked(&target, 0, "GET /new HTTP/1.1"));
    assert_false(asked(&target, 0, "Authorization: "));
}

static void redirects_are_answers_unless_asked_for_and_end_somewhere(void **state)
{
#define LOOP "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"
    _cleanup_(stop) struct server s = {.answers = {LOOP, LOOP, LOOP}};
    _cleanup_free_ char *url = NULL;
    _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};
    struct faas_error err = {0};

    (void)state;
    start(&s);
    url = url_of(&s, "/");
    assert_int_equal((*fetch)(&(struct faas_fetch_req){.method = "GET", .url = url}, &resp, &err),
                     0);
    assert_int_equal(resp.status, 302);
    assert_string_equal(faas_map_get(&resp.headers, "location"), "/");
    faas_fetch_resp_deinit(&resp);
    assert_int_equal(
        (*fetch)(&(struct faas_fetch_req){.method = "GET", .url = url, .max_redirects = 1}, &resp,
                 &err),
        -1);
    assert_int_equal(err.code, FAAS_ERR_BAD_GATEWAY);
}

static void a_broken_answer_is_a_bad_gateway(void **state)
{
    static const char *const answers[] = {
        "not http at all\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
        "",
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(answers); i++) {
        _cleanup_(stop) struct server s = {.answers = {answers[i]}};
        _cleanup_free_ char *url = NULL;
        _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};
        struct faas_error err = {0};

        start(&s);
        url = url_of(&s, "/");
        if ((*fetch)(&(struct faas_fetch_req){.method = "GET", .url = url, .max_redirects = 1},
                     &resp, &err) == 0)
            fail_msg("case %zu passed", i);
        if (err.code != FAAS_ERR_BAD_GATEWAY || !strstr(err.msg, "127.0.0.1:"))
            fail_msg("case %zu: %d %s", i, err.code, err.msg);
        assert_int_equal(resp.body.len, 0);
    }
}

static void headers_without_end_are_a_bad_gateway(void **state)
{
    _cleanup_buf_ struct faas_buf answer = {0};
    _cleanup_(stop) struct server s = {0};
    _cleanup_free_ char *url = NULL;
    _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};
    struct faas_error err = {0};

    (void)state;
    faas_buf_append_z(&answer, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 2000; i++)
        faas_buf_printf(&answer, "X-%d: y\r\n", i);
    faas_buf_append_z(&answer, "Content-Length: 0\r\n\r\n");
    s.answers[0] = answer.data;
    start(&s);
    url = url_of(&s, "/");
    assert_int_equal((*fetch)(&(struct faas_fetch_req){.method = "GET", .url = url}, &resp, &err),
                     -1);
    assert_int_equal(err.code, FAAS_ERR_BAD_GATEWAY);
    assert_non_null(strstr(err.msg, "more than 1000 headers"));
}

static void a_server_that_is_not_there_is_named(void **state)
{
    _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};
    _cleanup_free_ char *url = NULL, *where = NULL;
    struct faas_error err = {0};
    int port, fd = listen_somewhere(&port);

    (void)state;
    close(fd); /* a port at which nobody listens any more */
    url = faas_asprintf("http://user:s3cret@127.0.0.1:%d/", port);
    where = faas_asprintf("connect to 127.0.0.1:%d: Connection refused", port);
    assert_int_equal((*fetch)(&(struct faas_fetch_req){.method = "GET", .url = url}, &resp, &err),
                     -1);
    assert_int_equal(err.code, FAAS_ERR_UNAVAILABLE);
    assert_int_equal(err.sys_errno, ECONNREFUSED);
    assert_string_equal(err.msg, where);
}

static void a_host_that_does_not_exist_is_named(void **state)
{
    _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};
    struct faas_error err = {0};

    (void)state;
    /* A label of 64 characters cannot exist, so no name server is asked. */
    assert_int_equal(
        faas_fetch(
            &(struct faas_fetch_req){
                .method = "GET",
                .url = "http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/"},
            &resp, &err),
        -1);
    assert_int_equal(err.code, FAAS_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.msg, "aaaa:80: there is no such host"));
}

static void silence_ends_in_a_timeout(void **state)
{
    _cleanup_(stop) struct server s = {0};
    _cleanup_free_ char *url = NULL;
    _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};
    struct faas_error err = {0};

    (void)state;
    start(&s);
    url = url_of(&s, "/");
    assert_int_equal(
        (*fetch)(&(struct faas_fetch_req){.method = "GET", .url = url, .timeout_ms = 50}, &resp,
                 &err),
        -1);
    assert_int_equal(err.code, FAAS_ERR_TIMEOUT);
    assert_non_null(strstr(err.msg, ": no complete answer within 50 ms"));
}

static void a_host_that_does_not_accept_is_unavailable(void **state)
{
    _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};
    _cleanup_free_ char *url = NULL;
    struct faas_error err = {0};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int port, fd = listen_somewhere(&port), fillers[4];

    (void)state;
    /* With a full backlog, Linux leaves further connections unanswered. */
    assert_int_equal(listen(fd, 0), 0);
    a.sin_port = htons((uint16_t)port);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(fillers); i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)!connect(fillers[i], (struct sockaddr *)&a, sizeof(a));
    }
    url = faas_asprintf("http://127.0.0.1:%d/", port);
    assert_int_equal(
        (*fetch)(&(struct faas_fetch_req){.method = "GET", .url = url, .connect_timeout_ms = 50},
                 &resp, &err),
        -1);
    assert_int_equal(err.code, FAAS_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.msg, ": no connection within 50 ms"));
    for (size_t i = 0; i < FAAS_ARRAY_LEN(fillers); i++)
        close(fillers[i]);
    close(fd);
}

static void what_cannot_be_sent_is_refused_before_it_is(void **state)
{
    static const struct {
        const char *method, *url, *header, *msg;
    } cases[] = {
        {"GET", "ftp://127.0.0.1/", NULL, "a URL must begin with http:// or https://"},
        {"GET", "file:///etc/passwd", NULL, "a URL must begin with http:// or https://"},
        {"GET", "127.0.0.1:8080", NULL, "a URL must begin with http:// or https://"},
        {"GET", "", NULL, "URL"},
        {"GET", "http://", NULL, "not a URL"},
        {"GET", "http://a:99999/", NULL, "not a URL"},
        {"GET /x HTTP/1.1\r\nX: y", "http://127.0.0.1:1/", NULL, "is not an HTTP method"},
        {"", "http://127.0.0.1:1/", NULL, "is not an HTTP method"},
        {"GET", "http://127.0.0.1:1/", "X: s3cret\r\nY: z", "header X has a line break"},
        {"GET", "http://127.0.0.1:1/", "s3cret", "a header must be \"Name: value\""},
        {"GET", "http://127.0.0.1:1/", "a b: s3cret", "a header must be \"Name: value\""},
        {"GET", "http://127.0.0.1:1/", ": s3cret", "a header must be \"Name: value\""},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_strv_ struct faas_strv headers = {0};
        _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp resp = {0};
        struct faas_error err = {0};

        if (cases[i].header)
            faas_strv_add(&headers, cases[i].header);
        assert_int_equal((*fetch)(&(struct faas_fetch_req){.method = cases[i].method,
                                                           .url = cases[i].url,
                                                           .headers = &headers},
                                  &resp, &err),
                         -1);
        if (err.code != FAAS_ERR_INVALID || !strstr(err.msg, cases[i].msg) ||
            strstr(err.msg, "s3cret"))
            fail_msg("case %zu: %s", i, err.msg);
    }
}

/* With the proxy's URL in a variable of this name. */
static void proxy_from(const char *variable)
{
    _cleanup_(stop) struct server s = {.answers = {OK_HELLO, OK_HELLO}};
    _cleanup_free_ char *proxy = NULL, *url = NULL;
    _cleanup_(faas_fetch_resp_deinit) struct faas_fetch_resp a = {0}, b = {0};

    start(&s);
    proxy = url_of(&s, "");
    url = url_of(&s, "/direct");
    setenv(variable, proxy, 1);
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    assert_int_equal((*fetch)(&(struct faas_fetch_req){.method = "GET", .url = url}, &a, NULL), 0);
    assert_int_equal(
        (*fetch)(&(struct faas_fetch_req){.method = "GET", .url = "http://elsewhere.example/far"},
                 &b, NULL),
        0);
    unsetenv(variable);
    finish(&s);
    assert_true(asked(&s, 0, "GET /direct HTTP/1.1\r\n"));
    assert_true(asked(&s, 1, "GET http://elsewhere.example/far HTTP/1.1\r\n"));
}

static void a_proxy_is_used_but_not_for_this_machine(void **state)
{
    (void)state;
    proxy_from("http_proxy");
    proxy_from("HTTP_PROXY");
}

/* Its clients' Proxy header would be HTTP_PROXY. */
static void a_cgi_program_takes_no_proxy_from_its_clients(void **state)
{
    struct faas_fetch_resp resp = {0};
    struct faas_error err = {0};

    (void)state;
    setenv("HTTP_PROXY", "http://127.0.0.1:1", 1);
    setenv("REQUEST_METHOD", "GET", 1);
    assert_int_equal((*fetch)(&(struct faas_fetch_req){.method = "GET", .url = "http://x.invalid/"},
                              &resp, &err),
                     -1);
    unsetenv("REQUEST_METHOD");
    unsetenv("HTTP_PROXY");
    assert_non_null(strstr(err.msg, "there is no such host"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_comes_with_status_headers_and_body),
        cmocka_unit_test(headers_go_out_as_given),
        cmocka_unit_test(a_large_body_is_sent_at_once_with_its_length),
        cmocka_unit_test(an_answer_that_comes_before_the_end_of_the_body_is_taken),
        cmocka_unit_test(a_redirect_may_be_relative_to_the_path),
        cmocka_unit_test(a_post_without_body_says_so),
        cmocka_unit_test(a_file_is_sent_whole_wherever_it_stands),
        cmocka_unit_test(only_files_are_sent_from_descriptors),
        cmocka_unit_test(a_body_beyond_the_cap_is_refused),
        cmocka_unit_test(a_stream_goes_to_its_sink_after_the_status),
        cmocka_unit_test(a_sink_that_refuses_has_the_last_word),
        cmocka_unit_test(another_host_is_not_told_the_credentials),
        cmocka_unit_test(redirects_are_answers_unless_asked_for_and_end_somewhere),
        cmocka_unit_test(a_broken_answer_is_a_bad_gateway),
        cmocka_unit_test(headers_without_end_are_a_bad_gateway),
        cmocka_unit_test(a_server_that_is_not_there_is_named),
        cmocka_unit_test(a_host_that_does_not_exist_is_named),
        cmocka_unit_test(silence_ends_in_a_timeout),
        cmocka_unit_test(a_host_that_does_not_accept_is_unavailable),
        cmocka_unit_test(what_cannot_be_sent_is_refused_before_it_is),
        cmocka_unit_test(a_proxy_is_used_but_not_for_this_machine),
        cmocka_unit_test(a_cgi_program_takes_no_proxy_from_its_clients),
    };
    int failed;

    fetch = by_curl;
    failed = cmocka_run_group_tests_name("fetch by curl", tests, NULL, NULL);
    fetch = faas_fetch;
    return failed + cmocka_run_group_tests_name("fetch", tests, NULL, NULL);
}
