#include "gateway/config.h"
#include "tests/unit/unit.h"

#define MAX_ARGS 8

static int load(struct gw_settings *s, const char *const *args, const char *const *env,
                struct faas_error *err)
{
    char *argv[MAX_ARGS] = {"faas-gateway"};
    int argc = 1;

    for (; args && *args; args++)
        argv[argc++] = (char *)*args;
    return gw_settings_load(s, argc, argv, (char *const *)env, err);
}

static const char *const no_env[] = {"HOME=/home/x", NULL};

static void defaults_are_sane(void **state)
{
    struct gw_settings s;
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(load(&s, (const char *[]){"--state-dir=/s", NULL}, no_env, &err), 0);
    assert_string_equal(s.config->bind_address, "127.0.0.1");
    assert_int_equal(s.config->port, 8080);
    assert_int_equal(s.config->metrics_port, 8082);
    assert_true(s.config->basic_auth);
    assert_true(s.config->scale_from_zero);
    assert_true(s.config->access_log);
    assert_string_equal(s.config->secret_mount_path, "/s/auth");
    assert_string_equal(s.config->function_namespace, "openfaas-fn");
    assert_int_equal(s.config->max_header_size, 16 * 1024);
    assert_string_equal(s.provider->name, "local");
    /* The documents promise this order, so that the gateway explains before it cuts. */
    assert_true(s.config->upstream_timeout_ms < s.config->write_timeout_ms);
    gw_settings_deinit(&s);
}

static void the_environment_and_flags_override(void **state)
{
    static const char *const env[] = {"port=9000", "read_timeout=5", "provider=memory",
                                      "state_dir=rel", NULL};
    struct gw_settings s;
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(load(&s, (const char *[]){"--port=9001", NULL}, env, &err), 0);
    assert_int_equal(s.config->port, 9001);
    assert_int_equal(s.config->read_timeout_ms, 5000);
    assert_string_equal(s.provider->name, "memory");
    assert_int_equal(s.config->state_dir[0], '/');
    gw_settings_deinit(&s);
}

static void bad_settings_are_named(void **state)
{
    static const struct {
        const char *arg, *named;
    } cases[] = {
        {"--port=http", "port"},
        {"--port=65536", "port"},
        {"--port=-1", "port"},
        {"--metrics-port=-2", "metrics"},
        {"--read-timeout=soon", "read"},
        {"--read-timeout=0", "read"},
        {"--max-header-size=100", "header"},
        {"--log-level=loud", "log"},
        {"--provider=nope", "nope"},
        {"--nonsense=1", "nonsense"},
        {"positional", "positional"},
        {"--function-namespace=UPPER", "function_namespace"},
        {"--basic-auth=maybe", "basic"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct gw_settings s;
        struct faas_error err = {0};

        print_message("  %s\n", cases[i].arg);
        assert_int_equal(load(&s, (const char *[]){cases[i].arg, NULL}, no_env, &err), -1);
        assert_non_null(strstr(err.msg, cases[i].named));
        gw_settings_deinit(&s);
    }
}

static void help_shows_every_setting_and_the_providers(void **state)
{
    _cleanup_buf_ struct faas_buf out = {0};
    struct gw_settings s;
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(load(&s, NULL, no_env, &err), 0);
    gw_settings_help(&s, &out);
    for (size_t i = 0; i < s.n_table; i++) {
        if (s.table[i].env)
            assert_non_null(strstr(out.data, s.table[i].env));
        assert_true(s.table[i].help && s.table[i].help[0]);
    }
    assert_non_null(strstr(out.data, "memory"));
    gw_settings_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_sane),
        cmocka_unit_test(the_environment_and_flags_override),
        cmocka_unit_test(bad_settings_are_named),
        cmocka_unit_test(help_shows_every_setting_and_the_providers),
    };
    return cmocka_run_group_tests_name("gw_config", tests, NULL, NULL);
}
