#include "providers/local/replica.h"

#include "libfaas/alloc.h"
#include "libfaas/crypto.h"
#include "libfaas/file.h"
#include "providers/local/leftovers.h"
#include "providers/local/trash.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#define BACKLOG         1024
#define READ_SIZE       (64 * 1024)
#define READS_PER_TURN  4  /* a function that floods its log must not starve the others */
#define READS_AT_END    64 /* likewise one that the function left behind with its output */
#define PROBE_WAIT_MIN  10
#define PROBE_WAIT_MAX  100
#define INSTANCE_PREFIX 48 /* of the function's name; with the suffix it fits instance[] */

static void begin(struct local_replica *r);

/* --- output --- */

/* Whether a line says why the function ended: not a blank one, and not the watchdog's, which only
 * says that it did, behind the function's last words. */
static bool says_why(const struct local_replica *r, struct faas_str line)
{
    static const char watchdogs[] = "Forked function has terminated: ";

    return faas_str_trim(line).len > 0 &&
           !(r->last_line[0] && memmem(line.ptr, line.len, watchdogs, strlen(watchdogs)));
}

static void take_line(void *arg, struct faas_str line)
{
    struct local_replica *r = arg;
    size_t n = FAAS_MIN(line.len, sizeof(r->last_line) - 1);

    local_log_add(r->log_file, r->instance, line);
    if (says_why(r, line)) {
        memcpy(r->last_line, line.ptr, n);
        r->last_line[n] = '\0';
    }
}

/* False: the end of the stream. */
static bool read_output(struct local_replica *r, int reads)
{
    char buf[READ_SIZE];
    ssize_t n = 1;

    while (reads-- > 0 && (n = read(r->log_fd, buf, sizeof(buf))) > 0)
        local_lines_feed(&r->lines, (struct faas_str){.ptr = buf, .len = (size_t)n}, take_line, r);
    local_log_flush(r->log_file);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void close_output(struct local_replica *r)
{
    if (r->log_fd < 0)
        return;
    faas_io_del(r->local->loop, &r->log_io);
    close(r->log_fd);
    r->log_fd = -1;
    local_lines_end(&r->lines, take_line, r);
    local_log_flush(r->log_file);
}

static void on_output(void *arg, uint32_t events)
{
    struct local_replica *r = arg;

    (void)events;
    if (!read_output(r, READS_PER_TURN))
        close_output(r);
}

/* --- readiness --- */

static void start_probe(struct local_replica *r);

static void on_probe_due(void *arg)
{
    start_probe(arg);
}

static void probe_again(struct local_replica *r)
{
    r->probe = NULL;
    if (r->state != LOCAL_STARTING)
        return;
    faas_timer_start(r->local->loop, &r->probe_timer, r->probe_wait_ms, on_probe_due, r);
    r->probe_wait_ms = FAAS_MIN(r->probe_wait_ms * 2, (int64_t)PROBE_WAIT_MAX);
}

static void on_probe_head(void *arg, const struct faas_http_response_head *head)
{
    struct local_replica *r = arg;

    r->probe_status = head->status;
}

static size_t on_probe_body(void *arg, struct faas_str data)
{
    (void)arg;
    return data.len;
}

static void on_probe_end(void *arg)
{
    struct local_replica *r = arg;

    if (r->probe_status / 100 != 2 || r->state != LOCAL_STARTING) {
        probe_again(r);
        return;
    }
    r->probe = NULL;
    faas_timer_stop(r->local->loop, &r->timer);
    r->state = LOCAL_READY;
    r->ready_at_ms = faas_loop_now_ms(r->local->loop);
    faas_log_info(&r->local->log, "replica is ready", FAAS_F_STR("instance", r->instance),
                  FAAS_F_MS("took_ms", r->ready_at_ms - r->started_at_ms));
    r->events->on_ready(r->events->arg, r);
}

static void on_probe_error(void *arg, enum faas_http_phase phase, const struct faas_error *err)
{
    (void)phase;
    (void)err;
    probe_again(arg);
}

/* The socket listens before the process exists, so connecting always works, and the answer comes
 * the moment that somebody serves: readiness is an event. Asking again is only for a watchdog that
 * answers, but says that it is not ready yet, for the function listens by itself (mode=http). */
static void start_probe(struct local_replica *r)
{
    static const struct faas_exchange_ops ops = {
        .on_head = on_probe_head,
        .on_body = on_probe_body,
        .on_end = on_probe_end,
        .on_error = on_probe_error,
    };
    const struct faas_exchange_req req = {
        .addr = &r->endpoint->addr,
        .head = FAAS_STR("GET /_/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"),
        .body = FAAS_BODY_NONE,
        .idempotent = true,
    };

    r->probe_status = 0;
    r->probe = faas_exchange_start(r->local->probes, &req, &ops, r);
}

static void end_probe(struct local_replica *r)
{
    faas_timer_stop(r->local->loop, &r->probe_timer);
    if (r->probe)
        faas_exchange_cancel(r->probe);
    r->probe = NULL;
}

/* --- start --- */

static int make_home(const struct local_replica *r, struct faas_error *err)
{
    if (faas_file_exists(r->home)) {
        if (!local_trash_move(r->local->state_dir, r->home))
            return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "empty %s", r->home);
        local_sweep(r->local);
    }
    if (mkdir(r->home, 0700) < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "make folder %s", r->home);
    if (r->launch->set_user && chown(r->home, r->launch->uid, r->launch->uid) < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "give %s to its function", r->home);
    return 0;
}

static void fill_envp(const struct local_replica *r, struct faas_strv *envp)
{
    faas_map_for_each (&r->launch->env, e) {
        faas_strv_addf(envp, "%s=%s", e->key, e->value);
    }
    if (!faas_map_get(&r->launch->env, "HOME"))
        faas_strv_addf(envp, "HOME=%s", r->home);
    faas_strv_addf(envp, "TMPDIR=%s", r->home);
}

static int spawn(struct local_replica *r, int listen_fd, int output, struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv envp = {0};
    char *argv[] = {(char *)"fwatchdog", NULL};
    const struct faas_spawn s = {
        .path = "fwatchdog",
        .exec_fd = r->local->watchdog_fd,
        .argv = argv,
        .envp = (fill_envp(r, &envp), envp.items),
        .stdio = {-1, output, output},
        .pass_fds = &listen_fd,
        .n_pass_fds = 1,
        .cwd = r->launch->cwd,
        .death_signal = SIGKILL,
        .set_user = r->launch->set_user,
        .uid = r->launch->uid,
        .gid = r->launch->uid,
        .no_new_privs = true,
        .rlimits = r->launch->rlimits,
        .n_rlimits = r->launch->n_rlimits,
    };

    return faas_spawn(&s, &r->process, err);
}

static void on_exit_event(void *arg, uint32_t events);

static int watch(struct local_replica *r, struct faas_error *err)
{
    if (faas_io_add(r->local->loop, &r->exit_io, r->process.pidfd, EPOLLIN, on_exit_event, r, err) <
        0)
        return -1;
    return faas_io_add(r->local->loop, &r->log_io, r->log_fd, EPOLLIN, on_output, r, err);
}

/* Waits for the end of a process that nobody watches. */
static void end_now(struct local_replica *r)
{
    struct pollfd p = {.fd = r->process.pidfd, .events = POLLIN};
    int status;

    faas_process_kill(&r->process, SIGKILL);
    faas_io_del(r->local->loop, &r->exit_io);
    while (poll(&p, 1, -1) < 0 && errno == EINTR)
        ;
    (void)faas_process_reap(&r->process, &status);
}

/* The listening socket is the child's alone once it runs: when the child ends, the kernel refuses
 * waiting and further connections at once, and the gateway tries another replica. */
static int start_process(struct local_replica *r, struct faas_error *err)
{
    _cleanup_close_ int listen_fd = faas_listen("127.0.0.1", 0, BACKLOG, false, err);
    _cleanup_close_ int output = -1;
    struct faas_addr addr = {0};
    int pipe_fds[2];

    if (listen_fd < 0 || faas_addr_parse("127.0.0.1", faas_socket_port(listen_fd), &addr, err) < 0)
        return -1;
    if (make_home(r, err) < 0 || faas_pipe(pipe_fds, 0, err) < 0)
        return -1;
    r->log_fd = pipe_fds[0];
    output = pipe_fds[1];
    if (spawn(r, listen_fd, output, err) < 0)
        return faas_error_wrap(err, "start fwatchdog");
    if (watch(r, err) < 0) {
        end_now(r);
        return -1;
    }
    local_leftover_note(r->local->state_dir, r->instance, r->process.pid);
    r->endpoint = faas_endpoint_new(&addr, r->instance);
    return 0;
}

/* --- end --- */

static int64_t restart_wait(const struct local_replica *r)
{
    const struct local_options *o = r->local->options;
    const int64_t most = FAAS_MAX(o->restart_max_ms, o->restart_min_ms);
    int64_t wait = o->restart_min_ms;

    for (unsigned i = 1; i < r->failures && wait < most; i++)
        wait *= 2;
    return FAAS_MIN(wait, most);
}

static void on_restart_due(void *arg)
{
    begin(arg);
}

static void release(struct local_replica *r)
{
    end_probe(r);
    faas_timer_stop(r->local->loop, &r->timer);
    faas_endpoint_unref(r->endpoint);
    r->endpoint = NULL;
}

static void free_replica(struct local_replica *r)
{
    local_lines_deinit(&r->lines);
    local_launch_unref(r->launch);
    free(r->run_dir);
    free(r->home);
    free(r);
}

static void gone(struct local_replica *r)
{
    release(r);
    if (local_trash_move(r->local->state_dir, r->home))
        local_sweep(r->local);
    r->events->on_gone(r->events->arg, r);
    free_replica(r);
}

static void failed(struct local_replica *r, const char *why)
{
    const int64_t now = faas_loop_now_ms(r->local->loop);
    const bool healthy_long =
        r->state == LOCAL_READY && now - r->ready_at_ms >= r->local->options->restart_reset_ms;

    release(r);
    r->failures = healthy_long ? 1 : r->failures + 1;
    r->state = LOCAL_WAITING;
    faas_log_warn(&r->local->log, "replica is down", FAAS_F_STR("instance", r->instance),
                  FAAS_F_STR("reason", why), FAAS_F_INT("failures", r->failures),
                  FAAS_F_MS("restart_in_ms", restart_wait(r)));
    faas_timer_start(r->local->loop, &r->timer, restart_wait(r), on_restart_due, r);
    r->events->on_down(r->events->arg, r, why);
}

static void on_exit_event(void *arg, uint32_t events)
{
    struct local_replica *r = arg;
    char text[64], why[300];
    int status = 0;

    (void)events;
    /* What the function left running in the watchdog's group ends with it. */
    faas_process_kill(&r->process, SIGKILL);
    faas_io_del(r->local->loop, &r->exit_io);
    if (!faas_process_reap(&r->process, &status))
        status = 0;
    (void)read_output(r, READS_AT_END);
    close_output(r);
    local_leftover_forget(r->local->state_dir, r->instance);
    if (r->state == LOCAL_STOPPING) {
        gone(r);
        return;
    }
    faas_format_exit(status, text);
    snprintf(why, sizeof(why), "%s%s%s", text, r->last_line[0] ? ": " : "", r->last_line);
    failed(r, why);
}

static void on_start_timeout(void *arg)
{
    struct local_replica *r = arg;

    snprintf(r->last_line, sizeof(r->last_line),
             "it was not healthy within %lld ms (replica_start_timeout)",
             (long long)r->local->options->start_timeout_ms);
    faas_process_kill(&r->process, SIGKILL); /* its exit does the rest */
}

static void begin(struct local_replica *r)
{
    struct faas_error err = {0};

    r->last_line[0] = '\0';
    r->state = LOCAL_STARTING;
    r->probe_wait_ms = PROBE_WAIT_MIN;
    r->started_at_ms = faas_loop_now_ms(r->local->loop);
    if (start_process(r, &err) < 0) {
        close_output(r);
        failed(r, err.msg);
        return;
    }
    faas_timer_start(r->local->loop, &r->timer, r->local->options->start_timeout_ms,
                     on_start_timeout, r);
    start_probe(r);
}

static void on_kill_due(void *arg)
{
    struct local_replica *r = arg;

    faas_log_warn(&r->local->log, "killing a replica that does not end",
                  FAAS_F_STR("instance", r->instance));
    faas_process_kill(&r->process, SIGKILL);
}

void local_replica_stop(struct local_replica *r)
{
    if (r->state == LOCAL_WAITING) {
        gone(r);
        return;
    }
    r->state = LOCAL_STOPPING;
    r->term_due = true;
    end_probe(r);
    faas_timer_stop(r->local->loop, &r->timer);
}

void local_replica_terminate(struct local_replica *r, int64_t limit_ms)
{
    r->term_due = false;
    /* The watchdog alone, not its group: a call's process is in there for the moment before it has
     * a group of its own, and would be ended in the middle of the call. Not yet reaped, so the pid
     * is still its own. */
    (void)kill(r->process.pid, SIGTERM);
    faas_timer_start(r->local->loop, &r->timer, limit_ms, on_kill_due, r);
}

struct local_replica *local_replica_new(const struct local_replica_input *in)
{
    struct local_replica *r = faas_new(struct local_replica);
    unsigned char random[4];
    char suffix[2 * sizeof(random) + 1];

    faas_random_bytes(random, sizeof(random));
    faas_hex(suffix, random, sizeof(random));
    snprintf(r->instance, sizeof(r->instance), "%.*s-%s", INSTANCE_PREFIX, in->name, suffix);
    r->local = in->local;
    r->launch = local_launch_ref(in->launch);
    r->log_file = in->log_file;
    r->events = in->events;
    r->run_dir = faas_strdup(in->run_dir);
    r->home = faas_asprintf("%s/%s", in->run_dir, r->instance);
    r->log_fd = -1;
    faas_list_init(&r->node);
    begin(r);
    return r;
}
