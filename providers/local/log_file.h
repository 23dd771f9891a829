/* A function's log: <state>/logs/<ns>.<name>.log, rotated by size to .log.1, .log.2
 * …, outliving replicas and the function itself. One writer (the supervisor), any number of
 * readers. A full disk loses lines, which are counted and reported, and never blocks. */
#ifndef FAAS_PROVIDERS_LOCAL_LOG_FILE_H
#define FAAS_PROVIDERS_LOCAL_LOG_FILE_H

#include "libfaas/list.h"
#include "libfaas/log.h"
#include "providers/local/logline.h"

#include <pthread.h>

struct local_logs_opts {
    const char *state_dir;
    const struct faas_log *log; /* where trouble with the files is told */
    const struct faas_clock *clock;
    int64_t max_size;
    unsigned files;
};

/* All logs; hands out one struct per function, which stays until free. Any thread. */
struct local_logs {
    struct local_logs_opts opts;
    pthread_mutex_t lock; /* guards list */
    struct faas_list list;
};

struct local_log {
    struct faas_list node;
    const struct local_logs *logs;
    char *name, *namespace_;
    char *path;
    /* Writer only. */
    struct faas_buf batch;
    unsigned batch_lines;
    uint64_t dropped; /* lines since the last that could be written */
    /* The lock guards the rest, and which file has which name. It is a leaf. */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* monotonic; after each write */
    int fd;                 /* -1: not open */
    int64_t size;
};

FAAS_NODISCARD int local_logs_init(struct local_logs *l, const struct local_logs_opts *opts,
                                   struct faas_error *err);
void local_logs_deinit(struct local_logs *l);
struct local_log *local_logs_get(struct local_logs *l, const char *name, const char *ns);
/* True when there is something to read. */
bool local_logs_exist(const struct local_logs *l, const char *name, const char *ns);

/* Writer: collects a line; flush writes what was collected. */
void local_log_add(struct local_log *log, const char *instance, struct faas_str text);
void local_log_flush(struct local_log *log);

/* The path of file index (0: the current one). Caller frees. */
char *local_log_path(const struct local_log *log, unsigned index) FAAS_NODISCARD;

/* Deletes logs that were last written more than keep_ms ago and whose function is gone. */
void local_logs_prune(struct local_logs *l, int64_t keep_ms,
                      bool (*exists)(void *arg, const char *name, const char *ns), void *arg);

#endif
