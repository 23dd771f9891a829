#include "tests/unit/unit.h"
#include "watchdog/limiter.h"

static void the_limit_is_exact_and_slots_come_back(void **state)
{
    struct wd_limiter l = {.max = 2};

    (void)state;
    assert_true(wd_limiter_enter(&l));
    assert_true(wd_limiter_enter(&l));
    assert_false(wd_limiter_enter(&l));
    wd_limiter_leave(&l);
    assert_true(wd_limiter_enter(&l));
    assert_false(wd_limiter_enter(&l));
}

static void zero_is_no_limit(void **state)
{
    struct wd_limiter l = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_true(wd_limiter_enter(&l));
    assert_int_equal(l.now, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_is_exact_and_slots_come_back),
        cmocka_unit_test(zero_is_no_limit),
    };
    return cmocka_run_group_tests_name("wd_limiter", tests, NULL, NULL);
}
