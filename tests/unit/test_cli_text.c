/* The small pure pieces: time layouts, JSON streams, invocations. */
#include "cli/invocation.h"
#include "cli/json_stream.h"
#include "cli/timefmt.h"
#include "tests/unit/unit.h"

/* 2024-03-05 07:08:09.012345678 UTC, a Tuesday. */
static const int64_t moment = 1709622489012345678;

static void layouts_work_as_gos_do(void **state)
{
    static const char *const cases[][2] = {
        {"2006-01-02T15:04:05Z07:00", "2024-03-05T07:08:09Z"},
        {"rfc3339nano", "2024-03-05T07:08:09.012345678Z"},
        {"ANSIC", "Tue Mar  5 07:08:09 2024"},
        {"unixdate", "Tue Mar  5 07:08:09 UTC 2024"},
        {"rubydate", "Tue Mar 05 07:08:09 +0000 2024"},
        {"rfc822", "05 Mar 24 07:08 UTC"},
        {"rfc850", "Tuesday, 05-Mar-24 07:08:09 UTC"},
        {"rfc1123z", "Tue, 05 Mar 2024 07:08:09 +0000"},
        {"3:04:05.000PM", "7:08:09.012AM"},
        {"January 2 1 .99", "March 5 3 .01"},
        {"002 -07:00", "065 +00:00"},
        {"nothing here", "nothing here"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf out = {0};

        cli_time_format(&out, moment, cli_time_layout(cases[i][0]));
        assert_string_equal(out.data ? out.data : "", cases[i][1]);
    }
}

static void times_before_1970_count_down(void **state)
{
    _cleanup_buf_ struct faas_buf out = {0};

    (void)state;
    cli_time_format(&out, -500000000, "2006-01-02T15:04:05.0Z");
    assert_string_equal(out.data, "1969-12-31T23:59:59.5Z");
}

static int collect(void *arg, struct faas_str text, struct faas_error *err)
{
    (void)err;
    faas_buf_append_str(arg, text);
    faas_buf_append_c(arg, '|');
    return 0;
}

static void objects_are_cut_out_however_the_bytes_arrive(void **state)
{
    static const char stream[] = "{\"a\":\"}{\\\"\"}\n\n{\"b\":[{}]} {\"c\":1}{}\n";
    static const char objects[] = "{\"a\":\"}{\\\"\"}|{\"b\":[{}]}|{\"c\":1}|{}|";

    (void)state;
    for (size_t piece = 1; piece < sizeof(stream); piece++) {
        _cleanup_buf_ struct faas_buf got = {0};
        struct cli_json_stream s = {.object = collect, .arg = &got};

        for (size_t at = 0; at < sizeof(stream) - 1; at += piece) {
            struct faas_str part = {.ptr = stream + at,
                                    .len = FAAS_MIN(piece, sizeof(stream) - 1 - at)};

            assert_int_equal(cli_json_stream_feed(&s, part, NULL), 0);
        }
        assert_string_equal(got.data, objects);
        cli_json_stream_deinit(&s);
    }
}

static void bytes_between_objects_end_a_stream(void **state)
{
    static const char *const cases[] = {"x", "{}x", "[1]", "\"a\"", "}"};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf got = {0};
        struct cli_json_stream s = {.object = collect, .arg = &got};

        assert_int_equal(cli_json_stream_feed(&s, faas_str_from(cases[i]), NULL), -1);
        cli_json_stream_deinit(&s);
    }
}

/* URL and headers, one a line, of an invocation of f; or the error. */
static void invoke(char out[1024], const struct cli_invoke_options *o, const char *gateway,
                   const char *body)
{
    _cleanup_(cli_invocation_deinit) struct cli_invocation inv = {0};
    _cleanup_stack_ struct cli_stack stack = {0};
    struct faas_error err = {0};

    assert_int_equal(cli_stack_parse(&stack,
                                     FAAS_STR("provider: {name: openfaas}\nfunctions:\n"
                                              "  in-media: {namespace: media}\n"),
                                     "s", NULL, NULL),
                     0);
    faas_buf_append_z(&inv.body, body);
    out[0] = '\0';
    if (cli_invocation_build(&inv, o, &stack, gateway, o->name ? o->name : "f", &err) < 0) {
        strcpy(out, err.msg);
        return;
    }
    cli_invocation_sign(&inv, o);
    strcpy(out, inv.url.data);
    faas_strv_for_each(&inv.headers, header) strcat(strcat(out, "\n"), *header);
}

static void the_namespace_is_always_in_the_url(void **state)
{
    static const struct {
        struct cli_invoke_options o;
        const char *gateway;
        const char *request;
    } cases[] = {
        {{.namespace_ = NULL},
         "http://h:8080",
         "http://h:8080/function/f.openfaas-fn\nContent-Type: text/plain"},
        {{.namespace_ = (char *)"dev"},
         "http://h",
         "http://h/function/f.dev\nContent-Type: text/plain"},
        {{.name = (char *)"in-media"},
         "http://h",
         "http://h/function/in-media.media\nContent-Type: text/plain"},
        {{.async = true},
         "https://h/path/x",
         "https://h/async-function/f.openfaas-fn\nContent-Type: text/plain"},
        {{.content_type = (char *)"application/json"},
         "http://h",
         "http://h/function/f.openfaas-fn\nContent-Type: application/json"},
    };
    char request[1024];

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        invoke(request, &cases[i].o, cases[i].gateway, "");
        assert_string_equal(request, cases[i].request);
    }
}

static void headers_queries_and_signatures_are_added(void **state)
{
    struct cli_invoke_options o = {.sign = (char *)"Hmac", .key = (char *)"k"};
    char request[1024];

    (void)state;
    faas_strv_add(&o.query, "b=2 3");
    faas_strv_add(&o.query, "a=&=1");
    faas_strv_add(&o.query, "b=0");
    faas_strv_add(&o.headers, "X-A: b=c: d");
    faas_strv_add(&o.headers, "content-type: text/html");
    invoke(request, &o, "http://h", "{}");
    assert_string_equal(
        request, "http://h/function/f.openfaas-fn?a=%26%3D1&b=2+3&b=0\n"
                 "X-A: b=c: d\n"
                 "content-type: text/html\n"
                 "Hmac: sha256=add853b103fbcc936a194f9eb15e29c4ff08af6e47d5d1bca4f20218e31e4fff");
    o.content_type = (char *)"text/css";
    invoke(request, &o, "http://h", "{}");
    assert_null(strstr(request, "text/html"));
    assert_non_null(strstr(request, "\nContent-Type: text/css\n"));
    faas_strv_deinit(&o.query);
    faas_strv_deinit(&o.headers);
}

static void senseless_invocations_are_refused(void **state)
{
    static const char *const bad_headers[] = {"X", ": v", "K:", "K: a\r\nB: c"};
    struct cli_invoke_options o = {.sign = (char *)"Hmac"};
    char request[1024];

    (void)state;
    invoke(request, &o, "http://h", "");
    assert_string_equal(request, "--sign and --key are only of use together");
    for (size_t i = 0; i < FAAS_ARRAY_LEN(bad_headers); i++) {
        struct cli_invoke_options bad = {0};

        faas_strv_add(&bad.headers, bad_headers[i]);
        invoke(request, &bad, "http://h", "");
        assert_non_null(strstr(request, "flag --header"));
        faas_strv_deinit(&bad.headers);
    }
    o = (struct cli_invoke_options){0};
    faas_strv_add(&o.query, "x");
    invoke(request, &o, "http://h", "");
    assert_string_equal(request, "flag --query: \"x\": must be written KEY=VALUE");
    faas_strv_deinit(&o.query);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_work_as_gos_do),
        cmocka_unit_test(times_before_1970_count_down),
        cmocka_unit_test(objects_are_cut_out_however_the_bytes_arrive),
        cmocka_unit_test(bytes_between_objects_end_a_stream),
        cmocka_unit_test(the_namespace_is_always_in_the_url),
        cmocka_unit_test(headers_queries_and_signatures_are_added),
        cmocka_unit_test(senseless_invocations_are_refused),
    };
    return cmocka_run_group_tests_name("cli_text", tests, NULL, NULL);
}
