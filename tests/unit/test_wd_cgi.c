#include "tests/unit/unit.h"
#include "watchdog/cgi.h"

#include <stdio.h>

#define H(n, v)                            \
    {                                      \
        FAAS_STR_INIT(n), FAAS_STR_INIT(v) \
    }

static char *no_env[] = {NULL};

struct built {
    struct wd_base_env base;
    struct faas_arena arena;
    char **envp;
    struct faas_error err;
};

static void build(struct built *b, char *const *env_vars, const struct wd_cgi_request *req)
{
    *b = (struct built){0};
    wd_base_env_init(&b->base, env_vars);
    b->envp = wd_cgi_env(&b->base, &b->arena, req, &b->err);
}

static void built_deinit(struct built *b)
{
    faas_arena_deinit(&b->arena);
    wd_base_env_deinit(&b->base);
}

/* How often the name is there; *value is what a C program would see. */
static size_t count(const struct built *b, const char *name, const char **value)
{
    size_t n = 0;

    *value = NULL;
    for (char **e = b->envp; *e; e++) {
        if (strncmp(*e, name, strlen(name)) == 0 && (*e)[strlen(name)] == '=') {
            if (n++ == 0)
                *value = *e + strlen(name) + 1;
        }
    }
    return n;
}

static void expect(const struct built *b, const char *name, const char *want)
{
    const char *value;
    size_t n;

    assert_non_null(b->envp);
    n = count(b, name, &value);
    print_message("%s=%s\n", name, value ? value : "(none)");
    assert_int_equal(n, want ? 1 : 0);
    if (want)
        assert_string_equal(value, want);
}

static void a_request_becomes_variables(void **state)
{
    static const struct faas_http_header headers[] = {
        H("Host", "f.example:8080"), H("x-FOO-bar", "one"),   H("X-Foo-Bar", "two"),
        H("x_under_SCORE", "u"),     H("X-Empty", ""),        H("Content-Length", "3"),
        H("Trailer", "X"),           H("!#$%&'*+.^`|~", "v"),
    };
    struct wd_cgi_request req = {
        .method = FAAS_STR("POST"),
        .target = FAAS_STR("/a%20b/c?x=1%202&y"),
        .headers = headers,
        .n_headers = FAAS_ARRAY_LEN(headers),
        .content_length = 3,
    };
    struct built b;

    (void)state;
    build(&b, no_env, &req);
    expect(&b, "Http_X_Foo_Bar", "one");
    expect(&b, "Http_X_under_score", "u");
    expect(&b, "Http_X_Empty", "");
    expect(&b, "Http_Method", "POST");
    expect(&b, "Http_Path", "/a b/c");
    expect(&b, "Http_Query", "x=1%202&y");
    expect(&b, "Http_Host", "f.example:8080");
    expect(&b, "Http_ContentLength", "3");
    expect(&b, "Http_Content_Length", "3");
    expect(&b, "Http_Transfer_Encoding", NULL);
    expect(&b, "Http_Trailer", NULL);
    expect(&b, "Http_!#$%&'*+.^`|~", "v");
    built_deinit(&b);
}

static void of_watchdog_tells_no_host_and_only_the_length_that_was_sent(void **state)
{
    static const struct faas_http_header headers[] = {H("Host", "h"), H("Content-Length", "3")};
    struct wd_cgi_request req = {
        .family = WD_OF_WATCHDOG,
        .method = FAAS_STR("POST"),
        .target = FAAS_STR("http://other/"),
        .headers = headers,
        .n_headers = 2,
        .content_length = 3,
    };
    struct built b;

    (void)state;
    build(&b, no_env, &req);
    expect(&b, "Http_Content_Length", "3");
    expect(&b, "Http_ContentLength", NULL);
    expect(&b, "Http_Host", NULL);
    expect(&b, "Http_Method", "POST");
    built_deinit(&b);
    req.n_headers = 1;
    req.content_length = -1;
    build(&b, no_env, &req);
    expect(&b, "Http_Content_Length", NULL);
    expect(&b, "Http_Transfer_Encoding", "chunked");
    built_deinit(&b);
}

static void chunked_bodies_have_length_minus_one(void **state)
{
    static const struct faas_http_header headers[] = {H("Transfer-Encoding", "gzip, chunked")};
    struct wd_cgi_request req = {
        .method = FAAS_STR("POST"),
        .target = FAAS_STR("/"),
        .headers = headers,
        .n_headers = 1,
        .content_length = -1,
    };
    struct built b;

    (void)state;
    build(&b, no_env, &req);
    expect(&b, "Http_ContentLength", "-1");
    expect(&b, "Http_Content_Length", "-1");
    expect(&b, "Http_Transfer_Encoding", "chunked");
    expect(&b, "Http_Query", NULL);
    built_deinit(&b);
}

static void the_request_line_beats_headers_and_presets(void **state)
{
    static const struct faas_http_header headers[] = {H("Method", "EVIL"), H("Path", "/evil"),
                                                      H("Query", "evil"), H("X-A", "request")};
    char *env[] = {"PATH=/bin",      "Http_Method=PRESET", "Http_X_A=preset",
                   "Http_Keep=kept", "http_x=low",         NULL};
    struct wd_cgi_request req = {
        .method = FAAS_STR("GET"),
        .target = FAAS_STR("/p?q"),
        .headers = headers,
        .n_headers = FAAS_ARRAY_LEN(headers),
    };
    struct built b;

    (void)state;
    build(&b, env, &req);
    expect(&b, "Http_Method", "GET");
    expect(&b, "Http_Path", "/p");
    expect(&b, "Http_Query", "q");
    expect(&b, "Http_X_A", "request");
    expect(&b, "Http_Keep", "kept");
    expect(&b, "PATH", "/bin");
    expect(&b, "http_x", "low");
    built_deinit(&b);
}

static void a_dash_beats_an_underscore_in_either_order(void **state)
{
    static const struct faas_http_header orders[][2] = {
        {H("X-Call-Id", "gateway"), H("X_Call_Id", "client")},
        {H("X_Call_Id", "client"), H("X-Call-Id", "gateway")},
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct wd_cgi_request req = {
            .method = FAAS_STR("GET"),
            .target = FAAS_STR("/"),
            .headers = orders[i],
            .n_headers = 2,
        };
        struct built b;

        build(&b, no_env, &req);
        expect(&b, "Http_X_Call_Id", "gateway");
        built_deinit(&b);
    }
}

static void the_proxy_header_is_dropped(void **state)
{
    static const struct faas_http_header headers[] = {H("pROXY", "http://evil")};
    struct wd_cgi_request req = {
        .method = FAAS_STR("GET"), .target = FAAS_STR("/"), .headers = headers, .n_headers = 1};
    struct built b;

    (void)state;
    build(&b, no_env, &req);
    expect(&b, "Http_Proxy", NULL);
    built_deinit(&b);
}

static void an_absolute_target_names_the_host(void **state)
{
    static const struct faas_http_header headers[] = {H("Host", "header.example")};
    static const struct {
        const char *target, *host, *path, *query;
    } cases[] = {
        {"http://url.example:81/p%2Fq?x", "url.example:81", "/p/q", "x"},
        {"http://user:pass@url.example/", "url.example", "/", NULL},
        {"HTTP://url.example?x", "url.example", NULL, "x"},
        {"/plain", "header.example", "/plain", NULL},
        {"//double//slash/../x", "header.example", "//double//slash/../x", NULL},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct wd_cgi_request req = {
            .method = FAAS_STR("GET"),
            .target = faas_str_from(cases[i].target),
            .headers = headers,
            .n_headers = 1,
        };
        struct built b;

        build(&b, no_env, &req);
        expect(&b, "Http_Host", cases[i].host);
        expect(&b, "Http_Path", cases[i].path);
        expect(&b, "Http_Query", cases[i].query);
        built_deinit(&b);
    }
}

static void what_cannot_stand_in_an_environment_is_refused(void **state)
{
    static const char *const targets[] = {"/a%00b", "/%zz", "/%", "/%2"};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(targets); i++) {
        struct wd_cgi_request req = {.method = FAAS_STR("GET"),
                                     .target = faas_str_from(targets[i])};
        struct built b;

        build(&b, no_env, &req);
        print_message("%s: %s\n", targets[i], b.err.msg);
        assert_null(b.envp);
        assert_int_equal(b.err.code, FAAS_ERR_INVALID);
        built_deinit(&b);
    }
}

static void values_keep_equals_signs_and_foreign_bytes(void **state)
{
    static const struct faas_http_header headers[] = {H("X-A", "a=b=\xff\xfe")};
    struct wd_cgi_request req = {
        .method = FAAS_STR("GET"), .target = FAAS_STR("/"), .headers = headers, .n_headers = 1};
    struct built b;

    (void)state;
    build(&b, no_env, &req);
    expect(&b, "Http_X_A", "a=b=\xff\xfe");
    built_deinit(&b);
}

static void thousands_of_headers_are_each_found_once(void **state)
{
    enum { N = 5000 };
    static struct faas_http_header headers[2 * N];
    static char names[N][16];
    struct wd_cgi_request req = {
        .method = FAAS_STR("GET"), .target = FAAS_STR("/"), .headers = headers, .n_headers = 2 * N};
    struct built b;
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        snprintf(names[i], sizeof(names[i]), "X-%zu", i);
        headers[i] = (struct faas_http_header){faas_str_from(names[i]), FAAS_STR("first")};
        headers[N + i] = (struct faas_http_header){faas_str_from(names[i]), FAAS_STR("second")};
    }
    build(&b, no_env, &req);
    for (char **e = b.envp; *e; e++)
        if (strncmp(*e, "Http_X_", 7) == 0 && strstr(*e, "=first"))
            n++;
        else
            assert_null(strstr(*e, "=second"));
    assert_int_equal(n, N);
    built_deinit(&b);
}

static void the_socket_protocol_is_not_for_functions(void **state)
{
    char *env[] = {"A=1", "LISTEN_FDS=1", "LISTEN_PID=1", "LISTEN_FDNAMES=x", "Http_P=1", NULL};
    struct wd_base_env base;

    (void)state;
    wd_base_env_init(&base, env);
    assert_string_equal(base.all[0], "A=1");
    assert_string_equal(base.all[1], "Http_P=1");
    assert_null(base.all[2]);
    assert_int_equal(base.n_plain, 1);
    assert_int_equal(base.n_http, 1);
    wd_base_env_deinit(&base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_becomes_variables),
        cmocka_unit_test(of_watchdog_tells_no_host_and_only_the_length_that_was_sent),
        cmocka_unit_test(chunked_bodies_have_length_minus_one),
        cmocka_unit_test(the_request_line_beats_headers_and_presets),
        cmocka_unit_test(a_dash_beats_an_underscore_in_either_order),
        cmocka_unit_test(the_proxy_header_is_dropped),
        cmocka_unit_test(an_absolute_target_names_the_host),
        cmocka_unit_test(what_cannot_stand_in_an_environment_is_refused),
        cmocka_unit_test(values_keep_equals_signs_and_foreign_bytes),
        cmocka_unit_test(thousands_of_headers_are_each_found_once),
        cmocka_unit_test(the_socket_protocol_is_not_for_functions),
    };
    return cmocka_run_group_tests_name("wd_cgi", tests, NULL, NULL);
}
