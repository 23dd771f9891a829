#include "watchdog/upstream_child.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

void wd_upstream_child_init(struct wd_upstream_child *c, const struct wd_context *ctx,
                            void (*on_exit)(void *arg, int status), void *arg)
{
    *c = (struct wd_upstream_child){
        .ctx = ctx,
        .process = {.pidfd = -1},
        .stdin_fd = -1,
        .on_exit = on_exit,
        .arg = arg,
    };
    wd_split_command(ctx->config->fprocess, &c->argv);
    wd_program_init(&c->program, c->argv.items[0], getenv("PATH"));
}

bool wd_upstream_child_runs(const struct wd_upstream_child *c)
{
    return c->process.pid > 0;
}

void wd_upstream_child_signal(struct wd_upstream_child *c, int signo)
{
    faas_process_kill(&c->process, signo);
}

static void on_kill_timer(void *arg)
{
    struct wd_upstream_child *c = arg;

    wd_logf(c->ctx->log, "The function did not end in time: killing it");
    wd_upstream_child_signal(c, SIGKILL);
}

void wd_upstream_child_kill_after(struct wd_upstream_child *c, int64_t delay_ms)
{
    faas_timer_start(c->ctx->loop, &c->kill_timer, delay_ms, on_kill_timer, c);
}

/* --- its end --- */

/* What it left behind in its group goes with it; then the pipes hold all that will ever come. */
static int collect(struct wd_upstream_child *c)
{
    int status = 0;

    wd_upstream_child_signal(c, SIGKILL);
    faas_io_del(c->ctx->loop, &c->exit_io);
    faas_timer_stop(c->ctx->loop, &c->kill_timer);
    faas_process_reap(&c->process, &status);
    c->ctx->children->kept = 0;
    wd_log_pump_stop(&c->out);
    wd_log_pump_stop(&c->err);
    close(c->stdin_fd);
    c->stdin_fd = -1;
    return status;
}

static void on_exit_event(void *arg, uint32_t events)
{
    struct wd_upstream_child *c = arg;

    (void)events;
    c->on_exit(c->arg, collect(c));
}

void wd_upstream_child_deinit(struct wd_upstream_child *c)
{
    struct pollfd exit = {.fd = c->process.pidfd, .events = POLLIN};

    if (wd_upstream_child_runs(c)) {
        wd_upstream_child_signal(c, SIGKILL);
        poll(&exit, 1, -1); /* a killed process does not take long */
        collect(c);
    }
    wd_program_deinit(&c->program);
    faas_strv_deinit(&c->argv);
}

/* --- its start --- */

struct stdio {
    int theirs[3]; /* what it gets */
    int ours[3];
};

static void close_all(int fds[3])
{
    for (size_t i = 0; i < 3; i++)
        faas_closep(&fds[i]);
}

static int open_stdio(struct stdio *io, struct faas_error *err)
{
    for (size_t i = 0; i < 3; i++) {
        bool input = i == STDIN_FILENO;
        int fds[2];

        if (faas_pipe(fds, input ? 1 : 0, err) < 0)
            return -1;
        io->theirs[i] = fds[input ? 0 : 1];
        io->ours[i] = fds[input ? 1 : 0];
    }
    return 0;
}

static int spawn(struct wd_upstream_child *c, const struct stdio *io, char *const *envp,
                 struct faas_error *err)
{
    struct faas_error why = {0};
    const struct faas_spawn how = {
        .path = wd_program_find(&c->program, err),
        .argv = c->argv.items,
        .envp = envp,
        .stdio = {io->theirs[0], io->theirs[1], io->theirs[2]},
        .death_signal = SIGKILL,
        .rlimits = c->ctx->children->rlimits,
        .n_rlimits = c->ctx->children->n_rlimits,
    };

    if (!how.path)
        return -1;
    if (faas_spawn(&how, &c->process, &why) < 0)
        return wd_child_fail_start(how.path, &why, err);
    return 0;
}

static void log_start(const struct wd_upstream_child *c)
{
    _cleanup_buf_ struct faas_buf args = {0};

    for (size_t i = 1; i < c->argv.len; i++)
        faas_buf_printf(&args, "%s%s", i > 1 ? " " : "", c->argv.items[i]);
    wd_logf(c->ctx->log, "Forking: %s, arguments: [%s]", c->argv.items[0], faas_buf_str(&args).ptr);
}

static void start_pump(struct wd_upstream_child *c, struct wd_log_pump *pump, int fd,
                       const char *stream, bool to_stdout)
{
    const struct wd_log_pump_spec spec = {
        .stream = stream,
        .to_stdout = to_stdout,
        .prefix = c->ctx->config->prefix_logs,
        .max_line = c->ctx->config->log_buffer_size,
    };

    wd_log_pump_start(pump, c->ctx->loop, c->ctx->log, fd, &spec);
    wd_logf(c->ctx->log, "Started logging: %s from function.", stream);
}

int wd_upstream_child_start(struct wd_upstream_child *c, char *const *envp, struct faas_error *err)
{
    struct stdio io = {.theirs = {-1, -1, -1}, .ours = {-1, -1, -1}};
    int rc = open_stdio(&io, err);

    if (rc == 0)
        rc = spawn(c, &io, envp, err);
    close_all(io.theirs);
    if (rc == 0) {
        c->stdin_fd = io.ours[0];
        c->ctx->children->kept = c->process.pid;
        log_start(c);
        start_pump(c, &c->err, io.ours[2], "stderr", false);
        start_pump(c, &c->out, io.ours[1], "stdout", true);
        rc = faas_io_add(c->ctx->loop, &c->exit_io, c->process.pidfd, EPOLLIN, on_exit_event, c,
                         err);
    } else {
        close_all(io.ours);
    }
    return rc;
}
