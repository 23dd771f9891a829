#include "providers/local/log_reader.h"

#include "libfaas/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#define READ_SIZE       (64 * 1024)
#define RECORD_MAX      (1024 * 1024) /* a line of LOCAL_LINE_MAX, every byte escaped, fits */
#define CANCEL_CHECK_MS 200           /* how long a follower may go without asking cancelled() */

struct reader {
    struct local_log *log;
    const struct faas_log_query *q;
    faas_log_sink_fn sink;
    /* Open files, oldest first; the last one grows. */
    int *fds;
    size_t n_fds;
    int64_t end;         /* how far the last one is read before following */
    uint64_t skip;       /* matching records that tail leaves out */
    bool stopped;        /* the sink has had enough */
    struct faas_buf buf; /* read, not yet handed on */
    int64_t pos;         /* of the next read */
};

static void reader_deinit(struct reader *r)
{
    for (size_t i = 0; i < r->n_fds; i++)
        close(r->fds[i]);
    free(r->fds);
    faas_buf_deinit(&r->buf);
}

static int open_one(const struct local_log *log, unsigned index)
{
    _cleanup_free_ char *path = local_log_path(log, index);

    return open(path, O_RDONLY | O_CLOEXEC);
}

static void add_fd(struct reader *r, int fd)
{
    r->fds = faas_reallocarray(r->fds, r->n_fds + 1, sizeof(*r->fds));
    r->fds[r->n_fds++] = fd;
}

/* Under the log's lock the names stand still, so no file is met twice or missed. */
static void open_all(struct reader *r)
{
    struct stat st;

    pthread_mutex_lock(&r->log->lock);
    for (unsigned i = r->log->logs->opts.files; i-- > 0;) {
        int fd = open_one(r->log, i);

        if (fd >= 0)
            add_fd(r, fd);
    }
    if (r->n_fds > 0 && fstat(r->fds[r->n_fds - 1], &st) == 0)
        r->end = (int64_t)st.st_size;
    pthread_mutex_unlock(&r->log->lock);
}

static bool matches(const struct reader *r, struct faas_str record)
{
    struct local_logline_peek p = {0};

    return local_logline_peek(record, &p) && p.time_ns >= r->q->since_ns &&
           (!r->q->instance || faas_str_eqz(p.instance, r->q->instance));
}

static void count(struct reader *r, struct faas_str record)
{
    r->skip += matches(r, record);
}

static void hand_over(struct reader *r, struct faas_str record)
{
    _cleanup_buf_ struct faas_buf text = {0};
    _cleanup_free_ char *instance = NULL;
    struct local_logline_peek p = {0};

    if (r->stopped || !matches(r, record))
        return;
    if (r->skip > 0) {
        r->skip--;
        return;
    }
    if (!local_logline_peek(record, &p) || !local_logline_text(record, &text))
        return;
    instance = faas_str_dup(p.instance);
    r->stopped = r->sink(r->q->arg, &(struct faas_log_message){
                                        .name = r->log->name,
                                        .namespace_ = r->log->namespace_,
                                        .instance = instance,
                                        .time_ns = p.time_ns,
                                        .text = faas_buf_str(&text),
                                    }) < 0;
}

typedef void (*record_fn)(struct reader *r, struct faas_str record);

static void take_records(struct reader *r, record_fn fn)
{
    struct faas_str rest = faas_buf_str(&r->buf);
    size_t used = 0;
    ptrdiff_t end;

    while (!r->stopped && (end = faas_str_find(rest, '\n')) >= 0) {
        fn(r, (struct faas_str){.ptr = rest.ptr, .len = (size_t)end});
        rest.ptr += end + 1;
        rest.len -= (size_t)end + 1;
        used += (size_t)end + 1;
    }
    faas_buf_consume(&r->buf, used);
    if (r->buf.len > RECORD_MAX) /* not one of ours: a damaged file */
        faas_buf_clear(&r->buf);
}

/* Reads on from r->pos to limit or the end. False: nothing was there. */
static bool read_some(struct reader *r, int fd, int64_t limit, record_fn fn)
{
    size_t want = (size_t)FAAS_MIN(limit - r->pos, (int64_t)READ_SIZE);
    ssize_t n = pread(fd, faas_buf_reserve(&r->buf, READ_SIZE), want, r->pos);

    if (n <= 0)
        return n < 0 && errno == EINTR;
    r->buf.len += (size_t)n;
    r->pos += n;
    take_records(r, fn);
    return true;
}

static bool cancelled(const struct reader *r)
{
    return r->stopped || (r->q->cancelled && r->q->cancelled(r->q->arg));
}

static void read_stored(struct reader *r, record_fn fn)
{
    for (size_t i = 0; i < r->n_fds && !r->stopped; i++) {
        int64_t limit = i + 1 < r->n_fds ? INT64_MAX : r->end;

        faas_buf_clear(&r->buf);
        r->pos = 0;
        while (!cancelled(r) && read_some(r, r->fds[i], limit, fn))
            ;
    }
}

/* The file behind fd is no longer the current one: the next newer, or -1 while it still is. */
static int successor(const struct reader *r, int fd)
{
    const unsigned files = r->log->logs->opts.files;
    struct stat mine = {0}, st;

    if (fd >= 0 && fstat(fd, &mine) < 0)
        return -1;
    for (unsigned i = 0; i < files; i++) {
        _cleanup_free_ char *path = local_log_path(r->log, i);

        if (fd < 0 || stat(path, &st) < 0 || st.st_ino != mine.st_ino || st.st_dev != mine.st_dev)
            continue;
        return i == 0 ? -1 : open_one(r->log, i - 1);
    }
    for (unsigned i = files; i-- > 0;) { /* rotated away altogether: the oldest there is */
        int next = open_one(r->log, i);

        if (next >= 0)
            return next;
    }
    return -1;
}

static void wait_for_change(struct local_log *log)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += CANCEL_CHECK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&log->changed, &log->lock, &until);
}

/* Returns when there may be more to read: the file grew, or another one took its place. */
static void await_more(struct reader *r)
{
    int *fd = r->n_fds > 0 ? &r->fds[r->n_fds - 1] : NULL;
    struct stat st;
    int next;

    pthread_mutex_lock(&r->log->lock);
    if (fd && fstat(*fd, &st) == 0 && (int64_t)st.st_size > r->pos)
        goto out;
    next = successor(r, fd ? *fd : -1);
    if (next < 0) {
        wait_for_change(r->log);
        goto out;
    }
    faas_buf_clear(&r->buf);
    r->pos = 0;
    if (fd) {
        close(*fd);
        *fd = next;
    } else {
        add_fd(r, next);
    }
out:
    pthread_mutex_unlock(&r->log->lock);
}

static void follow(struct reader *r)
{
    while (!cancelled(r)) {
        if (r->n_fds == 0 || !read_some(r, r->fds[r->n_fds - 1], INT64_MAX, hand_over))
            await_more(r);
    }
}

int local_log_read(struct local_log *log, const struct faas_log_query *q, faas_log_sink_fn sink,
                   struct faas_error *err)
{
    _cleanup_(reader_deinit) struct reader r = {.log = log, .q = q, .sink = sink};

    (void)err;
    open_all(&r);
    if (q->tail > 0) {
        read_stored(&r, count);
        r.skip = r.skip > (uint64_t)q->tail ? r.skip - (uint64_t)q->tail : 0;
    }
    read_stored(&r, hand_over);
    if (q->follow && !r.stopped)
        follow(&r);
    return 0;
}
