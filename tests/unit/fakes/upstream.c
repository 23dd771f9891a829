#include "tests/unit/fakes/upstream.h"

#include "libfaas/alloc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>

#define MAX_CONNS 1024

struct slot {
    struct fake_conn conn;
    pthread_t thread;
};

struct fake_upstream {
    int fd;
    struct faas_addr addr;
    void (*serve)(struct fake_conn *c);
    void *arg;
    pthread_t acceptor;
    pthread_mutex_t lock;
    struct slot *slots[MAX_CONNS]; /* under lock; conn.fd is -1 when it is closed */
    unsigned accepted;             /* under lock */
    unsigned open;                 /* under lock */
};

static void *serve_conn(void *arg)
{
    struct slot *s = arg;
    struct fake_upstream *u = s->conn.upstream;

    u->serve(&s->conn);
    pthread_mutex_lock(&u->lock);
    if (s->conn.fd >= 0)
        close(s->conn.fd);
    s->conn.fd = -1;
    u->open--;
    pthread_mutex_unlock(&u->lock);
    faas_buf_deinit(&s->conn.in);
    return NULL;
}

static void *accept_conns(void *arg)
{
    struct fake_upstream *u = arg;
    int fd;

    while ((fd = accept4(u->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        struct slot *s = faas_new(struct slot);

        pthread_mutex_lock(&u->lock);
        assert(u->accepted < MAX_CONNS);
        s->conn = (struct fake_conn){.upstream = u, .fd = fd, .nth = u->accepted, .arg = u->arg};
        u->slots[u->accepted++] = s;
        u->open++;
        if (pthread_create(&s->thread, NULL, serve_conn, s) != 0)
            abort();
        pthread_mutex_unlock(&u->lock);
    }
    return NULL;
}

struct fake_upstream *fake_upstream_new(void (*serve)(struct fake_conn *c), void *arg)
{
    struct fake_upstream *u = faas_new(struct fake_upstream);
    struct faas_error err;

    u->serve = serve;
    u->arg = arg;
    pthread_mutex_init(&u->lock, NULL);
    u->fd = faas_listen("127.0.0.1", 0, 512, false, &err);
    if (u->fd < 0 || fcntl(u->fd, F_SETFL, 0) < 0 ||
        faas_addr_parse("127.0.0.1", faas_socket_port(u->fd), &u->addr, &err) < 0 ||
        pthread_create(&u->acceptor, NULL, accept_conns, u) != 0)
        abort();
    return u;
}

void fake_upstream_free(struct fake_upstream *u)
{
    shutdown(u->fd, SHUT_RD); /* ends accept() */
    pthread_join(u->acceptor, NULL);
    close(u->fd);
    pthread_mutex_lock(&u->lock);
    for (unsigned i = 0; i < u->accepted; i++)
        if (u->slots[i]->conn.fd >= 0)
            shutdown(u->slots[i]->conn.fd, SHUT_RDWR);
    pthread_mutex_unlock(&u->lock);
    for (unsigned i = 0; i < u->accepted; i++) {
        pthread_join(u->slots[i]->thread, NULL);
        free(u->slots[i]);
    }
    pthread_mutex_destroy(&u->lock);
    free(u);
}

const struct faas_addr *fake_upstream_addr(const struct fake_upstream *u)
{
    return &u->addr;
}

static unsigned read_locked(struct fake_upstream *u, const unsigned *n)
{
    unsigned v;

    pthread_mutex_lock(&u->lock);
    v = *n;
    pthread_mutex_unlock(&u->lock);
    return v;
}

unsigned fake_upstream_accepted(struct fake_upstream *u)
{
    return read_locked(u, &u->accepted);
}

unsigned fake_upstream_open(struct fake_upstream *u)
{
    return read_locked(u, &u->open);
}

static bool read_more(struct fake_conn *c)
{
    char *to = faas_buf_reserve(&c->in, 64 * 1024);
    ssize_t n;

    do
        n = recv(c->fd, to, 64 * 1024, 0);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return false;
    c->last_read = (size_t)n;
    c->in.len += (size_t)n;
    c->in.data[c->in.len] = '\0';
    return true;
}

bool fake_read(struct fake_conn *c, struct faas_buf *out, size_t n)
{
    while (c->in.len < n)
        if (!read_more(c))
            return false;
    faas_buf_append(out, c->in.data, n);
    faas_buf_consume(&c->in, n);
    return true;
}

bool fake_read_until(struct fake_conn *c, struct faas_buf *out, const char *end)
{
    const char *at;

    while (c->in.len == 0 || !(at = memmem(c->in.data, c->in.len, end, strlen(end))))
        if (!read_more(c))
            return false;
    return fake_read(c, out, (size_t)(at - c->in.data) + strlen(end));
}

bool fake_read_head(struct fake_conn *c, struct faas_buf *head)
{
    return fake_read_until(c, head, "\r\n\r\n");
}

bool fake_read_request(struct fake_conn *c, struct faas_buf *head, struct faas_buf *body)
{
    const char *length;

    if (!fake_read_head(c, head))
        return false;
    if (strstr(head->data, "Transfer-Encoding: chunked"))
        return fake_read_until(c, body, "0\r\n\r\n");
    length = strstr(head->data, "Content-Length: ");
    return !length || fake_read(c, body, strtoul(length + strlen("Content-Length: "), NULL, 10));
}

bool fake_wait_closed(struct fake_conn *c)
{
    while (read_more(c))
        ;
    return c->in.len == 0;
}

void fake_send(struct fake_conn *c, struct faas_str data)
{
    while (data.len) {
        ssize_t n = send(c->fd, data.ptr, data.len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return; /* the peer is gone, which the test sees at its own end */
        data.ptr += n;
        data.len -= (size_t)n;
    }
}

void fake_send_z(struct fake_conn *c, const char *z)
{
    fake_send(c, faas_str_from(z));
}

void fake_reset(struct fake_conn *c)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    pthread_mutex_lock(&c->upstream->lock);
    (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(c->fd);
    c->fd = -1;
    pthread_mutex_unlock(&c->upstream->lock);
}
