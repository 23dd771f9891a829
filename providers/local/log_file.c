#include "providers/local/log_file.h"

#include "libfaas/alloc.h"
#include "providers/local/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#define LOG_SUFFIX ".log"
#define BATCH_KEEP (256 * 1024) /* memory that an idle log may hold on to */

int local_logs_init(struct local_logs *l, const struct local_logs_opts *opts,
                    struct faas_error *err)
{
    _cleanup_free_ char *dir = faas_asprintf("%s/logs", opts->state_dir);

    *l = (struct local_logs){.opts = *opts};
    pthread_mutex_init(&l->lock, NULL);
    faas_list_init(&l->list);
    if (local_mkdir(dir, 0700, err) < 0)
        return local_disk_failed(err);
    return 0;
}

static void log_free(struct local_log *log)
{
    if (log->fd >= 0)
        close(log->fd);
    faas_buf_deinit(&log->batch);
    pthread_cond_destroy(&log->changed);
    pthread_mutex_destroy(&log->lock);
    free(log->name);
    free(log->namespace_);
    free(log->path);
    free(log);
}

void local_logs_deinit(struct local_logs *l)
{
    if (!l->list.next)
        return;
    faas_list_for_each (&l->list, it)
        log_free(FAAS_CONTAINER_OF(it, struct local_log, node));
    pthread_mutex_destroy(&l->lock);
    *l = (struct local_logs){0};
}

static struct local_log *log_new(const struct local_logs *l, const char *name, const char *ns)
{
    struct local_log *log = faas_new(struct local_log);
    pthread_condattr_t attr;

    log->logs = l;
    log->name = faas_strdup(name);
    log->namespace_ = faas_strdup(ns);
    log->path = faas_asprintf("%s/logs/%s.%s" LOG_SUFFIX, l->opts.state_dir, ns, name);
    log->fd = -1;
    pthread_mutex_init(&log->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&log->changed, &attr);
    pthread_condattr_destroy(&attr);
    return log;
}

static struct local_log *find(struct local_logs *l, const char *name, const char *ns)
{
    faas_list_for_each (&l->list, it) {
        struct local_log *log = FAAS_CONTAINER_OF(it, struct local_log, node);

        if (strcmp(log->name, name) == 0 && strcmp(log->namespace_, ns) == 0)
            return log;
    }
    return NULL;
}

struct local_log *local_logs_get(struct local_logs *l, const char *name, const char *ns)
{
    struct local_log *log;

    pthread_mutex_lock(&l->lock);
    log = find(l, name, ns);
    if (!log) {
        log = log_new(l, name, ns);
        faas_list_append(&l->list, &log->node);
    }
    pthread_mutex_unlock(&l->lock);
    return log;
}

bool local_logs_exist(const struct local_logs *l, const char *name, const char *ns)
{
    _cleanup_free_ char *path =
        faas_asprintf("%s/logs/%s.%s" LOG_SUFFIX, l->opts.state_dir, ns, name);

    return faas_file_exists(path);
}

char *local_log_path(const struct local_log *log, unsigned index)
{
    return index == 0 ? faas_strdup(log->path) : faas_asprintf("%s.%u", log->path, index);
}

static int64_t now_ns(const struct local_log *log)
{
    const struct faas_clock *clock = log->logs->opts.clock;

    return clock->realtime_ns(clock->self);
}

void local_log_add(struct local_log *log, const char *instance, struct faas_str text)
{
    const struct faas_log_message m = {
        .name = log->name,
        .namespace_ = log->namespace_,
        .instance = instance,
        .time_ns = now_ns(log),
        .text = text,
    };

    local_logline_write(&log->batch, &m);
    log->batch_lines++;
}

static int open_current(struct local_log *log)
{
    struct stat st;

    if (log->fd >= 0)
        return 0;
    log->fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log->fd < 0)
        return -1;
    log->size = fstat(log->fd, &st) == 0 ? (int64_t)st.st_size : 0;
    return 0;
}

static void rotate(struct local_log *log)
{
    unsigned last = log->logs->opts.files - 1;

    close(log->fd);
    log->fd = -1;
    if (last == 0)
        (void)unlink(log->path);
    for (unsigned i = last; i > 0; i--) {
        _cleanup_free_ char *from = local_log_path(log, i - 1);
        _cleanup_free_ char *to = local_log_path(log, i);

        (void)rename(from, to); /* a missing one in between is fine */
    }
}

/* All of data or nothing of it: half a record would spoil the next one too. */
static int append(struct local_log *log, const struct faas_buf *data)
{
    ssize_t n;

    if (log->fd >= 0 && log->size >= log->logs->opts.max_size)
        rotate(log);
    if (open_current(log) < 0)
        return -1;
    do
        n = write(log->fd, data->data, data->len);
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)data->len) {
        log->size += n;
        return 0;
    }
    if (n > 0) {
        errno = ENOSPC;
        if (ftruncate(log->fd, log->size) < 0)
            log->size += n;
    }
    return -1;
}

static void note_dropped(struct local_log *log)
{
    _cleanup_buf_ struct faas_buf text = {0}, rest = log->batch;

    log->batch = (struct faas_buf){0};
    faas_buf_printf(&text, "%" PRIu64 " lines are missing here: the log could not be written",
                    log->dropped);
    local_log_add(log, "gateway", faas_buf_str(&text));
    faas_buf_append_str(&log->batch, faas_buf_str(&rest));
}

void local_log_flush(struct local_log *log)
{
    int rc, why;

    if (log->batch_lines == 0)
        return;
    if (log->dropped > 0)
        note_dropped(log);

    pthread_mutex_lock(&log->lock);
    rc = append(log, &log->batch);
    why = errno;
    pthread_cond_broadcast(&log->changed);
    pthread_mutex_unlock(&log->lock);

    if (rc < 0) {
        if (log->dropped == 0)
            faas_log_warn(log->logs->opts.log, "a function's log lines are lost",
                          FAAS_F_STR("function", log->name),
                          FAAS_F_STR("namespace", log->namespace_),
                          FAAS_F_STR("error", strerror(why)));
        log->batch_lines -= log->dropped > 0; /* the note itself is not one of the function's */
        log->dropped += log->batch_lines;
    } else {
        log->dropped = 0;
    }
    log->batch_lines = 0;
    faas_buf_clear(&log->batch);
    if (log->batch.cap > BATCH_KEEP)
        faas_buf_deinit(&log->batch);
}

struct prune {
    struct local_logs *logs;
    int64_t before_s;
    bool (*exists)(void *arg, const char *name, const char *ns);
    void *arg;
};

/* "ns.name.log" or "ns.name.log.3"; false for anything else. Labels hold no dots. */
static bool split_name(const char *file, char **name, char **ns)
{
    struct faas_str rest = faas_str_from(file);
    struct faas_str first = faas_str_split(&rest, '.');
    struct faas_str second = faas_str_split(&rest, '.');
    struct faas_str suffix = faas_str_split(&rest, '.');

    if (!faas_str_eqz(suffix, "log") || faas_validate_name("namespace", first, NULL) < 0 ||
        faas_validate_name("name", second, NULL) < 0)
        return false;
    *ns = faas_str_dup(first);
    *name = faas_str_dup(second);
    return true;
}

static int prune_one(void *arg, const char *file)
{
    const struct prune *p = arg;
    _cleanup_free_ char *path = faas_asprintf("%s/logs/%s", p->logs->opts.state_dir, file);
    _cleanup_free_ char *name = NULL, *ns = NULL;
    struct local_log *log;
    struct stat st;

    if (!split_name(file, &name, &ns) || lstat(path, &st) < 0 || st.st_mtime >= p->before_s ||
        p->exists(p->arg, name, ns))
        return 0;
    log = local_logs_get(p->logs, name, ns);
    pthread_mutex_lock(&log->lock);
    if (log->fd >= 0)
        close(log->fd);
    log->fd = -1;
    (void)unlink(path);
    pthread_mutex_unlock(&log->lock);
    return 0;
}

void local_logs_prune(struct local_logs *l, int64_t keep_ms,
                      bool (*exists)(void *arg, const char *name, const char *ns), void *arg)
{
    _cleanup_free_ char *dir = faas_asprintf("%s/logs", l->opts.state_dir);
    const struct faas_clock *clock = l->opts.clock;
    struct prune p = {
        .logs = l,
        .before_s = clock->realtime_ns(clock->self) / 1000000000 - keep_ms / 1000,
        .exists = exists,
        .arg = arg,
    };

    (void)local_each_name(dir, prune_one, &p, NULL);
}
