#include "watchdog/job.h"

#include "libfaas/alloc.h"
#include "libfaas/process.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* Of both ends of one pipe. The length tells a whole result from one that was cut short. */
struct frame {
    uint32_t len;
    enum faas_code code; /* NONE: what follows is the result; else it is the message */
};

struct job {
    struct faas_list node;
    struct wd_jobs *jobs;
    struct wd_job_spec spec;
    pid_t pid;
    int pidfd;
    int result_fd; /* -1: reported */
    struct faas_io result_io;
    struct faas_io exit_io;
    struct faas_timer timer;
    struct faas_buf received;
};

/* --- in the copy --- */

static void close_others(int keep)
{
    if (dup2(keep, STDERR_FILENO + 1) < 0)
        _exit(1);
    if (syscall(SYS_close_range, STDERR_FILENO + 2, ~0U, 0) == 0)
        return;
    for (long fd = STDERR_FILENO + 2, end = sysconf(_SC_OPEN_MAX); fd < end; fd++)
        close((int)fd);
}

static void write_all(int fd, const void *p, size_t n)
{
    const char *at = p;

    while (n > 0) {
        ssize_t done = write(fd, at, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            _exit(1);
        at += done;
        n -= (size_t)done;
    }
}

/* The descriptors of clients must not stay open here when the original closes them. */
static void FAAS_NORETURN be_the_copy(const struct wd_job_spec *spec, int fd, pid_t parent)
{
    struct faas_buf out = {0};
    struct faas_error err = {0};
    struct frame frame = {0};
    struct faas_str text;

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(1);
    close_others(fd);
    fd = STDERR_FILENO + 1;
    if (spec->run(spec->input, &out, &err) < 0) {
        frame.code = err.code;
        text = faas_str_from(err.msg);
    } else {
        text = faas_buf_str(&out);
    }
    frame.len = (uint32_t)text.len;
    write_all(fd, &frame, sizeof(frame));
    write_all(fd, text.ptr, text.len);
    _exit(0);
}

/* --- here --- */

static void collect(struct job *job, int how)
{
    siginfo_t info = {0};

    /* By pidfd: the number may be another's if whoever collects orphans was faster. */
    if (waitid(P_PIDFD, (id_t)job->pidfd, &info, WEXITED | how) == 0 && info.si_pid == 0)
        return;
    faas_io_del(job->jobs->loop, &job->exit_io);
    close(job->pidfd);
    job->pidfd = -1;
}

static void job_free(struct job *job)
{
    faas_list_remove(&job->node);
    free(job);
}

static void stop_listening(struct job *job)
{
    faas_timer_stop(job->jobs->loop, &job->timer);
    faas_io_del(job->jobs->loop, &job->result_io);
    close(job->result_fd);
    job->result_fd = -1;
    syscall(SYS_pidfd_send_signal, job->pidfd, SIGKILL, NULL, 0);
}

/* The process is collected later. */
static void report(struct job *job, struct faas_str result, const struct faas_error *err)
{
    struct faas_buf received = job->received;

    job->received = (struct faas_buf){0};
    stop_listening(job);
    job->spec.on_end(job->spec.arg, result, err);
    faas_buf_deinit(&received);
}

static void on_complete(struct job *job)
{
    struct faas_str text = faas_buf_str(&job->received);
    struct faas_error err = {0};
    struct frame frame;

    if (text.len < sizeof(frame)) {
        faas_fail(&err, FAAS_ERR_UNAVAILABLE, "the process for it ended early");
        report(job, FAAS_STR(""), &err);
        return;
    }
    memcpy(&frame, text.ptr, sizeof(frame));
    text.ptr += sizeof(frame);
    text.len -= sizeof(frame);
    if (frame.len != text.len)
        faas_fail(&err, FAAS_ERR_UNAVAILABLE, "the process for it ended early");
    else if (frame.code != FAAS_ERR_NONE)
        faas_fail(&err, frame.code, "%.*s", FAAS_STR_FMT(text));
    report(job, err.code ? FAAS_STR("") : text, err.code ? &err : NULL);
}

static void on_result(void *arg, uint32_t events)
{
    struct job *job = arg;
    struct faas_error err;
    ssize_t n;

    (void)events;
    for (;;) {
        n = read(job->result_fd, faas_buf_reserve(&job->received, 16384), 16384);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        job->received.len += (size_t)n;
        if (job->received.len > job->spec.max_result + sizeof(struct frame)) {
            faas_fail(&err, FAAS_ERR_TOO_LARGE, "more than %zu bytes", job->spec.max_result);
            report(job, FAAS_STR(""), &err);
            return;
        }
    }
    if (n < 0 && errno == EAGAIN)
        return;
    on_complete(job);
}

static void on_limit(void *arg)
{
    struct job *job = arg;
    struct faas_error err;
    char limit[32];

    faas_format_go_duration(job->spec.limit_ms * 1000000, limit);
    faas_fail(&err, FAAS_ERR_TIMEOUT, "not done within %s", limit);
    report(job, FAAS_STR(""), &err);
}

/* What it wrote may still be in the pipe. */
static void on_exit_event(void *arg, uint32_t events)
{
    struct job *job = arg;

    (void)events;
    if (job->result_fd >= 0)
        on_result(job, EPOLLIN);
    if (job->result_fd >= 0) /* something that it started holds the pipe */
        on_complete(job);
    collect(job, WNOHANG);
    if (job->pidfd < 0)
        job_free(job);
}

static int watch(struct job *job, struct faas_error *err)
{
    struct faas_loop *loop = job->jobs->loop;

    if (faas_io_add(loop, &job->result_io, job->result_fd, EPOLLIN, on_result, job, err) < 0)
        return -1;
    if (faas_io_add(loop, &job->exit_io, job->pidfd, EPOLLIN, on_exit_event, job, err) < 0)
        return -1;
    faas_timer_start(loop, &job->timer, job->spec.limit_ms, on_limit, job);
    return 0;
}

static int fork_copy(struct job *job, struct faas_error *err)
{
    pid_t parent = getpid();
    int fds[2];

    if (faas_pipe(fds, 0, err) < 0)
        return -1;
    job->result_fd = fds[0];
    job->pid = fork();
    if (job->pid == 0)
        be_the_copy(&job->spec, fds[1], parent);
    close(fds[1]);
    if (job->pid < 0)
        return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, errno, "fork");
    job->pidfd = (int)syscall(SYS_pidfd_open, job->pid, 0);
    if (job->pidfd >= 0)
        return 0;
    faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, errno, "pidfd_open");
    kill(job->pid, SIGKILL);
    waitpid(job->pid, NULL, 0);
    return -1;
}

static void abandon(struct job *job)
{
    if (job->result_fd >= 0)
        stop_listening(job);
    if (job->pidfd >= 0)
        collect(job, 0); /* it has been killed */
    faas_buf_deinit(&job->received);
    job_free(job);
}

int wd_job_start(struct wd_jobs *jobs, const struct wd_job_spec *spec, struct faas_error *err)
{
    struct job *job = faas_new(struct job);

    job->jobs = jobs;
    job->spec = *spec;
    job->result_fd = job->pidfd = -1;
    faas_list_append(&jobs->all, &job->node);
    if (fork_copy(job, err) == 0 && watch(job, err) == 0)
        return 0;
    abandon(job);
    return -1;
}

void wd_jobs_init(struct wd_jobs *jobs, struct faas_loop *loop)
{
    jobs->loop = loop;
    faas_list_init(&jobs->all);
}

void wd_jobs_deinit(struct wd_jobs *jobs)
{
    if (!jobs->loop)
        return;
    while (!faas_list_empty(&jobs->all))
        abandon(FAAS_CONTAINER_OF(jobs->all.next, struct job, node));
}
