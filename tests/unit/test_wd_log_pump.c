#include "tests/unit/unit.h"
#include "watchdog/log_pump.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MAX_LINE = 16 };

struct fixture {
    struct faas_fake_clock clock;
    struct faas_loop *loop;
    struct wd_log log;
    struct wd_log_pump pump;
    int log_fds[2];  /* what the pump wrote comes out of the first */
    int function_fd; /* what the function would write to */
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){0};
    setenv("TZ", "UTC", 1);
    if (pipe2(f.log_fds, O_NONBLOCK) < 0)
        return -1;
    faas_fake_clock_init(&f.clock, INT64_C(1767323045) * 1000000000);
    f.loop = faas_loop_new(NULL, NULL);
    wd_log_init(&f.log, &f.clock.clock);
    f.log.err.fd = f.log.out.fd = f.log_fds[1];
    *state = &f;
    return f.loop ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    wd_log_pump_stop(&f->pump);
    wd_log_pump_stop(&f->pump);
    wd_log_deinit(&f->log);
    faas_loop_free(f->loop);
    if (f->function_fd >= 0)
        close(f->function_fd);
    close(f->log_fds[0]);
    close(f->log_fds[1]);
    return 0;
}

static void start(struct fixture *f, bool prefix, size_t max_line)
{
    const struct wd_log_pump_spec spec = {
        .stream = "stderr", .prefix = prefix, .max_line = max_line};
    int fds[2];

    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    f->function_fd = fds[1];
    wd_log_pump_start(&f->pump, f->loop, &f->log, fds[0], &spec);
}

static bool has_ended(void *arg)
{
    return !wd_log_pump_running(arg);
}

static void write_and_close(struct fixture *f, const char *bytes, size_t n)
{
    assert_int_equal(write(f->function_fd, bytes, n), (ssize_t)n);
    close(f->function_fd);
    f->function_fd = -1;
    assert_true(faas_loop_run_until(f->loop, has_ended, &f->pump, 5000));
}

static size_t logged(struct fixture *f, char *buf, size_t size)
{
    ssize_t n;

    wd_log_flush(&f->log);
    n = read(f->log_fds[0], buf, size - 1);
    buf[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

static void lines_come_out_one_by_one_and_the_last_is_not_lost(void **state)
{
    static const struct {
        const char *name, *in, *out;
    } cases[] = {
        {"nothing", "", ""},
        {"one", "abc\n", "abc\n"},
        {"no newline at the end", "a\nb", "a\nb\n"},
        {"an empty line", "\n\n", "\n\n"},
        {"carriage returns", "a\r\nb\r\n", "a\nb\n"},
        {"just short enough", "0123456789abcde\n", "0123456789abcde\n"},
        {"just as long as can be", "0123456789abcdef\n", "0123456789abcdef\n"},
        {"much too long", "0123456789abcdef0123456789abcdefgh\nx\n",
         "0123456789abcdef\n0123456789abcdef\ngh\nx\n"},
        {"too long without an end", "0123456789abcdefgh", "0123456789abcdef\ngh\n"},
    };

    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct fixture *f = *state;
        char out[256];

        print_message("%s\n", cases[i].name);
        start(f, false, MAX_LINE);
        write_and_close(f, cases[i].in, strlen(cases[i].in));
        logged(f, out, sizeof(out));
        assert_string_equal(out, cases[i].out);
    }
}

static void a_prefix_tells_time_and_stream(void **state)
{
    struct fixture *f = *state;
    char out[256];

    start(f, true, MAX_LINE);
    write_and_close(f, "hello\n", 6);
    logged(f, out, sizeof(out));
    assert_string_equal(out, "2026/01/02 03:04:05 stderr: hello\n");
}

static void stopping_takes_what_is_there(void **state)
{
    struct fixture *f = *state;
    char out[256];

    start(f, false, MAX_LINE);
    assert_int_equal(write(f->function_fd, "a\nb", 3), 3);
    wd_log_pump_stop(&f->pump);
    assert_false(wd_log_pump_running(&f->pump));
    logged(f, out, sizeof(out));
    assert_string_equal(out, "a\nb\n");
}

static bool is_empty(void *arg)
{
    int left;

    return ioctl(((struct fixture *)arg)->pump.fd, FIONREAD, &left) == 0 && left == 0;
}

static void a_reader_that_sleeps_does_not_stop_the_function(void **state)
{
    struct fixture *f = *state;
    static char line[32 * 1024];
    char out[64 * 1024];
    size_t n = 0;

    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\n';
    start(f, false, sizeof(line));
    for (int i = 0; i < 40; i++) { /* more than a pipe and the log's memory hold */
        assert_int_equal(write(f->function_fd, line, sizeof(line)), sizeof(line));
        assert_true(faas_loop_run_until(f->loop, is_empty, f, 5000));
        wd_log_flush(&f->log);
    }
    while ((n = logged(f, out, sizeof(out))) && !strstr(out, " log lines dropped"))
        ;
    assert_true(n > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_come_out_one_by_one_and_the_last_is_not_lost, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_prefix_tells_time_and_stream, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stopping_takes_what_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_that_sleeps_does_not_stop_the_function, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("wd_log_pump", tests, NULL, NULL);
}
