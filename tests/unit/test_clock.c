#include "libfaas/clock.h"
#include "libfaas/macros.h"
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

static void times_are_written_in_utc(void **state)
{
    static const struct {
        int64_t ns;
        const char *ms, *go;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z"},
        {1767323045678000000, "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"},
        {1767323045678900012, "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678900012Z"},
        {1709164800000000000, "2024-02-29T00:00:00.000Z", "2024-02-29T00:00:00Z"},
        {951868799999999999, "2000-02-29T23:59:59.999Z", "2000-02-29T23:59:59.999999999Z"},
        {4107542400100000000, "2100-03-01T00:00:00.100Z", "2100-03-01T00:00:00.1Z"},
        {-1, "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999999999Z"},
        {-86400000000000, "1969-12-31T00:00:00.000Z", "1969-12-31T00:00:00Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854Z", "2262-04-11T23:47:16.854775807Z"},
        {INT64_MIN, "1677-09-21T00:12:43.145Z", "1677-09-21T00:12:43.145224192Z"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        char out[32], go[40];

        faas_format_time(cases[i].ns, out);
        faas_format_time_go(cases[i].ns, go);
        assert_string_equal(out, cases[i].ms);
        assert_string_equal(go, cases[i].go);
    }
}

/* Our calendar against the C library's, through leap years and centuries. */
static void dates_agree_with_the_c_library(void **state)
{
    (void)state;
    for (int64_t day = -100000; day < 100000; day += 13) {
        time_t t = day * 86400 + (day * 7919) % 86400;
        char want[40], got[40];
        struct tm tm;
        int64_t back = 0;

        gmtime_r(&t, &tm);
        strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm);
        faas_format_time_go(t * 1000000000LL, got);
        assert_string_equal(got, want);
        assert_int_equal(faas_parse_time(got, &back), 0);
        assert_true(back == t * 1000000000LL);
    }
}

static void times_are_read_or_refused(void **state)
{
    static const struct {
        const char *in;
        bool ok;
        int64_t ns;
    } cases[] = {
        {"2026-01-02T03:04:05Z", true, 1767323045000000000},
        {"2026-01-02t03:04:05z", true, 1767323045000000000},
        {"2026-01-02T03:04:05.678Z", true, 1767323045678000000},
        {"2026-01-02T03:04:05.1234567891Z", true, 1767323045123456789},
        {"2026-01-02T05:34:05+02:30", true, 1767323045000000000},
        {"2026-01-01T19:04:05-08:00", true, 1767323045000000000},
        {"2026-01-02T03:03:60Z", true, 1767323040000000000},
        {"2024-02-29T00:00:00Z", true, 1709164800000000000},
        {"2023-02-29T00:00:00Z", false, 0},
        {"2100-02-29T00:00:00Z", false, 0},
        {"2026-04-31T00:00:00Z", false, 0},
        {"2026-13-01T00:00:00Z", false, 0},
        {"2026-00-01T00:00:00Z", false, 0},
        {"2026-01-00T00:00:00Z", false, 0},
        {"2026-01-02T24:00:00Z", false, 0},
        {"2026-01-02T03:60:00Z", false, 0},
        {"2026-01-02T03:04:61Z", false, 0},
        {"2026-01-02T03:04:05", false, 0},
        {"2026-01-02T03:04:05.Z", false, 0},
        {"2026-01-02T03:04:05Zx", false, 0},
        {"2026-01-02T03:04:05+0200", false, 0},
        {"2026-01-02T03:04:05+24:00", false, 0},
        {"2026-01-02T03:04:05*02:00", false, 0},
        {"2026-01-02 03:04:05Z", false, 0},
        {"2026-1-2T03:04:05Z", false, 0},
        {"26-01-02T03:04:05Z", false, 0},
        {"0001-01-01T00:00:00Z", false, 0},
        {"9999-12-31T23:59:59Z", false, 0},
        {"", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        int64_t ns = 0;

        print_message("  %s\n", cases[i].in);
        assert_int_equal(faas_parse_time(cases[i].in, &ns), cases[i].ok ? 0 : -1);
        assert_true(ns == cases[i].ns);
    }
}

static void the_fake_clock_moves_only_when_moved(void **state)
{
    struct faas_fake_clock c;
    int64_t before;

    (void)state;
    faas_fake_clock_init(&c, 5000);
    before = faas_now_ms(&c.clock);
    assert_true(before > 0);
    assert_int_equal(faas_now_ms(&c.clock), before);
    faas_fake_clock_advance_ms(&c, 250);
    assert_int_equal(faas_now_ms(&c.clock), before + 250);
    assert_int_equal(c.clock.realtime_ns(c.clock.self), 250005000);
}

static void the_system_clock_does_not_run_backwards(void **state)
{
    const struct faas_clock *c = &faas_system_clock;
    int64_t a = c->monotonic_ns(c->self), b = c->monotonic_ns(c->self);

    (void)state;
    assert_true(a > 0 && b >= a);
    assert_true(c->realtime_ns(c->self) > 1700000000LL * 1000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_in_utc),
        cmocka_unit_test(dates_agree_with_the_c_library),
        cmocka_unit_test(times_are_read_or_refused),
        cmocka_unit_test(the_fake_clock_moves_only_when_moved),
        cmocka_unit_test(the_system_clock_does_not_run_backwards),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
