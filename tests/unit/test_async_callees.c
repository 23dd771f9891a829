#include "gateway/async/callees.h"
#include "tests/unit/unit.h"

static void a_host_has_half_of_all_and_the_rest_wait_in_order(void **state)
{
    struct gw_callees c;
    struct gw_callee *one, *other;
    struct faas_list nodes[5];

    (void)state;
    gw_callees_init(&c, 5);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(nodes); i++)
        faas_list_init(&nodes[i]);
    one = gw_callees_find(&c, FAAS_STR("http://one.example:8080/a"));
    assert_ptr_equal(one, gw_callees_find(&c, FAAS_STR("https://ONE.example/b")));
    other = gw_callees_find(&c, FAAS_STR("http://other.example"));
    assert_ptr_not_equal(one, other);

    assert_true(gw_callees_enter(&c, one, &nodes[0]));
    assert_true(gw_callees_enter(&c, one, &nodes[1]));
    for (size_t i = 2; i < 5; i++)
        assert_false(gw_callees_enter(&c, one, &nodes[i]));
    assert_true(gw_callees_enter(&c, other, &nodes[0]));
    faas_list_remove(&nodes[2]); /* it is given up */
    assert_ptr_equal(gw_callees_leave(&c, one), &nodes[3]);
    assert_ptr_equal(gw_callees_leave(&c, one), &nodes[4]);
    assert_null(gw_callees_leave(&c, one));
    assert_null(gw_callees_leave(&c, one));
    assert_int_equal(one->under_way, 0);
    assert_true(gw_callees_enter(&c, one, &nodes[0]));
}

static void there_is_always_place_for_one(void **state)
{
    struct gw_callees c;
    struct faas_list node;

    (void)state;
    gw_callees_init(&c, 1);
    assert_true(gw_callees_enter(&c, gw_callees_find(&c, FAAS_STR("no URL")), &node));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_has_half_of_all_and_the_rest_wait_in_order),
        cmocka_unit_test(there_is_always_place_for_one),
    };
    return cmocka_run_group_tests_name("async_callees", tests, NULL, NULL);
}
