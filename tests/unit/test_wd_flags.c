#include "tests/unit/unit.h"
#include "watchdog/flags.h"

#include <string.h>

static void flags_follow_gos_rules(void **state)
{
    static const struct {
        const char *argv[5];
        struct wd_flags want;
    } cases[] = {
        {{"w"}, {0}},
        {{"w", "-version"}, {.version = true}},
        {{"w", "--version"}, {.version = true}},
        {{"w", "-version=false"}, {0}},
        {{"w", "-version=T"}, {.version = true}},
        {{"w", "-run-healthcheck", "-version"}, {.version = true, .run_healthcheck = true}},
        {{"w", "word", "-version"}, {0}},
        {{"w", "--", "-version"}, {0}},
        {{"w", "-", "-version"}, {0}},
        {{"w", "-h"}, {.help = true}},
        {{"w", "--help"}, {.help = true}},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct wd_flags got = {0};

        print_message("case %zu\n", i);
        assert_int_equal(wd_flags_parse(&got, (char *const *)cases[i].argv, NULL), 0);
        assert_int_equal(got.version, cases[i].want.version);
        assert_int_equal(got.run_healthcheck, cases[i].want.run_healthcheck);
        assert_int_equal(got.help, cases[i].want.help);
    }
}

static void what_is_no_flag_is_refused_by_name(void **state)
{
    static const struct {
        const char *argv[3];
        const char *message;
    } cases[] = {
        {{"w", "-x"}, "flag provided but not defined: -x"},
        {{"w", "-v"}, "flag provided but not defined: -v"},
        {{"w", "--port=1"}, "flag provided but not defined: -port"},
        {{"w", "-version=maybe"}, "invalid boolean value \"maybe\" for -version"},
        {{"w", "-version="}, "invalid boolean value \"\" for -version"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct wd_flags got = {0};
        struct faas_error err = {0};

        assert_int_equal(wd_flags_parse(&got, (char *const *)cases[i].argv, &err), -1);
        assert_string_equal(err.msg, cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_follow_gos_rules),
        cmocka_unit_test(what_is_no_flag_is_refused_by_name),
    };
    return cmocka_run_group_tests_name("wd_flags", tests, NULL, NULL);
}
