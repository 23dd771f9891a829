#include "cli/flags.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

struct first {
    char *gateway;
    bool quiet;
    bool verbose;
    int64_t parallel;
    int64_t interval_ms;
    struct faas_strv headers;
    struct faas_map labels;
    char *tag;
    bool update;
};

struct second {
    char *name;
    int64_t parallel; /* the same flag as the other's */
};

static const char *const formats[] = {"latest", "sha", "", NULL};

static const struct cli_flag first_flags[] = {
    {.name = "gateway", .letter = 'g', .type = CLI_STRING, .at = offsetof(struct first, gateway)},
    {.name = "quiet", .letter = 'q', .type = CLI_BOOL, .at = offsetof(struct first, quiet)},
    {.name = "verbose", .letter = 'v', .type = CLI_BOOL, .at = offsetof(struct first, verbose)},
    {.name = "parallel",
     .letter = 'p',
     .type = CLI_INT,
     .at = offsetof(struct first, parallel),
     .dflt = "1"},
    {.name = "interval",
     .type = CLI_DURATION,
     .at = offsetof(struct first, interval_ms),
     .dflt = "1m0s"},
    {.name = "header", .letter = 'H', .type = CLI_LIST, .at = offsetof(struct first, headers)},
    {.name = "label", .letter = 'l', .type = CLI_PAIRS, .at = offsetof(struct first, labels)},
    {.name = "tag", .type = CLI_STRING, .at = offsetof(struct first, tag), .choices = formats},
    {.name = "update", .type = CLI_BOOL, .at = offsetof(struct first, update), .dflt = "true"},
    {0},
};

static const struct cli_flag second_flags[] = {
    {.name = "name", .letter = 'n', .type = CLI_STRING, .at = offsetof(struct second, name)},
    {.name = "parallel",
     .letter = 'p',
     .type = CLI_INT,
     .at = offsetof(struct second, parallel),
     .dflt = "1"},
    {0},
};

enum { MAX_WORDS = 8 };

/* One command line, read into both structs. */
struct line {
    struct first first;
    struct second second;
    struct faas_strv args;
    struct faas_error err;
    int rc;
};

static void read_line(struct line *l, const char *const *words)
{
    const struct cli_flag_set sets[] = {{first_flags, &l->first}, {second_flags, &l->second}};
    char *argv[MAX_WORDS];
    size_t n = 0;

    *l = (struct line){0};
    for (; n < MAX_WORDS && words[n]; n++)
        argv[n] = (char *)words[n];
    cli_flags_init(sets, 2);
    l->rc = cli_flags_parse(sets, 2, argv, n, &l->args, &l->err);
}

static void line_deinit(struct line *l)
{
    const struct cli_flag_set sets[] = {{first_flags, &l->first}, {second_flags, &l->second}};

    cli_flags_deinit(sets, 2);
    faas_strv_deinit(&l->args);
}

static void a_value_is_written_in_five_ways(void **state)
{
    static const char *const lines[][MAX_WORDS + 1] = {
        {"--gateway", "x"}, {"--gateway=x"}, {"-g", "x"}, {"-gx"},       {"-g=x"},
        {"-qg", "x"},       {"-qgx"},        {"-vqg=x"},  {"arg", "-gx"}};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(lines); i++) {
        struct line l;

        read_line(&l, lines[i]);
        assert_int_equal(l.rc, 0);
        assert_string_equal(l.first.gateway, "x");
        line_deinit(&l);
    }
}

static void clustered_booleans_are_all_set(void **state)
{
    static const char *const words[] = {"-qv", NULL};
    struct line l;

    (void)state;
    read_line(&l, words);
    assert_int_equal(l.rc, 0);
    assert_true(l.first.quiet && l.first.verbose);
    line_deinit(&l);
}

static void a_boolean_takes_a_value_only_behind_an_equals_sign(void **state)
{
    static const char *const off[] = {"0", "f", "F", "false", "FALSE", "False"};
    static const char *const bare[] = {"--update", "false", NULL};
    struct line l;

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(off); i++) {
        char word[32];
        const char *const words[] = {word, NULL};

        snprintf(word, sizeof(word), "--update=%s", off[i]);
        read_line(&l, words);
        assert_int_equal(l.rc, 0);
        assert_false(l.first.update);
        line_deinit(&l);
    }
    read_line(&l, bare);
    assert_true(l.first.update);
    assert_int_equal(l.args.len, 1);
    assert_string_equal(l.args.items[0], "false");
    line_deinit(&l);
}

static void flags_and_arguments_mix_until_two_dashes(void **state)
{
    static const char *const words[] = {"a", "-q", "b", "-", "--", "-v", "--x", NULL};
    struct line l;

    (void)state;
    read_line(&l, words);
    assert_int_equal(l.rc, 0);
    assert_true(l.first.quiet);
    assert_false(l.first.verbose);
    assert_int_equal(l.args.len, 5);
    assert_string_equal(l.args.items[2], "-");
    assert_string_equal(l.args.items[4], "--x");
    line_deinit(&l);
}

static void a_name_in_two_tables_is_one_flag(void **state)
{
    static const char *const words[] = {"--parallel=4", NULL};
    struct line l;

    (void)state;
    read_line(&l, words);
    assert_int_equal(l.first.parallel, 4);
    assert_int_equal(l.second.parallel, 4);
    line_deinit(&l);
}

static void defaults_stand_until_a_flag_is_given(void **state)
{
    static const char *const none[] = {NULL};
    static const char *const words[] = {"--interval", "300ms", NULL};
    struct line l;

    (void)state;
    read_line(&l, none);
    assert_null(l.first.gateway);
    assert_int_equal(l.first.parallel, 1);
    assert_int_equal(l.first.interval_ms, 60000);
    assert_true(l.first.update);
    line_deinit(&l);
    read_line(&l, words);
    assert_int_equal(l.first.interval_ms, 300);
    line_deinit(&l);
}

static void repeated_flags_collect_without_splitting_commas(void **state)
{
    static const char *const words[] = {"-H",  "A: 1,2", "--header=B: 3", "-l", "a=b=c",
                                        "-l=", NULL};
    static const char *const good[] = {"-H", "A: 1,2", "--header=B: 3", "-l", " a=b=c ", NULL};
    struct line l;

    (void)state;
    read_line(&l, good);
    assert_int_equal(l.rc, 0);
    assert_int_equal(l.first.headers.len, 2);
    assert_string_equal(l.first.headers.items[0], "A: 1,2");
    assert_string_equal(faas_map_get(&l.first.labels, "a"), "b=c");
    line_deinit(&l);
    read_line(&l, words);
    assert_int_equal(l.rc, -1);
    line_deinit(&l);
}

static void mistakes_name_the_flag(void **state)
{
    static const struct {
        const char *words[MAX_WORDS + 1];
        const char *said;
    } cases[] = {
        {{"--gatway", "x"}, "unknown flag: --gatway. Did you mean --gateway?"},
        {{"--zzz"}, "unknown flag: --zzz"},
        {{"-qx"}, "unknown flag: -x in -qx"},
        {{"--gateway"}, "flag --gateway needs a value"},
        {{"-g"}, "flag -g needs a value"},
        {{"--quiet=maybe"}, "flag --quiet: \"maybe\": must be true or false"},
        {{"--label", "a"}, "flag --label: \"a\": must be written KEY=VALUE"},
        {{"--label", "=a"}, "flag --label: \"=a\": the key before '=' is empty"},
        {{"-l", "a="}, "flag -l: \"a=\": the value of a is empty"},
        {{"--tag=no"}, "flag --tag: \"no\": must be one of latest, sha"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct line l;

        read_line(&l, cases[i].words);
        assert_int_equal(l.rc, -1);
        assert_string_equal(l.err.msg, cases[i].said);
        line_deinit(&l);
    }
}

static void numbers_and_durations_are_strict(void **state)
{
    static const char *const bad[][2] = {{"--parallel=x", NULL},
                                         {"--parallel=", NULL},
                                         {"--interval=1", NULL},
                                         {"--interval=", NULL}};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(bad); i++) {
        struct line l;

        read_line(&l, bad[i]);
        assert_int_equal(l.rc, -1);
        assert_non_null(strstr(l.err.msg, i < 2 ? "--parallel" : "--interval"));
        line_deinit(&l);
    }
}

static void a_choice_is_known_whatever_its_case(void **state)
{
    static const char *const words[] = {"--tag", "SHA", NULL};
    struct line l;

    (void)state;
    read_line(&l, words);
    assert_int_equal(l.rc, 0);
    assert_string_equal(l.first.tag, "SHA");
    line_deinit(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_written_in_five_ways),
        cmocka_unit_test(clustered_booleans_are_all_set),
        cmocka_unit_test(a_boolean_takes_a_value_only_behind_an_equals_sign),
        cmocka_unit_test(flags_and_arguments_mix_until_two_dashes),
        cmocka_unit_test(a_name_in_two_tables_is_one_flag),
        cmocka_unit_test(defaults_stand_until_a_flag_is_given),
        cmocka_unit_test(repeated_flags_collect_without_splitting_commas),
        cmocka_unit_test(mistakes_name_the_flag),
        cmocka_unit_test(numbers_and_durations_are_strict),
        cmocka_unit_test(a_choice_is_known_whatever_its_case),
    };
    return cmocka_run_group_tests_name("cli_flags", tests, NULL, NULL);
}
