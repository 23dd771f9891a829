/* The children are this very program: called with a first argument it plays the child's part. */
#include "libfaas/alloc.h"
#include "libfaas/cleanup.h"
#include "libfaas/process.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { WAIT_MS = 20000 };

static char *const no_env[] = {NULL};
static char self[4096];

/* --- the child's part --- */

static void report_status_line(const char *key)
{
    char line[256];
    FILE *f = fopen("/proc/self/status", "re");

    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, key, strlen(key)) == 0)
            fputs(line, stdout);
    if (f)
        fclose(f);
}

static void report_descriptors(void)
{
    printf("fds:");
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            printf(" %d", fd);
    printf("\n");
}

/* Of 0 to n - 1, through n. */
static void report_inodes(int n)
{
    for (int fd = 0; fd < n; fd++) {
        struct stat st = {0};

        fstat(fd, &st);
        dprintf(n, "%llu ", (unsigned long long)st.st_ino);
    }
}

static int play_child(int argc, char **argv)
{
    const char *part = argv[1];

    alarm(60); /* never outlives a failed test for long */
    if (strcmp(part, "status") == 0) {
        report_descriptors();
        report_status_line(argv[2]);
        printf("leads its group: %d\n", getpgrp() == getpid());
    } else if (strcmp(part, "inodes") == 0) {
        report_inodes(atoi(argv[2]));
    } else if (strcmp(part, "user") == 0) {
        printf("%d %d %d %d", (int)getuid(), (int)geteuid(), (int)getgid(), getgroups(0, NULL));
    } else if (strcmp(part, "cwd") == 0) {
        char here[4096];

        fputs(getcwd(here, sizeof(here)), stdout);
    } else if (strcmp(part, "limit") == 0) {
        struct rlimit limit;

        getrlimit(RLIMIT_CORE, &limit);
        printf("%llu %llu", (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
    } else if (strcmp(part, "env") == 0) {
        for (char **e = environ; *e; e++)
            puts(*e);
    } else if (strcmp(part, "pause") == 0) {
        puts("here");
        fflush(stdout);
        pause();
    } else if (strcmp(part, "family") == 0) { /* the grandchild keeps stdout open */
        if (fork() == 0) {
            puts("here");
            fflush(stdout);
            pause();
        }
        pause();
    } else if (strcmp(part, "exit") == 0) {
        return atoi(argv[2]);
    }
    return argc > 1 ? 0 : 1;
}

/* --- helpers --- */

static void start(const struct faas_spawn *s, struct faas_process *p)
{
    struct faas_error err = {0};

    if (faas_spawn(s, p, &err) < 0)
        fail_msg("%s", err.msg);
    assert_true(p->pid > 0);
    assert_int_equal(fcntl(p->pidfd, F_GETFD), FD_CLOEXEC);
}

static int finish(struct faas_process *p)
{
    struct pollfd exited = {.fd = p->pidfd, .events = POLLIN};
    int status = -1;

    assert_int_equal(poll(&exited, 1, WAIT_MS), 1);
    assert_true(faas_process_reap(p, &status));
    assert_int_equal(p->pid, 0);
    assert_int_equal(p->pidfd, -1);
    return status;
}

/* Reads until end of file, which must come. */
static void read_all(int fd, char *out, size_t size)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    size_t len = 0;
    ssize_t n = 1;

    while (len + 1 < size && n > 0) {
        assert_int_equal(poll(&readable, 1, WAIT_MS), 1);
        n = read(fd, out + len, size - len - 1);
        len += n > 0 ? (size_t)n : 0;
    }
    out[len] = '\0';
}

/* Runs s (its stdout excepted) and returns what it printed. */
static int output_of(struct faas_spawn s, char *out, size_t size)
{
    struct faas_error err = {0};
    struct faas_process p;
    int fds[2];

    assert_int_equal(faas_pipe(fds, -1, &err), 0);
    s.stdio[1] = fds[1];
    start(&s, &p);
    close(fds[1]);
    read_all(fds[0], out, size);
    close(fds[0]);
    return finish(&p);
}

static struct faas_spawn child_as(char *const *argv)
{
    return (struct faas_spawn){.path = self, .argv = argv, .envp = no_env, .stdio = {-1, -1, 2}};
}

static int open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void no_child_is_left(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* --- what a child gets --- */

static void a_child_gets_arguments_and_environment_and_nothing_else(void **state)
{
    char *const argv[] = {"name", "env", NULL};
    char *const envp[] = {"A=1", "B=two words", NULL};
    struct faas_spawn s = child_as(argv);
    char out[256];

    (void)state;
    s.envp = envp;
    assert_int_equal(output_of(s, out, sizeof(out)), 0);
    assert_string_equal(out, "A=1\nB=two words\n");
}

static void only_named_descriptors_are_open(void **state)
{
    char *const argv[] = {self, "status", "Pid", NULL};
    struct faas_spawn s = child_as(argv);
    int careless = open("/dev/null", O_RDONLY); /* not CLOEXEC */
    int passed[2] = {careless, careless};
    char out[256];

    (void)state;
    assert_int_equal(output_of(s, out, sizeof(out)), 0);
    assert_non_null(strstr(out, "fds: 0 1 2\n"));
    assert_non_null(strstr(out, "leads its group: 1\n"));
    s.pass_fds = passed;
    s.n_pass_fds = 2;
    assert_int_equal(output_of(s, out, sizeof(out)), 0);
    assert_non_null(strstr(out, "fds: 0 1 2 3 4\n"));
    close(careless);
}

static void a_child_can_stay_in_our_group(void **state)
{
    char *const argv[] = {self, "status", "Pid", NULL};
    struct faas_spawn s = child_as(argv);
    char out[256];

    (void)state;
    s.in_our_group = true;
    assert_int_equal(output_of(s, out, sizeof(out)), 0);
    assert_non_null(strstr(out, "leads its group: 0\n"));
}

static unsigned long long status_mask(const char *report, const char *key)
{
    const char *at = strstr(report, key);

    assert_non_null(at);
    return strtoull(at + strlen(key) + 1, NULL, 16);
}

static void do_nothing(int signo)
{
    (void)signo;
}

static void signals_are_as_a_program_expects_them(void **state)
{
    char *const argv[] = {self, "status", "Sig", NULL};
    struct faas_spawn s = child_as(argv);
    sigset_t all, old, before, after, changed;
    char out[512];

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_DFL); /* nohup has it ignored */
    signal(SIGUSR1, do_nothing);
    signal(SIGRTMIN + 2, SIG_IGN);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(output_of(s, out, sizeof(out)), 0);
        assert_int_equal(status_mask(out, "SigBlk:"), 0);
        assert_int_equal(status_mask(out, "SigIgn:"), 0);
        faas_changed_signals(&changed); /* the second round looks only at these */
        assert_int_equal(sigismember(&changed, SIGPIPE), 1);
        assert_int_equal(sigismember(&changed, SIGUSR1), 1);
        assert_int_equal(sigismember(&changed, SIGRTMIN + 2), 1);
        assert_int_equal(sigismember(&changed, SIGHUP), 0);
        s.changed_signals = &changed;
    }
    pthread_sigmask(SIG_SETMASK, &old, &after);
    assert_memory_equal(&after, &before, _NSIG / 8); /* and ours are what they were */
    signal(SIGPIPE, SIG_DFL);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGRTMIN + 2, SIG_DFL);
}

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

/* Low numbers are handed over in random order and with repetitions, so that they collide with the
 * numbers that they shall get; in every second round the program is given by a low number too. */
static void descriptors_may_overlap_with_their_targets(void **state)
{
    enum { PIPES = 4, PASSED = 5, LAST = 3 + PASSED, ROUNDS = 24 };
    char last[8];
    char *const argv[] = {self, "inodes", last, NULL};
    int program = open(self, O_RDONLY | O_CLOEXEC); /* the lowest free number: 3 */
    int ends[PIPES * 2];
    unsigned seed = 1;

    (void)state;
    snprintf(last, sizeof(last), "%d", LAST);
    for (int i = 0; i < PIPES; i++)
        assert_int_equal(pipe2(&ends[2 * i], O_CLOEXEC), 0);
    assert_in_range(program, 3, LAST - 1);
    assert_in_range(ends[0], 3, LAST - 1);

    for (int round = 0; round < ROUNDS; round++) {
        struct faas_spawn s = child_as(argv);
        struct faas_error err = {0};
        struct faas_process p;
        int source[LAST + 1], report[2];
        char expected[256] = "", out[256];

        assert_int_equal(faas_pipe(report, -1, &err), 0);
        for (int i = 0; i < LAST; i++) {
            size_t used = strlen(expected);
            struct stat st;

            source[i] = ends[next_random(&seed) % (2 * PIPES)];
            fstat(source[i], &st);
            snprintf(expected + used, sizeof(expected) - used, "%llu ",
                     (unsigned long long)st.st_ino);
        }
        source[LAST] = report[1];
        memcpy(s.stdio, source, sizeof(s.stdio));
        s.pass_fds = source + 3;
        s.n_pass_fds = PASSED + 1;
        s.exec_fd = round % 2 ? program : 0;
        start(&s, &p);
        close(report[1]);
        read_all(report[0], out, sizeof(out));
        close(report[0]);
        assert_int_equal(finish(&p), 0);
        assert_string_equal(out, expected);
    }
    close(program);
    for (int i = 0; i < 2 * PIPES; i++)
        close(ends[i]);
}

static void working_directory_and_limits_are_set(void **state)
{
    static const struct faas_rlimit limits[] = {{RLIMIT_CORE, {.rlim_cur = 0, .rlim_max = 4096}}};
    char *const cwd_argv[] = {self, "cwd", NULL}, *const limit_argv[] = {self, "limit", NULL};
    struct faas_spawn s = child_as(cwd_argv);
    char out[256];

    (void)state;
    s.cwd = "/proc";
    assert_int_equal(output_of(s, out, sizeof(out)), 0);
    assert_string_equal(out, "/proc");
    s = child_as(limit_argv);
    s.rlimits = limits;
    s.n_rlimits = 1;
    assert_int_equal(output_of(s, out, sizeof(out)), 0);
    assert_string_equal(out, "0 4096");
}

static void privileges_are_given_up(void **state)
{
    char *const status_argv[] = {self, "status", "NoNewPrivs", NULL};
    char *const user_argv[] = {self, "user", NULL};
    struct faas_spawn s = child_as(status_argv);
    struct faas_error err = {0};
    struct faas_process p;
    char out[256];

    (void)state;
    s.no_new_privs = true;
    assert_int_equal(output_of(s, out, sizeof(out)), 0);
    assert_non_null(strstr(out, "NoNewPrivs:\t1\n"));

    /* By descriptor, since that user may be unable to reach the path. */
    s = child_as(user_argv);
    s.set_user = true;
    s.uid = 65533;
    s.gid = 65532;
    s.exec_fd = open(self, O_RDONLY | O_CLOEXEC);
    if (geteuid() == 0) {
        assert_int_equal(output_of(s, out, sizeof(out)), 0);
        assert_string_equal(out, "65533 65533 65532 0");
    } else {
        assert_int_equal(faas_spawn(&s, &p, &err), -1);
        assert_int_equal(err.sys_errno, EPERM);
        assert_non_null(strstr(err.msg, "drop supplementary groups"));
        no_child_is_left();
    }
    close(s.exec_fd);
}

struct short_life {
    struct faas_spawn spawn;
    struct faas_process process;
};

static void *spawn_and_end(void *arg)
{
    struct short_life *l = arg;

    start(&l->spawn, &l->process);
    return NULL;
}

static void a_child_dies_with_the_thread_that_started_it(void **state)
{
    char *const argv[] = {self, "pause", NULL};
    struct short_life l = {.spawn = child_as(argv)};
    pthread_t thread;

    (void)state;
    l.spawn.death_signal = SIGUSR2;
    l.spawn.set_user = geteuid() == 0; /* the change of user must not lose it */
    l.spawn.uid = l.spawn.gid = 65533;
    l.spawn.exec_fd = open(self, O_RDONLY | O_CLOEXEC);
    pthread_create(&thread, NULL, spawn_and_end, &l);
    pthread_join(thread, NULL);
    close(l.spawn.exec_fd);
    assert_int_equal(finish(&l.process), SIGUSR2);
}

/* --- what goes wrong --- */

static void what_fails_in_the_child_is_told_here(void **state)
{
    static const struct faas_rlimit bad_limits[] = {{.resource = 999}};
    static const int no_such_fd[] = {9999};
    char *const argv[] = {"x", NULL};
    char missing[] = "/tmp/faas-test-process-XXXXXX", script[64], plain[64], blank[64];
    const struct {
        struct faas_spawn spawn;
        int sys_errno;
        const char *expected;
    } cases[] = {
        {{.path = "/nowhere/x"}, ENOENT, "exec /nowhere/x: No such file or directory"},
        {{.path = plain}, EACCES, ": Permission denied"},
        {{.path = "/"}, EACCES, "exec /: Permission denied"},
        {{.path = script}, ENOENT, ": the interpreter that it names: No such file or directory"},
        {{.path = blank}, ENOEXEC, ": Exec format error"},
        {{.path = self, .exec_fd = 9999}, EBADF, "exec "},
        {{.path = self, .cwd = "/nowhere"},
         ENOENT,
         ": change to directory /nowhere: No such file or directory"},
        {{.path = self, .rlimits = bad_limits, .n_rlimits = 1},
         EINVAL,
         ": set its resource limits: Invalid argument"},
        {{.path = self, .pass_fds = no_such_fd, .n_pass_fds = 1},
         EBADF,
         ": hand its descriptors over: Bad file descriptor"},
        {{.path = self, .death_signal = 999}, EINVAL, ": set its death signal: Invalid argument"},
    };
    int before;

    (void)state;
    assert_non_null(mkdtemp(missing));
    snprintf(script, sizeof(script), "%s/script", missing);
    snprintf(plain, sizeof(plain), "%s/plain", missing);
    snprintf(blank, sizeof(blank), "%s/blank", missing);
    assert_int_equal(close(open(plain, O_CREAT | O_WRONLY, 0644)), 0);
    assert_int_equal(close(open(blank, O_CREAT | O_WRONLY, 0755)), 0);
    FILE *f = fopen(script, "we");
    fputs("#!/nowhere/interpreter\n", f);
    fclose(f);
    chmod(script, 0755);

    before = open_descriptors();
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_spawn s = cases[i].spawn;
        struct faas_error err = {0};
        struct faas_process p = {0};

        s.argv = argv;
        s.envp = no_env;
        s.stdio[0] = s.stdio[1] = -1;
        s.stdio[2] = 2;
        assert_int_equal(faas_spawn(&s, &p, &err), -1);
        if (!strstr(err.msg, cases[i].expected))
            fail_msg("\"%s\" lacks \"%s\"", err.msg, cases[i].expected);
        assert_int_equal(err.sys_errno, cases[i].sys_errno);
        assert_int_equal(err.code, FAAS_ERR_INTERNAL);
        assert_int_equal(p.pid, 0);
    }
    no_child_is_left();
    assert_int_equal(open_descriptors(), before);
    unlink(script);
    unlink(plain);
    unlink(blank);
    rmdir(missing);
}

static void too_few_descriptors_are_a_shortage(void **state)
{
    static const int sources[] = {0, 1};
    static const struct faas_rlimit tiny[] = {{RLIMIT_NOFILE, {4, 4}}};
    char *const argv[] = {self, "exit", "0", NULL};
    struct faas_spawn s = child_as(argv);
    struct rlimit old, low = {.rlim_cur = 3};
    struct faas_error err = {0};
    struct faas_process p;

    (void)state;
    /* Limits come after the descriptors: this starts nevertheless (and may then fail to load). */
    s.rlimits = tiny;
    s.n_rlimits = 1;
    start(&s, &p);
    finish(&p);

    /* No number left for the copy that has to step aside: F_DUPFD beyond the limit. */
    s = child_as(argv);
    s.pass_fds = sources;
    s.n_pass_fds = 2;
    getrlimit(RLIMIT_NOFILE, &old);
    low.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_NOFILE, &low);
    assert_int_equal(faas_spawn(&s, &p, &err), -1);
    setrlimit(RLIMIT_NOFILE, &old);
    assert_int_equal(err.code, FAAS_ERR_UNAVAILABLE);
    assert_int_equal(err.sys_errno, EMFILE);
    no_child_is_left();
}

/* --- ending --- */

static void killing_reaches_the_whole_group(void **state)
{
    char *const argv[] = {self, "family", NULL};
    struct faas_spawn s = child_as(argv);
    struct faas_error err = {0};
    struct faas_process p;
    char out[16];
    int fds[2], status;

    (void)state;
    assert_int_equal(faas_pipe(fds, -1, &err), 0);
    s.stdio[1] = fds[1];
    start(&s, &p);
    close(fds[1]);
    assert_int_equal(read(fds[0], out, 5), 5); /* the grandchild lives and holds the pipe */
    assert_false(faas_process_reap(&p, &status));
    faas_process_kill(&p, SIGKILL);
    read_all(fds[0], out, sizeof(out)); /* ends only when the grandchild is gone */
    close(fds[0]);
    assert_int_equal(finish(&p), SIGKILL);
    faas_process_kill(&p, SIGKILL); /* nothing left to hit */
    assert_false(faas_process_reap(&p, &status));
}

static void a_killed_group_leader_does_not_protect_the_rest(void **state)
{
    char *const argv[] = {self, "family", NULL};
    struct faas_spawn s = child_as(argv);
    struct faas_error err = {0};
    struct faas_process p;
    struct pollfd exited = {.events = POLLIN};
    char out[16];
    int fds[2];

    (void)state;
    assert_int_equal(faas_pipe(fds, -1, &err), 0);
    s.stdio[1] = fds[1];
    start(&s, &p);
    close(fds[1]);
    assert_int_equal(read(fds[0], out, 5), 5);
    kill(p.pid, SIGKILL); /* the leader alone */
    exited.fd = p.pidfd;
    assert_int_equal(poll(&exited, 1, WAIT_MS), 1);
    faas_process_kill(&p, SIGTERM); /* not reaped yet: the group is still ours */
    read_all(fds[0], out, sizeof(out));
    close(fds[0]);
    assert_int_equal(finish(&p), SIGKILL);
}

static void a_stolen_exit_is_not_waited_for_forever(void **state)
{
    char *const argv[] = {self, "exit", "0", NULL};
    struct faas_spawn s = child_as(argv);
    struct faas_process p;
    int status = 0;

    (void)state;
    start(&s, &p);
    assert_int_equal(waitpid(p.pid, NULL, 0), p.pid);
    assert_true(faas_process_reap(&p, &status));
    assert_int_equal(WEXITSTATUS(status), 255);
}

/* A stranger's process group must not be hit by a struct that never held a process. */
static void a_zeroed_process_is_harmless(void **state)
{
    struct faas_process p = {0};
    int status;

    (void)state;
    faas_process_kill(&p, SIGKILL);
    assert_false(faas_process_reap(&p, &status));
}

static void exits_are_described_as_go_does(void **state)
{
    static const struct {
        int status;
        const char *expected;
    } cases[] = {
        {0, "exit status 0"},
        {3 << 8, "exit status 3"},
        {SIGKILL, "signal: killed"},
        {SIGTERM, "signal: terminated"},
        {SIGPIPE, "signal: broken pipe"},
        {SIGSEGV | 0x80, "signal: segmentation fault (core dumped)"},
        {SIGABRT, "signal: aborted"},
        {SIGFPE, "signal: floating point exception"},
        {SIGXCPU, "signal: CPU time limit exceeded"},
        {SIGSYS | 0x80, "signal: bad system call (core dumped)"},
        {40, "signal: signal 40"},
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        faas_format_exit(cases[i].status, out);
        assert_string_equal(out, cases[i].expected);
    }
}

/* --- many at once --- */

enum { THREADS = 4, EACH = 250 };

static void *spawn_many(void *arg)
{
    char code[8];
    char *const argv[] = {"sh", "-c", "exit $0", code, NULL};
    const struct faas_spawn s = {
        .path = "/bin/sh", .argv = argv, .envp = no_env, .stdio = {-1, -1, 2}};
    size_t wrong = 0;

    for (int i = 0; i < EACH; i++) {
        struct pollfd exited = {.events = POLLIN};
        struct faas_error err = {0};
        struct faas_process p;
        int status = -1;

        snprintf(code, sizeof(code), "%d", i % 200);
        if (faas_spawn(&s, &p, &err) < 0) {
            wrong++;
            continue;
        }
        exited.fd = p.pidfd;
        poll(&exited, 1, WAIT_MS);
        if (!faas_process_reap(&p, &status) || status != (i % 200) << 8)
            wrong++;
    }
    *(size_t *)arg = wrong;
    return NULL;
}

static void a_thousand_from_four_threads_leave_nothing_behind(void **state)
{
    pthread_t threads[THREADS];
    size_t wrong[THREADS];
    int before = open_descriptors();

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, spawn_many, &wrong[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(wrong[i], 0);
    }
    assert_int_equal(open_descriptors(), before);
    no_child_is_left();
}

/* --- an unfriendly kernel --- */

/* Refuses clone() with CLONE_PIDFD, as a strict sandbox does. */
static void refuse_clone_pidfd(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_PIDFD, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = FAAS_ARRAY_LEN(code), .filter = code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
        _exit(100);
}

static void without_clone_pidfd_processes_start_all_the_same(void **state)
{
    int status = -1;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        char *const argv[] = {"sh", "-c", "exit 7", NULL};
        struct faas_spawn s = {
            .path = "/bin/sh", .argv = argv, .envp = no_env, .stdio = {-1, -1, 2}};
        struct pollfd exited = {.events = POLLIN};
        struct faas_process p = {0};
        int refused = -1;

        refuse_clone_pidfd();
        if (syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &refused, 0, 0) != -1 || errno != EPERM)
            _exit(101);
        if (faas_spawn(&s, &p, NULL) < 0)
            _exit(102);
        exited.fd = p.pidfd;
        poll(&exited, 1, WAIT_MS);
        if (!faas_process_reap(&p, &status) || status != 7 << 8)
            _exit(103);
        s.path = "/nowhere/x";
        _exit(faas_spawn(&s, &p, NULL) == -1 ? 0 : 104);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* --- small helpers of the module --- */

static void executables_are_found_as_path_says(void **state)
{
    char dir[] = "/tmp/faas-test-process-XXXXXX", file[64], path_env[256];
    struct faas_error err = {0};
    char *found;

    (void)state;
    found = faas_find_executable("sh", "/nowhere::.:bin:/bin:/usr/bin", &err);
    assert_string_equal(found, "/bin/sh");
    free(found);
    found = faas_find_executable("./x/y", NULL, &err); /* a path is a path */
    assert_string_equal(found, "./x/y");
    free(found);

    static const char *const absent[][2] = {{"no-such-program", "/bin:/usr/bin"},
                                            {"", "/bin"},
                                            {"sh", ""},
                                            {"sh", NULL},
                                            {"bin", "/usr"},
                                            {"sh", "bin:.:../bin"}};
    for (size_t i = 0; i < FAAS_ARRAY_LEN(absent); i++) {
        assert_null(faas_find_executable(absent[i][0], absent[i][1], &err));
        assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
        assert_int_equal(err.sys_errno, 0);
        assert_non_null(strstr(err.msg, "\": executable file not found in $PATH"));
    }

    assert_non_null(mkdtemp(dir));
    snprintf(file, sizeof(file), "%s/sh", dir);
    assert_int_equal(close(open(file, O_CREAT | O_WRONLY, 0644)), 0);
    assert_null(faas_find_executable("sh", dir, &err));
    assert_int_equal(err.sys_errno, EACCES);
    snprintf(path_env, sizeof(path_env), "%s:/bin", dir);
    found = faas_find_executable("sh", path_env, &err); /* the search goes on */
    assert_string_equal(found, "/bin/sh");
    free(found);
    unlink(file);
    rmdir(dir);
}

static void pipes_block_on_the_childs_side_only(void **state)
{
    (void)state;
    for (int end = -1; end < 2; end++) {
        int fds[2];

        assert_int_equal(faas_pipe(fds, end, NULL), 0);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
            assert_int_equal(!!(fcntl(fds[i], F_GETFL) & O_NONBLOCK), i == end);
            close(fds[i]);
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_gets_arguments_and_environment_and_nothing_else),
        cmocka_unit_test(only_named_descriptors_are_open),
        cmocka_unit_test(a_child_can_stay_in_our_group),
        cmocka_unit_test(signals_are_as_a_program_expects_them),
        cmocka_unit_test(descriptors_may_overlap_with_their_targets),
        cmocka_unit_test(working_directory_and_limits_are_set),
        cmocka_unit_test(privileges_are_given_up),
        cmocka_unit_test(a_child_dies_with_the_thread_that_started_it),
        cmocka_unit_test(what_fails_in_the_child_is_told_here),
        cmocka_unit_test(too_few_descriptors_are_a_shortage),
        cmocka_unit_test(killing_reaches_the_whole_group),
        cmocka_unit_test(a_killed_group_leader_does_not_protect_the_rest),
        cmocka_unit_test(a_stolen_exit_is_not_waited_for_forever),
        cmocka_unit_test(a_zeroed_process_is_harmless),
        cmocka_unit_test(exits_are_described_as_go_does),
        cmocka_unit_test(a_thousand_from_four_threads_leave_nothing_behind),
        cmocka_unit_test(without_clone_pidfd_processes_start_all_the_same),
        cmocka_unit_test(executables_are_found_as_path_says),
        cmocka_unit_test(pipes_block_on_the_childs_side_only),
    };

    if (argc > 1)
        return play_child(argc, argv);
    close_range(3, ~0U, 0); /* whatever the runner left open, so that low numbers are free */
    if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
        return 1;
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
