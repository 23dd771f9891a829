#include "libfaas/http_server_impl.h"

#include "libfaas/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ACCEPT_BATCH = 64,
    ACCEPT_RETRY_MS = 100,
    ACCEPT_LOG_MS = 1000,
    MHD_RUNS_PER_TURN = 8,
    /* After so many runs in which nothing came of MHD's wish to run again, it waits a little. */
    VAIN_RUNS_MAX = 256,
    VAIN_WAIT_MS = 5,
};

/* --- accepting: ours, because MHD would accept no one after a failure, and log nothing --- */

static bool may_accept(const struct faas_http_server *s)
{
    return s->n_conns < s->opts.max_connections || s->draining;
}

static void on_acceptable(void *arg, uint32_t events);

static void set_accepting(struct faas_http_server *s, bool on)
{
    if (s->listen_io.active)
        faas_io_mod(s->loop, &s->listen_io, on ? EPOLLIN : 0);
}

static void on_accept_timer(void *arg)
{
    struct faas_http_server *s = arg;

    set_accepting(s, may_accept(s));
}

/* Out of descriptors or memory: connections wait in the backlog until there are some again. */
static void accept_failed(struct faas_http_server *s, int error)
{
    struct faas_error err;
    int64_t now_ms = faas_loop_now_ms(s->loop);

    set_accepting(s, false);
    faas_timer_start(s->loop, &s->accept_timer, ACCEPT_RETRY_MS, on_accept_timer, s);
    if (now_ms - s->accept_logged_ms < ACCEPT_LOG_MS)
        return;
    s->accept_logged_ms = now_ms;
    faas_fail_errno(&err, FAAS_ERR_UNAVAILABLE, error, "accept");
    faas_log_warn(s->opts.log, "cannot accept connections", FAAS_F_ERR(&err),
                  FAAS_F_INT("connections", s->n_conns));
}

/* False: no more for now. */
static bool accept_one(struct faas_http_server *s)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof(peer);
    int fd = accept4(s->listen_fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        http_conn_start(s, fd, (struct sockaddr *)&peer, len);
        return true;
    }
    if (errno == EAGAIN)
        return false;
    if (errno == ECONNABORTED || errno == EPROTO || errno == EINTR)
        return true; /* this one was gone already */
    accept_failed(s, errno);
    return false;
}

static void on_acceptable(void *arg, uint32_t events)
{
    struct faas_http_server *s = arg;

    (void)events;
    for (int i = 0; i < ACCEPT_BATCH && may_accept(s); i++) {
        if (!accept_one(s))
            return;
    }
    set_accepting(s, may_accept(s));
}

void http_server_wake_acceptor(struct faas_http_server *s)
{
    if (!s->stopping && !faas_timer_running(&s->accept_timer))
        set_accepting(s, may_accept(s));
}

static void stop_accepting(struct faas_http_server *s)
{
    if (s->listen_fd < 0)
        return;
    faas_timer_stop(s->loop, &s->accept_timer);
    faas_io_del(s->loop, &s->listen_io);
    close(s->listen_fd);
    s->listen_fd = -1;
}

/* --- turning --- */

/* Requests that become dirty meanwhile are left for the next round. */
static void flush(struct faas_http_server *s)
{
    struct faas_list now;

    if (faas_list_empty(&s->dirty))
        return;
    now = s->dirty;
    now.next->prev = now.prev->next = &now;
    faas_list_init(&s->dirty);
    while (!faas_list_empty(&now)) {
        struct faas_http_req *req = FAAS_CONTAINER_OF(now.next, struct faas_http_req, node);

        faas_list_remove(&req->node);
        req->dirty = false;
        http_req_flush(req);
    }
}

static void settle(struct faas_http_server *s)
{
    while (!faas_list_empty(&s->unsettled))
        http_conn_settle(FAAS_CONTAINER_OF(s->unsettled.next, struct http_conn, settle_node));
}

static void run_mhd(struct faas_http_server *s)
{
    MHD_UNSIGNED_LONG_LONG wait;
    uint64_t before = s->activity;

    s->run_mhd = false;
    s->runs++;
    MHD_run(s->daemon);
    settle(s);
    if (MHD_get_timeout(s->daemon, &wait) == MHD_YES && wait == 0) {
        s->run_mhd = true;
        s->vain_runs++;
    }
    if (!s->run_mhd || s->activity != before)
        s->vain_runs = 0;
}

/* MHD wants to be run again while any connection can be read or written, and also, for ever, while
 * one cannot proceed because a line of its chunked body does not fit into its buffer. */
static int64_t on_turn(void *arg)
{
    struct faas_http_server *s = arg;
    int runs = 0;

    flush(s);
    while (s->run_mhd && runs++ < MHD_RUNS_PER_TURN) {
        run_mhd(s);
        flush(s);
        if (s->vain_runs > VAIN_RUNS_MAX)
            return faas_list_empty(&s->dirty) ? VAIN_WAIT_MS : 0;
    }
    return s->run_mhd || !faas_list_empty(&s->dirty) ? 0 : -1;
}

static void on_mhd(void *arg, uint32_t events)
{
    struct faas_http_server *s = arg;

    (void)events;
    s->run_mhd = true;
}

/* --- life --- */

static size_t do_not_unescape(void *cls, struct MHD_Connection *mhd, char *text)
{
    (void)cls;
    (void)mhd;
    return strlen(text);
}

/* The request's head, what MHD notes about each header, the reply's head. MHD clears all of it
 * after every request, so more would be slower for all. A Cookie header counts twice: MHD copies
 * it. */
static size_t pool_size(size_t header_limit)
{
    return header_limit + header_limit / 2 + 6 * 1024;
}

static struct MHD_Daemon *start_daemon(struct faas_http_server *s)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_UPGRADE | MHD_USE_TURBO, 0, NULL, NULL,
        http_req_on_access, s, MHD_OPTION_URI_LOG_CALLBACK, http_req_on_target, s,
        MHD_OPTION_UNESCAPE_CALLBACK, do_not_unescape, s, MHD_OPTION_NOTIFY_CONNECTION,
        http_conn_notify, s, MHD_OPTION_NOTIFY_COMPLETED, http_req_on_completed, s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, s->pool_size, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)INT32_MAX, MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_END);
}

struct faas_http_server *faas_http_server_new(struct faas_loop *loop,
                                              const struct faas_http_server_opts *opts,
                                              struct faas_error *err)
{
    struct faas_http_server *s = faas_new(struct faas_http_server);
    int epoll_fd;

    s->loop = loop;
    s->opts = *opts;
    s->listen_fd = opts->listen_fd;
    s->pool_size = pool_size(opts->header_limit);
    s->runs = 1;
    s->accept_logged_ms = -ACCEPT_LOG_MS;
    faas_list_init(&s->conns);
    faas_list_init(&s->unsettled);
    faas_list_init(&s->dirty);
    faas_list_init(&s->spare);
    fcntl(s->listen_fd, F_SETFL, fcntl(s->listen_fd, F_GETFL) | O_NONBLOCK);
    faas_hook_add(loop, &s->hook, on_turn, s);
    s->daemon = start_daemon(s);
    if (!s->daemon) {
        faas_fail(err, FAAS_ERR_UNAVAILABLE, "the HTTP server cannot be started");
        goto fail;
    }
    epoll_fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    if (faas_io_add(loop, &s->mhd_io, epoll_fd, EPOLLIN, on_mhd, s, err) < 0 ||
        faas_io_add(loop, &s->listen_io, s->listen_fd, EPOLLIN, on_acceptable, s, err) < 0)
        goto fail;
    return s;
fail:
    faas_http_server_free(s);
    return NULL;
}

/* Those that were accepted by the kernel get their answer; a kept connection is closed unless a
 * request is on its way already. */
void faas_http_server_drain(struct faas_http_server *s)
{
    if (s->draining)
        return;
    s->draining = true;
    while (accept_one(s))
        ;
    stop_accepting(s);
    faas_list_for_each (&s->conns, it) {
        struct http_conn *c = FAAS_CONTAINER_OF(it, struct http_conn, node);

        if (c->phase == HTTP_IDLE && c->requests > 0)
            http_conn_finish(c);
    }
}

unsigned faas_http_server_active(const struct faas_http_server *s)
{
    return s->n_active;
}

unsigned faas_http_server_connections(const struct faas_http_server *s)
{
    return s->n_conns;
}

/* MHD must not be stopped with suspended connections. */
static void end_requests(struct faas_http_server *s)
{
    struct faas_error err;

    faas_fail(&err, FAAS_ERR_UNAVAILABLE, "the server is going down");
    faas_list_for_each (&s->conns, it) {
        struct http_conn *c = FAAS_CONTAINER_OF(it, struct http_conn, node);

        if (c->req)
            http_req_end(c->req, &err);
        if (http_tunnel_is_open(c->req))
            http_conn_cut(c, true);
        http_conn_wake(c);
    }
}

void faas_http_server_free(struct faas_http_server *s)
{
    if (!s)
        return;
    s->stopping = true;
    stop_accepting(s);
    end_requests(s);
    faas_io_del(s->loop, &s->mhd_io);
    faas_hook_del(s->loop, &s->hook);
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    while (!faas_list_empty(&s->conns))
        http_conn_free(FAAS_CONTAINER_OF(s->conns.next, struct http_conn, node));
    http_req_free_spare(s);
    free(s);
}
