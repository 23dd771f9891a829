#include "cli/suggest.h"
#include "tests/unit/unit.h"

static const char *nearest(const char *typed)
{
    static const char *const known[] = {"build", "deploy", "describe", "list",
                                        "logs",  "login",  "up"};
    struct cli_suggest s = {.wanted = faas_str_from(typed)};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(known); i++)
        cli_suggest_offer(&s, known[i]);
    return s.best;
}

static void a_near_miss_is_understood(void **state)
{
    static const char *const cases[][2] = {
        {"biuld", "build"}, {"deplyo", "deploy"}, {"desribe", "describe"}, {"lst", "list"},
        {"lsit", "list"},   {"desc", "describe"}, {"buildd", "build"},     {"pu", "up"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        const char *best = nearest(cases[i][0]);

        assert_non_null(best);
        assert_string_equal(best, cases[i][1]);
    }
}

static void what_resembles_nothing_gets_no_suggestion(void **state)
{
    static const char *const cases[] = {"", "xyzzy", "zz",
                                        "a-word-that-is-much-longer-than-any-command-there-is"};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++)
        assert_null(nearest(cases[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_near_miss_is_understood),
        cmocka_unit_test(what_resembles_nothing_gets_no_suggestion),
    };
    return cmocka_run_group_tests_name("cli_suggest", tests, NULL, NULL);
}
