/* What building shows and tells engines, as far as it is text alone. */
#include "cli/engine.h"
#include "cli/gitignore.h"
#include "cli/image.h"
#include "cli/local_run.h"
#include "cli/progress.h"
#include "cli/run.h"
#include "tests/unit/unit.h"

static void rows_fit_the_terminal_and_carry_no_control_characters(void **state)
{
    static const struct {
        const char *line;
        size_t width;
        const char *shown;
    } cases[] = {
        {"Step 1/9", 80, "  hello  1.2s  Step 1/9"},
        {"Step 1/9", 19, "  hello  1.2s  Step"},
        {"a\tb\rc\001", 80, "  hello  1.2s  a b c "},
        {"\033[31mred\033[0m.", 80, "  hello  1.2s  red."},
        {"\033", 80, "  hello  1.2s  "},
        {"\033[31", 80, "  hello  1.2s  "},
        {"h\303\251llo", 17, "  hello  1.2s  h\303\251"}, /* a character is one column */
        {"", 3, "  h"},
        {"x", 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf out = {0};

        cli_progress_row(&out, "hello", 1.23, faas_str_from(cases[i].line), cases[i].width);
        assert_string_equal(out.data ? out.data : "", cases[i].shown);
    }
}

static void gitignore_names_what_git_ignores(void **state)
{
    static const char text[] = "# comment\n"
                               "\n"
                               "*.log\n"
                               "!keep.log\n"
                               "node_modules/\n"
                               "/top\n"
                               "a/b\n"
                               "deep/**/leaf\n"
                               "**/any\n"
                               "all/**\r\n"
                               "x[0-9]\n";
    static const struct {
        const char *path;
        bool is_dir;
        bool ignored;
    } cases[] = {
        {"debug.log", false, true},     {"f/debug.log", false, true},
        {"f/keep.log", false, false},   {"node_modules", true, true},
        {"node_modules", false, false}, {"f/node_modules/p/index.js", false, true},
        {"top", false, true},           {"f/top", false, false},
        {"a/b", false, true},           {"a/b/c", false, true},
        {"f/a/b", false, false},        {"deep/leaf", false, true},
        {"deep/1/2/leaf", false, true}, {"deep/1/other", false, false},
        {"any", false, true},           {"f/any", false, true},
        {"all/x/y", false, true},       {"all", true, false},
        {"f/x1", false, true},          {"f/xx", false, false},
        {"f/handler.py", false, false}, {"# comment", false, false},
    };
    struct cli_gitignore g = {0};

    (void)state;
    cli_gitignore_parse(&g, faas_str_from(text));
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++)
        if (cli_gitignore_matches(&g, cases[i].path, cases[i].is_dir) != cases[i].ignored)
            fail_msg("%s", cases[i].path);
    cli_gitignore_deinit(&g);
    assert_false(cli_gitignore_matches(&g, "debug.log", false));
}

static void environment_of_a_local_run_is_a_list_with_commas(void **state)
{
    static const char *const bad[] = {"a", "=x", "a=1,", ",a=1", ""};
    _cleanup_strv_ struct faas_strv items = {0};
    _cleanup_map_ struct faas_map pairs = {0};

    (void)state;
    faas_strv_add(&items, "a=1,b=x=y");
    faas_strv_add(&items, "c=,a=2");
    assert_int_equal(cli_local_run_pairs(&items, &pairs, NULL), 0);
    assert_int_equal(pairs.len, 3);
    assert_string_equal(faas_map_get(&pairs, "a"), "2");
    assert_string_equal(faas_map_get(&pairs, "b"), "x=y");
    assert_string_equal(faas_map_get(&pairs, "c"), "");
    for (size_t i = 0; i < FAAS_ARRAY_LEN(bad); i++) {
        _cleanup_strv_ struct faas_strv one = {0};
        struct faas_error err = {0};

        faas_strv_add(&one, bad[i]);
        assert_int_equal(cli_local_run_pairs(&one, &pairs, &err), -1);
        assert_non_null(strstr(err.msg, "must be KEY=VALUE"));
    }
}

static void words_are_quoted_for_a_shell_where_they_must_be(void **state)
{
    static const struct {
        const char *word, *quoted;
    } cases[] = {
        {"plain", "plain"},           {"-e=a=b", "-e=a=b"},   {"", "''"},
        {"two words", "'two words'"}, {"it's", "'it'\\''s'"}, {"$HOME", "'$HOME'"},
        {"a\nb", "'a\nb'"},           {"*", "'*'"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf out = {0};

        cli_shell_append(&out, cases[i].word);
        assert_string_equal(out.data, cases[i].quoted);
    }
}

/* Every engine has what the code above the table calls. */
static void builders_can_do_all_that_is_asked_of_them(void **state)
{
    (void)state;
    for (const struct cli_builder *const *b = cli_builders; *b; b++) {
        assert_non_null((*b)->build);
        assert_non_null((*b)->push);
        assert_non_null((*b)->summary);
        assert_true(!(*b)->publish || (*b)->prepare);
        assert_true((*b)->for_gateway == !(*b)->program);
        assert_string_equal(cli_builder_names[b - cli_builders + 1], (*b)->name);
    }
    assert_int_equal(strncmp(cli_platform(), "linux/", 6), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_fit_the_terminal_and_carry_no_control_characters),
        cmocka_unit_test(gitignore_names_what_git_ignores),
        cmocka_unit_test(words_are_quoted_for_a_shell_where_they_must_be),
        cmocka_unit_test(environment_of_a_local_run_is_a_list_with_commas),
        cmocka_unit_test(builders_can_do_all_that_is_asked_of_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
