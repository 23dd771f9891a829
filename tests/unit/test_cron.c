#include "libfaas/cron.h"

#include "libfaas/clock.h"
#include "tests/unit/unit.h"

#include <time.h>

static int64_t at(const char *text)
{
    int64_t ns;

    assert_int_equal(faas_parse_time(text, &ns), 0);
    return ns / 1000000000;
}

static void assert_time(int64_t got, const char *expected)
{
    char text[40];

    faas_format_time_go(got * 1000000000, text);
    assert_string_equal(text, expected);
}

struct times {
    const char *text, *zone, *after;
    const char *next[4];
};

static void run(const struct times *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct times *c = &cases[i];
        struct faas_error err = {0};
        _cleanup_(faas_zone_freep) struct faas_zone *zone =
            faas_zone_load(faas_str_from(c->zone ? c->zone : "UTC"), &err);
        struct faas_cron cron;
        int64_t t = at(c->after);

        print_message("%s %s %s\n", c->text, c->zone ? c->zone : "", c->after);
        assert_non_null(zone);
        assert_int_equal(faas_cron_parse(faas_str_from(c->text), &cron, &err), 0);
        for (size_t j = 0; j < FAAS_ARRAY_LEN(c->next) && c->next[j]; j++) {
            t = faas_cron_next(&cron, zone, t);
            assert_time(t, c->next[j]);
        }
    }
}

static void the_next_times(void **state)
{
    static const struct times cases[] = {
        {"* * * * *",
         NULL,
         "2026-01-01T00:00:00Z",
         {"2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"}},
        {"* * * * * *",
         NULL,
         "2026-12-31T23:59:58Z",
         {"2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z", "2027-01-01T00:00:01Z"}},
        {"*/20 * * * * *",
         NULL,
         "2026-01-01T00:00:30Z",
         {"2026-01-01T00:00:40Z", "2026-01-01T00:01:00Z"}},
        {"*/25 * * * *",
         NULL,
         "2026-01-01T00:00:00Z",
         {"2026-01-01T00:25:00Z", "2026-01-01T00:50:00Z", "2026-01-01T01:00:00Z"}},
        {"5/20 * * * *",
         NULL,
         "2026-01-01T00:00:00Z",
         {"2026-01-01T00:05:00Z", "2026-01-01T00:25:00Z", "2026-01-01T00:45:00Z",
          "2026-01-01T01:05:00Z"}},
        {"1-10/4,30 3 * * *",
         NULL,
         "2026-01-01T03:01:00Z",
         {"2026-01-01T03:05:00Z", "2026-01-01T03:09:00Z", "2026-01-01T03:30:00Z",
          "2026-01-02T03:01:00Z"}},
        {"59 23 31 12 *", NULL, "2026-12-31T23:59:00Z", {"2027-12-31T23:59:00Z"}},
        {"0 12 * * MON-fri",
         NULL,
         "2026-01-02T12:00:00Z", /* a Friday */
         {"2026-01-05T12:00:00Z", "2026-01-06T12:00:00Z"}},
        {"0 0 * * 7", NULL, "2026-01-01T00:00:00Z", {"2026-01-04T00:00:00Z"}},
        {"0 0 * * sat-sun",
         NULL,
         "2026-01-01T00:00:00Z",
         {"2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z", "2026-01-10T00:00:00Z"}},
        {"0 0 1 jan,JUL *",
         NULL,
         "2026-01-01T00:00:00Z",
         {"2026-07-01T00:00:00Z", "2027-01-01T00:00:00Z"}},
        {"0 0 31 * *",
         NULL,
         "2026-01-31T00:00:00Z",
         {"2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z"}},
        {"0 0 29 2 *", NULL, "2096-02-29T00:00:00Z", {"2104-02-29T00:00:00Z"}},
        /* day of month or day of week, when both are given; and both, when one begins with a * */
        {"0 0 13 * FRI",
         NULL,
         "2026-01-01T00:00:00Z",
         {"2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z",
          "2026-01-16T00:00:00Z"}},
        {"0 0 */2 * MON",
         NULL,
         "2026-01-01T00:00:00Z",
         {"2026-01-05T00:00:00Z", "2026-01-19T00:00:00Z"}},
        {"0 0 ? * MON", NULL, "2026-01-01T00:00:00Z", {"2026-01-05T00:00:00Z"}},
        {"@hourly", NULL, "2026-01-01T00:00:00Z", {"2026-01-01T01:00:00Z"}},
        {"@daily", NULL, "2026-01-01T00:00:00Z", {"2026-01-02T00:00:00Z"}},
        {"@midnight", NULL, "2026-01-01T00:00:00Z", {"2026-01-02T00:00:00Z"}},
        {"@Weekly", NULL, "2026-01-01T00:00:00Z", {"2026-01-04T00:00:00Z"}},
        {"@monthly", NULL, "2026-01-01T00:00:00Z", {"2026-02-01T00:00:00Z"}},
        {"@yearly", NULL, "2026-01-01T00:00:00Z", {"2027-01-01T00:00:00Z"}},
        {"@annually", NULL, "2026-01-01T00:00:00Z", {"2027-01-01T00:00:00Z"}},
        {"@every 90s",
         NULL,
         "2026-01-01T00:00:00Z",
         {"2026-01-01T00:01:30Z", "2026-01-01T00:03:00Z"}},
        {" \t@every  1h30m ", NULL, "2026-01-01T00:00:00Z", {"2026-01-01T01:30:00Z"}},
        {"  0\t 0 * *   * ", NULL, "2026-01-01T00:00:00Z", {"2026-01-02T00:00:00Z"}},
    };

    (void)state;
    run(cases, FAAS_ARRAY_LEN(cases));
}

static void a_zone_says_when_that_is(void **state)
{
    static const struct times cases[] = {
        {"0 9 * * *",
         "Europe/Berlin",
         "2026-01-01T00:00:00Z",
         {"2026-01-01T08:00:00Z", "2026-01-02T08:00:00Z"}},
        {"0 9 * * *", "Europe/Berlin", "2026-07-01T00:00:00Z", {"2026-07-01T07:00:00Z"}},
        {"30 8 * * *", "Asia/Kolkata", "2026-01-01T00:00:00Z", {"2026-01-01T03:00:00Z"}},
        {"0 0 1 * *", "Pacific/Kiritimati", "2026-01-01T00:00:00Z", {"2026-01-31T10:00:00Z"}},
        {"0 0 1 1 *", "America/New_York", "2099-12-01T00:00:00Z", {"2100-01-01T05:00:00Z"}},
        {"@daily",
         "America/New_York",
         "2026-01-01T00:00:00Z",
         {"2026-01-01T05:00:00Z", "2026-01-02T05:00:00Z"}},
        {"@every 24h", "America/New_York", "2026-01-01T00:00:00Z", {"2026-01-02T00:00:00Z"}},
    };

    (void)state;
    run(cases, FAAS_ARRAY_LEN(cases));
}

/* Berlin, 2026: 29 March 2:00 is 3:00 (01:00Z); 25 October 3:00 is 2:00 (01:00Z). */
static void a_time_that_is_left_out_counts_when_the_gap_is_over(void **state)
{
    static const struct times cases[] = {
        {"30 2 * * *",
         "Europe/Berlin",
         "2026-03-28T00:00:00Z",
         {"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}},
        {"30 2 * * *", "Europe/Berlin", "2026-03-29T00:59:59Z", {"2026-03-29T01:00:00Z"}},
        {"0 2,3 * * *",
         "Europe/Berlin",
         "2026-03-28T12:00:00Z",
         {"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z", "2026-03-30T01:00:00Z"}},
        {"0,20,40 2 * * *",
         "Europe/Berlin",
         "2026-03-28T12:00:00Z",
         {"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"}},
        {"59 1 * * *",
         "Europe/Berlin",
         "2026-03-28T12:00:00Z",
         {"2026-03-29T00:59:00Z", "2026-03-29T23:59:00Z"}},
        /* a whole day: Samoa had no 30 December 2011 */
        {"0 12 30 12 *",
         "Pacific/Apia",
         "2011-12-01T00:00:00Z",
         {"2011-12-30T10:00:00Z", "2012-12-29T22:00:00Z"}},
        /* all hours: there was no such hour */
        {"30 * * * *",
         "Europe/Berlin",
         "2026-03-29T00:00:00Z",
         {"2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"}},
        {"*/30 * * * *",
         "Europe/Berlin",
         "2026-03-29T00:30:00Z",
         {"2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"}},
    };

    (void)state;
    run(cases, FAAS_ARRAY_LEN(cases));
}

static void a_time_that_comes_twice_counts_once(void **state)
{
    static const struct times cases[] = {
        {"30 2 * * *",
         "Europe/Berlin",
         "2026-10-24T12:00:00Z",
         {"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
        {"30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", {"2026-10-26T01:30:00Z"}},
        {"30 2 * * *", "Europe/Berlin", "2026-10-25T01:15:00Z", {"2026-10-26T01:30:00Z"}},
        {"0 3 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", {"2026-10-25T02:00:00Z"}},
        {"0 2 * * *",
         "Europe/Berlin",
         "2026-10-24T12:00:00Z",
         {"2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z"}},
        {"*/30 1-2 * * *",
         "Europe/Berlin",
         "2026-10-25T00:00:00Z",
         {"2026-10-25T00:30:00Z", "2026-10-26T00:00:00Z"}},
        /* half an hour of summer time */
        {"45 1 * * *",
         "Australia/Lord_Howe",
         "2026-04-04T00:00:00Z",
         {"2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"}},
        /* all hours: the hour passes twice */
        {"30 * * * *",
         "Europe/Berlin",
         "2026-10-25T00:00:00Z",
         {"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"}},
        {"*/30 * * * *",
         "Europe/Berlin",
         "2026-10-25T00:30:00Z",
         {"2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"}},
    };

    (void)state;
    run(cases, FAAS_ARRAY_LEN(cases));
}

static void what_cannot_be_read_is_named(void **state)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"", "has 0"},
        {"* * * *", "has 4"},
        {"* * * * * * *", "at least 7"},
        {"60 * * * *", "minute 60 is not from 0 to 59"},
        {"61 * * * * *", "second 61 is not from 0 to 59"},
        {"* 24 * * *", "hour 24 is not from 0 to 23"},
        {"* * 0 * *", "day of month 0 is not from 1 to 31"},
        {"* * 32 * *", "day of month 32"},
        {"* * * 13 *", "month 13"},
        {"* * * FOO *", "month \"FOO\" is neither a number nor a name"},
        {"* * * * 8", "day of week 8 is not from 0 to 7"},
        {"x * * * *", "minute \"x\" is no number"},
        {"-1 * * * *", "minute \"\" is no number"},
        {"1- * * * *", "minute \"\" is no number"},
        {"1-2-3 * * * *", "minute"},
        {"5-1 * * * *", "minute \"5-1\" runs backwards"},
        {"1,,2 * * * *", "minute \"\" is empty"},
        {"1, * * * *", "minute \"\" is empty"},
        {"*/0 * * * *", "step"},
        {"*/x * * * *", "step"},
        {"*/ * * * *", "step"},
        {"1/2/3 * * * *", "step"},
        {"? * * * *", "minute \"?\" is no number"},
        {"99999999999999999999 * * * *", "is no number"},
        {"* * L * *", "day of month \"L\" is no number"},
        {"* * 15W * *", "day of month \"15W\" is no number"},
        {"* * * * MON#1", "day of week \"MON#1\" is neither"},
        {"0 0 31 2 *", "never comes"},
        {"0 0 30,31 FEB *", "never comes"},
        {"0 0 31 4,6,9,11 *", "never comes"},
        {"@reboot", "\"@reboot\" is not known"},
        {"@every", "\"@every\" is not known"},
        {"@every soon", "@every"},
        {"@every 500ms", "less than a second"},
        {"@every -5s", "less than a second"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_cron cron;
        struct faas_error err = {0};

        print_message("\"%s\"\n", cases[i].text);
        assert_int_equal(faas_cron_parse(faas_str_from(cases[i].text), &cron, &err), -1);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        if (!strstr(err.msg, cases[i].said))
            print_error("%s\n", err.msg);
        assert_non_null(strstr(err.msg, cases[i].said));
    }
}

/* The long way: every minute of some years is looked at. */
static void nothing_is_left_out_and_nothing_added(void **state)
{
    static const char *const cases[] = {"*/7 */5 * * *", "0 12 13 * FRI", "30 2 */3 * MON-FRI",
                                        "59 23 28-31 2,11,12 *"};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(faas_zone_freep) struct faas_zone *utc = faas_zone_load(FAAS_STR("UTC"), NULL);
        int64_t t = at("2027-11-30T00:00:00Z"), end = at("2029-01-02T00:00:00Z"), next;
        struct faas_cron c;

        print_message("%s\n", cases[i]);
        assert_int_equal(faas_cron_parse(faas_str_from(cases[i]), &c, NULL), 0);
        next = faas_cron_next(&c, utc, t);
        for (t += 60; t < end; t += 60) {
            time_t seconds = (time_t)t;
            struct tm tm;
            bool day, weekday;

            gmtime_r(&seconds, &tm);
            day = c.days >> tm.tm_mday & 1;
            weekday = c.weekdays >> tm.tm_wday & 1;
            if ((c.minutes >> tm.tm_min & 1) && (c.hours >> tm.tm_hour & 1) &&
                (c.months >> (tm.tm_mon + 1) & 1) &&
                (c.any_day || c.any_weekday ? day && weekday : day || weekday)) {
                assert_int_equal(next, t);
                next = faas_cron_next(&c, utc, t);
            }
        }
        assert_true(next >= end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_times),
        cmocka_unit_test(a_zone_says_when_that_is),
        cmocka_unit_test(a_time_that_is_left_out_counts_when_the_gap_is_over),
        cmocka_unit_test(a_time_that_comes_twice_counts_once),
        cmocka_unit_test(what_cannot_be_read_is_named),
        cmocka_unit_test(nothing_is_left_out_and_nothing_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
