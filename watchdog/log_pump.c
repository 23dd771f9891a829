#include "watchdog/log_pump.h"

#include <errno.h>
#include <unistd.h>

enum {
    READ_MAX = 64 * 1024,
    RETRY_MS = 100,
    /* The largest pipe, emptied; whoever goes on writing then will not be heard. */
    LAST_READS = 16,
};

/* False: there is nothing more to read now, or ever. */
static bool read_some(struct wd_log_pump *p, bool *ended)
{
    char bytes[READ_MAX];
    ssize_t n = read(p->fd, bytes, sizeof(bytes));

    if (n < 0 && errno == EINTR)
        return true;
    if (n <= 0) {
        *ended = n == 0 || errno != EAGAIN;
        return false;
    }
    wd_log_lines_feed(&p->lines, (struct faas_str){.ptr = bytes, .len = (size_t)n});
    return true;
}

static void close_pump(struct wd_log_pump *p)
{
    wd_log_lines_end(&p->lines);
    faas_timer_stop(p->loop, &p->timer);
    faas_io_del(p->loop, &p->io);
    close(p->fd);
    p->fd = -1;
}

/* One read at a time, so that a function that talks without end has neighbours. */
static void on_readable(void *arg, uint32_t events)
{
    struct wd_log_pump *p = arg;
    bool ended = false;

    (void)events;
    if (!read_some(p, &ended) && ended)
        close_pump(p);
}

static void watch(struct wd_log_pump *p);

static void on_retry(void *arg)
{
    struct wd_log_pump *p = arg;

    on_readable(p, 0);
    if (p->fd >= 0)
        watch(p);
}

static void watch(struct wd_log_pump *p)
{
    if (faas_io_add(p->loop, &p->io, p->fd, EPOLLIN, on_readable, p, NULL) < 0)
        faas_timer_start(p->loop, &p->timer, RETRY_MS, on_retry, p); /* no kernel memory now */
}

void wd_log_pump_start(struct wd_log_pump *pump, struct faas_loop *loop, struct wd_log *log, int fd,
                       const struct wd_log_pump_spec *spec)
{
    *pump = (struct wd_log_pump){
        .loop = loop,
        .lines = {.log = log,
                  .stream = spec->prefix ? spec->stream : NULL,
                  .to_stdout = spec->to_stdout,
                  .max_line = spec->max_line},
        .fd = fd,
    };
    watch(pump);
}

void wd_log_pump_stop(struct wd_log_pump *pump)
{
    bool ended = false;

    if (!wd_log_pump_running(pump))
        return;
    for (unsigned i = 0; i < LAST_READS && read_some(pump, &ended); i++)
        ;
    close_pump(pump);
}

bool wd_log_pump_running(const struct wd_log_pump *pump)
{
    return pump->loop && pump->fd >= 0;
}
