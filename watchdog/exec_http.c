/* mode=http: the function is a server of its own, started once, and requests are passed on to it.
 *
 * It is ready when its port accepts a connection. Its end is ours, since an orchestrator restarts
 * what has ended and not what merely does not work; with restart_on_exit we do it ourselves. */
#include "watchdog/http_mode.h"

#include "libfaas/alloc.h"
#include "watchdog/port_owner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum {
    MAX_IDLE_UPSTREAM = 256,
    MAX_RESPONSE_HEAD = 1024 * 1024,
    FIRST_RESTART_DELAY_MS = 100,
    /* In which the answers to calls that the function left behind go out, and how often it is
     * looked whether all answers are out when we were told to leave. */
    LAST_ANSWERS_MS = 20,
};

static int start_function(struct wd_http *http, struct faas_error *err);

/* --- the end --- */

/* A function that has answered everything and ended is no reason to cut a client that is still
 * reading; the drain has its own limit. */
static void on_exit_time(void *arg)
{
    struct wd_http *http = arg;

    if (http->leaving && http->all && http->all->count > 0) {
        faas_timer_start(http->ctx->loop, &http->life_timer, LAST_ANSWERS_MS, on_exit_time, http);
        return;
    }
    http->ctx->exit(http->ctx->exit_arg, http->exit_status);
}

static void exit_soon(struct wd_http *http, int status)
{
    wd_http_fail_all(http, false);
    http->exit_status = status;
    faas_timer_start(http->ctx->loop, &http->life_timer, LAST_ANSWERS_MS, on_exit_time, http);
}

static void tell_to_end(struct wd_http *http)
{
    if (http->told_to_end)
        return;
    http->told_to_end = true;
    wd_upstream_child_signal(&http->child, SIGTERM);
}

static void http_leaving(void *self)
{
    struct wd_http *http = self;

    http->leaving = true;
    if (!wd_upstream_child_runs(&http->child)) /* between two restarts */
        exit_soon(http, 0);
    else if (http->ctx->config->sigterm_at_once)
        tell_to_end(http);
}

static void http_stop(void *self)
{
    struct wd_http *http = self;

    http->stopping = true;
    if (!wd_upstream_child_runs(&http->child)) {
        http->ctx->exit(http->ctx->exit_arg, 0);
        return;
    }
    tell_to_end(http);
    wd_upstream_child_kill_after(&http->child, http->ctx->config->stop_timeout_ms);
}

/* --- restarts --- */

static void on_wait_over(void *arg)
{
    struct wd_http *http = arg;
    char limit[32];

    http->worth_waiting = false;
    faas_format_go_duration(http->ctx->config->upstream_start_timeout_ms * 1000000, limit);
    wd_logf(http->ctx->log, "The function does not listen at %s after upstream_start_timeout: %s",
            *http->authority ? http->authority : http->url.authority, limit);
    wd_http_fail_all(http, true);
}

static void await_function(struct wd_http *http)
{
    http->worth_waiting = true;
    faas_timer_start(http->ctx->loop, &http->wait_timer,
                     http->ctx->config->upstream_start_timeout_ms, on_wait_over, http);
}

static void restart_later(struct wd_http *http);

static void on_restart_time(void *arg)
{
    struct wd_http *http = arg;
    struct faas_error err;

    if (start_function(http, &err) == 0)
        return;
    wd_logf(http->ctx->log, "Forked function has terminated: %s", err.msg);
    restart_later(http);
}

/* One that ran for long enough starts afresh. */
static void restart_later(struct wd_http *http)
{
    int64_t max_ms = http->ctx->config->restart_max_delay_ms;
    char delay[32];

    if (!http->restart_delay_ms || faas_loop_now_ms(http->ctx->loop) - http->started_ms >= max_ms)
        http->restart_delay_ms = FIRST_RESTART_DELAY_MS;
    faas_format_go_duration(http->restart_delay_ms * 1000000, delay);
    wd_logf(http->ctx->log, "Restarting the function in %s", delay);
    faas_timer_start(http->ctx->loop, &http->life_timer, http->restart_delay_ms, on_restart_time,
                     http);
    http->restart_delay_ms = FAAS_MIN(http->restart_delay_ms * 2, max_ms);
}

static void on_function_exit(void *arg, int status)
{
    struct wd_http *http = arg;
    char how[64];

    faas_format_exit(status, how);
    wd_logf(http->ctx->log, "Forked function has terminated: %s", how);
    wd_upstream_probe_stop(&http->probe);
    if (http->addr) {
        faas_upstream_forget(http->upstream, http->addr);
        http->addr = NULL;
        if (http->ctx->config->restart_on_exit)
            await_function(http);
    }
    if (http->stopping)
        http->ctx->exit(http->ctx->exit_arg, 0);
    else if (http->leaving)
        exit_soon(http, 0);
    else if (http->ctx->config->restart_on_exit)
        restart_later(http);
    else
        exit_soon(http, 1);
}

/* --- the start --- */

static bool is_foreign(const struct wd_http *http, const struct faas_addr *addr)
{
    unsigned port = faas_addr_port((const struct sockaddr *)&addr->ss);

    return http->url.port == 0 && !wd_port_is_of_group(port, http->child.process.pid);
}

static void on_function_up(void *arg, const struct faas_addr *addr)
{
    struct wd_http *http = arg;
    char where[64];

    if (is_foreign(http, addr)) {
        wd_logf(http->ctx->log, "Another process listens at %s, which was to be the function's",
                http->authority);
        wd_upstream_child_signal(&http->child, SIGKILL);
        return;
    }
    http->addr = addr;
    http->worth_waiting = false;
    faas_timer_stop(http->ctx->loop, &http->wait_timer);
    faas_addr_format((const struct sockaddr *)&addr->ss, where);
    wd_logf(http->ctx->log, "The function listens at %s (%.3fs)", where,
            (double)(faas_loop_now_ms(http->ctx->loop) - http->started_ms) / 1000);
    wd_http_send_waiting(http);
}

/* One that nobody had a moment ago. Should somebody take it before the function does, then the
 * function's end, be it its own or ours (above), leads to another choice. */
static int choose_port(struct wd_http *http, struct faas_error *err)
{
    const struct faas_addr *addr = &http->addrs[0];
    _cleanup_close_ int fd = socket(addr->ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unsigned port;

    if (fd < 0 || bind(fd, (const struct sockaddr *)&addr->ss, addr->len) < 0)
        return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, errno, "choose a port at %.100s",
                               http->url.host);
    port = faas_socket_port(fd);
    for (int i = 0; i < http->n_addrs; i++)
        faas_addr_set_port(&http->addrs[i], port);
    faas_addr_format((const struct sockaddr *)&addr->ss, http->authority);
    return (int)port;
}

/* By the names that frameworks and templates know. */
static void tell_port(struct faas_strv *env, char *const *base, int port)
{
    static const char *const names[] = {"PORT", "http_port", "upstream_port"};

    for (; *base; base++) {
        bool replaced = false;

        for (size_t i = 0; i < FAAS_ARRAY_LEN(names); i++) {
            size_t len = strlen(names[i]);

            replaced |= strncmp(*base, names[i], len) == 0 && (*base)[len] == '=';
        }
        if (!replaced)
            faas_strv_add(env, *base);
    }
    for (size_t i = 0; i < FAAS_ARRAY_LEN(names); i++)
        faas_strv_addf(env, "%s=%d", names[i], port);
}

static int start_process(struct wd_http *http, struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv env = {0};
    int port;

    if (http->url.port)
        return wd_upstream_child_start(&http->child, http->ctx->env->all, err);
    for (int i = 0; i < http->n_addrs; i++)
        faas_addr_set_port(&http->addrs[i], 0);
    port = choose_port(http, err);
    if (port < 0)
        return -1;
    tell_port(&env, http->ctx->env->all, port);
    return wd_upstream_child_start(&http->child, env.items, err);
}

static int start_function(struct wd_http *http, struct faas_error *err)
{
    http->started_ms = faas_loop_now_ms(http->ctx->loop);
    if (start_process(http, err) < 0)
        return -1;
    wd_upstream_probe_start(&http->probe, http->ctx->loop, http->addrs, http->n_addrs,
                            on_function_up, http);
    return 0;
}

static int read_url(struct wd_http *http, struct faas_error *err)
{
    if (wd_upstream_url_parse(&http->url, faas_str_from(http->ctx->config->upstream_url), err) < 0)
        return faas_error_wrap(err, "http_upstream_url (or upstream_url)");
    http->n_addrs = wd_upstream_resolve(&http->url, http->addrs, err);
    if (http->n_addrs < 0)
        return faas_error_wrap(err, "http_upstream_url (or upstream_url)");
    return 0;
}

static void http_destroy(void *self)
{
    struct wd_http *http = self;
    struct faas_loop *loop = http->ctx->loop;

    /* Tunnels that the client has left, but whose last bytes have not. */
    faas_list_for_each (&http->calls, it)
        wd_http_fail(FAAS_CONTAINER_OF(it, struct wd_http_call, node), 500);
    wd_upstream_probe_stop(&http->probe);
    wd_upstream_child_deinit(&http->child);
    faas_timer_stop(loop, &http->wait_timer);
    faas_timer_stop(loop, &http->life_timer);
    faas_upstream_free(http->upstream);
    wd_upstream_url_deinit(&http->url);
    faas_buf_deinit(&http->scratch);
    free(http);
}

static void *http_create(const struct wd_context *ctx, struct faas_error *err)
{
    const struct faas_upstream_opts opts = {
        .max_idle_per_host = MAX_IDLE_UPSTREAM,
        .max_idle = MAX_IDLE_UPSTREAM,
        .idle_timeout_ms = ctx->config->upstream_idle_timeout_ms,
        .connect_timeout_ms = ctx->config->exec_timeout_ms,
        .max_head = MAX_RESPONSE_HEAD,
    };
    struct wd_http *http = faas_new(struct wd_http);

    http->ctx = ctx;
    faas_list_init(&http->calls);
    http->upstream = faas_upstream_new(ctx->loop, &opts);
    wd_upstream_child_init(&http->child, ctx, on_function_exit, http);
    if (read_url(http, err) < 0) {
        http_destroy(http);
        return NULL;
    }
    if (start_function(http, err) < 0) {
        faas_error_wrap(err, "Forked function has terminated");
        http_destroy(http);
        return NULL;
    }
    await_function(http);
    return http;
}

static bool http_ready(const void *self)
{
    const struct wd_http *http = self;

    return http->addr != NULL;
}

const struct wd_executor_ops wd_http_executor = {
    .call_size = sizeof(struct wd_http_call),
    .create = http_create,
    .destroy = http_destroy,
    .ready = http_ready,
    .leaving = http_leaving,
    .stop = http_stop,
    .on_drain = wd_http_on_drain,
    .handle = wd_http_handle,
    .on_body = wd_http_on_body,
    .on_body_end = wd_http_on_body_end,
    .on_body_timeout = wd_http_on_body_timeout,
    .on_client_gone = wd_http_on_client_gone,
    .release = wd_http_release,
};
