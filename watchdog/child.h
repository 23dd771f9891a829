/* One run of the function: a process group of its own, its input written and its
 * output read on our loop, a limit on its time, its exit collected. Used by every
 * mode that forks.
 *
 * Input may be there as a whole or come in pieces; output may be kept or handed on as it is read;
 * both ways with back-pressure.
 *
 * Ends are reported once, by on_end or by on_timeout, never from within wd_child_start(). */
#ifndef FAAS_WATCHDOG_CHILD_H
#define FAAS_WATCHDOG_CHILD_H

#include "libfaas/buf.h"
#include "libfaas/loop.h"
#include "libfaas/process.h"

struct wd_child;

/* All that run. */
struct wd_children {
    struct faas_loop *loop;
    struct faas_list running;
    int empty_pipe;                    /* at its end for ever: the stdin of those without input */
    const struct faas_rlimit *rlimits; /* for each of them; borrowed */
    size_t n_rlimits;
    pid_t kept; /* one more process of ours, which its owner collects; 0: none */
};

FAAS_NODISCARD int wd_children_init(struct wd_children *set, struct faas_loop *loop,
                                    struct faas_error *err);
/* What still runs is killed, reported as out of time, and collected. */
void wd_children_deinit(struct wd_children *set);
/* NULL: none of ours. */
struct wd_child *wd_children_find(const struct wd_children *set, pid_t pid);

struct wd_child_ops {
    /* Output as it is read; NULL: it is kept. The receiver may pause it, and must not end the child
     * from within. */
    void (*on_output)(void *arg, struct wd_child *child, struct faas_str data);
    /* stderr as it is read, when it is not merged; NULL: the beginning of it is kept. */
    void (*on_errors)(void *arg, struct faas_str data);
    /* wd_child_write() had not taken everything, and will take more now. */
    void (*on_writable)(void *arg, struct wd_child *child);
    /* It has exited and its output is complete. The child is the receiver's to free. */
    void (*on_end)(void *arg, struct wd_child *child);
    /* Its time was up: its group has been killed, its output is not read any more. The child is
     * gone from the receiver's view; it is collected in the background. */
    void (*on_timeout)(void *arg);
};

struct wd_child_spec {
    const char *path;
    char *const *argv;
    char *const *envp;
    struct faas_str input; /* for stdin; borrowed until the end is reported */
    bool more_input;       /* comes with wd_child_write() */
    bool merge_stderr;     /* into the output, in natural order */
    size_t max_stderr;     /* what is kept of it when it is not merged; the rest is counted */
    int64_t timeout_ms;    /* 0: none */
    const struct wd_child_ops *ops; /* borrowed */
    void *arg;
};

/* NULL with the error in Go's words ("fork/exec /bin/x: permission denied"); nothing is left. */
struct wd_child *wd_child_start(struct wd_children *set, const struct wd_child_spec *spec,
                                struct faas_error *err);
/* Says why a program could not be started, in those words. Returns -1. */
int wd_child_fail_start(const char *path, const struct faas_error *why, struct faas_error *err);
/* After on_end. */
void wd_child_free(struct wd_child *child);
/* Instead of waiting for its end: its group is killed, nothing more is reported, and it is
 * collected in the background. */
void wd_child_kill(struct wd_child *child);

/* --- input that comes in pieces --- */
/* Returns how many bytes were taken; fewer than all: on_writable follows. A child that has closed
 * its stdin, or has exited, takes everything and gets nothing. */
size_t wd_child_write(struct wd_child *child, struct faas_str data);
void wd_child_end_input(struct wd_child *child);

/* --- output that is handed on --- */
/* While it is paused its pipe fills and the child has to wait; its time runs on. */
void wd_child_pause(struct wd_child *child);
void wd_child_resume(struct wd_child *child); /* may report the end */

int wd_child_status(const struct wd_child *child); /* as from waitpid() */
/* The receiver may take its memory. */
struct faas_buf *wd_child_output(struct wd_child *child);
const struct faas_buf *wd_child_stderr(const struct wd_child *child);
size_t wd_child_stderr_lost(const struct wd_child *child);

/* Looks whether it has exited, for whoever learnt so by another way than its pidfd. False: it has
 * not. True: what followed from it has been done, the child may be gone. */
bool wd_child_check_exit(struct wd_child *child);

#endif
