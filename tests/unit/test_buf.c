#include "libfaas/buf.h"
#include "tests/unit/unit.h"

static void an_empty_buffer_is_valid_everywhere(void **state)
{
    struct faas_buf b = {0};
    char *s;

    (void)state;
    faas_buf_clear(&b);
    faas_buf_consume(&b, 5);
    assert_int_equal(faas_buf_str(&b).len, 0);
    assert_non_null(faas_buf_str(&b).ptr);
    faas_buf_append(&b, NULL, 0);
    assert_string_equal(b.data, "");
    faas_buf_deinit(&b);
    s = faas_buf_steal(&b);
    assert_string_equal(s, "");
    free(s);
}

static void appending_keeps_the_text_terminated(void **state)
{
    _cleanup_buf_ struct faas_buf b = {0};

    (void)state;
    faas_buf_append_z(&b, "n=");
    faas_buf_append_u64(&b, 0);
    faas_buf_append_c(&b, ' ');
    faas_buf_append_u64(&b, UINT64_MAX);
    faas_buf_append_str(&b, FAAS_STR("\0x"));
    assert_int_equal(b.len, 2 + 1 + 1 + 20 + 2);
    assert_memory_equal(b.data, "n=0 18446744073709551615\0x", b.len + 1);
}

/* Every fill level around a growth, so that an off-by-one of the NUL is seen by ASan. */
static void growth_keeps_what_was_there(void **state)
{
    (void)state;
    for (size_t n = 0; n < 300; n++) {
        _cleanup_buf_ struct faas_buf b = {0};

        for (size_t i = 0; i < n; i++)
            faas_buf_append_c(&b, (char)('a' + i % 26));
        memset(faas_buf_reserve(&b, n), '!', n);
        b.len += n;
        faas_buf_append_z(&b, "?");
        assert_int_equal(b.len, 2 * n + 1);
        assert_true(b.cap > b.len);
        for (size_t i = 0; i < n; i++)
            assert_true(b.data[i] == (char)('a' + i % 26) && b.data[n + i] == '!');
        assert_string_equal(b.data + 2 * n, "?");
    }
}

static void printf_works_at_any_length(void **state)
{
    _cleanup_buf_ struct faas_buf b = {0};
    char long_text[501];

    (void)state;
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    faas_buf_printf(&b, "%d-", 7);
    faas_buf_printf(&b, "%s", long_text);
    assert_int_equal(b.len, 502);
    assert_memory_equal(b.data, "7-xx", 4);
    assert_string_equal(b.data + 2, long_text);
    for (size_t n = 55; n < 70; n++) { /* around the room that is made at first */
        _cleanup_buf_ struct faas_buf c = {0};

        faas_buf_printf(&c, "%.*s", (int)n, long_text);
        assert_int_equal(c.len, n);
        assert_int_equal(strlen(c.data), n);
    }
}

static void consuming_and_stealing(void **state)
{
    struct faas_buf b = {0};
    char *s;

    (void)state;
    faas_buf_append_z(&b, "hello");
    faas_buf_consume(&b, 0);
    faas_buf_consume(&b, 2);
    assert_string_equal(b.data, "llo");
    memcpy(faas_buf_reserve(&b, 2), "!!", 2);
    b.len += 2; /* no NUL behind it yet */
    faas_buf_consume(&b, 1);
    assert_string_equal(b.data, "lo!!");
    s = faas_buf_steal(&b);
    assert_string_equal(s, "lo!!");
    free(s);
    assert_null(b.data);
    assert_int_equal(b.len + b.cap, 0);
    faas_buf_append_z(&b, "x");
    faas_buf_consume(&b, 99);
    assert_int_equal(b.len, 0);
    faas_buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_is_valid_everywhere),
        cmocka_unit_test(appending_keeps_the_text_terminated),
        cmocka_unit_test(growth_keeps_what_was_there),
        cmocka_unit_test(printf_works_at_any_length),
        cmocka_unit_test(consuming_and_stealing),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
