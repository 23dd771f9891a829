/* One run of the function: a process group of its own, its input written and its
 * output read on our loop, a limit on its time, its exit collected. Used by every
 * mode that forks.
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
};

FAAS_NODISCARD int wd_children_init(struct wd_children *set, struct faas_loop *loop,
                                    struct faas_error *err);
/* What still runs is killed, reported as out of time, and collected. */
void wd_children_deinit(struct wd_children *set);
/* NULL: none of ours. */
struct wd_child *wd_children_find(const struct wd_children *set, pid_t pid);

struct wd_child_ops {
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
    bool merge_stderr;     /* into the output, in natural order */
    size_t max_stderr;     /* what is kept of it when it is not merged; the rest is counted */
    int64_t timeout_ms;    /* 0: none */
    const struct wd_child_ops *ops; /* borrowed */
    void *arg;
};

/* NULL with the error in Go's words ("fork/exec /bin/x: permission denied"); nothing is left. */
struct wd_child *wd_child_start(struct wd_children *set, const struct wd_child_spec *spec,
                                struct faas_error *err);
/* After on_end. */
void wd_child_free(struct wd_child *child);

int wd_child_status(const struct wd_child *child); /* as from waitpid() */
/* The receiver may take its memory. */
struct faas_buf *wd_child_output(struct wd_child *child);
const struct faas_buf *wd_child_stderr(const struct wd_child *child);
size_t wd_child_stderr_lost(const struct wd_child *child);

/* Looks whether it has exited, for whoever learnt so by another way than its pidfd. False: it has
 * not. True: what followed from it has been done, the child may be gone. */
bool wd_child_check_exit(struct wd_child *child);

#endif
