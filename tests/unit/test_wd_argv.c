#include "tests/unit/unit.h"
#include "watchdog/argv.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void every_single_blank_cuts(void **state)
{
    static const struct {
        const char *fprocess;
        const char *want[8];
    } cases[] = {
        {"cat", {"cat"}},
        {"python3 index.py", {"python3", "index.py"}},
        {"a  b 'c d' \"e\"", {"a", "", "b", "'c", "d'", "\"e\""}},
        {" a", {"", "a"}},
        {"a ", {"a", ""}},
        {"a\tb $HOME", {"a\tb", "$HOME"}},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_strv_ struct faas_strv argv = {0};
        size_t n = 0;

        print_message("\"%s\"\n", cases[i].fprocess);
        wd_split_command(cases[i].fprocess, &argv);
        for (; cases[i].want[n]; n++) {
            assert_true(n < argv.len);
            assert_string_equal(argv.items[n], cases[i].want[n]);
        }
        assert_int_equal(argv.len, n);
        assert_null(argv.items[n]);
    }
}

static char dir[] = "/tmp/wd-argv-XXXXXX";

static int make_dir(void **state)
{
    char path[64];

    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/one", dir);
    if (mkdir(path, 0755) < 0)
        return -1;
    snprintf(path, sizeof(path), "%s/two", dir);
    return mkdir(path, 0755);
}

static int remove_dir(void **state)
{
    static const char *const names[] = {"one/prog", "two/prog", "one", "two", "."};
    char path[64];

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        if (i == FAAS_ARRAY_LEN(names) - 1)
            rmdir(dir);
        else
            remove(path);
    }
    return 0;
}

static void put_file(const char *where, mode_t mode)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "%s/%s/prog", dir, where);
    fd = open(path, O_CREAT | O_WRONLY, mode);
    assert_true(fd >= 0);
    fchmod(fd, mode);
    close(fd);
}

static void path_is_searched_afresh_each_time(void **state)
{
    char path_env[128], one[64], two[64];
    struct faas_error err = {0};
    struct wd_program p;

    (void)state;
    snprintf(path_env, sizeof(path_env), "%s/one:%s/two", dir, dir);
    snprintf(one, sizeof(one), "%s/one/prog", dir);
    snprintf(two, sizeof(two), "%s/two/prog", dir);
    wd_program_init(&p, "prog", path_env);

    assert_null(wd_program_find(&p, &err));
    assert_string_equal(err.msg, "exec: \"prog\": executable file not found in $PATH");
    put_file("two", 0755);
    assert_string_equal(wd_program_find(&p, NULL), two);
    put_file("one", 0644); /* no program */
    assert_string_equal(wd_program_find(&p, NULL), two);
    chmod(one, 0755);
    assert_string_equal(wd_program_find(&p, NULL), one);
    unlink(one);
    assert_string_equal(wd_program_find(&p, NULL), two);
    wd_program_deinit(&p);
}

static void a_directory_is_no_program(void **state)
{
    struct wd_program p;

    (void)state;
    wd_program_init(&p, "one", dir);
    assert_null(wd_program_find(&p, NULL));
    wd_program_deinit(&p);
}

static void names_with_a_slash_are_not_searched(void **state)
{
    struct wd_program p;

    (void)state;
    wd_program_init(&p, "./nope", "/bin");
    assert_string_equal(wd_program_find(&p, NULL), "./nope");
    wd_program_deinit(&p);
}

static void an_empty_name_is_no_command(void **state)
{
    struct faas_error err = {0};
    struct wd_program p;

    (void)state;
    wd_program_init(&p, "", "/bin");
    assert_null(wd_program_find(&p, &err));
    assert_string_equal(err.msg, "exec: no command");
    wd_program_deinit(&p);
}

static void without_path_nothing_is_found(void **state)
{
    struct wd_program p;

    (void)state;
    wd_program_init(&p, "cat", NULL);
    assert_null(wd_program_find(&p, NULL));
    wd_program_deinit(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_single_blank_cuts),
        cmocka_unit_test(path_is_searched_afresh_each_time),
        cmocka_unit_test(a_directory_is_no_program),
        cmocka_unit_test(names_with_a_slash_are_not_searched),
        cmocka_unit_test(an_empty_name_is_no_command),
        cmocka_unit_test(without_path_nothing_is_found),
    };
    return cmocka_run_group_tests_name("wd_argv", tests, make_dir, remove_dir);
}
