#include "libfaas/http.h"
#include "tests/unit/unit.h"

static const struct faas_http_header headers[] = {
    {FAAS_STR_INIT("Host"), FAAS_STR_INIT("a")},
    {FAAS_STR_INIT("X-Dup"), FAAS_STR_INIT("1")},
    {FAAS_STR_INIT("x-dup"), FAAS_STR_INIT("2")},
    {FAAS_STR_INIT("Empty"), FAAS_STR_INIT("")},
};

static void the_first_header_of_a_name_is_found(void **state)
{
    size_t n = FAAS_ARRAY_LEN(headers);

    (void)state;
    assert_ptr_equal(faas_http_find(headers, n, FAAS_STR("X-DUP")), &headers[1]);
    assert_null(faas_http_find(headers, n, FAAS_STR("X-Du")));
    assert_null(faas_http_find(NULL, 0, FAAS_STR("Host")));
    assert_true(faas_str_eqz(faas_http_value(headers, n, FAAS_STR("host")), "a"));
    assert_non_null(faas_http_value(headers, n, FAAS_STR("empty")).ptr);
    assert_null(faas_http_value(headers, n, FAAS_STR("none")).ptr);
}

static void tokens_are_found_in_a_list(void **state)
{
    (void)state;
    assert_true(faas_http_has_token(FAAS_STR("keep-alive, Upgrade"), FAAS_STR("upgrade")));
    assert_true(faas_http_has_token(FAAS_STR("close"), FAAS_STR("Close")));
    assert_true(faas_http_has_token(FAAS_STR(",, close\t,"), FAAS_STR("close")));
    assert_false(faas_http_has_token(FAAS_STR("closed, not-close"), FAAS_STR("close")));
    assert_false(faas_http_has_token((struct faas_str){0}, FAAS_STR("close")));
}

static void headers_of_one_hop_are_known(void **state)
{
    static const struct {
        const char *name;
        bool hop;
    } cases[] = {
        {"Connection", true},
        {"KEEP-ALIVE", true},
        {"Te", true},
        {"trailer", true},
        {"Transfer-Encoding", true},
        {"Upgrade", true},
        {"Proxy-Connection", true},
        {"Proxy-Authenticate", true},
        {"proxy-authorization", true},
        {"Authorization", false},
        {"Content-Length", false},
        {"Trailers", false},
        {"X-Upgrade", false},
        {"", false},
        {"Upgrades", false},
        {"Content-MD", false},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        print_message("  %s\n", cases[i].name);
        assert_int_equal(faas_http_is_hop_by_hop(faas_str_from(cases[i].name)), cases[i].hop);
    }
}

static void names_and_values_are_checked(void **state)
{
    (void)state;
    assert_true(faas_http_valid_token(FAAS_STR("X-Call_Id.1!#$%&'*+^`|~")));
    assert_false(faas_http_valid_token(FAAS_STR("")));
    assert_false(faas_http_valid_token(FAAS_STR("a b")));
    assert_false(faas_http_valid_token(FAAS_STR("a:")));
    assert_false(faas_http_valid_token(FAAS_STR("a\x7f")));
    assert_false(faas_http_valid_token(FAAS_STR("\xc3\xa9")));
    assert_false(faas_http_valid_token(FAAS_STR("a\0")));
    assert_true(faas_http_valid_value(FAAS_STR("any \xff\tthing")));
    assert_true(faas_http_valid_value((struct faas_str){0}));
    assert_false(faas_http_valid_value(FAAS_STR("a\r\nSet-Cookie: x")));
    assert_false(faas_http_valid_value(FAAS_STR("a\n")));
    assert_false(faas_http_valid_value(FAAS_STR("a\0b")));
}

static void statuses_have_their_reasons(void **state)
{
    (void)state;
    assert_string_equal(faas_http_reason(404), "Not Found");
    assert_string_equal(faas_http_reason(429), "Too Many Requests");
    assert_string_equal(faas_http_reason(299), "Unknown");
    assert_string_equal(faas_http_reason(-1), "Unknown");
}

static void escapes_are_decoded_or_refused(void **state)
{
    static const struct {
        struct faas_str in;
        bool ok;
        struct faas_str want;
    } cases[] = {
        {FAAS_STR_INIT(""), true, FAAS_STR_INIT("")},
        {FAAS_STR_INIT("/a%20b+c"), true, FAAS_STR_INIT("/a b+c")},
        {FAAS_STR_INIT("%2F%2f"), true, FAAS_STR_INIT("//")},
        {FAAS_STR_INIT("%252F"), true, FAAS_STR_INIT("%2F")},
        {FAAS_STR_INIT("a%00b"), true, FAAS_STR_INIT("a\0b")},
        {FAAS_STR_INIT("%ff"), true, FAAS_STR_INIT("\xff")},
        {FAAS_STR_INIT("%"), false, FAAS_STR_INIT("")},
        {FAAS_STR_INIT("%2"), false, FAAS_STR_INIT("")},
        {FAAS_STR_INIT("a%2g"), false, FAAS_STR_INIT("")},
        {FAAS_STR_INIT("%%41"), false, FAAS_STR_INIT("")},
        {FAAS_STR_INIT("% 1"), false, FAAS_STR_INIT("")},
    };
    struct faas_arena a = {0};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_str out = {0};

        print_message("  %.*s\n", FAAS_STR_FMT(cases[i].in));
        assert_int_equal(faas_url_decode(&a, cases[i].in, &out), cases[i].ok);
        if (cases[i].ok) {
            assert_true(faas_str_eq(out, cases[i].want));
            assert_int_equal(out.ptr[out.len], '\0');
        }
    }
    faas_arena_deinit(&a);
}

static void query_values_are_looked_up(void **state)
{
    static const struct {
        const char *query, *key, *want; /* want NULL: absent */
    } cases[] = {
        {"name=f&tail=5", "tail", "5"},
        {"name=f&name=g", "name", "g"},
        {"name=f&name=%zz", "name", "f"},
        {"name", "name", ""},
        {"name=", "name", ""},
        {"a=b=c", "a", "b=c"},
        {"since=2026-01-02T03%3A04%3A05%2B02%3A00", "since", "2026-01-02T03:04:05+02:00"},
        {"q=a+b", "q", "a b"},
        {"n%61me=x", "name", "x"},
        {"&&name=x&&", "name", "x"},
        {"name=%4", "name", NULL},
        {"names=x", "name", NULL},
        {"Name=x", "name", NULL},
        {"", "name", NULL},
        {NULL, "name", NULL},
    };
    struct faas_arena a = {0};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_str out = {0};
        bool found =
            faas_query_get(&a, faas_str_from(cases[i].query), faas_str_from(cases[i].key), &out);

        print_message("  %s\n", cases[i].query);
        assert_int_equal(found, cases[i].want != NULL);
        assert_true(!found || faas_str_eqz(out, cases[i].want));
    }
    faas_arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_header_of_a_name_is_found),
        cmocka_unit_test(tokens_are_found_in_a_list),
        cmocka_unit_test(headers_of_one_hop_are_known),
        cmocka_unit_test(names_and_values_are_checked),
        cmocka_unit_test(statuses_have_their_reasons),
        cmocka_unit_test(escapes_are_decoded_or_refused),
        cmocka_unit_test(query_values_are_looked_up),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
