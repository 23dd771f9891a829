/* One function: what is wanted (record), what runs (replicas), and the way from
 * one to the other, including the change of generations. Supervisor thread only.
 *
 * Rolling update. The newest generation starts with one replica; while it has not been ready, the
 * generation in service is kept at full strength. Once it has been ready the rest is started, and
 * each new replica that is ready retires one old one, in one published snapshot. */
#ifndef FAAS_PROVIDERS_LOCAL_FUNCTION_H
#define FAAS_PROVIDERS_LOCAL_FUNCTION_H

#include "providers/local/internal.h"
#include "providers/local/replica.h"

struct local_function {
    struct faas_list node;
    struct local *local;
    struct local_record record;
    struct local_log *log_file;
    struct local_launch *newest;  /* NULL: its bundle or a secret is missing */
    struct local_launch *serving; /* the latest that has been ready; NULL: none yet */
    unsigned generation;
    struct faas_list replicas;
    struct local_replica_events events;
    char *run_dir;
    char *reason;       /* why the newest generation is not ready; NULL: no trouble known */
    bool removed;       /* only its processes are left */
    bool unsettled;     /* replicas may have to be started or stopped */
    bool stale_secrets; /* there are copies that only older generations asked for */
};

/* Makes the function's run folder and secret copies, and reads its bundle. INVALID when something
 * it names is missing. */
FAAS_NODISCARD int local_function_prepare(struct local *l, const struct local_record *r,
                                          struct local_launch **out, struct faas_error *err);
/* Takes back what prepare did for a record that came to nothing. */
void local_function_abandon(struct local *l, const struct local_record *r);
/* launch (takes) may be NULL: then why says what is missing. */
struct local_function *local_function_add(struct local *l, const struct local_record *r,
                                          struct local_launch *launch, const char *why);
void local_function_update(struct local_function *f, const struct local_record *r,
                           struct local_launch *launch);
void local_function_scale(struct local_function *f, uint64_t desired);
void local_function_remove(struct local_function *f);
/* For one whose bundle or secret was missing: looks again. */
void local_function_retry(struct local_function *f);
/* Rewrites the copies of its secrets. */
FAAS_NODISCARD int local_function_refresh_secrets(struct local_function *f, struct faas_error *err);

/* The one that is not removed; NULL when there is none. */
struct local_function *local_function_find(const struct local *l, const char *name, const char *ns);
void local_function_fill_status(const struct local_function *f, struct faas_function_status *out);
void local_function_fill_snapshot(const struct local_function *f, struct faas_snapshot *s);

/* Starts and stops replicas as wanted. */
void local_function_settle(struct local_function *f);
/* SIGTERM to replicas that are out of the published snapshot. */
void local_function_terminate(struct local_function *f);
/* Frees a removed function without processes. False: it is still there. */
bool local_function_reap(struct local_function *f);

static inline struct local_function *local_function_of(struct faas_list *it)
{
    return FAAS_CONTAINER_OF(it, struct local_function, node);
}

#endif
