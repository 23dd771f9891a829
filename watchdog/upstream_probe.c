#include "watchdog/upstream_probe.h"

#include <errno.h>
#include <unistd.h>

enum {
    FIRST_DELAY_MS = 10,
    MAX_DELAY_MS = 250,
    ATTEMPT_MS = 1000, /* a host that drops packets does not say no */
};

static void attempt(void *arg);

static void close_attempt(struct wd_upstream_probe *p)
{
    if (p->fd < 0)
        return;
    faas_io_del(p->loop, &p->io);
    close(p->fd);
    p->fd = -1;
}

/* All addresses are tried before the pause. */
static void attempt_failed(struct wd_upstream_probe *p)
{
    close_attempt(p);
    p->at = (p->at + 1) % p->n;
    if (p->at != 0) {
        faas_timer_start(p->loop, &p->timer, 0, attempt, p);
        return;
    }
    faas_timer_start(p->loop, &p->timer, p->delay_ms, attempt, p);
    p->delay_ms = FAAS_MIN(p->delay_ms * 2, (int64_t)MAX_DELAY_MS);
}

static void on_attempt_timeout(void *arg)
{
    attempt_failed(arg);
}

static void on_outcome(void *arg, uint32_t events)
{
    struct wd_upstream_probe *p = arg;
    int e = 0;

    (void)events;
    if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &e, &(socklen_t){sizeof(e)}) < 0)
        e = errno;
    if (e) {
        attempt_failed(p);
        return;
    }
    wd_upstream_probe_stop(p);
    p->on_up(p->arg, &p->addrs[p->at]);
}

static void attempt(void *arg)
{
    struct wd_upstream_probe *p = arg;

    p->fd = faas_connect_start(&p->addrs[p->at], NULL);
    if (p->fd < 0 || faas_io_add(p->loop, &p->io, p->fd, EPOLLOUT, on_outcome, p, NULL) < 0) {
        attempt_failed(p);
        return;
    }
    faas_timer_start(p->loop, &p->timer, ATTEMPT_MS, on_attempt_timeout, p);
}

void wd_upstream_probe_start(struct wd_upstream_probe *p, struct faas_loop *loop,
                             const struct faas_addr *addrs, int n,
                             void (*on_up)(void *arg, const struct faas_addr *addr), void *arg)
{
    *p = (struct wd_upstream_probe){
        .loop = loop,
        .addrs = addrs,
        .n = n,
        .fd = -1,
        .delay_ms = FIRST_DELAY_MS,
        .on_up = on_up,
        .arg = arg,
    };
    faas_timer_start(loop, &p->timer, 0, attempt, p);
}

void wd_upstream_probe_stop(struct wd_upstream_probe *p)
{
    if (!p->loop)
        return;
    close_attempt(p);
    faas_timer_stop(p->loop, &p->timer);
}
