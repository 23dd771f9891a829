/* Tunnels: connections whose client and handler agreed to speak another protocol.
 *
 * libmicrohttpd sends the 101, because only it knows what has been read beyond the request, and
 * hands that over. Then it is told that the connection is closed: it would keep its memory for as
 * long as the tunnel lasts, which may be days, and go through all tunnels whenever it resumes a
 * connection. Reading, writing and the end of either direction are done here, on a duplicate of the
 * socket. */
#include "libfaas/http_server_impl.h"

#include "libfaas/net.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_SIZE = 64 * 1024,
    READS_PER_TURN = 16, /* then the others have their turn */
};

/* --- client -> handler --- */

/* Returns how many bytes were taken. */
static size_t give(struct faas_http_req *req, struct faas_str data)
{
    struct http_tunnel *t = &req->tunnel;
    size_t taken = data.len;

    if (req->ops && req->ops->on_body) {
        req->in_body = true;
        taken = req->ops->on_body(req->arg, data);
        req->in_body = false;
    }
    t->paused = taken < data.len && !req->resume_wanted;
    req->resume_wanted = false;
    return taken;
}

static void give_held(struct faas_http_req *req)
{
    struct faas_buf *held = &req->tunnel.held;

    faas_buf_consume(held, give(req, faas_buf_str(held)));
    if (held->len == 0)
        faas_buf_deinit(held); /* few tunnels ever need it again */
}

static void half_closed(struct faas_http_req *req)
{
    req->tunnel.in_ended = true;
    if (req->ops && req->ops->on_body_end)
        req->ops->on_body_end(req->arg);
}

/* False: nothing more to be had for now. */
static bool read_some(struct faas_http_req *req)
{
    struct http_conn *c = req->conn;
    char data[READ_SIZE];
    ssize_t n = recv(c->fd, data, sizeof(data), MSG_DONTWAIT);
    size_t taken;

    if (n < 0 && errno == EINTR)
        return true;
    if (n < 0 && errno == EAGAIN) {
        req->tunnel.readable = false;
        return false;
    }
    if (n < 0) {
        c->gone = true;
        return false;
    }
    if (n == 0) {
        half_closed(req);
        return false;
    }
    taken = give(req, (struct faas_str){.ptr = data, .len = (size_t)n});
    if (taken < (size_t)n)
        faas_buf_append(&req->tunnel.held, data + taken, (size_t)n - taken);
    return true;
}

static void receive(struct faas_http_req *req)
{
    struct http_tunnel *t = &req->tunnel;

    for (int i = 0; i < READS_PER_TURN; i++) {
        if (t->paused || t->in_ended || req->reply.aborted)
            return;
        if (t->held.len > 0)
            give_held(req);
        else if (!t->readable || !read_some(req))
            return;
    }
    http_req_dirty(req);
}

void http_tunnel_resume(struct faas_http_req *req)
{
    req->tunnel.paused = false;
    http_req_dirty(req);
}

/* --- handler -> client --- */

static void send_backlog(struct faas_http_req *req)
{
    struct http_reply *reply = &req->reply;
    struct http_conn *c = req->conn;
    size_t backlog;

    while ((backlog = http_reply_backlog(req)) > 0) {
        ssize_t n =
            send(c->fd, reply->out.data + reply->sent, backlog, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n > 0) {
            http_reply_took(req, (size_t)n);
        } else if (errno != EINTR) {
            c->gone = errno != EAGAIN;
            return;
        }
    }
    if (reply->cut) {
        faas_http_reply_abort(req);
    } else if (reply->ended && !req->tunnel.out_ended) {
        req->tunnel.out_ended = true;
        shutdown(c->fd, SHUT_WR);
    }
}

void http_tunnel_flush(struct faas_http_req *req)
{
    struct http_tunnel *t = &req->tunnel;

    receive(req);
    if (!req->conn->gone)
        send_backlog(req);
    if (req->conn->gone) {
        http_req_break(req, FAAS_ERR_UNAVAILABLE, "the client went away");
    } else if (t->in_ended && t->out_ended) {
        http_conn_cut(req->conn, false);
        http_req_end(req, NULL);
    }
}

void http_tunnel_ready(struct faas_http_req *req, uint32_t events)
{
    if (events & EPOLLERR)
        req->conn->gone = true; /* a reset */
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP))
        req->tunnel.readable = true;
    http_req_dirty(req);
}

/* --- beginning and end --- */

/* From now on c->fd is ours, and tells of what is there already, too. */
static bool take_socket(struct http_conn *c)
{
    int fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);

    if (fd < 0)
        return false;
    faas_io_del(c->server->loop, &c->io);
    if (http_conn_add_io(c, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) < 0) {
        close(fd);
        return false;
    }
    c->fd = fd;
    c->own_fd = true;
    /* MHD has just switched it off. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    faas_socket_keepalive(fd);
    return true;
}

void http_tunnel_open(void *cls, struct MHD_Connection *mhd, void *context, const char *extra,
                      size_t n_extra, int fd, struct MHD_UpgradeResponseHandle *handle)
{
    struct faas_http_req *req = cls;
    struct http_conn *c = req->conn;
    struct http_tunnel *t = &req->tunnel;
    struct faas_error err;

    (void)mhd;
    (void)context;
    (void)fd;
    c->server->activity++;
    c->server->run_mhd = true;
    MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
    if (c->phase != HTTP_ACTIVE)
        return; /* broken off meanwhile */
    if (!take_socket(c)) {
        faas_fail(&err, FAAS_ERR_UNAVAILABLE, "no descriptor is left for the tunnel");
        c->phase = HTTP_DEAD;
        http_req_end(req, &err);
        return;
    }
    t->open = true;
    faas_buf_append(&t->held, extra, n_extra);
    http_req_dirty(req);
}

bool http_tunnel_is_open(const struct faas_http_req *req)
{
    return req && req->tunnel.open;
}

/* --- for the handler --- */

/* Not to HTTP/2, which clients only ever offer as a possibility: nobody behind us is asked for it
 * in this way, and the offer is made to one hop alone. */
bool faas_http_wants_upgrade(const struct faas_http_head *head)
{
    struct faas_str to = faas_http_value(head->headers, head->n_headers, FAAS_STR("upgrade"));

    if (head->http_1_0 || to.len == 0 || faas_http_has_token(to, FAAS_STR("h2c")))
        return false;
    for (size_t i = 0; i < head->n_headers; i++) {
        if (faas_str_ieq(head->headers[i].name, FAAS_STR("connection")) &&
            faas_http_has_token(head->headers[i].value, FAAS_STR("upgrade")))
            return true;
    }
    return false;
}

int faas_http_reply_upgrade(struct faas_http_req *req, const struct faas_http_header *headers,
                            size_t n, struct faas_error *err)
{
    if (!faas_http_wants_upgrade(&req->head))
        return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "an upgrade that the client did not ask for");
    if (req->stage != HTTP_BODY_OVER)
        return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "an upgrade before the end of the request");
    if (faas_http_value(headers, n, FAAS_STR("upgrade")).len == 0)
        return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "an upgrade that does not say to what");
    if (!http_reply_set_upgrade(req, headers, n))
        return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "an upgrade with too many headers");
    req->no_read_timeout = req->no_write_timeout = true;
    return 0;
}
