/* The upstream client's connections: opened, lent to one exchange at a time, kept idle and reaped.
 * Private to http_client.c. One pool per loop, everything on its thread.
 *
 * A connection is registered with the loop once, edge-triggered, for its whole life; whoever
 * borrows it is told of events through its ready slot and keeps the flags below. */
#ifndef FAAS_CONN_POOL_H
#define FAAS_CONN_POOL_H

#include "libfaas/http_client.h"

struct faas_conn_host; /* the connections to one address */

struct faas_conn {
    struct faas_io io;
    struct faas_conn_pool *pool;
    struct faas_conn_host *host;
    struct faas_list host_node; /* in the host's idle list */
    struct faas_list idle_node; /* in the pool's, oldest first */
    bool idle;
    int64_t idle_since_ms;
    struct faas_http_parser *parser;

    /* While it is lent: */
    void (*ready)(void *arg, uint32_t events);
    void *arg;
    bool connected;
    bool reused;   /* it has served a request before */
    bool writable; /* no EAGAIN since the last EPOLLOUT */
    bool readable; /* likewise */
    bool hung_up;  /* the peer has sent its last byte */
};

struct faas_conn_pool {
    struct faas_loop *loop;
    struct faas_upstream_opts opts;
    struct faas_conn_host **table; /* hash by address; chained */
    size_t table_len;              /* a power of two */
    size_t n_hosts;
    struct faas_list idle; /* struct faas_conn by idle_node: the one idle for longest first */
    unsigned n_idle;
    struct faas_timer reaper;
};

void faas_conn_pool_init(struct faas_conn_pool *p, struct faas_loop *loop,
                         const struct faas_upstream_opts *opts);
void faas_conn_pool_deinit(struct faas_conn_pool *p); /* nothing is lent any more */

/* The idle connection to addr used last, or NULL. probe: ask the kernel whether the peer has closed
 * it meanwhile, which is worth a system call when the request cannot be sent twice. */
struct faas_conn *faas_conn_take(struct faas_conn_pool *p, const struct faas_addr *addr, bool probe,
                                 void (*ready)(void *arg, uint32_t events), void *arg);
/* Starts a new one. ready hears of the outcome; then faas_conn_finish_connect() tells it. */
struct faas_conn *faas_conn_open(struct faas_conn_pool *p, const struct faas_addr *addr,
                                 void (*ready)(void *arg, uint32_t events), void *arg,
                                 struct faas_error *err);
FAAS_NODISCARD int faas_conn_finish_connect(struct faas_conn *c, struct faas_error *err);
/* Gives a lent one back. kept for the next request, if the limits allow, or closed. */
void faas_conn_put(struct faas_conn *c);
void faas_conn_close(struct faas_conn *c);
/* Closes the idle ones to addr now, and the lent ones when they come back. */
void faas_conn_pool_forget(struct faas_conn_pool *p, const struct faas_addr *addr);

#endif
