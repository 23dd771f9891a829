#include "tests/unit/unit.h"
#include "watchdog/line_log.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

struct fixture {
    struct faas_fake_clock clock;
    struct wd_log log;
    int fds[2]; /* where the log goes to */
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){0};
    setenv("TZ", "UTC", 1);
    if (pipe2(f.fds, O_NONBLOCK) < 0)
        return -1;
    fcntl(f.fds[1], F_SETFL, 0); /* a writer that would wait */
    faas_fake_clock_init(&f.clock, INT64_C(1767323045) * 1000000000);
    wd_log_init(&f.log, &f.clock.clock);
    f.log.err.fd = f.fds[1];
    f.log.out.fd = f.fds[1];
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    close(f->fds[0]);
    wd_log_deinit(&f->log);
    close(f->fds[1]);
    return 0;
}

static size_t read_all(struct fixture *f, struct faas_buf *into)
{
    ssize_t n;

    while ((n = read(f->fds[0], faas_buf_reserve(into, 65536), 65536)) > 0)
        into->len += (size_t)n;
    faas_buf_append(into, "", 0);
    return into->len;
}

static void lines_carry_the_local_time(void **state)
{
    struct fixture *f = *state;
    _cleanup_buf_ struct faas_buf got = {0};

    wd_logf(&f->log, "Listening on port: %d", 8080);
    faas_fake_clock_advance_ms(&f->clock, 61000);
    wd_logf(&f->log, "ends itself\n");
    assert_int_equal(read_all(f, &got), 0); /* not before the flush */
    assert_true(wd_log_flush(&f->log));
    read_all(f, &got);
    assert_string_equal(got.data, "2026/01/02 03:04:05 Listening on port: 8080\n"
                                  "2026/01/02 03:05:06 ends itself\n");
}

static void texts_of_functions_are_one_record_whatever_they_hold(void **state)
{
    struct fixture *f = *state;
    _cleanup_buf_ struct faas_buf got = {0};
    static const char want[] = "2026/01/02 03:04:05 stderr: a%s\0b\nc... (7 more bytes)\n";

    wd_log_text(&f->log, "stderr: ", FAAS_STR("a%s\0b\nc"), 7);
    wd_log_flush(&f->log);
    assert_int_equal(read_all(f, &got), sizeof(want) - 1);
    assert_memory_equal(got.data, want, sizeof(want) - 1);
}

static void stdout_is_bare(void **state)
{
    struct fixture *f = *state;
    _cleanup_buf_ struct faas_buf got = {0};

    wd_log_stdout(&f->log, FAAS_STR("[in] A=[b]\n"));
    wd_log_flush(&f->log);
    read_all(f, &got);
    assert_string_equal(got.data, "[in] A=[b]\n");
}

static void a_stalled_reader_costs_lines_but_never_time_or_memory(void **state)
{
    struct fixture *f = *state;
    _cleanup_buf_ struct faas_buf got = {0};
    size_t lines = 0;

    for (int i = 0; i < 20000; i++) {
        wd_logf(&f->log, "line %05d of many that nobody reads for now", i);
        if (i % 100 == 0)
            wd_log_flush(&f->log); /* would block for ever if it could */
    }
    assert_false(wd_log_flush(&f->log));
    assert_true(f->log.err.pending.len < 512 * 1024);
    for (int i = 0; i < 50; i++) {
        wd_log_flush(&f->log);
        read_all(f, &got);
    }
    assert_true(wd_log_flush(&f->log));
    read_all(f, &got);
    assert_non_null(strstr(got.data, "line 00000 "));
    assert_null(strstr(got.data, "line 19999 "));
    assert_non_null(strstr(got.data, " log lines dropped"));
    for (const char *p = got.data; *p; p = strchr(p, '\n') + 1, lines++)
        assert_memory_equal(p, "2026/01/02 03:04:05 ", 20); /* only whole lines are missing */
    assert_true(lines > 1000);
}

static void a_reader_that_is_gone_is_forgotten(void **state)
{
    struct fixture *f = *state;
    int other[2];

    assert_int_equal(pipe(other), 0);
    close(other[0]);
    signal(SIGPIPE, SIG_IGN);
    f->log.err.fd = other[1];
    wd_logf(&f->log, "to nobody");
    assert_true(wd_log_flush(&f->log));
    close(other[1]);
    f->log.err.fd = f->fds[1];
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_carry_the_local_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(texts_of_functions_are_one_record_whatever_they_hold,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(stdout_is_bare, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stalled_reader_costs_lines_but_never_time_or_memory,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_that_is_gone_is_forgotten, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("wd_line_log", tests, NULL, NULL);
}
