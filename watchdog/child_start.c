#include "watchdog/child_impl.h"

#include "libfaas/alloc.h"
#include "watchdog/errno_text.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

enum {
    /* What a fresh pipe takes in one write. */
    PIPE_SIZE = 64 * 1024,
    BIG_PIPE_SIZE = 1024 * 1024,
};

void wd_child_enlarge(int pipe_fd, bool *done)
{
    if (!*done)
        fcntl(pipe_fd, F_SETPIPE_SZ, BIG_PIPE_SIZE); /* a wish */
    *done = true;
}

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

static int open_output(struct wd_child_end *end, int *theirs, struct faas_error *err)
{
    int fds[2];

    if (faas_pipe(fds, 0, err) < 0)
        return -1;
    end->fd = fds[0];
    *theirs = fds[1];
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
        wd_child_enlarge(fds[1], &child->big_in);
    if (child->input.len && !wd_child_write_input(child) && !child->more_input)
        wd_child_close(child, &child->in);
    return 0;
}

static int open_stdio(struct wd_child *child, const struct wd_child_spec *spec, struct stdio *io,
                      struct faas_error *err)
{
    bool big = spec->input.len > PIPE_SIZE;

    if ((spec->input.len || spec->more_input) && open_input(child, &io->fds[0], big, err) < 0)
        return -1;
    if (open_output(&child->out, &io->fds[1], err) < 0)
        return -1;
    if (big)
        wd_child_enlarge(child->out.fd, &child->big_out);
    return spec->merge_stderr ? 0 : open_output(&child->err, &io->fds[2], err);
}

int wd_child_fail_start(const char *path, const struct faas_error *why, struct faas_error *err)
{
    if (!why->sys_errno)
        return faas_fail(err, why->code, "fork/exec %.100s: %.120s", path, why->msg);
    faas_fail(err, why->code, "fork/exec %.120s: %s", path, wd_errno_text(why->sys_errno));
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
    child->more_input = spec->more_input;
    child->max_stderr = spec->max_stderr;
    child->ops = spec->ops;
    child->arg = spec->arg;
    faas_list_append(&set->running, &child->node);

    rc = open_stdio(child, spec, &io, &why);
    if (rc == 0)
        rc = spawn(child, spec, &io, &why);
    stdio_close(&io);
    if (rc == 0)
        rc = wd_child_watch(child, spec->timeout_ms, &why);
    if (rc < 0) {
        wd_child_fail_start(spec->path, &why, err);
        discard(child);
        return NULL;
    }
    return child;
}
