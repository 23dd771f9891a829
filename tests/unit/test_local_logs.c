#include "libfaas/alloc.h"
#include "providers/local/lines.h"
#include "providers/local/log_reader.h"
#include "tests/unit/tmpdir.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>

/* --- lines --- */

struct cut {
    struct faas_buf text; /* lines, each followed by '|' */
    size_t lines, longest;
};

static void take(void *arg, struct faas_str line)
{
    struct cut *c = arg;

    faas_buf_append_str(&c->text, line);
    faas_buf_append_c(&c->text, '|');
    c->lines++;
    c->longest = FAAS_MAX(c->longest, line.len);
}

static void output_is_cut_into_lines_wherever_it_is_split(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"one\ntwo\n", "one|two|"}, {"one\r\ntwo", "one|two|"}, {"", ""}, {"\n\n", "||"},
        {"a\rb\n", "a\rb|"},        {"tail", "tail|"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        for (size_t step = 1; step <= 4; step++) {
            struct local_lines l = {0};
            struct cut c = {0};
            size_t n = strlen(cases[i].in);

            for (size_t at = 0; at < n; at += step)
                local_lines_feed(
                    &l, (struct faas_str){.ptr = cases[i].in + at, .len = FAAS_MIN(step, n - at)},
                    take, &c);
            local_lines_end(&l, take, &c);
            assert_string_equal(faas_buf_str(&c.text).ptr, cases[i].out);
            local_lines_deinit(&l);
            faas_buf_deinit(&c.text);
        }
    }
}

static void a_long_line_comes_in_pieces_and_nothing_is_lost(void **state)
{
    const size_t n = 3 * LOCAL_LINE_MAX + 17;
    _cleanup_free_ char *text = faas_alloc(n + 1);
    struct local_lines l = {0};
    struct cut c = {0};

    (void)state;
    memset(text, 'x', n);
    text[n] = '\n';
    local_lines_feed(&l, (struct faas_str){.ptr = text, .len = n + 1}, take, &c);
    assert_int_equal(c.lines, 4);
    assert_int_equal(c.longest, LOCAL_LINE_MAX);
    assert_int_equal(c.text.len, n + 4);
    assert_int_equal(l.pending.len, 0);
    local_lines_deinit(&l);
    faas_buf_deinit(&c.text);
}

static void a_cut_does_not_tear_a_character(void **state)
{
    const size_t n = LOCAL_LINE_MAX + 2;
    _cleanup_free_ char *text = faas_alloc(n);
    struct local_lines l = {0};
    struct cut c = {0};

    (void)state;
    memset(text, 'x', n);
    memcpy(text + LOCAL_LINE_MAX - 1, "\xe2\x82\xac", 3); /* the euro sign across the limit */
    local_lines_feed(&l, (struct faas_str){.ptr = text, .len = n}, take, &c);
    local_lines_end(&l, take, &c);
    assert_int_equal(c.lines, 2);
    assert_string_equal(c.text.data + LOCAL_LINE_MAX - 1, "|\xe2\x82\xac|");
    local_lines_deinit(&l);
    faas_buf_deinit(&c.text);
}

/* --- records --- */

static void any_text_survives_being_a_record(void **state)
{
    static const struct faas_str texts[] = {
        FAAS_STR_INIT("plain"),
        FAAS_STR_INIT(""),
        FAAS_STR_INIT("a \"quoted\" \\ line\twith \x01 and \xe2\x82\xac"),
        FAAS_STR_INIT("\",\"timestamp\":\"1999-01-01T00:00:00Z\",\"instance\":\"fake\""),
        FAAS_STR_INIT("{\"json\":[1,2]}"),
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(texts); i++) {
        _cleanup_buf_ struct faas_buf record = {0}, text = {0};
        struct local_logline_peek p = {0};

        local_logline_write(&record, &(struct faas_log_message){.name = "figlet",
                                                                .namespace_ = "ns",
                                                                .instance = "figlet-1",
                                                                .time_ns = 1700000000123456789,
                                                                .text = texts[i]});
        print_message("  %s", record.data);
        assert_int_equal(record.data[record.len - 1], '\n');
        assert_true(local_logline_peek(faas_buf_str(&record), &p));
        assert_int_equal(p.time_ns, 1700000000123456789);
        assert_true(faas_str_eqz(p.instance, "figlet-1"));
        assert_true(local_logline_text(faas_buf_str(&record), &text));
        assert_true(faas_str_eq(faas_buf_str(&text), texts[i]));
    }
}

static void a_damaged_record_is_not_one(void **state)
{
    static const char *const damaged[] = {
        "",
        "{",
        "nonsense",
        "{\"instance\":\"a\"}",
        "{\"instance\":\"a\",\"timestamp\":\"never\",\"text\":\"x\"}",
        "{\"instance\":\"a\",\"timestamp\":\"2026-01-02T03:04:05Z",
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(damaged); i++) {
        struct local_logline_peek p = {0};
        struct faas_str record = faas_str_from(damaged[i]);

        print_message("  %s\n", damaged[i]);
        assert_false(local_logline_peek(record, &p));
    }
    assert_false(local_logline_text(FAAS_STR("{\"text\":1}"), &(struct faas_buf){0}));
}

/* --- files --- */

struct stage {
    char *dir;
    struct faas_fake_clock clock;
    struct faas_log silent;
    struct local_logs logs;
    struct local_log *log;
};

static void open_logs(struct stage *s, const char *dir, int64_t max_size, unsigned files)
{
    const struct local_logs_opts opts = {
        .state_dir = dir,
        .log = &s->silent,
        .clock = &s->clock.clock,
        .max_size = max_size,
        .files = files,
    };
    struct faas_error err = {0};

    faas_fake_clock_init(&s->clock, 1700000000000000000);
    assert_int_equal(local_logs_init(&s->logs, &opts, &err), 0);
    s->log = local_logs_get(&s->logs, "figlet", "ns");
    assert_ptr_equal(local_logs_get(&s->logs, "figlet", "ns"), s->log);
    assert_ptr_not_equal(local_logs_get(&s->logs, "figlet", "other"), s->log);
}

static void put(struct stage *s, const char *instance, const char *text)
{
    local_log_add(s->log, instance, faas_str_from(text));
    local_log_flush(s->log);
}

struct heard {
    struct faas_buf text; /* "text|" each; empty ones as "|" */
    atomic_int lines;
    int enough;
    atomic_bool cancel;
};

static int hear(void *arg, const struct faas_log_message *m)
{
    struct heard *h = arg;

    faas_buf_append_str(&h->text, m->text);
    faas_buf_append_c(&h->text, '|');
    return atomic_fetch_add(&h->lines, 1) + 1 == h->enough ? -1 : 0;
}

static bool is_cancelled(void *arg)
{
    return atomic_load(&((struct heard *)arg)->cancel);
}

static void assert_read(struct stage *s, struct faas_log_query q, const char *want)
{
    struct heard h = {0};
    struct faas_error err = {0};

    q.arg = &h;
    assert_int_equal(local_log_read(s->log, &q, hear, &err), 0);
    assert_string_equal(faas_buf_str(&h.text).ptr, want);
    faas_buf_deinit(&h.text);
}

static void a_log_is_read_by_time_instance_and_tail(void **state)
{
    struct stage s = {0};

    open_logs(&s, *state, 1 << 20, 2);
    assert_false(local_logs_exist(&s.logs, "figlet", "ns"));
    assert_read(&s, (struct faas_log_query){0}, "");
    put(&s, "a", "one");
    faas_fake_clock_advance_ms(&s.clock, 1000);
    put(&s, "b", "two");
    put(&s, "a", "");
    put(&s, "a", "four");
    assert_true(local_logs_exist(&s.logs, "figlet", "ns"));
    assert_read(&s, (struct faas_log_query){0}, "one|two||four|");
    assert_read(&s, (struct faas_log_query){.tail = 2}, "|four|");
    assert_read(&s, (struct faas_log_query){.tail = 100}, "one|two||four|");
    assert_read(&s, (struct faas_log_query){.tail = -1}, "one|two||four|");
    assert_read(&s, (struct faas_log_query){.instance = "a"}, "one||four|");
    assert_read(&s, (struct faas_log_query){.instance = "a", .tail = 1}, "four|");
    assert_read(&s, (struct faas_log_query){.instance = "c"}, "");
    assert_read(&s, (struct faas_log_query){.since_ns = 1700000000500000000}, "two||four|");
    assert_read(&s, (struct faas_log_query){.since_ns = 1700000000500000000, .tail = 1}, "four|");
    local_logs_deinit(&s.logs);
}

static void a_log_outlives_its_gateway_and_damage(void **state)
{
    struct stage s = {0};
    _cleanup_free_ char *path = faas_asprintf("%s/logs/ns.figlet.log", (const char *)*state);
    FILE *f;

    open_logs(&s, *state, 1 << 20, 2);
    put(&s, "a", "one");
    local_logs_deinit(&s.logs);
    f = fopen(path, "a");
    fputs("torn by hand\n", f);
    fclose(f);
    open_logs(&s, *state, 1 << 20, 2);
    put(&s, "a", "two");
    assert_read(&s, (struct faas_log_query){0}, "one|two|");
    assert_read(&s, (struct faas_log_query){.tail = 1}, "two|");
    local_logs_deinit(&s.logs);
}

static void rotation_keeps_the_latest_files(void **state)
{
    static const struct {
        unsigned files;
        const char *want;
    } cases[] = {{1, "5|"}, {2, "4|5|"}, {3, "3|4|5|"}};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_free_ char *dir = faas_asprintf("%s/%zu", (const char *)*state, i);
        _cleanup_free_ char *beyond =
            faas_asprintf("%s/logs/ns.figlet.log.%u", dir, cases[i].files);
        struct stage s = {0};
        struct faas_error err = {0};

        assert_int_equal(faas_mkdirs(dir, 0700, &err), 0);
        open_logs(&s, dir, 1, cases[i].files); /* every record fills a file */
        for (int n = 1; n <= 5; n++) {
            char text[] = {(char)('0' + n), '\0'};

            put(&s, "a", text);
        }
        assert_read(&s, (struct faas_log_query){0}, cases[i].want);
        assert_false(faas_file_exists(beyond));
        local_logs_deinit(&s.logs);
    }
}

static void the_sink_can_stop_the_stream(void **state)
{
    struct stage s = {0};
    struct heard h = {.enough = 2};
    const struct faas_log_query q = {.follow = true, .arg = &h};
    struct faas_error err = {0};

    open_logs(&s, *state, 1 << 20, 2);
    for (int i = 0; i < 5; i++)
        put(&s, "a", "x");
    assert_int_equal(local_log_read(s.log, &q, hear, &err), 0);
    assert_string_equal(h.text.data, "x|x|");
    faas_buf_deinit(&h.text);
    local_logs_deinit(&s.logs);
}

struct follower {
    struct stage *stage;
    struct heard heard;
    pthread_t thread;
};

static void *follow(void *arg)
{
    struct follower *f = arg;
    const struct faas_log_query q = {
        .follow = true, .tail = 1, .cancelled = is_cancelled, .arg = &f->heard};
    struct faas_error err = {0};

    return local_log_read(f->stage->log, &q, hear, &err) == 0 ? f : NULL;
}

static void start_follower(struct follower *f, struct stage *s)
{
    f->stage = s;
    assert_int_equal(pthread_create(&f->thread, NULL, follow, f), 0);
}

static void await_lines(struct follower *f, int n)
{
    while (atomic_load(&f->heard.lines) < n)
        sched_yield();
}

static void end_follower(struct follower *f, const char *want)
{
    void *result = NULL;

    atomic_store(&f->heard.cancel, true);
    assert_int_equal(pthread_join(f->thread, &result), 0);
    assert_ptr_equal(result, f);
    assert_string_equal(faas_buf_str(&f->heard.text).ptr, want);
    faas_buf_deinit(&f->heard.text);
}

static void a_follower_gets_lines_as_they_come_and_across_rotation(void **state)
{
    struct stage s = {0};
    struct follower f = {0};
    _cleanup_buf_ struct faas_buf want = {0};

    open_logs(&s, *state, 300, 3); /* two or three records a file */
    put(&s, "a", "left out");
    put(&s, "a", "last");
    faas_buf_append_z(&want, "last|");
    start_follower(&f, &s);
    await_lines(&f, 1);
    for (int i = 0; i < 50; i++) {
        char text[16];

        snprintf(text, sizeof(text), "line %d", i);
        put(&s, "a", text);
        faas_buf_printf(&want, "%s|", text);
        if (i % 2 == 1) /* the reader may be one file behind, never more than are kept */
            await_lines(&f, i + 2);
    }
    await_lines(&f, 51);
    end_follower(&f, want.data);
    local_logs_deinit(&s.logs);
}

static void a_follower_may_be_there_before_the_first_line(void **state)
{
    struct stage s = {0};
    struct follower f = {0};

    open_logs(&s, *state, 1 << 20, 2);
    start_follower(&f, &s);
    put(&s, "a", "first");
    await_lines(&f, 1);
    put(&s, "a", "second");
    await_lines(&f, 2);
    end_follower(&f, "first|second|");
    local_logs_deinit(&s.logs);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_drops_lines_and_says_so_later(void **state)
{
    struct stage s = {0};

    signal(SIGXFSZ, SIG_IGN);
    open_logs(&s, *state, 1 << 20, 2);
    put(&s, "a", "before");
    limit_files(180); /* one record and a part of the next */
    put(&s, "a", "lost");
    put(&s, "a", "lost too");
    local_log_add(s.log, "a", FAAS_STR("and"));
    local_log_add(s.log, "a", FAAS_STR("these"));
    local_log_flush(s.log);
    limit_files(0);
    put(&s, "a", "after");
    assert_read(&s, (struct faas_log_query){0},
                "before|4 lines are missing here: the log could not be written|after|");
    put(&s, "a", "on");
    assert_read(&s, (struct faas_log_query){.tail = 2}, "after|on|");
    local_logs_deinit(&s.logs);
}

static bool only_figlet(void *arg, const char *name, const char *ns)
{
    (void)arg;
    return strcmp(name, "figlet") == 0 && strcmp(ns, "ns") == 0;
}

static void logs_of_removed_functions_are_kept_for_a_while(void **state)
{
    struct stage s = {0};
    struct local_log *gone;
    struct faas_error err = {0};
    struct heard h = {0};
    const struct faas_log_query q = {.arg = &h};

    open_logs(&s, *state, 1 << 20, 2);
    s.clock.real_ns = faas_system_clock.realtime_ns(NULL); /* files carry real times */
    put(&s, "a", "x");
    gone = local_logs_get(&s.logs, "gone", "ns");
    local_log_add(gone, "a", FAAS_STR("y"));
    local_log_flush(gone);

    local_logs_prune(&s.logs, 60000, only_figlet, NULL);
    assert_true(local_logs_exist(&s.logs, "gone", "ns"));
    faas_fake_clock_advance_ms(&s.clock, 120000);
    local_logs_prune(&s.logs, 60000, only_figlet, NULL);
    assert_false(local_logs_exist(&s.logs, "gone", "ns"));
    assert_true(local_logs_exist(&s.logs, "figlet", "ns"));

    local_log_add(gone, "a", FAAS_STR("deployed again"));
    local_log_flush(gone);
    assert_int_equal(local_log_read(gone, &q, hear, &err), 0);
    assert_string_equal(h.text.data, "deployed again|");
    faas_buf_deinit(&h.text);
    local_logs_deinit(&s.logs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_is_cut_into_lines_wherever_it_is_split),
        cmocka_unit_test(a_long_line_comes_in_pieces_and_nothing_is_lost),
        cmocka_unit_test(a_cut_does_not_tear_a_character),
        cmocka_unit_test(any_text_survives_being_a_record),
        cmocka_unit_test(a_damaged_record_is_not_one),
        tmpdir_test(a_log_is_read_by_time_instance_and_tail),
        tmpdir_test(a_log_outlives_its_gateway_and_damage),
        tmpdir_test(rotation_keeps_the_latest_files),
        tmpdir_test(the_sink_can_stop_the_stream),
        tmpdir_test(a_follower_gets_lines_as_they_come_and_across_rotation),
        tmpdir_test(a_follower_may_be_there_before_the_first_line),
        tmpdir_test(a_full_disk_drops_lines_and_says_so_later),
        tmpdir_test(logs_of_removed_functions_are_kept_for_a_while),
    };
    return cmocka_run_group_tests_name("local logs", tests, NULL, NULL);
}
