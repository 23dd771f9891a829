#include "cli/stack.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static const char head[] = "version: 1.0\nprovider:\n  name: openfaas\n";

static const char *get(void *self, const char *name)
{
    (void)self;
    return strcmp(name, "REGISTRY") == 0 ? "ghcr.io/acme" : NULL;
}

static const struct cli_env env = {.get = get};

static int parse(struct cli_stack *s, const char *text, struct faas_error *err)
{
    return cli_stack_parse(s, faas_str_from(text), "stack.yml", &env, err);
}

static void everything_of_a_function_is_read(void **state)
{
    static const char text[] = "version: '1.0'\n"
                               "provider:\n"
                               "  name: openfaas\n"
                               "  gateway: ${OF:-http://127.0.0.1:9090}\n"
                               "functions:\n"
                               "  thumb:\n"
                               "    lang: python3-http@2.1.0\n"
                               "    handler: ./thumb\n"
                               "    image: ${REGISTRY}/thumb:0.3\n"
                               "    namespace: media\n"
                               "    fprocess: python3 x.py\n"
                               "    build_options: [imaging]\n"
                               "    build_args: {PYTHON_VERSION: 3.10}\n"
                               "    build_secrets: {pip: .secrets/pip}\n"
                               "    environment: {max_px: 4096, on: yes, empty: }\n"
                               "    environment_file: [a.yml, b.yml]\n"
                               "    secrets: [s3-key]\n"
                               "    labels: {com.openfaas.scale.min: 010}\n"
                               "    annotations: {topic: \"a.b\"}\n"
                               "    requests: {cpu: 50m, memory: 32Mi}\n"
                               "    limits: {cpu: 500m}\n"
                               "    constraints: []\n"
                               "    readonly_root_filesystem: true\n"
                               "    unknown: [whatever]\n"
                               "  hasher:\n"
                               "    skip_build: true\n"
                               "configuration:\n"
                               "  templates:\n"
                               "    - name: rust\n"
                               "      source: https://git.example.com/t#v4\n"
                               "    - name: go\n"
                               "  copy: [./shared]\n";
    _cleanup_stack_ struct cli_stack s = {0};
    struct faas_error err = {0};
    const struct cli_function *fn;

    (void)state;
    if (parse(&s, text, &err) < 0)
        fail_msg("%s", err.msg);
    assert_string_equal(s.gateway, "http://127.0.0.1:9090");
    assert_int_equal(s.n_functions, 2);
    fn = cli_stack_find(&s, "thumb");
    assert_non_null(fn);
    assert_int_equal(fn->line, 6);
    assert_string_equal(fn->lang, "python3-http@2.1.0");
    assert_string_equal(fn->image, "ghcr.io/acme/thumb:0.3");
    assert_string_equal(fn->namespace_, "media");
    assert_string_equal(fn->fprocess, "python3 x.py");
    assert_string_equal(faas_map_get(&fn->build_args, "PYTHON_VERSION"), "3.10");
    assert_string_equal(faas_map_get(&fn->build_secrets, "pip"), ".secrets/pip");
    assert_string_equal(faas_map_get(&fn->environment, "max_px"), "4096");
    assert_string_equal(faas_map_get(&fn->environment, "on"), "yes");
    assert_string_equal(faas_map_get(&fn->environment, "empty"), "");
    assert_string_equal(faas_map_get(&fn->labels, "com.openfaas.scale.min"), "010");
    assert_string_equal(faas_map_get(&fn->limits, "cpu"), "500m");
    assert_int_equal(fn->environment_file.len, 2);
    assert_string_equal(fn->secrets.items[0], "s3-key");
    assert_true(fn->has_constraints && fn->constraints.len == 0);
    assert_true(fn->readonly_root_filesystem);
    assert_true(s.functions[1].skip_build);
    assert_null(s.functions[1].lang);
    assert_false(s.functions[1].has_constraints);
    assert_int_equal(s.n_templates, 2);
    assert_string_equal(s.templates[0].source, "https://git.example.com/t#v4");
    assert_null(s.templates[1].source);
    assert_string_equal(s.copy.items[0], "./shared");
}

static void mistakes_name_file_line_and_key(void **state)
{
    static const struct {
        const char *text;
        const char *said;
    } cases[] = {
        {"version: 1.0\n", "stack.yml:1: provider.name is missing: it must be \"openfaas\""},
        {"provider:\n  name: faas\n",
         "stack.yml:2: provider.name is \"faas\": it must be \"openfaas\""},
        {"provider: openfaas\n", "stack.yml:1: provider: must be a map (key: value)"},
        {"version: 1\nprovider: {name: openfaas}\n",
         "stack.yml:1: version is \"1\": it must be \"1.0\""},
        {"- a\n", "stack.yml:1: this is no stack file: it must be a map"},
        {"provider: {name: openfaas}\nfunctions: [a]\n",
         "stack.yml:2: functions: must be a map (key: value)"},
        {"provider: {name: openfaas}\nfunctions:\n  a: b\n",
         "stack.yml:3: functions.a: must be a map (key: value)"},
        {"provider: {name: openfaas}\nfunctions:\n  a:\n    labels: [x]\n",
         "stack.yml:4: functions.a.labels: must be a map (key: value)"},
        {"provider: {name: openfaas}\nfunctions:\n  a:\n    lang: c\n    build_args:\n      - "
         "A=b\n",
         "stack.yml:6: functions.a.build_args: must be a map (key: value)"},
        {"provider: {name: openfaas}\nfunctions:\n  a:\n    secrets:\n      - [x]\n",
         "stack.yml:5: functions.a.secrets: every item must be a single value"},
        {"provider: {name: openfaas}\nfunctions:\n  a:\n    environment:\n      X: {a: b}\n",
         "stack.yml:5: functions.a.environment.X: must be a single value"},
        {"provider: {name: openfaas}\nfunctions:\n  a:\n    image: [x]\n",
         "stack.yml:4: functions.a.image: must be a single value"},
        {"provider: {name: openfaas}\nfunctions:\n  a:\n    skip_build: maybe\n",
         "stack.yml:4: functions.a.skip_build: must be true or false"},
        {"provider: {name: openfaas}\nconfiguration:\n  templates:\n    - source: x\n",
         "stack.yml:4: configuration.templates.name: is missing"},
        {"provider:\n  name: ${X\n", "stack.yml:2: ${…}: missing closing brace"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_stack_ struct cli_stack s = {0};
        struct faas_error err = {0};

        if (parse(&s, cases[i].text, &err) == 0)
            fail_msg("accepted: %s", cases[i].text);
        assert_string_equal(err.msg, cases[i].said);
    }
}

static void duplicate_keys_are_refused(void **state)
{
    _cleanup_stack_ struct cli_stack s = {0};
    _cleanup_buf_ struct faas_buf text = {0};
    struct faas_error err = {0};

    (void)state;
    faas_buf_printf(&text, "%sfunctions:\n  a:\n    lang: c\n  a:\n    lang: c\n", head);
    assert_int_equal(parse(&s, text.data, &err), -1);
    assert_non_null(strstr(err.msg, "stack.yml:7"));
}

static void anchors_and_merges_work(void **state)
{
    _cleanup_stack_ struct cli_stack s = {0};
    _cleanup_buf_ struct faas_buf text = {0};
    struct faas_error err = {0};

    (void)state;
    faas_buf_printf(&text,
                    "%sx: &base\n  lang: c\n  labels: &l {a: b}\nfunctions:\n  f:\n    <<: *base\n"
                    "    image: f\n    annotations: *l\n",
                    head);
    if (parse(&s, text.data, &err) < 0)
        fail_msg("%s", err.msg);
    assert_string_equal(s.functions[0].lang, "c");
    assert_string_equal(faas_map_get(&s.functions[0].annotations, "a"), "b");
}

/* The names that are left, or the error. */
static void select_functions(char out[256], const char *filter, const char *regex)
{
    _cleanup_stack_ struct cli_stack s = {0};
    _cleanup_buf_ struct faas_buf text = {0};
    struct faas_error err = {0};

    faas_buf_printf(&text, "%sfunctions:\n  api-a: {}\n  api-b: {}\n  web: {}\n  fn-1: {}\n", head);
    assert_int_equal(parse(&s, text.data, NULL), 0);
    out[0] = '\0';
    if (cli_stack_select(&s, filter, regex, &err) < 0)
        strcpy(out, err.msg);
    else
        for (size_t i = 0; i < s.n_functions; i++)
            strcat(strcat(out, s.functions[i].name), " ");
}

static void filter_and_regex_choose_functions(void **state)
{
    static const struct {
        const char *filter, *regex, *left;
    } cases[] = {
        {NULL, NULL, "api-a api-b web fn-1 "},
        {"api-*", NULL, "api-a api-b "},
        {"*", NULL, "api-a api-b web fn-1 "},
        {"*i-*b", NULL, "api-b "},
        {"web", NULL, "web "},
        {"we", NULL, "stack.yml: no function matches --filter we"},
        {"a?i-a", NULL, "stack.yml: no function matches --filter a?i-a"},
        {NULL, "^a.*b$", "api-b "},
        {NULL, "e", "web "},
        {NULL, "x|b$", "api-b web "},
        {NULL, "\\d", "fn-1 "},
        {NULL, "^fn-[\\d_]+$", "fn-1 "},
        {NULL, "^\\D+\\.x$", "stack.yml: no function matches --regex ^\\D+\\.x$"},
        {NULL, "\\D$", "api-a api-b web "},
        {NULL, "^$", "stack.yml: no function matches --regex ^$"},
        {"a", "a", "--filter and --regex cannot be used together"},
    };
    char left[256];

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        select_functions(left, cases[i].filter, cases[i].regex);
        assert_string_equal(left, cases[i].left);
    }
    select_functions(left, NULL, "(");
    assert_non_null(strstr(left, "--regex \"(\""));
}

static void several_files_make_one_stack(void **state)
{
    static const char second[] = "provider: {name: openfaas, gateway: http://g2}\n"
                                 "functions:\n  b: {lang: go}\n"
                                 "configuration:\n  copy: [y]\n  templates: [{name: go}]\n";
    static const struct {
        const char *text, *error;
    } bad[] = {
        {"provider: {name: openfaas}\nfunctions:\n  c: {}\n  a: {}\n",
         "third.yml:4: functions.a is in first.yml:4 already"},
        {"provider: {name: other}\n", "third.yml:1: provider.name is \"other\""},
        {"version: 1\nprovider: {name: openfaas}\n", "third.yml:1: version is \"1\""},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(bad); i++) {
        _cleanup_stack_ struct cli_stack s = {0};
        struct faas_error err = {0};

        assert_int_equal(
            cli_stack_parse(
                &s,
                FAAS_STR("provider:\n  {name: openfaas, gateway: http://g1}\nfunctions:\n"
                         "  a: {lang: c}\nconfiguration:\n  copy: [x]\n"
                         "  templates: [{name: c}]\n"),
                "first.yml", NULL, NULL),
            0);
        assert_int_equal(cli_stack_parse(&s, faas_str_from(second), "second.yml", NULL, NULL), 0);
        assert_int_equal(s.n_functions, 2);
        assert_string_equal(s.functions[0].lang, "c");
        assert_string_equal(s.functions[1].file, "second.yml");
        assert_string_equal(s.gateway, "http://g2");
        assert_int_equal(s.n_templates, 2);
        assert_string_equal(s.templates[1].name, "go");
        assert_int_equal(s.copy.len, 2);
        assert_int_equal(s.files.len, 2);
        assert_int_equal(cli_stack_parse(&s, faas_str_from(bad[i].text), "third.yml", NULL, &err),
                         -1);
        assert_non_null(strstr(err.msg, bad[i].error));
    }
}

static void chosen_functions_are_kept(void **state)
{
    _cleanup_stack_ struct cli_stack s = {0};
    _cleanup_strv_ struct faas_strv names = {0};

    (void)state;
    assert_int_equal(parse(&s,
                           "provider: {name: openfaas}\nfunctions:\n"
                           "  a: {secrets: [x]}\n  b: {labels: {l: v}}\n  c: {}\n",
                           NULL),
                     0);
    faas_strv_add(&names, "c");
    faas_strv_add(&names, "b");
    faas_strv_add(&names, "gone");
    cli_stack_keep(&s, &names);
    assert_int_equal(s.n_functions, 2);
    assert_string_equal(s.functions[0].name, "b");
    assert_string_equal(s.functions[1].name, "c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_of_a_function_is_read),
        cmocka_unit_test(mistakes_name_file_line_and_key),
        cmocka_unit_test(duplicate_keys_are_refused),
        cmocka_unit_test(anchors_and_merges_work),
        cmocka_unit_test(filter_and_regex_choose_functions),
        cmocka_unit_test(several_files_make_one_stack),
        cmocka_unit_test(chosen_functions_are_kept),
    };
    return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
