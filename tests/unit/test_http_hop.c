#include "libfaas/http_hop.h"
#include "tests/unit/unit.h"

#define H(n, v)                            \
    {                                      \
        FAAS_STR_INIT(n), FAAS_STR_INIT(v) \
    }

static void what_connection_names_ends_with_the_hop(void **state)
{
    static const struct faas_http_header named[] = {
        H("Connection", "keep-alive, X-Private"),
        H("connection", "x-other"),
    };
    static const struct faas_http_header plain[] = {H("Connection", "close")};
    static const struct {
        const char *name;
        bool with_names, without;
    } cases[] = {
        {"X-Private", true, false},        {"x-private", true, false}, {"X-Other", true, false},
        {"X-Third", false, false},         {"Connection", true, true}, {"TE", true, true},
        {"Transfer-Encoding", true, true}, {"Upgrade", true, true},    {"close", false, false},
        {"Content-Length", false, false},
    };
    const struct faas_hop with = faas_hop_of(named, FAAS_ARRAY_LEN(named));
    const struct faas_hop without = faas_hop_of(plain, FAAS_ARRAY_LEN(plain));

    (void)state;
    assert_true(with.connection_names);
    assert_false(without.connection_names);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        print_message("  %s\n", cases[i].name);
        assert_int_equal(faas_hop_ends(&with, faas_str_from(cases[i].name)), cases[i].with_names);
        assert_int_equal(faas_hop_ends(&without, faas_str_from(cases[i].name)), cases[i].without);
    }
}

static void headers_are_written_as_lines(void **state)
{
    _cleanup_buf_ struct faas_buf out = {0};

    (void)state;
    faas_hop_append(&out, FAAS_STR("A"), FAAS_STR("b c"));
    faas_hop_append(&out, FAAS_STR("Empty"), (struct faas_str){0});
    assert_string_equal(out.data, "A: b c\r\nEmpty: \r\n");
    assert_int_equal(out.len, strlen(out.data));
}

static void only_repeatable_methods_are_idempotent(void **state)
{
    (void)state;
    assert_true(faas_http_is_idempotent(FAAS_STR("GET")));
    assert_true(faas_http_is_idempotent(FAAS_STR("DELETE")));
    assert_false(faas_http_is_idempotent(FAAS_STR("POST")));
    assert_false(faas_http_is_idempotent(FAAS_STR("PATCH")));
    assert_false(faas_http_is_idempotent(FAAS_STR("get"))); /* methods are case-sensitive */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_connection_names_ends_with_the_hop),
        cmocka_unit_test(headers_are_written_as_lines),
        cmocka_unit_test(only_repeatable_methods_are_idempotent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
