#include "gateway/async/ahead.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

enum { LEASE_MS = 60000 };

struct fixture {
    struct gw_queue_rules rules;
    struct gw_served_queues queues;
    struct gw_ahead ahead;
};

static struct gw_served_queue *queue(struct fixture *f, const char *name)
{
    return gw_served_get(&f->queues, faas_str_from(name));
}

static void set_up(struct fixture *f, size_t max)
{
    *f = (struct fixture){0};
    assert_int_equal(gw_queue_rules_parse(&f->rules, "urgent,two:2,*", NULL), 0);
    f->queues.rules = &f->rules;
    gw_served_begin(&f->queues);
    gw_served_add(&f->queues, FAAS_STR("urgent"));
    gw_served_add(&f->queues, FAAS_STR("two"));
    gw_served_add(&f->queues, FAAS_STR("other"));
    gw_served_end(&f->queues);
    gw_ahead_init(&f->ahead, max);
}

static void tear_down(struct fixture *f)
{
    gw_ahead_deinit(&f->ahead);
    gw_served_deinit(&f->queues);
    gw_queue_rules_deinit(&f->rules);
}

static void keep_one(struct fixture *f, const char *name, const char *entry, bool claimed,
                     int64_t since_ms)
{
    char text[4][32]; /* as short-lived as a reply */
    struct gw_entry e;

    snprintf(text[0], sizeof(text[0]), "%s", entry);
    snprintf(text[1], sizeof(text[1]), "id of %s", entry);
    snprintf(text[2], sizeof(text[2]), "f.ns");
    snprintf(text[3], sizeof(text[3]), "packet of %s", entry);
    e = (struct gw_entry){faas_str_from(text[0]), faas_str_from(text[1]), faas_str_from(text[2]),
                          faas_str_from(text[3])};
    gw_ahead_keep(&f->ahead, queue(f, name), &e, claimed, since_ms);
    memset(text, 'x', sizeof(text));
}

static void keep(struct fixture *f, const char *name, const char *entry, int64_t since_ms)
{
    keep_one(f, name, entry, false, since_ms);
}

/* What the worker does with one. */
static void expect(struct fixture *f, struct gw_kept *k, const char *entry)
{
    char packet[32];

    assert_non_null(k);
    snprintf(packet, sizeof(packet), "packet of %s", entry);
    assert_true(faas_str_eqz(k->entry.entry, entry));
    assert_true(faas_str_eqz(k->entry.packet, packet));
    assert_true(faas_str_eqz(k->entry.function, "f.ns"));
    gw_served_leave(&f->queues, k->queue);
    free(k);
}

/* --- what is kept --- */

static void entries_leave_rank_by_rank_in_the_order_in_which_they_came(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, 10);
    keep(&f, "other", "1", 0);
    keep(&f, "two", "2", 0);
    keep(&f, "other", "3", 0);
    keep(&f, "urgent", "4", 0);
    keep(&f, "urgent", "5", 0);
    keep(&f, "two", "6", 0);
    assert_true(gw_ahead_has(&f.ahead, FAAS_STR("3")));
    assert_false(gw_ahead_has(&f.ahead, FAAS_STR("7")));
    expect(&f, gw_ahead_take(&f.ahead), "4");
    expect(&f, gw_ahead_take(&f.ahead), "5");
    expect(&f, gw_ahead_take(&f.ahead), "2");
    expect(&f, gw_ahead_take(&f.ahead), "6");
    expect(&f, gw_ahead_take(&f.ahead), "1");
    assert_int_equal(f.ahead.n, 1);
    expect(&f, gw_ahead_take(&f.ahead), "3");
    assert_false(gw_ahead_has(&f.ahead, FAAS_STR("3")));
    assert_null(gw_ahead_take(&f.ahead));
    tear_down(&f);
}

static void an_entry_without_a_packet_is_kept_without_one(void **state)
{
    const struct gw_entry e = {FAAS_STR("1-0"), FAAS_STR("id"), FAAS_STR("f"), {0}};
    struct fixture f;
    struct gw_kept *k;

    (void)state;
    set_up(&f, 10);
    gw_ahead_keep(&f.ahead, queue(&f, "other"), &e, false, 0);
    k = gw_ahead_take(&f.ahead);
    assert_int_equal(k->entry.packet.len, 0);
    assert_true(faas_str_eqz(k->entry.id, "id"));
    free(k);
    tear_down(&f);
}

static void what_is_kept_counts_among_what_its_queue_may_have(void **state)
{
    struct gw_question q;
    struct fixture f;

    (void)state;
    set_up(&f, 10);
    keep(&f, "two", "1", 0);
    gw_served_ask(&f.queues, 1, 10, &q);
    assert_int_equal(q.count, 1);
    keep(&f, "two", "2", 0);
    gw_served_ask(&f.queues, 1, 10, &q);
    assert_int_equal(q.n, 0);
    tear_down(&f); /* with two of them */
}

static void only_what_was_kept_too_long_is_old(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, 10);
    keep(&f, "urgent", "1", 20);
    keep(&f, "other", "2", 10);
    keep(&f, "other", "3", 30);
    assert_null(gw_ahead_take_old(&f.ahead, 10, false));
    expect(&f, gw_ahead_take_old(&f.ahead, 21, false), "1");
    expect(&f, gw_ahead_take_old(&f.ahead, 21, false), "2");
    assert_null(gw_ahead_take_old(&f.ahead, 21, false));
    assert_int_equal(f.ahead.n, 1);
    tear_down(&f);
}

static void what_was_claimed_goes_first_within_its_rank_and_grows_old_later(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, 10);
    keep(&f, "two", "1", 0);
    keep(&f, "urgent", "2", 0);
    keep_one(&f, "two", "3", true, 0);
    keep_one(&f, "two", "4", true, 0);
    assert_int_equal(f.ahead.n_claimed, 2);
    expect(&f, gw_ahead_take(&f.ahead), "2");
    expect(&f, gw_ahead_take_old(&f.ahead, 1, false), "1");
    assert_null(gw_ahead_take_old(&f.ahead, 1, false));
    expect(&f, gw_ahead_take(&f.ahead), "3");
    expect(&f, gw_ahead_take_old(&f.ahead, 1, true), "4");
    assert_int_equal(f.ahead.n_claimed, 0);
    tear_down(&f);
}

/* --- how many --- */

static size_t wanted_after(struct fixture *f, int ended, int64_t took_ms, int64_t question_ms)
{
    for (int i = 0; i < ended; i++)
        gw_ahead_ended(&f->ahead, took_ms);
    gw_ahead_came(&f->ahead, 10, 10000, question_ms);
    return gw_ahead_room(&f->ahead);
}

static void twice_as_many_are_wanted_as_calls_ended_soon(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, 40);
    assert_int_equal(gw_ahead_room(&f.ahead), 0);
    assert_int_equal(wanted_after(&f, 7, 1, 1), 14);
    keep(&f, "other", "1", 0);
    assert_int_equal(gw_ahead_room(&f.ahead), 13);
    assert_int_equal(wanted_after(&f, 30, 1, 1), 39); /* no more than may be, with that one */
    assert_int_equal(wanted_after(&f, 0, 1, 1), 0);   /* none has ended: at once */
    tear_down(&f);
}

static void calls_that_take_long_do_not_count(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, 100);
    assert_int_equal(wanted_after(&f, 5, 9, 10), 0);   /* of a question of 1 ms, as at first */
    assert_int_equal(wanted_after(&f, 5, 80, 0), 10);  /* of one of 10 ms */
    assert_int_equal(wanted_after(&f, 5, 9, 5000), 0); /* none is shorter than 1 ms */
    assert_int_equal(wanted_after(&f, 5, 801, 10), 0); /* nor longer than 100 */
    assert_int_equal(wanted_after(&f, 5, 81, 10), 0);
    tear_down(&f);
}

static void nobody_hurries_when_a_queue_was_emptied(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, 100);
    assert_int_equal(wanted_after(&f, 7, 1, 1), 14);
    gw_ahead_ended(&f.ahead, 1);
    gw_ahead_rest(&f.ahead);
    assert_int_equal(gw_ahead_room(&f.ahead), 0);
    assert_int_equal(wanted_after(&f, 0, 1, 1), 0);
    tear_down(&f);
}

static void large_entries_are_kept_in_small_numbers(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, 1000);
    for (int i = 0; i < 500; i++)
        gw_ahead_ended(&f.ahead, 1);
    gw_ahead_came(&f.ahead, 8, 8 << 20, 1);
    assert_in_range(gw_ahead_room(&f.ahead), 3, 4);
    tear_down(&f);
}

static void with_a_limit_of_none_nothing_is_read_ahead(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, 0);
    assert_int_equal(wanted_after(&f, 50, 1, 1), 0);
    tear_down(&f);
}

static void patience_follows_redis_and_ends_long_before_the_lease(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, 10);
    assert_int_equal(gw_ahead_patience_ms(&f.ahead, LEASE_MS), 100);
    assert_int_equal(gw_ahead_patience_ms(&f.ahead, 150), 50);
    gw_ahead_came(&f.ahead, 1, 1, 50);
    assert_int_equal(gw_ahead_patience_ms(&f.ahead, LEASE_MS), 400);
    gw_ahead_came(&f.ahead, 1, 1, 5000);
    assert_int_equal(gw_ahead_patience_ms(&f.ahead, LEASE_MS), 800);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_leave_rank_by_rank_in_the_order_in_which_they_came),
        cmocka_unit_test(an_entry_without_a_packet_is_kept_without_one),
        cmocka_unit_test(what_is_kept_counts_among_what_its_queue_may_have),
        cmocka_unit_test(only_what_was_kept_too_long_is_old),
        cmocka_unit_test(what_was_claimed_goes_first_within_its_rank_and_grows_old_later),
        cmocka_unit_test(twice_as_many_are_wanted_as_calls_ended_soon),
        cmocka_unit_test(calls_that_take_long_do_not_count),
        cmocka_unit_test(nobody_hurries_when_a_queue_was_emptied),
        cmocka_unit_test(large_entries_are_kept_in_small_numbers),
        cmocka_unit_test(with_a_limit_of_none_nothing_is_read_ahead),
        cmocka_unit_test(patience_follows_redis_and_ends_long_before_the_lease),
    };
    return cmocka_run_group_tests_name("async_ahead", tests, NULL, NULL);
}
