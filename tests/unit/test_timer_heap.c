#include "libfaas/timer_heap.h"
#include "tests/unit/unit.h"

enum { MANY = 500 };

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void check_places(const struct faas_timer_heap *h)
{
    for (size_t i = 0; i < h->len; i++) {
        assert_int_equal(h->items[i]->heap_at, i + 1);
        assert_true(i == 0 || h->items[(i - 1) / 2]->due_ms <= h->items[i]->due_ms);
    }
}

static void random_sets_moves_and_removals_keep_the_order(void **state)
{
    struct faas_timer timers[MANY] = {0};
    struct faas_timer_heap heap = {0};
    uint32_t seed = 7;
    size_t running = 0;
    int64_t last = -1;

    (void)state;
    for (size_t step = 0; step < 20 * MANY; step++) {
        struct faas_timer *t = &timers[next_random(&seed) % MANY];

        if (next_random(&seed) % 4)
            faas_timer_heap_set(&heap, t, next_random(&seed) % 1000);
        else
            faas_timer_heap_remove(&heap, t);
        if (step % 100 == 0)
            check_places(&heap);
    }
    for (size_t i = 0; i < MANY; i++)
        running += faas_timer_running(&timers[i]);
    assert_int_equal(running, heap.len);

    while (faas_timer_heap_first(&heap)) {
        struct faas_timer *t = faas_timer_heap_first(&heap);

        assert_true(t->due_ms >= last);
        last = t->due_ms;
        faas_timer_heap_remove(&heap, t);
        assert_false(faas_timer_running(t));
        running--;
    }
    assert_int_equal(running, 0);
    faas_timer_heap_deinit(&heap);
}

static void equal_times_keep_the_order_of_starting(void **state)
{
    struct faas_timer timers[MANY] = {0};
    struct faas_timer_heap heap = {0};

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        faas_timer_heap_set(&heap, &timers[i], 42);
    faas_timer_heap_set(&heap, &timers[0], 42); /* started again: now the youngest */
    for (size_t i = 0; i < MANY; i++) {
        assert_ptr_equal(faas_timer_heap_first(&heap), &timers[(i + 1) % MANY]);
        faas_timer_heap_remove(&heap, &timers[(i + 1) % MANY]);
    }
    faas_timer_heap_deinit(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_sets_moves_and_removals_keep_the_order),
        cmocka_unit_test(equal_times_keep_the_order_of_starting),
    };
    return cmocka_run_group_tests_name("timer heap", tests, NULL, NULL);
}
