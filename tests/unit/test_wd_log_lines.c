#include "tests/unit/unit.h"
#include "watchdog/log_lines.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { MAX_LINE = 8 };

/* The text fed in pieces of this size, and what was logged. */
static void check(const char *text, size_t piece, const char *want)
{
    struct wd_log log;
    struct wd_log_lines lines = {.log = &log, .max_line = MAX_LINE};
    size_t len = strlen(text);
    char got[256] = "";
    int fds[2];

    print_message("  %s in pieces of %zu\n", text, piece);
    assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    wd_log_init(&log, &faas_system_clock);
    log.err.fd = fds[1];
    for (size_t at = 0; at < len; at += piece) {
        const struct faas_str data = {.ptr = text + at, .len = FAAS_MIN(piece, len - at)};

        wd_log_lines_feed(&lines, data);
        assert_true(lines.unfinished.len <= MAX_LINE);
    }
    wd_log_lines_end(&lines);
    wd_log_deinit(&log);
    close(fds[1]);
    (void)!read(fds[0], got, sizeof(got) - 1);
    close(fds[0]);
    assert_string_equal(got, want);
}

static void lines_do_not_depend_on_how_they_were_read(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {"a\n", "a\n"},
        {"\n\na\n", "\n\na\n"},
        {"a\r\n\rb\r\n", "a\n\rb\n"},
        {"last", "last\n"},
        {"12345678\n", "12345678\n"},
        {"123456789\nx\n", "12345678\n9\nx\n"},
        {"1234567812345678\n", "12345678\n12345678\n"},
        {"1234567812345678", "12345678\n12345678\n"},
        {"1234567\r8\r\n", "1234567\r\n8\n"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++)
        for (size_t piece = 1; piece <= strlen(cases[i].in) + 1; piece++)
            check(cases[i].in, piece, cases[i].out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_do_not_depend_on_how_they_were_read),
    };
    return cmocka_run_group_tests_name("wd_log_lines", tests, NULL, NULL);
}
