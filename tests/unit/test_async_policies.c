#include "gateway/async/fn_limits.h"
#include "gateway/async/host_policy.h"
#include "gateway/async/retry_policy.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* --- retries --- */

static const struct gw_retry_policy base = {
    .attempts = 10,
    .codes = {429, 503},
    .n_codes = 2,
    .min_wait_ms = 10000,
    .max_wait_ms = 120000,
};

static void annotations_beat_the_settings_where_they_can_be_read(void **state)
{
    _cleanup_(faas_map_deinit) struct faas_map a = {0};
    struct gw_retry_policy p = base;
    struct faas_error err = {0};

    (void)state;
    faas_map_set(&a, "com.openfaas.retry.attempts", "3");
    faas_map_set(&a, "com.openfaas.retry.codes", "500, 504");
    faas_map_set(&a, "com.openfaas.retry.min_wait", "1s");
    faas_map_set(&a, "com.openfaas.retry.max_wait", "soon");
    assert_int_equal(gw_retry_annotate(&p, &a, &err), -1);
    assert_string_equal(err.msg,
                        "annotation com.openfaas.retry.max_wait: \"soon\" is not a duration "
                        "such as 10s");
    assert_int_equal(p.attempts, 3);
    assert_int_equal(p.n_codes, 2);
    assert_int_equal(p.codes[1], 504);
    assert_int_equal(p.min_wait_ms, 1000);
    assert_int_equal(p.max_wait_ms, 120000);
    faas_map_set(&a, "com.openfaas.retry.attempts", "0");
    faas_map_set(&a, "com.openfaas.retry.codes", "500,abc");
    assert_int_equal(gw_retry_annotate(&p, &a, &err), -1);
    assert_string_equal(err.msg,
                        "annotation com.openfaas.retry.attempts: \"0\" is not a number from "
                        "1 to 10000"); /* the first of the three */
    assert_int_equal(p.attempts, 3);
    assert_int_equal(p.codes[0], 500);
}

static void a_policy_survives_its_journey(void **state)
{
    static const char *const refused[] = {
        "",          "1",         "0 1 1 0 ", "1 1 1 3 500", "1 1 1 0",
        "1 1 1 0 x", "-1 1 1 0 ", "x 1 1 0 ", "10001 1 1 0 "};
    _cleanup_buf_ struct faas_buf text = {0};
    struct gw_retry_policy p = base, got = {0};

    (void)state;
    p.jitter = GW_JITTER_EQUAL;
    gw_retry_format(&p, &text);
    assert_string_equal(text.data, "10 10000 120000 2 429,503");
    assert_true(gw_retry_parse(faas_buf_str(&text), &got));
    assert_memory_equal(&p, &got, sizeof(p));
    for (size_t i = 0; i < FAAS_ARRAY_LEN(refused); i++) {
        print_message("\"%s\"\n", refused[i]);
        assert_false(gw_retry_parse(faas_str_from(refused[i]), &got));
    }
}

static void the_platforms_own_errors_are_always_worth_another_attempt(void **state)
{
    (void)state;
    assert_true(gw_retry_wanted(&base, 503, false));
    assert_false(gw_retry_wanted(&base, 500, false));
    assert_true(gw_retry_wanted(&base, 500, true));
    assert_false(gw_retry_wanted(&base, 200, true));
}

static void waits_double_up_to_the_longest(void **state)
{
    static const struct {
        int64_t n, want_ms;
    } cases[] = {{1, 10000}, {2, 20000}, {4, 80000}, {5, 120000}, {1000000, 120000}};
    struct gw_retry_policy p = base;

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++)
        assert_int_equal(gw_retry_wait_ms(&p, cases[i].n, 7), cases[i].want_ms);
    p.jitter = GW_JITTER_FULL;
    assert_int_equal(gw_retry_wait_ms(&p, 1, 0), 0);
    assert_int_equal(gw_retry_wait_ms(&p, 1, 10000), 10000);
    p.jitter = GW_JITTER_EQUAL;
    assert_int_equal(gw_retry_wait_ms(&p, 1, 0), 5000);
    assert_int_equal(gw_retry_wait_ms(&p, 1, 5000), 10000);
    p = (struct gw_retry_policy){.attempts = 2, .max_wait_ms = 1000};
    assert_int_equal(gw_retry_wait_ms(&p, INT64_MAX, 7), 0); /* and at once */
    p = (struct gw_retry_policy){.attempts = 2, .max_wait_ms = INT64_MAX, .min_wait_ms = INT64_MAX};
    assert_int_equal(gw_retry_wait_ms(&p, 5, 7), INT64_MAX);
}

static void retry_after_is_read_and_kept_within_reason(void **state)
{
    static const struct {
        const char *header;
        int64_t want_ms;
    } cases[] = {
        {"", -1},
        {"soon", -1},
        {"-5", -1},
        {"30", 30000},
        {"1", 10000},
        {"99999999", 3600000},
        {"Sun, 06 Nov 1994 08:50:07 GMT", 30000},
        {"Sun, 06 Nov 1994 08:00:00 GMT", 10000},
        {"Sun, 06 Nov 2094 08:00:00 GMT", 3600000},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        print_message("%s\n", cases[i].header);
        assert_int_equal(gw_retry_after_ms(&base, faas_str_from(cases[i].header), 784111777),
                         cases[i].want_ms);
    }
}

/* --- hosts --- */

static void hosts_are_allowed_unless_they_are_denied(void **state)
{
    static const struct {
        const char *allow, *deny, *host;
        bool want;
    } cases[] = {
        {"*", "", "example.org", true},
        {"*", "10.0.0.0/8", "10.1.2.3", false},
        {"*", "10.0.0.0/8", "11.1.2.3", true},
        {"*", "10.0.0.0/8", "::ffff:10.1.2.3", false},
        {"*", "fe80::/10", "fe80::1", false},
        {"*", "fe80::/10", "fec0::1", true},
        {"*", "0.0.0.0/0", "1.2.3.4", false},
        {"*", "0.0.0.0/0", "2001::1", true},
        {"*", "metadata.internal", "Metadata.Internal.", false},
        {"*", "*.internal", "a.b.internal", false},
        {"*", "*.internal", "internal", true},
        {"example.org, *.example.org", "", "api.example.org", true},
        {"example.org, *.example.org", "", "example.org", true},
        {"example.org", "", "evil-example.org", false},
        {"127.0.0.1", "", "127.0.0.1", true},
        {"127.0.0.1", "", "127.0.0.2", false},
        {"", "", "example.org", false},
        {"*", "127.0.0.0/8", "0.0.0.0", false}, /* which is this machine */
        {"*", "127.0.0.0/8", "::ffff:0.0.0.0", false},
        {"*", "127.0.0.0/8", "64:ff9b::127.0.0.1", false},
        {"*", "127.0.0.0/8", "64:ff9b::128.0.0.1", true},
        {"*", "::1", "::", false},
        {"*", "::1", "::2", true},
        {"127.0.0.0/8", "", "0.0.0.0", false},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct gw_host_policy *p = gw_host_policy_new(cases[i].allow, cases[i].deny, NULL);

        print_message("%s / %s: %s\n", cases[i].allow, cases[i].deny, cases[i].host);
        assert_int_equal(gw_host_policy_allows(p, faas_str_from(cases[i].host)), cases[i].want);
        gw_host_policy_free(p);
    }
}

static void addresses_are_judged_as_well_as_names(void **state)
{
    struct gw_host_policy *p = gw_host_policy_new("*", "169.254.0.0/16", NULL);
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    (void)state;
    inet_pton(AF_INET, "169.254.169.254", &v4.sin_addr);
    assert_false(gw_host_policy_allows_addr(p, (struct sockaddr *)&v4));
    inet_pton(AF_INET, "169.253.0.1", &v4.sin_addr);
    assert_true(gw_host_policy_allows_addr(p, (struct sockaddr *)&v4));
    inet_pton(AF_INET6, "::ffff:169.254.0.1", &v6.sin6_addr);
    assert_false(gw_host_policy_allows_addr(p, (struct sockaddr *)&v6));
    gw_host_policy_free(p);
    p = gw_host_policy_new("*", "127.0.0.1,::1", NULL);
    inet_pton(AF_INET, "0.0.0.0", &v4.sin_addr);
    assert_false(gw_host_policy_allows_addr(p, (struct sockaddr *)&v4));
    inet_pton(AF_INET6, "::", &v6.sin6_addr);
    assert_false(gw_host_policy_allows_addr(p, (struct sockaddr *)&v6));
    gw_host_policy_free(p);
}

static void lists_that_cannot_be_read_are_refused_by_name(void **state)
{
    static const char *const bad[] = {"10.0.0.0/33", "fe80::/129", "a b",    "http://x", "x/8",
                                      "10.0.0.0/",   "*evil.org",  "evil.*", "*."};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(bad); i++) {
        struct faas_error err = {0};

        print_message("%s\n", bad[i]);
        assert_null(gw_host_policy_new("*", bad[i], &err));
        assert_non_null(strstr(err.msg, "callback_deny"));
    }
}

static void a_host_is_taken_out_of_a_url_or_the_url_refused(void **state)
{
    static const struct {
        const char *url, *want; /* NULL: refused */
    } cases[] = {
        {"http://example.org/x", "example.org"},
        {"HTTPS://example.org:8443?x", "example.org"},
        {"http://[::1]:80/", "::1"},
        {"http://example.org", "example.org"},
        {"ftp://example.org/", NULL},
        {"http://", NULL},
        {"http:///x", NULL},
        {"http://user:pw@example.org/", NULL},
        {"http://a@169.254.169.254/", NULL},
        {"http://example.org\\@evil/", NULL},
        {"http://example.org/ x", NULL},
        {"http://[]/", NULL},
        {"http://[::1/", NULL},
        {"example.org", NULL},
        {"http://a_b.example-1.org.:/", "a_b.example-1.org."},
        {"http://example.org:65535", "example.org"},
        {"http://[::ffff:10.0.0.1]", "::ffff:10.0.0.1"},
        {"http://example%2eorg/", NULL}, /* what libcurl would make of these has not been judged */
        {"http://\xef\xbd\x85xample.org/", NULL},
        {"http://example\xe3\x80\x82org/", NULL},
        {"http://*/", NULL},
        {"http://[zz]/", NULL},
        {"http://[10.0.0.1]/", NULL},
        {"http://[fe80::1%25eth0]/", NULL},
        {"http://[::1]x/", NULL},
        {"http://[::1]:x/", NULL},
        {"http://example.org:0/", NULL},
        {"http://example.org:65536/", NULL},
        {"http://example.org:80:80/", NULL},
        {"http://:80/", NULL},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_str host;

        print_message("%s\n", cases[i].url);
        assert_int_equal(gw_url_host(faas_str_from(cases[i].url), &host), cases[i].want != NULL);
        if (cases[i].want)
            assert_true(faas_str_eqz(host, cases[i].want));
    }
}

static void a_location_is_seen_from_the_url_that_it_came_from(void **state)
{
    static const struct {
        const char *url, *to, *want;
    } cases[] = {
        {"http://a:80/b/c?d=/e#/f", "/new", "http://a:80/new"},
        {"http://a:80?d=/e", "/new?x", "http://a:80/new?x"},
        {"http://a#/f", "/new", "http://a/new"},
        {"http://a", "/new", "http://a/new"},
        {"http://a/b/c?d=/e", "new", "http://a/b/new"},
        {"http://a", "new", "http://a/new"},
        {"http://a/b/c?d", "?e", "http://a/b/c?e"},
        {"http://a", "?e", "http://a/?e"},
        {"HTTPS://a/b", "//c:81/d", "HTTPS://c:81/d"},
        {"http://a/b", "https://c", "https://c"},
        {"http://a/b", "ftp://c/", "ftp://c/"},
        {"http://a/b", "/c:d", "http://a/c:d"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_free_ char *got = gw_url_resolve(cases[i].url, faas_str_from(cases[i].to));

        assert_string_equal(got, cases[i].want);
    }
}

/* --- limits --- */

static void a_fixed_limit_holds_for_each_function(void **state)
{
    struct gw_fn_limits l = {.fixed = 2};
    struct gw_fn_limit *a, *b;

    (void)state;
    a = gw_fn_limit_enter(&l, FAAS_STR("a"));
    b = gw_fn_limit_enter(&l, FAAS_STR("a"));
    assert_non_null(a);
    assert_ptr_equal(a, b);
    assert_null(gw_fn_limit_enter(&l, FAAS_STR("a")));
    assert_non_null(gw_fn_limit_enter(&l, FAAS_STR("b")));
    gw_fn_limit_leave(&l, a, 200);
    assert_non_null(gw_fn_limit_enter(&l, FAAS_STR("a")));
    gw_fn_limits_deinit(&l);
}

static void the_limit_falls_with_429_and_rises_with_success(void **state)
{
    struct gw_fn_limits l = {0};
    struct gw_fn_limit *f = NULL;

    (void)state;
    for (int i = 0; i < 10; i++)
        f = gw_fn_limit_enter(&l, FAAS_STR("a"));
    gw_fn_limit_leave(&l, f, 429);
    assert_int_equal((int)f->limit, 7);
    assert_null(gw_fn_limit_enter(&l, FAAS_STR("a"))); /* nine run */
    for (int i = 0; i < 9; i++)
        gw_fn_limit_leave(&l, f, 200);
    assert_int_equal((int)f->limit, 8);
    for (int i = 0; i < 40; i++) {
        f = gw_fn_limit_enter(&l, FAAS_STR("a"));
        gw_fn_limit_leave(&l, f, 429);
    }
    assert_int_equal((int)f->limit, 1); /* one is always let through */
    gw_fn_limits_deinit(&l);
}

static void functions_that_do_not_complain_are_forgotten(void **state)
{
    struct gw_fn_limits l = {0};

    (void)state;
    gw_fn_limit_leave(&l, gw_fn_limit_enter(&l, FAAS_STR("a")), 200);
    assert_int_equal(l.n, 0);
    gw_fn_limits_deinit(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(annotations_beat_the_settings_where_they_can_be_read),
        cmocka_unit_test(a_policy_survives_its_journey),
        cmocka_unit_test(the_platforms_own_errors_are_always_worth_another_attempt),
        cmocka_unit_test(waits_double_up_to_the_longest),
        cmocka_unit_test(retry_after_is_read_and_kept_within_reason),
        cmocka_unit_test(hosts_are_allowed_unless_they_are_denied),
        cmocka_unit_test(addresses_are_judged_as_well_as_names),
        cmocka_unit_test(lists_that_cannot_be_read_are_refused_by_name),
        cmocka_unit_test(a_host_is_taken_out_of_a_url_or_the_url_refused),
        cmocka_unit_test(a_location_is_seen_from_the_url_that_it_came_from),
        cmocka_unit_test(a_fixed_limit_holds_for_each_function),
        cmocka_unit_test(the_limit_falls_with_429_and_rises_with_success),
        cmocka_unit_test(functions_that_do_not_complain_are_forgotten),
    };
    return cmocka_run_group_tests_name("async_policies", tests, NULL, NULL);
}
