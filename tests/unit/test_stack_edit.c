#include "cli/stack_edit.h"
#include "tests/unit/unit.h"

static const struct cli_resource_options no_resources;
static const struct cli_new_function fn = {.name = "new",
                                           .lang = "c",
                                           .handler = "new",
                                           .image = "new:latest",
                                           .resources = &no_resources};

#define HEAD  "version: 1.0\nprovider:\n  name: openfaas\n"
#define BLOCK "  new:\n    lang: c\n    handler: ./new\n    image: new:latest\n\n"

static void a_new_file_is_as_users_know_it(void **state)
{
    const struct cli_resource_options resources = {.cpu_request = (char *)"10m",
                                                   .memory_request = (char *)"32Mi",
                                                   .memory_limit = (char *)"64Mi"};
    const struct cli_new_function with = {.name = "fn1",
                                          .lang = "python3",
                                          .handler = "fn1",
                                          .image = "me/fn1:latest",
                                          .resources = &resources};
    _cleanup_buf_ struct faas_buf out = {0};

    (void)state;
    cli_stack_write(&out, "http://127.0.0.1:8080", &with);
    assert_string_equal(out.data, "version: 1.0\n"
                                  "provider:\n"
                                  "  name: openfaas\n"
                                  "  gateway: http://127.0.0.1:8080\n"
                                  "functions:\n"
                                  "  fn1:\n"
                                  "    lang: python3\n"
                                  "    handler: ./fn1\n"
                                  "    image: me/fn1:latest\n"
                                  "    requests:\n"
                                  "      cpu: 10m\n"
                                  "      memory: 32Mi\n"
                                  "    limits:\n"
                                  "      memory: 64Mi\n"
                                  "\n");
}

static void a_function_is_added_behind_the_last(void **state)
{
    static const struct {
        const char *before;
        const char *after;
    } cases[] = {
        {HEAD "functions:\n  a:\n    lang: c\n", HEAD "functions:\n  a:\n    lang: c\n\n" BLOCK},
        {HEAD "functions:\n  a:\n    lang: c\n\n", HEAD "functions:\n  a:\n    lang: c\n\n" BLOCK},
        {HEAD "functions:\n  a:\n    lang: c", HEAD "functions:\n  a:\n    lang: c\n\n" BLOCK},
        /* not at the end of the file, where it would belong to something else */
        {HEAD "functions:\n  a:\n    lang: c\n\nconfiguration:\n  copy: [x]\n",
         HEAD "functions:\n  a:\n    lang: c\n\n" BLOCK "configuration:\n  copy: [x]\n"},
        {HEAD "functions:\n  a:\n    lang: c\n# about copies\nconfiguration:\n  copy: [x]\n", HEAD
         "functions:\n  a:\n    lang: c\n\n" BLOCK "# about copies\nconfiguration:\n  copy: [x]\n"},
        /* a block scalar reaches further than its first line */
        {HEAD
         "functions:\n  a:\n    annotations:\n      text: |\n        one\n\n        two\nx: y\n",
         HEAD
         "functions:\n  a:\n    annotations:\n      text: |\n        one\n\n        two\n\n" BLOCK
         "x: y\n"},
        {HEAD "functions:\n", HEAD "functions:\n" BLOCK},
        {HEAD "functions:\nconfiguration:\n  copy: [x]\n",
         HEAD "functions:\n" BLOCK "configuration:\n  copy: [x]\n"},
        /* variables stay */
        {HEAD "functions:\n  a:\n    image: ${R:-x}/a\n",
         HEAD "functions:\n  a:\n    image: ${R:-x}/a\n\n" BLOCK},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf out = {0};
        struct faas_error err = {0};

        if (cli_stack_append(&out, faas_str_from(cases[i].before), "s.yml", &fn, &err) < 0)
            fail_msg("%s: %s", cases[i].before, err.msg);
        assert_string_equal(out.data, cases[i].after);
    }
}

static void the_indent_of_the_others_is_kept(void **state)
{
    _cleanup_buf_ struct faas_buf out = {0};

    (void)state;
    assert_int_equal(cli_stack_append(&out, FAAS_STR(HEAD "functions:\n    a:\n        lang: c\n"),
                                      "s.yml", &fn, NULL),
                     0);
    assert_non_null(strstr(out.data, "\n    new:\n      lang: c\n"));
}

static void what_cannot_be_added_is_refused(void **state)
{
    static const struct {
        const char *before;
        const char *said;
    } cases[] = {
        {HEAD "functions:\n  new:\n    lang: c\n", "s.yml:5: there is a function new already"},
        {HEAD "functions: {a: {lang: c}}\n",
         "s.yml is written in a way that a function cannot be added to; add it by hand"},
        {HEAD, "s.yml is written in a way that a function cannot be added to; add it by hand"},
        {"a: b\n", "s.yml:1: provider.name is missing: it must be \"openfaas\""},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf out = {0};
        struct faas_error err = {0};

        if (cli_stack_append(&out, faas_str_from(cases[i].before), "s.yml", &fn, &err) == 0)
            fail_msg("accepted: %s", out.data);
        assert_string_equal(err.msg, cases[i].said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file_is_as_users_know_it),
        cmocka_unit_test(a_function_is_added_behind_the_last),
        cmocka_unit_test(the_indent_of_the_others_is_kept),
        cmocka_unit_test(what_cannot_be_added_is_refused),
    };
    return cmocka_run_group_tests_name("stack_edit", tests, NULL, NULL);
}
