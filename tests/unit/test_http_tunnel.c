/* Connections that went over to another protocol. */
#include "libfaas/alloc.h"
#include "libfaas/net.h"
#include "tests/unit/fakes/http_rig.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define ASK    "Host: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: raw\r\n"
#define GET    "GET /t HTTP/1.1\r\n" ASK "\r\n"
#define LENGTH "POST /t HTTP/1.1\r\n" ASK "Content-Length: 4\r\n\r\n"
#define CHUNKS "POST /t HTTP/1.1\r\n" ASK "Transfer-Encoding: chunked\r\n\r\n"
#define PLAIN  "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

enum { READ_TIMEOUT_MS = 5000, WRITE_TIMEOUT_MS = 8000 };

static const struct faas_http_header to_raw[] = {
    {FAAS_STR_INIT("Upgrade"), FAAS_STR_INIT("raw")},
    {FAAS_STR_INIT("Connection"), FAAS_STR_INIT("upgrade, X-Hop")},
    {FAAS_STR_INIT("Content-Length"), FAAS_STR_INIT("7")},
    {FAAS_STR_INIT("X-Agreed"), FAAS_STR_INIT("yes")},
};

/* At the request's end; the client's half-close, which is told of in the same way, is left alone.
 */
static void upgrade(struct http_rig *rig, struct faas_http_req *req)
{
    struct faas_error err;

    if (faas_http_reply_started(req))
        return;
    if (!faas_http_wants_upgrade(faas_http_req_head(req)))
        http_rig_echo(rig, req);
    else if (faas_http_reply_upgrade(req, to_raw, FAAS_ARRAY_LEN(to_raw), &err) < 0)
        fail_msg("%s", err.msg);
}

static void open_tunnel(struct http_rig *rig, struct http_rig_client *c)
{
    http_rig_connect(rig, c);
    http_rig_send_z(c, GET);
    http_rig_expect(c, "\r\n\r\n");
    faas_buf_clear(&c->in);
}

static bool got_all(void *arg)
{
    struct http_rig *rig = arg;

    return rig->body.len >= *(size_t *)rig->arg;
}

static void expect_at_handler(struct http_rig *rig, const char *text)
{
    size_t want = strlen(text);

    rig->arg = &want;
    http_rig_until(rig, got_all, rig, text);
    assert_int_equal(rig->body.len, want);
    assert_memory_equal(rig->body.data, text, want);
    faas_buf_clear(&rig->body);
}

static void expect_over(struct http_rig *rig, bool ok)
{
    http_rig_until_count(rig, &rig->dones, rig->requests, "the end of the tunnel");
    assert_int_equal(rig->dones_ok, ok ? rig->requests : 0);
    http_rig_turns(rig, 5);
    assert_int_equal(http_rig_connections(rig), 0);
    assert_int_equal(faas_http_server_active(rig->server), 0);
}

static void reset(struct http_rig_client *c)
{
    struct linger now = {.l_onoff = 1};

    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    http_rig_close(c);
}

static char *pattern(size_t n)
{
    char *data = faas_alloc(n);

    for (size_t i = 0; i < n; i++)
        data[i] = (char)(i * 31 + i / 256);
    return data;
}

/* --- the beginning --- */

static void the_answer_is_a_101_with_the_handlers_headers(void **state)
{
    struct http_rig rig = {.on_body_end = upgrade};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, GET);
    http_rig_expect(&c, "\r\n\r\n");
    faas_buf_append_c(&c.in, '\0');
    assert_ptr_equal(strstr(c.in.data, "HTTP/1.1 101 Switching Protocols\r\n"), c.in.data);
    assert_non_null(strstr(c.in.data, "\r\nConnection: Upgrade\r\n"));
    assert_non_null(strstr(c.in.data, "\r\nUpgrade: raw\r\n"));
    assert_non_null(strstr(c.in.data, "\r\nX-Agreed: yes\r\n"));
    assert_null(strstr(c.in.data, "X-Hop"));
    assert_null(strstr(c.in.data, "Content-Length"));
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void bytes_behind_the_request_are_the_tunnels_first(void **state)
{
    static const struct {
        const char *request, *body;
    } rows[] = {
        {GET "early", "early"},
        {LENGTH "bodyearly", "bodyearly"},
        {CHUNKS "4\r\nbody\r\n0\r\n\r\nearly", "bodyearly"},
        {GET "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(rows); i++) {
        struct http_rig rig = {.on_body_end = upgrade};
        struct http_rig_client c;

        http_rig_start(&rig);
        http_rig_connect(&rig, &c);
        http_rig_send_z(&c, rows[i].request);
        http_rig_expect(&c, "\r\n\r\n");
        http_rig_turns(&rig, 3);
        expect_at_handler(&rig, rows[i].body);
        assert_int_equal(rig.requests, 1);
        http_rig_send_z(&c, "and more");
        expect_at_handler(&rig, "and more");
        http_rig_close(&c);
        http_rig_stop(&rig);
    }
}

static void early_bytes_can_be_paused(void **state)
{
    struct http_rig rig = {.on_body_end = upgrade, .appetite = 2};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, GET "early");
    http_rig_expect(&c, "\r\n\r\n");
    http_rig_turns(&rig, 3);
    expect_at_handler(&rig, "ea");
    http_rig_send_z(&c, " and late");
    http_rig_turns(&rig, 3);
    assert_int_equal(rig.body.len, 0);
    rig.appetite = SIZE_MAX;
    faas_http_req_resume(rig.req);
    expect_at_handler(&rig, "rly and late");
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void answer_later(struct http_rig *rig, struct faas_http_req *req)
{
    (void)rig;
    (void)req;
}

static void a_kept_connection_can_be_upgraded_later(void **state)
{
    struct http_rig rig = {.on_body_end = upgrade};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    for (int i = 0; i < 2; i++) {
        http_rig_send_z(&c, PLAIN);
        http_rig_expect(&c, "GET [/]");
        http_rig_turns(&rig, 3);
        faas_buf_clear(&c.in);
    }
    rig.on_body_end = answer_later;
    http_rig_send_z(&c, GET);
    http_rig_until_count(&rig, &rig.bodies_ended, 3, "the request");
    http_rig_turns(&rig, 5);
    upgrade(&rig, rig.req);
    faas_http_reply_write(rig.req, FAAS_STR("in one packet"));
    http_rig_expect(&c, "\r\n\r\nin one packet");
    http_rig_send_z(&c, "hello");
    expect_at_handler(&rig, "hello");
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void try_early(struct http_rig *rig, struct faas_http_req *req)
{
    rig->arg = (void *)(intptr_t)faas_http_reply_upgrade(req, to_raw, 1, &rig->err);
}

static void an_upgrade_that_is_out_of_place_is_refused(void **state)
{
    static struct faas_http_header many[40];
    static const struct {
        const char *what, *request;
        const struct faas_http_header *headers;
        size_t n;
    } rows[] = {
        {"nothing asked for", PLAIN, to_raw, 1},
        {"no Connection", "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: raw\r\n\r\n", to_raw, 1},
        {"another token",
         "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: raw\r\nConnection: upgraded\r\n\r\n", to_raw, 1},
        {"no protocol", "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n\r\n", to_raw, 1},
        {"HTTP/2",
         "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\n"
         "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
         to_raw, 1},
        {"HTTP/1.0", "GET / HTTP/1.0\r\n" ASK "\r\n", to_raw, 1},
        {"no Upgrade in the answer", GET, to_raw + 1, 3},
        {"a head that is too large", GET, many, FAAS_ARRAY_LEN(many)},
    };
    static char value[1000];

    (void)state;
    memset(value, 'v', sizeof(value));
    many[0] = to_raw[0];
    for (size_t i = 1; i < FAAS_ARRAY_LEN(many); i++)
        many[i] =
            (struct faas_http_header){FAAS_STR("X-Long"), {.ptr = value, .len = sizeof(value)}};
    for (size_t i = 0; i < FAAS_ARRAY_LEN(rows); i++) {
        struct http_rig rig = {.on_body_end = answer_later};
        struct http_rig_client c;
        struct faas_error err;

        print_message("  %s\n", rows[i].what);
        http_rig_start(&rig);
        http_rig_connect(&rig, &c);
        http_rig_send_z(&c, rows[i].request);
        http_rig_until_count(&rig, &rig.bodies_ended, 1, "the request");
        assert_int_equal(faas_http_reply_upgrade(rig.req, rows[i].headers, rows[i].n, &err), -1);
        assert_int_equal(err.code, FAAS_ERR_BAD_GATEWAY);
        assert_false(faas_http_reply_started(rig.req));
        faas_http_reply_error(rig.req, &err);
        http_rig_expect(&c, " 502 Bad Gateway\r\n");
        http_rig_expect(&c, err.msg);
        http_rig_close(&c);
        http_rig_stop(&rig);
    }
}

static void the_request_must_have_ended(void **state)
{
    struct http_rig rig = {.on_request = try_early, .on_body_end = upgrade};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, LENGTH);
    http_rig_until_count(&rig, &rig.requests, 1, "the request");
    assert_int_equal((intptr_t)rig.arg, -1);
    assert_string_equal(rig.err.msg, "an upgrade before the end of the request");
    http_rig_send_z(&c, "body");
    http_rig_expect(&c, " 101 ");
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void a_client_that_left_before_the_upgrade_is_no_tunnel(void **state)
{
    static void (*const leave[])(struct http_rig_client * c) = {http_rig_close, reset};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(leave); i++) {
        struct http_rig rig = {.on_body_end = answer_later};
        struct http_rig_client c;

        http_rig_start(&rig);
        http_rig_connect(&rig, &c);
        http_rig_send_z(&c, GET);
        http_rig_until_count(&rig, &rig.bodies_ended, 1, "the request");
        leave[i](&c);
        if (rig.req)
            upgrade(&rig, rig.req);
        expect_over(&rig, false);
        http_rig_stop(&rig);
    }
}

/* --- both directions --- */

static void either_side_may_end_first(void **state)
{
    static const bool client_first[] = {true, false};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(client_first); i++) {
        struct http_rig rig = {.on_body_end = upgrade};
        struct http_rig_client c;

        http_rig_start(&rig);
        open_tunnel(&rig, &c);
        if (client_first[i]) {
            http_rig_send_z(&c, "last words");
            shutdown(c.fd, SHUT_WR);
            http_rig_until_count(&rig, &rig.bodies_ended, 2, "the client's end");
            expect_at_handler(&rig, "last words");
            http_rig_turns(&rig, 3);
            faas_http_reply_write(rig.req, FAAS_STR("good bye"));
            http_rig_turns(&rig, 3);
            assert_int_equal(rig.dones, 0);
            faas_http_reply_end(rig.req);
            http_rig_expect(&c, "good bye");
        } else {
            faas_http_reply_write(rig.req, FAAS_STR("good bye"));
            faas_http_reply_end(rig.req);
            http_rig_expect(&c, "good bye");
            http_rig_expect_closed(&c);
            http_rig_send_z(&c, "last words");
            expect_at_handler(&rig, "last words");
            assert_int_equal(rig.dones, 0);
            shutdown(c.fd, SHUT_WR);
            http_rig_until_count(&rig, &rig.bodies_ended, 2, "the client's end");
        }
        http_rig_expect_closed(&c);
        assert_int_equal(c.error, 0);
        expect_over(&rig, true);
        http_rig_close(&c);
        http_rig_stop(&rig);
    }
}

static void end_at_once(struct http_rig *rig, struct faas_http_req *req)
{
    if (faas_http_reply_started(req))
        return;
    upgrade(rig, req);
    faas_http_reply_write(req, FAAS_STR("that was all"));
    faas_http_reply_end(req);
}

static void a_tunnel_can_be_ended_before_it_is_open(void **state)
{
    struct http_rig rig = {.on_body_end = end_at_once};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, GET);
    http_rig_expect(&c, "\r\n\r\nthat was all");
    http_rig_expect_closed(&c);
    assert_int_equal(c.error, 0);
    http_rig_close(&c);
    expect_over(&rig, true);
    http_rig_stop(&rig);
}

static void what_is_not_taken_stays_with_the_client(void **state)
{
    const size_t n = 32 * 1024 * 1024;
    struct http_rig rig = {.on_body_end = upgrade, .appetite = 1000};
    struct http_rig_client c;
    char *data = pattern(n);
    size_t sent = 0;

    (void)state;
    http_rig_start(&rig);
    open_tunnel(&rig, &c);
    for (int idle = 0; sent < n && idle < 10;) {
        ssize_t k = send(c.fd, data + sent, n - sent, MSG_DONTWAIT);

        idle = k > 0 ? 0 : idle + 1;
        sent += k > 0 ? (size_t)k : 0;
        http_rig_turns(&rig, 1);
    }
    assert_true(sent < n); /* the kernel's buffers are full: nobody reads */
    assert_int_equal(rig.body.len, 1000);
    rig.appetite = SIZE_MAX;
    faas_http_req_resume(rig.req);
    http_rig_send(&c, data + sent, n - sent);
    rig.arg = &(size_t){n};
    http_rig_until(&rig, got_all, &rig, "all of it");
    assert_memory_equal(rig.body.data, data, n);
    http_rig_close(&c);
    http_rig_stop(&rig);
    free(data);
}

static void write_until_high(struct faas_http_req *req, const char *data, size_t n, size_t *at)
{
    size_t backlog = 0;

    while (*at < n && backlog <= FAAS_HTTP_HIGH_WATER) {
        size_t piece = FAAS_MIN(n - *at, (size_t)100000);

        backlog = faas_http_reply_write(req, (struct faas_str){.ptr = data + *at, .len = piece});
        *at += piece;
    }
}

struct download {
    char *data;
    size_t n, at;
};

static void write_on(struct http_rig *rig, struct faas_http_req *req)
{
    struct download *d = rig->arg;

    write_until_high(req, d->data, d->n, &d->at);
    if (d->at == d->n)
        faas_http_reply_end(req);
}

static void a_slow_reader_holds_the_writer_back(void **state)
{
    struct download d = {.n = 32 * 1024 * 1024};
    struct http_rig rig = {.on_body_end = upgrade, .on_drain = write_on, .arg = &d};
    struct http_rig_client c;

    (void)state;
    d.data = pattern(d.n);
    http_rig_start(&rig);
    open_tunnel(&rig, &c);
    http_rig_pause(&c, true);
    write_on(&rig, rig.req);
    for (size_t before = 0; before != d.at;) {
        before = d.at;
        http_rig_turns(&rig, 20);
    }
    assert_true(d.at < d.n);
    http_rig_pause(&c, false);
    http_rig_expect_closed(&c);
    assert_true(rig.drains > 1);
    assert_int_equal(c.in.len, d.n);
    assert_memory_equal(c.in.data, d.data, d.n);
    http_rig_close(&c);
    expect_over(&rig, true);
    http_rig_stop(&rig);
    free(d.data);
}

/* --- the end --- */

static void a_tunnel_without_a_descriptor_is_given_up(void **state)
{
    struct http_rig rig = {.on_body_end = upgrade};
    struct rlimit before, none;
    struct http_rig_client c;
    int lowest;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_turns(&rig, 5);
    lowest = dup(c.fd);
    close(lowest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = (rlim_t)lowest, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    http_rig_send_z(&c, GET);
    http_rig_expect_closed(&c);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    expect_over(&rig, false);
    assert_string_equal(rig.err.msg, "no descriptor is left for the tunnel");
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void views_of_the_request_live_as_long_as_the_tunnel(void **state)
{
    struct http_rig rig = {.on_body_end = upgrade};
    const struct faas_http_head *head;
    struct faas_str value;
    struct http_rig_client c, other;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, "PATCH /p?q=1 HTTP/1.1\r\nX-Name: value\r\n" ASK "\r\n");
    http_rig_until_count(&rig, &rig.bodies_ended, 1, "the request");
    head = faas_http_req_head(rig.req);
    value = faas_http_value(head->headers, head->n_headers, FAAS_STR("x-name"));
    http_rig_expect(&c, " 101 ");
    http_rig_turns(&rig, 5);
    http_rig_connect(&rig, &other); /* MHD's memory is somebody else's by now */
    http_rig_turns(&rig, 5);
    assert_true(faas_str_eqz(value, "value"));
    assert_true(faas_str_eqz(head->method, "PATCH") && faas_str_eqz(head->path, "/p") &&
                faas_str_eqz(head->query, "q=1"));
    http_rig_close(&other);
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void a_client_that_vanishes_is_noticed(void **state)
{
    static const struct {
        const char *what;
        size_t appetite;
        void (*leave)(struct http_rig_client *c);
        bool keeps_writing;
    } rows[] = {
        {"reset", SIZE_MAX, reset, false},
        {"reset while paused", 1, reset, false},
        {"closed while we write", SIZE_MAX, http_rig_close, true},
        {"closed while paused, and we write", 1, http_rig_close, true},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(rows); i++) {
        struct http_rig rig = {.on_body_end = upgrade, .appetite = rows[i].appetite};
        struct http_rig_client c;

        print_message("  %s\n", rows[i].what);
        http_rig_start(&rig);
        open_tunnel(&rig, &c);
        http_rig_send_z(&c, "abc");
        http_rig_turns(&rig, 5);
        rows[i].leave(&c);
        while (rows[i].keeps_writing && rig.req) {
            faas_http_reply_write(rig.req, FAAS_STR("are you there?"));
            http_rig_turns(&rig, 2);
        }
        expect_over(&rig, false);
        assert_string_equal(rig.err.msg, "the client went away");
        http_rig_stop(&rig);
    }
}

static void an_aborted_tunnel_is_reset(void **state)
{
    static void (*const abort_by[])(struct faas_http_req * req) = {faas_http_reply_abort,
                                                                   faas_http_reply_cut};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(abort_by); i++) {
        struct http_rig rig = {.on_body_end = upgrade};
        struct http_rig_client c;

        http_rig_start(&rig);
        open_tunnel(&rig, &c);
        if (abort_by[i] == faas_http_reply_cut)
            faas_http_reply_write(rig.req, FAAS_STR("before the break"));
        abort_by[i](rig.req);
        http_rig_expect_closed(&c);
        assert_int_equal(c.error, ECONNRESET);
        if (abort_by[i] == faas_http_reply_cut)
            http_rig_expect(&c, "before the break");
        expect_over(&rig, false);
        http_rig_close(&c);
        http_rig_stop(&rig);
    }
}

static void no_deadline_ends_a_tunnel(void **state)
{
    struct http_rig rig = {
        .on_body_end = upgrade,
        .opts = {.read_timeout_ms = READ_TIMEOUT_MS, .write_timeout_ms = WRITE_TIMEOUT_MS}};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    open_tunnel(&rig, &c);
    for (int i = 0; i < 3; i++)
        http_rig_sleep(&rig, 10 * WRITE_TIMEOUT_MS);
    assert_int_equal(rig.dones, 0);
    http_rig_send_z(&c, "still here");
    expect_at_handler(&rig, "still here");
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void draining_leaves_tunnels_to_their_owner(void **state)
{
    struct http_rig rig = {.on_body_end = upgrade};
    struct http_rig_client c, late;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &late);
    open_tunnel(&rig, &c);
    faas_http_server_drain(rig.server);
    http_rig_turns(&rig, 5);
    assert_int_equal(faas_http_server_active(rig.server), 1);
    http_rig_send_z(&c, "still here");
    expect_at_handler(&rig, "still here");
    faas_http_reply_end(rig.req);
    http_rig_expect_closed(&c);
    http_rig_close(&c);
    http_rig_until_count(&rig, &rig.dones, 1, "the end of the tunnel");
    http_rig_send_z(&late, GET);
    http_rig_expect(&late, " 101 ");
    http_rig_close(&late);
    http_rig_turns(&rig, 5);
    http_rig_stop(&rig);
}

static void a_server_that_goes_down_takes_its_tunnels_along(void **state)
{
    struct http_rig rig = {.on_body_end = upgrade};
    struct http_rig_client c, fresh;

    (void)state;
    http_rig_start(&rig);
    open_tunnel(&rig, &c);
    http_rig_connect(&rig, &fresh);
    http_rig_send_z(&fresh, GET);
    http_rig_until_count(&rig, &rig.bodies_ended, 2, "the request");
    http_rig_stop(&rig); /* each request has had its on_done */
    assert_int_equal(rig.dones_ok, 0);
    close(c.fd);
    close(fresh.fd);
    faas_buf_deinit(&c.in);
    faas_buf_deinit(&fresh.in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_is_a_101_with_the_handlers_headers),
        cmocka_unit_test(bytes_behind_the_request_are_the_tunnels_first),
        cmocka_unit_test(early_bytes_can_be_paused),
        cmocka_unit_test(a_kept_connection_can_be_upgraded_later),
        cmocka_unit_test(an_upgrade_that_is_out_of_place_is_refused),
        cmocka_unit_test(the_request_must_have_ended),
        cmocka_unit_test(a_client_that_left_before_the_upgrade_is_no_tunnel),
        cmocka_unit_test(either_side_may_end_first),
        cmocka_unit_test(a_tunnel_can_be_ended_before_it_is_open),
        cmocka_unit_test(what_is_not_taken_stays_with_the_client),
        cmocka_unit_test(a_slow_reader_holds_the_writer_back),
        cmocka_unit_test(a_tunnel_without_a_descriptor_is_given_up),
        cmocka_unit_test(views_of_the_request_live_as_long_as_the_tunnel),
        cmocka_unit_test(a_client_that_vanishes_is_noticed),
        cmocka_unit_test(an_aborted_tunnel_is_reset),
        cmocka_unit_test(no_deadline_ends_a_tunnel),
        cmocka_unit_test(draining_leaves_tunnels_to_their_owner),
        cmocka_unit_test(a_server_that_goes_down_takes_its_tunnels_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
