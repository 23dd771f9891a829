#include "cli/template_store.h"
#include "tests/unit/tmpdir.h"

static const char index_text[] =
    "[{\"template\":\"zed\",\"platform\":\"x86_64\",\"source\":\"openfaas\",\"repo\":\"z\","
    "  \"official\":\"true\",\"recommended\":true,\"language\":\"Z\",\"description\":\"zz\"},"
    " {\"template\":\"go\",\"source\":\"openfaas\",\"repo\":\"g1\",\"official\":\"true\"},"
    " {\"template\":\"Bash\",\"source\":\"me\",\"repo\":\"b\",\"official\":\"false\"},"
    " {\"template\":\"go\",\"source\":\"me\",\"repo\":\"g2\",\"official\":\"false\"},"
    " {\"template\":\"ada\",\"source\":\"openfaas\",\"repo\":\"a\",\"official\":\"true\"}]";

static void recommended_come_first_then_unofficial_then_by_name(void **state)
{
    static const char *const repos[] = {"z", "b", "g2", "a", "g1"};
    _cleanup_template_store_ struct cli_template_store s = {0};

    (void)state;
    assert_int_equal(cli_template_store_parse(&s, faas_str_from(index_text), NULL), 0);
    assert_int_equal(s.len, FAAS_ARRAY_LEN(repos));
    for (size_t i = 0; i < s.len; i++)
        assert_string_equal(s.items[i].repo, repos[i]);
    assert_string_equal(s.items[0].description, "zz");
    assert_string_equal(s.items[1].platform, "");
}

static void a_name_alone_means_the_official_one(void **state)
{
    static const struct {
        const char *name, *repo;
    } cases[] = {{"go", "g1"}, {"openfaas/go", "g1"}, {"me/go", "g2"}, {"Bash", "b"}, {"zed", "z"}};
    static const char *const unknown[] = {"", "Go", "you/go", "me/", "/go", "me/go/x"};
    _cleanup_template_store_ struct cli_template_store s = {0};

    (void)state;
    assert_int_equal(cli_template_store_parse(&s, faas_str_from(index_text), NULL), 0);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++)
        assert_string_equal(cli_template_store_find(&s, cases[i].name, NULL)->repo, cases[i].repo);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(unknown); i++) {
        struct faas_error err = {0};

        assert_null(cli_template_store_find(&s, unknown[i], &err));
        assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    }
}

static void anything_but_a_list_of_templates_is_refused(void **state)
{
    static const char *const cases[] = {"",  "{}",    "[1]", "[{\"recommended\":\"yes\"}]",
                                        "[", "<html>"};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_template_store_ struct cli_template_store s = {0};
        struct faas_error err = {0};

        assert_int_equal(cli_template_store_parse(&s, faas_str_from(cases[i]), &err), -1);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
    }
}

static void an_index_can_be_a_file(void **state)
{
    _cleanup_free_ char *path = faas_asprintf("%s/index.json", (char *)*state);
    _cleanup_free_ char *url = faas_asprintf("file://%s", path);
    const char *const places[] = {path, url};

    assert_int_equal(faas_file_create(path, faas_str_from(index_text), 0600, NULL), 0);
    for (size_t i = 0; i < 4; i++) {
        _cleanup_template_store_ struct cli_template_store s = {0};
        bool by_environment = i >= 2;

        if (by_environment)
            setenv("OPENFAAS_TEMPLATE_STORE_URL", places[i % 2], 1);
        assert_int_equal(cli_template_store_load(&s, by_environment ? NULL : places[i], NULL), 0);
        assert_int_equal(s.len, 5);
    }
    unsetenv("OPENFAAS_TEMPLATE_STORE_URL");
}

static void an_index_that_is_not_there_is_an_error_that_names_it(void **state)
{
    _cleanup_template_store_ struct cli_template_store s = {0};
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(cli_template_store_load(&s, "http://127.0.0.1:1/t.json", &err), -1);
    assert_non_null(strstr(err.msg, "http://127.0.0.1:1/t.json"));
    assert_int_equal(cli_template_store_load(&s, "no/such/file", &err), -1);
    assert_non_null(strstr(err.msg, "no/such/file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recommended_come_first_then_unofficial_then_by_name),
        cmocka_unit_test(a_name_alone_means_the_official_one),
        cmocka_unit_test(anything_but_a_list_of_templates_is_refused),
        tmpdir_test(an_index_can_be_a_file),
        cmocka_unit_test(an_index_that_is_not_there_is_an_error_that_names_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
