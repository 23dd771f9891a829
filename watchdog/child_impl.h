/* What the files of a child share; nobody else includes this.
 *
 *   child_start.c   the pipes and the process
 *   child.c         its input, its output, its time, its exit */
#ifndef FAAS_WATCHDOG_CHILD_IMPL_H
#define FAAS_WATCHDOG_CHILD_IMPL_H

#include "watchdog/child.h"

/* One of our ends of the three pipes. */
struct wd_child_end {
    struct faas_io io;
    int fd; /* -1: closed */
};

struct wd_child {
    struct faas_list node;
    struct wd_children *set;
    struct faas_process process;
    struct faas_io exit_io;
    struct wd_child_end in, out, err;
    struct faas_timer timer; /* quiet time, then the limit; after the exit the grace */
    int64_t deadline_ms;     /* 0: none */
    struct faas_str input;   /* what is left of it */
    struct faas_buf output;
    struct faas_buf errors;
    size_t max_stderr;
    size_t stderr_lost;
    int status;
    bool exited;
    bool more_input; /* may come */
    bool wants_room; /* on_writable is owed */
    bool paused;     /* output is not to be read */
    size_t owed;     /* of the output that was in its pipe at the exit */
    int64_t grace_end_ms;
    bool big_in, big_out;
    const struct wd_child_ops *ops; /* NULL: nobody waits for it any more */
    void *arg;
};

/* Harmless on one that is closed. */
void wd_child_close(struct wd_child *child, struct wd_child_end *end);
/* One write of the input that was there at the start; false: there is nothing more to write. */
bool wd_child_write_input(struct wd_child *child);
/* Asked for once, when much goes through a pipe. Unprivileged users share a budget of pipe pages,
 * and past it get tiny pipes, so small calls leave it alone. */
void wd_child_enlarge(int pipe_fd, bool *done);
/* The process runs: from here on it can only be stopped by killing it. */
FAAS_NODISCARD int wd_child_watch(struct wd_child *child, int64_t timeout_ms,
                                  struct faas_error *err);

#endif
