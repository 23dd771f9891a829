#include "libfaas/http_server_impl.h"

#include "libfaas/alloc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- deadlines --- */

static int64_t after(int64_t now_ms, int64_t timeout_ms)
{
    return timeout_ms > 0 ? now_ms + timeout_ms : INT64_MAX;
}

static int64_t deadline(const struct http_conn *c)
{
    const struct faas_http_req *req = c->req;
    int64_t read_ms = INT64_MAX, write_ms = INT64_MAX;

    switch (c->phase) {
    case HTTP_IDLE:
    case HTTP_HEAD:
        return c->read_deadline_ms;
    case HTTP_ACTIVE:
        if (req->stage != HTTP_BODY_OVER && !req->no_read_timeout)
            read_ms = c->read_deadline_ms;
        if (!req->no_write_timeout)
            write_ms = c->write_deadline_ms;
        return FAAS_MIN(read_ms, write_ms);
    case HTTP_SWALLOW:
    case HTTP_LINGER:
        return c->linger_deadline_ms;
    default:
        return INT64_MAX;
    }
}

static void on_deadline(void *arg);

/* Deadlines mostly move later, with every request. The timer then stays where it is and finds out
 * when it fires: no work per request. */
void http_conn_arm(struct http_conn *c)
{
    struct faas_loop *loop = c->server->loop;
    int64_t due_ms = deadline(c);

    if (due_ms == INT64_MAX || (faas_timer_running(&c->timer) && c->timer.due_ms <= due_ms))
        return;
    faas_timer_start(loop, &c->timer, due_ms - faas_loop_now_ms(loop), on_deadline, c);
}

static void expire_request(struct http_conn *c, int64_t now_ms)
{
    struct faas_http_req *req = c->req;
    bool upload =
        req->stage != HTTP_BODY_OVER && !req->no_read_timeout && c->read_deadline_ms <= now_ms;

    if (!upload) {
        http_req_break(req, FAAS_ERR_TIMEOUT, "the reply was not sent within write_timeout");
        return;
    }
    if (!req->reply.begun)
        http_duplex_timeout_reply(c);
    http_req_break(req, FAAS_ERR_TIMEOUT, "the request body did not arrive within read_timeout");
}

static void on_deadline(void *arg)
{
    struct http_conn *c = arg;
    int64_t now_ms = faas_loop_now_ms(c->server->loop);

    if (deadline(c) > now_ms) {
        http_conn_arm(c);
        return;
    }
    switch (c->phase) {
    case HTTP_ACTIVE:
        expire_request(c, now_ms);
        return;
    case HTTP_HEAD:
        http_duplex_timeout_reply(c);
        break;
    case HTTP_LINGER:
        http_conn_free(c);
        return;
    default:
        break;
    }
    http_conn_cut(c, false);
}

/* --- the peer leaves --- */

/* Half-closed with a body unfinished: MHD finds out when it reads, but not while the handler has
 * paused it. Then we count: what MHD holds and the kernel holds must be enough. */
static bool body_cannot_be_completed(const struct http_conn *c)
{
    const struct faas_http_req *req = c->req;
    int waiting = 0;

    if (!c->suspended || req->head.content_length < 0 || ioctl(c->fd, FIONREAD, &waiting) < 0)
        return false;
    return req->head.content_length - req->body_bytes >
           (int64_t)req->body_left_over + (int64_t)waiting;
}

/* A client that ends its sending direction is not interested any more, unless the handler thinks
 * otherwise or the reply only needs to be flushed. */
bool http_conn_left(const struct http_conn *c)
{
    const struct faas_http_req *req = c->req;

    if (c->gone || !c->half_closed || http_tunnel_is_open(req))
        return c->gone;
    if (req->stage != HTTP_BODY_OVER)
        return body_cannot_be_completed(c);
    return !req->reply.ended && !req->half_close_allowed;
}

/* MHD takes a read that did not fill its buffer for the last of what there is, and its epoll tells
 * only of changes: an end that came together with the last bytes is missed. Being suspended takes
 * the connection out of that epoll; when it is put back the end is reported. */
static void make_mhd_see_the_end(struct http_conn *c)
{
    http_conn_suspend(c);
    http_conn_wake(c);
}

static bool is_read_by_mhd(const struct http_conn *c)
{
    return !c->suspended && (c->phase == HTTP_IDLE || c->phase == HTTP_HEAD ||
                             (c->phase == HTTP_ACTIVE && c->req->stage == HTTP_BODY_COMING));
}

static void on_peer(void *arg, uint32_t events)
{
    struct http_conn *c = arg;

    if (http_tunnel_is_open(c->req)) {
        http_tunnel_ready(c->req, events);
        return;
    }
    if (events & EPOLLOUT && c->phase == HTTP_ACTIVE && c->req->duplex)
        http_req_dirty(c->req);
    if (events & (EPOLLHUP | EPOLLERR))
        c->gone = true;
    if (events & EPOLLRDHUP && !c->told_to_finish)
        c->half_closed = true;
    if (c->phase == HTTP_ACTIVE && c->req->dispatched && http_conn_left(c))
        http_req_break(c->req, FAAS_ERR_UNAVAILABLE, "the client went away");
    else if (c->phase == HTTP_IDLE && c->suspended)
        http_conn_wake(c); /* parked: whatever it is, MHD reads it */
    else if (events & EPOLLRDHUP && is_read_by_mhd(c))
        make_mhd_see_the_end(c);
}

/* The kernel resets a connection that is closed with bytes unread. MHD reads once more before it
 * closes one, and may get them all: a client whose window was full by then would probe it, and be
 * told to wait, for a minute. */
static bool has_unread(const struct http_conn *c)
{
    int waiting = 0;

    return ioctl(c->fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

void http_conn_cut(struct http_conn *c, bool reset)
{
    if (c->phase == HTTP_DEAD)
        return;
    c->phase = HTTP_DEAD;
    reset = reset || has_unread(c);
    /* Disconnecting a TCP socket resets the connection. Either way MHD's epoll reports EPOLLHUP,
     * which makes MHD close it. */
    if (!reset ||
        connect(c->fd, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr)) < 0)
        shutdown(c->fd, SHUT_RDWR);
    if (http_tunnel_is_open(c->req)) { /* MHD knows nothing of it */
        c->server->run_mhd = true;
        http_conn_settle_later(c);
        return;
    }
    /* A connection that MHD closes because its reader failed is never looked at again: no event
     * will come for it. Those with a timeout of their own are visited in every run. */
    MHD_set_connection_option(c->mhd, MHD_CONNECTION_OPTION_TIMEOUT, 1u);
    http_conn_wake(c);
}

void http_conn_finish(struct http_conn *c)
{
    c->told_to_finish = true;
    shutdown(c->fd, SHUT_RD); /* what has arrived can still be read */
    if (c->phase == HTTP_IDLE)
        http_conn_wake(c);
}

void http_conn_swallow(struct http_conn *c)
{
    c->phase = HTTP_SWALLOW;
    c->swallowed = 0;
    shutdown(c->fd, SHUT_WR);
    c->linger_deadline_ms = faas_loop_now_ms(c->server->loop) + HTTP_LINGER_MS;
    http_conn_arm(c);
    http_conn_wake(c);
}

/* --- suspending --- */

int http_conn_add_io(struct http_conn *c, int fd, uint32_t events)
{
    return faas_io_add(c->server->loop, &c->io, fd, events, on_peer, c, NULL);
}

/* Once per connection, and only when it outlives a run of MHD: one whose request is there when it
 * is accepted, is answered at once and closed is never registered. What happened before is reported
 * too. */
void http_conn_watch(struct http_conn *c)
{
    if (c->io.active)
        return;
    if (http_conn_add_io(c, c->fd, EPOLLIN | EPOLLRDHUP | EPOLLET) < 0)
        c->gone = true; /* the kernel has no memory for it; the flush ends the request */
}

void http_conn_suspend(struct http_conn *c)
{
    assert(!c->suspended);
    c->suspended = c->was_suspended = true;
    http_conn_watch(c);
    if (c->gone && c->req)
        http_req_dirty(c->req);
    MHD_suspend_connection(c->mhd);
}

/* Suspending takes a connection out of MHD's epoll. After a reply that had to be waited for MHD
 * would look for the next request, in vain, and put the connection back, to take it out again for
 * that request: three system calls for each. Our own epoll has the connection for good, and can
 * tell of the next request as well. But MHD goes through all suspended connections whenever one is
 * resumed, so with many of them it would be the dearer way. */
static void park(struct http_conn *c)
{
    int waiting = 0;

    if (!c->was_suspended || c->half_closed || c->gone || c->told_to_finish ||
        c->server->n_conns > HTTP_PARK_MAX)
        return;
    http_conn_suspend(c);
    /* What has arrived by now may have been told of before; what comes later will be. */
    if (ioctl(c->fd, FIONREAD, &waiting) < 0 || waiting > 0)
        http_conn_wake(c);
}

/* Not while MHD is at it: it would not note that it has nothing to read for the time being, and
 * would try to when it is resumed. */
void http_conn_settle_later(struct http_conn *c)
{
    faas_list_remove(&c->settle_node);
    faas_list_append(&c->server->unsettled, &c->settle_node);
}

void http_conn_settle(struct http_conn *c)
{
    faas_list_remove(&c->settle_node);
    if (http_tunnel_is_open(c->req) && c->phase == HTTP_DEAD) {
        if (!c->mhd)
            http_conn_free(c);
        return;
    }
    if (c->suspended)
        return;
    if (c->phase == HTTP_ACTIVE && c->awaits_reply)
        http_conn_suspend(c);
    else if (c->phase == HTTP_IDLE)
        park(c);
    c->awaits_reply = false;
    http_conn_watch(c);
}

void http_conn_wake(struct http_conn *c)
{
    struct faas_http_server *s = c->server;

    /* Resuming what is not suspended would undo the next suspension. */
    if (!c->suspended)
        return;
    c->suspended = false;
    c->woken_at = s->runs;
    s->run_mhd = true;
    MHD_resume_connection(c->mhd);
}

/* --- the beginning --- */

static void keep_peer(struct http_conn *c, const struct sockaddr *peer, socklen_t len)
{
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)peer;

    if (peer->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
        c->peer.in.sin_family = AF_INET;
        c->peer.in.sin_port = in6->sin6_port;
        memcpy(&c->peer.in.sin_addr, in6->sin6_addr.s6_addr + 12, 4);
    } else {
        memcpy(&c->peer, peer, FAAS_MIN((size_t)len, sizeof(c->peer)));
    }
}

void http_conn_start(struct faas_http_server *s, int fd, const struct sockaddr *peer,
                     socklen_t peer_len)
{
    struct http_conn *c = faas_new(struct http_conn);

    c->server = s;
    c->fd = fd;
    faas_list_init(&c->settle_node);
    keep_peer(c, peer, peer_len);
    faas_list_append(&s->conns, &c->node);
    s->n_conns++;
    s->adding = c;
    /* If it fails it has closed fd, and if it had told of the start it has told of the end. */
    if (MHD_add_connection(s->daemon, fd, peer, peer_len) == MHD_NO && s->adding)
        http_conn_free(c);
    s->adding = NULL;
    s->run_mhd = true;
}

static void on_started(struct faas_http_server *s, struct MHD_Connection *mhd, void **context)
{
    struct http_conn *c = s->adding;

    s->adding = NULL;
    *context = c;
    c->mhd = mhd;
    c->read_deadline_ms = after(faas_loop_now_ms(s->loop), s->opts.read_timeout_ms);
    http_conn_arm(c);
    http_conn_settle_later(c);
}

/* --- the end --- */

static void on_linger(void *arg, uint32_t events)
{
    struct http_conn *c = arg;
    char junk[16 * 1024];
    ssize_t n;

    (void)events;
    while (c->swallowed <= HTTP_SWALLOW_MAX) {
        n = recv(c->fd, junk, sizeof(junk), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0)
            break;
        c->swallowed += (size_t)n;
        /* It may go on sending for a while, but is not read any more. */
        if (c->swallowed > HTTP_SWALLOW_MAX) {
            faas_io_mod(c->server->loop, &c->io, EPOLLRDHUP);
            return;
        }
    }
    http_conn_free(c);
}

/* Closing a socket with unread bytes makes the kernel send a reset, which takes the reply out of
 * the client's hands. So where bytes are waiting, or are likely to come because the request was not
 * read to its end, a duplicate keeps the socket alive until the client is done. */
static bool should_linger(const struct http_conn *c)
{
    char byte;
    ssize_t n;

    if (c->server->stopping || c->gone || c->phase == HTTP_DEAD || c->phase == HTTP_SWALLOW)
        return false;
    n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n > 0 || (n < 0 && errno == EAGAIN && !c->clean);
}

static bool linger(struct http_conn *c)
{
    struct faas_loop *loop = c->server->loop;
    int fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);

    if (fd < 0)
        return false;
    shutdown(fd, SHUT_WR);
    if (faas_io_add(loop, &c->io, fd, EPOLLIN | EPOLLRDHUP, on_linger, c, NULL) < 0) {
        close(fd);
        return false;
    }
    c->fd = fd;
    c->own_fd = true;
    c->phase = HTTP_LINGER;
    c->swallowed = 0;
    c->linger_deadline_ms = faas_loop_now_ms(loop) + HTTP_LINGER_MS;
    http_conn_arm(c);
    return true;
}

/* MHD closes the descriptor right after this. */
static void on_closed(struct http_conn *c)
{
    if (http_tunnel_is_open(c->req)) { /* it goes on without MHD */
        c->mhd = NULL;
        if (c->phase == HTTP_DEAD)
            http_conn_settle_later(c);
        return;
    }
    faas_io_del(c->server->loop, &c->io);
    if (c->req)
        http_req_release(c->req); /* only if MHD gave up for want of memory */
    c->mhd = NULL;
    if (!should_linger(c) || !linger(c))
        http_conn_free(c);
}

void http_conn_free(struct http_conn *c)
{
    struct faas_http_server *s = c->server;

    faas_io_del(s->loop, &c->io);
    if (c->req)
        http_req_release(c->req);
    if (c->own_fd)
        close(c->fd);
    faas_timer_stop(s->loop, &c->timer);
    faas_list_remove(&c->node);
    faas_list_remove(&c->settle_node);
    s->n_conns--;
    http_server_wake_acceptor(s);
    free(c);
}

void http_conn_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
                      enum MHD_ConnectionNotificationCode code)
{
    struct faas_http_server *s = cls;

    s->activity++;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        on_started(s, mhd, socket_context);
    else
        on_closed(*socket_context);
}
