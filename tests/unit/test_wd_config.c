#include "tests/unit/unit.h"
#include "watchdog/config.h"

#include <stdio.h>
#include <unistd.h>

#define MINIMAL "fprocess=cat"

static void defaults_are_those_of_the_classic_watchdog(void **state)
{
    _cleanup_(wd_config_deinit) struct wd_config c = {0};
    char *env[] = {MINIMAL, NULL};

    (void)state;
    assert_int_equal(wd_config_load(&c, env, WD_CLASSIC_WATCHDOG, NULL), 0);
    assert_string_equal(c.fprocess, "cat");
    assert_int_equal(c.mode, WD_CLASSIC);
    assert_int_equal(c.port, 8080);
    assert_int_equal(c.metrics_port, 8081);
    assert_int_equal(c.listen_fd, -1);
    assert_int_equal(c.read_timeout_ms, 30000);
    assert_int_equal(c.write_timeout_ms, 30000);
    assert_int_equal(c.exec_timeout_ms, 0);
    assert_int_equal(c.healthcheck_interval_ms, 30000);
    assert_null(c.content_type);
    assert_string_equal(c.lock_path, "/tmp/.lock");
    assert_int_equal(c.max_inflight, 0);
    assert_int_equal(c.max_body_size, 0);
    assert_true(c.cgi_headers && c.combine_output);
    assert_false(c.suppress_lock || c.marshal_request || c.write_debug || c.debug_headers);
    assert_int_equal(c.warnings.len, 0);
}

static void timeouts_are_seconds_or_durations_and_else_the_default(void **state)
{
    static const struct {
        const char *text;
        int64_t want_ms;
        bool warned;
    } cases[] = {
        {"", 30000, false},
        {"0", 0, false},
        {"5", 5000, false},
        {"+5", 5000, false},
        {"1.5s", 1500, false},
        {"1m30s", 90000, false},
        {"100us", 1, false},
        {"-5s", 0, false},
        {"0s", 0, false},
        {"-5", 30000, true},
        {"1.5", 30000, true},
        {"10 s", 30000, true},
        {"1d", 30000, true},
        {"9223372036854775807", INT64_MAX / 1000000, false},
        {"9223372036854775807ns", INT64_MAX / 1000000, false},
        {"99999999999999999999", 30000, true},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(wd_config_deinit) struct wd_config c = {0};
        char entry[64];
        char *env[] = {MINIMAL, entry, NULL};

        snprintf(entry, sizeof(entry), "read_timeout=%s", cases[i].text);
        print_message("%s\n", entry);
        assert_int_equal(wd_config_load(&c, env, WD_CLASSIC_WATCHDOG, NULL), 0);
        assert_int_equal(c.read_timeout_ms, cases[i].want_ms);
        assert_int_equal(c.warnings.len > 0, cases[i].warned);
        if (cases[i].warned)
            assert_non_null(strstr(c.warnings.items[0], "read_timeout"));
    }
}

static void only_true_is_true(void **state)
{
    static const struct {
        const char *text;
        bool suppress_lock, cgi_headers; /* default false, default true */
    } cases[] = {
        {"true", true, true},   {"", false, true},     {"false", false, false}, {"1", false, false},
        {"True", false, false}, {"yes", false, false}, {"true ", false, false},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(wd_config_deinit) struct wd_config c = {0};
        char lock[64], cgi[64];
        char *env[] = {MINIMAL, lock, cgi, NULL};

        snprintf(lock, sizeof(lock), "suppress_lock=%s", cases[i].text);
        snprintf(cgi, sizeof(cgi), "cgi_headers=%s", cases[i].text);
        print_message("%s\n", lock);
        assert_int_equal(wd_config_load(&c, env, WD_CLASSIC_WATCHDOG, NULL), 0);
        assert_int_equal(c.suppress_lock, cases[i].suppress_lock);
        assert_int_equal(c.cgi_headers, cases[i].cgi_headers);
    }
}

static void what_cannot_be_served_is_refused_by_name(void **state)
{
    static const struct {
        const char *env[4];
        const char *named;
    } cases[] = {
        {{"port=8080"}, "fprocess"},
        {{"fprocess="}, "fprocess"},
        {{MINIMAL, "port=abc"}, "port"},
        {{MINIMAL, "port=-1"}, "port"},
        {{MINIMAL, "port=65536"}, "port"},
        {{MINIMAL, "port=80 80"}, "port"},
        {{MINIMAL, "metrics_port=x"}, "metrics_port"},
        {{MINIMAL, "port=8081"}, "metrics_port"},
        {{MINIMAL, "port=9000", "metrics_port=9000"}, "metrics_port"},
        {{MINIMAL, "LISTEN_FDS=2"}, "LISTEN_FDS"},
        {{MINIMAL, "max_body_size=lots"}, "max_body_size"},
        {{MINIMAL, "max_header_bytes=1"}, "max_header_bytes"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(wd_config_deinit) struct wd_config c = {0};
        struct faas_error err = {0};

        print_message("case %zu: %s\n", i, cases[i].named);
        assert_int_equal(wd_config_load(&c, (char *const *)cases[i].env, WD_CLASSIC_WATCHDOG, &err),
                         -1);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        assert_non_null(strstr(err.msg, cases[i].named));
    }
}

static void metrics_can_be_off_and_ports_the_kernels_choice(void **state)
{
    _cleanup_(wd_config_deinit) struct wd_config c = {0};
    char *env[] = {MINIMAL, "port=0", "metrics_port=0", NULL};

    (void)state;
    assert_int_equal(wd_config_load(&c, env, WD_CLASSIC_WATCHDOG, NULL), 0);
    assert_int_equal(c.port, 0);
    assert_int_equal(c.metrics_port, 0);
}

static void an_inherited_socket_is_taken_unless_it_is_for_another_process(void **state)
{
    char mine[64];
    char *anybody[] = {MINIMAL, "LISTEN_FDS=1", "port=8081", NULL};
    char *me[] = {MINIMAL, "LISTEN_FDS=1", mine, NULL};
    char *other[] = {MINIMAL, "LISTEN_FDS=1", "LISTEN_PID=1", NULL};
    struct {
        char *const *env;
        int want;
    } cases[] = {{anybody, 3}, {me, 3}, {other, getpid() == 1 ? 3 : -1}};

    (void)state;
    snprintf(mine, sizeof(mine), "LISTEN_PID=%d", (int)getpid());
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(wd_config_deinit) struct wd_config c = {0};

        assert_int_equal(wd_config_load(&c, cases[i].env, WD_CLASSIC_WATCHDOG, NULL), 0);
        assert_int_equal(c.listen_fd, cases[i].want);
    }
}

static void limits_that_are_none_mean_no_limit(void **state)
{
    static const struct {
        const char *text;
        uint64_t want;
    } cases[] = {{"max_inflight=10", 10},
                 {"max_inflight=0", 0},
                 {"max_inflight=-1", 0},
                 {"max_inflight=x", 0},
                 {"max_inflight=", 0}};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(wd_config_deinit) struct wd_config c = {0};
        const char *env[] = {MINIMAL, cases[i].text, NULL};

        assert_int_equal(wd_config_load(&c, (char *const *)env, WD_CLASSIC_WATCHDOG, NULL), 0);
        assert_int_equal(c.max_inflight, cases[i].want);
    }
}

static void traps_are_warned_of(void **state)
{
    static const struct {
        const char *env[4];
        const char *named;
    } cases[] = {
        {{MINIMAL, "exec_timeout=30s"}, "write_timeout"},
        {{MINIMAL, "function_process=cat"}, "function_process"},
        {{MINIMAL, "combine_output=0"}, "combine_output"},
        {{MINIMAL, "max_inflight=ten"}, "max_inflight"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(wd_config_deinit) struct wd_config c = {0};

        assert_int_equal(wd_config_load(&c, (char *const *)cases[i].env, WD_CLASSIC_WATCHDOG, NULL),
                         0);
        assert_int_equal(c.warnings.len, 1);
        assert_non_null(strstr(c.warnings.items[0], cases[i].named));
    }
}

static void the_lock_file_follows_tmpdir(void **state)
{
    char *with[] = {"TMPDIR=/run/x", NULL};
    char *empty[] = {"TMPDIR=", NULL};
    _cleanup_free_ char *a = wd_lock_path(with);
    _cleanup_free_ char *b = wd_lock_path(empty);

    (void)state;
    assert_string_equal(a, "/run/x/.lock");
    assert_string_equal(b, "/tmp/.lock");
}

static void the_interval_follows_the_write_timeout(void **state)
{
    _cleanup_(wd_config_deinit) struct wd_config c = {0};
    char *env[] = {MINIMAL, "write_timeout=7s", NULL};

    (void)state;
    assert_int_equal(wd_config_load(&c, env, WD_CLASSIC_WATCHDOG, NULL), 0);
    assert_int_equal(c.healthcheck_interval_ms, 7000);
}

static void an_explicit_mode_decides_and_else_the_program_does(void **state)
{
    static const struct {
        const char *mode;
        enum wd_family program;
        enum wd_mode want;
        int64_t exec_timeout_ms; /* tells which family's defaults are in force */
    } cases[] = {
        {"mode=", WD_CLASSIC_WATCHDOG, WD_CLASSIC, 0},
        {"mode=", WD_OF_WATCHDOG, WD_STREAMING, 30000},
        {"mode=classic", WD_OF_WATCHDOG, WD_CLASSIC, 0},
        {"mode=streaming", WD_CLASSIC_WATCHDOG, WD_STREAMING, 30000},
        {"mode=serializing", WD_CLASSIC_WATCHDOG, WD_SERIALIZING, 30000},
        {"mode=http", WD_CLASSIC_WATCHDOG, WD_HTTP, 30000},
        {"mode=static", WD_CLASSIC_WATCHDOG, WD_STATIC, 30000},
        {"mode=production", WD_CLASSIC_WATCHDOG, WD_CLASSIC, 0},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(wd_config_deinit) struct wd_config c = {0};
        const char *env[] = {MINIMAL, cases[i].mode, "upstream_url=http://127.0.0.1:3000", NULL};

        print_message("%s\n", cases[i].mode);
        assert_int_equal(wd_config_load(&c, (char *const *)env, cases[i].program, NULL), 0);
        assert_int_equal(c.mode, cases[i].want);
        assert_int_equal(c.exec_timeout_ms, cases[i].exec_timeout_ms);
    }
}

static void the_program_is_known_by_its_name(void **state)
{
    (void)state;
    assert_int_equal(wd_family_of_program("/usr/bin/of-watchdog"), WD_OF_WATCHDOG);
    assert_int_equal(wd_family_of_program("of-watchdog"), WD_OF_WATCHDOG);
    assert_int_equal(wd_family_of_program("/of-watchdog/fwatchdog"), WD_CLASSIC_WATCHDOG);
    assert_int_equal(wd_family_of_program(NULL), WD_CLASSIC_WATCHDOG);
}

static void of_watchdog_reads_its_settings_its_own_way(void **state)
{
    _cleanup_(wd_config_deinit) struct wd_config c = {0};
    const char *env[] = {"mode=http",
                         "fprocess=old",
                         "function_process=node index.js",
                         "upstream_url=http://127.0.0.1:1",
                         "http_upstream_url=http://127.0.0.1:3000",
                         "suppress_lock=1",
                         "prefix_logs=F",
                         "kill_on_disconnect=0",
                         "log_call_id=t",
                         "buffer_http=1",
                         "log_buffer_size=-1",
                         "ready_path=/ready",
                         "upstream_start_timeout=1m",
                         "upstream_idle_timeout=0",
                         "forward_sigterm=at_once",
                         "stop_timeout=250ms",
                         "restart_on_exit=1",
                         "restart_max_delay=5",
                         NULL};

    (void)state;
    assert_int_equal(wd_config_load(&c, (char *const *)env, WD_CLASSIC_WATCHDOG, NULL), 0);
    assert_string_equal(c.fprocess, "node index.js");
    assert_string_equal(c.upstream_url, "http://127.0.0.1:3000");
    assert_string_equal(c.ready_path, "/ready");
    assert_string_equal(c.content_type, "application/octet-stream");
    assert_true(c.suppress_lock && c.log_callid && c.http_buffer_req_body);
    assert_false(c.prefix_logs || c.kill_on_disconnect);
    assert_true(c.log_buffer_size >= 64 * 1024); /* never without a bound */
    assert_int_equal(c.upstream_start_timeout_ms, 60000);
    assert_int_equal(c.upstream_idle_timeout_ms, 0);
    assert_int_equal(c.stop_timeout_ms, 250);
    assert_int_equal(c.restart_max_delay_ms, 5000);
    assert_true(c.sigterm_at_once && c.restart_on_exit);
}

static void http_mode_has_defaults(void **state)
{
    _cleanup_(wd_config_deinit) struct wd_config c = {0};
    const char *env[] = {"mode=http", MINIMAL, "upstream_url=http://127.0.0.1:1",
                         "forward_sigterm=after_drain", NULL};

    (void)state;
    assert_int_equal(wd_config_load(&c, (char *const *)env, WD_CLASSIC_WATCHDOG, NULL), 0);
    assert_int_equal(c.upstream_start_timeout_ms, 10000);
    assert_int_equal(c.upstream_idle_timeout_ms, 500);
    assert_int_equal(c.stop_timeout_ms, 2000);
    assert_int_equal(c.restart_max_delay_ms, 10000);
    assert_false(c.sigterm_at_once || c.restart_on_exit || c.http_buffer_req_body);
}

static void what_of_watchdog_refuses_is_refused_by_name(void **state)
{
    static const struct {
        const char *env[5];
        const char *named;
        int status;
    } cases[] = {
        {{"mode=streaming"}, "function_process", 1},
        {{"mode=streaming", MINIMAL, "function_process="}, "function_process", 1},
        {{"mode=http", MINIMAL}, "http_upstream_url", 1},
        {{"mode=http", MINIMAL, "upstream_url=x", "forward_sigterm=never"}, "forward_sigterm", 1},
        {{"mode=static", "static_path="}, "static_path", 1},
        {{"mode=streaming", MINIMAL, "write_timeout=0"}, "write_timeout", 1},
        {{"mode=streaming", MINIMAL, "log_buffer_size=big"}, "invalid log_buffer_size value", 1},
        {{"mode=streaming", MINIMAL, "ready_path=ready"}, "ready_path", 1},
        {{"mode=afterburn", MINIMAL}, "unknown watchdog mode: afterburn", 2},
        {{"mode=inproc"}, "unknown watchdog mode: inproc", 2},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(wd_config_deinit) struct wd_config c = {0};
        struct faas_error err = {0};

        print_message("case %zu: %s\n", i, cases[i].named);
        assert_int_equal(wd_config_load(&c, (char *const *)cases[i].env, WD_OF_WATCHDOG, &err), -1);
        assert_non_null(strstr(err.msg, cases[i].named));
        assert_int_equal(c.failure_status, cases[i].status);
    }
}

static void tokens_are_wanted_when_jwt_auth_says_so(void **state)
{
    static const struct {
        const char *env[7];
        const char *gateway, *subject;
        bool debug;
    } cases[] = {
        {{MINIMAL}, NULL, NULL, false},
        {{MINIMAL, "jwt_auth=", "OPENFAAS_NAME=f"}, NULL, NULL, false},
        {{MINIMAL, "jwt_auth=false", "jwt_auth_local=true"}, NULL, NULL, false},
        {{MINIMAL, "jwt_auth=true", "OPENFAAS_NAME=f", "OPENFAAS_NAMESPACE=ns"},
         "http://gateway.openfaas:8080",
         "ns:f",
         false},
        {{MINIMAL, "jwt_auth=1", "OPENFAAS_NAME=f", "OPENFAAS_NAMESPACE=ns", "jwt_auth_local=1",
          "jwt_auth_debug=true"},
         "http://127.0.0.1:8000",
         "ns:f",
         true},
        {{MINIMAL, "jwt_auth=true", "OPENFAAS_NAME=f", "OPENFAAS_NAMESPACE=ns",
          "jwt_auth_url=http://gw:31112/sub"},
         "http://gw:31112/sub",
         "ns:f",
         false},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        for (int program = WD_CLASSIC_WATCHDOG; program <= WD_OF_WATCHDOG; program++) {
            _cleanup_(wd_config_deinit) struct wd_config c = {0};

            print_message("case %zu\n", i);
            assert_int_equal(
                wd_config_load(&c, (char *const *)cases[i].env, (enum wd_family)program, NULL), 0);
            assert_int_equal(c.warnings.len, 0);
            assert_int_equal(c.jwt_debug, cases[i].debug);
            if (!cases[i].gateway) {
                assert_null(c.jwt_gateway);
                continue;
            }
            assert_string_equal(c.jwt_gateway, cases[i].gateway);
            assert_string_equal(c.jwt_subject, cases[i].subject);
            assert_int_equal(c.jwt_start_timeout_ms, 30000);
        }
    }
}

static void a_protection_that_cannot_be_had_is_refused_with_status_1(void **state)
{
    static const struct {
        const char *env[7];
        const char *named;
    } cases[] = {
        {{MINIMAL, "jwt_auth=yes"}, "jwt_auth"},
        {{MINIMAL, "jwt_auth=true", "OPENFAAS_NAMESPACE=n"}, "OPENFAAS_NAME"},
        {{MINIMAL, "jwt_auth=true", "OPENFAAS_NAME=f"}, "OPENFAAS_NAMESPACE"},
        {{MINIMAL, "jwt_auth=true", "OPENFAAS_NAME=f", "OPENFAAS_NAMESPACE=n", "jwt_auth_local=x"},
         "jwt_auth_local"},
        {{MINIMAL, "jwt_auth=true", "OPENFAAS_NAME=f", "OPENFAAS_NAMESPACE=n", "jwt_auth_url=gw"},
         "jwt_auth_url"},
        {{MINIMAL, "jwt_auth=true", "OPENFAAS_NAME=f", "OPENFAAS_NAMESPACE=n",
          "jwt_auth_url=https://gw"},
         "jwt_auth_url"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        for (int program = WD_CLASSIC_WATCHDOG; program <= WD_OF_WATCHDOG; program++) {
            _cleanup_(wd_config_deinit) struct wd_config c = {0};
            struct faas_error err = {0};

            print_message("case %zu\n", i);
            assert_int_equal(
                wd_config_load(&c, (char *const *)cases[i].env, (enum wd_family)program, &err), -1);
            assert_non_null(strstr(err.msg, cases[i].named));
            assert_int_equal(c.failure_status, 1);
        }
    }
}

static void settings_of_the_other_family_are_warned_of_when_they_would_matter(void **state)
{
    static const struct {
        const char *env[4];
        size_t warnings;
    } cases[] = {
        {{"mode=streaming", MINIMAL, "cgi_headers=true"}, 0},
        {{"mode=streaming", MINIMAL, "cgi_headers=false"}, 1},
        {{"mode=streaming", MINIMAL, "write_debug=true"}, 1},
        {{MINIMAL, "upstream_url=http://127.0.0.1:3000"}, 1},
        {{MINIMAL, "mode=production"}, 1},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_(wd_config_deinit) struct wd_config c = {0};

        print_message("case %zu\n", i);
        assert_int_equal(wd_config_load(&c, (char *const *)cases[i].env, WD_CLASSIC_WATCHDOG, NULL),
                         0);
        assert_int_equal(c.warnings.len, cases[i].warnings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_classic_watchdog),
        cmocka_unit_test(timeouts_are_seconds_or_durations_and_else_the_default),
        cmocka_unit_test(only_true_is_true),
        cmocka_unit_test(what_cannot_be_served_is_refused_by_name),
        cmocka_unit_test(metrics_can_be_off_and_ports_the_kernels_choice),
        cmocka_unit_test(an_inherited_socket_is_taken_unless_it_is_for_another_process),
        cmocka_unit_test(limits_that_are_none_mean_no_limit),
        cmocka_unit_test(traps_are_warned_of),
        cmocka_unit_test(the_lock_file_follows_tmpdir),
        cmocka_unit_test(the_interval_follows_the_write_timeout),
        cmocka_unit_test(an_explicit_mode_decides_and_else_the_program_does),
        cmocka_unit_test(the_program_is_known_by_its_name),
        cmocka_unit_test(of_watchdog_reads_its_settings_its_own_way),
        cmocka_unit_test(http_mode_has_defaults),
        cmocka_unit_test(what_of_watchdog_refuses_is_refused_by_name),
        cmocka_unit_test(settings_of_the_other_family_are_warned_of_when_they_would_matter),
        cmocka_unit_test(tokens_are_wanted_when_jwt_auth_says_so),
        cmocka_unit_test(a_protection_that_cannot_be_had_is_refused_with_status_1),
    };
    return cmocka_run_group_tests_name("wd_config", tests, NULL, NULL);
}
