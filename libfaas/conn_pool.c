#include "libfaas/conn_pool.h"

#include "libfaas/alloc.h"

#include <arpa/inet.h>
#include <errno.h>

struct faas_conn_host {
    struct faas_conn_host *next; /* in its bucket */
    struct faas_addr addr;
    uint32_t hash;
    bool forgotten;        /* out of the table: nothing is kept for it any more */
    struct faas_list idle; /* struct faas_conn by host_node: the one used last is last */
    unsigned n_idle;
    unsigned n_conns; /* idle and lent; the host goes with the last one */
};

#define FIRST_TABLE_LEN 16

void faas_conn_pool_init(struct faas_conn_pool *p, struct faas_loop *loop,
                         const struct faas_upstream_opts *opts)
{
    *p = (struct faas_conn_pool){.loop = loop, .opts = *opts, .table_len = FIRST_TABLE_LEN};
    p->table = faas_zalloc(p->table_len * sizeof(struct faas_conn_host *));
    faas_list_init(&p->idle);
}

static uint32_t hash_bytes(uint32_t h, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;

    for (size_t i = 0; i < n; i++)
        h = (h ^ b[i]) * 16777619U; /* FNV-1a */
    return h;
}

/* Only of what distinguishes addresses: their padding may differ. */
static uint32_t hash_addr(const struct faas_addr *addr)
{
    const struct sockaddr_in *in4 = (const struct sockaddr_in *)&addr->ss;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&addr->ss;
    uint32_t h = 2166136261U;

    if (addr->ss.ss_family == AF_INET) {
        h = hash_bytes(h, &in4->sin_addr, sizeof(in4->sin_addr));
        h = hash_bytes(h, &in4->sin_port, sizeof(in4->sin_port));
    } else if (addr->ss.ss_family == AF_INET6) {
        h = hash_bytes(h, &in6->sin6_addr, sizeof(in6->sin6_addr));
        h = hash_bytes(h, &in6->sin6_port, sizeof(in6->sin6_port));
    }
    return h ^ (h >> 15);
}

static struct faas_conn_host **bucket(struct faas_conn_pool *p, uint32_t hash)
{
    return &p->table[hash & (p->table_len - 1)];
}

static struct faas_conn_host *find_host(struct faas_conn_pool *p, const struct faas_addr *addr)
{
    uint32_t hash = hash_addr(addr);

    for (struct faas_conn_host *h = *bucket(p, hash); h; h = h->next)
        if (h->hash == hash && faas_addr_eq(&h->addr, addr))
            return h;
    return NULL;
}

static void link_host(struct faas_conn_pool *p, struct faas_conn_host *h)
{
    struct faas_conn_host **at = bucket(p, h->hash);

    h->next = *at;
    *at = h;
}

static void grow_table(struct faas_conn_pool *p)
{
    struct faas_conn_host **old = p->table;
    size_t old_len = p->table_len;

    p->table_len *= 2;
    p->table = faas_zalloc(p->table_len * sizeof(struct faas_conn_host *));
    for (size_t i = 0; i < old_len; i++)
        for (struct faas_conn_host *h = old[i], *next; h; h = next) {
            next = h->next;
            link_host(p, h);
        }
    free(old);
}

static struct faas_conn_host *add_host(struct faas_conn_pool *p, const struct faas_addr *addr)
{
    struct faas_conn_host *h = faas_new(struct faas_conn_host);

    h->addr = *addr;
    h->hash = hash_addr(addr);
    faas_list_init(&h->idle);
    if (++p->n_hosts > p->table_len)
        grow_table(p);
    link_host(p, h);
    return h;
}

static void unlink_host(struct faas_conn_pool *p, struct faas_conn_host *h)
{
    struct faas_conn_host **at = bucket(p, h->hash);

    while (*at != h)
        at = &(*at)->next;
    *at = h->next;
    p->n_hosts--;
}

static void leave_idle(struct faas_conn *c)
{
    if (!c->idle)
        return;
    c->idle = false;
    faas_list_remove(&c->host_node);
    faas_list_remove(&c->idle_node);
    c->host->n_idle--;
    c->pool->n_idle--;
}

void faas_conn_close(struct faas_conn *c)
{
    struct faas_conn_host *h = c->host;
    int fd = c->io.fd;

    leave_idle(c);
    faas_io_del(c->pool->loop, &c->io);
    close(fd);
    if (--h->n_conns == 0) {
        if (!h->forgotten)
            unlink_host(c->pool, h);
        free(h);
    }
    faas_http_parser_free(c->parser);
    free(c);
}

static void on_io(void *arg, uint32_t events)
{
    struct faas_conn *c = arg;

    if (!c->idle)
        c->ready(c->arg, events);
    else if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        faas_conn_close(c); /* closed by its peer, or it says something nobody asked for */
}

struct faas_conn *faas_conn_open(struct faas_conn_pool *p, const struct faas_addr *addr,
                                 void (*ready)(void *arg, uint32_t events), void *arg,
                                 struct faas_error *err)
{
    _cleanup_close_ int fd = faas_connect_start(addr, err);
    struct faas_conn *c;

    if (fd < 0)
        return NULL;
    c = faas_new(struct faas_conn);
    if (faas_io_add(p->loop, &c->io, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, on_io, c, err) <
        0) {
        free(c);
        return NULL;
    }
    faas_steal_fd(&fd);
    c->pool = p;
    c->host = find_host(p, addr);
    if (!c->host)
        c->host = add_host(p, addr);
    c->host->n_conns++;
    faas_list_init(&c->host_node);
    faas_list_init(&c->idle_node);
    c->parser = faas_http_parser_new(p->opts.max_head);
    c->ready = ready;
    c->arg = arg;
    return c;
}

int faas_conn_finish_connect(struct faas_conn *c, struct faas_error *err)
{
    char where[64];
    int e = 0;

    if (getsockopt(c->io.fd, SOL_SOCKET, SO_ERROR, &e, &(socklen_t){sizeof(e)}) < 0)
        e = errno;
    if (e) {
        faas_addr_format((const struct sockaddr *)&c->host->addr.ss, where);
        return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, e, "connect %s", where);
    }
    c->connected = true;
    c->writable = true;
    return 0;
}

/* Nothing to read and not closed, as far as the kernel has heard. */
static bool is_quiet(const struct faas_conn *c)
{
    char byte;

    return recv(c->io.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

struct faas_conn *faas_conn_take(struct faas_conn_pool *p, const struct faas_addr *addr, bool probe,
                                 void (*ready)(void *arg, uint32_t events), void *arg)
{
    struct faas_conn_host *h = find_host(p, addr);

    while (h && !faas_list_empty(&h->idle)) {
        struct faas_conn *c = FAAS_CONTAINER_OF(h->idle.prev, struct faas_conn, host_node);
        bool last = h->n_conns == 1;

        if (!probe || is_quiet(c)) {
            leave_idle(c);
            c->ready = ready;
            c->arg = arg;
            return c;
        }
        faas_conn_close(c);
        if (last)
            break; /* it took its host along */
    }
    return NULL;
}

static void reap(void *arg)
{
    struct faas_conn_pool *p = arg;
    int64_t now = faas_loop_now_ms(p->loop);

    faas_list_for_each (&p->idle, it) {
        struct faas_conn *c = FAAS_CONTAINER_OF(it, struct faas_conn, idle_node);
        int64_t left = c->idle_since_ms + p->opts.idle_timeout_ms - now;

        if (left > 0) {
            faas_timer_start(p->loop, &p->reaper, left, reap, p);
            return;
        }
        faas_conn_close(c);
    }
}

void faas_conn_put(struct faas_conn *c)
{
    struct faas_conn_pool *p = c->pool;

    /* readable: the last read may have left something behind; only a look can tell. */
    if (c->host->forgotten || c->hung_up || c->host->n_idle >= p->opts.max_idle_per_host ||
        p->opts.max_idle == 0 || (c->readable && !is_quiet(c))) {
        faas_conn_close(c);
        return;
    }
    if (p->n_idle >= p->opts.max_idle)
        faas_conn_close(FAAS_CONTAINER_OF(p->idle.next, struct faas_conn, idle_node));
    c->readable = false;
    c->reused = true;
    c->ready = NULL;
    c->arg = NULL;
    c->idle = true;
    c->idle_since_ms = faas_loop_now_ms(p->loop);
    faas_list_append(&c->host->idle, &c->host_node);
    faas_list_append(&p->idle, &c->idle_node);
    c->host->n_idle++;
    p->n_idle++;
    /* Set once, not per request: it looks at who is due when it fires, and moves itself on. */
    if (p->opts.idle_timeout_ms > 0 && !faas_timer_running(&p->reaper))
        faas_timer_start(p->loop, &p->reaper, p->opts.idle_timeout_ms, reap, p);
}

void faas_conn_pool_forget(struct faas_conn_pool *p, const struct faas_addr *addr)
{
    struct faas_conn_host *h = find_host(p, addr);

    if (!h)
        return;
    unlink_host(p, h);
    h->forgotten = true;
    h->n_conns++; /* keeps the host until the loop is through */
    faas_list_for_each (&h->idle, it)
        faas_conn_close(FAAS_CONTAINER_OF(it, struct faas_conn, host_node));
    if (--h->n_conns == 0)
        free(h);
}

void faas_conn_pool_deinit(struct faas_conn_pool *p)
{
    faas_list_for_each (&p->idle, it)
        faas_conn_close(FAAS_CONTAINER_OF(it, struct faas_conn, idle_node));
    faas_timer_stop(p->loop, &p->reaper);
    free(p->table);
}
