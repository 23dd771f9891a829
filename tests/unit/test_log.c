#include "libfaas/alloc.h"
#include "libfaas/log.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

static struct faas_buf lines;

static void keep(void *self, struct faas_str line)
{
    faas_buf_append_str(self, line);
}

static const struct faas_log_sink sink = {.write = keep, .self = &lines};
static struct faas_fake_clock fake;

static struct faas_log test_log(enum faas_log_format format)
{
    faas_buf_clear(&lines);
    faas_fake_clock_init(&fake, 1767323045678000000);
    return (struct faas_log){.sink = &sink,
                             .clock = &fake.clock,
                             .component = "gateway",
                             .level = FAAS_LOG_INFO,
                             .format = format};
}

static int drop_lines(void **state)
{
    (void)state;
    faas_buf_deinit(&lines);
    return 0;
}

static void a_record_is_one_json_line_in_a_fixed_order(void **state)
{
    struct faas_log log = test_log(FAAS_LOG_JSON);

    (void)state;
    faas_log_info(&log, "forwarded", FAAS_F_STR("function", "figlet"), FAAS_F_INT("status", 200),
                  FAAS_F_REAL("took", 0.0125), FAAS_F_BOOL("cold", false),
                  FAAS_F_INT("n", INT64_MIN), FAAS_F_STR("none", NULL));
    assert_string_equal(
        lines.data,
        "{\"ts\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\",\"component\":\"gateway\","
        "\"msg\":\"forwarded\",\"function\":\"figlet\",\"status\":200,\"took\":0.0125,"
        "\"cold\":false,\"n\":-9223372036854775808,\"none\":\"\"}\n");
}

static void the_time_moves_with_the_clock(void **state)
{
    struct faas_log log = test_log(FAAS_LOG_JSON);
    static const char *const want[] = {"03:04:05.999Z", "03:04:06.000Z", "03:04:06.001Z"};

    (void)state;
    log.component = NULL;
    faas_fake_clock_advance_ms(&fake, 321);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(want); i++) {
        faas_buf_clear(&lines);
        faas_log_info(&log, "m");
        assert_non_null(strstr(lines.data, want[i]));
        assert_null(strstr(lines.data, "component"));
        faas_fake_clock_advance_ms(&fake, 1);
    }
    for (size_t i = 0; i < 2; i++) { /* 1970, and a clock that was never set */
        faas_buf_clear(&lines);
        fake.real_ns = i ? -5 : 7000000;
        faas_log_info(&log, "m");
        assert_non_null(strstr(lines.data, i ? "1970-01-01T00:00:00.000Z" : "T00:00:00.007Z"));
    }
}

static void reals_are_json_whatever_they_are(void **state)
{
    static const struct {
        double v;
        const char *want;
    } cases[] = {
        {0, "0"},        {-0.0, "0"},        {1, "1"},
        {-1.5, "-1.5"},  {0.1, "0.1"},       {1e-9, "1e-09"},
        {1e20, "1e+20"}, {0.999999999, "1"}, {12.000001, "12.000001"},
        {NAN, "null"},   {INFINITY, "null"}, {3.14159265, "3.141593"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_log log = test_log(FAAS_LOG_JSON);
        char want[64];

        snprintf(want, sizeof(want), ",\"v\":%s}\n", cases[i].want);
        print_message("  %s\n", cases[i].want);
        faas_log_info(&log, "m", FAAS_F_REAL("v", cases[i].v));
        assert_non_null(strstr(lines.data, want));
    }
}

static void records_below_the_level_vanish(void **state)
{
    struct faas_log log = test_log(FAAS_LOG_JSON), none = {0};

    (void)state;
    faas_log_debug(&log, "no");
    faas_log_write(&log, FAAS_LOG_DEBUG, "no", NULL, 0);
    assert_int_equal(lines.len, 0);
    faas_log_error(&none, "no sink");
    log.level = FAAS_LOG_DEBUG;
    faas_log_debug(&log, "yes");
    assert_non_null(strstr(lines.data, "\"level\":\"debug\""));
    log = faas_log_named(&log, "queue");
    faas_log_warn(&log, "yes");
    assert_non_null(strstr(lines.data, "\"level\":\"warn\",\"component\":\"queue\""));
}

static void people_get_text(void **state)
{
    struct faas_log log = test_log(FAAS_LOG_HUMAN);

    (void)state;
    faas_log_warn(&log, "slow call", FAAS_F_STR("function", "figlet"), FAAS_F_INT("ms", 1200),
                  FAAS_F_STR("why", "a b"), FAAS_F_STR("empty", ""), FAAS_F_STR("evil", "\033[31m"),
                  FAAS_F_STR("eq", "a=b"),
                  FAAS_F_STR("c1", "\xc2\x9b"
                                   "31m"));
    assert_string_equal(lines.data, "2026-01-02T03:04:05.678Z WARN  gateway: slow call "
                                    "function=figlet ms=1200 why=\"a b\" empty=\"\" "
                                    "evil=\"\\u001b[31m\" eq=\"a=b\" c1=\"\\u009b31m\"\n");
    faas_buf_clear(&lines);
    log.colour = true;
    faas_log_error(&log, "m", FAAS_F_BOOL("b", true));
    assert_string_equal(lines.data, "2026-01-02T03:04:05.678Z \033[31mERROR\033[0m gateway: m "
                                    "\033[2mb=\033[0mtrue\n");
}

static void json_strings_are_always_valid(void **state)
{
    static const struct {
        struct faas_str in;
        const char *want;
    } cases[] = {
        {FAAS_STR_INIT(""), ""},
        {FAAS_STR_INIT("plain"), "plain"},
        {FAAS_STR_INIT("a\"b\\c/"), "a\\\"b\\\\c/"},
        {FAAS_STR_INIT("\n\r\t\b\f\1\x1f\x7f"), "\\n\\r\\t\\b\\f\\u0001\\u001f\\u007f"},
        {FAAS_STR_INIT("nul\0x"), "nul\\u0000x"},
        {FAAS_STR_INIT("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x9f"),
         "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x9f"},
        {FAAS_STR_INIT("\xff"), "\xef\xbf\xbd"},
        {FAAS_STR_INIT("x\xc3"), "x\xef\xbf\xbd"},                               /* cut short */
        {FAAS_STR_INIT("\xc3("), "\xef\xbf\xbd("},                               /* not continued */
        {FAAS_STR_INIT("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd"},                 /* overlong */
        {FAAS_STR_INIT("\xe0\x80\xaf"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* overlong */
        {FAAS_STR_INIT("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* surrogate */
        {FAAS_STR_INIT("\xf4\x90\x80\x80"),
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* beyond U+10FFFF */
        {FAAS_STR_INIT("\xe2\x82("), "\xef\xbf\xbd\xef\xbf\xbd("},
        {FAAS_STR_INIT("\xc2\x85\xc2\xa0"), "\\u0085\xc2\xa0"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf out = {0};

        faas_json_escape(&out, cases[i].in);
        assert_string_equal(faas_buf_str(&out).ptr, cases[i].want);
    }
}

static void levels_are_read_or_refused(void **state)
{
    struct faas_error err = {0};
    enum faas_log_level level = FAAS_LOG_DEBUG;

    (void)state;
    assert_int_equal(faas_log_level_parse(FAAS_STR("error"), &level, &err), 0);
    assert_int_equal(level, FAAS_LOG_ERROR);
    assert_int_equal(faas_log_level_parse(FAAS_STR("loud"), &level, &err), -1);
    assert_string_equal(err.msg, "\"loud\" is not one of debug, info, warn, error");
}

/* fd 2 is something else between these two, so nothing in between may assert. */
static int borrow_stderr(int fd)
{
    int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);

    dup2(fd, STDERR_FILENO);
    return saved;
}

static void give_back_stderr(int saved)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
}

static uint64_t write_stderr(int fd, const char *p, size_t n)
{
    uint64_t before = faas_stderr_sink_dropped();
    int saved = borrow_stderr(fd);

    faas_stderr_sink.write(faas_stderr_sink.self, (struct faas_str){.ptr = p, .len = n});
    give_back_stderr(saved);
    return faas_stderr_sink_dropped() - before;
}

static void a_full_pipe_drops_the_record_and_counts_it(void **state)
{
    char junk[4096], got[64];
    int fds[2], flags;

    (void)state;
    memset(junk, 'x', sizeof(junk));
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(write_stderr(fds[1], "one\n", 4), 0);
    assert_int_equal(read(fds[0], got, sizeof(got)), 4);
    flags = fcntl(fds[1], F_GETFL);
    fcntl(fds[1], F_SETFL, flags | O_NONBLOCK);
    while (write(fds[1], junk, sizeof(junk)) > 0)
        ;
    fcntl(fds[1], F_SETFL, flags); /* blocking, as stderr usually is: it must not hang */
    errno = 0;
    assert_int_equal(write_stderr(fds[1], "two\n", 4), 1);
    assert_int_equal(errno, 0);
    close(fds[0]);
    close(fds[1]);
}

static void a_full_disk_or_a_gone_reader_drops_the_record(void **state)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC), fds[2];

    (void)state;
    assert_true(full >= 0);
    assert_int_equal(write_stderr(full, "x\n", 2), 1);
    close(full);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    close(fds[0]);
    assert_int_equal(write_stderr(fds[1], "x\n", 2), 1);
    close(fds[1]);
}

static void *read_all(void *arg)
{
    struct faas_buf *got = faas_zalloc(sizeof(*got));
    ssize_t n;

    while ((n = read(*(int *)arg, faas_buf_reserve(got, 4096), 4096)) > 0)
        got->len += (size_t)n;
    return got;
}

static void a_long_record_arrives_whole_at_a_reader(void **state)
{
    size_t len = 200000;
    char *text = faas_alloc(len);
    struct faas_buf *got;
    pthread_t reader;
    void *ret;
    int fds[2];

    (void)state;
    memset(text, 'y', len);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(pthread_create(&reader, NULL, read_all, &fds[0]), 0);
    assert_int_equal(write_stderr(fds[1], text, len), 0);
    close(fds[1]);
    assert_int_equal(pthread_join(reader, &ret), 0);
    got = ret;
    assert_int_equal(got->len, len);
    assert_memory_equal(got->data, text, len);
    faas_buf_deinit(got);
    free(got);
    free(text);
    close(fds[0]);
}

static void a_torn_record_does_not_swallow_the_next_one(void **state)
{
    static char text[20000];
    char got[8192];
    int fds[2];
    ssize_t n;

    (void)state;
    memset(text, 'z', sizeof(text));
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_true(fcntl(fds[1], F_SETPIPE_SZ, 4096) >= 0);
    assert_int_equal(write_stderr(fds[1], text, sizeof(text)), 1); /* nobody reads: given up */
    n = read(fds[0], got, sizeof(got));
    assert_true(n > 0 && got[n - 1] == 'z');
    assert_int_equal(write_stderr(fds[1], "next\n", 5), 0);
    n = read(fds[0], got, sizeof(got));
    assert_int_equal(n, 6);
    assert_memory_equal(got, "\nnext\n", 6);
    close(fds[0]);
    close(fds[1]);
}

static void stderr_that_is_no_terminal_gets_json(void **state)
{
    struct faas_log log;
    int fds[2], saved;

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    saved = borrow_stderr(fds[1]);
    faas_log_init_stderr(&log, "watchdog");
    give_back_stderr(saved);
    assert_int_equal(log.format, FAAS_LOG_JSON);
    assert_false(log.colour);
    assert_int_equal(log.level, FAAS_LOG_INFO);
    close(fds[0]);
    close(fds[1]);
}

static void a_terminal_gets_text_and_colour_unless_told_not_to(void **state)
{
    int pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), tty, saved;
    struct faas_log log, plain;

    (void)state;
    assert_true(pty >= 0);
    assert_int_equal(grantpt(pty) | unlockpt(pty), 0);
    tty = open(ptsname(pty), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(tty >= 0);
    saved = borrow_stderr(tty);
    unsetenv("NO_COLOR");
    faas_log_init_stderr(&log, "watchdog");
    setenv("NO_COLOR", "1", 1);
    faas_log_init_stderr(&plain, "watchdog");
    give_back_stderr(saved);
    assert_int_equal(log.format, FAAS_LOG_HUMAN);
    assert_true(log.colour);
    assert_int_equal(plain.format, FAAS_LOG_HUMAN);
    assert_false(plain.colour);
    close(tty);
    close(pty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_one_json_line_in_a_fixed_order),
        cmocka_unit_test(the_time_moves_with_the_clock),
        cmocka_unit_test(reals_are_json_whatever_they_are),
        cmocka_unit_test(records_below_the_level_vanish),
        cmocka_unit_test(people_get_text),
        cmocka_unit_test(json_strings_are_always_valid),
        cmocka_unit_test(levels_are_read_or_refused),
        cmocka_unit_test(a_full_pipe_drops_the_record_and_counts_it),
        cmocka_unit_test(a_full_disk_or_a_gone_reader_drops_the_record),
        cmocka_unit_test(a_long_record_arrives_whole_at_a_reader),
        cmocka_unit_test(a_torn_record_does_not_swallow_the_next_one),
        cmocka_unit_test(stderr_that_is_no_terminal_gets_json),
        cmocka_unit_test(a_terminal_gets_text_and_colour_unless_told_not_to),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, drop_lines);
}
