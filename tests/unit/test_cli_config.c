#include "cli/config.h"
#include "cli/gateway_url.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char text[] = "auths:\n"
                           "  - gateway: http://127.0.0.1:8080\n"
                           "    auth: basic\n"
                           "    token: YWRtaW46c2VjcmV0\n"
                           "  - gateway: https://faas.example.com/x\n"
                           "    auth: oauth2\n"
                           "    token: abc.def\n"
                           "    options:\n"
                           "      - name: client_id\n"
                           "        value: abc\n"
                           "      - name: authority\n"
                           "        value: https://idp.example.com\n";

static void what_is_read_is_written_again(void **state)
{
    _cleanup_config_ struct cli_config c = {0};
    _cleanup_buf_ struct faas_buf out = {0};
    struct faas_error err = {0};

    (void)state;
    if (cli_config_parse(&c, faas_str_from(text), "config.yml", &err) < 0)
        fail_msg("%s", err.msg);
    assert_int_equal(c.len, 2);
    cli_config_write(&out, &c);
    assert_string_equal(out.data, text);
}

static void other_spellings_of_the_file_are_read(void **state)
{
    static const char flow[] =
        "auths:\n"
        "- {gateway: g, auth: oauth2, token: t, options: [{name: a, value: b}]}\n"
        "- gateway: h\n"
        "  auth: basic\n"
        "  token: dTpw\n"
        "  options: []\n";
    _cleanup_config_ struct cli_config c = {0};

    (void)state;
    assert_int_equal(cli_config_parse(&c, faas_str_from(flow), "config.yml", NULL), 0);
    assert_string_equal(faas_map_get(&cli_config_find(&c, "g")->options, "a"), "b");
    assert_string_equal(cli_config_find(&c, "h")->token, "dTpw");
}

static void entries_are_changed_added_and_removed_by_gateway(void **state)
{
    _cleanup_config_ struct cli_config c = {0};

    (void)state;
    assert_int_equal(cli_config_parse(&c, faas_str_from(text), "config.yml", NULL), 0);
    cli_config_set(&c, "https://faas.example.com/x", "basic", "bmV3");
    cli_config_set(&c, "http://other", "basic", "b3RoZXI=");
    assert_int_equal(c.len, 3);
    assert_string_equal(cli_config_find(&c, "https://faas.example.com/x")->token, "bmV3");
    assert_int_equal(cli_config_find(&c, "https://faas.example.com/x")->options.len, 2);
    assert_true(cli_config_remove(&c, "http://127.0.0.1:8080"));
    assert_false(cli_config_remove(&c, "http://127.0.0.1:8080"));
    assert_null(cli_config_find(&c, "http://127.0.0.1:8080"));
    assert_int_equal(c.len, 2);
    assert_string_equal(c.items[1].gateway, "http://other");
}

static void no_entries_are_written_as_an_empty_list(void **state)
{
    const struct cli_config c = {0};
    _cleanup_buf_ struct faas_buf out = {0};

    (void)state;
    cli_config_write(&out, &c);
    assert_string_equal(out.data, "auths: []\n");
}

static void a_broken_file_is_named(void **state)
{
    static const char *const cases[] = {"auths: x\n",
                                        "- a\n",
                                        "auths:\n  - x\n",
                                        "auths:\n  - gateway: [a]\n",
                                        "auths:\n  - options: {a: b}\n",
                                        "auths: [\n"};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_config_ struct cli_config c = {0};
        struct faas_error err = {0};

        assert_int_equal(cli_config_parse(&c, faas_str_from(cases[i]), "/h/config.yml", &err), -1);
        assert_non_null(strstr(err.msg, "/h/config.yml:"));
    }
}

static void the_path_follows_the_environment(void **state)
{
    static const struct {
        const char *config, *ci, *home, *path;
    } cases[] = {
        {NULL, NULL, "/home/me", "/home/me/.openfaas/config.yml"},
        {"/etc/of", "true", "/home/me", "/etc/of/config.yml"},
        {"~/of", NULL, "/home/me", "/home/me/of/config.yml"},
        {"", NULL, "/home/me", "/home/me/.openfaas/config.yml"},
        {NULL, "true", "/home/me", ".openfaas/config.yml"},
        {NULL, "1", NULL, ".openfaas/config.yml"},
        {NULL, "no", "/home/me", "/home/me/.openfaas/config.yml"},
        {NULL, NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        const char *const values[] = {cases[i].config, cases[i].ci, cases[i].home};
        static const char *const names[] = {"OPENFAAS_CONFIG", "CI", "HOME"};
        _cleanup_free_ char *path = NULL;

        for (size_t v = 0; v < FAAS_ARRAY_LEN(values); v++) {
            if (values[v])
                setenv(names[v], values[v], 1);
            else
                unsetenv(names[v]);
        }
        path = cli_config_path(NULL);
        if (cases[i].path)
            assert_string_equal(path, cases[i].path);
        else
            assert_null(path);
    }
}

static void a_saved_file_is_its_owners_alone(void **state)
{
    char dir[] = "/tmp/cli-config-XXXXXX";
    _cleanup_config_ struct cli_config saved = {0};
    _cleanup_config_ struct cli_config loaded = {0};
    _cleanup_config_ struct cli_config none = {0};
    char path[128], sub[64];
    struct stat st;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(sub, sizeof(sub), "%s/sub", dir);
    snprintf(path, sizeof(path), "%s/config.yml", sub);
    setenv("OPENFAAS_CONFIG", sub, 1);
    unsetenv("CI");
    assert_int_equal(cli_config_load(&none, NULL), 0);
    assert_int_equal(none.len, 0);
    cli_config_set(&saved, "http://g", "basic", "dTpw");
    assert_int_equal(cli_config_save(&saved, NULL), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(sub, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(cli_config_load(&loaded, NULL), 0);
    assert_string_equal(cli_config_find(&loaded, "http://g")->token, "dTpw");
    unlink(path);
    rmdir(sub);
    rmdir(dir);
}

static void gateways_are_normalised(void **state)
{
    static const char *const cases[][2] = {
        {"http://127.0.0.1:8080/", "http://127.0.0.1:8080"},
        {"HTTPS://FaaS.Example.com/Path/", "https://faas.example.com/Path"},
        {"faas.example.com", "http://faas.example.com"},
        {"httpd.local:80//", "http://httpd.local:80"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_free_ char *url = cli_gateway_normalise(cases[i][0]);

        assert_string_equal(url, cases[i][1]);
    }
}

static void what_is_no_url_of_a_gateway_is_refused(void **state)
{
    static const char *const bad[] = {"ftp://x", "http://",    "https:///x", "unix:///run/gw.sock",
                                      " ",       "http://a b", "://"};
    static const char *const good[] = {"x", "http://127.0.0.1:8080", "https://x/y", "[::1]:80"};
    struct faas_error err = {0};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(bad); i++) {
        _cleanup_free_ char *url = cli_gateway_normalise(bad[i]);

        assert_int_equal(cli_gateway_check(url, &err), -1);
        assert_non_null(strstr(err.msg, "must be http://HOST:PORT or https://HOST:PORT"));
    }
    for (size_t i = 0; i < FAAS_ARRAY_LEN(good); i++) {
        _cleanup_free_ char *url = cli_gateway_normalise(good[i]);

        assert_int_equal(cli_gateway_check(url, &err), 0);
    }
}

static void the_first_that_says_something_is_the_gateway(void **state)
{
    static const struct {
        const char *flag, *stack, *environment, *chosen;
    } cases[] = {
        {"http://f", "http://s", "http://e", "http://f"},
        {NULL, "http://s/", "http://e", "http://s"},
        {NULL, NULL, "e", "http://e"},
        {NULL, NULL, NULL, "http://127.0.0.1:8080"},
        {"", "", "", "http://127.0.0.1:8080"},
        {"http://127.0.0.1:8080", NULL, "http://e", "http://e"},
        {NULL, "http://127.0.0.1:8080/", "http://e", "http://e"},
        {"http://127.0.0.1:8080", "http://s", NULL, "http://s"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_free_ char *url =
            cli_gateway_choose(cases[i].flag, cases[i].stack, cases[i].environment);

        assert_string_equal(url, cases[i].chosen);
    }
}

static void only_plain_http_to_another_machine_is_exposed(void **state)
{
    static const struct {
        const char *url;
        bool exposed;
    } cases[] = {
        {"http://127.0.0.1:8080", false}, {"http://localhost", false},
        {"http://[::1]:8080", false},     {"https://x", false},
        {"http://example.com", true},     {"http://127.0.0.1.example.com", true},
        {"http://localhosted", true},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++)
        assert_int_equal(cli_gateway_is_exposed(cases[i].url), cases[i].exposed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_written_again),
        cmocka_unit_test(other_spellings_of_the_file_are_read),
        cmocka_unit_test(entries_are_changed_added_and_removed_by_gateway),
        cmocka_unit_test(no_entries_are_written_as_an_empty_list),
        cmocka_unit_test(a_broken_file_is_named),
        cmocka_unit_test(the_path_follows_the_environment),
        cmocka_unit_test(a_saved_file_is_its_owners_alone),
        cmocka_unit_test(gateways_are_normalised),
        cmocka_unit_test(what_is_no_url_of_a_gateway_is_refused),
        cmocka_unit_test(the_first_that_says_something_is_the_gateway),
        cmocka_unit_test(only_plain_http_to_another_machine_is_exposed),
    };
    return cmocka_run_group_tests_name("cli_config", tests, NULL, NULL);
}
