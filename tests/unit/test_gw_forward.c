#include "gateway/forward.h"
#include "libfaas/alloc.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

struct fixture {
    struct gw gw;
    struct gw_shard shard;
    struct faas_http_head head;
    struct gw_request r;
};

/* "Name: value" lines become the headers of a request for /function/f<rest>. */
static void set_up(struct fixture *f, const char *method, const char *rest, const char *query,
                   const struct faas_http_header *headers, size_t n)
{
    *f = (struct fixture){0};
    f->gw.served_by = "minnow/test";
    f->shard.gw = &f->gw;
    f->head = (struct faas_http_head){
        .method = faas_str_from(method),
        .query = {query, query ? strlen(query) : 0},
        .headers = headers,
        .n_headers = n,
    };
    f->r = (struct gw_request){
        .shard = &f->shard,
        .head = &f->head,
        .match = {.rest = faas_str_from(rest)},
        .call_id = FAAS_STR("id-1"),
        .call_id_is_new = true,
        .start_time = "123",
    };
}

#define H(n, v)                            \
    {                                      \
        FAAS_STR_INIT(n), FAAS_STR_INIT(v) \
    }

static void check_request(struct fixture *f, const char *peer, const char *expected)
{
    _cleanup_buf_ struct faas_buf out = {0};

    gw_forward_request(&out, &f->r, faas_str_from(peer));
    assert_string_equal(out.data, expected);
}

static void path_and_query_go_through_byte_by_byte(void **state)
{
    static const struct {
        const char *rest, *query, *line;
    } cases[] = {
        {"", NULL, "GET / HTTP/1.1\r\n"},
        {"/", NULL, "GET / HTTP/1.1\r\n"},
        {"/a%2Fb%20c", "q=%20;x", "GET /a%2Fb%20c?q=%20;x HTTP/1.1\r\n"},
        {"//a/../b/", "", "GET //a/../b/? HTTP/1.1\r\n"},
        {"/%", "a?b", "GET /%?a?b HTTP/1.1\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf out = {0};
        struct fixture f;

        print_message("  %s\n", cases[i].line);
        set_up(&f, "GET", cases[i].rest, cases[i].query, NULL, 0);
        gw_forward_request(&out, &f.r, FAAS_STR("127.0.0.1:5"));
        assert_memory_equal(out.data, cases[i].line, strlen(cases[i].line));
    }
}

static void headers_for_one_hop_stay_behind(void **state)
{
    static const struct faas_http_header headers[] = {
        H("Host", "example.org"),
        H("Connection", "keep-alive, X-Private"),
        H("X-Private", "1"),
        H("Keep-Alive", "5"),
        H("TE", "trailers"),
        H("Upgrade", "h2c"),
        H("X-Twice", "1"),
        H("X-Twice", "2"),
        H("Expect", "100-continue"),
        H("X-Start-Time", "1"),
        H("Authorization", "Bearer t"),
    };
    struct fixture f;

    (void)state;
    set_up(&f, "GET", "/", NULL, headers, FAAS_ARRAY_LEN(headers));
    check_request(&f, "10.0.0.7:99",
                  "GET / HTTP/1.1\r\n"
                  "Host: example.org\r\n"
                  "X-Twice: 1\r\n"
                  "X-Twice: 2\r\n"
                  "Authorization: Bearer t\r\n"
                  "X-Forwarded-Host: example.org\r\n"
                  "X-Forwarded-For: 10.0.0.7\r\n"
                  "X-Call-Id: id-1\r\n"
                  "X-Start-Time: 123\r\n\r\n");
}

static void an_upgrade_that_is_meant_passes(void **state)
{
    static const struct faas_http_header asks[] = {
        H("Host", "h"),
        H("connection", "keep-alive, uPgrade, X-Private"),
        H("X-Private", "1"),
        H("UPGRADE", "WebSocket"),
        H("Sec-WebSocket-Key", "k"),
        H("Keep-Alive", "5"),
    };
    struct fixture f;

    (void)state;
    set_up(&f, "GET", "/", NULL, asks, FAAS_ARRAY_LEN(asks));
    check_request(&f, "10.0.0.7:99",
                  "GET / HTTP/1.1\r\n"
                  "Host: h\r\n"
                  "Sec-WebSocket-Key: k\r\n"
                  "X-Forwarded-Host: h\r\n"
                  "X-Forwarded-For: 10.0.0.7\r\n"
                  "X-Call-Id: id-1\r\n"
                  "X-Start-Time: 123\r\n"
                  "Connection: Upgrade\r\n"
                  "Upgrade: WebSocket\r\n\r\n");
}

static void only_a_101_says_what_it_upgraded_to(void **state)
{
    static const struct faas_http_header headers[] = {
        H("Connection", "upgrade"),
        H("Upgrade", "websocket"),
        H("Sec-WebSocket-Accept", "a"),
    };
    static const bool upgraded[] = {true, false};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(upgraded); i++) {
        struct faas_http_response_head head = {
            .upgraded = upgraded[i], .headers = headers, .n_headers = FAAS_ARRAY_LEN(headers)};
        struct faas_arena arena = {0};
        struct faas_http_header *out;
        struct fixture f;
        size_t n;

        set_up(&f, "GET", "/", NULL, NULL, 0);
        out = gw_forward_response(&arena, &f.r, &head, &n);
        assert_int_equal(faas_http_find(out, n, FAAS_STR("Upgrade")) != NULL, upgraded[i]);
        assert_null(faas_http_find(out, n, FAAS_STR("Connection")));
        assert_non_null(faas_http_find(out, n, FAAS_STR("Sec-WebSocket-Accept")));
        faas_arena_deinit(&arena);
    }
}

static void what_a_proxy_before_us_said_is_kept_and_continued(void **state)
{
    static const struct faas_http_header headers[] = {
        H("Host", "h"),
        H("X-Forwarded-For", "1.2.3.4"),
        H("X-Forwarded-Host", "outer"),
        H("X-Call-Id", "theirs"),
    };
    struct fixture f;

    (void)state;
    set_up(&f, "GET", "/", NULL, headers, FAAS_ARRAY_LEN(headers));
    f.r.call_id = FAAS_STR("theirs");
    f.r.call_id_is_new = false;
    check_request(&f, "[::1]:99",
                  "GET / HTTP/1.1\r\n"
                  "Host: h\r\n"
                  "X-Forwarded-Host: outer\r\n"
                  "X-Call-Id: theirs\r\n"
                  "X-Forwarded-For: 1.2.3.4, [::1]\r\n"
                  "X-Start-Time: 123\r\n\r\n");
}

static void the_length_is_kept_when_it_is_known(void **state)
{
    static const struct faas_http_header zero[] = {H("Host", "h"), H("Content-Length", "0")};
    static const struct {
        int64_t length;
        bool given;
        const char *header;
        enum faas_body_kind kind;
    } cases[] = {
        {5, true, "Content-Length: 5\r\n", FAAS_BODY_LENGTH},
        {-1, false, "Transfer-Encoding: chunked\r\n", FAAS_BODY_CHUNKED},
        {0, true, "Content-Length: 0\r\n", FAAS_BODY_NONE},
        {0, false, NULL, FAAS_BODY_NONE},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf out = {0};
        struct fixture f;

        set_up(&f, "POST", "/", NULL, zero, cases[i].given ? 2 : 1);
        f.head.content_length = cases[i].length;
        gw_forward_request(&out, &f.r, FAAS_STR("127.0.0.1:5"));
        assert_int_equal(gw_forward_body_kind(&f.head), cases[i].kind);
        if (cases[i].header)
            assert_non_null(strstr(out.data, cases[i].header));
        else
            assert_null(strstr(out.data, "Content-Length"));
    }
}

static void the_functions_headers_win_over_ours(void **state)
{
    static const struct faas_http_header headers[] = {
        H("Content-Type", "a/b"), H("Set-Cookie", "1"),   H("Set-Cookie", "2"),
        H("Connection", "close"), H("X-Served-By", "me"),
    };
    struct faas_http_response_head head = {.headers = headers,
                                           .n_headers = FAAS_ARRAY_LEN(headers)};
    struct faas_arena arena = {0};
    struct faas_http_header *out;
    struct fixture f;
    size_t n;

    (void)state;
    set_up(&f, "GET", "/", NULL, NULL, 0);
    out = gw_forward_response(&arena, &f.r, &head, &n);
    assert_int_equal(n, 6);
    assert_true(faas_str_eqz(faas_http_value(out, n, FAAS_STR("X-Served-By")), "me"));
    assert_true(faas_str_eqz(faas_http_value(out, n, FAAS_STR("X-Call-Id")), "id-1"));
    assert_true(faas_str_eqz(out[1].value, "1"));
    assert_true(faas_str_eqz(out[2].value, "2"));
    assert_null(faas_http_find(out, n, FAAS_STR("Connection")));
    faas_arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_and_query_go_through_byte_by_byte),
        cmocka_unit_test(headers_for_one_hop_stay_behind),
        cmocka_unit_test(an_upgrade_that_is_meant_passes),
        cmocka_unit_test(only_a_101_says_what_it_upgraded_to),
        cmocka_unit_test(what_a_proxy_before_us_said_is_kept_and_continued),
        cmocka_unit_test(the_length_is_kept_when_it_is_known),
        cmocka_unit_test(the_functions_headers_win_over_ours),
    };
    return cmocka_run_group_tests_name("gw_forward", tests, NULL, NULL);
}
