#include "libfaas/map.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static void setting_replaces_and_keeps_the_order(void **state)
{
    static const char *const order[] = {"b", "a", "c"};
    _cleanup_map_ struct faas_map m = {0};
    size_t n = 0;

    (void)state;
    faas_map_set(&m, "b", "1");
    faas_map_set(&m, "a", "2");
    faas_map_set_str(&m, FAAS_STR("c"), (struct faas_str){.ptr = "345", .len = 2});
    faas_map_set(&m, "b", "new");
    faas_map_for_each (&m, e) {
        assert_string_equal(e->key, order[n]);
        n++;
    }
    assert_int_equal(n, 3);
    assert_string_equal(faas_map_get(&m, "b"), "new");
    assert_string_equal(faas_map_get(&m, "c"), "34");
    assert_null(faas_map_get(&m, "B"));
    faas_map_set(&m, "a", faas_map_get(&m, "a") + 1); /* its own old value */
    assert_string_equal(faas_map_get(&m, "a"), "");
}

static void removing_closes_the_gap(void **state)
{
    _cleanup_map_ struct faas_map m = {0};

    (void)state;
    assert_false(faas_map_remove(&m, "x"));
    for (int i = 0; i < 20; i++) {
        char key[8];

        snprintf(key, sizeof(key), "k%02d", 19 - i);
        faas_map_set(&m, key, key);
    }
    assert_true(faas_map_remove(&m, "k19"));
    assert_true(faas_map_remove(&m, "k05"));
    assert_true(faas_map_remove(&m, "k00"));
    assert_false(faas_map_remove(&m, "k05"));
    assert_int_equal(m.len, 17);
    faas_map_sort(&m);
    for (size_t i = 1; i < m.len; i++)
        assert_true(strcmp(m.items[i - 1].key, m.items[i].key) < 0);
    faas_map_for_each (&m, e)
        assert_string_equal(e->key, e->value);
}

static void merging_copying_and_comparing(void **state)
{
    _cleanup_map_ struct faas_map a = {0}, b = {0}, c = {0}, empty = {0};

    (void)state;
    faas_map_set(&a, "x", "1");
    faas_map_set(&a, "y", "2");
    faas_map_set(&b, "y", "3");
    faas_map_set(&b, "z", "4");
    faas_map_copy(&c, &a);
    assert_true(faas_map_eq(&c, &a));
    faas_map_merge(&c, &b);
    assert_int_equal(c.len, 3);
    assert_string_equal(faas_map_get(&c, "y"), "3");
    assert_false(faas_map_eq(&a, &b));
    assert_false(faas_map_eq(&a, &c));
    assert_true(faas_map_eq(&empty, &empty));
    faas_map_copy(&c, &c);
    assert_int_equal(c.len, 3);
    faas_map_deinit(&a);
    faas_map_set(&a, "z", "4");
    faas_map_set(&a, "y", "3");
    assert_true(faas_map_eq(&a, &b)); /* in another order */
    faas_map_set(&a, "z", "5");
    assert_false(faas_map_eq(&a, &b));
    faas_map_copy(&a, &empty);
    assert_int_equal(a.len, 0);
}

static void a_list_ends_with_null_and_serves_as_argv(void **state)
{
    _cleanup_strv_ struct faas_strv v = {0}, w = {0};
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 40; i++) {
        faas_strv_addf(&v, "%02d", 39 - i);
        assert_null(v.items[v.len]);
    }
    faas_strv_add(&v, "x");
    faas_strv_add_str(&v, (struct faas_str){.ptr = "yz", .len = 1});
    faas_strv_take(&v, faas_str_dup(FAAS_STR("taken")));
    assert_true(faas_strv_has(&v, "y"));
    assert_false(faas_strv_has(&v, "yz"));
    faas_strv_copy(&w, &v);
    assert_true(faas_strv_eq(&v, &w));
    faas_strv_sort(&w);
    assert_false(faas_strv_eq(&v, &w));
    assert_string_equal(w.items[0], "00");
    faas_strv_for_each(&w, s)
    {
        assert_ptr_equal(*s, w.items[n]);
        n++;
    }
    assert_int_equal(n, 43);
    faas_strv_copy(&w, &w);
    assert_int_equal(w.len, 43);
    faas_strv_deinit(&w);
    assert_false(faas_strv_eq(&v, &w));
    faas_strv_for_each(&w, none) fail();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_replaces_and_keeps_the_order),
        cmocka_unit_test(removing_closes_the_gap),
        cmocka_unit_test(merging_copying_and_comparing),
        cmocka_unit_test(a_list_ends_with_null_and_serves_as_argv),
    };
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
