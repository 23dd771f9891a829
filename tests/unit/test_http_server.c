/* Requests and replies: what is accepted, what is refused, and what it looks like on the wire. */
#include "libfaas/alloc.h"
#include "tests/unit/fakes/http_rig.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define HOST "Host: h\r\n"

struct exchange {
    const char *what;
    const char *request;
    size_t len; /* 0: up to the NUL */
    const char *want[4];
    const char *reject; /* must not occur */
    bool closes;
};

static void run_exchange(const struct exchange *x)
{
    struct http_rig rig = {.on_body_end = http_rig_echo};
    struct http_rig_client c;

    print_message("  %s\n", x->what);
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send(&c, x->request, x->len ? x->len : strlen(x->request));
    for (size_t i = 0; i < FAAS_ARRAY_LEN(x->want) && x->want[i]; i++)
        http_rig_expect(&c, x->want[i]);
    if (x->reject && memmem(c.in.data, c.in.len, x->reject, strlen(x->reject)))
        fail_msg("unexpected \"%s\" in:\n%.*s", x->reject, (int)c.in.len, c.in.data);
    if (x->closes) {
        http_rig_expect_closed(&c);
    } else {
        faas_buf_clear(&c.in);
        http_rig_send_z(&c, "GET /again HTTP/1.1\r\n" HOST "\r\n");
        http_rig_expect(&c, "GET [/again] [/again] 0\nHost=[h]\n");
    }
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void run_exchanges(const struct exchange *xs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        run_exchange(&xs[i]);
}

static void good_requests_reach_the_handler_as_they_were_sent(void **state)
{
    static const struct exchange xs[] = {
        {"a plain GET",
         "GET / HTTP/1.1\r\n" HOST "\r\n",
         0,
         {"HTTP/1.1 200 OK\r\n", "\r\nDate: ", "\r\nContent-Length: 23\r\n",
          "GET [/] [/] 0\nHost=[h]\n"}},
        {"encoded path and query stay encoded",
         "GET /a%2Fb//../c%00?x=%20&y=1&&+ HTTP/1.1\r\n" HOST "\r\n",
         0,
         {"[/a%2Fb//../c%00?x=%20&y=1&&+] [/a%2Fb//../c%00] [x=%20&y=1&&+] 0\n"}},
        {"an empty query", "GET /a? HTTP/1.1\r\n" HOST "\r\n", 0, {"[/a?] [/a] [] 0\n"}},
        {"two question marks", "GET /a?b?c HTTP/1.1\r\n" HOST "\r\n", 0, {"[/a] [b?c] 0\n"}},
        {"bytes above ASCII", "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", 0, {"[/\xc3\xa9] 0\n"}},
        {"headers in order, duplicates and case kept, values trimmed",
         "GET / HTTP/1.1\r\n" HOST "b:  2 \t\r\nA:1\r\nb: 3\r\nEmpty:\r\nBlank:   \r\n\r\n",
         0,
         {"Host=[h]\nb=[2]\nA=[1]\nb=[3]\nEmpty=[]\nBlank=[]\n"}},
        {"cookies are not taken apart",
         "GET / HTTP/1.1\r\n" HOST "Cookie: a=\"1; 2\"; b=2,c; =; a\r\nCookie: d=4\r\n\r\n",
         0,
         {"Cookie=[a=\"1; 2\"; b=2,c; =; a]\nCookie=[d=4]\n"}},
        {"any method", "M-SEARCH /x HTTP/1.1\r\n" HOST "\r\n", 0, {"M-SEARCH [/x]"}},
        {"absolute form",
         "GET http://u@h:1/a?b HTTP/1.1\r\n" HOST "\r\n",
         0,
         {"[http://u@h:1/a?b] [/a] [b] 0\n"}},
        {"absolute form without a path",
         "GET HTTP://h HTTP/1.1\r\n" HOST "\r\n",
         0,
         {"[HTTP://h] [/] 0\n"}},
        {"absolute form, query only",
         "GET http://h?q HTTP/1.1\r\n" HOST "\r\n",
         0,
         {"[http://h?q] [/] [q] 0\n"}},
        {"OPTIONS *", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 0, {"OPTIONS [*] [*] 0\n"}},
        {"empty lines before a request", "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 0, {" [/] 0\n"}},
        {"a body of known length",
         "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nab\0cd",
         sizeof("POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nab\0cd") - 1,
         {"POST [/] [/] 5\n"}},
        {"the same length twice",
         "POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab",
         0,
         {"POST [/] [/] 2\n", "\nab"}},
        {"a chunked body with extension and trailer",
         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"
         "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n",
         0,
         {"POST [/] [/] -1\n", "\nabc0123456789"},
         "X-T"},
        {"an empty chunked body",
         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         0,
         {"POST [/] [/] -1\n"}},
        {"HTTP/1.0 needs no Host and closes",
         "GET / HTTP/1.0\r\n\r\n",
         0,
         {"HTTP/1.1 200 OK\r\n", "Connection: close\r\n", "GET [/] [/] 0 1.0\n"},
         NULL,
         true},
        {"HTTP/1.0 keep-alive",
         "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
         0,
         {"Connection: Keep-Alive\r\n", "0 1.0\n"}},
        {"Connection: close",
         "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
         0,
         {"Connection: close\r\n", " 0\n"},
         NULL,
         true},
        {"two at once",
         "GET /1 HTTP/1.1\r\n" HOST "\r\nPOST /2 HTTP/1.1\r\n" HOST
         "Content-Length: 1\r\n\r\nxGET /3 HTTP/1.1\r\n" HOST "\r\n",
         0,
         {"GET [/1] [/1] 0\n", "POST [/2] [/2] 1\n", "\nx", "GET [/3] [/3] 0\n"}},
        {"expecting 100-continue",
         "POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\ny",
         0,
         {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", "\ny"}},
    };

    (void)state;
    run_exchanges(xs, FAAS_ARRAY_LEN(xs));
}

static void dangerous_requests_are_refused_and_the_connection_closed(void **state)
{
#define LAST "\r\nGET /smuggled HTTP/1.1\r\n" HOST "\r\n"
#define BAD(what, request, status)                                                         \
    {                                                                                      \
        what, request, sizeof(request) - 1, {"HTTP/1.1 " status, "Connection: close\r\n"}, \
            "smuggled] ", true                                                             \
    }
#define JSON(what, request, status, text)                                                \
    {                                                                                    \
        what, request, sizeof(request) - 1,                                              \
            {"HTTP/1.1 " status, "Connection: close\r\n", "application/json\r\n", text}, \
            "smuggled] ", true                                                           \
    }
    static const struct exchange xs[] = {
        JSON("bare LF after the request line", "GET / HTTP/1.1\n" HOST LAST, "400 ", "malformed"),
        JSON("bare LF after a header", "GET / HTTP/1.1\r\nHost: h\nA: b\r\n" LAST, "400 ",
             "malformed"),
        JSON("bare LF after the head", "GET / HTTP/1.1\r\nHost: h\r\n\nGET /smuggled", "400 ",
             "malformed"),
        JSON("a folded header", "GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n" LAST, "400 ",
             "malformed"),
        JSON("a folded header that hides a length",
             "POST / HTTP/1.1\r\n" HOST "A: b\r\n\tContent-Length: 5\r\n" LAST, "400 ",
             "malformed"),
        JSON("a blank before the first header", "GET / HTTP/1.1\r\n Host: h\r\n" LAST, "400 ", ""),
        JSON("a NUL in the target", "GET /a\0b HTTP/1.1\r\n" HOST LAST, "400 ", "malformed"),
        JSON("a NUL in the query", "GET /a?b\0b HTTP/1.1\r\n" HOST LAST, "400 ", "malformed"),
        JSON("a NUL before the query", "GET /a\0?b HTTP/1.1\r\n" HOST LAST, "400 ", "malformed"),
        JSON("a NUL in a value", "GET / HTTP/1.1\r\n" HOST "A: b\0c\r\n" LAST, "400 ", "malformed"),
        BAD("a NUL in a name", "GET / HTTP/1.1\r\n" HOST "A\0: b\r\n" LAST, "400 "),
        JSON("a blank in the target", "GET /a b HTTP/1.1\r\n" HOST LAST, "400 ", "target"),
        JSON("a tab in the target", "GET /a\tb HTTP/1.1\r\n" HOST LAST, "400 ", "target"),
        JSON("a control in the target", "GET /a\x7f HTTP/1.1\r\n" HOST LAST, "400 ", "target"),
        JSON("two blanks in the request line", "GET  / HTTP/1.1\r\n" HOST LAST, "400 ",
             "malformed"),
        JSON("a blank at the line's end", "GET /  HTTP/1.1\r\n" HOST LAST, "400 ", "target"),
        JSON("a relative target", "GET a HTTP/1.1\r\n" HOST LAST, "400 ", "target"),
        JSON("a star for GET", "GET * HTTP/1.1\r\n" HOST LAST, "400 ", "target"),
        JSON("another scheme", "GET ftp://h/ HTTP/1.1\r\n" HOST LAST, "400 ", "target"),
        JSON("a method that is no token", "G(T / HTTP/1.1\r\n" HOST LAST, "400 ", "malformed"),
        JSON("a blank before the colon", "GET / HTTP/1.1\r\n" HOST "A : b\r\n" LAST, "400 ",
             "header"),
        /* to MHD this is the head's end */
        JSON("an empty name", "GET / HTTP/1.1\r\n" HOST ": b\r\n" LAST, "400 ", "malformed"),
        JSON("an empty name at first", "GET / HTTP/1.1\r\n: b\r\n" HOST LAST, "400 ", "header"),
        BAD("a line without a colon", "GET / HTTP/1.1\r\n" HOST "Ab\r\n" LAST, "400 "),
        JSON("a CR in a value", "GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n" LAST, "400 ", "header"),
        JSON("a control in a value", "GET / HTTP/1.1\r\n" HOST "A: \x01\r\n" LAST, "400 ",
             "header"),
        JSON("no Host", "GET / HTTP/1.1\r\nA: b\r\n" LAST, "400 ", "Host"),
        JSON("no headers", "GET / HTTP/1.1\r\n" LAST, "400 ", "Host"),
        JSON("two Hosts", "GET / HTTP/1.1\r\n" HOST "host: h\r\n" LAST, "400 ", "Host"),
        JSON("two lengths",
             "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\naa", "400 ",
             "Content-Length"),
        JSON("two lengths, the second invalid",
             "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: x\r\n\r\naa", "400 ",
             "Content-Length"),
        BAD("a negative length", "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\na", "400 "),
        BAD("a signed length", "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\na", "400 "),
        BAD("a hexadecimal length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\na",
            "400 "),
        BAD("an empty length", "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\na", "400 "),
        BAD("a list of lengths", "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\na",
            "400 "),
        BAD("a length beyond 64 bits",
            "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\na", "413 "),
        JSON("a length beyond 63 bits",
             "POST / HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775808\r\n\r\na", "400 ",
             "Content-Length"),
        JSON("length and encoding",
             "POST / HTTP/1.1\r\n" HOST
             "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" LAST,
             "400 ", "ambiguous"),
        JSON("encoding and length",
             "POST / HTTP/1.1\r\n" HOST
             "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n" LAST,
             "400 ", "ambiguous"),
        JSON("encoding in HTTP/1.0",
             "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" LAST, "400 ",
             "ambiguous"),
        JSON("gzip",
             "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n" LAST,
             "501 ", "chunked"),
        JSON("identity", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\nabc",
             "501 ", "chunked"),
        JSON("chunked twice",
             "POST / HTTP/1.1\r\n" HOST
             "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" LAST,
             "501 ", "chunked"),
        JSON("chunked and a blank",
             "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked \r\n\r\n0\r\n" LAST, "501 ",
             "chunked"),
        JSON("chunked, in disguise",
             "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \x0b"
             "chunked\r\n\r\n0\r\n" LAST,
             "400 ", "header"),
        JSON("another expectation",
             "POST / HTTP/1.1\r\n" HOST "Expect: 200-ok\r\nContent-Length: 1\r\n\r\na", "417 ",
             "100-continue"),
        BAD("no version", "GET /\r\n" HOST LAST, "400 "),
        BAD("a lower case version", "GET / http/1.1\r\n" HOST LAST, "400 "),
        BAD("HTTP/2", "GET / HTTP/2.0\r\n" HOST LAST, "505 "),
    };

    (void)state;
    run_exchanges(xs, FAAS_ARRAY_LEN(xs));
}

/* By then the handler has the request, so it is told, and MHD answers. */
static void a_malformed_chunked_body_is_refused(void **state)
{
    static const struct {
        const char *body, *status;
    } cases[] = {
        {"x\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 400 "},
        {"3\r\nabcd\r\n0\r\n\r\n", "HTTP/1.1 400 "},
        {"-1\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 400 "},
        {"0x3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 400 "},
        {"\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 400 "},
        {"10000000000000000\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 413 "},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct http_rig rig = {.on_body_end = http_rig_echo};
        struct http_rig_client c;

        print_message("  %s\n", cases[i].body);
        http_rig_start(&rig);
        http_rig_connect(&rig, &c);
        http_rig_send_z(&c, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
        http_rig_send_z(&c, cases[i].body);
        http_rig_expect(&c, cases[i].status);
        http_rig_expect_closed(&c);
        assert_int_equal(rig.dones, 1);
        assert_int_equal(rig.bodies_ended, 0);
        assert_int_equal(rig.err.code, FAAS_ERR_INVALID);
        http_rig_close(&c);
        http_rig_stop(&rig);
    }
}

static void a_line_that_is_no_request_closes_the_connection(void **state)
{
    struct http_rig rig = {.on_body_end = http_rig_echo};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, "\x16\x03\x01\x02\r\n");
    http_rig_expect_closed(&c);
    assert_int_equal(rig.requests, 0);
    http_rig_close(&c);
    http_rig_stop(&rig);
}

/* --- sizes --- */

/* A head of exactly n bytes: a long target, or long headers. */
static char *head_of(size_t n, bool in_target, size_t header_len)
{
    static const char end[] = "\r\n";
    struct faas_buf b = {0};

    faas_buf_append_z(&b, "GET /");
    if (in_target) {
        size_t fill = n - b.len - strlen(" HTTP/1.1\r\n" HOST "\r\n");

        memset(faas_buf_reserve(&b, fill), 'u', fill);
        b.len += fill;
    }
    faas_buf_append_z(&b, " HTTP/1.1\r\n" HOST);
    while (!in_target && n - b.len > 2) {
        size_t len = FAAS_MIN(header_len, n - b.len - 2);

        if (n - b.len - 2 - len > 0 && n - b.len - 2 - len < 8)
            len = n - b.len - 2; /* no rest too short for a header */
        faas_buf_append_z(&b, "x: ");
        memset(faas_buf_reserve(&b, len - 5), 'v', len - 5);
        b.len += len - 5;
        faas_buf_append_z(&b, end);
    }
    faas_buf_append_z(&b, end);
    assert_int_equal(b.len, n);
    return faas_buf_steal(&b);
}

static void a_head_may_be_as_large_as_the_limit_and_no_larger(void **state)
{
    static const size_t limits[] = {4096, 16 * 1024, 64 * 1024, 100000};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(limits); i++) {
        size_t n = limits[i];
        const struct {
            size_t bytes;
            bool in_target;
            size_t header_len;
            const char *status;
        } cases[] = {
            {n, false, n, "HTTP/1.1 200 "},         {n, false, 200, "HTTP/1.1 200 "},
            {n, true, 0, "HTTP/1.1 200 "},          {n + 1, false, n + 1, "HTTP/1.1 431 "},
            {n + 1, false, 200, "HTTP/1.1 431 "},   {n + 20, true, 0, "HTTP/1.1 414 "},
            {n * 8, false, n * 8, "HTTP/1.1 431 "}, {n * 8, true, 0, "HTTP/1.1 414 "},
            {n * 3, false, 10, "HTTP/1.1 431 "},
        };

        for (size_t k = 0; k < FAAS_ARRAY_LEN(cases); k++) {
            struct http_rig rig = {.on_body_end = http_rig_echo, .opts.header_limit = n};
            struct http_rig_client c;
            char *head = head_of(cases[k].bytes, cases[k].in_target, cases[k].header_len);

            http_rig_start(&rig);
            http_rig_connect(&rig, &c);
            http_rig_send_z(&c, head);
            http_rig_expect(&c, cases[k].status);
            if (strstr(cases[k].status, "200")) {
                faas_buf_clear(&c.in);
                http_rig_send_z(&c, "GET / HTTP/1.1\r\n" HOST "\r\n");
                http_rig_expect(&c, "HTTP/1.1 200 ");
            }
            free(head);
            http_rig_close(&c);
            http_rig_stop(&rig);
        }
    }
}

/* MHD takes memory for each argument; a head within the limit must not run out of it. */
static void a_query_of_many_arguments_is_just_text(void **state)
{
    struct http_rig rig = {.on_body_end = http_rig_echo};
    struct http_rig_client c;
    char *head = head_of(16 * 1024, true, 0);

    (void)state;
    head[10] = '?';
    for (char *p = head + 11; *p == 'u'; p += 2)
        *p = '&';
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, head);
    http_rig_expect(&c, "HTTP/1.1 200 ");
    http_rig_expect(&c, "&u&u");
    free(head);
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void many_headers(struct http_rig *rig, struct faas_http_req *req)
{
    struct faas_http_header headers[200];
    static char value[500];

    (void)rig;
    memset(value, 'v', sizeof(value));
    for (size_t i = 0; i < FAAS_ARRAY_LEN(headers); i++)
        headers[i] = (struct faas_http_header){FAAS_STR("X-Many"), {value, sizeof(value)}};
    headers[199] = (struct faas_http_header){FAAS_STR("X-Last"), FAAS_STR("here")};
    faas_http_reply(req, 200, headers, FAAS_ARRAY_LEN(headers), FAAS_STR("body"));
}

/* MHD would close the connection without a word. */
static void a_reply_head_of_any_size_is_sent(void **state)
{
    struct http_rig rig = {.on_body_end = many_headers};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, "GET / HTTP/1.1\r\n" HOST "\r\n");
    http_rig_expect(&c, "Connection: close\r\n");
    http_rig_expect(&c, "X-Last: here\r\nContent-Length: 4\r\n\r\nbody");
    http_rig_expect_closed(&c);
    assert_int_equal(c.error, 0);
    assert_int_equal(rig.dones_ok, 1);
    http_rig_close(&c);
    http_rig_stop(&rig);
}

/* --- replies --- */

static void reply_with_server_headers(struct http_rig *rig, struct faas_http_req *req)
{
    const struct faas_http_header headers[] = {
        {FAAS_STR("Content-Length"), FAAS_STR("99")},
        {FAAS_STR("transfer-encoding"), FAAS_STR("chunked")},
        {FAAS_STR("Connection"), FAAS_STR("close")},
        {FAAS_STR("bad name"), FAAS_STR("x")},
        {FAAS_STR("Bad-Value"), FAAS_STR("x\r\nInjected: y")},
        {FAAS_STR("Set-Cookie"), FAAS_STR("a=1")},
        {FAAS_STR("Set-Cookie"), FAAS_STR("b=2")},
        {FAAS_STR("X-Empty"), FAAS_STR("")},
    };

    (void)rig;
    faas_http_reply(req, 200, headers, FAAS_ARRAY_LEN(headers), FAAS_STR("hi"));
}

static void reply_with_a_date(struct http_rig *rig, struct faas_http_req *req)
{
    static const struct faas_http_header date = {FAAS_STR_INIT("date"),
                                                 FAAS_STR_INIT("Sun, 06 Nov 1994 08:49:37 GMT")};

    (void)rig;
    faas_http_reply(req, 200, &date, 1, FAAS_STR("hi"));
}

/* Before the body's end it is another part of the server that writes the reply. */
static void a_date_of_the_handler_is_kept_and_the_only_one(void **state)
{
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\n" HOST "\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nab",
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(requests); i++) {
        struct http_rig rig = {.on_request = reply_with_a_date};
        struct http_rig_client c;

        http_rig_start(&rig);
        http_rig_connect(&rig, &c);
        http_rig_send_z(&c, requests[i]);
        http_rig_expect(&c, "\r\n\r\nhi");
        assert_non_null(strstr(c.in.data, "\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
        assert_null(strstr(c.in.data, "Date: "));
        http_rig_close(&c);
        http_rig_stop(&rig);
    }
}

static void framing_headers_are_the_servers_own(void **state)
{
    struct http_rig rig = {.on_body_end = reply_with_server_headers};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, "GET / HTTP/1.1\r\n" HOST "\r\n");
    http_rig_expect(&c, "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Empty:  \r\n"
                        "Content-Length: 2\r\n\r\nhi");
    assert_null(strstr(c.in.data, "99"));
    assert_null(strstr(c.in.data, "hunked"));
    assert_null(strstr(c.in.data, "lose"));
    assert_null(strstr(c.in.data, "Injected"));
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void begin_only(struct http_rig *rig, struct faas_http_req *req)
{
    const int64_t *length = rig->arg;

    faas_http_reply_begin(req, 200, NULL, 0, *length);
}

static void begin_and_end(struct http_rig *rig, struct faas_http_req *req)
{
    begin_only(rig, req);
    faas_http_reply_end(req);
}

static void reply_status(struct http_rig *rig, struct faas_http_req *req)
{
    faas_http_reply(req, *(int *)rig->arg, NULL, 0, FAAS_STR("body"));
}

static void a_reply_without_a_body_announces_its_length(void **state)
{
    static int64_t known = 1234, unknown = -1;
    static int no_content = 204, not_modified = 304, ok = 200;
    static const struct {
        const char *method;
        void (*handler)(struct http_rig *rig, struct faas_http_req *req);
        void *arg;
        const char *want, *reject;
        bool closes;
    } cases[] = {
        {"HEAD", reply_status, &ok, "Content-Length: 4\r\n\r\n", "body", false},
        {"HEAD", begin_and_end, &known, "Content-Length: 1234\r\n\r\n", "close", false},
        /* MHD's last chunk would be taken for the next reply */
        {"HEAD", begin_and_end, &unknown, "Connection: close\r\n\r\n", "Content-Length", true},
        {"GET", reply_status, &no_content, "HTTP/1.1 204 No Content\r\n", "body", false},
        {"GET", reply_status, &not_modified, "HTTP/1.1 304 Not Modified\r\n", "body", false},
        {"HEAD", reply_status, &no_content, "HTTP/1.1 204 No Content\r\n", "Content-Length", false},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct http_rig rig = {.on_body_end = cases[i].handler, .arg = cases[i].arg};
        struct http_rig_client c;
        char request[100];

        snprintf(request, sizeof(request), "%s / HTTP/1.1\r\n" HOST "\r\n", cases[i].method);
        http_rig_start(&rig);
        http_rig_connect(&rig, &c);
        http_rig_send_z(&c, request);
        http_rig_expect(&c, cases[i].want);
        http_rig_expect(&c, "\r\n\r\n");
        assert_null(strstr(c.in.data, cases[i].reject));
        assert_string_equal(strstr(c.in.data, "\r\n\r\n"), "\r\n\r\n");
        if (cases[i].closes) {
            http_rig_expect_closed(&c);
        } else {
            faas_buf_clear(&c.in);
            rig.on_body_end = http_rig_echo;
            http_rig_send_z(&c, "GET /2 HTTP/1.1\r\n" HOST "\r\n");
            http_rig_expect(&c, "/2");
            assert_memory_equal(c.in.data, "HTTP/1.1 200", 12);
        }
        http_rig_close(&c);
        http_rig_stop(&rig);
    }
}

static void give_body_away(struct http_rig *rig, struct faas_http_req *req)
{
    struct faas_buf body = {0};

    (void)rig;
    faas_buf_append_z(&body, "given");
    faas_http_reply_take(req, 200, NULL, 0, &body);
    assert_null(body.data); /* also when it will not be sent */
    assert_int_equal(body.len, 0);
}

static void a_body_may_be_given_away(void **state)
{
    struct http_rig rig = {.on_body_end = give_body_away};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    for (int i = 0; i < 2; i++) { /* the second one meets what the first has left */
        http_rig_send_z(&c, "GET / HTTP/1.1\r\n" HOST "\r\n");
        http_rig_expect(&c, "Content-Length: 5\r\n\r\ngiven");
        faas_buf_clear(&c.in);
    }
    http_rig_send_z(&c, "HEAD / HTTP/1.1\r\n" HOST "\r\n");
    http_rig_expect(&c, "Content-Length: 5\r\n\r\n");
    assert_null(strstr(c.in.data, "given"));
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void errors_are_json(struct http_rig *rig, struct faas_http_req *req)
{
    struct faas_error err;

    (void)rig;
    faas_fail(&err, FAAS_ERR_TOO_MANY, "no \"room\"\n");
    faas_http_reply_error(req, &err);
}

static void an_error_becomes_a_json_reply(void **state)
{
    struct http_rig rig = {.on_request = errors_are_json};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, "GET / HTTP/1.1\r\n" HOST "\r\n");
    http_rig_expect(&c, "HTTP/1.1 429 ");
    http_rig_expect(&c, "Content-Type: application/json\r\n");
    http_rig_expect(&c, "{\"error\":\"no \\\"room\\\"\\n\",\"code\":\"too_many\","
                        "\"component\":\"rig\"}\n");
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void expect_a_reply_in_pieces(struct http_rig_client *c, const char *request)
{
    static int64_t unknown = -1;
    struct http_rig *rig = c->rig;
    unsigned before = rig->dones_ok;

    rig->on_body_end = begin_only;
    rig->arg = &unknown;
    http_rig_send_z(c, request);
    http_rig_expect(c, "\r\n\r\n"); /* the head does not wait for the body */
    http_rig_turns(rig, 3);
    assert_int_equal(faas_http_reply_write(rig->req, FAAS_STR("one")), 3);
    http_rig_expect(c, "one");
    faas_http_reply_write(rig->req, FAAS_STR("two"));
    http_rig_expect(c, "two");
    assert_non_null(rig->req);
    faas_http_reply_end(rig->req);
    http_rig_until_count(rig, &rig->dones_ok, before + 1, "the reply's end");
}

static void a_reply_goes_out_as_it_is_written(void **state)
{
    struct http_rig rig = {0};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    for (int i = 0; i < 2; i++) { /* the connection is kept */
        expect_a_reply_in_pieces(&c, "GET / HTTP/1.1\r\n" HOST "\r\n");
        http_rig_expect(&c, "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
        faas_buf_clear(&c.in);
    }
    expect_a_reply_in_pieces(&c, "GET / HTTP/1.0\r\n\r\n");
    http_rig_expect(&c, "Connection: close\r\n\r\nonetwo");
    http_rig_expect_closed(&c);
    assert_int_equal(c.error, 0);
    http_rig_close(&c);
    http_rig_stop(&rig);
}

/* The last byte must not make MHD finish while the handler still holds the request. */
static void a_reply_of_known_length_ends_when_the_handler_says(void **state)
{
    struct http_rig rig = {.on_body_end = begin_only};
    struct http_rig_client c;
    int64_t length = 6;

    (void)state;
    rig.arg = &length;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, "GET / HTTP/1.1\r\n" HOST "\r\n");
    http_rig_expect(&c, "Content-Length: 6\r\n\r\n");
    faas_http_reply_write(rig.req, FAAS_STR("onetwothree")); /* too much */
    http_rig_expect(&c, "onetw");
    http_rig_turns(&rig, 5);
    assert_int_equal(rig.dones, 0);
    faas_http_reply_end(rig.req);
    http_rig_expect(&c, "onetwo");
    http_rig_until_count(&rig, &rig.dones_ok, 1, "the reply's end");
    assert_null(strstr(c.in.data, "three"));
    http_rig_close(&c);
    http_rig_stop(&rig);
}

/* One send, one packet: the client's first read has it all. */
static void a_reply_begun_and_ended_in_a_turn_has_a_length(void **state)
{
    static int64_t unknown = -1;
    struct http_rig rig = {.on_body_end = begin_and_end, .arg = &unknown};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, "GET / HTTP/1.1\r\n" HOST "\r\n");
    http_rig_expect(&c, "Content-Length: 0\r\n\r\n");
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void end_of(const char *request, int64_t length, bool abort_it, bool *clean,
                   struct faas_buf *got)
{
    struct http_rig rig = {.on_body_end = begin_only, .arg = &length};
    struct http_rig_client c;

    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, request);
    http_rig_expect(&c, "\r\n\r\n");
    faas_http_reply_write(rig.req, FAAS_STR("part"));
    http_rig_expect(&c, "part");
    if (abort_it)
        faas_http_reply_abort(rig.req);
    else
        faas_http_reply_end(rig.req);
    http_rig_expect_closed(&c);
    assert_int_equal(rig.dones, 1);
    assert_int_equal(rig.dones_ok, 0);
    *clean = c.error == 0;
    faas_buf_append_str(got, faas_buf_str(&c.in));
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void a_reply_that_is_cut_short_looks_like_it(void **state)
{
    _cleanup_buf_ struct faas_buf got = {0};
    bool clean;

    (void)state;
    end_of("GET / HTTP/1.1\r\n" HOST "\r\n", -1, true, &clean, &got);
    assert_non_null(strstr(got.data, "part"));
    assert_null(strstr(got.data, "\r\n0\r\n"));
    faas_buf_clear(&got);
    end_of("GET / HTTP/1.1\r\n" HOST "\r\n", 10, true, &clean, &got);
    faas_buf_clear(&got);
    end_of("GET / HTTP/1.1\r\n" HOST "\r\n", 10, false, &clean, &got); /* ended too early */
    assert_non_null(strstr(got.data, "Content-Length: 10\r\n\r\npart"));
    faas_buf_clear(&got);
    /* here only a reset tells */
    end_of("GET / HTTP/1.0\r\n\r\n", -1, true, &clean, &got);
    assert_false(clean);
}

/* More than goes out at once. */
enum { CUT_AFTER = 3 * 1024 * 1024 };

static void write_and_cut(struct http_rig *rig, struct faas_http_req *req)
{
    _cleanup_free_ char *text = faas_zalloc(CUT_AFTER);

    begin_only(rig, req);
    memset(text, 'x', CUT_AFTER);
    faas_http_reply_write(req, (struct faas_str){.ptr = text, .len = CUT_AFTER - 4});
    faas_http_reply_write(req, FAAS_STR("last"));
    faas_http_reply_cut(req);
}

static void what_was_written_goes_out_before_a_reply_is_cut(void **state)
{
    static const struct {
        const char *what, *request, *announced;
        int64_t length;
    } cases[] = {
        {"chunked", "GET / HTTP/1.1\r\n" HOST "\r\n", "Transfer-Encoding: chunked\r\n", -1},
        {"of a known length", "GET / HTTP/1.1\r\n" HOST "\r\n", "Content-Length: 9000000\r\n",
         9000000},
        {"while the body is coming", "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nab",
         "Transfer-Encoding: chunked\r\n", -1},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        int64_t length = cases[i].length;
        struct http_rig rig = {.on_request = write_and_cut, .arg = &length};
        struct http_rig_client c;

        print_message("  %s\n", cases[i].what);
        http_rig_start(&rig);
        http_rig_connect(&rig, &c);
        http_rig_send_z(&c, cases[i].request);
        http_rig_expect(&c, cases[i].announced);
        http_rig_expect(&c, "last");
        http_rig_expect_closed(&c);
        assert_true(c.in.len > CUT_AFTER);
        assert_null(memmem(c.in.data, c.in.len, "\r\n0\r\n", 5));
        assert_int_equal(rig.dones, 1);
        assert_int_equal(rig.dones_ok, 0);
        http_rig_close(&c);
        http_rig_stop(&rig);
    }
}

static void a_reply_that_is_cut_before_anything_was_written_is_aborted(void **state)
{
    int64_t unknown = -1;
    struct http_rig rig = {.on_body_end = begin_only, .arg = &unknown};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, "GET / HTTP/1.1\r\n" HOST "\r\n");
    http_rig_expect(&c, "\r\n\r\n");
    faas_http_reply_cut(rig.req);
    http_rig_expect_closed(&c);
    assert_null(memmem(c.in.data, c.in.len, "\r\n0\r\n", 5));
    assert_int_equal(rig.dones, 1);
    assert_int_equal(rig.dones_ok, 0);
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void abort_at_once(struct http_rig *rig, struct faas_http_req *req)
{
    (void)rig;
    faas_http_reply_abort(req);
}

static void a_request_may_be_dropped_without_a_reply(void **state)
{
    struct http_rig rig = {.on_request = abort_at_once};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, "GET / HTTP/1.1\r\n" HOST "\r\n");
    http_rig_expect_closed(&c);
    assert_int_equal(c.in.len, 0);
    assert_int_equal(rig.dones, 1);
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void a_deferred_reply_is_sent_when_it_comes(void **state)
{
    struct http_rig rig = {0};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    for (unsigned i = 1; i <= 3; i++) {
        http_rig_send_z(&c, "GET / HTTP/1.1\r\n" HOST "\r\n");
        http_rig_until_count(&rig, &rig.bodies_ended, i, "the request");
        http_rig_turns(&rig, 3);
        assert_int_equal(faas_http_server_active(rig.server), 1);
        http_rig_reply_text(rig.req, 200, "late");
        http_rig_expect(&c, "late");
        assert_int_equal(rig.dones_ok, i);
        faas_buf_clear(&c.in);
    }
    assert_int_equal(faas_http_server_active(rig.server), 0);
    assert_int_equal(http_rig_connections(&rig), 1);
    http_rig_close(&c);
    http_rig_stop(&rig);
}

/* --- large bodies and replies --- */

enum { BIG = 64 * 1024 * 1024, PIECE = 40 * 1000 };

struct stream {
    int64_t left;
    size_t highest;
};

static void stream_on(struct http_rig *rig, struct faas_http_req *req)
{
    static char piece[PIECE];
    struct stream *s = rig->arg;

    while (s->left > 0) {
        size_t n = FAAS_MIN((size_t)s->left, sizeof(piece));
        size_t backlog = faas_http_reply_write(req, (struct faas_str){piece, n});

        s->left -= (int64_t)n;
        s->highest = FAAS_MAX(s->highest, backlog);
        if (backlog > FAAS_HTTP_HIGH_WATER)
            return;
    }
    faas_http_reply_end(req);
}

static void stream_begin(struct http_rig *rig, struct faas_http_req *req)
{
    faas_http_reply_begin(req, 200, NULL, 0, -1);
    stream_on(rig, req);
}

static void stream_begin_known(struct http_rig *rig, struct faas_http_req *req)
{
    faas_http_reply_begin(req, 200, NULL, 0, BIG);
    stream_on(rig, req);
}

static void a_slow_reader_costs_no_memory(void **state)
{
    static void (*const begins[])(struct http_rig * rig,
                                  struct faas_http_req * req) = {stream_begin, stream_begin_known};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(begins); i++) {
        struct stream s = {.left = BIG};
        struct http_rig rig = {.on_body_end = begins[i], .on_drain = stream_on, .arg = &s};
        struct http_rig_client c;
        size_t got = 0;

        http_rig_start(&rig);
        http_rig_connect(&rig, &c);
        http_rig_send_z(&c, "GET / HTTP/1.1\r\n" HOST "\r\n");
        http_rig_expect(&c, "\r\n\r\n");
        http_rig_pause(&c, true);
        http_rig_turns(&rig, 50);
        assert_true(s.left > BIG / 2); /* the handler waits for the client */
        http_rig_pause(&c, false);
        while (rig.dones == 0) {
            http_rig_turns(&rig, 1);
            got += c.in.len;
            faas_buf_clear(&c.in);
        }
        http_rig_turns(&rig, 20);
        while (c.in.len) {
            got += c.in.len;
            faas_buf_clear(&c.in);
            http_rig_turns(&rig, 5);
        }
        assert_int_equal(rig.dones_ok, 1);
        assert_true(got > BIG && got < BIG + BIG / 100);
        assert_true(rig.drains > 0);
        assert_true(s.highest <= FAAS_HTTP_HIGH_WATER + PIECE);
        http_rig_close(&c);
        http_rig_stop(&rig);
    }
}

static void a_paused_upload_waits(void **state)
{
    static char data[3 * 1024 * 1024];
    struct http_rig rig = {.on_body_end = NULL, .appetite = 10};
    struct http_rig_client c;
    struct faas_buf all = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)(i * 7 % 251);
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3145728\r\n\r\n");
    faas_buf_append(&all, data, sizeof(data));
    while (all.len > 0) {
        ssize_t n = send(c.fd, all.data, all.len, MSG_DONTWAIT);

        if (n > 0)
            faas_buf_consume(&all, (size_t)n);
        if (n <= 0 && rig.req) {
            size_t before = rig.body.len;

            http_rig_turns(&rig, 5);
            assert_int_equal(rig.body.len, before); /* the socket is full, and nobody reads */
            rig.appetite = 100000;
            faas_http_req_resume(rig.req);
            http_rig_turns(&rig, 20);
        } else {
            http_rig_turns(&rig, 2);
        }
    }
    rig.appetite = SIZE_MAX;
    faas_http_req_resume(rig.req);
    http_rig_until_count(&rig, &rig.bodies_ended, 1, "the body's end");
    assert_int_equal(rig.body.len, sizeof(data));
    assert_memory_equal(rig.body.data, data, sizeof(data));
    http_rig_reply_text(rig.req, 200, "thanks");
    http_rig_expect(&c, "thanks");
    faas_buf_deinit(&all);
    http_rig_close(&c);
    http_rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_requests_reach_the_handler_as_they_were_sent),
        cmocka_unit_test(dangerous_requests_are_refused_and_the_connection_closed),
        cmocka_unit_test(a_malformed_chunked_body_is_refused),
        cmocka_unit_test(a_line_that_is_no_request_closes_the_connection),
        cmocka_unit_test(a_head_may_be_as_large_as_the_limit_and_no_larger),
        cmocka_unit_test(a_query_of_many_arguments_is_just_text),
        cmocka_unit_test(a_reply_head_of_any_size_is_sent),
        cmocka_unit_test(framing_headers_are_the_servers_own),
        cmocka_unit_test(a_date_of_the_handler_is_kept_and_the_only_one),
        cmocka_unit_test(a_reply_without_a_body_announces_its_length),
        cmocka_unit_test(a_body_may_be_given_away),
        cmocka_unit_test(an_error_becomes_a_json_reply),
        cmocka_unit_test(a_reply_goes_out_as_it_is_written),
        cmocka_unit_test(a_reply_of_known_length_ends_when_the_handler_says),
        cmocka_unit_test(a_reply_begun_and_ended_in_a_turn_has_a_length),
        cmocka_unit_test(a_reply_that_is_cut_short_looks_like_it),
        cmocka_unit_test(what_was_written_goes_out_before_a_reply_is_cut),
        cmocka_unit_test(a_reply_that_is_cut_before_anything_was_written_is_aborted),
        cmocka_unit_test(a_request_may_be_dropped_without_a_reply),
        cmocka_unit_test(a_deferred_reply_is_sent_when_it_comes),
        cmocka_unit_test(a_slow_reader_costs_no_memory),
        cmocka_unit_test(a_paused_upload_waits),
    };
    return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}
