#include "tests/unit/unit.h"
#include "watchdog/health.h"

#include "libfaas/file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/wd-health-XXXXXX";
static char lock[64];

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(lock, sizeof(lock), "%s/.lock", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(lock);
    return rmdir(dir);
}

static void the_file_and_the_flag_decide_together(void **state)
{
    struct wd_health h = {.lock_path = lock};
    FILE *f;

    (void)state;
    assert_false(wd_health_ok(&h));
    assert_int_equal(wd_health_start(&h, NULL), 0);
    assert_true(wd_health_ok(&h));
    unlink(lock); /* by hand */
    assert_false(wd_health_ok(&h));
    f = fopen(lock, "w");
    assert_non_null(f);
    fclose(f);
    assert_true(wd_health_ok(&h));
    wd_health_stop(&h);
    assert_false(wd_health_ok(&h));
    assert_int_equal(access(lock, F_OK), -1);
}

static void a_stale_file_is_taken_over(void **state)
{
    struct wd_health h = {.lock_path = lock};
    struct stat st;
    FILE *f = fopen(lock, "w");

    (void)state;
    assert_non_null(f);
    fputs("old", f);
    fclose(f);
    assert_int_equal(wd_health_start(&h, NULL), 0);
    assert_int_equal(stat(lock, &st), 0);
    assert_int_equal(st.st_size, 0);
    wd_health_stop(&h);
}

static void suppressed_health_needs_no_file_and_touches_none(void **state)
{
    struct wd_health h = {.lock_path = lock, .suppress_lock = true};
    FILE *f;

    (void)state;
    assert_int_equal(wd_health_start(&h, NULL), 0);
    assert_int_equal(access(lock, F_OK), -1);
    assert_true(wd_health_ok(&h));
    f = fopen(lock, "w");
    assert_non_null(f);
    fclose(f);
    wd_health_stop(&h);
    assert_false(wd_health_ok(&h));
    assert_int_equal(access(lock, F_OK), 0);
}

static void a_missing_folder_is_an_error_that_names_the_way_out(void **state)
{
    struct wd_health h = {.lock_path = "/nonexistent/.lock"};
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(wd_health_start(&h, &err), -1);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_non_null(strstr(err.msg, "/nonexistent/.lock"));
    assert_non_null(strstr(err.msg, "suppress_lock=true"));
    assert_false(h.accepting);
}

static void a_missing_folder_is_made_when_that_is_wished(void **state)
{
    char above[32], folder[40], path[56];
    struct wd_health h = {.lock_path = path, .make_folder = true};

    (void)state;
    snprintf(above, sizeof(above), "%s/a", dir);
    snprintf(folder, sizeof(folder), "%s/b", above);
    snprintf(path, sizeof(path), "%s/.lock", folder);
    assert_int_equal(wd_health_start(&h, NULL), 0);
    assert_true(wd_health_ok(&h));
    wd_health_stop(&h);
    assert_int_equal(rmdir(folder), 0); /* the file is gone again, its folder is not */
    assert_int_equal(rmdir(above), 0);
}

static void a_folder_that_cannot_be_made_is_an_error_that_says_why(void **state)
{
    struct wd_health h = {.lock_path = "/proc/nowhere/.lock", .make_folder = true};
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(wd_health_start(&h, &err), -1);
    assert_non_null(strstr(err.msg, "/proc/nowhere/.lock"));
    assert_non_null(strstr(err.msg, "suppress_lock=true"));
    assert_non_null(strstr(err.msg, "make folder /proc/nowhere"));
    assert_false(h.accepting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_and_the_flag_decide_together),
        cmocka_unit_test(a_stale_file_is_taken_over),
        cmocka_unit_test(suppressed_health_needs_no_file_and_touches_none),
        cmocka_unit_test(a_missing_folder_is_an_error_that_names_the_way_out),
        cmocka_unit_test(a_missing_folder_is_made_when_that_is_wished),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_an_error_that_says_why),
    };
    return cmocka_run_group_tests_name("wd_health", tests, make_dir, remove_dir);
}
