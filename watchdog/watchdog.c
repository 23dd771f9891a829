#include "watchdog/watchdog.h"

#include "libfaas/alloc.h"
#include "libfaas/net.h"
#include "watchdog/drain.h"
#include "watchdog/executor.h"
#include "watchdog/reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

enum {
    METRICS_TIMEOUT_MS = 500,
    METRICS_HEADER_LIMIT = 16 * 1024,
    MAX_CONNECTIONS = 16 * 1024,
    OTHER_DESCRIPTORS = 16, /* than those of connections and calls */
    METRICS_MAX_CONNECTIONS = 64,
    LOG_RETRY_MS = 50,

    JWT_FETCH_LIMIT_MS = 5 * 1000,
    JWT_PAUSE_MS = 10 * 1000,
    JWT_RETRY_MS = 1000,
    JWT_MAX_AGE_MS = 5 * 60 * 1000,
};

struct wd {
    const struct wd_config *config;
    struct wd_log *log;
    struct faas_log server_log; /* what http_server has to say goes the same way */
    struct faas_log_sink server_sink;
    struct faas_loop *loop;
    struct faas_hook hook;
    struct wd_base_env env;
    struct faas_rlimit nofile; /* as we were given it */
    struct wd_children children;
    struct wd_reaper reaper;
    struct wd_context ctx;
    struct wd_stats stats;
    struct wd_jwt_auth *auth; /* NULL: everybody may call */
    struct faas_error auth_err;
    enum { WD_STARTING, WD_STARTED, WD_STOPPED_EARLY } phase;
    struct wd_calls calls;
    struct wd_health health;
    struct wd_drain drain;
    struct faas_http_server *server;
    struct faas_http_server *metrics_server;
    bool exiting;
    int status;
};

/* --- requests --- */

static void reply_text(struct faas_http_req *req, int status, const char *type,
                       struct faas_str body)
{
    const struct faas_http_header header = {FAAS_STR("Content-Type"), faas_str_from(type)};

    faas_http_reply(req, status, &header, body.len ? 1 : 0, body);
}

static void reply_status(struct faas_http_req *req, int status)
{
    faas_http_reply(req, status, NULL, 0, FAAS_STR(""));
}

static void on_health(struct wd *wd, struct faas_http_req *req)
{
    if (!faas_str_eqz(faas_http_req_head(req)->method, "GET"))
        reply_status(req, 405);
    else if (wd_health_ok(&wd->health))
        reply_text(req, 200, "text/plain", FAAS_STR("OK"));
    else
        reply_status(req, 503);
}

/* Answered in every mode, although the classic watchdog of OpenFaaS passes it to the function:
 * whoever probes a workload expects both paths. */
static void on_ready(struct wd *wd, struct faas_http_req *req)
{
    const struct wd_executor_ops *ops = wd->calls.ops;

    if (!faas_str_eqz(faas_http_req_head(req)->method, "GET"))
        reply_status(req, 405);
    else if (!wd_health_ok(&wd->health) || (ops->ready && !ops->ready(wd->calls.executor)))
        reply_status(req, 503);
    else if (wd_limiter_is_full(&wd->calls.limiter))
        reply_status(req, 429);
    else if (wd->config->ready_path)
        wd_calls_probe(&wd->calls, req, faas_str_from(wd->config->ready_path));
    else
        reply_status(req, 200);
}

static void on_request(void *arg, struct faas_http_req *req)
{
    struct wd *wd = arg;
    const struct faas_http_head *head = faas_http_req_head(req);

    if (faas_str_eqz(head->path, "/_/health"))
        on_health(wd, req);
    else if (faas_str_eqz(head->path, "/_/ready"))
        on_ready(wd, req);
    else if (faas_str_eqz(head->target, "*"))
        reply_status(req, faas_str_eqz(head->method, "OPTIONS") ? 200 : 400);
    else
        wd_calls_take(&wd->calls, req);
}

static void on_metrics_request(void *arg, struct faas_http_req *req)
{
    struct wd *wd = arg;
    _cleanup_buf_ struct faas_buf text = {0};

    if (!faas_str_eqz(faas_http_req_head(req)->path, "/metrics")) {
        reply_text(req, 404, "text/plain; charset=utf-8", FAAS_STR("404 page not found\n"));
        return;
    }
    faas_metrics_text(wd->stats.metrics, &text);
    reply_text(req, 200, FAAS_METRICS_CONTENT_TYPE, faas_buf_str(&text));
}

/* --- listening --- */

static void server_log_write(void *self, struct faas_str line)
{
    wd_log_text(self, "", line, 0);
}

/* Takes over the socket that we were started with. */
static int adopt_socket(int fd, struct faas_error *err)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return faas_fail_errno(err, FAAS_ERR_INVALID, errno, "LISTEN_FDS: descriptor %d", fd);
    return fd;
}

static struct faas_http_server *start_server(struct wd *wd, int fd,
                                             const struct faas_http_server_opts *opts,
                                             struct faas_error *err)
{
    struct faas_http_server_opts own = *opts;

    if (fd < 0)
        return NULL;
    own.listen_fd = fd;
    own.error_component = "watchdog";
    own.log = &wd->server_log;
    own.arg = wd;
    return faas_http_server_new(wd->loop, &own, err);
}

/* Each call takes some descriptors beside its connection's, so connections may take half of them;
 * those beyond wait in the backlog. */
static unsigned max_connections(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / 2 > MAX_CONNECTIONS)
        return MAX_CONNECTIONS;
    if (limit.rlim_cur < 2 * OTHER_DESCRIPTORS)
        return OTHER_DESCRIPTORS / 2;
    return (unsigned)(limit.rlim_cur - OTHER_DESCRIPTORS) / 2;
}

static int listen_for_function(struct wd *wd, struct faas_error *err)
{
    const struct wd_config *config = wd->config;
    const struct faas_http_server_opts opts = {
        .header_limit = config->max_header_bytes,
        .max_connections = max_connections(),
        .read_timeout_ms = config->read_timeout_ms,
        .write_timeout_ms = config->write_timeout_ms,
        .on_request = on_request,
    };
    int fd = config->listen_fd >= 0 ? adopt_socket(config->listen_fd, err)
                                    : faas_listen(NULL, config->port, 0, false, err);
    unsigned port = fd >= 0 ? faas_socket_port(fd) : 0;

    wd->server = start_server(wd, fd, &opts, err);
    if (!wd->server)
        return faas_error_wrap(err, "Error ListenAndServe");
    wd_logf(wd->log, "Listening on port: %u", port);
    return 0;
}

static int listen_for_metrics(struct wd *wd, struct faas_error *err)
{
    const struct faas_http_server_opts opts = {
        .header_limit = METRICS_HEADER_LIMIT,
        .max_connections = METRICS_MAX_CONNECTIONS,
        .read_timeout_ms = METRICS_TIMEOUT_MS,
        .write_timeout_ms = METRICS_TIMEOUT_MS,
        .on_request = on_metrics_request,
    };

    if (!wd->config->metrics_port)
        return 0;
    wd->metrics_server =
        start_server(wd, faas_listen(NULL, wd->config->metrics_port, 0, false, err), &opts, err);
    if (!wd->metrics_server)
        return faas_error_wrap(err, "metrics (metrics_port=0 turns them off)");
    wd_logf(wd->log, "Metrics listening on port: %u", wd->config->metrics_port);
    return 0;
}

static int start_health(struct wd *wd, struct faas_error *err)
{
    wd->health = (struct wd_health){
        .lock_path = wd->config->lock_path,
        .suppress_lock = wd->config->suppress_lock,
        .make_folder = wd_modes[wd->config->mode].family == WD_OF_WATCHDOG,
    };
    if (wd->config->suppress_lock)
        wd_logf(wd->log, "Warning: \"suppress_lock\" is enabled. No automated health-checks will "
                         "be in place for your function.");
    else
        wd_logf(wd->log, "Writing lock-file to: %s", wd->config->lock_path);
    return wd_health_start(&wd->health, err);
}

/* --- life --- */

static void on_exit_wanted(void *arg, int status)
{
    struct wd *wd = arg;

    if (wd->exiting)
        return;
    wd->exiting = true;
    wd->status = status;
    faas_loop_stop(wd->loop);
}

static void on_drained(void *arg)
{
    struct wd *wd = arg;

    if (wd->calls.ops->stop)
        wd->calls.ops->stop(wd->calls.executor);
    else
        on_exit_wanted(wd, 0);
}

static void on_stop_signal(void *arg, int signo)
{
    struct wd *wd = arg;
    bool first = wd->drain.state == WD_SERVING;

    if (wd->phase != WD_STARTED) {
        wd->phase = WD_STOPPED_EARLY;
        faas_loop_stop(wd->loop);
        return;
    }
    wd_drain_begin(&wd->drain, signo == SIGINT ? "SIGINT" : "SIGTERM");
    if (first && wd->calls.ops->leaving)
        wd->calls.ops->leaving(wd->calls.executor);
}

static int watch_signals(struct wd *wd, struct faas_error *err)
{
    if (faas_loop_signal(wd->loop, SIGTERM, on_stop_signal, wd, err) < 0)
        return -1;
    /* The kernel does not kill process 1 by a signal that it has no handler for. */
    if (getpid() == 1 && faas_loop_signal(wd->loop, SIGINT, on_stop_signal, wd, err) < 0)
        return -1;
    return wd_reaper_start(&wd->reaper, &wd->children, err);
}

static int64_t flush_log(void *arg)
{
    return wd_log_flush(arg) ? -1 : LOG_RETRY_MS;
}

static int64_t before_wait(void *arg)
{
    struct wd *wd = arg;

    wd_drain_check(&wd->drain);
    return flush_log(wd->log);
}

static void on_keys_ready(void *arg, const struct faas_error *err)
{
    struct wd *wd = arg;

    if (err)
        wd->auth_err = *err;
    faas_loop_stop(wd->loop);
}

/* Nothing listens before the keys are there: a call that is let in could not be told from others,
 * and none could be served. */
static int start_auth(struct wd *wd, struct faas_error *err)
{
    const struct wd_jwt_auth_opts opts = {
        .keys =
            {
                .loop = wd->loop,
                .log = wd->log,
                .gateway = wd->config->jwt_gateway,
                .start_limit_ms = wd->config->jwt_start_timeout_ms,
                .fetch_limit_ms = JWT_FETCH_LIMIT_MS,
                .pause_ms = JWT_PAUSE_MS,
                .retry_ms = JWT_RETRY_MS,
                .max_age_ms = JWT_MAX_AGE_MS,
            },
        .subject = wd->config->jwt_subject,
        .debug = wd->config->jwt_debug,
    };
    struct faas_hook hook = {0};

    if (!wd->config->jwt_gateway)
        return 0;
    wd_logf(wd->log, "JWT Auth: true");
    wd->auth = wd_jwt_auth_new(&opts);
    wd_jwt_auth_start(wd->auth, on_keys_ready, wd);
    faas_hook_add(wd->loop, &hook, flush_log, wd->log);
    faas_loop_run(wd->loop);
    faas_hook_del(wd->loop, &hook);
    if (wd->phase == WD_STOPPED_EARLY)
        return faas_fail(err, FAAS_ERR_UNAVAILABLE, "told to stop before the keys of tokens came");
    if (wd->auth_err.code) {
        *err = wd->auth_err;
        return faas_error_wrap(err, "JWT Auth");
    }
    return 0;
}

static int start_calls(struct wd *wd, struct faas_error *err)
{
    const struct wd_config *config = wd->config;
    const struct wd_executor_ops *ops = wd_executors[config->mode];

    wd->ctx = (struct wd_context){
        .config = config,
        .loop = wd->loop,
        .log = wd->log,
        .children = &wd->children,
        .env = &wd->env,
        .exit = on_exit_wanted,
        .exit_arg = wd,
    };
    wd->calls = (struct wd_calls){
        .loop = wd->loop,
        .ops = ops,
        .stats = &wd->stats,
        .log = wd->log,
        .auth = wd->auth,
        .limiter = {.max = config->max_inflight},
        .read_timeout_ms = config->read_timeout_ms,
        .write_timeout_ms = config->write_timeout_ms,
        .max_body_size = config->max_body_size,
    };
    wd->calls.executor = ops->create(&wd->ctx, err);
    return wd->calls.executor ? 0 : -1;
}

static void prepare_drain(struct wd *wd)
{
    wd->drain = (struct wd_drain){
        .loop = wd->loop,
        .log = wd->log,
        .health = &wd->health,
        .server = wd->server,
        .calls = &wd->calls,
        .interval_ms = wd->config->healthcheck_interval_ms,
        .limit_ms = wd->config->write_timeout_ms,
        .drained = on_drained,
        .arg = wd,
    };
}

/* The soft limit of 1024 descriptors is for programs that use select(), as functions may: they get
 * back what we were given. */
static void raise_nofile(struct wd *wd)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= limit.rlim_max)
        return;
    wd->nofile = (struct faas_rlimit){.resource = RLIMIT_NOFILE, .limit = limit};
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    wd->children.rlimits = &wd->nofile;
    wd->children.n_rlimits = 1;
}

static int start(struct wd *wd, int *failure, struct faas_error *err)
{
    *failure = WD_EXIT_CANNOT_START;
    wd->loop = faas_loop_new(NULL, err);
    if (!wd->loop || wd_children_init(&wd->children, wd->loop, err) < 0)
        return -1;
    raise_nofile(wd);
    if (watch_signals(wd, err) < 0)
        return -1;
    if (start_auth(wd, err) < 0) {
        *failure = wd->phase == WD_STOPPED_EARLY ? 0 : WD_EXIT_NO_KEYS;
        return -1;
    }
    if (start_calls(wd, err) < 0) {
        *failure = wd->config->failure_status;
        return -1;
    }
    if (listen_for_function(wd, err) < 0 || start_health(wd, err) < 0 ||
        listen_for_metrics(wd, err) < 0)
        return -1;
    prepare_drain(wd);
    faas_hook_add(wd->loop, &wd->hook, before_wait, wd);
    wd->phase = WD_STARTED;
    return 0;
}

struct wd *wd_new(const struct wd_config *config, struct wd_log *log, char *const *env_vars,
                  int *failure, struct faas_error *err)
{
    struct wd *wd = faas_new(struct wd);

    wd->config = config;
    wd->log = log;
    wd->server_sink = (struct faas_log_sink){.write = server_log_write, .self = log};
    wd->server_log = (struct faas_log){
        .sink = &wd->server_sink,
        .clock = log->clock,
        .component = "http",
        .level = FAAS_LOG_WARN,
        .format = FAAS_LOG_HUMAN,
    };
    wd_base_env_init(&wd->env, env_vars);
    wd_stats_init(&wd->stats);
    if (start(wd, failure, err) < 0) {
        wd_free(wd);
        return NULL;
    }
    return wd;
}

int wd_run(struct wd *wd)
{
    faas_loop_run(wd->loop);
    return wd->status;
}

/* Children before servers: the calls that wait for them are finished by that. */
void wd_free(struct wd *wd)
{
    if (!wd)
        return;
    wd_reaper_stop(&wd->reaper);
    wd_children_deinit(&wd->children);
    faas_http_server_free(wd->server);
    faas_http_server_free(wd->metrics_server);
    if (wd->calls.executor)
        wd->calls.ops->destroy(wd->calls.executor);
    wd_jwt_auth_free(wd->auth);
    if (wd->hook.fn)
        faas_hook_del(wd->loop, &wd->hook);
    faas_loop_free(wd->loop);
    wd_stats_deinit(&wd->stats);
    wd_base_env_deinit(&wd->env);
    free(wd);
}
