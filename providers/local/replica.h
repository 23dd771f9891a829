/* One replica: a watchdog process with its listening socket, log pipe and folder.
 * Started, probed until it is healthy, restarted with growing waits when it ends by itself, and
 * stopped in order. Supervisor thread only. */
#ifndef FAAS_PROVIDERS_LOCAL_REPLICA_H
#define FAAS_PROVIDERS_LOCAL_REPLICA_H

#include "libfaas/process.h"
#include "providers/local/internal.h"
#include "providers/local/launch.h"
#include "providers/local/lines.h"

enum local_replica_state {
    LOCAL_STARTING, /* the process runs, health is awaited */
    LOCAL_READY,
    LOCAL_WAITING,  /* it ended; it is restarted when the timer fires */
    LOCAL_STOPPING, /* its end is wanted */
};

/* What the function hears. */
struct local_replica;
struct local_replica_events {
    void (*on_ready)(void *arg, struct local_replica *r);
    /* It ended or could not be started; why is borrowed. */
    void (*on_down)(void *arg, struct local_replica *r, const char *why);
    /* Stopped for good; freed when this returns. */
    void (*on_gone)(void *arg, struct local_replica *r);
    void *arg;
};

struct local_replica {
    struct faas_list node;
    struct local *local;
    struct local_launch *launch; /* reference */
    struct local_log *log_file;
    const struct local_replica_events *events;
    char instance[64];
    char *run_dir; /* of the function */
    char *home;
    enum local_replica_state state;
    bool term_due; /* SIGTERM follows the next published snapshot */
    struct faas_process process;
    struct faas_io exit_io, log_io;
    int log_fd;
    struct local_lines lines;
    char last_line[160]; /* of its output, for the reason of a crash */
    struct faas_endpoint *endpoint;
    struct faas_exchange *probe;
    int probe_status;
    int64_t probe_wait_ms;
    struct faas_timer probe_timer;
    struct faas_timer timer; /* start deadline, restart or kill, by state */
    unsigned failures;       /* in a row */
    int64_t started_at_ms, ready_at_ms;
};

struct local_replica_input {
    struct local *local;
    struct local_launch *launch;
    struct local_log *log_file;
    const struct local_replica_events *events;
    const char *name; /* of the function */
    const char *run_dir;
};

/* Makes a replica and starts its process; events come from later turns of the loop, but for
 * on_down, which may come from within when it cannot be started. */
struct local_replica *local_replica_new(const struct local_replica_input *in);
/* Takes it out of service; its process is told by local_replica_terminate(). */
void local_replica_stop(struct local_replica *r);
/* SIGTERM now, SIGKILL after limit_ms. */
void local_replica_terminate(struct local_replica *r, int64_t limit_ms);

#endif
