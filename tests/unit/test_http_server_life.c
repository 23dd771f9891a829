/* Connections: clients that leave, that are slow, that send what nobody wants, that are many. */
#include "libfaas/alloc.h"
#include "libfaas/net.h"
#include "tests/unit/fakes/http_rig.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define HOST    "Host: h\r\n"
#define GET     "GET / HTTP/1.1\r\n" HOST "\r\n"
#define CHUNKED "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"

enum { READ_TIMEOUT_MS = 5000, WRITE_TIMEOUT_MS = 8000 };

static int64_t unknown_length = -1;

static void begin_reply(struct http_rig *rig, struct faas_http_req *req)
{
    faas_http_reply_begin(req, 200, NULL, 0, *(int64_t *)rig->arg);
}

static void reply_now(struct http_rig *rig, struct faas_http_req *req)
{
    (void)rig;
    http_rig_reply_text(req, 413, "too much");
}

static void request(struct http_rig *rig, struct http_rig_client *c, const char *text)
{
    unsigned before = rig->requests;

    http_rig_send_z(c, text);
    http_rig_until_count(rig, &rig->requests, before + 1, "the request");
    http_rig_turns(rig, 3);
}

static void send_many(struct http_rig_client *c, size_t n)
{
    char *data = faas_zalloc(n);

    http_rig_send(c, data, n);
    free(data);
}

static void reset(struct http_rig_client *c)
{
    struct linger now = {.l_onoff = 1};

    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    http_rig_close(c);
}

static void half_close(struct http_rig_client *c)
{
    shutdown(c->fd, SHUT_WR);
}

/* --- clients that leave --- */

static void a_client_that_leaves_is_noticed_at_once(void **state)
{
    static const struct {
        const char *what, *request;
        void (*on_body_end)(struct http_rig *rig, struct faas_http_req *req);
        size_t appetite;
        void (*leave)(struct http_rig_client *c);
    } cases[] = {
        {"closes while it waits", GET, NULL, 0, http_rig_close},
        {"resets while it waits", GET, NULL, 0, reset},
        {"half-closes while it waits", GET, NULL, 0, half_close},
        {"closes while the reply streams", GET, begin_reply, 0, http_rig_close},
        {"resets while the reply streams", GET, begin_reply, 0, reset},
        {"closes within the body", "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nab", NULL,
         0, http_rig_close},
        {"resets within the body", "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nab", NULL,
         0, reset},
        {"closes within a chunk", CHUNKED "5\r\nab", NULL, 0, http_rig_close},
        {"closes within a body that is paused",
         "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabcd", NULL, 1, http_rig_close},
        {"resets within a body that is paused", CHUNKED "5\r\nab", NULL, 1, reset},
        {"closes instead of continuing",
         "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n", NULL, 0,
         http_rig_close},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct http_rig rig = {.on_body_end = cases[i].on_body_end,
                               .arg = &unknown_length,
                               .appetite = cases[i].appetite};
        struct http_rig_client c;

        print_message("  %s\n", cases[i].what);
        http_rig_start(&rig);
        http_rig_connect(&rig, &c);
        request(&rig, &c, cases[i].request);
        assert_int_equal(rig.dones, 0);
        cases[i].leave(&c);
        http_rig_until_count(&rig, &rig.dones, 1, "the news that the client is gone");
        assert_int_equal(rig.dones_ok, 0);
        assert_int_equal(rig.err.code, FAAS_ERR_UNAVAILABLE);
        assert_string_equal(rig.err.msg, "the client went away");
        http_rig_turns(&rig, 5);
        assert_int_equal(http_rig_connections(&rig), 0);
        assert_int_equal(faas_http_server_active(rig.server), 0);
        if (cases[i].leave == half_close)
            http_rig_close(&c);
        http_rig_stop(&rig);
    }
}

/* The connection is in libmicrohttpd's epoll by then, and hears of both in one event. */
static void a_client_that_leaves_with_its_last_bytes_is_noticed_at_once(void **state)
{
    static const char *const rows[][2] = {
        {"", "GET"},
        {"GET", " / HT"},
        {"", "GET / HTTP/1.1\r\n" HOST},
        {"GET / HTTP/1.1\r\n", HOST},
        {"", "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabc"},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabc", "def"},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc", "\r\n3"},
        {GET GET, "GET"},
    };
    struct http_rig rig = {.on_body_end = http_rig_echo};

    (void)state;
    http_rig_start(&rig);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(rows); i++) {
        struct http_rig_client c;

        http_rig_connect(&rig, &c);
        http_rig_send_z(&c, rows[i][0]);
        http_rig_turns(&rig, 5);
        assert_int_equal(http_rig_connections(&rig), 1);
        http_rig_send_z(&c, rows[i][1]);
        http_rig_close(&c);
        http_rig_turns(&rig, 10);
        assert_int_equal(http_rig_connections(&rig), 0);
    }
    http_rig_stop(&rig);
}

static void a_half_closed_client_gets_what_is_ready(void **state)
{
    struct http_rig rig = {.on_body_end = http_rig_echo};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
    shutdown(c.fd, SHUT_WR);
    http_rig_expect(&c, "\nabc");
    http_rig_expect_closed(&c);
    assert_int_equal(rig.dones_ok, 1);
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void allow_half_close(struct http_rig *rig, struct faas_http_req *req)
{
    (void)rig;
    faas_http_req_allow_half_close(req);
}

static void a_half_closed_client_gets_a_later_reply_when_that_is_wished(void **state)
{
    static const int64_t lengths[] = {7, -1};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(lengths); i++) {
        struct http_rig rig = {.on_request = allow_half_close};
        struct http_rig_client c;

        http_rig_start(&rig);
        http_rig_connect(&rig, &c);
        request(&rig, &c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
        half_close(&c);
        http_rig_turns(&rig, 5);
        assert_int_equal(rig.dones, 0);
        faas_http_reply_begin(rig.req, 200, NULL, 0, lengths[i]);
        http_rig_turns(&rig, 5);
        faas_http_reply_write(rig.req, FAAS_STR("par"));
        http_rig_expect(&c, "par");
        http_rig_turns(&rig, 5);
        faas_http_reply_write(rig.req, FAAS_STR("tial"));
        faas_http_reply_end(rig.req);
        http_rig_expect(&c, "tial");
        http_rig_expect_closed(&c);
        assert_int_equal(c.error, 0);
        assert_int_equal(rig.dones_ok, 1);
        http_rig_close(&c);
        http_rig_stop(&rig);
    }
}

static void a_client_that_is_gone_is_noticed_by_the_reply_when_half_closing_is_allowed(void **state)
{
    struct http_rig rig = {.on_request = allow_half_close};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    request(&rig, &c, GET);
    http_rig_close(&c);
    http_rig_turns(&rig, 5);
    assert_int_equal(rig.dones, 0);
    faas_http_reply_begin(rig.req, 200, NULL, 0, -1);
    while (rig.dones == 0) {
        faas_http_reply_write(rig.req, FAAS_STR("more"));
        http_rig_turns(&rig, 3);
    }
    assert_int_equal(rig.dones_ok, 0);
    assert_int_equal(http_rig_connections(&rig), 0);
    http_rig_stop(&rig);
}

/* --- bodies that nobody wants --- */

static void a_small_unwanted_body_does_not_cost_the_connection(void **state)
{
    static const char *const requests[] = {
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabcde",
        CHUNKED "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(requests); i++) {
        struct http_rig rig = {.on_request = reply_now};
        struct http_rig_client c;

        http_rig_start(&rig);
        http_rig_connect(&rig, &c);
        for (int k = 0; k < 3; k++) {
            http_rig_send_z(&c, requests[i]);
            http_rig_expect(&c, "too much");
            assert_null(strstr(c.in.data, "close"));
            faas_buf_clear(&c.in);
        }
        assert_int_equal(rig.body.len, 0);
        assert_int_equal(rig.bodies_ended, 0);
        http_rig_close(&c);
        http_rig_stop(&rig);
    }
}

static void an_unwanted_body_that_is_here_is_dropped_first(void **state)
{
    struct http_rig rig = {.on_request = reply_now};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\n");
    send_many(&c, 100000);
    http_rig_expect(&c, "too much");
    faas_buf_clear(&c.in);
    http_rig_send_z(&c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab");
    http_rig_expect(&c, "too much");
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void what_a_paused_body_has_left_is_dropped_too(void **state)
{
    struct http_rig rig = {.appetite = 2};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    request(&rig, &c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabcde");
    http_rig_reply_text(rig.req, 400, "enough");
    http_rig_expect(&c, "enough");
    assert_null(strstr(c.in.data, "close"));
    assert_int_equal(rig.body.len, 2);
    assert_int_equal(rig.bodies_ended, 0);
    faas_buf_clear(&c.in);
    request(&rig, &c, GET);
    http_rig_reply_text(rig.req, 200, "kept");
    http_rig_expect(&c, "kept");
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void an_early_reply_reaches_a_client_that_goes_on_sending(void **state)
{
    static const char *const requests[] = {
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 1000000000\r\n\r\n",
        CHUNKED "3B9ACA00\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", /* refused */
        "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 1000000000\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(requests); i++) {
        struct http_rig rig = {.on_request = reply_now};
        struct http_rig_client c;

        http_rig_start(&rig);
        http_rig_connect(&rig, &c);
        http_rig_send_z(&c, requests[i]);
        http_rig_turns(&rig, 5);
        send_many(&c, 200000); /* within what is swallowed */
        http_rig_expect(&c, "\r\n\r\n");
        http_rig_expect_closed(&c);
        assert_int_equal(c.error, 0);
        assert_null(strstr(c.in.data, "100 Continue"));
        assert_non_null(strstr(c.in.data, "Connection: close\r\n"));
        http_rig_turns(&rig, 5);
        assert_int_equal(faas_http_server_active(rig.server), 0);
        assert_int_equal(rig.dones_ok, rig.requests);
        /* It lingers, but not for ever. */
        assert_int_equal(http_rig_connections(&rig), 1);
        http_rig_sleep(&rig, 2100);
        assert_int_equal(http_rig_connections(&rig), 0);
        http_rig_close(&c);
        http_rig_stop(&rig);
    }
}

static bool wants_no_more(void *arg)
{
    struct http_rig_client *c = arg;
    static const char junk[64 * 1024];

    return send(c->fd, junk, sizeof(junk), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && c->closed;
}

/* Only so much is read; then the client's socket fills up, which it can notice. In the end it is
 * told by a reset, however much of what it sent fits into one last read: the kernel would only
 * answer its probes for a minute. */
static void a_client_cannot_send_for_ever(void **state)
{
    static const size_t limits[] = {16 * 1024, 64 * 1024, 1024 * 1024};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(limits); i++) {
        struct http_rig rig = {.on_request = reply_now, .opts = {.header_limit = limits[i]}};
        struct http_rig_client c;

        http_rig_start(&rig);
        http_rig_connect(&rig, &c);
        http_rig_send_z(&c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 10000000000\r\n\r\n");
        http_rig_until(&rig, wants_no_more, &c, "an end to the reading");
        http_rig_expect(&c, "too much");
        http_rig_turns(&rig, 50);
        assert_int_equal(http_rig_connections(&rig), 1);
        http_rig_sleep(&rig, 2100);
        assert_int_equal(http_rig_connections(&rig), 0);
        assert_int_equal(send(c.fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL), -1);
        assert_true(errno == EPIPE || errno == ECONNRESET);
        http_rig_close(&c);
        http_rig_stop(&rig);
    }
}

static void take_no_body(struct http_rig *rig, struct faas_http_req *req)
{
    static struct faas_http_req_ops ops;

    ops = (struct faas_http_req_ops){.on_done = rig->ops->on_done};
    faas_http_req_attach(req, &ops, rig);
}

static void a_body_is_not_asked_for_before_it_is_wanted(void **state)
{
    struct http_rig rig = {.on_request = take_no_body};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    request(&rig, &c,
            "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_int_equal(c.in.len, 0);
    http_rig_reply_text(rig.req, 403, "no");
    http_rig_expect(&c, "HTTP/1.1 403 ");
    http_rig_expect_closed(&c);
    assert_null(strstr(c.in.data, "100"));
    assert_int_equal(rig.dones_ok, 1);
    http_rig_close(&c);
    http_rig_stop(&rig);
}

/* --- replies while the body is coming --- */

static void a_stream_can_be_answered_while_it_comes(void **state)
{
    static const struct {
        const char *head;
        int64_t length;
        const char *replies[3];
    } cases[] = {
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\n",
         -1,
         {"chunked\r\n\r\n3\r\nONE\r\n", "3\r\nTWO\r\n", "0\r\n\r\n"}},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\n",
         6,
         {"Content-Length: 6\r\n\r\nONE", "TWO", "TWO"}},
        {"POST / HTTP/1.0\r\nContent-Length: 6\r\n\r\n",
         -1,
         {"close\r\n\r\nONE", "ONETWO", "ONETWO"}},
        {"POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 6\r\n\r\n",
         6,
         {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", "TWO", "TWO"}},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        int64_t length = cases[i].length;
        struct http_rig rig = {.on_request = begin_reply, .arg = &length};
        struct http_rig_client c;

        http_rig_start(&rig);
        http_rig_connect(&rig, &c);
        request(&rig, &c, cases[i].head);
        http_rig_expect(&c, "Connection: close\r\n");
        http_rig_send_z(&c, "one");
        http_rig_turns(&rig, 3);
        assert_memory_equal(rig.body.data, "one", 4);
        faas_http_reply_write(rig.req, FAAS_STR("ONE"));
        http_rig_expect(&c, cases[i].replies[0]);
        http_rig_send_z(&c, "two");
        http_rig_until_count(&rig, &rig.bodies_ended, 1, "the body's end");
        faas_http_reply_write(rig.req, FAAS_STR("TWO"));
        http_rig_expect(&c, cases[i].replies[1]);
        assert_int_equal(rig.dones, 0);
        faas_http_reply_end(rig.req);
        http_rig_expect(&c, cases[i].replies[2]);
        http_rig_expect_closed(&c);
        assert_int_equal(c.error, 0);
        assert_int_equal(rig.dones_ok, 1);
        http_rig_close(&c);
        http_rig_stop(&rig);
    }
}

struct flood {
    int64_t left;
    size_t highest;
};

static void flood_on(struct http_rig *rig, struct faas_http_req *req)
{
    static char piece[50000];
    struct flood *f = rig->arg;
    size_t backlog = 0;

    while (f->left > 0 && backlog <= FAAS_HTTP_HIGH_WATER) {
        backlog = faas_http_reply_write(req, (struct faas_str){piece, sizeof(piece)});
        f->left -= (int64_t)sizeof(piece);
        f->highest = FAAS_MAX(f->highest, backlog);
    }
    if (f->left <= 0)
        faas_http_reply_end(req);
}

static void flood_begin(struct http_rig *rig, struct faas_http_req *req)
{
    faas_http_reply_begin(req, 200, NULL, 0, -1);
    flood_on(rig, req);
}

static void a_reply_past_the_body_is_held_back_for_a_slow_reader(void **state)
{
    struct flood f = {.left = 20 * 1000 * 1000};
    struct http_rig rig = {.on_request = flood_begin, .on_drain = flood_on, .arg = &f};
    struct http_rig_client c;
    size_t got = 0;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_pause(&c, true);
    request(&rig, &c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na");
    http_rig_turns(&rig, 50);
    assert_true(f.left > 0);
    http_rig_pause(&c, false);
    while (!c.closed) {
        http_rig_turns(&rig, 1);
        got += c.in.len;
        faas_buf_clear(&c.in);
    }
    assert_int_equal(rig.dones_ok, 1);
    assert_true(got > 20 * 1000 * 1000);
    assert_true(f.highest <= FAAS_HTTP_HIGH_WATER + 50000 + 70000);
    http_rig_close(&c);
    http_rig_stop(&rig);
}

/* --- deadlines --- */

#define TIMEOUTS .opts.read_timeout_ms = READ_TIMEOUT_MS, .opts.write_timeout_ms = WRITE_TIMEOUT_MS

static void idle_connections_are_closed(void **state)
{
    struct http_rig rig = {.on_body_end = http_rig_echo, TIMEOUTS};
    struct http_rig_client fresh, kept;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &fresh);
    http_rig_connect(&rig, &kept);
    request(&rig, &kept, GET);
    http_rig_sleep(&rig, READ_TIMEOUT_MS - 1);
    request(&rig, &kept, GET); /* its time begins anew */
    faas_buf_clear(&kept.in);
    assert_false(fresh.closed);
    http_rig_sleep(&rig, 1);
    http_rig_expect_closed(&fresh);
    assert_int_equal(fresh.in.len, 0);
    http_rig_sleep(&rig, READ_TIMEOUT_MS - 2);
    assert_false(kept.closed);
    http_rig_sleep(&rig, 1);
    http_rig_expect_closed(&kept);
    assert_int_equal(kept.in.len, 0);
    http_rig_close(&fresh);
    http_rig_close(&kept);
    http_rig_stop(&rig);
}

static void dribbling_does_not_extend_the_time_for_a_request(void **state)
{
    static const struct {
        const char *begin, *piece;
        const char *reply;
        unsigned requests;
    } cases[] = {
        {"GE", "T", "", 0},
        {"GET / HTTP/1.1\r\n", "A: b\r\n", "HTTP/1.1 408 Request Timeout\r\n", 0},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\n", "a",
         "HTTP/1.1 408 Request Timeout\r\n", 1},
        {CHUNKED, "1\r\na\r\n", "HTTP/1.1 408 Request Timeout\r\n", 1},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct http_rig rig = {TIMEOUTS};
        struct http_rig_client c;

        http_rig_start(&rig);
        http_rig_connect(&rig, &c);
        http_rig_send_z(&c, cases[i].begin);
        for (int k = 0; k < 4; k++) {
            http_rig_sleep(&rig, READ_TIMEOUT_MS / 5);
            http_rig_send_z(&c, cases[i].piece);
        }
        http_rig_sleep(&rig, READ_TIMEOUT_MS / 5 - 1);
        assert_false(c.closed);
        http_rig_sleep(&rig, 1);
        http_rig_expect_closed(&c);
        assert_memory_equal(c.in.len ? c.in.data : "", cases[i].reply, strlen(cases[i].reply));
        assert_int_equal(rig.requests, cases[i].requests);
        if (rig.requests)
            assert_int_equal(rig.err.code, FAAS_ERR_TIMEOUT);
        http_rig_close(&c);
        http_rig_stop(&rig);
    }
}

static void the_handlers_time_does_not_count_against_a_later_upload(void **state)
{
    struct http_rig rig = {TIMEOUTS};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    request(&rig, &c, GET);
    http_rig_sleep(&rig, WRITE_TIMEOUT_MS - 1); /* beyond read_timeout: the request is read */
    http_rig_reply_text(rig.req, 200, "ok");
    http_rig_expect(&c, "ok");
    http_rig_sleep(&rig, READ_TIMEOUT_MS - 1);
    request(&rig, &c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\na");
    http_rig_sleep(&rig, READ_TIMEOUT_MS - 1);
    http_rig_send_z(&c, "b");
    http_rig_until_count(&rig, &rig.bodies_ended, 2, "the body's end");
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void a_reply_that_takes_too_long_is_cut(void **state)
{
    static const struct {
        const char *request;
        void (*on_body_end)(struct http_rig *rig, struct faas_http_req *req);
    } cases[] = {{GET, NULL}, {GET, begin_reply}, {"GET / HTTP/1.0\r\n\r\n", begin_reply}};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct http_rig rig = {
            .on_body_end = cases[i].on_body_end, .arg = &unknown_length, TIMEOUTS};
        struct http_rig_client c;

        http_rig_start(&rig);
        http_rig_connect(&rig, &c);
        request(&rig, &c, cases[i].request);
        http_rig_sleep(&rig, WRITE_TIMEOUT_MS - 1);
        assert_int_equal(rig.dones, 0);
        http_rig_sleep(&rig, 1);
        assert_int_equal(rig.dones, 1);
        assert_int_equal(rig.err.code, FAAS_ERR_TIMEOUT);
        http_rig_expect_closed(&c);
        http_rig_turns(&rig, 3);
        assert_int_equal(http_rig_connections(&rig), 0);
        http_rig_close(&c);
        http_rig_stop(&rig);
    }
}

static void reply_large(struct http_rig *rig, struct faas_http_req *req)
{
    size_t n = 30 * 1000 * 1000;
    char *data = faas_zalloc(n);

    (void)rig;
    faas_http_reply(req, 200, NULL, 0, (struct faas_str){data, n});
    free(data);
}

static void a_client_that_never_reads_is_cut(void **state)
{
    struct http_rig rig = {.on_body_end = reply_large, TIMEOUTS};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_pause(&c, true);
    request(&rig, &c, GET);
    http_rig_sleep(&rig, WRITE_TIMEOUT_MS);
    assert_int_equal(rig.dones, 1);
    assert_int_equal(rig.err.code, FAAS_ERR_TIMEOUT);
    http_rig_turns(&rig, 3);
    assert_int_equal(http_rig_connections(&rig), 0);
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void own_deadlines(struct http_rig *rig, struct faas_http_req *req)
{
    (void)rig;
    faas_http_req_no_read_timeout(req);
    faas_http_req_no_write_timeout(req);
}

static void a_handler_may_watch_the_time_itself(void **state)
{
    struct http_rig rig = {.on_request = own_deadlines, TIMEOUTS};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    request(&rig, &c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\na");
    http_rig_sleep(&rig, 100 * READ_TIMEOUT_MS);
    http_rig_send_z(&c, "b");
    http_rig_until_count(&rig, &rig.bodies_ended, 1, "the body's end");
    http_rig_sleep(&rig, 100 * WRITE_TIMEOUT_MS);
    http_rig_reply_text(rig.req, 200, "at last");
    http_rig_expect(&c, "at last");
    /* the next one is the server's again */
    rig.on_request = NULL;
    request(&rig, &c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\na");
    http_rig_sleep(&rig, READ_TIMEOUT_MS);
    http_rig_expect(&c, "HTTP/1.1 408 ");
    http_rig_close(&c);
    http_rig_stop(&rig);
}

/* The handler has time for an answer of its own when it gives up on the body. */
static void a_handler_may_answer_before_the_body_came(void **state)
{
    struct http_rig rig = {.on_request = own_deadlines, TIMEOUTS};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    request(&rig, &c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc");
    http_rig_reply_text(rig.req, 400, "i/o timeout");
    http_rig_expect(&c, "HTTP/1.1 400 Bad Request\r\n");
    http_rig_expect(&c, "Content-Length: 11\r\n\r\ni/o timeout");
    http_rig_expect_closed(&c);
    assert_int_equal(rig.dones_ok, 1);
    http_rig_close(&c);
    http_rig_stop(&rig);
}

/* --- many --- */

static void at_the_limit_connections_wait_in_order(void **state)
{
    struct http_rig rig = {.on_body_end = http_rig_echo, .opts.max_connections = 2};
    struct http_rig_client c[4];

    (void)state;
    http_rig_start(&rig);
    for (size_t i = 0; i < 4; i++) {
        http_rig_connect(&rig, &c[i]);
        http_rig_turns(&rig, 2);
        http_rig_send_z(&c[i], GET);
    }
    http_rig_expect(&c[0], "200 OK");
    http_rig_expect(&c[1], "200 OK");
    http_rig_turns(&rig, 20);
    assert_int_equal(rig.requests, 2);
    assert_int_equal(http_rig_connections(&rig), 2);
    http_rig_close(&c[0]);
    http_rig_expect(&c[2], "200 OK");
    http_rig_turns(&rig, 20);
    assert_int_equal(rig.requests, 3);
    http_rig_close(&c[1]);
    http_rig_expect(&c[3], "200 OK");
    http_rig_close(&c[2]);
    http_rig_close(&c[3]);
    http_rig_stop(&rig);
}

static unsigned open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static void set_file_limit(rlim_t n)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = FAAS_MIN(n, limit.rlim_max);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void without_descriptors_connections_wait(void **state)
{
    struct http_rig rig = {.on_body_end = http_rig_echo};
    struct http_rig_client c;
    int spare[300];
    size_t n = 0;

    (void)state;
    http_rig_start(&rig);
    set_file_limit(250);
    http_rig_connect(&rig, &c); /* not accepted yet */
    while (n < FAAS_ARRAY_LEN(spare) && (spare[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        n++;
    assert_true(n < FAAS_ARRAY_LEN(spare));
    http_rig_send_z(&c, GET);
    http_rig_turns(&rig, 30);
    assert_int_equal(rig.requests, 0);
    assert_int_equal(rig.logged, 1);
    http_rig_sleep(&rig, 100); /* tries again, and says nothing */
    assert_int_equal(rig.logged, 1);
    for (int i = 0; i < 10; i++)
        http_rig_sleep(&rig, 100);
    assert_int_equal(rig.logged, 2);
    while (n > 0)
        close(spare[--n]);
    http_rig_sleep(&rig, 100);
    http_rig_expect(&c, "200 OK");
    http_rig_close(&c);
    http_rig_stop(&rig);
    set_file_limit(RLIM_INFINITY);
}

static size_t resident_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    size_t pages = 0;

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*u %zu", &pages), 1);
    fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void a_thousand_slow_clients_cost_little(void **state)
{
    enum { MANY = 1000 };
    struct http_rig rig = {.on_body_end = http_rig_echo, .opts.max_connections = MANY + 10};
    struct http_rig_client *c = faas_zalloc(MANY * sizeof(*c)), quick;
    size_t before, each;

    (void)state;
    set_file_limit(RLIM_INFINITY);
    http_rig_start(&rig);
    before = resident_bytes();
    for (size_t i = 0; i < MANY; i++) {
        http_rig_connect(&rig, &c[i]);
        http_rig_send_z(&c[i], "POST / HTTP/1.1\r\nHost: h\r\nContent-Le");
        http_rig_turns(&rig, 1);
    }
    http_rig_turns(&rig, 10);
    assert_int_equal(http_rig_connections(&rig), MANY);
    each = (resident_bytes() - before) / MANY;
    print_message("  %zu bytes resident for each\n", each);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true(each < 24 * 1024);
#endif
    http_rig_connect(&rig, &quick);
    http_rig_send_z(&quick, GET);
    http_rig_expect(&quick, "200 OK");
    for (size_t i = 0; i < MANY; i++) {
        http_rig_send_z(&c[i], "ngth: 1\r\n\r\na");
        http_rig_expect(&c[i], "\na");
        http_rig_close(&c[i]);
    }
    http_rig_close(&quick);
    free(c);
    http_rig_stop(&rig);
}

static void nothing_is_left_behind_by_ten_thousand_requests(void **state)
{
    struct http_rig rig = {.on_body_end = http_rig_echo};
    unsigned before;

    (void)state;
    http_rig_start(&rig);
    before = open_files();
    for (unsigned i = 0; i < 200; i++) {
        struct http_rig_client c;

        http_rig_connect(&rig, &c);
        for (unsigned k = 0; k < 50; k++)
            http_rig_send_z(&c, GET);
        http_rig_until_count(&rig, &rig.dones_ok, (i + 1) * 50, "all replies");
        http_rig_close(&c);
    }
    http_rig_turns(&rig, 5);
    assert_int_equal(rig.requests, 10000);
    assert_int_equal(http_rig_connections(&rig), 0);
    assert_int_equal(open_files(), before);
    http_rig_stop(&rig);
}

static bool count_turns(void *arg)
{
    ++*(unsigned *)arg;
    return false;
}

/* MHD wants to be run again and again when it cannot proceed: it never finds the end of a chunk's
 * first line. */
static void a_line_that_never_ends_does_not_make_the_loop_spin(void **state)
{
    struct http_rig rig = {0};
    struct http_rig_client c;
    char *junk = faas_alloc(100000);
    unsigned turns = 0;

    (void)state;
    memset(junk, 'x', 100000);
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    request(&rig, &c, CHUNKED "5;");
    http_rig_send(&c, junk, 100000);
    http_rig_turns(&rig, 100);
    faas_loop_run_until(rig.loop, count_turns, &turns, 300);
    assert_true(turns < 150);
    free(junk);
    http_rig_close(&c);
    http_rig_stop(&rig);
}

/* --- going down --- */

static void draining_leaves_no_request_unanswered(void **state)
{
    struct http_rig rig = {0};
    struct http_rig_client idle, active, late, next;
    struct faas_http_req *held, *held_late;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &active);
    request(&rig, &active, GET);
    http_rig_reply_text(rig.req, 200, "first");
    http_rig_expect(&active, "first");
    http_rig_connect(&rig, &idle);
    request(&rig, &idle, GET);
    http_rig_reply_text(rig.req, 200, "first");
    http_rig_expect(&idle, "first");
    request(&rig, &active, GET);
    held = rig.req;
    http_rig_connect(&rig, &late);
    http_rig_send_z(&late, GET); /* in the backlog */

    faas_http_server_drain(rig.server);
    faas_http_server_drain(rig.server); /* harmless */
    http_rig_expect_closed(&idle);
    assert_int_equal(idle.error, 0);

    http_rig_until_count(&rig, &rig.requests, 4, "the late request");
    held_late = rig.req;
    http_rig_reply_text(held, 200, "second");
    http_rig_expect(&active, "Connection: close\r\n");
    http_rig_expect(&active, "second");
    http_rig_expect_closed(&active);
    http_rig_reply_text(held_late, 200, "third");
    http_rig_expect(&late, "Connection: close\r\n");
    http_rig_expect_closed(&late);
    assert_int_equal(rig.dones_ok, 4);
    http_rig_turns(&rig, 3);
    assert_int_equal(http_rig_connections(&rig), 0);

    http_rig_connect(&rig, &next);
    http_rig_expect_closed(&next);
    assert_int_equal(next.error, ECONNREFUSED);
    http_rig_close(&next);
    http_rig_close(&idle);
    http_rig_close(&active);
    http_rig_close(&late);
    http_rig_stop(&rig);
}

static void freeing_ends_every_request(void **state)
{
    struct http_rig rig = {.arg = &unknown_length};
    struct http_rig_client waiting, streaming, uploading, paused, idle, half;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &waiting);
    request(&rig, &waiting, GET);
    http_rig_connect(&rig, &uploading);
    request(&rig, &uploading, "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabc");
    rig.appetite = 1;
    http_rig_connect(&rig, &paused);
    request(&rig, &paused, "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabc");
    rig.on_body_end = begin_reply;
    http_rig_connect(&rig, &streaming);
    request(&rig, &streaming, GET);
    http_rig_connect(&rig, &idle);
    http_rig_connect(&rig, &half);
    http_rig_send_z(&half, "GET / HT");
    http_rig_turns(&rig, 5);
    assert_int_equal(rig.dones, 0);
    assert_int_equal(faas_http_server_active(rig.server), 4);
    http_rig_close(&idle);
    http_rig_close(&half);
    faas_http_server_free(rig.server);
    rig.server = NULL;
    assert_int_equal(rig.dones, 4);
    assert_int_equal(rig.err.code, FAAS_ERR_UNAVAILABLE);
    http_rig_expect_closed(&waiting);
    http_rig_expect_closed(&streaming);
    http_rig_expect_closed(&uploading);
    http_rig_expect_closed(&paused);
    http_rig_close(&waiting);
    http_rig_close(&streaming);
    http_rig_close(&uploading);
    http_rig_close(&paused);
    http_rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_that_leaves_is_noticed_at_once),
        cmocka_unit_test(a_client_that_leaves_with_its_last_bytes_is_noticed_at_once),
        cmocka_unit_test(a_half_closed_client_gets_what_is_ready),
        cmocka_unit_test(a_half_closed_client_gets_a_later_reply_when_that_is_wished),
        cmocka_unit_test(
            a_client_that_is_gone_is_noticed_by_the_reply_when_half_closing_is_allowed),
        cmocka_unit_test(a_small_unwanted_body_does_not_cost_the_connection),
        cmocka_unit_test(an_unwanted_body_that_is_here_is_dropped_first),
        cmocka_unit_test(what_a_paused_body_has_left_is_dropped_too),
        cmocka_unit_test(an_early_reply_reaches_a_client_that_goes_on_sending),
        cmocka_unit_test(a_client_cannot_send_for_ever),
        cmocka_unit_test(a_body_is_not_asked_for_before_it_is_wanted),
        cmocka_unit_test(a_stream_can_be_answered_while_it_comes),
        cmocka_unit_test(a_reply_past_the_body_is_held_back_for_a_slow_reader),
        cmocka_unit_test(idle_connections_are_closed),
        cmocka_unit_test(dribbling_does_not_extend_the_time_for_a_request),
        cmocka_unit_test(the_handlers_time_does_not_count_against_a_later_upload),
        cmocka_unit_test(a_reply_that_takes_too_long_is_cut),
        cmocka_unit_test(a_client_that_never_reads_is_cut),
        cmocka_unit_test(a_handler_may_watch_the_time_itself),
        cmocka_unit_test(a_handler_may_answer_before_the_body_came),
        cmocka_unit_test(at_the_limit_connections_wait_in_order),
        cmocka_unit_test(without_descriptors_connections_wait),
        cmocka_unit_test(a_thousand_slow_clients_cost_little),
        cmocka_unit_test(nothing_is_left_behind_by_ten_thousand_requests),
        cmocka_unit_test(a_line_that_never_ends_does_not_make_the_loop_spin),
        cmocka_unit_test(draining_leaves_no_request_unanswered),
        cmocka_unit_test(freeing_ends_every_request),
    };
    return cmocka_run_group_tests_name("http_server_life", tests, NULL, NULL);
}
