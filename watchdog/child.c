#include "watchdog/child.h"

#include "libfaas/alloc.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    /* What a fresh pipe takes in one write. */
    PIPE_SIZE = 64 * 1024,
    /* Asked for when the input is larger. Unprivileged users share a budget of pipe pages, and past
     * it get tiny pipes, so small calls leave it alone. */
    BIG_PIPE_SIZE = 1024 * 1024,
    READ_FIRST = 4 * 1024,
    READ_MAX = 256 * 1024,
    /* Most children are over before their output needs to be read; until then only their exit is
     * watched, which saves two wake-ups of the loop. One that fills its pipe waits this long. */
    QUIET_MS = 2,
    /* A process that the function left behind may hold the output open; this is how long the rest
     * of the output is waited for once the function itself has exited. */
    GRACE_MS = 100,
    RETRY_MS = 100,
};

/* One of our ends of the three pipes. */
struct end {
    struct faas_io io;
    int fd; /* -1: closed */
};

struct wd_child {
    struct faas_list node;
    struct wd_children *set;
    struct faas_process process;
    struct faas_io exit_io;
    struct end in, out, err;
    struct faas_timer timer; /* quiet time, then the limit; after the exit the grace */
    int64_t deadline_ms;     /* 0: none */
    struct faas_str input;   /* what is left of it */
    struct faas_buf output;
    struct faas_buf errors;
    size_t max_stderr;
    size_t stderr_lost;
    int status;
    bool exited;
    const struct wd_child_ops *ops; /* NULL: nobody waits for it any more */
    void *arg;
};

int wd_children_init(struct wd_children *set, struct faas_loop *loop, struct faas_error *err)
{
    int fds[2];

    *set = (struct wd_children){.loop = loop, .empty_pipe = -1};
    faas_list_init(&set->running);
    if (faas_pipe(fds, 1, err) < 0)
        return -1;
    close(fds[1]);
    set->empty_pipe = fds[0];
    return 0;
}

struct wd_child *wd_children_find(const struct wd_children *set, pid_t pid)
{
    faas_list_for_each (&set->running, it) {
        struct wd_child *child = FAAS_CONTAINER_OF(it, struct wd_child, node);

        if (child->process.pid == pid)
            return child;
    }
    return NULL;
}

static void end_close(struct wd_child *child, struct end *end)
{
    if (end->fd < 0)
        return;
    faas_io_del(child->set->loop, &end->io);
    close(end->fd);
    end->fd = -1;
}

static void close_ends(struct wd_child *child)
{
    end_close(child, &child->in);
    end_close(child, &child->out);
    end_close(child, &child->err);
}

void wd_child_free(struct wd_child *child)
{
    assert(child->exited);
    close_ends(child);
    faas_timer_stop(child->set->loop, &child->timer);
    faas_list_remove(&child->node);
    faas_buf_deinit(&child->output);
    faas_buf_deinit(&child->errors);
    free(child);
}

int wd_child_status(const struct wd_child *child)
{
    return child->status;
}

struct faas_buf *wd_child_output(struct wd_child *child)
{
    return &child->output;
}

const struct faas_buf *wd_child_stderr(const struct wd_child *child)
{
    return &child->errors;
}

size_t wd_child_stderr_lost(const struct wd_child *child)
{
    return child->stderr_lost;
}

/* --- input --- */

/* One write; false: there is nothing more to write. */
static bool write_input(struct wd_child *child)
{
    ssize_t n = write(child->in.fd, child->input.ptr, child->input.len);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR; /* else it reads no more, which is its right */
    child->input.ptr += n;
    child->input.len -= (size_t)n;
    return child->input.len > 0;
}

static void on_writable(void *arg, uint32_t events)
{
    struct wd_child *child = arg;

    (void)events;
    if (!write_input(child))
        end_close(child, &child->in);
}

/* --- output --- */

enum read_result { READ_SOME, READ_LATER, READ_END };

static enum read_result read_into(int fd, struct faas_buf *to)
{
    size_t want = to->len < READ_FIRST ? READ_FIRST : FAAS_MIN(to->len, (size_t)READ_MAX);
    ssize_t n = read(fd, faas_buf_reserve(to, want), want);

    if (n > 0) {
        to->len += (size_t)n;
        to->data[to->len] = '\0';
        return READ_SOME;
    }
    if (n < 0 && errno == EINTR)
        return READ_SOME;
    return n < 0 && errno == EAGAIN ? READ_LATER : READ_END;
}

static enum read_result read_output(struct wd_child *child)
{
    return read_into(child->out.fd, &child->output);
}

static enum read_result read_errors(struct wd_child *child)
{
    enum read_result result = read_into(child->err.fd, &child->errors);

    if (child->errors.len > child->max_stderr) {
        child->stderr_lost += child->errors.len - child->max_stderr;
        child->errors.len = child->max_stderr;
    }
    return result;
}

static bool output_is_complete(const struct wd_child *child)
{
    return child->out.fd < 0 && child->err.fd < 0;
}

static void report_end(struct wd_child *child)
{
    close_ends(child);
    faas_timer_stop(child->set->loop, &child->timer);
    child->ops->on_end(child->arg, child);
}

/* The last reader to see the end asks for the exit too: it is mostly there already. */
static void on_readable(struct wd_child *child, struct end *end,
                        enum read_result (*read_some)(struct wd_child *child))
{
    if (read_some(child) != READ_END)
        return;
    end_close(child, end);
    if (!output_is_complete(child))
        return;
    if (child->exited)
        report_end(child);
    else
        wd_child_check_exit(child);
}

static void on_output(void *arg, uint32_t events)
{
    struct wd_child *child = arg;

    (void)events;
    on_readable(child, &child->out, read_output);
}

static void on_errors(void *arg, uint32_t events)
{
    struct wd_child *child = arg;

    (void)events;
    on_readable(child, &child->err, read_errors);
}

/* What is in the pipe, as long as there is something. */
static void drain(struct wd_child *child, struct end *end,
                  enum read_result (*read_some)(struct wd_child *child))
{
    enum read_result result = READ_LATER;

    if (end->fd >= 0)
        do
            result = read_some(child);
        while (result == READ_SOME);
    if (result == READ_END)
        end_close(child, end);
}

/* --- watching --- */

static void kill_and_report(struct wd_child *child)
{
    const struct wd_child_ops *ops = child->ops;

    faas_process_kill(&child->process, SIGKILL);
    close_ends(child);
    faas_timer_stop(child->set->loop, &child->timer);
    child->ops = NULL;
    ops->on_timeout(child->arg);
}

static int watch(struct wd_child *child, struct end *end, uint32_t events,
                 void (*fn)(void *arg, uint32_t events), struct faas_error *err)
{
    if (end->fd < 0 || end->io.active)
        return 0;
    return faas_io_add(child->set->loop, &end->io, end->fd, events, fn, child, err);
}

static int watch_ends(struct wd_child *child, struct faas_error *err)
{
    if (watch(child, &child->in, EPOLLOUT, on_writable, err) < 0 ||
        watch(child, &child->out, EPOLLIN, on_output, err) < 0 ||
        watch(child, &child->err, EPOLLIN, on_errors, err) < 0)
        return -1;
    return 0;
}

static void on_limit(void *arg)
{
    kill_and_report(arg);
}

static void arm_limit(struct wd_child *child)
{
    struct faas_loop *loop = child->set->loop;

    if (child->deadline_ms)
        faas_timer_start(loop, &child->timer, child->deadline_ms - faas_loop_now_ms(loop), on_limit,
                         child);
}

static void on_quiet_end(void *arg)
{
    struct wd_child *child = arg;
    struct faas_loop *loop = child->set->loop;

    if (watch_ends(child, NULL) == 0)
        arm_limit(child);
    else if (child->deadline_ms && faas_loop_now_ms(loop) >= child->deadline_ms)
        kill_and_report(child);
    else /* no kernel memory for it now */
        faas_timer_start(loop, &child->timer, RETRY_MS, on_quiet_end, child);
}

static void on_grace_end(void *arg)
{
    report_end(arg);
}

/* --- the exit --- */

static void after_exit(struct wd_child *child)
{
    if (!child->ops) {
        wd_child_free(child);
        return;
    }
    end_close(child, &child->in);
    drain(child, &child->out, read_output);
    drain(child, &child->err, read_errors);
    if (output_is_complete(child)) {
        report_end(child);
        return;
    }
    faas_timer_start(child->set->loop, &child->timer, GRACE_MS, on_grace_end, child);
    (void)!watch_ends(child,
                      NULL); /* without it the end comes with the grace's, which is no harm */
}

static void take_exit(struct wd_child *child)
{
    faas_io_del(child->set->loop, &child->exit_io);
    child->exited = faas_process_reap(&child->process, &child->status);
    assert(child->exited); /* nobody else collects children of ours */
    after_exit(child);
}

static void on_exit_event(void *arg, uint32_t events)
{
    (void)events;
    take_exit(arg);
}

bool wd_child_check_exit(struct wd_child *child)
{
    struct pollfd exit = {.fd = child->process.pidfd, .events = POLLIN};

    if (child->exited || poll(&exit, 1, 0) != 1)
        return false;
    take_exit(child);
    return true;
}

/* Waits for it: a killed process does not take long. */
static void collect(struct wd_child *child)
{
    struct pollfd exit = {.fd = child->process.pidfd, .events = POLLIN};

    poll(&exit, 1, -1);
    wd_child_check_exit(child);
}

void wd_children_deinit(struct wd_children *set)
{
    if (!set->loop)
        return;
    while (!faas_list_empty(&set->running)) {
        struct wd_child *child = FAAS_CONTAINER_OF(set->running.next, struct wd_child, node);

        if (child->exited) { /* in its grace */
            report_end(child);
            continue;
        }
        if (child->ops)
            kill_and_report(child);
        collect(child);
    }
    close(set->empty_pipe);
    *set = (struct wd_children){.empty_pipe = -1};
}

/* --- the start --- */

/* The other ends of the pipes: they become the child's stdio. */
struct stdio {
    int fds[3];
};

static void stdio_close(struct stdio *io)
{
    for (size_t i = 0; i < 3; i++)
        if (io->fds[i] >= 0)
            close(io->fds[i]);
}

static int open_output(struct end *end, int *theirs, bool big, struct faas_error *err)
{
    int fds[2];

    if (faas_pipe(fds, 0, err) < 0)
        return -1;
    end->fd = fds[0];
    *theirs = fds[1];
    if (big)
        fcntl(fds[0], F_SETPIPE_SZ, BIG_PIPE_SIZE); /* a wish */
    return 0;
}

/* Input that fits into the pipe is in it before the child exists, and then our end is done. */
static int open_input(struct wd_child *child, int *theirs, bool big, struct faas_error *err)
{
    int fds[2];

    if (faas_pipe(fds, 1, err) < 0)
        return -1;
    *theirs = fds[0];
    child->in.fd = fds[1];
    if (big)
        fcntl(fds[1], F_SETPIPE_SZ, BIG_PIPE_SIZE);
    if (!write_input(child))
        end_close(child, &child->in);
    return 0;
}

static int open_stdio(struct wd_child *child, const struct wd_child_spec *spec, struct stdio *io,
                      struct faas_error *err)
{
    bool big = spec->input.len > PIPE_SIZE;

    if (spec->input.len && open_input(child, &io->fds[0], big, err) < 0)
        return -1;
    if (open_output(&child->out, &io->fds[1], big, err) < 0)
        return -1;
    if (!spec->merge_stderr && open_output(&child->err, &io->fds[2], false, err) < 0)
        return -1;
    return 0;
}

/* Go's texts are the C library's in lower case. */
static int fail_start(const struct wd_child_spec *spec, const struct faas_error *why,
                      struct faas_error *err)
{
    char reason[128];

    if (!why->sys_errno)
        return faas_fail(err, why->code, "fork/exec %.100s: %.120s", spec->path, why->msg);
    snprintf(reason, sizeof(reason), "%s", strerror(why->sys_errno));
    reason[0] = (char)tolower((unsigned char)reason[0]);
    faas_fail(err, why->code, "fork/exec %.120s: %s", spec->path, reason);
    if (err)
        err->sys_errno = why->sys_errno;
    return -1;
}

static int spawn(struct wd_child *child, const struct wd_child_spec *spec, const struct stdio *io,
                 struct faas_error *err)
{
    const struct faas_spawn how = {
        .path = spec->path,
        .argv = spec->argv,
        .envp = spec->envp,
        .stdio = {io->fds[0] >= 0 ? io->fds[0] : child->set->empty_pipe, io->fds[1],
                  io->fds[2] >= 0 ? io->fds[2] : io->fds[1]},
        .death_signal = SIGKILL,
        .rlimits = child->set->rlimits,
        .n_rlimits = child->set->n_rlimits,
    };

    return faas_spawn(&how, &child->process, err);
}

/* From here on it can only be stopped by killing it. */
static int start_watching(struct wd_child *child, int64_t timeout_ms, struct faas_error *err)
{
    struct faas_loop *loop = child->set->loop;

    if (faas_io_add(loop, &child->exit_io, child->process.pidfd, EPOLLIN, on_exit_event, child,
                    err) < 0)
        return -1;
    if (timeout_ms &&
        __builtin_add_overflow(faas_loop_now_ms(loop), timeout_ms, &child->deadline_ms))
        child->deadline_ms = INT64_MAX;
    if (child->in.fd >= 0)
        on_quiet_end(child);
    else
        faas_timer_start(loop, &child->timer,
                         FAAS_MIN((int64_t)QUIET_MS, timeout_ms ? timeout_ms : QUIET_MS),
                         on_quiet_end, child);
    return 0;
}

static void discard(struct wd_child *child)
{
    if (child->process.pid > 0) {
        struct pollfd exit = {.fd = child->process.pidfd, .events = POLLIN};

        faas_process_kill(&child->process, SIGKILL);
        poll(&exit, 1, -1);
        faas_process_reap(&child->process, &child->status);
    }
    child->exited = true;
    wd_child_free(child);
}

struct wd_child *wd_child_start(struct wd_children *set, const struct wd_child_spec *spec,
                                struct faas_error *err)
{
    struct wd_child *child = faas_new(struct wd_child);
    struct stdio io = {.fds = {-1, -1, -1}};
    struct faas_error why = {0};
    int rc;

    child->set = set;
    child->in.fd = child->out.fd = child->err.fd = -1;
    child->input = spec->input;
    child->max_stderr = spec->max_stderr;
    child->ops = spec->ops;
    child->arg = spec->arg;
    faas_list_append(&set->running, &child->node);

    rc = open_stdio(child, spec, &io, &why);
    if (rc == 0)
        rc = spawn(child, spec, &io, &why);
    stdio_close(&io);
    if (rc == 0)
        rc = start_watching(child, spec->timeout_ms, &why);
    if (rc < 0) {
        fail_start(spec, &why, err);
        discard(child);
        return NULL;
    }
    return child;
}
