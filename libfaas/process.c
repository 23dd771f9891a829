#include "libfaas/process.h"

#include "libfaas/alloc.h"
#include "libfaas/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a process is started: clone() with CLONE_VM and CLONE_VFORK, so that nothing of our memory is
 * copied and the calling thread sleeps until the child has executed its program or given up. Until
 * then the child runs in our memory, next to our other threads: it may only make raw system calls
 * (glibc's setuid() would signal our threads, its malloc() could wait for a lock that nobody will
 * open) and write to its own stack and to struct child. Sanitizers must keep out of its functions:
 * what they record about the thread would describe a thread that has not moved. */
#if defined(__clang__)
#define CHILD_SIDE __attribute__((noinline, disable_sanitizer_instrumentation))
#else
#define CHILD_SIDE __attribute__((noinline, no_sanitize("address", "thread", "undefined")))
#endif

enum { CHILD_STACK = 16 * 1024, CHILD_FAILED = 127 };

enum step {
    STEP_NONE,
    STEP_GROUP,
    STEP_DEV_NULL,
    STEP_DESCRIPTORS,
    STEP_CHDIR,
    STEP_RLIMIT,
    STEP_NO_NEW_PRIVS,
    STEP_GROUPS,
    STEP_GID,
    STEP_UID,
    STEP_DEATH_SIGNAL,
    STEP_EXEC,
};

/* Shared between both sides. */
struct child {
    const struct faas_spawn *spawn;
    int *fds; /* what becomes 0, 1, 2, 3, … */
    int n_fds;
    int exec_fd;
    pid_t parent;
    uint64_t reset;   /* bit signo - 1 */
    enum step failed; /* written by the child */
    int error;
};

/* The 32-bit architectures have calls with 16-bit ids under the plain names. */
#ifdef SYS_setresuid32
#define CALL_SETRESUID SYS_setresuid32
#define CALL_SETRESGID SYS_setresgid32
#define CALL_SETGROUPS SYS_setgroups32
#else
#define CALL_SETRESUID SYS_setresuid
#define CALL_SETRESGID SYS_setresgid
#define CALL_SETGROUPS SYS_setgroups
#endif

#ifdef __GLIBC__
/* Used instead of clone(), which ThreadSanitizer replaces by something that expects a fork. */
extern int __clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);
#else
#define __clone clone /* musl has one, too, but it leaves errno alone */
#endif

/* --- the child's side --- */

static void CHILD_SIDE FAAS_NORETURN give_up(struct child *c, enum step step)
{
    c->error = errno;
    c->failed = step;
    for (;;)
        syscall(SYS_exit_group, CHILD_FAILED);
}

/* Descriptors may overlap with the numbers that they shall get, so those in the way step aside
 * first. Everything else is CLOEXEC already, unless a library was careless. */
static void CHILD_SIDE place_descriptors(struct child *c)
{
    int n = c->n_fds;

    for (int i = 0; i < n; i++) {
        if (c->fds[i] < 0)
            c->fds[i] = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
        if (c->fds[i] < 0)
            give_up(c, STEP_DEV_NULL);
    }
    for (int i = 0; i < n; i++) {
        if (c->fds[i] < n && c->fds[i] != i)
            c->fds[i] = (int)syscall(SYS_fcntl, c->fds[i], F_DUPFD_CLOEXEC, n);
        if (c->fds[i] < 0)
            give_up(c, STEP_DESCRIPTORS);
    }
    if (c->exec_fd > 0 && c->exec_fd < n) {
        c->exec_fd = (int)syscall(SYS_fcntl, c->exec_fd, F_DUPFD_CLOEXEC, n);
        if (c->exec_fd < 0)
            give_up(c, STEP_DESCRIPTORS);
    }
    for (int i = 0; i < n; i++) {
        long rc =
            c->fds[i] == i ? syscall(SYS_fcntl, i, F_SETFD, 0) : syscall(SYS_dup3, c->fds[i], i, 0);

        if (rc < 0)
            give_up(c, STEP_DESCRIPTORS);
    }
    syscall(SYS_close_range, n, ~0U, CLOSE_RANGE_CLOEXEC);
}

/* Limits first, while we may still raise them; the death signal last, because a change of user
 * clears it. */
static void CHILD_SIDE take_limits_and_user(struct child *c)
{
    const struct faas_spawn *s = c->spawn;

    for (size_t i = 0; i < s->n_rlimits; i++)
        if (syscall(SYS_prlimit64, 0, s->rlimits[i].resource, &s->rlimits[i].limit, NULL) < 0)
            give_up(c, STEP_RLIMIT);
    if (s->no_new_privs && syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        give_up(c, STEP_NO_NEW_PRIVS);
    if (s->set_user) {
        if (syscall(CALL_SETGROUPS, 0, NULL) < 0)
            give_up(c, STEP_GROUPS);
        if (syscall(CALL_SETRESGID, s->gid, s->gid, s->gid) < 0)
            give_up(c, STEP_GID);
        if (syscall(CALL_SETRESUID, s->uid, s->uid, s->uid) < 0)
            give_up(c, STEP_UID);
    }
    if (s->death_signal) {
        if (syscall(SYS_prctl, PR_SET_PDEATHSIG, s->death_signal, 0, 0, 0) < 0)
            give_up(c, STEP_DEATH_SIGNAL);
        if (syscall(SYS_getppid) != c->parent) /* it died before we asked to be told */
            syscall(SYS_exit_group, CHILD_FAILED);
    }
}

/* Handlers would go at exec anyway, but must not run in our parent's memory once the mask is open;
 * ignored signals (SIGPIPE) would stay ignored. */
static void CHILD_SIDE reset_signals(const struct child *c)
{
    unsigned long zeros[16] = {
        0}; /* the kernel's struct sigaction with SIG_DFL, and an empty set */

    for (uint64_t left = c->reset; left; left &= left - 1)
        syscall(SYS_rt_sigaction, __builtin_ctzll(left) + 1, zeros, NULL, _NSIG / 8);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, zeros, NULL, _NSIG / 8);
}

static int CHILD_SIDE child_main(void *arg)
{
    struct child *c = arg;
    const struct faas_spawn *s = c->spawn;

    if (!s->in_our_group && syscall(SYS_setpgid, 0, 0) < 0)
        give_up(c, STEP_GROUP);
    place_descriptors(c);
    if (s->cwd && syscall(SYS_chdir, s->cwd) < 0)
        give_up(c, STEP_CHDIR);
    take_limits_and_user(c);
    reset_signals(c);
    if (c->exec_fd > 0)
        syscall(SYS_execveat, c->exec_fd, "", s->argv, s->envp, AT_EMPTY_PATH);
    else
        syscall(SYS_execve, s->path, s->argv, s->envp);
    give_up(c, STEP_EXEC);
}

/* --- our side --- */

static const char *program_name(const struct faas_spawn *s)
{
    return s->path ? s->path : s->argv[0];
}

static void describe_step(const struct child *c, char *out, size_t size)
{
    static const char *const plain[] = {
        [STEP_GROUP] = "make a process group",
        [STEP_DEV_NULL] = "open /dev/null",
        [STEP_DESCRIPTORS] = "hand its descriptors over",
        [STEP_RLIMIT] = "set its resource limits",
        [STEP_NO_NEW_PRIVS] = "give up new privileges",
        [STEP_GROUPS] = "drop supplementary groups",
        [STEP_DEATH_SIGNAL] = "set its death signal",
    };
    const struct faas_spawn *s = c->spawn;

    if (c->failed == STEP_CHDIR)
        snprintf(out, size, "change to directory %s", s->cwd);
    else if (c->failed == STEP_GID)
        snprintf(out, size, "switch to gid %u", (unsigned)s->gid);
    else if (c->failed == STEP_UID)
        snprintf(out, size, "switch to uid %u", (unsigned)s->uid);
    else
        snprintf(out, size, "%s", plain[c->failed]);
}

static int explain(const struct child *c, struct faas_error *err)
{
    const char *name = program_name(c->spawn);
    bool shortage =
        c->error == EAGAIN || c->error == ENOMEM || c->error == EMFILE || c->error == ENFILE;
    enum faas_code code = shortage ? FAAS_ERR_UNAVAILABLE : FAAS_ERR_INTERNAL;
    char what[128];

    if (c->failed != STEP_EXEC) {
        describe_step(c, what, sizeof(what));
        return faas_fail_errno(err, code, c->error, "start %s: %s", name, what);
    }
    /* The least understood message of all: what was not found is another file. */
    if (c->error == ENOENT && c->exec_fd <= 0 && access(name, F_OK) == 0)
        return faas_fail_errno(err, code, ENOENT, "exec %s: the interpreter that it names", name);
    return faas_fail_errno(err, code, c->error, "exec %s", name);
}

/* Returns the pid or -1 with errno. Kernels before 5.2 ignore CLONE_PIDFD and leave *pidfd alone;
 * a sandbox that filters it answers with an error, where the plain call may pass. */
static pid_t start(struct child *c, int *pidfd)
{
    _Alignas(16) char stack[CHILD_STACK]; /* ours: we sleep until the child is done with it */
    char *top = stack + sizeof(stack);
    int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
    pid_t pid = __clone(child_main, top, flags | CLONE_PIDFD, c, pidfd);

    if (pid < 0 && (errno == EINVAL || errno == ENOSYS || errno == EPERM))
        pid = __clone(child_main, top, flags, c);
    if (pid > 0 && *pidfd < 0 && !c->failed)
        *pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    return pid;
}

static void collect(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* The C library hides its own two signals from sigaction(), but posix_spawn(), through which make
 * and others start us, leaves them ignored. */
#define HIDDEN_SIGNALS (UINT64_C(3) << 31)

static uint64_t signals_to_reset(const sigset_t *changed)
{
    uint64_t reset = HIDDEN_SIGNALS;

    if (!changed)
        return ~UINT64_C(0);
    for (int signo = 1; signo < _NSIG; signo++)
        if (sigismember(changed, signo) == 1)
            reset |= UINT64_C(1) << (signo - 1);
    return reset;
}

void faas_changed_signals(sigset_t *out)
{
    sigemptyset(out);
    for (int signo = 1; signo < _NSIG; signo++) {
        struct sigaction action;

        if (sigaction(signo, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
            sigaddset(out, signo);
    }
}

int faas_spawn(const struct faas_spawn *s, struct faas_process *out, struct faas_error *err)
{
    _cleanup_free_ int *fds = faas_reallocarray(NULL, s->n_pass_fds + 3, sizeof(*fds));
    _cleanup_close_ int pidfd = -1;
    struct child child = {
        .spawn = s,
        .fds = fds,
        .n_fds = (int)s->n_pass_fds + 3,
        .exec_fd = s->exec_fd,
        .parent = s->death_signal ? getpid() : 0,
        .reset = signals_to_reset(s->changed_signals),
    };
    unsigned long all_signals[16], mask[16];
    pid_t pid;
    int error;

    memcpy(fds, s->stdio, sizeof(s->stdio));
    for (size_t i = 0; i < s->n_pass_fds; i++)
        fds[3 + i] = s->pass_fds[i];

    /* Past glibc, which would leave out the signals that it uses between threads. */
    memset(all_signals, 0xff, sizeof(all_signals));
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, all_signals, mask, _NSIG / 8);
    pid = start(&child, &pidfd);
    error = errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL, _NSIG / 8);

    if (pid < 0)
        return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, error, "start %s: make a process",
                               program_name(s));
    if (child.failed) {
        collect(pid);
        return explain(&child, err);
    }
    if (pidfd < 0) {
        kill(s->in_our_group ? pid : -pid, SIGKILL);
        collect(pid);
        return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, error, "start %s: watch its process",
                               program_name(s));
    }
    /* Its group exists: setpgid() came before exec, and we slept until exec. */
    *out = (struct faas_process){.pid = pid, .pidfd = faas_steal_fd(&pidfd)};
    return 0;
}

void faas_process_kill(const struct faas_process *p, int signo)
{
    /* Until it is reaped, the number of the process (and so of the group) stays taken. */
    if (p->pid > 0)
        kill(-p->pid, signo);
}

bool faas_process_reap(struct faas_process *p, int *status)
{
    pid_t pid;

    if (p->pid <= 0)
        return false;
    pid = waitpid(p->pid, status, WNOHANG);
    if (pid == 0)
        return false;
    if (pid != p->pid) /* collected behind our back (SIGCHLD ignored): how it ended is lost */
        *status = 255 << 8;
    close(p->pidfd);
    *p = (struct faas_process){.pidfd = -1};
    return true;
}

/* As Go spells them; those of C libraries differ from each other. */
static const char *const signal_names[] = {
    [SIGHUP] = "hangup",
    [SIGINT] = "interrupt",
    [SIGQUIT] = "quit",
    [SIGILL] = "illegal instruction",
    [SIGTRAP] = "trace/breakpoint trap",
    [SIGABRT] = "aborted",
    [SIGBUS] = "bus error",
    [SIGFPE] = "floating point exception",
    [SIGKILL] = "killed",
    [SIGUSR1] = "user defined signal 1",
    [SIGSEGV] = "segmentation fault",
    [SIGUSR2] = "user defined signal 2",
    [SIGPIPE] = "broken pipe",
    [SIGALRM] = "alarm clock",
    [SIGTERM] = "terminated",
    [SIGSTKFLT] = "stack fault",
    [SIGCHLD] = "child exited",
    [SIGCONT] = "continued",
    [SIGSTOP] = "stopped (signal)",
    [SIGTSTP] = "stopped",
    [SIGTTIN] = "stopped (tty input)",
    [SIGTTOU] = "stopped (tty output)",
    [SIGURG] = "urgent I/O condition",
    [SIGXCPU] = "CPU time limit exceeded",
    [SIGXFSZ] = "file size limit exceeded",
    [SIGVTALRM] = "virtual timer expired",
    [SIGPROF] = "profiling timer expired",
    [SIGWINCH] = "window changed",
    [SIGIO] = "I/O possible",
    [SIGPWR] = "power failure",
    [SIGSYS] = "bad system call",
};

void faas_format_exit(int status, char out[64])
{
    const char *dumped = WCOREDUMP(status) ? " (core dumped)" : "";
    size_t signo = (size_t)WTERMSIG(status);

    if (WIFEXITED(status))
        snprintf(out, 64, "exit status %d", WEXITSTATUS(status));
    else if (signo < FAAS_ARRAY_LEN(signal_names))
        snprintf(out, 64, "signal: %s%s", signal_names[signo], dumped);
    else
        snprintf(out, 64, "signal: signal %zu%s", signo, dumped);
}

char *faas_find_executable(const char *name, const char *path_env, struct faas_error *err)
{
    struct faas_str rest = faas_str_from(path_env);
    bool forbidden = false;

    if (strchr(name, '/'))
        return faas_strdup(name);
    while (*name && rest.ptr) {
        struct faas_str dir = faas_str_split(&rest, ':');
        _cleanup_free_ char *path = NULL;
        struct stat st;

        /* "" and "." would mean another program in every directory. */
        if (dir.len == 0 || dir.ptr[0] != '/')
            continue;
        path = faas_asprintf("%.*s/%s", FAAS_STR_FMT(dir), name);
        if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
            continue;
        if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
            return faas_steal_ptr(&path);
        forbidden = true;
    }
    if (forbidden)
        faas_fail_errno(err, FAAS_ERR_NOT_FOUND, EACCES, "\"%.150s\"", name);
    else
        faas_fail(err, FAAS_ERR_NOT_FOUND, "\"%.150s\": executable file not found in $PATH", name);
    return NULL;
}

int faas_pipe(int fds[2], int nonblock_end, struct faas_error *err)
{
    int made[2];

    if (pipe2(made, O_CLOEXEC) < 0)
        return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, errno, "make a pipe");
    if (nonblock_end >= 0)
        fcntl(made[nonblock_end], F_SETFL, O_NONBLOCK);
    fds[0] = made[0];
    fds[1] = made[1];
    return 0;
}
