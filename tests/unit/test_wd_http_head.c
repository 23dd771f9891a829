#include "tests/unit/unit.h"
#include "watchdog/http_head.h"

#include <stdio.h>

#define H(n, v)                            \
    {                                      \
        FAAS_STR_INIT(n), FAAS_STR_INIT(v) \
    }

static struct faas_http_head head_of(const char *method, const char *path,
                                     const struct faas_http_header *headers, size_t n)
{
    return (struct faas_http_head){
        .method = faas_str_from(method),
        .target = faas_str_from(path),
        .path = faas_str_from(path),
        .headers = headers,
        .n_headers = n,
    };
}

static void x_timeout_can_only_shorten_the_limit(void **state)
{
    static const struct {
        const char *text;
        int64_t exec_ms, limit_ms;
        bool by_client, odd;
    } cases[] = {
        {"500ms", 2000, 500, true, false},    {"10s", 2000, 2000, false, false},
        {"2s", 2000, 2000, false, false},     {"1", 2000, 2000, false, true},
        {"0s", 2000, 2000, false, true},      {"0", 2000, 2000, false, true},
        {"-5s", 2000, 2000, false, true},     {"", 2000, 2000, false, true},
        {"x", 2000, 2000, false, true},       {"1ns", 2000, 1, true, false},
        {"1s500ms", 2000, 1500, true, false}, {"500ms", 0, 0, false, false},
        {" 1s", 2000, 2000, false, true},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        const struct faas_http_header header = {FAAS_STR("x-timeout"),
                                                faas_str_from(cases[i].text)};
        struct faas_http_head head = head_of("GET", "/", &header, 1);
        bool by_client = !cases[i].by_client;

        print_message("  %s of %d\n", cases[i].text, (int)cases[i].exec_ms);
        assert_int_equal(wd_http_limit_ms(&head, cases[i].exec_ms, &by_client), cases[i].limit_ms);
        assert_int_equal(by_client, cases[i].by_client);
        assert_int_equal(wd_http_limit_is_odd(&head), cases[i].odd);
    }
}

static void streams_are_known_by_accept(void **state)
{
    static const struct {
        struct faas_http_header header;
        bool stream;
    } cases[] = {
        {H("Accept", "text/event-stream"), true},
        {H("accept", "text/html, TEXT/Event-Stream;q=0.5"), true},
        {H("Accept", "application/x-ndjson"), true},
        {H("Accept", "text/event"), false},
        {H("Accept", "*/*"), false},
        {H("Content-Type", "text/event-stream"), false},
        {H("Accept", ""), false},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_http_head head = head_of("GET", "/", &cases[i].header, 1);

        print_message("  %s\n", cases[i].header.value.ptr);
        assert_int_equal(wd_http_wants_stream(&head), cases[i].stream);
    }
}

static void upgrades_need_both_headers(void **state)
{
    static const struct {
        struct faas_http_header headers[2];
        bool http_1_0, upgrade;
    } cases[] = {
        {{H("Upgrade", "websocket"), H("Connection", "Upgrade")}, false, true},
        {{H("upgrade", "WebSocket"), H("connection", "keep-alive, upgrade")}, false, true},
        {{H("Upgrade", "websocket"), H("Connection", "keep-alive")}, false, false},
        {{H("Upgrade", "websocket"), H("X", "Upgrade")}, false, false},
        {{H("Upgrade", "h2c"), H("Connection", "Upgrade, HTTP2-Settings")}, false, false},
        {{H("Upgrade", "websocket"), H("Connection", "Upgrade")}, true, false},
        {{H("Upgrade", ""), H("Connection", "Upgrade")}, false, false},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_http_head head = head_of("GET", "/", cases[i].headers, 2);

        print_message("  %zu\n", i);
        head.http_1_0 = cases[i].http_1_0;
        assert_int_equal(faas_http_wants_upgrade(&head), cases[i].upgrade);
    }
}

static void check_request(const struct wd_http_request *r, const char *expected)
{
    _cleanup_buf_ struct faas_buf out = {0};

    assert_true(wd_http_request_head(&out, r));
    assert_string_equal(out.data, expected);
}

static void targets_are_appended_to_the_base_byte_by_byte(void **state)
{
    static const struct {
        const char *base, *path, *query, *line;
    } cases[] = {
        {"", "/", NULL, "GET / HTTP/1.1\r\n"},
        {"", "/a%2Fb%20c", "q=%20;x", "GET /a%2Fb%20c?q=%20;x HTTP/1.1\r\n"},
        {"/base/", "/foo", NULL, "GET /base//foo HTTP/1.1\r\n"},
        {"/base", "//a/../b/", "", "GET /base//a/../b/? HTTP/1.1\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf out = {0};
        struct faas_http_head head = head_of("GET", cases[i].path, NULL, 0);
        const struct wd_http_request r = {
            .head = &head, .base = faas_str_from(cases[i].base), .authority = FAAS_STR("u:1")};

        print_message("  %s", cases[i].line);
        head.query = faas_str_from(cases[i].query);
        assert_true(wd_http_request_head(&out, &r));
        assert_memory_equal(out.data, cases[i].line, strlen(cases[i].line));
    }
}

static void a_target_without_a_path_is_refused(void **state)
{
    _cleanup_buf_ struct faas_buf out = {0};
    struct faas_http_head head = head_of("CONNECT", "h:443", NULL, 0);
    const struct wd_http_request r = {.head = &head};

    (void)state;
    assert_false(wd_http_request_head(&out, &r));
    assert_int_equal(out.len, 0);
}

static const struct faas_http_header client_headers[] = {
    H("Host", "f.example:8080"),
    H("Connection", "close, X-Private"),
    H("X-Private", "1"),
    H("Keep-Alive", "5"),
    H("Upgrade", "websocket"),
    H("Proxy-Authorization", "secret"),
    H("TE", "trailers, deflate"),
    H("X-Twice", "1"),
    H("X-Twice", "2"),
    H("Expect", "100-continue"),
    H("Content-Length", "3"),
    H("X-Forwarded-For", "10.0.0.1"),
    H("X-Timeout", "5s"),
    H("Accept-Encoding", "gzip"),
};

static void all_but_the_hop_s_own_headers_go_on(void **state)
{
    struct faas_http_head head =
        head_of("POST", "/", client_headers, FAAS_ARRAY_LEN(client_headers));
    const struct wd_http_request r = {
        .head = &head, .authority = FAAS_STR("u:1"), .body = FAAS_BODY_LENGTH, .length = 3};

    (void)state;
    check_request(&r, "POST / HTTP/1.1\r\nHost: f.example:8080\r\nX-Twice: 1\r\nX-Twice: 2\r\n"
                      "X-Forwarded-For: 10.0.0.1\r\nX-Timeout: 5s\r\nAccept-Encoding: gzip\r\n"
                      "Connection: TE\r\nTE: trailers\r\nContent-Length: 3\r\n\r\n");
}

static void a_stream_s_peer_is_told(void **state)
{
    static const struct {
        const char *peer, *value;
    } cases[] = {
        {"10.0.0.7:51234", "10.0.0.1, 10.0.0.7"},
        {"[fe80::1]:51234", "10.0.0.1, fe80::1"},
    };
    static const struct faas_http_header forwarded[] = {H("Host", "f"),
                                                        H("X-Forwarded-For", "10.0.0.1")};
    struct faas_http_head head = head_of("GET", "/", forwarded, 2);

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        const struct wd_http_request r = {.head = &head, .peer = faas_str_from(cases[i].peer)};
        char expected[128];

        snprintf(expected, sizeof(expected),
                 "GET / HTTP/1.1\r\nHost: f\r\nX-Forwarded-For: %s\r\n\r\n", cases[i].value);
        check_request(&r, expected);
    }
}

static void an_upgrade_is_passed_on(void **state)
{
    static const struct faas_http_header headers[] = {
        H("Host", "f"),
        H("Connection", "keep-alive, Upgrade"),
        H("Upgrade", "WebSocket"),
        H("Sec-WebSocket-Key", "k"),
    };
    struct faas_http_head head = head_of("GET", "/ws", headers, FAAS_ARRAY_LEN(headers));
    const struct wd_http_request r = {.head = &head, .upgrade = true};

    (void)state;
    check_request(&r, "GET /ws HTTP/1.1\r\nHost: f\r\nSec-WebSocket-Key: k\r\n"
                      "Connection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n");
}

static void the_host_is_the_client_s_unless_there_is_none(void **state)
{
    static const struct faas_http_header host[] = {H("Host", "f")};
    struct faas_http_head head = head_of("GET", "/", NULL, 0);
    struct wd_http_request r = {.head = &head, .authority = FAAS_STR("u:1")};

    (void)state;
    check_request(&r, "GET / HTTP/1.1\r\nHost: u:1\r\n\r\n");
    head = head_of("GET", "/", host, 1);
    r.own_host = true;
    check_request(&r, "GET / HTTP/1.1\r\nHost: u:1\r\n\r\n");
    r.own_host = false;
    check_request(&r, "GET / HTTP/1.1\r\nHost: f\r\n\r\n");
    head.target = FAAS_STR("http://g:1/?x=://");
    check_request(&r, "GET / HTTP/1.1\r\nHost: g:1\r\n\r\n");
    head.target = FAAS_STR("/?x=http://g:1/");
    check_request(&r, "GET / HTTP/1.1\r\nHost: f\r\n\r\n");
}

static void bodies_are_framed_as_they_came(void **state)
{
    static const struct faas_http_header zero[] = {H("Host", "f"), H("Content-Length", "0")};
    static const struct faas_http_header trailer[] = {H("Host", "f"), H("Trailer", "X-Sum")};
    struct faas_http_head head = head_of("GET", "/", zero, 1);
    struct wd_http_request r = {.head = &head};

    (void)state;
    check_request(&r, "GET / HTTP/1.1\r\nHost: f\r\n\r\n");
    head.n_headers = 2;
    check_request(&r, "GET / HTTP/1.1\r\nHost: f\r\nContent-Length: 0\r\n\r\n");
    head = head_of("PUT", "/", zero, 1);
    check_request(&r, "PUT / HTTP/1.1\r\nHost: f\r\nContent-Length: 0\r\n\r\n");
    head = head_of("GET", "/", trailer, 2);
    r.body = FAAS_BODY_CHUNKED;
    check_request(&r, "GET / HTTP/1.1\r\nHost: f\r\nTrailer: X-Sum\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n");
}

static void check_response(const struct faas_http_response_head *head, const char *seconds,
                           const char *expected)
{
    struct faas_arena arena = {0};
    _cleanup_buf_ struct faas_buf text = {0};
    size_t n;
    struct faas_http_header *headers = wd_http_response_headers(&arena, head, seconds, &n);

    for (size_t i = 0; i < n; i++)
        faas_buf_printf(&text, "%.*s: %.*s\n", FAAS_STR_FMT(headers[i].name),
                        FAAS_STR_FMT(headers[i].value));
    assert_string_equal(faas_buf_str(&text).ptr, expected);
    faas_arena_deinit(&arena);
}

static void the_answer_s_headers_are_kept(void **state)
{
    static const struct faas_http_header headers[] = {
        H("Set-Cookie", "a=1"),
        H("Connection", "close, X-Hop"),
        H("X-Hop", "1"),
        H("Set-Cookie", "b=2"),
        H("Upgrade", "h2c"),
        H("Trailer", "X-Sum"),
        H("x-duration-seconds", "9"),
        H("Content-Encoding", "gzip"),
        H("Location", "/elsewhere"),
    };
    struct faas_http_response_head head = {
        .status = 302, .headers = headers, .n_headers = FAAS_ARRAY_LEN(headers)};

    (void)state;
    check_response(&head, "0.001000",
                   "Set-Cookie: a=1\nSet-Cookie: b=2\nContent-Encoding: gzip\n"
                   "Location: /elsewhere\nX-Duration-Seconds: 0.001000\n");
    head.content_length = -1;
    head.upgraded = true;
    check_response(&head, NULL,
                   "Set-Cookie: a=1\nSet-Cookie: b=2\nUpgrade: h2c\nTrailer: X-Sum\n"
                   "x-duration-seconds: 9\nContent-Encoding: gzip\nLocation: /elsewhere\n");
}

static void only_harmless_fields_may_trail(void **state)
{
    static const struct faas_http_header trailers[] = {
        H("X-Sum", "7"),       H("Content-Length", "9"), H("host", "evil"),
        H("Connection", "x"),  H("Set-Cookie", "a=1"),   H("Authorization", "b"),
        H("Grpc-Status", "0"),
    };
    struct faas_arena arena = {0};
    size_t n = FAAS_ARRAY_LEN(trailers);
    struct faas_http_header *kept = wd_http_trailers(&arena, trailers, &n);

    (void)state;
    assert_int_equal(n, 2);
    assert_true(faas_str_eqz(kept[0].name, "X-Sum"));
    assert_true(faas_str_eqz(kept[1].name, "Grpc-Status"));
    faas_arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(x_timeout_can_only_shorten_the_limit),
        cmocka_unit_test(streams_are_known_by_accept),
        cmocka_unit_test(upgrades_need_both_headers),
        cmocka_unit_test(targets_are_appended_to_the_base_byte_by_byte),
        cmocka_unit_test(a_target_without_a_path_is_refused),
        cmocka_unit_test(all_but_the_hop_s_own_headers_go_on),
        cmocka_unit_test(a_stream_s_peer_is_told),
        cmocka_unit_test(an_upgrade_is_passed_on),
        cmocka_unit_test(the_host_is_the_client_s_unless_there_is_none),
        cmocka_unit_test(bodies_are_framed_as_they_came),
        cmocka_unit_test(the_answer_s_headers_are_kept),
        cmocka_unit_test(only_harmless_fields_may_trail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
