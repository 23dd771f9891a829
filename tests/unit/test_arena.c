#include "libfaas/arena.h"
#include "tests/unit/unit.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

static void allocations_are_aligned_and_do_not_overlap(void **state)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 100, 4000, 5000, 40000, 200000, 3};
    unsigned char *p[FAAS_ARRAY_LEN(sizes)];
    struct faas_arena a = {0};

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < FAAS_ARRAY_LEN(sizes); i++) {
            p[i] = faas_arena_alloc(&a, sizes[i]);
            assert_int_equal((uintptr_t)p[i] % 16, 0);
            memset(p[i], (int)i + 1, sizes[i]);
        }
        for (size_t i = 0; i < FAAS_ARRAY_LEN(sizes); i++) {
            for (size_t k = 0; k < sizes[i]; k++)
                assert_int_equal(p[i][k], i + 1);
        }
        faas_arena_reset(&a);
    }
    faas_arena_deinit(&a);
    assert_null(a.blocks);
}

static void reset_hands_out_the_same_memory_again(void **state)
{
    struct faas_arena a = {0};
    char *first = faas_arena_alloc(&a, 100);

    (void)state;
    faas_arena_reset(&a);
    assert_ptr_equal(faas_arena_alloc(&a, 100), first);
    faas_arena_deinit(&a);
}

static void after_a_larger_request_the_larger_block_is_kept(void **state)
{
    struct faas_arena a = {0};
    char *first;

    (void)state;
    for (int i = 0; i < 300; i++) /* some 30 KB in several blocks */
        first = faas_arena_alloc(&a, 100);
    faas_arena_reset(&a);
    first = faas_arena_alloc(&a, 6000); /* more than the first block ever had */
    faas_arena_reset(&a);
    assert_ptr_equal(faas_arena_alloc(&a, 6000), first);
    faas_arena_deinit(&a);
}

static void a_giant_is_not_kept(void **state)
{
    struct faas_arena a = {0};

    (void)state;
    memset(faas_arena_alloc(&a, 1 << 20), 1, 1 << 20);
    faas_arena_reset(&a);
    assert_null(a.blocks);
    faas_arena_deinit(&a);
}

static void a_giant_leaves_the_current_block_in_use(void **state)
{
    struct faas_arena a = {0};
    char *before = faas_arena_alloc(&a, 32), *after;

    (void)state;
    memset(faas_arena_alloc(&a, 1 << 20), 1, 1 << 20);
    after = faas_arena_alloc(&a, 32);
    assert_true(after > before && after - before < 4096);
    faas_arena_deinit(&a);
}

static void strings_are_copied_and_terminated(void **state)
{
    struct faas_arena a = {0};
    struct faas_str s;
    char big[1000], *out;

    (void)state;
    assert_string_equal(faas_arena_strndup(&a, "hello", 3), "hel");
    s = faas_arena_str(&a, (struct faas_str){0});
    assert_non_null(s.ptr);
    assert_int_equal(s.len, 0);
    s = faas_arena_str(&a, FAAS_STR("name"));
    assert_string_equal(s.ptr, "name");
    memset(big, 'y', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    assert_string_equal(faas_arena_printf(&a, "%s-%d", "fn", 7), "fn-7");
    out = faas_arena_printf(&a, "%s", big);
    assert_string_equal(out, big);
    for (size_t n = 254; n < 259; n++) { /* around the size of the stack buffer */
        out = faas_arena_printf(&a, "%.*s", (int)n, big);
        assert_int_equal(strlen(out), n);
    }
    out = faas_arena_zalloc(&a, 64);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(out[i], 0);
    faas_arena_deinit(&a);
}

static char trace[8];

static void note(void *arg)
{
    strcat(trace, arg);
}

static void defers_run_last_first_and_once(void **state)
{
    struct faas_arena a = {0};

    (void)state;
    trace[0] = '\0';
    faas_arena_defer(&a, note, "1");
    faas_arena_defer(&a, note, "2");
    faas_arena_reset(&a);
    assert_string_equal(trace, "21");
    faas_arena_reset(&a);
    assert_string_equal(trace, "21");
    faas_arena_defer(&a, note, "3");
    faas_arena_deinit(&a);
    assert_string_equal(trace, "213");
    faas_arena_deinit(&a);
    faas_arena_reset(&a);
}

#if defined(__SANITIZE_ADDRESS__)
static void what_was_not_handed_out_is_poisoned(void **state)
{
    struct faas_arena a = {0};
    char *p = faas_arena_alloc(&a, 21), *q = faas_arena_alloc(&a, 16);

    (void)state;
    assert_false(__asan_address_is_poisoned(p + 20));
    assert_true(__asan_address_is_poisoned(p + 21));
    assert_true(q > p && __asan_address_is_poisoned(q - 1));
    assert_false(__asan_address_is_poisoned(q + 15));
    assert_true(__asan_address_is_poisoned(q + 16));
    faas_arena_reset(&a);
    assert_true(__asan_address_is_poisoned(p) && __asan_address_is_poisoned(q));
    faas_arena_deinit(&a);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_do_not_overlap),
        cmocka_unit_test(reset_hands_out_the_same_memory_again),
        cmocka_unit_test(after_a_larger_request_the_larger_block_is_kept),
        cmocka_unit_test(a_giant_is_not_kept),
        cmocka_unit_test(a_giant_leaves_the_current_block_in_use),
        cmocka_unit_test(strings_are_copied_and_terminated),
        cmocka_unit_test(defers_run_last_first_and_once),
#if defined(__SANITIZE_ADDRESS__)
        cmocka_unit_test(what_was_not_handed_out_is_poisoned),
#endif
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
