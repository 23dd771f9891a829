#include "libfaas/lazy.h"
#include "tests/unit/unit.h"

#include <string.h>

static double (*cosine)(double);
static void *unused;

static const struct faas_lazy_symbol good[] = {{"cos", (void **)&cosine}, {0}};
static const struct faas_lazy_symbol bad[] = {{"no_such_function", &unused}, {0}};

static struct faas_lazy libraries[] = {
    {.once = PTHREAD_ONCE_INIT, .soname = "libm.so.6", .symbols = good},
    {.once = PTHREAD_ONCE_INIT, .soname = "libm.so.6", .symbols = bad},
    {.once = PTHREAD_ONCE_INIT, .soname = "libnowhere.so.1", .symbols = good},
};

static void load_good(void)
{
    faas_lazy_open(&libraries[0]);
}

static void load_bad(void)
{
    faas_lazy_open(&libraries[1]);
}

static void load_absent(void)
{
    faas_lazy_open(&libraries[2]);
}

static void a_library_gives_its_functions(void **state)
{
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(faas_lazy_load(&libraries[0], load_good, &err), 0);
    assert_true(cosine(0.0) == 1.0);
    assert_int_equal(faas_lazy_load(&libraries[0], load_good, &err), 0);
}

static void what_is_missing_is_named_each_time(void **state)
{
    struct faas_error err = {0};

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(faas_lazy_load(&libraries[1], load_bad, &err), -1);
        assert_int_equal(err.code, FAAS_ERR_UNSUPPORTED);
        assert_non_null(strstr(err.msg, "no_such_function"));
        assert_int_equal(faas_lazy_load(&libraries[2], load_absent, &err), -1);
        assert_int_equal(err.code, FAAS_ERR_UNSUPPORTED);
        assert_non_null(strstr(err.msg, "libnowhere.so.1"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_library_gives_its_functions),
        cmocka_unit_test(what_is_missing_is_named_each_time),
    };

    return cmocka_run_group_tests_name("lazy", tests, NULL, NULL);
}
