#include "libfaas/zone.h"

#include "libfaas/buf.h"
#include "libfaas/clock.h"
#include "tests/unit/tmpdir.h"

#include <stdlib.h>
#include <time.h>

#define DAY_S INT64_C(86400)

static int64_t at(const char *text)
{
    int64_t ns;

    assert_int_equal(faas_parse_time(text, &ns), 0);
    return ns / 1000000000;
}

static int32_t offset_of_libc(int64_t t)
{
    time_t seconds = (time_t)t;
    struct tm tm;

    assert_non_null(localtime_r(&seconds, &tm));
    return (int32_t)tm.tm_gmtoff;
}

/* The C library reads the same files; here its global does no harm. */
static void every_kind_of_zone_goes_as_in_the_c_library(void **state)
{
    static const char *const names[] = {
        "Europe/Berlin",      "Europe/Dublin",
        "Europe/London",      "America/New_York",
        "America/Sao_Paulo",  "America/St_Johns",
        "America/Nuuk",       "Asia/Kolkata",
        "Asia/Kathmandu",     "Asia/Tehran",
        "Asia/Gaza",          "Asia/Tokyo",
        "Africa/Casablanca",  "Africa/Cairo",
        "Africa/El_Aaiun",    "Australia/Lord_Howe",
        "Australia/Adelaide", "Pacific/Apia",
        "Pacific/Chatham",    "Pacific/Kiritimati",
        "Antarctica/Troll",   "America/Port-au-Prince",
        "Etc/GMT+12",         "Etc/UTC",
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(names); i++) {
        struct faas_error err = {0};
        _cleanup_(faas_zone_freep) struct faas_zone *z =
            faas_zone_load(faas_str_from(names[i]), &err);

        print_message("%s %s\n", names[i], err.msg);
        assert_non_null(z);
        setenv("TZ", names[i], 1);
        tzset();
        for (int64_t t = 0; t < 150 * 365 * DAY_S; t += 5 * DAY_S + 3607) {
            struct faas_zone_span s;

            faas_zone_span(z, t, &s);
            assert_true(s.from <= t && t < s.until);
            assert_int_equal(s.offset, offset_of_libc(t));
            if (s.from >= 0) {
                assert_int_equal(s.offset, offset_of_libc(s.from));
                assert_int_equal(s.before, offset_of_libc(s.from - 1));
            }
            if (s.until < INT64_MAX) {
                assert_int_equal(s.offset, offset_of_libc(s.until - 1));
                assert_int_equal(s.after, offset_of_libc(s.until));
            }
        }
    }
    unsetenv("TZ");
    tzset();
}

static void utc_needs_no_file(void **state)
{
    _cleanup_(faas_zone_freep) struct faas_zone *z = NULL;
    struct faas_zone_span s;

    setenv("TZDIR", *state, 1);
    z = faas_zone_load(FAAS_STR("UTC"), NULL);
    unsetenv("TZDIR");
    assert_non_null(z);
    faas_zone_span(z, 1000, &s);
    assert_int_equal(s.offset, 0);
    assert_true(s.from == INT64_MIN && s.until == INT64_MAX);
}

static void a_name_that_is_none_is_refused(void **state)
{
    static const struct {
        const char *name, *said;
    } cases[] = {
        {"", "no name"},
        {"../../etc/passwd", "no name"},
        {"Europe/../../../etc/passwd", "no name"},
        {"/etc/localtime", "no name"},
        {"Europe//Berlin", "no name"},
        {"Europe/", "no name"},
        {"Europe/Ber lin", "no name"},
        {"localtime", "no name"},
        {"right/UTC", "no name"},
        {"Europe/Atlantis", "not known"},
        {"Europe", "not known"},
        {"EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE", "no name"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_error err = {0};

        print_message("%s\n", cases[i].name);
        assert_null(faas_zone_load(faas_str_from(cases[i].name), &err));
        assert_non_null(strstr(err.msg, cases[i].said));
    }
}

/* --- files made here --- */

static void put(struct faas_buf *b, uint64_t v, size_t n)
{
    while (n-- > 0)
        faas_buf_append_c(b, n < 8 ? (char)(v >> 8 * n) : 0);
}

static void put_header(struct faas_buf *b, char version, uint64_t leaps, uint64_t changes,
                       uint64_t types)
{
    faas_buf_append_z(b, "TZif");
    faas_buf_append_c(b, version);
    put(b, 0, 15);
    put(b, 0, 4);
    put(b, 0, 4);
    put(b, leaps, 4);
    put(b, changes, 4);
    put(b, types, 4);
    put(b, 4, 4);
}

struct made {
    char version;
    uint64_t leaps;
    int64_t changes[2];
    unsigned char kinds[2];
    int32_t offset;
    const char *footer;
};

static void make(struct faas_buf *b, const struct made *m)
{
    put_header(b, m->version, 0, 0, 1);
    put(b, 0, 6);
    put(b, 0, 4);
    put_header(b, m->version, m->leaps, 2, 2);
    for (size_t i = 0; i < 2; i++)
        put(b, (uint64_t)m->changes[i], 8);
    for (size_t i = 0; i < 2; i++)
        put(b, m->kinds[i], 1);
    put(b, 0, 6);
    put(b, (uint32_t)m->offset, 4);
    put(b, 1, 2);
    put(b, 0, 4); /* names */
    put(b, 0, 12 * m->leaps);
    faas_buf_append_z(b, m->footer);
}

static const struct made good = {'2', 0, {1000, 2000}, {1, 0}, 3600, "\nUTC0\n"};

static void changes_then_the_rule(void **state)
{
    _cleanup_buf_ struct faas_buf b = {0};
    _cleanup_(faas_zone_freep) struct faas_zone *z = NULL;
    struct faas_error err = {0};
    struct faas_zone_span s;

    (void)state;
    make(&b, &good);
    z = faas_zone_parse(faas_buf_str(&b), &err);
    assert_non_null(z);
    faas_zone_span(z, 1999, &s);
    assert_true(s.from == 1000 && s.until == 2000);
    assert_true(s.before == 0 && s.offset == 3600 && s.after == 0);
    faas_zone_span(z, 2000, &s);
    assert_true(s.from == 2000 && s.until == INT64_MAX);
    assert_true(s.before == 3600 && s.offset == 0);
    for (size_t n = 0; n < b.len; n++) /* however short it is cut */
        assert_null(faas_zone_parse((struct faas_str){b.data, n}, &err));
}

static void a_file_that_makes_no_sense_is_refused(void **state)
{
    static const struct {
        struct made file;
        const char *said;
    } cases[] = {
        {{'\0', 0, {1000, 2000}, {1, 0}, 3600, "\nUTC0\n"}, "version 1"},
        {{'2', 1, {1000, 2000}, {1, 0}, 3600, "\nUTC0\n"}, "leap seconds"},
        {{'2', 0, {2000, 2000}, {1, 0}, 3600, "\nUTC0\n"}, "no sense"},
        {{'2', 0, {1000, 2000}, {1, 2}, 3600, "\nUTC0\n"}, "no sense"},
        {{'2', 0, {1000, 2000}, {1, 0}, 100000, "\nUTC0\n"}, "no sense"},
        {{'2', 0, {1000, 2000}, {1, 0}, 3600, "\nnonsense\n"}, "rule"},
        {{'2', 0, {1000, 2000}, {1, 0}, 3600, "UTC0"}, "cut off"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf b = {0};
        struct faas_error err = {0};

        make(&b, &cases[i].file);
        print_message("%s\n", cases[i].said);
        assert_null(faas_zone_parse(faas_buf_str(&b), &err));
        assert_non_null(strstr(err.msg, cases[i].said));
    }
}

/* --- rules --- */

static void rules_say_when_summer_is(void **state)
{
    static const struct {
        const char *rule, *t;
        int32_t offset;
        const char *until; /* NULL: for ever */
    } cases[] = {
        {"EST5", "2026-07-01T00:00:00Z", -18000, NULL},
        {"<+0330>-3:30", "2026-07-01T00:00:00Z", 12600, NULL},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T00:59:59Z", 3600, "2026-03-29T01:00:00Z"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:00:00Z", 7200, "2026-10-25T01:00:00Z"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-12-31T23:59:59Z", 3600, "2027-03-28T01:00:00Z"},
        {"NZST-12NZDT,M9.5.0,M4.1.0/3", "2026-01-01T00:00:00Z", 46800, "2026-04-04T14:00:00Z"},
        /* half an hour of summer time, days by their numbers, with and without 29 February */
        {"XXX1YYY0:30,J60/0,J300/0", "2028-03-01T00:59:59Z", -3600, "2028-03-01T01:00:00Z"},
        {"XXX1YYY0:30,59/0,300/0", "2028-02-29T00:59:59Z", -3600, "2028-02-29T01:00:00Z"},
        /* summer time all year */
        {"XXX3EDT4,0/0,J365/23", "2026-12-31T23:00:00Z", -14400, "2027-01-01T03:00:00Z"},
        {"XXX3EDT4,0/0,J365/23", "2027-01-01T03:00:00Z", -14400, "2028-01-01T03:00:00Z"},
        /* changes that stand days away from their date */
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z", -7200, "2026-03-29T01:00:00Z"},
        {"EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-27T23:59:59Z", 7200, "2026-03-28T00:00:00Z"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_zone_rule rule;
        struct faas_zone_span s;
        struct faas_error err = {0};

        print_message("%s %s\n", cases[i].rule, cases[i].t);
        assert_int_equal(faas_zone_rule_parse(faas_str_from(cases[i].rule), &rule, &err), 0);
        faas_zone_rule_span(&rule, at(cases[i].t), &s);
        assert_int_equal(s.offset, cases[i].offset);
        assert_int_equal(s.until, cases[i].until ? at(cases[i].until) : INT64_MAX);
    }
}

static void a_rule_that_is_none_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "UTC",
        "UTC25",
        "X1",
        "<UTC0",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,J365",
        "CET-1CEST,0,366",
        "CET-1CEST,0/168,365",
        "CET-1:60",
        "CET-1CEST,M3.5.0,M10.5.0/3,",
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_zone_rule rule;
        struct faas_error err = {0};

        print_message("%s\n", cases[i]);
        assert_int_equal(faas_zone_rule_parse(faas_str_from(cases[i]), &rule, &err), -1);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_zone_goes_as_in_the_c_library),
        tmpdir_test(utc_needs_no_file),
        cmocka_unit_test(a_name_that_is_none_is_refused),
        cmocka_unit_test(changes_then_the_rule),
        cmocka_unit_test(a_file_that_makes_no_sense_is_refused),
        cmocka_unit_test(rules_say_when_summer_is),
        cmocka_unit_test(a_rule_that_is_none_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
