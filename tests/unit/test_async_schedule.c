#include "gateway/async/schedule.h"
#include "libfaas/alloc.h"
#include "libfaas/clock.h"
#include "tests/unit/unit.h"

static void set_all(struct faas_map *m, const char *const *pairs)
{
    for (; pairs[0]; pairs += 2)
        faas_map_set(m, pairs[0], pairs[1]);
}

static void assert_next(const struct gw_schedule *s, const char *after, const char *expected)
{
    int64_t ns;
    char text[40];

    assert_int_equal(faas_parse_time(after, &ns), 0);
    faas_format_time_go(gw_schedule_next_ms(s, ns / 1000000) * 1000000, text);
    assert_string_equal(text, expected);
}

static void the_next_time_is_that_of_any_expression(void **state)
{
    static const struct {
        const char *schedule, *zone, *after, *next;
    } cases[] = {
        {"0 9 * * *", NULL, "2026-01-01T00:00:00Z", "2026-01-01T09:00:00Z"},
        {"0 9 * * *", NULL, "2026-01-01T08:59:59.999Z", "2026-01-01T09:00:00Z"},
        {"0 9 * * *", NULL, "2026-01-01T09:00:00.001Z", "2026-01-02T09:00:00Z"},
        {"0 9 * * *", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-01-01T08:00:00Z"},
        {"CRON_TZ=Asia/Tokyo 0 9 * * *", "Europe/Berlin", "2026-01-01T00:00:00Z",
         "2026-01-02T00:00:00Z"},
        {"TZ=Asia/Tokyo  0 9 * * *", NULL, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"},
        {"0 9 * * *; 30 8 * * MON ;", NULL, "2026-01-04T09:00:00Z", "2026-01-05T08:30:00Z"},
        {"0 9 * * *;CRON_TZ=Europe/Berlin 0 9 * * *", NULL, "2026-01-01T00:00:00Z",
         "2026-01-01T08:00:00Z"},
        {"@every 10s", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-01-01T00:00:10Z"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_map_ struct faas_map m = {0};
        _cleanup_(gw_schedule_freep) struct gw_schedule *s = NULL;
        struct faas_error err = {0};

        print_message("%s\n", cases[i].schedule);
        faas_map_set(&m, "schedule", cases[i].schedule);
        if (cases[i].zone)
            faas_map_set(&m, "schedule.timezone", cases[i].zone);
        s = gw_schedule_read(&m, &err);
        assert_non_null(s);
        assert_next(s, cases[i].after, cases[i].next);
    }
}

/* What fills a call's head beyond what a front door takes. */
static void refuses_longer_than(const char *key, char with, size_t limit)
{
    for (size_t len = limit; len <= limit + 1; len++) {
        _cleanup_free_ char *value = faas_zalloc(len + 1);
        _cleanup_map_ struct faas_map m = {0};
        struct gw_schedule *s;

        memset(value, with, len);
        faas_map_set(&m, "schedule", "@daily");
        faas_map_set(&m, key, value);
        s = gw_schedule_read(&m, NULL);
        assert_int_equal(s != NULL, len <= limit);
        gw_schedule_free(s);
    }
}

static void what_cannot_be_read_names_its_annotation(void **state)
{
    static const struct {
        const char *pairs[5];
        const char *said;
    } cases[] = {
        {{"schedule", ""}, "annotation schedule: it is missing or empty"},
        {{"schedule", " ; "}, "annotation schedule: it is missing or empty"},
        {{"schedule.jitter", "5s"}, "annotation schedule: it is missing or empty"},
        {{"schedule", "61 * * * *"}, "annotation schedule: minute 61"},
        {{"schedule", "* * * * *;bad"}, "annotation schedule: it needs five fields"},
        {{"schedule", "CRON_TZ=Mars/Base * * * * *"}, "annotation schedule: the time zone Mars"},
        {{"schedule", "CRON_TZ=UTC"}, "annotation schedule: it needs five fields"},
        {{"schedule", "CRON_TZ=../x * * * * *"}, "annotation schedule: \"../x\" is no name"},
        {{"schedule", "@daily;@daily;@daily;@daily;@daily;@daily;@daily;@daily;@daily;@daily;"
                      "@daily;@daily;@daily;@daily;@daily;@daily;@daily"},
         "more than 16"},
        {{"schedule", "@daily", "schedule.timezone", "Mars/Base"},
         "annotation schedule.timezone: the time zone Mars/Base is not known here"},
        {{"schedule", "@daily", "schedule.jitter", "soon"}, "annotation schedule.jitter: "},
        {{"schedule", "@daily", "schedule.jitter", "-1s"}, "annotation schedule.jitter: "},
        {{"schedule", "@daily", "schedule.jitter", "25h"}, "more than 24h"},
        {{"schedule", "@daily", "schedule.overlap", "no"}, "neither allow nor skip"},
        {{"schedule", "@daily", "schedule.path", "x"}, "annotation schedule.path: "},
        {{"schedule", "@daily", "schedule.path", "/a b"}, "annotation schedule.path: "},
        {{"schedule", "@daily", "schedule.path", "/a\r\nX: y"}, "annotation schedule.path: "},
        {{"schedule", "@daily", "schedule.content-type", "a\r\nX: y"},
         "annotation schedule.content-type: "},
        {{"schedule", "@daily", "schedule.timezome", "UTC"},
         "annotation schedule.timezome: not known"},
    };

    (void)state;
    refuses_longer_than("schedule.path", '/', 4096);
    refuses_longer_than("schedule.content-type", 'x', 256);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_map_ struct faas_map m = {0};
        struct faas_error err = {0};

        print_message("%s\n", cases[i].said);
        set_all(&m, cases[i].pairs);
        assert_true(gw_schedule_given(&m));
        assert_null(gw_schedule_read(&m, &err));
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        if (!strstr(err.msg, cases[i].said))
            print_error("%s\n", err.msg);
        assert_non_null(strstr(err.msg, cases[i].said));
    }
}

static void the_call_says_what_it_is_for(void **state)
{
    static const char *const pairs[] = {"topic",         "cron-function", "schedule", "@daily",
                                        "schedule.path", "/a?b=c",        NULL};
    _cleanup_map_ struct faas_map m = {0};
    _cleanup_buf_ struct faas_buf head = {0};
    _cleanup_(gw_schedule_freep) struct gw_schedule *s = NULL;

    (void)state;
    set_all(&m, pairs);
    s = gw_schedule_read(&m, NULL);
    gw_schedule_request_head(&head, s, FAAS_STR("f.ns"), 1767225600000, 17);
    assert_string_equal(head.data, "POST /function/f.ns/a?b=c HTTP/1.1\r\n"
                                   "Host: localhost\r\n"
                                   "X-Topic: cron-function\r\n"
                                   "X-Connector: cron-connector\r\n"
                                   "X-Scheduled-For: 2026-01-01T00:00:00Z\r\n"
                                   "X-Start-Time: 17\r\n"
                                   "Content-Length: 0\r\n");
    gw_schedule_free(faas_steal_ptr(&s));
    faas_map_set(&m, "schedule.body", "{}");
    s = gw_schedule_read(&m, NULL);
    faas_buf_clear(&head);
    gw_schedule_request_head(&head, s, FAAS_STR("f.ns"), 0, 0);
    assert_non_null(strstr(head.data, "\r\nContent-Type: text/plain\r\n"));
    assert_non_null(strstr(head.data, "\r\nContent-Length: 2\r\n"));
    gw_schedule_free(faas_steal_ptr(&s));
    faas_map_set(&m, "schedule.content-type", "application/json");
    s = gw_schedule_read(&m, NULL);
    faas_buf_clear(&head);
    gw_schedule_request_head(&head, s, FAAS_STR("f.ns"), 0, 0);
    assert_non_null(strstr(head.data, "\r\nContent-Type: application/json\r\n"));
}

static void a_schedule_is_the_same_when_all_of_it_is(void **state)
{
    _cleanup_map_ struct faas_map a = {0};
    _cleanup_map_ struct faas_map b = {0};
    _cleanup_buf_ struct faas_buf one = {0};
    _cleanup_buf_ struct faas_buf two = {0};
    _cleanup_buf_ struct faas_buf three = {0};

    (void)state;
    faas_map_set(&a, "schedule", "@daily");
    faas_map_set(&a, "schedule.overlap", "skip");
    faas_map_set(&b, "schedule.overlap", "skip");
    faas_map_set(&b, "other", "thing");
    faas_map_set(&b, "schedule", "@daily");
    gw_schedule_text(&a, &one);
    gw_schedule_text(&b, &two);
    assert_string_equal(one.data, two.data);
    faas_map_set(&b, "schedule.body", "");
    gw_schedule_text(&b, &three);
    assert_string_not_equal(one.data, three.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_time_is_that_of_any_expression),
        cmocka_unit_test(what_cannot_be_read_names_its_annotation),
        cmocka_unit_test(the_call_says_what_it_is_for),
        cmocka_unit_test(a_schedule_is_the_same_when_all_of_it_is),
    };

    return cmocka_run_group_tests_name("async_schedule", tests, NULL, NULL);
}
