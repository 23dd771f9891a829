#include "tests/unit/unit.h"
#include "watchdog/child.h"
#include "watchdog/reaper.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_MS 10000

struct fixture {
    struct faas_loop *loop;
    struct wd_children children;
    struct wd_child *ended; /* by on_end */
    bool timed_out;
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

static struct wd_child *start(struct fixture *f, const char *script, struct faas_str input,
                              int64_t timeout_ms)
{
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)script, NULL};
    char *envp[] = {(char *)"PATH=/usr/bin:/bin", NULL};
    struct wd_child_spec spec = {
        .path = "/bin/sh",
        .argv = argv,
        .envp = envp,
        .input = input,
        .max_stderr = 10,
        .timeout_ms = timeout_ms,
        .ops = &ops,
        .arg = f,
    };

    return wd_child_start(&f->children, &spec, NULL);
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
        T(orphans_are_collected_and_our_own_keep_their_status),
    };
    return cmocka_run_group_tests_name("wd_child", tests, NULL, NULL);
}
