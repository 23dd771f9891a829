#include "watchdog/log_pump.h"

#include <errno.h>
#include <unistd.h>

enum {
    READ_MAX = 64 * 1024,
    RETRY_MS = 100,
    /* The largest pipe, emptied; whoever goes on writing then will not be heard. */
    LAST_READS = 16,
};

/* "\r\n" ends a line as "\n" does. */
static void write_line(struct wd_log_pump *p, struct faas_str line)
{
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    wd_log_line(p->log, p->to_stdout, p->prefix ? p->stream : NULL, line);
}

/* What has come, up to the last newline, and more than a line may have. */
static void write_lines(struct wd_log_pump *p)
{
    struct faas_str rest = faas_buf_str(&p->line);
    const char *newline;

    while ((newline = memchr(rest.ptr, '\n', FAAS_MIN(rest.len, p->max_line))) ||
           rest.len >= p->max_line) {
        size_t len = newline ? (size_t)(newline - rest.ptr) : p->max_line;

        write_line(p, (struct faas_str){rest.ptr, len});
        len += newline != NULL;
        rest = (struct faas_str){rest.ptr + len, rest.len - len};
    }
    faas_buf_consume(&p->line, p->line.len - rest.len);
}

/* False: there is nothing more to read now, or ever. */
static bool read_some(struct wd_log_pump *p, bool *ended)
{
    ssize_t n = read(p->fd, faas_buf_reserve(&p->line, READ_MAX), READ_MAX);

    if (n < 0 && errno == EINTR)
        return true;
    if (n <= 0) {
        *ended = n == 0 || errno != EAGAIN;
        return false;
    }
    p->line.len += (size_t)n;
    write_lines(p);
    return true;
}

static void close_pump(struct wd_log_pump *p)
{
    if (p->line.len)
        write_line(p, faas_buf_str(&p->line));
    faas_buf_deinit(&p->line);
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
    else if (p->line.len == 0)
        faas_buf_deinit(&p->line); /* most are silent most of the time */
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
        .log = log,
        .stream = spec->stream,
        .to_stdout = spec->to_stdout,
        .prefix = spec->prefix,
        .max_line = spec->max_line,
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
