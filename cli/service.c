#include "cli/service.h"

#include "libfaas/alloc.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { STOP_MS = 5000 };

extern char **environ;

int cli_service_start(struct cli_service *s, const struct cli_service_start *how,
                      struct faas_error *err)
{
    _cleanup_free_ char *path = faas_find_executable(how->argv[0], getenv("PATH"), err);
    _cleanup_strv_ struct faas_strv environment = {0};

    if (!path)
        return -1;
    if (how->environment)
        faas_map_for_each (how->environment, e) {
            faas_strv_addf(&environment, "%s=%s", e->key, e->value);
        }
    s->before_stop = how->before_stop;
    s->arg = how->arg;
    fflush(stdout);
    return faas_spawn(&(struct faas_spawn){.path = path,
                                           .argv = how->argv,
                                           .envp = how->environment ? environment.items : environ,
                                           .stdio = {-1, STDOUT_FILENO, STDERR_FILENO},
                                           .pass_fds = &how->listener,
                                           .n_pass_fds = how->listener >= 0 ? 1 : 0,
                                           .cwd = how->cwd,
                                           .death_signal = SIGTERM},
                      &s->process, err);
}

/* SIGINT and SIGTERM as a descriptor; the mask that was goes to *before. */
static int open_signals(sigset_t *before)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, before);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void close_signals(int fd, const sigset_t *before)
{
    struct signalfd_siginfo taken;

    while (read(fd, &taken, sizeof(taken)) > 0)
        ; /* or they would come after all */
    close(fd);
    sigprocmask(SIG_SETMASK, before, NULL);
}

/* True when it has ended; false when a signal or the time came first. */
static bool wait_for(struct cli_service *s, int signals, int timeout_ms, int *status)
{
    struct pollfd fds[] = {{.fd = s->process.pidfd, .events = POLLIN},
                           {.fd = signals, .events = POLLIN}};
    struct signalfd_siginfo taken;

    while (poll(fds, FAAS_ARRAY_LEN(fds), timeout_ms) < 0 && errno == EINTR)
        ;
    if (fds[1].revents)
        (void)!read(signals, &taken, sizeof(taken));
    return fds[0].revents && faas_process_reap(&s->process, status);
}

static void stop(struct cli_service *s, int signals)
{
    int status;

    if (s->before_stop)
        s->before_stop(s->arg);
    faas_process_kill(&s->process, SIGTERM);
    if (wait_for(s, signals, STOP_MS, &status))
        return;
    faas_process_kill(&s->process, SIGKILL);
    while (!wait_for(s, -1, -1, &status))
        ;
}

void cli_service_stop(struct cli_service *s)
{
    sigset_t before;
    int signals;

    if (s->process.pid == 0)
        return;
    signals = open_signals(&before);
    stop(s, signals);
    close_signals(signals, &before);
}

int cli_service_wait(struct cli_service *s, struct faas_error *err)
{
    sigset_t before;
    int signals = open_signals(&before);
    int status = 0;
    bool ended = wait_for(s, signals, -1, &status);
    char how[64];

    if (!ended)
        stop(s, signals);
    close_signals(signals, &before);
    if (!ended || status == 0)
        return 0;
    faas_format_exit(status, how);
    return faas_fail(err, FAAS_ERR_INTERNAL, "it ended by itself: %s", how);
}
