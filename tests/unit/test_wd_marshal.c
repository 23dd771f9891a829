#include "tests/unit/unit.h"
#include "watchdog/marshal.h"

#define H(n, v)                            \
    {                                      \
        FAAS_STR_INIT(n), FAAS_STR_INIT(v) \
    }

static void expect(const struct faas_http_header *headers, size_t n, struct faas_str body,
                   const char *want)
{
    _cleanup_buf_ struct faas_buf out = {0};

    wd_marshal_request(&out, headers, n, body);
    assert_string_equal(out.data, want);
}

static void a_request_becomes_what_gos_encoder_writes(void **state)
{
    static const struct faas_http_header headers[] = {
        H("x-a", "1"),
        H("Content-Length", "3"),
        H("Host", "h"),
        H("X-A", "<2>&"),
    };

    (void)state;
    expect(headers, FAAS_ARRAY_LEN(headers), FAAS_STR("\0\377z"),
           "{\"header\":{\"Content-Length\":[\"3\"],\"X-A\":[\"1\",\"\\u003c2\\u003e\\u0026\"]},"
           "\"body\":{\"raw\":\"AP96\"}}");
}

static void nothing_is_still_an_object(void **state)
{
    (void)state;
    expect(NULL, 0, FAAS_STR(""), "{\"header\":{},\"body\":{\"raw\":\"\"}}");
}

static void strings_are_escaped_as_go_does(void **state)
{
    static const struct faas_http_header specials[] = {
        H("X", "\xff\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\x7f\x01\b\f\n\r\t\"\\'/\xc3\xa9")};
    static const struct faas_http_header broken[] = {
        H("X", "\xed\xa0\x80\xc0\x80\xf4\x90\x80\x80\xf0\x9f\x98\x80\xe2\x80")};

    (void)state;
    expect(specials, 1, FAAS_STR("a"),
           "{\"header\":{\"X\":[\"\\ufffd\\u2028\\u2029\u202a\x7f\\u0001\\b\\f\\n\\r\\t\\\"\\\\'/"
           "\xc3\xa9\"]},\"body\":{\"raw\":\"YQ==\"}}");
    expect(broken, 1, FAAS_STR("ab"),
           "{\"header\":{\"X\":[\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd"
           "\xf0\x9f\x98\x80\\ufffd\\ufffd\"]},\"body\":{\"raw\":\"YWI=\"}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_becomes_what_gos_encoder_writes),
        cmocka_unit_test(nothing_is_still_an_object),
        cmocka_unit_test(strings_are_escaped_as_go_does),
    };
    return cmocka_run_group_tests_name("wd_marshal", tests, NULL, NULL);
}
