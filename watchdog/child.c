#include "watchdog/child_impl.h"

#include "libfaas/alloc.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    READ_FIRST = 4 * 1024,
    READ_MAX = 256 * 1024,
    /* Of what is not kept. */
    PIECE = 64 * 1024,
    /* Most children are over before their output needs to be read; until then only their exit is
     * watched, which saves two wake-ups of the loop. One that fills its pipe waits this long. */
    QUIET_MS = 2,
    /* A process that the function left behind may hold the output open; this is how long the rest
     * of the output is waited for once the function itself has exited. */
    GRACE_MS = 100,
    RETRY_MS = 100,
    /* How often a pipe is read in a row once the function has exited: somebody else who holds it
     * may write faster than we read. */
    DRAIN_READS = 64,
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

void wd_child_close(struct wd_child *child, struct wd_child_end *end)
{
    if (end->fd < 0)
        return;
    faas_io_del(child->set->loop, &end->io);
    close(end->fd);
    end->fd = -1;
}

static void close_ends(struct wd_child *child)
{
    wd_child_close(child, &child->in);
    wd_child_close(child, &child->out);
    wd_child_close(child, &child->err);
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

bool wd_child_write_input(struct wd_child *child)
{
    ssize_t n = write(child->in.fd, child->input.ptr, child->input.len);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n < 0) { /* it reads no more, which is its right */
        child->input.len = 0;
        return false;
    }
    child->input.ptr += n;
    child->input.len -= (size_t)n;
    return child->input.len > 0;
}

static bool wants_to_write(const struct wd_child *child)
{
    return child->input.len > 0 || child->wants_room;
}

/* Its end comes later when there is input that may be waited for. */
static void end_input_if_over(struct wd_child *child)
{
    if (child->input.len == 0 && !child->more_input)
        wd_child_close(child, &child->in);
}

static void tell_of_room(struct wd_child *child)
{
    if (!child->wants_room)
        return;
    child->wants_room = false;
    child->ops->on_writable(child->arg, child);
}

static void on_writable(void *arg, uint32_t events)
{
    struct wd_child *child = arg;

    if (child->input.len > 0 && wd_child_write_input(child))
        return;
    if (events & EPOLLERR) /* nobody reads it any more */
        wd_child_close(child, &child->in);
    end_input_if_over(child);
    tell_of_room(child);
    if (child->in.fd >= 0 && !wants_to_write(child))
        faas_io_del(child->set->loop, &child->in.io);
}

/* True: done with, be it that nobody reads it. */
static bool write_piece(struct wd_child *child, struct faas_str *data)
{
    ssize_t n;

    do
        n = write(child->in.fd, data->ptr, data->len);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n < 0) {
        wd_child_close(child, &child->in);
        return true;
    }
    data->ptr += n;
    data->len -= (size_t)n;
    return data->len == 0;
}

static void wait_for_room(struct wd_child *child);

size_t wd_child_write(struct wd_child *child, struct faas_str data)
{
    struct faas_str rest = data;

    if (child->in.fd < 0 || data.len == 0)
        return data.len;
    if (child->input.len == 0) {
        if (write_piece(child, &rest))
            return data.len;
        if (!child->big_in) {
            wd_child_enlarge(child->in.fd, &child->big_in);
            if (write_piece(child, &rest))
                return data.len;
        }
    }
    wait_for_room(child);
    return data.len - rest.len;
}

void wd_child_end_input(struct wd_child *child)
{
    child->more_input = false;
    if (child->in.fd >= 0)
        end_input_if_over(child);
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

/* What has been read of what is handed on. */
static enum read_result read_piece(int fd, char *to, struct faas_str *piece)
{
    ssize_t n = read(fd, to, PIECE);

    if (n > 0) {
        *piece = (struct faas_str){.ptr = to, .len = (size_t)n};
        return READ_SOME;
    }
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return READ_LATER; /* an interrupted read is tried again by the next event */
    return READ_END;
}

static enum read_result hand_on_output(struct wd_child *child)
{
    char bytes[PIECE];
    struct faas_str piece;
    enum read_result result = read_piece(child->out.fd, bytes, &piece);

    if (result != READ_SOME)
        return result;
    if (piece.len == PIECE)
        wd_child_enlarge(child->out.fd, &child->big_out);
    child->owed -= FAAS_MIN(child->owed, piece.len);
    child->ops->on_output(child->arg, child, piece);
    return READ_SOME;
}

static enum read_result read_output(struct wd_child *child)
{
    if (child->ops->on_output)
        return hand_on_output(child);
    return read_into(child->out.fd, &child->output);
}

static enum read_result hand_on_errors(struct wd_child *child)
{
    char bytes[PIECE];
    struct faas_str piece;
    enum read_result result = read_piece(child->err.fd, bytes, &piece);

    if (result == READ_SOME)
        child->ops->on_errors(child->arg, piece);
    return result;
}

static enum read_result read_errors(struct wd_child *child)
{
    enum read_result result;

    if (child->ops->on_errors)
        return hand_on_errors(child);
    result = read_into(child->err.fd, &child->errors);
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
static void on_readable(struct wd_child *child, struct wd_child_end *end,
                        enum read_result (*read_some)(struct wd_child *child))
{
    if (read_some(child) != READ_END)
        return;
    wd_child_close(child, end);
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
static void drain(struct wd_child *child, struct wd_child_end *end,
                  enum read_result (*read_some)(struct wd_child *child))
{
    enum read_result result = READ_SOME;

    if (end->fd < 0)
        return;
    for (int i = 0; i < DRAIN_READS && result == READ_SOME; i++) {
        if (end == &child->out && child->paused)
            return;
        result = read_some(child);
    }
    if (result == READ_END)
        wd_child_close(child, end);
}

/* --- watching --- */

void wd_child_kill(struct wd_child *child)
{
    if (child->exited) {
        wd_child_free(child);
        return;
    }
    faas_process_kill(&child->process, SIGKILL);
    close_ends(child);
    faas_timer_stop(child->set->loop, &child->timer);
    child->ops = NULL;
}

static void kill_and_report(struct wd_child *child)
{
    const struct wd_child_ops *ops = child->ops;
    void *arg = child->arg;

    wd_child_kill(child);
    ops->on_timeout(arg);
}

static int watch(struct wd_child *child, struct wd_child_end *end, uint32_t events,
                 void (*fn)(void *arg, uint32_t events), struct faas_error *err)
{
    if (end->fd < 0 || end->io.active)
        return 0;
    return faas_io_add(child->set->loop, &end->io, end->fd, events, fn, child, err);
}

static int watch_ends(struct wd_child *child, struct faas_error *err)
{
    if (wants_to_write(child) && watch(child, &child->in, EPOLLOUT, on_writable, err) < 0)
        return -1;
    if (!child->paused && watch(child, &child->out, EPOLLIN, on_output, err) < 0)
        return -1;
    return watch(child, &child->err, EPOLLIN, on_errors, err);
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

/* Not before the quiet time is over, which ends by watching everything anyway. */
static void watch_more(struct wd_child *child)
{
    if (watch_ends(child, NULL) < 0) /* no kernel memory for it now */
        faas_timer_start(child->set->loop, &child->timer, RETRY_MS, on_quiet_end, child);
}

static void wait_for_room(struct wd_child *child)
{
    child->wants_room = true;
    watch_more(child);
}

static void on_grace_end(void *arg)
{
    report_end(arg);
}

/* --- the exit --- */

/* What the function itself wrote is always handed on, however long that takes. Others who hold the
 * pipe have until the grace's end. */
static void read_the_rest(struct wd_child *child)
{
    int64_t grace_left_ms = child->grace_end_ms - faas_loop_now_ms(child->set->loop);

    drain(child, &child->out, read_output);
    drain(child, &child->err, read_errors);
    if (output_is_complete(child) || (child->owed == 0 && grace_left_ms <= 0)) {
        report_end(child);
        return;
    }
    if (!child->paused)
        faas_timer_start(child->set->loop, &child->timer, grace_left_ms, on_grace_end, child);
    (void)!watch_ends(child, NULL); /* without it the end comes with the grace's: no harm */
}

static void after_exit(struct wd_child *child)
{
    int in_pipe;

    if (!child->ops) {
        wd_child_free(child);
        return;
    }
    wd_child_close(child, &child->in);
    tell_of_room(child);
    faas_timer_stop(child->set->loop, &child->timer);
    child->grace_end_ms = faas_loop_now_ms(child->set->loop) + GRACE_MS;
    if (child->out.fd >= 0 && ioctl(child->out.fd, FIONREAD, &in_pipe) == 0)
        child->owed = (size_t)in_pipe;
    read_the_rest(child);
}

void wd_child_pause(struct wd_child *child)
{
    child->paused = true;
    /* Even without an interest in it the kernel would tell of the pipe's end, again and again. */
    faas_io_del(child->set->loop, &child->out.io);
    if (child->exited)
        faas_timer_stop(child->set->loop, &child->timer);
}

void wd_child_resume(struct wd_child *child)
{
    if (!child->paused)
        return;
    child->paused = false;
    if (child->exited)
        read_the_rest(child);
    else
        watch_more(child);
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

int wd_child_watch(struct wd_child *child, int64_t timeout_ms, struct faas_error *err)
{
    struct faas_loop *loop = child->set->loop;

    if (faas_io_add(loop, &child->exit_io, child->process.pidfd, EPOLLIN, on_exit_event, child,
                    err) < 0)
        return -1;
    if (timeout_ms &&
        __builtin_add_overflow(faas_loop_now_ms(loop), timeout_ms, &child->deadline_ms))
        child->deadline_ms = INT64_MAX;
    if (wants_to_write(child))
        on_quiet_end(child);
    else
        faas_timer_start(loop, &child->timer,
                         FAAS_MIN((int64_t)QUIET_MS, timeout_ms ? timeout_ms : QUIET_MS),
                         on_quiet_end, child);
    return 0;
}
