#include "libfaas/url.h"
#include "tests/unit/unit.h"

static void urls_are_taken_apart(void **state)
{
    static const struct {
        const char *url, *authority, *host, *path;
        unsigned port;
    } cases[] = {
        {"http://gw", "gw", "gw", "", 80},
        {"http://gw/", "gw", "gw", "/", 80},
        {"HTTP://gw:8080/a/b?c=d", "gw:8080", "gw", "/a/b?c=d", 8080},
        {"https://gw.example/keys", "gw.example", "gw.example", "/keys", 443},
        {"http://[::1]:31112/x", "[::1]:31112", "::1", "/x", 31112},
        {"http://[::1]", "[::1]", "::1", "", 80},
        {"http://10.0.0.1:1", "10.0.0.1:1", "10.0.0.1", "", 1},
        {"http://10.0.0.1:0/", "10.0.0.1:0", "10.0.0.1", "/", 0},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_url u;

        if (faas_url_parse(&u, faas_str_from(cases[i].url), NULL) < 0 ||
            !faas_str_eqz(u.authority, cases[i].authority) ||
            !faas_str_eqz(u.host, cases[i].host) || !faas_str_eqz(u.path, cases[i].path) ||
            u.port != cases[i].port)
            fail_msg("%s: %.*s %.*s %u %.*s", cases[i].url, FAAS_STR_FMT(u.authority),
                     FAAS_STR_FMT(u.host), u.port, FAAS_STR_FMT(u.path));
    }
}

static void what_is_no_url_is_refused(void **state)
{
    static const char *const urls[] = {
        "",
        "gw",
        "gw:8080",
        "http:/gw",
        "http://",
        "http:///x",
        "http://:80/",
        "ftp://gw/",
        "http://gw:/",
        "http://gw:65536/",
        "http://gw:8o/",
        "http://[::1/",
        "http://[::1]x/",
        "http://[]/",
        "http://user:secret@gw/",
        "http://gw/a b",
        "http://gw/\r\nX: y",
        "http://gw/a#b",
        "http://gw?x",
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(urls); i++) {
        struct faas_error err = {0};
        struct faas_url u;

        if (faas_url_parse(&u, faas_str_from(urls[i]), &err) == 0)
            fail_msg("%s is taken", urls[i]);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
    }
}

static void localhost_is_both_loopback_addresses(void **state)
{
    struct faas_addr out[FAAS_MAX_ADDRS];
    char text[64];

    (void)state;
    assert_int_equal(faas_resolve("LocalHost", 3000, out, NULL), 2);
    faas_addr_format((const struct sockaddr *)&out[0].ss, text);
    assert_string_equal(text, "127.0.0.1:3000");
    faas_addr_format((const struct sockaddr *)&out[1].ss, text);
    assert_string_equal(text, "[::1]:3000");
}

static void literals_need_no_resolver(void **state)
{
    struct faas_addr out[FAAS_MAX_ADDRS];
    char text[64];

    (void)state;
    assert_int_equal(faas_resolve("::1", 0, out, NULL), 1);
    faas_addr_set_port(&out[0], 4321);
    faas_addr_format((const struct sockaddr *)&out[0].ss, text);
    assert_string_equal(text, "[::1]:4321");
    assert_int_equal(faas_resolve("127.0.0.2", 80, out, NULL), 1);
    faas_addr_set_port(&out[0], 1);
    faas_addr_format((const struct sockaddr *)&out[0].ss, text);
    assert_string_equal(text, "127.0.0.2:1");
}

static void an_unknown_host_is_named(void **state)
{
    struct faas_addr out[FAAS_MAX_ADDRS];
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(faas_resolve("a..b", 80, out, &err), -1); /* no name server is asked */
    assert_non_null(strstr(err.msg, "a..b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(what_is_no_url_is_refused),
        cmocka_unit_test(localhost_is_both_loopback_addresses),
        cmocka_unit_test(literals_need_no_resolver),
        cmocka_unit_test(an_unknown_host_is_named),
    };
    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
