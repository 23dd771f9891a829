#include "gateway/async/served_queues.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

/* --- the setting --- */

static void rules_are_found_by_name_and_else_by_the_star(void **state)
{
    struct gw_queue_rules r = {0};

    (void)state;
    assert_int_equal(gw_queue_rules_parse(&r, "urgent:20, reports:1,*:10000 ", NULL), 0);
    assert_int_equal(r.n, 3);
    assert_int_equal(gw_queue_rules_find(&r, FAAS_STR("urgent")), 0);
    assert_int_equal(r.items[0].max, 20);
    assert_int_equal(gw_queue_rules_find(&r, FAAS_STR("reports")), 1);
    assert_int_equal(gw_queue_rules_find(&r, FAAS_STR("urgen")), 2);
    assert_int_equal(r.items[2].max, 10000);
    gw_queue_rules_deinit(&r);
    assert_int_equal(gw_queue_rules_parse(&r, "a", NULL), 0);
    assert_int_equal(r.items[0].max, 0);
    assert_int_equal(gw_queue_rules_find(&r, FAAS_STR("b")), -1);
    gw_queue_rules_deinit(&r);
}

static void rules_that_cannot_be_read_are_refused_by_name(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "\"\": a queue is named"},
        {"a,,b", "\"\": a queue is named"},
        {"a,", "\"\": a queue is named"},
        {"Urgent", "\"Urgent\": a queue is named"},
        {"a b", "\"a b\": a queue is named"},
        {"*x", "\"*x\": a queue is named"},
        {"a:0", "\"a:0\": behind the colon"},
        {"a:", "\"a:\": behind the colon"},
        {"a:x", "\"a:x\": behind the colon"},
        {"a:1:2", "\"a:1:2\": behind the colon"},
        {"a:10001", "\"a:10001\": behind the colon"},
        {"a:1,b,a:2", "\"a\" stands there twice"},
        {"*,a,*", "\"*\" stands there twice"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct gw_queue_rules r = {0};
        struct faas_error err = {0};

        assert_int_equal(gw_queue_rules_parse(&r, cases[i].text, &err), -1);
        assert_non_null(strstr(err.msg, cases[i].why));
        assert_non_null(strstr(err.msg, "async_queues"));
        assert_int_equal(r.n, 0);
    }
}

static void a_queues_name_is_as_long_as_it_may_be(void **state)
{
    char name[GW_MAX_QUEUE_NAME + 2];

    (void)state;
    memset(name, 'a', sizeof(name));
    assert_true(gw_is_queue_name((struct faas_str){name, GW_MAX_QUEUE_NAME}));
    assert_false(gw_is_queue_name((struct faas_str){name, GW_MAX_QUEUE_NAME + 1}));
    assert_false(gw_is_queue_name(FAAS_STR("")));
}

/* --- whom to ask --- */

struct fixture {
    struct gw_queue_rules rules;
    struct gw_served_queues queues;
};

static void set_up(struct fixture *f, const char *rules, const char *const *names)
{
    *f = (struct fixture){0};
    assert_int_equal(gw_queue_rules_parse(&f->rules, rules, NULL), 0);
    f->queues.rules = &f->rules;
    gw_served_begin(&f->queues);
    for (; *names; names++)
        gw_served_add(&f->queues, faas_str_from(*names));
    gw_served_end(&f->queues);
}

static void tear_down(struct fixture *f)
{
    gw_served_deinit(&f->queues);
    gw_queue_rules_deinit(&f->rules);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void each_queue_gets_its_share_of_the_room(void **state)
{
    struct gw_question q;
    struct fixture f;

    (void)state;
    set_up(&f, "*", NAMES("a", "b", "c"));
    gw_served_ask(&f.queues, 0, 50, &q);
    assert_int_equal(q.n, 3);
    assert_int_equal(q.count, 16);
    assert_false(q.has_more);
    gw_served_ask(&f.queues, 0, 0, &q);
    assert_int_equal(q.n, 0);
    tear_down(&f);
}

/* What made a worker stop reading once: more queues than places. */
static void with_more_queues_than_room_each_has_its_turn(void **state)
{
    enum { QUEUES = 150, ROOM = 50 };
    bool asked[QUEUES] = {0};
    struct gw_question q;
    struct fixture f;

    (void)state;
    set_up(&f, "*", NAMES("q0"));
    for (int i = 1; i < QUEUES; i++) {
        char name[16];

        snprintf(name, sizeof(name), "q%d", i);
        gw_served_add(&f.queues, faas_str_from(name));
    }
    for (int turn = 0; turn < QUEUES / ROOM; turn++) {
        gw_served_ask(&f.queues, 0, ROOM, &q);
        assert_int_equal(q.n, ROOM);
        assert_int_equal(q.count, 1);
        assert_true(q.has_more);
        for (size_t i = 0; i < q.n; i++)
            asked[atoi(q.queues[i]->name + 1)] = true;
    }
    for (int i = 0; i < QUEUES; i++)
        assert_true(asked[i]);
    gw_served_ask(&f.queues, 0, 1000, &q);
    assert_int_equal(q.n, GW_MAX_ASKED);
    tear_down(&f);
}

static void a_rank_is_asked_by_itself(void **state)
{
    struct gw_question q;
    struct fixture f;

    (void)state;
    set_up(&f, "urgent,*", NAMES("a", "urgent", "b"));
    gw_served_ask(&f.queues, 0, 10, &q);
    assert_int_equal(q.n, 1);
    assert_string_equal(q.queues[0]->name, "urgent");
    assert_int_equal(q.count, 10);
    gw_served_ask(&f.queues, 1, 10, &q);
    assert_int_equal(q.n, 2);
    gw_served_ask(&f.queues, GW_ANY_RANK, 10, &q);
    assert_int_equal(q.n, 3);
    tear_down(&f);
}

static void a_queue_with_as_many_calls_as_it_may_have_is_left_out(void **state)
{
    struct gw_served_queue *a;
    struct gw_question q;
    struct fixture f;

    (void)state;
    set_up(&f, "a:2,*", NAMES("a", "b"));
    a = gw_served_get(&f.queues, FAAS_STR("a"));
    gw_served_ask(&f.queues, 0, 10, &q);
    assert_int_equal(q.count, 2);
    a->running = 1;
    gw_served_ask(&f.queues, 0, 10, &q);
    assert_int_equal(q.count, 1);
    a->running = 2;
    gw_served_ask(&f.queues, GW_ANY_RANK, 10, &q);
    assert_int_equal(q.n, 1);
    assert_string_equal(q.queues[0]->name, "b");
    assert_true(q.full);
    gw_served_leave(&f.queues, a);
    gw_served_ask(&f.queues, GW_ANY_RANK, 10, &q);
    assert_int_equal(q.n, 2);
    assert_false(q.full);
    tear_down(&f);
}

static void what_is_not_listed_any_more_goes_with_its_last_call(void **state)
{
    struct gw_served_queue *a;
    struct gw_question q;
    struct fixture f;

    (void)state;
    set_up(&f, "a,b", NAMES("a", "b", "other"));
    assert_int_equal(f.queues.n, 2);
    a = gw_served_get(&f.queues, FAAS_STR("a"));
    a->running = a->held = 1;
    gw_served_begin(&f.queues);
    gw_served_end(&f.queues);
    assert_int_equal(f.queues.n, 1);
    gw_served_ask(&f.queues, GW_ANY_RANK, 10, &q);
    assert_int_equal(q.n, 0);
    gw_served_leave(&f.queues, a);
    assert_int_equal(f.queues.n, 1); /* its outcome is still to be recorded */
    gw_served_let_go(&f.queues, a);
    assert_int_equal(f.queues.n, 0);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_found_by_name_and_else_by_the_star),
        cmocka_unit_test(rules_that_cannot_be_read_are_refused_by_name),
        cmocka_unit_test(a_queues_name_is_as_long_as_it_may_be),
        cmocka_unit_test(each_queue_gets_its_share_of_the_room),
        cmocka_unit_test(with_more_queues_than_room_each_has_its_turn),
        cmocka_unit_test(a_rank_is_asked_by_itself),
        cmocka_unit_test(a_queue_with_as_many_calls_as_it_may_have_is_left_out),
        cmocka_unit_test(what_is_not_listed_any_more_goes_with_its_last_call),
    };
    return cmocka_run_group_tests_name("async_queues", tests, NULL, NULL);
}
