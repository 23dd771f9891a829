#include "libfaas/cleanup.h"
#include "libfaas/redis_url.h"
#include "tests/unit/unit.h"

static void urls_are_taken_apart(void **state)
{
    static const struct {
        const char *text;
        struct faas_redis_url want;
    } cases[] = {
        {"redis://localhost", {.host = "localhost", .port = 6379}},
        {"redis://10.0.0.1:7000/3", {.host = "10.0.0.1", .port = 7000, .db = 3}},
        {"redis://[::1]:7000", {.host = "::1", .port = 7000}},
        {"redis://", {.host = "127.0.0.1", .port = 6379}},
        {"redis://secret@h", {.host = "h", .port = 6379, .password = "secret"}},
        {"redis://:s%40x@h/", {.host = "h", .port = 6379, .password = "s@x"}},
        {"REDIS://u:p@h", {.host = "h", .port = 6379, .user = "u", .password = "p"}},
        {"unix:///run/r.sock", {.path = "/run/r.sock"}},
        {"unix://u:p@/run/r.sock?db=2",
         {.path = "/run/r.sock", .user = "u", .password = "p", .db = 2}},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        const struct faas_redis_url *want = &cases[i].want;
        struct faas_redis_url got;

        print_message("%s\n", cases[i].text);
        assert_int_equal(faas_redis_url_parse(cases[i].text, &got, NULL), 0);
        assert_int_equal(got.port, want->port);
        assert_int_equal(got.db, want->db);
        assert_true(faas_str_eq(faas_str_from(got.host), faas_str_from(want->host)));
        assert_true(faas_str_eq(faas_str_from(got.path), faas_str_from(want->path)));
        assert_true(faas_str_eq(faas_str_from(got.user), faas_str_from(want->user)));
        assert_true(faas_str_eq(faas_str_from(got.password), faas_str_from(want->password)));
        faas_redis_url_deinit(&got);
    }
}

static void what_cannot_be_used_is_refused_without_the_password(void **state)
{
    static const struct {
        const char *text;
        enum faas_code code;
    } cases[] = {
        {"", FAAS_ERR_INVALID},
        {"http://h", FAAS_ERR_INVALID},
        {"localhost:6379", FAAS_ERR_INVALID},
        {"redis://:hunter2@h:x", FAAS_ERR_INVALID},
        {"redis://:hunter2@h:0", FAAS_ERR_INVALID},
        {"redis://:hunter2@h:65536", FAAS_ERR_INVALID},
        {"redis://:hunter2@h/zero", FAAS_ERR_INVALID},
        {"redis://:hunter2%zz@h", FAAS_ERR_INVALID},
        {"redis://:hunter2@h/0?x=1", FAAS_ERR_INVALID},
        {"unix://relative", FAAS_ERR_INVALID},
        {"unix:///s?timeout=1", FAAS_ERR_INVALID},
        {"rediss://:hunter2@h", FAAS_ERR_UNSUPPORTED},
        {"redis+sentinel://:hunter2@h", FAAS_ERR_UNSUPPORTED},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_redis_url got;
        struct faas_error err = {0};

        print_message("%s\n", cases[i].text);
        assert_int_equal(faas_redis_url_parse(cases[i].text, &got, &err), -1);
        assert_int_equal(err.code, cases[i].code);
        assert_null(strstr(err.msg, "hunter2"));
        faas_redis_url_deinit(&got);
    }
}

static void what_is_shown_has_no_password(void **state)
{
    struct faas_redis_url url;
    _cleanup_free_ char *text = NULL;

    (void)state;
    assert_int_equal(faas_redis_url_parse("redis://u:hunter2@[::1]:7/2", &url, NULL), 0);
    text = faas_redis_url_format(&url);
    assert_string_equal(text, "redis://[::1]:7/2");
    faas_redis_url_deinit(&url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(what_cannot_be_used_is_refused_without_the_password),
        cmocka_unit_test(what_is_shown_has_no_password),
    };
    return cmocka_run_group_tests_name("redis_url", tests, NULL, NULL);
}
