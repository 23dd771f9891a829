#include "gateway/async/scheduler.h"
#include "libfaas/alloc.h"
#include "tests/unit/unit.h"

#define CATCH_UP_MS 60000

/* Whoever is told that functions are due, and a clock that is moved by hand. */
struct fixture {
    struct faas_fake_clock clock;
    struct faas_loop *loop;
    struct faas_log_sink sink;
    struct faas_buf logged;
    struct gw_scheduler *scheduler;
    struct faas_snapshot *table;
    struct gw_planned *due; /* the last one, until it is done */
    unsigned n_due;
    uint64_t counted[GW_PLANNED_FAILED];
    struct faas_timer turn;
    bool turned;
};

static void on_due(void *arg, struct gw_planned *p)
{
    struct fixture *f = arg;

    f->due = p;
    f->n_due++;
}

static void on_count(void *arg, const char *function, enum gw_planned_outcome outcome, uint64_t n)
{
    assert_string_equal(function, "f.ns");
    ((struct fixture *)arg)->counted[outcome] += n;
}

static void on_line(void *self, struct faas_str line)
{
    faas_buf_append_str(self, line);
}

static void on_turn(void *arg)
{
    ((struct fixture *)arg)->turned = true;
}

static bool has_turned(void *arg)
{
    return ((struct fixture *)arg)->turned;
}

/* Everything that is due by now happens. */
static void turn(struct fixture *f)
{
    f->turned = false;
    faas_timer_start(f->loop, &f->turn, 0, on_turn, f);
    assert_true(faas_loop_run_until(f->loop, has_turned, f, 10000));
}

static void advance(struct fixture *f, int64_t ms)
{
    faas_fake_clock_advance_ms(&f->clock, ms);
    turn(f);
}

static int64_t at(const char *text)
{
    int64_t ns;

    assert_int_equal(faas_parse_time(text, &ns), 0);
    return ns / 1000000;
}

static int64_t now(const struct fixture *f)
{
    return f->clock.real_ns / 1000000;
}

/* One function, or none for NULL. */
static void install(struct fixture *f, const char *schedule)
{
    struct faas_snapshot *table = faas_snapshot_new();

    if (schedule)
        faas_map_set(&faas_snapshot_add(table, "f", "ns")->annotations, "schedule", schedule);
    faas_snapshot_add(table, "other", "ns");
    gw_scheduler_install(f->scheduler, table);
    faas_snapshot_unref(f->table);
    f->table = table;
    turn(f);
}

static void finish(struct fixture *f, enum gw_planned_outcome outcome)
{
    struct faas_error why = {.code = FAAS_ERR_UNAVAILABLE, .msg = "away"};
    struct gw_planned *p = f->due;

    assert_non_null(p);
    f->due = NULL;
    gw_scheduler_done(p, outcome, &why);
    turn(f);
}

static void assert_due(struct fixture *f, const char *planned)
{
    assert_non_null(f->due);
    assert_int_equal(f->due->at_ms, at(planned));
}

static int set_up(void **state)
{
    static struct fixture f;
    struct gw_scheduler_opts opts = {
        .log = {.sink = &f.sink, .clock = &f.clock.clock, .component = "t"},
        .catch_up_ms = CATCH_UP_MS,
        .due = on_due,
        .count = on_count,
        .arg = &f,
    };

    f = (struct fixture){.sink = {.write = on_line, .self = &f.logged}};
    faas_fake_clock_init(&f.clock, at("2026-01-01T12:00:30Z") * 1000000);
    f.loop = faas_loop_new(&f.clock.clock, NULL);
    f.scheduler = gw_scheduler_new(f.loop, &opts);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    gw_scheduler_stop(f->scheduler);
    if (f->due)
        gw_scheduler_done(f->due, GW_PLANNED_QUEUED, NULL);
    gw_scheduler_free(f->scheduler);
    faas_snapshot_unref(f->table);
    faas_loop_free(f->loop);
    faas_buf_deinit(&f->logged);
    return 0;
}

static void each_planned_time_is_due_once(void **state)
{
    struct fixture *f = *state;

    install(f, NULL);
    install(f, "* * * * *");
    assert_int_equal(f->n_due, 0);
    advance(f, 29999);
    assert_int_equal(f->n_due, 0);
    advance(f, 1);
    assert_due(f, "2026-01-01T12:01:00Z");
    advance(f, 1000); /* while it is asked for, it is not again */
    assert_int_equal(f->n_due, 1);
    finish(f, GW_PLANNED_QUEUED);
    advance(f, 58999);
    assert_int_equal(f->n_due, 1);
    advance(f, 1);
    assert_due(f, "2026-01-01T12:02:00Z");
    finish(f, GW_PLANNED_ELSEWHERE);
    advance(f, 60000);
    finish(f, GW_PLANNED_SKIPPED);
    assert_int_equal(f->n_due, 3);
    for (size_t i = 0; i < GW_PLANNED_MISSED; i++)
        assert_int_equal(f->counted[i], 1);
    assert_int_equal(f->counted[GW_PLANNED_MISSED], 0);
}

static void what_fails_is_tried_until_the_next_time_is_due(void **state)
{
    struct fixture *f = *state;

    install(f, NULL);
    install(f, "0 * * * *");
    advance(f, at("2026-01-01T13:00:00Z") - now(f));
    for (unsigned i = 1; i < 10; i++) {
        assert_int_equal(f->n_due, i);
        finish(f, GW_PLANNED_FAILED);
        advance(f, 249);
        assert_int_equal(f->n_due, i);
        advance(f, 1);
    }
    assert_due(f, "2026-01-01T13:00:00Z");
    finish(f, GW_PLANNED_FAILED);
    advance(f, at("2026-01-01T13:59:00Z") - now(f)); /* late, and still worth it */
    assert_due(f, "2026-01-01T13:00:00Z");
    finish(f, GW_PLANNED_FAILED);
    advance(f, at("2026-01-01T14:00:00Z") - now(f));
    assert_due(f, "2026-01-01T14:00:00Z");
    assert_int_equal(f->counted[GW_PLANNED_MISSED], 1);
    finish(f, GW_PLANNED_QUEUED);
    assert_int_equal(f->counted[GW_PLANNED_QUEUED], 1);
    assert_non_null(strstr(f->logged.data, "\"missed\":1"));
}

static void short_intervals_are_made_up_for_as_long_as_the_setting_says(void **state)
{
    struct fixture *f = *state;

    install(f, NULL);
    install(f, "* * * * * *");
    advance(f, 1000);
    assert_due(f, "2026-01-01T12:00:31Z");
    finish(f, GW_PLANNED_FAILED);
    advance(f, 30000);
    for (int i = 0; i < 31; i++) /* in their order, without a pause */
        finish(f, GW_PLANNED_QUEUED);
    assert_null(f->due);
    assert_int_equal(f->n_due, 32);
    advance(f, 1000);
    finish(f, GW_PLANNED_FAILED);
    advance(f, 90000);
    assert_due(f, "2026-01-01T12:01:32Z"); /* a minute ago */
    assert_int_equal(f->counted[GW_PLANNED_MISSED], 30);
    finish(f, GW_PLANNED_QUEUED);
}

static void a_change_of_the_table_takes_effect_at_once(void **state)
{
    struct fixture *f = *state;

    install(f, NULL);
    install(f, "0 * * * *");
    advance(f, 30000);
    install(f, "0 * * * *"); /* something else has changed */
    install(f, "30 * * * *");
    advance(f, at("2026-01-01T12:30:00Z") - now(f));
    assert_due(f, "2026-01-01T12:30:00Z");
    install(f, "31 * * * *"); /* while it is asked for */
    finish(f, GW_PLANNED_QUEUED);
    advance(f, at("2026-01-01T12:31:00Z") - now(f));
    assert_due(f, "2026-01-01T12:31:00Z");
    install(f, NULL);
    finish(f, GW_PLANNED_FAILED);
    advance(f, 24 * 3600000);
    assert_int_equal(f->n_due, 2);
    install(f, "0 0 * * *");
    advance(f, 24 * 3600000);
    assert_int_equal(f->n_due, 3);
    gw_scheduler_stop(f->scheduler);
    finish(f, GW_PLANNED_QUEUED);
    advance(f, 24 * 3600000);
    assert_int_equal(f->n_due, 3);
}

static void what_was_due_before_the_start_is_made_up_for_functions_that_were_there(void **state)
{
    struct fixture *f = *state;

    install(f, "* * * * *"); /* the first table */
    assert_due(f, "2026-01-01T12:00:00Z");
    finish(f, GW_PLANNED_QUEUED);
    assert_null(f->due);
    install(f, NULL);
    install(f, "* * * * *"); /* a new deployment */
    assert_null(f->due);
}

static void a_clock_set_forward_passes_over_what_lies_between(void **state)
{
    struct fixture *f = *state;

    install(f, NULL);
    install(f, "* * * * * *");
    f->clock.real_ns += 365 * INT64_C(86400) * 1000000000;
    advance(f, 5000);
    assert_due(f, "2027-01-01T11:59:36Z"); /* a minute back, and a second in between */
    assert_true(f->counted[GW_PLANNED_MISSED] > 0);
    finish(f, GW_PLANNED_QUEUED);
}

static void a_clock_set_back_a_little_does_nothing_twice(void **state)
{
    struct fixture *f = *state;

    install(f, NULL);
    install(f, "* * * * *");
    advance(f, 30000);
    finish(f, GW_PLANNED_QUEUED);
    f->clock.real_ns -= INT64_C(1800) * 1000000000;
    advance(f, 1800000);
    assert_int_equal(f->n_due, 1);
    advance(f, 60000);
    assert_due(f, "2026-01-01T12:02:00Z");
    finish(f, GW_PLANNED_QUEUED);
}

static void a_clock_that_was_wrong_by_far_holds_nothing_up(void **state)
{
    struct fixture *f = *state;

    f->clock.real_ns += 3650 * INT64_C(86400) * 1000000000;
    install(f, NULL);
    install(f, "0 * * * *");
    f->clock.real_ns -= 3650 * INT64_C(86400) * 1000000000;
    advance(f, 5000);
    advance(f, at("2026-01-01T13:00:00Z") - now(f));
    assert_due(f, "2026-01-01T13:00:00Z");
    finish(f, GW_PLANNED_QUEUED);
}

static void what_cannot_be_read_is_said_once_and_harms_nobody(void **state)
{
    struct fixture *f = *state;

    install(f, "at noon");
    assert_non_null(strstr(f->logged.data, "a schedule cannot be read"));
    f->logged.len = 0;
    install(f, "at noon");
    advance(f, 24 * 3600000);
    assert_int_equal(f->logged.len, 0);
    assert_int_equal(f->n_due, 0);
    install(f, "* * * * *");
    advance(f, 60000);
    assert_int_equal(f->n_due, 1);
    finish(f, GW_PLANNED_QUEUED);
}

static void without_anybody_to_queue_calls_it_is_said_once(void **state)
{
    struct fixture *f = *state;
    struct gw_scheduler_opts opts = {.log = {.sink = &f->sink, .clock = &f->clock.clock}};

    gw_scheduler_free(f->scheduler);
    f->scheduler = gw_scheduler_new(f->loop, &opts);
    install(f, "* * * * *");
    assert_non_null(strstr(f->logged.data, "redis_url"));
    f->logged.len = 0;
    install(f, "* * * * *");
    advance(f, 24 * 3600000);
    assert_int_equal(f->logged.len, 0);
}

static void a_time_is_remembered_until_the_next_and_the_slack_of_clocks(void **state)
{
    struct fixture *f = *state;

    install(f, NULL);
    install(f, "0 * * * *");
    advance(f, 3600000);
    assert_int_equal(gw_planned_remember_ms(f->due), 3600000 + GW_CLOCK_SLACK_MS);
    finish(f, GW_PLANNED_QUEUED);
    install(f, "* * * * * *");
    advance(f, 1000);
    assert_int_equal(gw_planned_remember_ms(f->due), CATCH_UP_MS + GW_CLOCK_SLACK_MS);
    finish(f, GW_PLANNED_QUEUED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_planned_time_is_due_once),
        TEST(what_fails_is_tried_until_the_next_time_is_due),
        TEST(short_intervals_are_made_up_for_as_long_as_the_setting_says),
        TEST(a_change_of_the_table_takes_effect_at_once),
        TEST(what_was_due_before_the_start_is_made_up_for_functions_that_were_there),
        TEST(a_clock_set_forward_passes_over_what_lies_between),
        TEST(a_clock_set_back_a_little_does_nothing_twice),
        TEST(a_clock_that_was_wrong_by_far_holds_nothing_up),
        TEST(what_cannot_be_read_is_said_once_and_harms_nobody),
        TEST(without_anybody_to_queue_calls_it_is_said_once),
        TEST(a_time_is_remembered_until_the_next_and_the_slack_of_clocks),
    };
    return cmocka_run_group_tests_name("async_scheduler", tests, NULL, NULL);
}
