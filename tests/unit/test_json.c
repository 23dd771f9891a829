#include "libfaas/json.h"
#include "tests/unit/unit.h"

#include "libfaas/alloc.h"

#include <string.h>

static json_t *parse(const char *text)
{
    struct faas_error err = {0};
    json_t *v = faas_json_parse(faas_str_from(text), &err);

    if (!v)
        fail_msg("%s: %s", text, err.msg);
    return v;
}

static void assert_writes(const char *in, const char *want, int indent)
{
    _cleanup_json_ json_t *v = parse(in);
    _cleanup_buf_ struct faas_buf out = {0};

    faas_json_write(&out, v, indent);
    assert_string_equal(out.data, want);
}

static void writing_is_compact_ordered_and_escaped_as_go_does(void **state)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"{ \"z\" : 1 , \"a\" : [ ] , \"m\" : { } }", "{\"z\":1,\"a\":[],\"m\":{}}"},
        {"\"<a href='x'>&\\u2028\\u0001\\b\\f\\n\\r\\t\\\"\\\\/\"",
         "\"\\u003ca href='x'\\u003e\\u0026\\u2028\\u0001\\b\\f\\n\\r\\t\\\"\\\\/\""},
        {"\"gr\xc3\xbc\xc3\x9f \\ud83d\\ude00\"", "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\""},
        {"[true,false,null]", "[true,false,null]"},
        {"[0.1,12.0,1e21,-1.5e-9,-0.0,123456789.25]", "[0.1,12,1e+21,-1.5e-09,0,123456789.25]"},
        {"[9223372036854775807,-9223372036854775808]",
         "[9223372036854775807,-9223372036854775808]"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++)
        assert_writes(cases[i].in, cases[i].want, 0);
}

static void an_indent_puts_each_member_on_a_line(void **state)
{
    (void)state;
    assert_writes("{\"a\":[1,2],\"b\":{}}", "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}",
                  2);
}

static void bad_text_is_refused_with_its_place_and_never_quoted(void **state)
{
    static const struct {
        const char *in, *part;
    } cases[] = {
        {"", "line 1"},
        {"{\n  \"a\": s3cret\n}", "line 2"},
        {"{\"password\": \"s3cret\" \"s3cret\"}", "line 1"},
        {"{\"a\":1} s3cret", "line 1"},
        {"\"\\u0000\"", "line 1"},
        {"{\"a\\u0000\":1}", "line 1"},
        {"\"\xff\"", "line 1"},
        {"[1e999]", "line 1"},
        {"[99999999999999999999]", "line 1"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_error err = {0};

        assert_null(faas_json_parse(faas_str_from(cases[i].in), &err));
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        if (!strstr(err.msg, cases[i].part) || strstr(err.msg, "s3cret"))
            fail_msg("%s: \"%s\"", cases[i].in, err.msg);
    }
}

static void nesting_without_end_is_an_error_not_a_crash(void **state)
{
    struct faas_error err = {0};
    size_t n = 1000000;
    _cleanup_free_ char *deep = faas_alloc(n);

    (void)state;
    memset(deep, '[', n);
    assert_null(faas_json_parse((struct faas_str){.ptr = deep, .len = n}, &err));
    assert_int_equal(err.code, FAAS_ERR_INVALID);
}

static void keys_match_in_any_case_and_null_is_absent(void **state)
{
    _cleanup_json_ json_t *v =
        parse("{\"ENVPROCESS\":\"cat\",\"labels\":null,\"Labels\":{\"a\":\"b\"},"
              "\"readOnly\":true,\"n\":7,\"f\":1.5}");
    _cleanup_free_ char *s = faas_strdup("old");
    bool flag = false;
    uint64_t n = 0;
    double f = 0;

    (void)state;
    assert_int_equal(faas_json_get_string(v, "envProcess", &s, NULL), 0);
    assert_string_equal(s, "cat");
    assert_null(faas_json_get(v, "labels"));
    assert_int_equal(faas_json_get_bool(v, "readonly", &flag, NULL), 0);
    assert_true(flag);
    assert_int_equal(faas_json_get_u64(v, "n", &n, NULL), 0);
    assert_int_equal(n, 7);
    assert_int_equal(faas_json_get_number(v, "f", &f, NULL), 0);
    assert_true(f == 1.5);
    assert_int_equal(faas_json_get_u64(v, "absent", &n, NULL), 0);
    assert_int_equal(n, 7);
}

static void a_wrong_type_names_the_key(void **state)
{
    _cleanup_json_ json_t *v =
        parse("{\"s\":1,\"b\":\"x\",\"u\":-1,\"u2\":1.5,\"u3\":\"1\",\"m\":[],\"m2\":{\"k\":1},"
              "\"l\":{},\"l2\":[\"a\",2]}");
    struct faas_error err = {0};
    _cleanup_free_ char *s = NULL;
    _cleanup_map_ struct faas_map m = {0};
    _cleanup_strv_ struct faas_strv l = {0};
    bool b;
    uint64_t u;

    (void)state;
    assert_int_equal(faas_json_get_string(v, "s", &s, &err), -1);
    assert_string_equal(err.msg, "s: must be a string, not a number");
    assert_int_equal(faas_json_get_bool(v, "b", &b, &err), -1);
    assert_string_equal(err.msg, "b: must be true or false, not a string");
    assert_int_equal(faas_json_get_u64(v, "u", &u, &err), -1);
    assert_string_equal(err.msg, "u: must be a whole number of 0 or more");
    assert_int_equal(faas_json_get_u64(v, "u2", &u, &err), -1);
    assert_int_equal(faas_json_get_u64(v, "u3", &u, &err), -1);
    assert_string_equal(err.msg, "u3: must be a whole number, not a string");
    assert_int_equal(faas_json_get_map(v, "m", &m, &err), -1);
    assert_string_equal(err.msg, "m: must be an object of strings, not a list");
    assert_int_equal(faas_json_get_map(v, "m2", &m, &err), -1);
    assert_string_equal(err.msg, "m2.k: must be a string, not a number");
    assert_int_equal(faas_json_get_strv(v, "l", &l, &err), -1);
    assert_string_equal(err.msg, "l: must be a list of strings, not an object");
    assert_int_equal(faas_json_get_strv(v, "l2", &l, &err), -1);
    assert_string_equal(err.msg, "l2[1]: must be a string, not a number");
    assert_int_equal(faas_json_expect_object(faas_json_get(v, "m"), "body", &err), -1);
    assert_string_equal(err.msg, "body: must be an object, not a list");
    assert_int_equal(err.code, FAAS_ERR_INVALID);
}

static void maps_and_lists_survive_a_round_trip_in_order(void **state)
{
    _cleanup_json_ json_t *v = parse("{\"m\":{\"z\":\"1\",\"a\":null},\"l\":[\"y\",\"x\"]}");
    _cleanup_map_ struct faas_map m = {0};
    _cleanup_strv_ struct faas_strv l = {0};
    _cleanup_json_ json_t *back = json_object();
    _cleanup_buf_ struct faas_buf out = {0};

    (void)state;
    faas_map_set(&m, "replaced", "yes");
    assert_int_equal(faas_json_get_map(v, "m", &m, NULL), 0);
    assert_int_equal(faas_json_get_strv(v, "l", &l, NULL), 0);
    json_object_set_new(back, "m", faas_json_from_map(&m));
    json_object_set_new(back, "l", faas_json_from_strv(&l));
    faas_json_write(&out, back, 0);
    assert_string_equal(out.data, "{\"m\":{\"z\":\"1\",\"a\":\"\"},\"l\":[\"y\",\"x\"]}");
}

static void an_object_of_too_many_members_is_refused(void **state)
{
    _cleanup_json_ json_t *v = json_object();
    json_t *members = json_object();
    _cleanup_map_ struct faas_map m = {0};
    struct faas_error err = {0};
    char key[16];

    (void)state;
    for (int i = 0; i <= FAAS_JSON_MAP_MAX; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        json_object_set_new(members, key, json_string(""));
    }
    json_object_set_new(v, "env", members);
    assert_int_equal(faas_json_get_map(v, "env", &m, &err), -1);
    assert_string_equal(err.msg, "env: has 4097 members; at most 4096 are taken");
}

static void bytes_that_are_not_utf8_become_replacement_characters(void **state)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"a\xff"
         "b",
         "\"a\\ufffdb\""},                                        /* no such byte */
        {"\xc3", "\"\\ufffd\""},                                  /* cut off */
        {"\xc0\x80", "\"\\ufffd\\ufffd\""},                       /* overlong */
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},            /* surrogate */
        {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""}, /* beyond Unicode */
        {"\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\""},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf out = {0};
        _cleanup_json_ json_t *node = faas_json_string(faas_str_from(cases[i].in));
        _cleanup_map_ struct faas_map m = {0};
        _cleanup_json_ json_t *obj = NULL;

        faas_json_write_string(&out, faas_str_from(cases[i].in));
        assert_string_equal(out.data, cases[i].want);
        assert_true(json_is_string(node));
        faas_map_set(&m, cases[i].in, cases[i].in);
        obj = faas_json_from_map(&m);
        assert_int_equal(json_object_size(obj), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writing_is_compact_ordered_and_escaped_as_go_does),
        cmocka_unit_test(an_indent_puts_each_member_on_a_line),
        cmocka_unit_test(bad_text_is_refused_with_its_place_and_never_quoted),
        cmocka_unit_test(nesting_without_end_is_an_error_not_a_crash),
        cmocka_unit_test(keys_match_in_any_case_and_null_is_absent),
        cmocka_unit_test(a_wrong_type_names_the_key),
        cmocka_unit_test(maps_and_lists_survive_a_round_trip_in_order),
        cmocka_unit_test(an_object_of_too_many_members_is_refused),
        cmocka_unit_test(bytes_that_are_not_utf8_become_replacement_characters),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
