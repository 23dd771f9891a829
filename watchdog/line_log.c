#include "watchdog/line_log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    /* Kept for a reader that is behind. */
    PENDING_MAX = 256 * 1024,
    /* Gathered before a turn ends; a write is never larger, for a pipe that is writable takes this
     * much without blocking, and in one piece. */
    WRITE_MAX = PIPE_BUF,
    /* At the end readers that are behind are waited for. */
    LAST_LINES_MS = 1000,
    STAMP_LEN = sizeof("2006/01/02 15:04:05") - 1,
};

void wd_log_init(struct wd_log *log, const struct faas_clock *clock)
{
    *log = (struct wd_log){
        .clock = clock,
        .err = {.fd = STDERR_FILENO},
        .out = {.fd = STDOUT_FILENO},
        .stamp_second = -1,
    };
}

/* The last lines are the ones that say why. */
void wd_log_deinit(struct wd_log *log)
{
    for (int waited_ms = 0; !wd_log_flush(log) && waited_ms < LAST_LINES_MS; waited_ms++)
        poll(NULL, 0, 1);
    faas_buf_deinit(&log->err.pending);
    faas_buf_deinit(&log->out.pending);
}

/* The descriptor is shared with others, so it is not made non-blocking: we ask instead. */
static bool is_writable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    return poll(&p, 1, 0) == 1 && (p.revents & (POLLOUT | POLLERR | POLLNVAL));
}

/* Whole lines as long as they are not longer than a write can be. */
static size_t next_piece(const struct faas_buf *pending)
{
    const char *newline;

    if (pending->len <= WRITE_MAX)
        return pending->len;
    newline = memrchr(pending->data, '\n', WRITE_MAX);
    return newline ? (size_t)(newline - pending->data) + 1 : WRITE_MAX;
}

static bool out_flush(struct wd_out *out)
{
    size_t done = 0;

    while (done < out->pending.len && is_writable(out->fd)) {
        struct faas_buf rest = {.data = out->pending.data + done, .len = out->pending.len - done};
        ssize_t n = write(out->fd, rest.data, next_piece(&rest));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        /* Nobody will ever read it: a closed pipe, a full disk. */
        done = n < 0 ? out->pending.len : done + (size_t)n;
    }
    faas_buf_consume(&out->pending, done);
    return out->pending.len == 0;
}

/* True: there is room for n more bytes. */
static bool out_make_room(struct wd_out *out, size_t n)
{
    if (out->pending.len + n >= WRITE_MAX)
        out_flush(out);
    if (out->pending.len + n <= PENDING_MAX)
        return true;
    out->dropped++;
    return false;
}

static const char *stamp(struct wd_log *log)
{
    time_t now = (time_t)(log->clock->realtime_ns(log->clock->self) / 1000000000);
    struct tm tm;

    if (now != log->stamp_second) {
        localtime_r(&now, &tm);
        strftime(log->stamp, sizeof(log->stamp), "%Y/%m/%d %H:%M:%S", &tm);
        log->stamp_second = now;
    }
    return log->stamp;
}

static void say_dropped(struct wd_log *log, struct wd_out *out)
{
    if (!out->dropped || log->err.pending.len > PENDING_MAX / 2 ||
        out->pending.len > PENDING_MAX / 2)
        return;
    faas_buf_printf(&log->err.pending, "%s %llu %s lines dropped: nobody read them in time\n",
                    stamp(log), (unsigned long long)out->dropped,
                    out == &log->err ? "log" : "stdout");
    out->dropped = 0;
}

/* Where a record begins, or -1 when there is no room for one. */
static ptrdiff_t record_begin(struct wd_log *log)
{
    struct faas_buf *to = &log->err.pending;
    size_t start;

    say_dropped(log, &log->err);
    if (!out_make_room(&log->err, sizeof(log->stamp)))
        return -1;
    start = to->len;
    faas_buf_append(to, stamp(log), STAMP_LEN);
    faas_buf_append_c(to, ' ');
    return (ptrdiff_t)start;
}

/* Takes it back when it is too long to wait with the others. */
static void record_end(struct wd_log *log, ptrdiff_t start)
{
    struct faas_buf *to = &log->err.pending;

    if (to->data[to->len - 1] != '\n')
        faas_buf_append_c(to, '\n');
    if (to->len <= PENDING_MAX || start == 0)
        return;
    to->len = (size_t)start;
    to->data[start] = '\0';
    log->err.dropped++;
}

void wd_logf(struct wd_log *log, const char *fmt, ...)
{
    ptrdiff_t start = record_begin(log);
    va_list ap;

    if (start < 0)
        return;
    va_start(ap, fmt);
    faas_buf_vprintf(&log->err.pending, fmt, ap);
    va_end(ap);
    record_end(log, start);
}

void wd_log_text(struct wd_log *log, const char *prefix, struct faas_str text, size_t lost)
{
    struct faas_buf *to = &log->err.pending;
    ptrdiff_t start = record_begin(log);

    if (start < 0)
        return;
    faas_buf_append_z(to, prefix);
    faas_buf_append_str(to, text);
    if (lost)
        faas_buf_printf(to, "... (%zu more bytes)", lost);
    record_end(log, start);
}

void wd_log_line(struct wd_log *log, bool to_stdout, const char *stream, struct faas_str line)
{
    struct wd_out *out = to_stdout ? &log->out : &log->err;
    struct faas_buf *to = &out->pending;

    say_dropped(log, out);
    if (!out_make_room(out, line.len + sizeof(log->stamp) + sizeof(" stdout: \n")) && to->len)
        return;
    if (stream) {
        faas_buf_append(to, stamp(log), STAMP_LEN);
        faas_buf_append_c(to, ' ');
        faas_buf_append_z(to, stream);
        faas_buf_append_z(to, ": ");
    }
    faas_buf_append_str(to, line);
    faas_buf_append_c(to, '\n');
}

void wd_log_stdout(struct wd_log *log, struct faas_str bytes)
{
    if (out_make_room(&log->out, bytes.len) || log->out.pending.len == 0)
        faas_buf_append_str(&log->out.pending, bytes);
}

bool wd_log_flush(struct wd_log *log)
{
    bool err_done, out_done;

    say_dropped(log, &log->err);
    say_dropped(log, &log->out);
    err_done = out_flush(&log->err);
    out_done = out_flush(&log->out);
    return err_done && out_done;
}
