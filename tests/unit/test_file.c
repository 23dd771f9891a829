#include "libfaas/file.h"
#include "tests/unit/tmpdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char *in(const char *dir, const char *name)
{
    return faas_asprintf("%s/%s", dir, name);
}

static void put(const char *dir, const char *name, const char *text, mode_t mode)
{
    _cleanup_free_ char *path = in(dir, name);
    struct faas_error err = {0};

    if (faas_file_replace(path, faas_str_from(text), mode, &err) < 0)
        fail_msg("%s", err.msg);
}

static bool holds(const char *dir, const char *name, const char *text)
{
    _cleanup_free_ char *path = in(dir, name);
    _cleanup_buf_ struct faas_buf got = {0};

    return faas_file_read(path, 1 << 20, &got, NULL) == 0 && faas_str_eqz(faas_buf_str(&got), text);
}

static mode_t mode_of(const char *dir, const char *name)
{
    _cleanup_free_ char *path = in(dir, name);
    struct stat st;

    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode;
}

static int entries(const char *dir)
{
    DIR *d = opendir(dir);
    int n = -2; /* "." and ".." */

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void reading_appends_and_stops_at_the_cap(void **state)
{
    const char *dir = *state;
    _cleanup_free_ char *path = in(dir, "f");
    _cleanup_free_ char *absent = in(dir, "absent");
    _cleanup_buf_ struct faas_buf got = {0};
    struct faas_error err = {0};

    put(dir, "f", "12345", 0600);
    faas_buf_append_z(&got, ">");
    assert_int_equal(faas_file_read(path, 5, &got, &err), 0);
    assert_string_equal(got.data, ">12345");
    assert_int_equal(faas_file_read(path, 4, &got, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_TOO_LARGE);
    assert_int_equal(got.len, 6);
    assert_int_equal(faas_file_read(absent, 4, &got, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    assert_non_null(strstr(err.msg, absent));
    assert_int_equal(faas_file_read(dir, 4, &got, &err), -1);
    assert_int_equal(err.sys_errno, EISDIR);
}

static void replacing_sets_content_and_mode_whatever_the_umask(void **state)
{
    const char *dir = *state;
    mode_t old = umask(077);

    put(dir, "f", "one", 0644);
    assert_true(holds(dir, "f", "one"));
    assert_int_equal(mode_of(dir, "f") & 07777, 0644);
    put(dir, "f", "two", 0600);
    umask(old);
    assert_true(holds(dir, "f", "two"));
    assert_int_equal(mode_of(dir, "f") & 07777, 0600);
    assert_int_equal(entries(dir), 1);
}

static void replacing_works_in_the_current_folder_and_fails_in_an_absent_one(void **state)
{
    const char *dir = *state;
    _cleanup_free_ char *absent = in(dir, "no/such/f");
    _cleanup_close_ int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct faas_error err = {0};

    assert_int_equal(chdir(dir), 0);
    assert_int_equal(faas_file_replace("f", FAAS_STR("x"), 0600, &err), 0);
    assert_int_equal(fchdir(here), 0);
    assert_true(holds(dir, "f", "x"));
    assert_int_equal(faas_file_replace(absent, FAAS_STR("x"), 0600, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
}

static void creating_never_replaces(void **state)
{
    const char *dir = *state;
    _cleanup_free_ char *path = in(dir, "f");
    struct faas_error err = {0};

    assert_int_equal(faas_file_create(path, FAAS_STR("first"), 0640, &err), 0);
    assert_int_equal(faas_file_create(path, FAAS_STR("second"), 0600, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_CONFLICT);
    assert_true(holds(dir, "f", "first"));
    assert_int_equal(mode_of(dir, "f") & 07777, 0640);
    assert_int_equal(entries(dir), 1);
}

/* 0: the old file stands, nothing is left and the error says why. Runs in a child. */
static int replace_more_than_fits(const char *dir, int want_errno)
{
    _cleanup_free_ char *path = in(dir, "f");
    size_t n = 256 << 10;
    _cleanup_free_ char *big = faas_zalloc(n);
    struct faas_error err = {0};

    if (faas_file_replace(path, (struct faas_str){.ptr = big, .len = n}, 0600, &err) == 0)
        return 1;
    if (err.sys_errno != want_errno || !strstr(err.msg, path))
        return 2;
    if (!holds(dir, "f", "old"))
        return 3;
    if (entries(dir) != 1)
        return 4;
    if (faas_file_create(path, (struct faas_str){.ptr = big, .len = n}, 0600, &err) == 0)
        return 5;
    return entries(dir) == 1 ? 0 : 6;
}

static int exit_of(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_file_size_limit_leaves_the_old_file_and_no_temporary(void **state)
{
    const char *dir = *state;
    pid_t pid;

    put(dir, "f", "old", 0600);
    pid = fork();
    if (pid == 0) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 4096, .rlim_max = 4096});
        _exit(replace_more_than_fits(dir, EFBIG));
    }
    assert_int_equal(exit_of(pid), 0);
    assert_true(holds(dir, "f", "old"));
}

#define NO_RIGHT_TO_MOUNT 77

static bool write_to(const char *path, const char *text)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && faas_write_all(fd, text, strlen(text), NULL) == 0;
}

/* A mount namespace of our own; who is not root becomes it in a user namespace, where allowed. */
static bool enter_namespace(void)
{
    _cleanup_free_ char *user = faas_asprintf("0 %u 1", getuid());
    _cleanup_free_ char *group = faas_asprintf("0 %u 1", getgid());

    if (unshare(CLONE_NEWNS) == 0)
        return true;
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_to("/proc/self/setgroups", "deny") &&
           write_to("/proc/self/uid_map", user) && write_to("/proc/self/gid_map", group);
}

static int on_a_full_disk(const char *dir)
{
    _cleanup_free_ char *path = in(dir, "f");

    if (!enter_namespace() || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", dir, "tmpfs", 0, "size=64k") < 0)
        return NO_RIGHT_TO_MOUNT;
    if (faas_file_replace(path, FAAS_STR("old"), 0600, NULL) < 0)
        return 7;
    return replace_more_than_fits(dir, ENOSPC);
}

static void a_full_disk_leaves_the_old_file_and_no_temporary(void **state)
{
    pid_t pid = fork();
    int rc;

    if (pid == 0)
        _exit(on_a_full_disk(*state));
    rc = exit_of(pid);
    if (rc == NO_RIGHT_TO_MOUNT) {
        print_message("no right to mount a tmpfs here\n");
        skip();
    }
    assert_int_equal(rc, 0);
}

static void folders_are_made_with_their_parents(void **state)
{
    const char *dir = *state;
    _cleanup_free_ char *deep = in(dir, "a/b/c");
    _cleanup_free_ char *through_file = in(dir, "f/b");
    _cleanup_free_ char *file = in(dir, "f");
    struct faas_error err = {0};

    assert_int_equal(faas_mkdirs(deep, 0700, &err), 0);
    assert_int_equal(faas_mkdirs(deep, 0700, &err), 0);
    assert_true(S_ISDIR(mode_of(dir, "a/b/c")));
    put(dir, "f", "", 0600);
    assert_int_equal(faas_mkdirs(through_file, 0700, &err), -1);
    assert_int_equal(faas_mkdirs(file, 0700, &err), -1);
    assert_non_null(strstr(err.msg, file));
}

static void removing_does_not_follow_symlinks(void **state)
{
    const char *dir = *state;
    _cleanup_free_ char *kept = in(dir, "kept");
    _cleanup_free_ char *tree = in(dir, "tree");
    _cleanup_free_ char *link = in(dir, "tree/sub/link");
    _cleanup_free_ char *sub = in(dir, "tree/sub");
    struct faas_error err = {0};

    assert_int_equal(faas_mkdirs(kept, 0700, &err), 0);
    put(dir, "kept/f", "safe", 0600);
    assert_int_equal(faas_mkdirs(sub, 0700, &err), 0);
    put(dir, "tree/f", "gone", 0400);
    assert_int_equal(symlink(kept, link), 0);
    assert_int_equal(chmod(sub, 0), 0);
    assert_int_equal(faas_remove_tree(tree, &err), 0);
    assert_false(faas_file_exists(tree));
    assert_true(holds(dir, "kept/f", "safe"));
    assert_int_equal(faas_remove_tree(tree, &err), 0);

    assert_int_equal(symlink(kept, tree), 0);
    assert_int_equal(faas_remove_tree(tree, &err), 0);
    assert_true(holds(dir, "kept/f", "safe"));
}

static void a_tree_deeper_than_any_path_is_removed(void **state)
{
    const char *dir = *state;
    _cleanup_free_ char *top = in(dir, "deep");
    struct faas_error err = {0};
    int fd;

    assert_int_equal(mkdir(top, 0700), 0);
    fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < 3000; i++) {
        int next;

        assert_int_equal(mkdirat(fd, "d", 0700), 0);
        next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        fd = next;
    }
    close(fd);
    if (faas_remove_tree(top, &err) < 0)
        fail_msg("%s", err.msg);
    assert_false(faas_file_exists(top));
}

static void what_cannot_be_removed_is_named(void **state)
{
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(faas_remove_tree("/proc/self/limits", &err), -1);
    assert_non_null(strstr(err.msg, "/proc/self/limits"));
}

static void copying_follows_symlinks_keeps_modes_and_overwrites(void **state)
{
    const char *dir = *state;
    _cleanup_free_ char *from = in(dir, "from");
    _cleanup_free_ char *to = in(dir, "to");
    _cleanup_free_ char *from_sub = in(dir, "from/sub");
    _cleanup_free_ char *link = in(dir, "from/link");
    _cleanup_free_ char *trap = in(dir, "to/run.sh");
    _cleanup_free_ char *victim = in(dir, "victim");
    struct faas_error err = {0};

    assert_int_equal(faas_mkdirs(from_sub, 0700, &err), 0);
    assert_int_equal(mkdir(to, 0755), 0);
    put(dir, "outside", "linked", 0600);
    put(dir, "victim", "untouched", 0600);
    put(dir, "from/run.sh", "#!/bin/sh\n", 0755);
    put(dir, "from/sub/f", "deep", 0640);
    put(dir, "to/kept", "kept", 0600);
    assert_int_equal(chmod(from_sub, 0555), 0);
    assert_int_equal(symlink("../outside", link), 0);
    assert_int_equal(symlink(victim, trap), 0);
    if (faas_copy_tree(from, to, &err) < 0)
        fail_msg("%s", err.msg);
    assert_true(holds(dir, "to/run.sh", "#!/bin/sh\n"));
    assert_int_equal(mode_of(dir, "to/run.sh"), S_IFREG | 0755);
    assert_int_equal(mode_of(dir, "to/sub"), S_IFDIR | 0555);
    assert_int_equal(mode_of(dir, "to/sub/f"), S_IFREG | 0640);
    assert_int_equal(mode_of(dir, "to/link"), S_IFREG | 0600);
    assert_true(holds(dir, "to/link", "linked"));
    assert_true(holds(dir, "to/kept", "kept"));
    assert_true(holds(dir, "victim", "untouched"));

    put(dir, "from/run.sh", "changed", 0400);
    assert_int_equal(faas_copy_tree(trap, victim, &err), 0);
    assert_true(holds(dir, "victim", "#!/bin/sh\n"));
    assert_int_equal(chmod(from_sub, 0755), 0);
}

static void a_set_user_id_bit_is_not_copied(void **state)
{
    const char *dir = *state;
    _cleanup_free_ char *from = in(dir, "from");
    _cleanup_free_ char *to = in(dir, "to");

    put(dir, "from", "x", 0755);
    assert_int_equal(chmod(from, 06755), 0);
    assert_int_equal(faas_copy_tree(from, to, NULL), 0);
    assert_int_equal(mode_of(dir, "to"), S_IFREG | 0755);
}

static void copying_a_folder_into_itself_ends(void **state)
{
    const char *dir = *state;
    _cleanup_free_ char *to = in(dir, "build/fn");
    _cleanup_free_ char *build = in(dir, "build");
    struct faas_error err = {0};

    assert_int_equal(mkdir(build, 0700), 0);
    put(dir, "f", "x", 0600);
    if (faas_copy_tree(dir, to, &err) < 0)
        fail_msg("%s", err.msg);
    assert_true(holds(dir, "build/fn/f", "x"));
    assert_int_equal(entries(to), 2);
}

static void copying_refuses_what_it_cannot_copy_and_names_it(void **state)
{
    const char *dir = *state;
    _cleanup_free_ char *from = in(dir, "from");
    _cleanup_free_ char *to = in(dir, "to");
    _cleanup_free_ char *odd = in(dir, "from/odd");
    struct faas_error err = {0};

    assert_int_equal(faas_copy_tree(from, to, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    assert_int_equal(mkdir(from, 0700), 0);
    assert_int_equal(mkfifo(odd, 0600), 0);
    assert_int_equal(faas_copy_tree(from, to, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_INVALID);
    assert_non_null(strstr(err.msg, "odd: is neither a file nor a folder"));
    assert_int_equal(unlink(odd), 0);
    assert_int_equal(symlink("nowhere", odd), 0);
    assert_int_equal(faas_copy_tree(from, to, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    assert_non_null(strstr(err.msg, "odd"));
    assert_int_equal(unlink(odd), 0);
    assert_int_equal(symlink(".", odd), 0);
    assert_int_equal(faas_copy_tree(from, to, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_INVALID);
    assert_non_null(strstr(err.msg, ": odd: nested too deeply (a symlink in a circle?)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tmpdir_test(reading_appends_and_stops_at_the_cap),
        tmpdir_test(replacing_sets_content_and_mode_whatever_the_umask),
        tmpdir_test(replacing_works_in_the_current_folder_and_fails_in_an_absent_one),
        tmpdir_test(creating_never_replaces),
        tmpdir_test(a_file_size_limit_leaves_the_old_file_and_no_temporary),
        tmpdir_test(a_full_disk_leaves_the_old_file_and_no_temporary),
        tmpdir_test(folders_are_made_with_their_parents),
        tmpdir_test(removing_does_not_follow_symlinks),
        tmpdir_test(a_tree_deeper_than_any_path_is_removed),
        cmocka_unit_test(what_cannot_be_removed_is_named),
        tmpdir_test(copying_follows_symlinks_keeps_modes_and_overwrites),
        tmpdir_test(a_set_user_id_bit_is_not_copied),
        tmpdir_test(copying_a_folder_into_itself_ends),
        tmpdir_test(copying_refuses_what_it_cannot_copy_and_names_it),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
