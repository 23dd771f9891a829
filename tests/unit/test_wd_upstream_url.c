#include "tests/unit/unit.h"
#include "watchdog/upstream_url.h"

static void urls_are_taken_apart(void **state)
{
    static const struct {
        const char *text, *host, *authority, *base;
        unsigned port;
    } cases[] = {
        {"http://127.0.0.1:3000", "127.0.0.1", "127.0.0.1:3000", "", 3000},
        {"http://127.0.0.1:3000/", "127.0.0.1", "127.0.0.1:3000", "/", 3000},
        {"HTTP://h:1/base/", "h", "h:1", "/base/", 1},
        {"http://localhost", "localhost", "localhost", "", 80},
        {"http://localhost/a%2Fb", "localhost", "localhost", "/a%2Fb", 80},
        {"http://127.0.0.1:0", "127.0.0.1", "127.0.0.1:0", "", 0},
        {"http://[::1]:5000/x", "::1", "[::1]:5000", "/x", 5000},
        {"http://[::1]", "::1", "[::1]", "", 80},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct wd_upstream_url url;

        print_message("  %s\n", cases[i].text);
        assert_int_equal(wd_upstream_url_parse(&url, faas_str_from(cases[i].text), NULL), 0);
        assert_string_equal(url.host, cases[i].host);
        assert_string_equal(url.authority, cases[i].authority);
        assert_string_equal(url.base, cases[i].base);
        assert_int_equal(url.port, cases[i].port);
        wd_upstream_url_deinit(&url);
    }
}

static void what_is_no_http_url_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "127.0.0.1:3000",
        "localhost:3000",
        "https://h:1",
        "unix:///run/s",
        "http://",
        "http://:3000",
        "http:///path",
        "http://h:",
        "http://h:x",
        "http://h:65536",
        "http://h:-1",
        "http://u:p@h:1",
        "http://[::1",
        "http://[::1]x",
        "http://[]:1",
        "http://h:1/a b",
        "http://h:1/a\r\nX: y",
        "http://h:1/a?q",
        "http://h:1?q",
        "http://h:1#f",
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct wd_upstream_url url;
        struct faas_error err = {0};

        print_message("  %s\n", cases[i]);
        assert_int_equal(wd_upstream_url_parse(&url, faas_str_from(cases[i]), &err), -1);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        assert_null(url.host);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(what_is_no_http_url_is_refused),
    };

    return cmocka_run_group_tests_name("wd_upstream_url", tests, NULL, NULL);
}
