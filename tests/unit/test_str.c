#include "libfaas/str.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define H 3600000000000LL
#define M 60000000000LL
#define S 1000000000LL

static void splitting_visits_every_item_empty_ones_too(void **state)
{
    static const char *const want[] = {"a", "", "bc", ""};
    struct faas_str rest = FAAS_STR("a,,bc,");
    size_t n = 0;

    (void)state;
    for (; rest.ptr; n++) {
        struct faas_str item = faas_str_split(&rest, ',');

        assert_true(n < FAAS_ARRAY_LEN(want));
        assert_true(faas_str_eqz(item, want[n]));
    }
    assert_int_equal(n, FAAS_ARRAY_LEN(want));
}

static void comparing_and_searching(void **state)
{
    struct faas_str s = FAAS_STR("X-Call-Id"), none = {0};
    char *dup;

    (void)state;
    assert_true(faas_str_ieq(s, FAAS_STR("x-call-ID")));
    assert_false(faas_str_ieq(s, FAAS_STR("x-call-ie")));
    assert_false(faas_str_ieq(FAAS_STR("["), FAAS_STR("{"))); /* 0x20 apart, but no letters */
    assert_true(faas_str_ieq(none, FAAS_STR("")));
    assert_true(faas_str_starts(s, FAAS_STR("X-")));
    assert_false(faas_str_starts(s, FAAS_STR("x-")));
    assert_true(faas_str_istarts(s, FAAS_STR("x-")));
    assert_true(faas_str_ends(s, FAAS_STR("-Id")));
    assert_false(faas_str_ends(FAAS_STR("Id"), FAAS_STR("-Id")));
    assert_true(faas_str_ends(none, none));
    assert_int_equal(faas_str_find(s, '-'), 1);
    assert_int_equal(faas_str_rfind(s, '-'), 6);
    assert_int_equal(faas_str_find(s, '!'), -1);
    assert_int_equal(faas_str_rfind(none, '!'), -1);
    assert_true(faas_str_eqz(faas_str_trim(FAAS_STR(" \t a b\r\n")), "a b"));
    assert_int_equal(faas_str_trim(FAAS_STR(" \r\n")).len, 0);
    dup = faas_str_dup((struct faas_str){.ptr = s.ptr, .len = 6});
    assert_string_equal(dup, "X-Call");
    free(dup);
    dup = faas_str_dup(none);
    assert_string_equal(dup, "");
    free(dup);
}

static void numbers_are_read_whole_or_refused(void **state)
{
    static const struct {
        const char *in;
        bool u_ok, i_ok;
        uint64_t u;
        int64_t i;
    } cases[] = {
        {"0", true, true, 0, 0},
        {"007", true, true, 7, 7},
        {"18446744073709551615", true, false, UINT64_MAX, 0},
        {"18446744073709551616", false, false, 0, 0},
        {"9223372036854775807", true, true, INT64_MAX, INT64_MAX},
        {"9223372036854775808", true, false, 1ull << 63, 0},
        {"-9223372036854775808", false, true, 0, INT64_MIN},
        {"-9223372036854775809", false, false, 0, 0},
        {"+5", false, true, 0, 5},
        {"-", false, false, 0, 0},
        {"", false, false, 0, 0},
        {" 1", false, false, 0, 0},
        {"1 ", false, false, 0, 0},
        {"1.0", false, false, 0, 0},
        {"0x1", false, false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_str in = faas_str_from(cases[i].in);
        struct faas_error err = {0};
        uint64_t u = 0;
        int64_t n = 0;

        print_message("  %s\n", cases[i].in);
        assert_int_equal(faas_parse_u64(in, &u, &err), cases[i].u_ok ? 0 : -1);
        assert_int_equal(err.code, cases[i].u_ok ? FAAS_ERR_NONE : FAAS_ERR_INVALID);
        assert_int_equal(faas_parse_i64(in, &n, NULL), cases[i].i_ok ? 0 : -1);
        assert_true(u == cases[i].u);
        assert_true(n == cases[i].i);
    }
}

static void an_error_quotes_the_text_and_cuts_it(void **state)
{
    struct faas_error err = {0};
    char big[300];
    uint64_t u;

    (void)state;
    assert_int_equal(faas_parse_u64(FAAS_STR("ten"), &u, &err), -1);
    assert_string_equal(err.msg, "\"ten\" is not a whole number");
    memset(big, 'x', sizeof(big));
    assert_int_equal(faas_parse_u64((struct faas_str){big, sizeof(big)}, &u, &err), -1);
    assert_non_null(strstr(err.msg, "x...\" is not a whole number"));
}

static void numbers_are_written_without_printf(void **state)
{
    static const uint64_t numbers[] = {0, 9, 10, 1795499264297667252u, UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(numbers); i++) {
        char expected[32], out[21];

        snprintf(expected, sizeof(expected), "%llu", (unsigned long long)numbers[i]);
        assert_int_equal(faas_format_u64(numbers[i], out), strlen(expected));
        assert_string_equal(out, expected);
    }
}

static void go_durations(void **state)
{
    static const struct {
        const char *in;
        bool ok;
        int64_t ns;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"+5s", true, 5 * S},
        {"-5s", true, -5 * S},
        {"1h15m30.5s", true, H + 15 * M + 30 * S + S / 2},
        {".5s", true, S / 2},
        {"5.s", true, 5 * S},
        {"300ms", true, 300 * 1000000},
        {"10ns", true, 10},
        {"11us", true, 11000},
        {"12\xc2\xb5s", true, 12000},
        {"12\xce\xbcs", true, 12000},
        {"0.3333333333333333333h", true, 20 * M},
        {"0.100000000000000000000h", true, 6 * M},
        {"9223372036854775807ns", true, INT64_MAX},
        {"-9223372036854775808ns", true, INT64_MIN},
        {"9223372036854775808ns", false, 0},
        {"-9223372036854775809ns", false, 0},
        {"9223372036854775.808us", false, 0},
        {"3000000h", false, 0},
        {"18446744073709551616s", false, 0},
        {"", false, 0},
        {"30", false, 0},
        {"-", false, 0},
        {"s", false, 0},
        {".", false, 0},
        {".s", false, 0},
        {"1d", false, 0},
        {"1 s", false, 0},
        {"1m30", false, 0},
        {"1.5.5s", false, 0},
        {"--1s", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_error err = {0};
        int64_t ns = 0;

        print_message("  %s\n", cases[i].in);
        assert_int_equal(faas_parse_go_duration(faas_str_from(cases[i].in), &ns, &err),
                         cases[i].ok ? 0 : -1);
        assert_int_equal(err.code, cases[i].ok ? FAAS_ERR_NONE : FAAS_ERR_INVALID);
        assert_true(!cases[i].ok || ns == cases[i].ns);
    }
}

static void openfaas_durations_are_seconds_or_go(void **state)
{
    static const struct {
        const char *in;
        int64_t ms; /* -1: must be refused */
    } cases[] = {
        {"30", 30000},
        {"0", 0},
        {"0s", 0},
        {"1m30s", 90000},
        {"250ms", 250},
        {"1us", 1},
        {"1ns", 1},
        {"1500us", 1},
        {"+3", 3000},
        {"-0", 0},
        {"-1", -1},
        {"-1s", -1},
        {"", -1},
        {"1.5", -1},
        {"1x", -1},
        {"1 ", -1},
        {"abc", -1},
        {"10d", -1},
        {"9223372036854775807", -1},
        {"9223372036854775807h", -1},
        {"99999999999999999999", -1},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_error err = {0};
        int64_t ms = -1;
        int rc = faas_parse_duration(faas_str_from(cases[i].in), &ms, &err);

        print_message("  %s\n", cases[i].in);
        assert_int_equal(rc, cases[i].ms < 0 ? -1 : 0);
        assert_int_equal(err.code, cases[i].ms < 0 ? FAAS_ERR_INVALID : FAAS_ERR_NONE);
        if (rc == 0)
            assert_int_equal(ms, cases[i].ms);
    }
}

static void sizes(void **state)
{
    static const struct {
        const char *in;
        bool ok;
        uint64_t bytes;
    } cases[] = {
        {"0", true, 0},
        {"4096", true, 4096},
        {"64k", true, 65536},
        {"64KiB", true, 65536},
        {"64Ki", true, 65536},
        {"64kb", true, 65536},
        {"8M", true, 8388608},
        {"1GiB", true, 1ull << 30},
        {"2T", true, 2ull << 40},
        {"512B", true, 512},
        {"17179869183G", true, 17179869183ull << 30},
        {"17179869184G", false, 0},
        {"", false, 0},
        {"k", false, 0},
        {"-1", false, 0},
        {"1.5M", false, 0},
        {"1 k", false, 0},
        {"1kk", false, 0},
        {"1iB", false, 0},
        {"1x", false, 0},
        {"99999999999999999999", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_error err = {0};
        uint64_t n = 0;

        print_message("  %s\n", cases[i].in);
        assert_int_equal(faas_parse_size(faas_str_from(cases[i].in), &n, &err),
                         cases[i].ok ? 0 : -1);
        assert_int_equal(err.code, cases[i].ok ? FAAS_ERR_NONE : FAAS_ERR_INVALID);
        assert_true(!cases[i].ok || n == cases[i].bytes);
    }
}

static void kubernetes_quantities(void **state)
{
    static const struct {
        const char *in;
        int64_t milli; /* -1: must be refused */
    } cases[] = {
        {"0", 0},
        {"1", 1000},
        {"0.5", 500},
        {".5", 500},
        {"5.", 5000},
        {"500m", 500},
        {"1500m", 1500},
        {"100u", 1}, /* rounded up */
        {"1n", 1},
        {"0.0000000001", 1},
        {"0.0000000000", 0},
        {"128Mi", 134217728000},
        {"5Ki", 5120000},
        {"1.5Gi", 1610612736000},
        {"1G", 1000000000000},
        {"1k", 1000000},
        {"1e3", 1000000},
        {"1E-3", 1},
        {"+1", 1000},
        {"7Pi", 7881299347898368000},
        {"9Ei", -1},
        {"1E", -1},
        {"1e99", -1},
        {"99999999999999999999", -1},
        {"", -1},
        {"-1", -1},
        {".", -1},
        {"Mi", -1},
        {"1K", -1}, /* only k and Ki exist */
        {"1mi", -1},
        {"1 Mi", -1},
        {"1Mib", -1},
        {"1e", -1},
        {"1.5.5", -1},
        {"1e+-3", -1},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_error err = {0};
        int64_t milli = -1;
        int rc = faas_parse_quantity(faas_str_from(cases[i].in), &milli, &err);

        print_message("  %s\n", cases[i].in);
        assert_int_equal(rc, cases[i].milli < 0 ? -1 : 0);
        assert_int_equal(err.code, cases[i].milli < 0 ? FAAS_ERR_INVALID : FAAS_ERR_NONE);
        assert_true(rc < 0 || milli == cases[i].milli);
    }
}

static void durations_are_written_as_go_writes_them(void **state)
{
    static const struct {
        int64_t ns;
        const char *want;
    } cases[] = {
        {0, "0s"},
        {1, "1ns"},
        {1100, "1.1\xc2\xb5s"},
        {2200000, "2.2ms"},
        {100000000, "100ms"},
        {1500000000, "1.5s"},
        {30 * S, "30s"},
        {90 * S, "1m30s"},
        {H, "1h0m0s"},
        {5 * M + S + 1000000, "5m1.001s"},
        {-5 * S, "-5s"},
        {60 * M - 1, "59m59.999999999s"},
        {INT64_MAX, "2562047h47m16.854775807s"},
        {INT64_MIN, "-2562047h47m16.854775808s"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        char out[32];

        faas_format_go_duration(cases[i].ns, out);
        assert_string_equal(out, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splitting_visits_every_item_empty_ones_too),
        cmocka_unit_test(comparing_and_searching),
        cmocka_unit_test(numbers_are_read_whole_or_refused),
        cmocka_unit_test(an_error_quotes_the_text_and_cuts_it),
        cmocka_unit_test(numbers_are_written_without_printf),
        cmocka_unit_test(go_durations),
        cmocka_unit_test(openfaas_durations_are_seconds_or_go),
        cmocka_unit_test(sizes),
        cmocka_unit_test(kubernetes_quantities),
        cmocka_unit_test(durations_are_written_as_go_writes_them),
    };
    return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
