#include "tests/unit/unit.h"
#include "watchdog/job.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_MS 20000 /* what takes longer has hung */

static unsigned count_fds(void)
{
    unsigned n = 0;
    DIR *dir = opendir("/proc/self/fd");

    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

struct world {
    struct faas_loop *loop;
    struct wd_jobs jobs;
    unsigned fds;
    unsigned ends;
    struct faas_buf result;
    struct faas_error err;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    w->fds = count_fds();
    w->loop = faas_loop_new(NULL, NULL);
    wd_jobs_init(&w->jobs, w->loop);
    *state = w;
    return 0;
}

/* Nothing is left of any job: no descriptor, no process. */
static int tear_down(void **state)
{
    struct world *w = *state;

    wd_jobs_deinit(&w->jobs);
    faas_loop_free(w->loop);
    assert_int_equal(count_fds(), w->fds);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    faas_buf_deinit(&w->result);
    free(w);
    return 0;
}

static void on_end(void *arg, struct faas_str result, const struct faas_error *err)
{
    struct world *w = arg;

    w->ends++;
    faas_buf_append_str(&w->result, result);
    if (err)
        w->err = *err;
}

static bool has_ended(void *arg)
{
    const struct world *w = arg;

    return w->ends > 0;
}

static bool all_collected(void *arg)
{
    const struct world *w = arg;

    return faas_list_empty(&w->jobs.all);
}

static void run_job(struct world *w,
                    int (*run)(const void *, struct faas_buf *, struct faas_error *),
                    const void *input, int64_t limit_ms)
{
    const struct wd_job_spec spec = {
        .run = run,
        .input = input,
        .max_result = 1024 * 1024,
        .limit_ms = limit_ms,
        .on_end = on_end,
        .arg = w,
    };

    assert_int_equal(wd_job_start(&w->jobs, &spec, NULL), 0);
    assert_int_equal(w->ends, 0);
    assert_true(faas_loop_run_until(w->loop, has_ended, w, LIMIT_MS));
    assert_true(faas_loop_run_until(w->loop, all_collected, w, LIMIT_MS));
    assert_int_equal(w->ends, 1);
}

static int say_input(const void *input, struct faas_buf *out, struct faas_error *err)
{
    (void)err;
    faas_buf_printf(out, "%s from %d", (const char *)input, getpid());
    return 0;
}

static void a_job_runs_in_another_process(void **state)
{
    struct world *w = *state;
    char own[32];

    run_job(w, say_input, "hello", LIMIT_MS);
    assert_int_equal(w->err.code, FAAS_ERR_NONE);
    assert_true(faas_str_starts(faas_buf_str(&w->result), FAAS_STR("hello from ")));
    snprintf(own, sizeof(own), "hello from %d", getpid());
    assert_string_not_equal(w->result.data, own);
}

static int fill(const void *input, struct faas_buf *out, struct faas_error *err)
{
    (void)err;
    for (size_t i = 0; i < *(const size_t *)input; i++)
        faas_buf_append_c(out, (char)('a' + i % 26));
    return 0;
}

static void a_result_larger_than_a_pipe_arrives_whole(void **state)
{
    struct world *w = *state;
    const size_t n = 1024 * 1024;

    run_job(w, fill, &n, LIMIT_MS);
    assert_int_equal(w->result.len, n);
    assert_int_equal(w->result.data[n - 1], 'a' + (n - 1) % 26);
}

static void a_result_beyond_the_limit_is_an_error(void **state)
{
    struct world *w = *state;
    const size_t n = 1024 * 1024 + 1;

    run_job(w, fill, &n, LIMIT_MS);
    assert_int_equal(w->err.code, FAAS_ERR_TOO_LARGE);
    assert_int_equal(w->result.len, 0);
}

static void an_empty_result_is_a_result(void **state)
{
    struct world *w = *state;
    const size_t n = 0;

    run_job(w, fill, &n, LIMIT_MS);
    assert_int_equal(w->err.code, FAAS_ERR_NONE);
}

static int fail_it(const void *input, struct faas_buf *out, struct faas_error *err)
{
    faas_buf_append_z(out, "half a result");
    return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "no %s", (const char *)input);
}

static void its_error_comes_over(void **state)
{
    struct world *w = *state;

    run_job(w, fail_it, "luck", LIMIT_MS);
    assert_int_equal(w->err.code, FAAS_ERR_BAD_GATEWAY);
    assert_string_equal(w->err.msg, "no luck");
    assert_int_equal(w->result.len, 0);
}

static int hang(const void *input, struct faas_buf *out, struct faas_error *err)
{
    (void)input;
    (void)out;
    (void)err;
    for (;;)
        pause();
    return 0;
}

static void a_job_that_hangs_is_killed_at_its_limit(void **state)
{
    struct world *w = *state;

    run_job(w, hang, NULL, 50);
    assert_int_equal(w->err.code, FAAS_ERR_TIMEOUT);
    assert_string_equal(w->err.msg, "not done within 50ms");
}

static int die(const void *input, struct faas_buf *out, struct faas_error *err)
{
    (void)input;
    (void)out;
    (void)err;
    raise(SIGKILL);
    return 0;
}

static void a_job_that_dies_is_an_error(void **state)
{
    struct world *w = *state;

    run_job(w, die, NULL, LIMIT_MS);
    assert_int_equal(w->err.code, FAAS_ERR_UNAVAILABLE);
}

/* As if memory ran out in the middle of writing the result. */
static int write_part_and_die(const void *input, struct faas_buf *out, struct faas_error *err)
{
    static const char part[] = "\xff\0\0\0\0\0\0\0half";

    (void)input;
    (void)out;
    (void)err;
    if (write(STDERR_FILENO + 1, part, sizeof(part)) > 0)
        raise(SIGKILL);
    return 0;
}

static void half_a_result_is_none(void **state)
{
    struct world *w = *state;

    run_job(w, write_part_and_die, NULL, LIMIT_MS);
    assert_int_equal(w->err.code, FAAS_ERR_UNAVAILABLE);
    assert_int_equal(w->result.len, 0);
}

static int list_fds(const void *input, struct faas_buf *out, struct faas_error *err)
{
    (void)input;
    (void)err;
    for (int fd = 0; fd < 256; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            faas_buf_printf(out, "%d ", fd);
    return 0;
}

static void the_copy_keeps_no_descriptor_of_ours(void **state)
{
    struct world *w = *state;
    int own = dup(STDERR_FILENO);

    assert_true(own > STDERR_FILENO + 1); /* the loop's come before it */
    run_job(w, list_fds, NULL, LIMIT_MS);
    close(own);
    assert_string_equal(w->result.data, "0 1 2 3 ");
}

static void jobs_can_be_dropped_while_they_run(void **state)
{
    struct world *w = *state;
    const struct wd_job_spec spec = {.run = hang, .limit_ms = LIMIT_MS, .on_end = on_end, .arg = w};

    for (int i = 0; i < 3; i++)
        assert_int_equal(wd_job_start(&w->jobs, &spec, NULL), 0);
    wd_jobs_deinit(&w->jobs);
    assert_int_equal(w->ends, 0);
}

/* As the collector of orphans in process 1 may do. */
static void a_copy_that_somebody_else_collected_is_no_trouble(void **state)
{
    struct world *w = *state;
    const struct wd_job_spec spec = {.run = say_input,
                                     .input = "x",
                                     .max_result = 100,
                                     .limit_ms = LIMIT_MS,
                                     .on_end = on_end,
                                     .arg = w};

    assert_int_equal(wd_job_start(&w->jobs, &spec, NULL), 0);
    assert_true(waitpid(-1, NULL, 0) > 0);
    assert_true(faas_loop_run_until(w->loop, all_collected, w, LIMIT_MS));
    assert_int_equal(w->ends, 1);
    assert_int_equal(w->err.code, FAAS_ERR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_job_runs_in_another_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_result_larger_than_a_pipe_arrives_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_result_beyond_the_limit_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_result_is_a_result, set_up, tear_down),
        cmocka_unit_test_setup_teardown(its_error_comes_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_job_that_hangs_is_killed_at_its_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_job_that_dies_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_a_result_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_copy_keeps_no_descriptor_of_ours, set_up, tear_down),
        cmocka_unit_test_setup_teardown(jobs_can_be_dropped_while_they_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_copy_that_somebody_else_collected_is_no_trouble, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("wd_job", tests, NULL, NULL);
}
