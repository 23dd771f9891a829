#include "cli/template.h"
#include "tests/unit/unit.h"

static int parse(struct cli_template *t, const char *text, struct faas_error *err)
{
    return cli_template_parse(t, faas_str_from(text), "template.yml", err);
}

static void everything_a_template_can_say_is_read(void **state)
{
    _cleanup_template_ struct cli_template t = {0};
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(parse(&t,
                           "language: python3\n"
                           "fprocess: python3 index.py\n"
                           "handler_folder: src/function\n"
                           "example_folder: example\n"
                           "mount_ssh: true\n"
                           "unheard_of: [1, {a: b}]\n"
                           "environment: {mode: http, upstream_url: 'http://127.0.0.1:0'}\n"
                           "build_options:\n"
                           "  - name: dev\n"
                           "    packages: [make, gcc]\n"
                           "  - name: none\n"
                           "welcome_message: |\n"
                           "  first\n"
                           "  second\n",
                           &err),
                     0);
    assert_string_equal(t.language, "python3");
    assert_string_equal(t.fprocess, "python3 index.py");
    assert_string_equal(t.handler_folder, "src/function");
    assert_string_equal(t.example_folder, "example");
    assert_true(t.mount_ssh);
    assert_string_equal(faas_map_get(&t.environment, "mode"), "http");
    assert_string_equal(faas_map_get(&t.environment, "upstream_url"), "http://127.0.0.1:0");
    assert_int_equal(t.n_build_options, 2);
    assert_string_equal(t.build_options[0].name, "dev");
    assert_string_equal(t.build_options[0].packages.items[1], "gcc");
    assert_int_equal(t.build_options[1].packages.len, 0);
    assert_string_equal(t.welcome_message, "first\nsecond\n");
}

static void an_empty_one_is_a_template_too(void **state)
{
    _cleanup_template_ struct cli_template t = {0};
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(parse(&t, "", &err), 0);
    assert_null(t.fprocess);
    assert_null(t.welcome_message);
    assert_string_equal(t.handler_folder, "function");
}

static void what_cannot_be_meant_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {"- a\n", "template.yml:1: must be a map"},
        {"language: [a]\n", "template.yml:1: language"},
        {"language: a\nmount_ssh: perhaps\n", "template.yml:2: mount_ssh"},
        {"build_options: {a: b}\n", "build_options"},
        {"build_options:\n  - packages: [a]\n", "an item has no name"},
        {"build_options:\n  - a\n", "every item must be a map"},
        {"handler_folder: /etc\n", "must be relative"},
        {"handler_folder: a/../../b\n", "must not contain \"..\""},
        {"example_folder: ../x\n", "example_folder must not contain"},
        {"a: [\n", "template.yml:"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_template_ struct cli_template t = {0};
        struct faas_error err = {0};

        print_message("%s", cases[i].text);
        assert_int_equal(parse(&t, cases[i].text, &err), -1);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        assert_non_null(strstr(err.msg, cases[i].says));
    }
}

static void a_name_leads_nowhere_but_into_the_folder(void **state)
{
    static const char *const good[] = {"go",          "python3-http", "node20@1.2",
                                       "a@feature/x", "a.b",          "a@sha-0123abc"};
    static const char *const bad[] = {"",    ".",        "..",     "../a", "/a",
                                      "a/b", "a@x/../b", "a@x//y", "a/",   "a/b@c/d"};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(good); i++)
        assert_int_equal(cli_template_check_name(good[i], NULL), 0);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(bad); i++) {
        print_message("\"%s\"\n", bad[i]);
        assert_int_equal(cli_template_check_name(bad[i], NULL), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_a_template_can_say_is_read),
        cmocka_unit_test(an_empty_one_is_a_template_too),
        cmocka_unit_test(what_cannot_be_meant_is_refused_with_its_line),
        cmocka_unit_test(a_name_leads_nowhere_but_into_the_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
