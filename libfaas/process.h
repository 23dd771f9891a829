/* Child processes: started without fork(), each in a process group of its own unless asked
 * otherwise, watched through a pidfd, killed as a group, always reaped. */
#ifndef FAAS_PROCESS_H
#define FAAS_PROCESS_H

#include "libfaas/str.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

struct faas_rlimit {
    int resource; /* RLIMIT_… */
    struct rlimit limit;
};

struct faas_spawn {
    const char *path; /* executable; looked up by faas_find_executable() beforehand */
    int exec_fd;      /* when > 0 this open file is executed instead of path */
    char *const *argv;
    char *const *envp;
    int stdio[3];        /* what becomes 0, 1 and 2; -1 is /dev/null */
    const int *pass_fds; /* become 3, 4, … in the child; may be NULL */
    size_t n_pass_fds;
    const char *cwd;   /* NULL: inherit */
    int death_signal;  /* sent to the child when the spawning thread dies; 0: none */
    bool in_our_group; /* no group of its own: the terminal's signals and questions reach it as they
                          reach us; faas_process_kill() does nothing */
    bool set_user;     /* switch to uid and gid, no supplementary groups */
    uid_t uid;
    gid_t gid;
    bool no_new_privs;
    const struct faas_rlimit *rlimits;
    size_t n_rlimits;
    /* The only signals whose disposition may differ from the default; NULL: any. Looking at each of
     * the 64 costs some 15 µs a process, so who starts one per request passes what
     * faas_changed_signals() found after its set-up. */
    const sigset_t *changed_signals;
};

/* The signals that this process handles or ignores now. */
void faas_changed_signals(sigset_t *out);

struct faas_process {
    pid_t pid; /* also its process group */
    int pidfd; /* readable when it has exited; owned: faas_process_reap() closes it */
};

/* Starts it with default signal dispositions, an empty signal mask and no descriptor beyond those
 * named. A failure in the child (exec, chdir, setuid) is reported here with its errno in
 * err->sys_errno, and no process is left: UNAVAILABLE when the system is short of something,
 * INTERNAL otherwise. No shell is tried for a file without "#!". cwd and exec_fd are reached with
 * the caller's rights, path with the user's. The caller keeps its own descriptors. Any thread. */
FAAS_NODISCARD int faas_spawn(const struct faas_spawn *s, struct faas_process *out,
                              struct faas_error *err);
/* Signals the whole group; harmless when it is gone. Before reap only. */
void faas_process_kill(const struct faas_process *p, int signo);
/* Collects the exit without blocking. True: it had exited, *status is as from waitpid(), the pidfd
 * is closed and p is cleared, so that a later kill or reap does nothing. The caller removes the
 * pidfd from its loop first. */
bool faas_process_reap(struct faas_process *p, int *status);
/* "exit status 3", "signal: killed", "signal: segmentation fault (core dumped)", "exit status 0".
 */
void faas_format_exit(int status, char out[64]);

/* Looks name up in the directories of path_env when it has no '/'; a name with '/' is returned as
 * it is. Entries of path_env that are not absolute are skipped. Returns a heap string, or NULL with
 * NOT_FOUND (and EACCES in sys_errno when there was a file that we may not execute). */
char *faas_find_executable(const char *name, const char *path_env, struct faas_error *err);

/* A pipe with both ends CLOEXEC and non-blocking on our side (fds[nonblock_end]; -1: neither). */
FAAS_NODISCARD int faas_pipe(int fds[2], int nonblock_end, struct faas_error *err);

#endif
