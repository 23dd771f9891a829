#include "libfaas/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* How long a long record may wait in all for a slow reader; its start never waits. */
#define RECORD_WAIT_MS 100

/* One per process, as fd 2 is. */
static struct {
    pthread_mutex_t lock; /* keeps the pieces of a long record together */
    bool torn;            /* the last record lacks its end, and so its newline */
    _Atomic uint64_t dropped;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

uint64_t faas_stderr_sink_dropped(void)
{
    return atomic_load_explicit(&state.dropped, memory_order_relaxed);
}

/* fd 2 is shared with other processes, so it is not ours to make non-blocking. But when poll()
 * calls a pipe, socket or terminal writable, it takes PIPE_BUF bytes without blocking. */
static bool writable(int wait_ms)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    int n;

    do {
        n = poll(&p, 1, wait_ms);
    } while (n < 0 && errno == EINTR);
    return n > 0 && (p.revents & POLLOUT);
}

/* Ends a torn record first, in the same write. Returns how much of p went out, or -1. */
static ssize_t write_some(const char *p, size_t n, int wait_ms)
{
    struct iovec iov[] = {{.iov_base = "\n", .iov_len = 1}, {.iov_base = (char *)p, .iov_len = n}};
    bool torn = state.torn;
    ssize_t put;

    if (!writable(wait_ms))
        return -1;
    do {
        put = writev(STDERR_FILENO, torn ? iov : iov + 1, torn ? 2 : 1);
    } while (put < 0 && errno == EINTR);
    if (put <= 0)
        return -1;
    state.torn = false;
    return put - torn;
}

static size_t piece_limit(size_t len)
{
    struct stat st;

    if (len < PIPE_BUF || (fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode)))
        return len;
    return PIPE_BUF - 1; /* and the newline of write_some() */
}

/* Whole in one write, but for records that are too long for a pipe to take at once. */
static bool write_record(struct faas_str line)
{
    size_t limit = piece_limit(line.len), done = 0;
    int64_t give_up_ms = faas_now_ms(&faas_system_clock) + RECORD_WAIT_MS;

    while (done < line.len) {
        int64_t wait_ms = done > 0 ? give_up_ms - faas_now_ms(&faas_system_clock) : 0;
        ssize_t n = write_some(line.ptr + done, FAAS_MIN(limit, line.len - done),
                               (int)FAAS_MAX(wait_ms, (int64_t)0));

        if (n < 0) {
            state.torn = state.torn || done > 0;
            return false;
        }
        done += (size_t)n;
    }
    return true;
}

static void stderr_write(void *self, struct faas_str line)
{
    int saved = errno; /* logging must be invisible to the code around it */
    bool ok;

    (void)self;
    pthread_mutex_lock(&state.lock);
    ok = write_record(line);
    pthread_mutex_unlock(&state.lock);
    if (!ok)
        atomic_fetch_add_explicit(&state.dropped, 1, memory_order_relaxed);
    errno = saved;
}

void faas_log_init_stderr(struct faas_log *log, const char *component)
{
    const char *no_color = getenv("NO_COLOR");
    bool terminal = isatty(STDERR_FILENO);

    *log = (struct faas_log){
        .sink = &faas_stderr_sink,
        .clock = &faas_system_clock,
        .component = component,
        .level = FAAS_LOG_INFO,
        .format = terminal ? FAAS_LOG_HUMAN : FAAS_LOG_JSON,
        .colour = terminal && !(no_color && *no_color),
    };
}

const struct faas_log_sink faas_stderr_sink = {.write = stderr_write};
