#include "tests/unit/unit.h"
#include "watchdog/reaper.h"
#include "watchdog/upstream_child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_MS 10000

struct fixture {
    struct wd_config config;
    struct wd_children children;
    struct wd_log log;
    struct wd_context ctx;
    struct wd_upstream_child child;
    int exits;
    int status;
};

static void on_exit_of_child(void *arg, int status)
{
    struct fixture *f = arg;

    f->exits++;
    f->status = status;
}

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){0};
    f.config.prefix_logs = false;
    f.config.log_buffer_size = 65536;
    f.ctx = (struct wd_context){
        .config = &f.config,
        .loop = faas_loop_new(NULL, NULL),
        .log = &f.log,
        .children = &f.children,
    };
    wd_log_init(&f.log, &faas_system_clock);
    f.log.out.fd = f.log.err.fd = memfd_create("log", MFD_CLOEXEC);
    *state = &f;
    return wd_children_init(&f.children, f.ctx.loop, NULL);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    wd_upstream_child_deinit(&f->child);
    wd_children_deinit(&f->children);
    wd_log_deinit(&f->log);
    close(f->log.out.fd);
    faas_loop_free(f->ctx.loop);
    free(f->config.fprocess);
    return 0;
}

/* fprocess is cut at blanks, so the script is a file. */
static void init(struct fixture *f, const char *script)
{
    static char path[] = "/tmp/wd-upstream-child-XXXXXX";
    int fd;

    snprintf(path, sizeof(path), "/tmp/wd-upstream-child-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, script, strlen(script)), strlen(script));
    close(fd);
    assert_true(asprintf(&f->config.fprocess, "/bin/sh %s", path) > 0);
    wd_upstream_child_init(&f->child, &f->ctx, on_exit_of_child, f);
}

static int start(struct fixture *f, struct faas_error *err)
{
    char *envp[] = {(char *)"PATH=/usr/bin:/bin", NULL};

    return wd_upstream_child_start(&f->child, envp, err);
}

static bool has_exited(void *arg)
{
    const struct fixture *f = arg;

    return f->exits > 0;
}

static void await_exit(struct fixture *f)
{
    assert_true(faas_loop_run_until(f->ctx.loop, has_exited, f, LIMIT_MS));
    assert_int_equal(f->exits, 1);
    f->exits = 0;
    unlink(f->child.argv.items[1]);
}

static const char *logged(struct fixture *f)
{
    static char text[4096];
    ssize_t n;

    wd_log_flush(&f->log);
    n = pread(f->log.out.fd, text, sizeof(text) - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void its_end_is_reported_and_its_last_words_are_logged(void **state)
{
    struct fixture *f = *state;

    init(f, "echo to out; printf 'to err' >&2; exit 3");
    assert_int_equal(start(f, NULL), 0);
    assert_true(wd_upstream_child_runs(&f->child));
    await_exit(f);
    assert_false(wd_upstream_child_runs(&f->child));
    assert_int_equal(WEXITSTATUS(f->status), 3);
    assert_non_null(strstr(logged(f), "to out\n"));
    assert_non_null(strstr(logged(f), "to err\n"));
}

static void it_can_be_started_again(void **state)
{
    struct fixture *f = *state;

    init(f, "exit 5");
    assert_int_equal(start(f, NULL), 0);
    assert_true(faas_loop_run_until(f->ctx.loop, has_exited, f, LIMIT_MS));
    f->exits = 0;
    assert_int_equal(start(f, NULL), 0);
    await_exit(f);
    assert_int_equal(WEXITSTATUS(f->status), 5);
}

static void what_it_left_in_its_group_is_killed(void **state)
{
    struct fixture *f = *state;
    pid_t left;

    init(f, "sleep 100000 & echo left $!; exit 0");
    assert_int_equal(start(f, NULL), 0);
    await_exit(f);
    left = atoi(strstr(logged(f), "left ") + 5);
    assert_true(left > 0);
    /* A zombie at most, until process 1 has collected it. */
    for (int i = 0; i < 1000 && kill(left, 0) == 0; i++) {
        char path[64], stat[256] = "";
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%d/stat", (int)left);
        file = fopen(path, "r");
        if (!file)
            break;
        assert_non_null(fgets(stat, sizeof(stat), file));
        fclose(file);
        if (strstr(stat, ") Z "))
            break;
        assert_true(i < 999);
        usleep(1000);
    }
}

static void one_that_does_not_obey_is_killed(void **state)
{
    struct fixture *f = *state;

    init(f, "trap '' TERM; while :; do sleep 0.01; done");
    assert_int_equal(start(f, NULL), 0);
    wd_upstream_child_signal(&f->child, SIGTERM);
    wd_upstream_child_kill_after(&f->child, 200);
    await_exit(f);
    assert_true(WIFSIGNALED(f->status));
}

static void what_cannot_be_started_says_why(void **state)
{
    struct fixture *f = *state;
    struct faas_error err = {0};

    f->config.fprocess = strdup("/nope/x y");
    wd_upstream_child_init(&f->child, &f->ctx, on_exit_of_child, f);
    assert_int_equal(start(f, &err), -1);
    assert_string_equal(err.msg, "fork/exec /nope/x: no such file or directory");
    assert_false(wd_upstream_child_runs(&f->child));
}

static void the_reaper_leaves_its_exit_alone(void **state)
{
    struct fixture *f = *state;
    struct wd_reaper reaper;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    assert_int_equal(wd_reaper_start(&reaper, &f->children, NULL), 0);
    for (int i = 0; i < 20; i++) {
        pid_t orphan = fork();

        if (orphan == 0)
            _exit(0);
        free(f->config.fprocess);
        if (i > 0)
            wd_upstream_child_deinit(&f->child);
        init(f, "exit 7");
        assert_int_equal(start(f, NULL), 0);
        await_exit(f);
        assert_int_equal(WEXITSTATUS(f->status), 7);
    }
    wd_reaper_stop(&reaper);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(its_end_is_reported_and_its_last_words_are_logged, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(it_can_be_started_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_it_left_in_its_group_is_killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_does_not_obey_is_killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_started_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_reaper_leaves_its_exit_alone, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
