#include "libfaas/base64.h"
#include "tests/unit/unit.h"

static void base64_follows_the_rfc_both_ways(void **state)
{
    static const struct {
        const char *plain, *coded;
    } cases[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xfe\xfd\xbf", "//79vw=="},
        {"\xfb\xef\xbe", "++++"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf coded = {0}, plain = {0};

        faas_base64_encode(&coded, cases[i].plain, strlen(cases[i].plain));
        assert_string_equal(coded.data, cases[i].coded);
        assert_int_equal(faas_base64_decode(&plain, faas_buf_str(&coded), NULL), 0);
        assert_string_equal(plain.data, cases[i].plain);
    }
}

static void base64_refuses_every_other_spelling(void **state)
{
    static const char *const cases[] = {"Z",
                                        "Zg",
                                        "Zg=",
                                        "=",
                                        "==",
                                        "====",
                                        "Zg===",
                                        "Z===",
                                        "Zg==Zg==",
                                        "Zh==",
                                        "Zm9=",
                                        "Zm 9",
                                        "Zm9v\n",
                                        "Zm9-",
                                        "Zm9_",
                                        "Z=9v",
                                        "\xff\xff\xff\xff"};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf out = {0};
        struct faas_error err = {0};

        faas_buf_append_z(&out, "kept");
        if (faas_base64_decode(&out, faas_str_from(cases[i]), &err) == 0)
            fail_msg("\"%s\" was taken", cases[i]);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        assert_int_equal(out.len, 4);
    }
}

static void every_byte_survives_base64(void **state)
{
    char all[256];
    _cleanup_buf_ struct faas_buf coded = {0}, back = {0};

    (void)state;
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    faas_base64_encode(&coded, all, sizeof(all));
    assert_int_equal(faas_base64_decode(&back, faas_buf_str(&coded), NULL), 0);
    assert_int_equal(back.len, sizeof(all));
    assert_memory_equal(back.data, all, sizeof(all));
}

static void base64url_is_read_strictly(void **state)
{
    static const struct {
        const char *in, *out; /* NULL: refused */
    } cases[] = {
        {"", ""},        {"Zg", "f"},        {"Zm8", "fo"},
        {"Zm9v", "foo"}, {"Zm9vYg", "foob"}, {"-_-_", "\xfb\xff\xbf"},
        {"Z", NULL},     {"Zm9vY", NULL},    {"Zg==", NULL},
        {"Zh", NULL},    {"Zm9", NULL},      {"+/+/", NULL},
        {"Zm 8", NULL},  {"Zm8\n", NULL},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf out = {0};
        struct faas_error err = {0};
        int r = faas_base64url_decode(&out, faas_str_from(cases[i].in), &err);

        if (cases[i].out ? r < 0 || !faas_str_eqz(faas_buf_str(&out), cases[i].out) : r == 0)
            fail_msg("\"%s\"", cases[i].in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_follows_the_rfc_both_ways),
        cmocka_unit_test(base64_refuses_every_other_spelling),
        cmocka_unit_test(every_byte_survives_base64),
        cmocka_unit_test(base64url_is_read_strictly),
    };
    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
