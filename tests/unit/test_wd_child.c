#include "tests/unit/unit.h"
#include "watchdog/child.h"
#include "watchdog/reaper.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_MS 10000

/* A child whose input comes in pieces and whose output is handed on. */
struct stream {
    size_t to_send;  /* bytes of input that are left */
    bool waits;      /* for room */
    size_t pause_at; /* 0: never */
    size_t received;
    struct faas_buf errors;
};

struct fixture {
    struct faas_loop *loop;
    struct wd_children children;
    struct wd_child *ended; /* by on_end */
    bool timed_out;
    struct stream stream;
};

static void on_end(void *arg, struct wd_child *child)
{
    struct fixture *f = arg;

    assert_null(f->ended);
    f->ended = child;
}

static void on_timeout(void *arg)
{
    struct fixture *f = arg;

    assert_false(f->timed_out);
    f->timed_out = true;
}

static const struct wd_child_ops ops = {.on_end = on_end, .on_timeout = on_timeout};

/* Until there is no room or nothing left. */
static void send_more(struct fixture *f, struct wd_child *child)
{
    static const char bytes[100 * 1000];
    struct stream *s = &f->stream;

    s->waits = false;
    while (s->to_send && !s->waits) {
        struct faas_str piece = {.ptr = bytes, .len = FAAS_MIN(s->to_send, sizeof(bytes))};
        size_t taken = wd_child_write(child, piece);

        assert_true(taken <= piece.len);
        s->to_send -= taken;
        s->waits = taken < piece.len;
    }
    if (!s->to_send)
        wd_child_end_input(child);
}

static void on_writable(void *arg, struct wd_child *child)
{
    struct fixture *f = arg;

    assert_true(f->stream.waits);
    send_more(f, child);
}

static void on_output(void *arg, struct wd_child *child, struct faas_str data)
{
    struct stream *s = &((struct fixture *)arg)->stream;

    s->received += data.len;
    if (s->pause_at && s->received >= s->pause_at)
        wd_child_pause(child);
}

static void on_errors(void *arg, struct faas_str data)
{
    faas_buf_append_str(&((struct fixture *)arg)->stream.errors, data);
}

static const struct wd_child_ops stream_ops = {
    .on_output = on_output,
    .on_errors = on_errors,
    .on_writable = on_writable,
    .on_end = on_end,
    .on_timeout = on_timeout,
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){0};
    f.loop = faas_loop_new(NULL, NULL);
    *state = &f;
    return f.loop ? wd_children_init(&f.children, f.loop, NULL) : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    if (f->ended)
        wd_child_free(f->ended);
    faas_buf_deinit(&f->stream.errors);
    wd_children_deinit(&f->children);
    faas_loop_free(f->loop);
    return 0;
}

static bool is_over(void *arg)
{
    const struct fixture *f = arg;

    return f->ended || f->timed_out;
}

static bool nothing_runs(void *arg)
{
    const struct fixture *f = arg;

    return faas_list_empty(&f->children.running);
}

static struct wd_child *start_with(struct fixture *f, const struct wd_child_ops *with,
                                   const char *script, struct faas_str input, int64_t timeout_ms)
{
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)script, NULL};
    char *envp[] = {(char *)"PATH=/usr/bin:/bin", NULL};
    struct wd_child_spec spec = {
        .path = "/bin/sh",
        .argv = argv,
        .envp = envp,
        .input = input,
        .more_input = f->stream.to_send > 0,
        .max_stderr = 10,
        .timeout_ms = timeout_ms,
        .ops = with,
        .arg = f,
    };

    return wd_child_start(&f->children, &spec, NULL);
}

static struct wd_child *start(struct fixture *f, const char *script, struct faas_str input,
                              int64_t timeout_ms)
{
    return start_with(f, &ops, script, input, timeout_ms);
}

static struct wd_child *start_stream(struct fixture *f, const char *script)
{
    struct wd_child *child = start_with(f, &stream_ops, script, FAAS_STR(""), 0);

    assert_non_null(child);
    if (f->stream.to_send)
        send_more(f, child);
    return child;
}

static void finish(struct fixture *f)
{
    assert_true(faas_loop_run_until(f->loop, is_over, f, LIMIT_MS));
    assert_non_null(f->ended);
}

static void run(struct fixture *f, const char *script, struct faas_str input)
{
    assert_non_null(start(f, script, input, 0));
    assert_true(faas_loop_run_until(f->loop, is_over, f, LIMIT_MS));
    assert_non_null(f->ended);
}

static void output_errors_and_status_are_kept_apart(void **state)
{
    struct fixture *f = *state;

    run(f, "cat; echo err >&2; exit 3", FAAS_STR("in"));
    assert_string_equal(wd_child_output(f->ended)->data, "in");
    assert_string_equal(faas_buf_str(wd_child_stderr(f->ended)).ptr, "err\n");
    assert_int_equal(wd_child_stderr_lost(f->ended), 0);
    assert_true(WIFEXITED(wd_child_status(f->ended)));
    assert_int_equal(WEXITSTATUS(wd_child_status(f->ended)), 3);
}

static void errors_beyond_the_limit_are_counted(void **state)
{
    struct fixture *f = *state;

    run(f, "echo 0123456789abc >&2; sleep 0.01; echo x >&2", FAAS_STR(""));
    assert_int_equal(wd_child_stderr(f->ended)->len, 10);
    assert_int_equal(wd_child_stderr_lost(f->ended), 6);
}

static void input_and_output_larger_than_pipes_do_not_block_each_other(void **state)
{
    enum { SIZE = 5 * 1024 * 1024 };
    struct fixture *f = *state;
    _cleanup_free_ char *big = malloc(SIZE);

    memset(big, 'x', SIZE);
    run(f, "cat", (struct faas_str){.ptr = big, .len = SIZE});
    assert_int_equal(wd_child_output(f->ended)->len, SIZE);
    assert_memory_equal(wd_child_output(f->ended)->data, big, SIZE);
}

static void output_beyond_a_pipe_is_read_while_the_child_runs(void **state)
{
    struct fixture *f = *state;

    run(f, "head -c 1000000 /dev/zero", FAAS_STR(""));
    assert_int_equal(wd_child_output(f->ended)->len, 1000000);
}

static void without_input_stdin_is_at_its_end(void **state)
{
    struct fixture *f = *state;

    run(f, "cat; echo end", FAAS_STR(""));
    assert_string_equal(wd_child_output(f->ended)->data, "end\n");
}

static void the_rest_of_the_output_is_waited_for_only_a_little(void **state)
{
    struct fixture *f = *state;
    int64_t began = faas_now_ms(&faas_system_clock);
    pid_t left;

    run(f, "sleep 30 & echo $!", FAAS_STR(""));
    assert_true(faas_now_ms(&faas_system_clock) - began < 5000);
    left = atoi(wd_child_output(f->ended)->data);
    assert_true(left > 0);
    kill(left, SIGKILL);
}

static void time_is_up_for_the_whole_group_and_known_at_once(void **state)
{
    struct fixture *f = *state;
    int64_t began = faas_now_ms(&faas_system_clock);

    assert_non_null(start(f, "sleep 30 & wait", FAAS_STR(""), 50));
    assert_true(faas_loop_run_until(f->loop, is_over, f, LIMIT_MS));
    assert_true(f->timed_out);
    assert_null(f->ended);
    assert_true(faas_now_ms(&faas_system_clock) - began < 5000);
    assert_true(faas_loop_run_until(f->loop, nothing_runs, f, LIMIT_MS));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* collected */
}

static void a_program_that_cannot_start_leaves_nothing(void **state)
{
    static const struct {
        const char *path, *message;
    } cases[] = {
        {"/nope", "fork/exec /nope: no such file or directory"},
        {"/etc/passwd", "fork/exec /etc/passwd: permission denied"},
        {"/", "fork/exec /: permission denied"},
    };
    struct fixture *f = *state;
    char *argv[] = {(char *)"x", NULL};
    char *envp[] = {NULL};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_error err = {0};
        struct wd_child_spec spec = {
            .path = cases[i].path, .argv = argv, .envp = envp, .ops = &ops, .arg = f};

        assert_null(wd_child_start(&f->children, &spec, &err));
        assert_string_equal(err.msg, cases[i].message);
        assert_true(nothing_runs(f));
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    }
}

static void what_runs_at_the_end_is_killed_and_reported(void **state)
{
    struct fixture *f = *state;

    assert_non_null(start(f, "sleep 30", FAAS_STR(""), 0));
    wd_children_deinit(&f->children);
    assert_true(f->timed_out);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(wd_children_init(&f->children, f->loop, NULL), 0);
}

static void input_in_pieces_waits_for_room_and_output_is_handed_on(void **state)
{
    enum { SIZE = 20 * 1000 * 1000 };
    struct fixture *f = *state;

    f->stream.to_send = SIZE;
    start_stream(f, "cat; echo done >&2");
    assert_true(f->stream.waits);
    finish(f);
    assert_int_equal(f->stream.to_send, 0);
    assert_int_equal(f->stream.received, SIZE);
    assert_string_equal(f->stream.errors.data, "done\n");
    assert_int_equal(wd_child_output(f->ended)->len, 0);
}

static void input_that_was_there_comes_before_the_pieces(void **state)
{
    enum { FIRST = 300 * 1000, REST = 1000 * 1000 };
    static const char first[FIRST];
    struct fixture *f = *state;
    struct wd_child *child;

    f->stream.to_send = REST;
    child =
        start_with(f, &stream_ops, "cat", (struct faas_str){.ptr = first, .len = sizeof(first)}, 0);
    assert_non_null(child);
    send_more(f, child);
    finish(f);
    assert_int_equal(f->stream.received, FIRST + REST);
}

static void one_that_reads_no_more_takes_all_input(void **state)
{
    static const char *const scripts[] = {"exec <&-; sleep 0.05", "exit 0", "sleep 0.05"};
    struct fixture *f = *state;

    for (size_t i = 0; i < FAAS_ARRAY_LEN(scripts); i++) {
        struct wd_child *child;

        f->stream.to_send = 5 * 1000 * 1000;
        child = start_stream(f, scripts[i]);
        finish(f);
        assert_ptr_equal(child, f->ended);
        assert_int_equal(f->stream.to_send, 0);
        wd_child_free(f->ended);
        f->ended = NULL;
    }
}

static bool is_paused(void *arg)
{
    const struct stream *s = &((const struct fixture *)arg)->stream;

    return s->received >= s->pause_at;
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

static void a_paused_child_waits(void **state)
{
    enum { SIZE = 20 * 1000 * 1000 };
    struct fixture *f = *state;
    struct wd_child *child;

    f->stream.pause_at = 1000;
    child = start_stream(f, "head -c 20000000 /dev/zero");
    assert_true(faas_loop_run_until(f->loop, is_paused, f, LIMIT_MS));
    faas_loop_run_until(f->loop, never, f, 20);
    assert_true(f->stream.received < 1000 * 1000);
    assert_false(is_over(f));
    f->stream.pause_at = 0;
    wd_child_resume(child);
    finish(f);
    assert_int_equal(f->stream.received, SIZE);
}

static void what_was_written_before_the_exit_is_kept_through_a_pause(void **state)
{
    struct fixture *f = *state;
    struct wd_child *child;

    f->stream.pause_at = 1;
    child = start_stream(f, "echo; sleep 0.02; head -c 60000 /dev/zero; sleep 30 & echo $! >&2");
    assert_true(faas_loop_run_until(f->loop, is_paused, f, LIMIT_MS));
    faas_loop_run_until(f->loop, never, f, 300); /* longer than the grace */
    assert_false(is_over(f));
    f->stream.pause_at = 0;
    wd_child_resume(child);
    finish(f);
    assert_int_equal(f->stream.received, 60001);
    kill(atoi(f->stream.errors.data), SIGKILL);
}

static void one_that_was_left_behind_and_writes_for_ever_is_not_listened_to(void **state)
{
    struct fixture *f = *state;
    int64_t began = faas_now_ms(&faas_system_clock);

    start_stream(f, "yes & echo $! >&2");
    finish(f);
    assert_true(faas_now_ms(&faas_system_clock) - began < 5000);
    assert_true(f->stream.received > 0);
    kill(atoi(f->stream.errors.data), SIGKILL);
}

static void one_that_is_not_wanted_any_more_is_killed_and_nothing_reported(void **state)
{
    struct fixture *f = *state;
    int64_t began = faas_now_ms(&faas_system_clock);

    wd_child_kill(start_stream(f, "sleep 30 & sleep 30"));
    assert_true(faas_loop_run_until(f->loop, nothing_runs, f, LIMIT_MS));
    assert_true(faas_now_ms(&faas_system_clock) - began < 5000);
    assert_false(is_over(f));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void one_in_its_grace_may_be_given_up_too(void **state)
{
    struct fixture *f = *state;
    struct wd_child *child;

    f->stream.pause_at = 1;
    child = start_stream(f, "sleep 30 & echo $! >&2; echo");
    assert_true(faas_loop_run_until(f->loop, is_paused, f, LIMIT_MS));
    faas_loop_run_until(f->loop, never, f, 50);
    wd_child_kill(child);
    assert_true(faas_loop_run_until(f->loop, nothing_runs, f, LIMIT_MS));
    assert_false(is_over(f));
    kill(atoi(f->stream.errors.data), SIGKILL);
}

static bool has_no_children_at_all(void *arg)
{
    siginfo_t info;

    (void)arg;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0;
}

static void orphans_are_collected_and_our_own_keep_their_status(void **state)
{
    struct fixture *f = *state;
    struct wd_reaper reaper = {0};

    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    assert_int_equal(wd_reaper_start(&reaper, &f->children, NULL), 0);
    /* The inner shells outlive the outer one and so become ours. */
    run(f, "(sleep 0.05; exit 1) >/dev/null & (exit 2) & exit 7", FAAS_STR(""));
    assert_int_equal(WEXITSTATUS(wd_child_status(f->ended)), 7);
    assert_true(faas_loop_run_until(f->loop, has_no_children_at_all, f, LIMIT_MS));
    wd_reaper_stop(&reaper);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(output_errors_and_status_are_kept_apart),
        T(errors_beyond_the_limit_are_counted),
        T(input_and_output_larger_than_pipes_do_not_block_each_other),
        T(output_beyond_a_pipe_is_read_while_the_child_runs),
        T(without_input_stdin_is_at_its_end),
        T(the_rest_of_the_output_is_waited_for_only_a_little),
        T(time_is_up_for_the_whole_group_and_known_at_once),
        T(a_program_that_cannot_start_leaves_nothing),
        T(what_runs_at_the_end_is_killed_and_reported),
        T(input_in_pieces_waits_for_room_and_output_is_handed_on),
        T(input_that_was_there_comes_before_the_pieces),
        T(one_that_reads_no_more_takes_all_input),
        T(a_paused_child_waits),
        T(what_was_written_before_the_exit_is_kept_through_a_pause),
        T(one_that_was_left_behind_and_writes_for_ever_is_not_listened_to),
        T(one_that_is_not_wanted_any_more_is_killed_and_nothing_reported),
        T(one_in_its_grace_may_be_given_up_too),
        T(orphans_are_collected_and_our_own_keep_their_status),
    };
    return cmocka_run_group_tests_name("wd_child", tests, NULL, NULL);
}
