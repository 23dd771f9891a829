#include "libfaas/http_client.h"

#include "libfaas/alloc.h"
#include "libfaas/conn_pool.h"
#include "libfaas/http_hop.h"

#include <errno.h>
#include <inttypes.h>

/* One recv() of this size empties the socket of nearly every response. Shared by all exchanges of
 * the loop: what an owner does not take at once is copied out of it. */
#define READ_SIZE (64 * 1024)
/* After so many reads the other connections have their turn. */
#define READS_PER_TURN 16
/* Bytes that were sent are kept, for the case that the connection turns out to be stale, while they
 * are no more than this. */
#define REPLAY_MAX (64 * 1024)
/* Below it body bytes wait for the end of the turn, so that head and body leave in one send(). */
#define SEND_AT   (16 * 1024)
#define MAX_SPARE 256
/* An output buffer larger than this is not kept for the next exchange. */
#define SPARE_BUF (16 * 1024)

struct faas_upstream {
    struct faas_conn_pool pool;
    struct faas_loop *loop;
    struct faas_list todo; /* struct faas_exchange by todo_node: to be run at the end of the turn */
    struct faas_timer todo_timer;
    struct faas_list active; /* struct faas_exchange by node */
    struct faas_list spare;
    unsigned n_spare;
    char *read_buf;
};

struct faas_exchange {
    struct faas_list node;
    struct faas_list todo_node;
    struct faas_upstream *u;
    struct faas_conn *conn; /* NULL: none could be opened, see err */
    const struct faas_exchange_ops *ops;
    void *arg;
    struct faas_addr addr;
    enum faas_body_kind body;
    bool is_head;
    bool idempotent;
    bool repeat_unread;

    /* request */
    struct faas_buf out;
    size_t sent;     /* of out */
    bool any_sent;   /* on this connection */
    bool dropped;    /* sent bytes have left out: it cannot be sent again */
    bool body_ended; /* the owner has given all of it */
    bool over_high;  /* the owner waits for on_writable */
    bool retried;    /* on a fresh connection, after a stale one */
    int send_errno;  /* sending broke; the response may be there all the same */
    bool reset;      /* by a peer that had not read everything */
    bool replay;     /* keeps sent bytes in out */
    bool raw;        /* 101: both directions are just bytes */
    bool peer_ended; /* of these: we may go on */

    /* response */
    bool any_read;
    bool head_done;
    bool paused; /* the owner did not take everything */
    bool resume;
    struct faas_buf held; /* input that is not yet taken: first body, then unparsed bytes */
    size_t held_at;
    size_t held_body;

    int64_t connect_due_ms, head_due_ms, total_due_ms; /* 0: none */
    struct faas_timer timer;

    bool busy; /* a callback is running */
    bool dead; /* cancelled in it */
    struct faas_error err;
};

enum step {
    STEP_ON,     /* go on */
    STEP_PAUSED, /* the owner has enough for now */
    STEP_OVER,   /* the exchange is gone */
};

static void run_todo(void *arg);
static void on_ready(void *arg, uint32_t events);

/* A timer and not a hook: hooks run in the order of their adding, and one that comes after ours may
 * be what starts exchanges. */
static void schedule(struct faas_exchange *ex)
{
    struct faas_upstream *u = ex->u;

    if (!faas_list_empty(&ex->todo_node))
        return;
    faas_list_append(&u->todo, &ex->todo_node);
    if (!faas_timer_running(&u->todo_timer))
        faas_timer_start(u->loop, &u->todo_timer, 0, run_todo, u);
}

static void free_exchange(struct faas_exchange *ex)
{
    faas_timer_stop(ex->u->loop, &ex->timer);
    faas_buf_deinit(&ex->out);
    free(ex);
}

/* Ends it without a word. The connection is closed if it still has one. The timer is left running
 * for the next exchange, see arm(). */
static void release(struct faas_exchange *ex)
{
    struct faas_upstream *u = ex->u;

    if (ex->conn)
        faas_conn_close(ex->conn);
    ex->conn = NULL;
    ex->ops = NULL;
    faas_list_remove(&ex->todo_node);
    faas_list_remove(&ex->node);
    faas_buf_deinit(&ex->held);
    if (ex->out.cap > SPARE_BUF)
        faas_buf_deinit(&ex->out);
    if (u->n_spare < MAX_SPARE) {
        faas_list_append(&u->spare, &ex->node);
        u->n_spare++;
        return;
    }
    free_exchange(ex);
}

/* After a callback: false when it cancelled the exchange, which is then gone. */
static bool returned(struct faas_exchange *ex)
{
    ex->busy = false;
    if (!ex->dead)
        return true;
    release(ex);
    return false;
}

/* A connection that served before and now says nothing at all was closed while it was idle, and
 * the request has not been looked at. Almost surely: so, once anything went out, only what may be
 * done twice is done twice. */
static bool can_retry(const struct faas_exchange *ex)
{
    return ex->conn->reused && !ex->retried && !ex->any_read &&
           (!ex->any_sent ||
            ((ex->idempotent || (ex->repeat_unread && ex->reset)) && !ex->dropped));
}

static enum faas_http_phase phase(const struct faas_exchange *ex)
{
    if (ex->head_done)
        return FAAS_PHASE_BODY;
    if (!ex->conn || !ex->conn->connected || !ex->any_sent)
        return FAAS_PHASE_CONNECT;
    return ex->body_ended && ex->sent == ex->out.len && !ex->send_errno ? FAAS_PHASE_HEAD
                                                                        : FAAS_PHASE_SEND;
}

static void name_upstream(const struct faas_exchange *ex, struct faas_error *err)
{
    char where[64];

    faas_addr_format((const struct sockaddr *)&ex->addr.ss, where);
    faas_error_wrap(err, "%s", where);
}

static void fail(struct faas_exchange *ex, struct faas_error *err)
{
    enum faas_http_phase at = phase(ex);

    if (ex->conn)
        faas_conn_close(ex->conn);
    ex->conn = NULL;
    ex->busy = true;
    ex->ops->on_error(ex->arg, at, err);
    release(ex);
}

/* False when the owner cancelled. */
static bool give_trailers(struct faas_exchange *ex)
{
    size_t n;
    const struct faas_http_header *trailers = faas_http_parser_trailers(ex->conn->parser, &n);

    if (n == 0 || !ex->ops->on_trailers)
        return true;
    ex->busy = true;
    ex->ops->on_trailers(ex->arg, trailers, n);
    return returned(ex);
}

static void complete(struct faas_exchange *ex, size_t unread)
{
    struct faas_conn *c = ex->conn;
    const struct faas_http_response_head *head = faas_http_parser_head(c->parser);

    ex->conn = NULL;
    /* Before the owner hears of it, so that its next request finds the connection. */
    if (head->keep_alive && unread == 0 && ex->body_ended && ex->sent == ex->out.len &&
        !ex->send_errno)
        faas_conn_put(c);
    else
        faas_conn_close(c);
    ex->busy = true;
    ex->ops->on_end(ex->arg);
    release(ex);
}

static void on_timer(void *arg);

/* A timer that is due earlier stays where it is, and finds out when it fires. Hardly any ever does:
 * so an exchange costs no work on the heap of timers. */
static void arm(struct faas_exchange *ex)
{
    int64_t due = ex->total_due_ms;

    if (!ex->head_done && ex->head_due_ms && (!due || ex->head_due_ms < due))
        due = ex->head_due_ms;
    if (ex->conn && !ex->conn->connected && ex->connect_due_ms &&
        (!due || ex->connect_due_ms < due))
        due = ex->connect_due_ms;
    if (due && !(faas_timer_running(&ex->timer) && ex->timer.due_ms <= due))
        faas_timer_start(ex->u->loop, &ex->timer,
                         FAAS_MAX(due - faas_loop_now_ms(ex->u->loop), (int64_t)0), on_timer, ex);
}

static void use_conn(struct faas_exchange *ex, struct faas_conn *c)
{
    ex->conn = c;
    ex->sent = 0;
    ex->any_sent = false;
    ex->send_errno = 0;
    ex->reset = false;
    ex->replay = c && c->reused && (ex->idempotent || ex->repeat_unread) && !ex->retried;
    if (c)
        faas_http_parser_reset(c->parser, ex->is_head);
    else
        schedule(ex); /* so that the owner hears of it from a later event */
}

static void connect_fresh(struct faas_exchange *ex)
{
    struct faas_upstream *u = ex->u;

    use_conn(ex, faas_conn_open(&u->pool, &ex->addr, on_ready, ex, &ex->err));
    if (u->pool.opts.connect_timeout_ms > 0)
        ex->connect_due_ms = faas_loop_now_ms(u->loop) + u->pool.opts.connect_timeout_ms;
    arm(ex);
}

static void find_conn(struct faas_exchange *ex)
{
    struct faas_conn *c = faas_conn_take(&ex->u->pool, &ex->addr, !ex->idempotent, on_ready, ex);

    if (!c) {
        connect_fresh(ex);
        return;
    }
    use_conn(ex, c);
    arm(ex);
}

/* Nothing was sent: perhaps the owner knows another address. */
static void connect_failed(struct faas_exchange *ex, struct faas_error *err)
{
    const struct faas_addr *other = NULL;

    if (ex->conn)
        faas_conn_close(ex->conn);
    ex->conn = NULL;
    if (ex->ops->on_connect_failed) {
        ex->busy = true;
        other = ex->ops->on_connect_failed(ex->arg, err);
        if (!returned(ex))
            return;
    }
    if (!other) {
        fail(ex, err);
        return;
    }
    ex->addr = *other;
    find_conn(ex);
    schedule(ex);
}

static void on_timer(void *arg)
{
    struct faas_exchange *ex = arg;
    int64_t now = faas_loop_now_ms(ex->u->loop);
    struct faas_error err;

    if (!ex->ops)
        return; /* a spare one */
    if (ex->total_due_ms && now >= ex->total_due_ms) {
        faas_fail(&err, FAAS_ERR_TIMEOUT, "response not complete at the deadline");
        name_upstream(ex, &err);
        fail(ex, &err);
    } else if (!ex->head_done && ex->head_due_ms && now >= ex->head_due_ms) {
        faas_fail(&err, FAAS_ERR_TIMEOUT, "no response at the deadline");
        name_upstream(ex, &err);
        fail(ex, &err);
    } else if (ex->conn && !ex->conn->connected && ex->connect_due_ms &&
               now >= ex->connect_due_ms) {
        faas_fail(&err, FAAS_ERR_UNAVAILABLE, "no connection within %" PRId64 " ms",
                  ex->u->pool.opts.connect_timeout_ms);
        name_upstream(ex, &err);
        connect_failed(ex, &err);
    } else {
        arm(ex);
    }
}

static bool retry(struct faas_exchange *ex)
{
    if (!can_retry(ex))
        return false;
    faas_conn_close(ex->conn);
    ex->retried = true;
    connect_fresh(ex);
    return true;
}

static void note_reset(struct faas_exchange *ex, int e)
{
    ex->reset |= e == ECONNRESET || e == EPIPE;
}

static void broken(struct faas_exchange *ex, int e)
{
    struct faas_error err;

    note_reset(ex, e);
    if (retry(ex))
        return;
    faas_fail_errno(&err, FAAS_ERR_BAD_GATEWAY, e, "the connection broke");
    name_upstream(ex, &err);
    fail(ex, &err);
}

static void drop_sent(struct faas_exchange *ex)
{
    if (ex->replay || ex->sent == 0)
        return;
    if (ex->sent == ex->out.len) {
        faas_buf_clear(&ex->out);
    } else if (ex->sent >= READ_SIZE) {
        faas_buf_consume(&ex->out, ex->sent);
    } else {
        return;
    }
    ex->sent = 0;
    ex->dropped = true;
}

/* What the kernel takes of p, as a count. Never fails here: a broken connection shows when it is
 * read, where an early response may be waiting in front of the break. */
static size_t send_some(struct faas_exchange *ex, const char *p, size_t n)
{
    struct faas_conn *c = ex->conn;
    size_t done = 0;

    while (c && c->connected && c->writable && !ex->send_errno && done < n) {
        ssize_t r = send(c->io.fd, p + done, n - done, MSG_NOSIGNAL);

        if (r >= 0) {
            done += (size_t)r;
        } else if (errno == EAGAIN) {
            c->writable = false;
        } else if (errno != EINTR) {
            ex->send_errno = errno;
            note_reset(ex, errno);
            c->readable = true;
            schedule(ex);
        }
    }
    if (done)
        ex->any_sent = true;
    return done;
}

static void flush(struct faas_exchange *ex)
{
    bool all;

    ex->sent += send_some(ex, ex->out.data + ex->sent, ex->out.len - ex->sent);
    if (ex->send_errno && !can_retry(ex))
        ex->sent = ex->out.len; /* nobody reads it any more */
    all = ex->sent == ex->out.len;
    drop_sent(ex);
    if (all && ex->raw && ex->body_ended)
        (void)shutdown(ex->conn->io.fd, SHUT_WR);
}

/* STEP_OVER when the owner cancelled. */
static enum step tell_writable(struct faas_exchange *ex)
{
    if (!ex->over_high || ex->out.len - ex->sent >= FAAS_CLIENT_LOW_WATER || ex->body_ended)
        return STEP_ON;
    ex->over_high = false;
    if (!ex->ops->on_writable)
        return STEP_ON;
    ex->busy = true;
    ex->ops->on_writable(ex->arg);
    return returned(ex) ? STEP_ON : STEP_OVER;
}

/* Keeps body bytes and, right behind them, the input that follows. */
static void hold(struct faas_exchange *ex, struct faas_str body, struct faas_str rest)
{
    if (ex->held.len)
        ex->held_at = (size_t)(body.ptr - ex->held.data);
    else
        faas_buf_append(&ex->held, body.ptr, body.len + rest.len);
    ex->held_body = body.len;
    ex->paused = true;
}

static enum step give_body(struct faas_exchange *ex, struct faas_str data, struct faas_str rest)
{
    size_t taken;

    ex->busy = true;
    taken = ex->ops->on_body(ex->arg, data);
    if (!returned(ex))
        return STEP_OVER;
    if (taken >= data.len)
        return STEP_ON;
    hold(ex, (struct faas_str){.ptr = data.ptr + taken, .len = data.len - taken}, rest);
    return STEP_PAUSED;
}

static enum step give_head(struct faas_exchange *ex)
{
    const struct faas_http_response_head *head = faas_http_parser_head(ex->conn->parser);

    ex->head_done = true;
    if (head->upgraded) { /* whatever the request's body was, now both sides may talk */
        ex->raw = true;
        ex->body_ended = false;
        faas_socket_keepalive(ex->conn->io.fd);
    }
    ex->busy = true;
    ex->ops->on_head(ex->arg, head);
    return returned(ex) ? STEP_ON : STEP_OVER;
}

static void malformed(struct faas_exchange *ex, struct faas_error *err)
{
    err->code = FAAS_ERR_BAD_GATEWAY; /* whatever the parser calls it, it is the upstream's fault */
    name_upstream(ex, err);
    fail(ex, err);
}

static enum step parse(struct faas_exchange *ex, struct faas_str in)
{
    enum step step = STEP_ON;

    while (step == STEP_ON) {
        struct faas_str data;
        struct faas_error err;

        switch (faas_http_parser_next(ex->conn->parser, &in, &data, &err)) {
        case FAAS_HTTP_NEED_MORE:
            return STEP_ON;
        case FAAS_HTTP_HEAD:
            step = give_head(ex);
            break;
        case FAAS_HTTP_BODY:
            step = give_body(ex, data, in);
            break;
        case FAAS_HTTP_END:
            if (give_trailers(ex))
                complete(ex, in.len);
            return STEP_OVER;
        case FAAS_HTTP_ERROR:
            malformed(ex, &err);
            return STEP_OVER;
        }
    }
    return step;
}

static enum step parse_held(struct faas_exchange *ex)
{
    struct faas_str in = faas_buf_str(&ex->held), body;
    enum step step;

    if (ex->held.len == 0)
        return STEP_ON;
    body = (struct faas_str){.ptr = in.ptr + ex->held_at, .len = ex->held_body};
    in.ptr += ex->held_at + body.len;
    in.len -= ex->held_at + body.len;
    step = give_body(ex, body, in);
    if (step == STEP_ON)
        step = parse(ex, in);
    if (step == STEP_ON) {
        faas_buf_deinit(&ex->held); /* not kept: few exchanges ever need one */
        ex->held_at = 0;
    }
    return step;
}

/* A tunnel whose peer has ended: its reading side has nothing more to tell. */
static void run_one_way(struct faas_exchange *ex)
{
    if (ex->body_ended && ex->sent == ex->out.len)
        complete(ex, 0);
    else if (ex->send_errno)
        broken(ex, ex->send_errno);
}

static void half_closed(struct faas_exchange *ex)
{
    ex->peer_ended = true;
    ex->busy = true;
    ex->ops->on_peer_end(ex->arg);
    if (returned(ex))
        run_one_way(ex);
}

static void on_eof(struct faas_exchange *ex)
{
    struct faas_error err;
    int e = 0;

    ex->conn->hung_up = true;
    /* Its end may have come before what we sent, and a reset after that. */
    if (getsockopt(ex->conn->io.fd, SOL_SOCKET, SO_ERROR, &e, &(socklen_t){sizeof(e)}) == 0)
        note_reset(ex, e);
    if (retry(ex))
        return;
    if (ex->raw && ex->ops->on_peer_end) {
        half_closed(ex);
        return;
    }
    if (faas_http_parser_eof(ex->conn->parser, &err) == FAAS_HTTP_END)
        complete(ex, 0);
    else
        malformed(ex, &err);
}

static void receive(struct faas_exchange *ex)
{
    struct faas_conn *c = ex->conn;
    char *buf = ex->u->read_buf;

    for (int i = 0; c->readable; i++) {
        ssize_t n;

        if (i == READS_PER_TURN) {
            schedule(ex);
            return;
        }
        n = recv(c->io.fd, buf, READ_SIZE, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            c->readable = false;
            return;
        }
        if (n < 0) {
            broken(ex, errno);
            return;
        }
        if (n == 0) {
            on_eof(ex);
            return;
        }
        ex->any_read = true;
        ex->replay = false;
        /* A short read emptied the socket: what comes next raises a new event. But a close that we
         * have been told of already does not: read on until it shows. */
        if (n < READ_SIZE && !c->hung_up && !ex->send_errno)
            c->readable = false;
        if (parse(ex, (struct faas_str){.ptr = buf, .len = (size_t)n}) != STEP_ON)
            return;
    }
}

/* Moves it on as far as it goes now. */
static void run(struct faas_exchange *ex)
{
    if (!ex->conn) {
        connect_failed(ex, &ex->err);
        return;
    }
    flush(ex);
    if (tell_writable(ex) == STEP_OVER)
        return;
    if (ex->peer_ended) {
        run_one_way(ex);
        return;
    }
    if (ex->resume)
        ex->resume = ex->paused = false;
    if (!ex->paused && parse_held(ex) == STEP_ON)
        receive(ex);
}

static void on_ready(void *arg, uint32_t events)
{
    struct faas_exchange *ex = arg;
    struct faas_conn *c = ex->conn;
    struct faas_error err;

    if (!c->connected && faas_conn_finish_connect(c, &err) < 0) {
        connect_failed(ex, &err);
        return;
    }
    if (events & EPOLLOUT)
        c->writable = true;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        c->readable = true;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        c->hung_up = true;
    if (ex->peer_ended && events & EPOLLERR)
        ex->send_errno = ECONNRESET; /* it does not listen any more */
    run(ex);
}

/* What start, write, end and resume left to be done. */
static void run_todo(void *arg)
{
    struct faas_upstream *u = arg;
    struct faas_list now = u->todo; /* only these: what they schedule is for the next turn */

    if (faas_list_empty(&u->todo))
        return; /* cancelled meanwhile */
    now.next->prev = now.prev->next = &now;
    faas_list_init(&u->todo);
    while (!faas_list_empty(&now)) {
        struct faas_exchange *ex = FAAS_CONTAINER_OF(now.next, struct faas_exchange, todo_node);

        faas_list_remove(&ex->todo_node);
        run(ex);
    }
}

struct faas_upstream *faas_upstream_new(struct faas_loop *loop,
                                        const struct faas_upstream_opts *opts)
{
    struct faas_upstream *u = faas_new(struct faas_upstream);

    u->loop = loop;
    faas_conn_pool_init(&u->pool, loop, opts);
    faas_list_init(&u->todo);
    faas_list_init(&u->active);
    faas_list_init(&u->spare);
    u->read_buf = faas_alloc(READ_SIZE);
    return u;
}

void faas_upstream_free(struct faas_upstream *u)
{
    if (!u)
        return;
    faas_list_for_each (&u->active, it)
        release(FAAS_CONTAINER_OF(it, struct faas_exchange, node));
    faas_list_for_each (&u->spare, it)
        free_exchange(FAAS_CONTAINER_OF(it, struct faas_exchange, node));
    faas_timer_stop(u->loop, &u->todo_timer);
    faas_conn_pool_deinit(&u->pool);
    free(u->read_buf);
    free(u);
}

void faas_upstream_forget(struct faas_upstream *u, const struct faas_addr *addr)
{
    faas_conn_pool_forget(&u->pool, addr);
}

static struct faas_exchange *new_exchange(struct faas_upstream *u)
{
    struct faas_exchange *ex;
    struct faas_buf out = {0};
    struct faas_timer timer = {0};

    if (faas_list_empty(&u->spare)) {
        ex = faas_alloc(sizeof(*ex));
    } else {
        ex = FAAS_CONTAINER_OF(u->spare.prev, struct faas_exchange, node);
        faas_list_remove(&ex->node);
        u->n_spare--;
        timer = ex->timer;
        out = ex->out;
        faas_buf_clear(&out);
    }
    *ex = (struct faas_exchange){.u = u, .out = out, .timer = timer};
    faas_list_init(&ex->todo_node);
    faas_list_append(&u->active, &ex->node);
    return ex;
}

struct faas_exchange *faas_exchange_start(struct faas_upstream *u,
                                          const struct faas_exchange_req *req,
                                          const struct faas_exchange_ops *ops, void *arg)
{
    struct faas_exchange *ex = new_exchange(u);
    int64_t now = faas_loop_now_ms(u->loop);

    ex->ops = ops;
    ex->arg = arg;
    ex->addr = *req->addr;
    ex->body = req->body;
    ex->is_head = req->is_head;
    ex->idempotent = req->idempotent;
    ex->repeat_unread = req->repeat_unread;
    ex->body_ended = req->body == FAAS_BODY_NONE;
    if (req->head_timeout_ms > 0)
        ex->head_due_ms = now + req->head_timeout_ms;
    if (req->total_timeout_ms > 0)
        ex->total_due_ms = now + req->total_timeout_ms;
    faas_buf_append_str(&ex->out, req->head);
    find_conn(ex);
    if (ex->body_ended)
        flush(ex);
    else
        schedule(ex);
    return ex;
}

/* Large pieces go to the kernel as they are, if nothing is queued in front of them. */
static void send_direct(struct faas_exchange *ex, struct faas_str *data)
{
    size_t n;

    if (data->len < SEND_AT || ex->replay)
        return;
    flush(ex);
    if (ex->sent < ex->out.len)
        return;
    n = send_some(ex, data->ptr, data->len);
    data->ptr += n;
    data->len -= n;
    ex->dropped |= n > 0;
}

size_t faas_exchange_write(struct faas_exchange *ex, struct faas_str data)
{
    bool framed = ex->body == FAAS_BODY_CHUNKED && !ex->raw;

    /* An empty chunk would be the end. */
    if (ex->dead || ex->body_ended || data.len == 0 || (ex->send_errno && !can_retry(ex)))
        return 0;
    if (framed)
        faas_buf_printf(&ex->out, "%zx\r\n", data.len);
    else
        send_direct(ex, &data);
    faas_buf_append_str(&ex->out, data);
    if (framed)
        faas_buf_append_z(&ex->out, "\r\n");
    if (ex->out.len > REPLAY_MAX)
        ex->replay = false;
    if (ex->out.len - ex->sent >= SEND_AT)
        flush(ex);
    else
        schedule(ex);
    if (ex->out.len - ex->sent > FAAS_CLIENT_HIGH_WATER)
        ex->over_high = true;
    return ex->out.len - ex->sent;
}

void faas_exchange_end(struct faas_exchange *ex)
{
    faas_exchange_end_with(ex, NULL, 0);
}

void faas_exchange_end_with(struct faas_exchange *ex, const struct faas_http_header *trailers,
                            size_t n)
{
    if (ex->dead || (ex->body_ended && !ex->raw))
        return;
    ex->body_ended = true;
    if (ex->body == FAAS_BODY_CHUNKED && !ex->raw) {
        faas_buf_append_z(&ex->out, "0\r\n");
        for (size_t i = 0; i < n; i++)
            faas_hop_append(&ex->out, trailers[i].name, trailers[i].value);
        faas_buf_append_z(&ex->out, "\r\n");
    }
    if (ex->conn)
        flush(ex);
    if (ex->peer_ended)
        schedule(ex);
}

void faas_exchange_resume(struct faas_exchange *ex)
{
    ex->resume = true;
    schedule(ex);
}

void faas_exchange_cancel(struct faas_exchange *ex)
{
    ex->dead = true;
    if (!ex->busy)
        release(ex);
}

void faas_exchange_no_timeout(struct faas_exchange *ex)
{
    ex->head_due_ms = ex->total_due_ms = 0;
}
