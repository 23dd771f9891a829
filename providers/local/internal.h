/* The instance behind the local provider and how its parts meet.
 *
 * Threads. Operations run on the caller's threads, several at a time. One supervisor thread with a
 * loop of its own owns every function, replica and process, and is the only publisher; operations
 * reach it with local_call(), which waits for the answer.
 *
 * Locks. admin: held by operations that change what is on disk, so that checks and writes of two of
 * them never mix; taken before local_call(), never by the supervisor. Those of the logs
 * (log_file.h) are leaves. */
#ifndef FAAS_PROVIDERS_LOCAL_INTERNAL_H
#define FAAS_PROVIDERS_LOCAL_INTERNAL_H

#include "libfaas/http_client.h"
#include "libfaas/loop.h"
#include "libfaas/pool.h"
#include "providers/local/local.h"
#include "providers/local/log_file.h"
#include "providers/local/options.h"

#include <pthread.h>

struct local {
    /* Immutable once open. */
    struct faas_provider_env env;
    struct faas_log log;
    const struct local_options *options;
    char *state_dir;
    char *gateway_url;
    int lock_fd;     /* holds the lock on the state directory */
    int watchdog_fd; /* what replicas execute */
    bool set_user;   /* functions have users of their own */
    uid_t first_uid, last_uid;

    pthread_mutex_t admin;
    struct local_logs logs;

    /* The supervisor's. */
    pthread_t thread;
    bool thread_running;
    struct faas_loop *loop;
    struct faas_upstream *probes;
    struct faas_pool *janitor;
    bool janitor_busy, janitor_again;
    struct faas_hook hook;
    bool dirty;   /* the published snapshot is out of date */
    bool closing; /* nothing is published or started any more */
    struct faas_list functions;
};

static inline void local_unlock(struct local **l)
{
    pthread_mutex_unlock(&(*l)->admin);
}

/* Holds the admin lock to the end of the scope. */
#define LOCAL_ADMIN(l)                                            \
    _cleanup_(local_unlock) FAAS_UNUSED struct local *_admin = l; \
    pthread_mutex_lock(&(l)->admin)

/* --- supervisor.c --- */
FAAS_NODISCARD int local_supervisor_start(struct local *l, struct faas_error *err);
/* Stops every function, waits for their processes, and ends the thread. */
void local_supervisor_stop(struct local *l);
/* Runs fn(l, arg) on the supervisor thread and returns when it has run. */
void local_call(struct local *l, void (*fn)(struct local *l, void *arg), void *arg);
/* Supervisor thread: something that callers can see has changed. */
void local_changed(struct local *l);
/* Supervisor thread: deletes what lies in the trash, on another thread. */
void local_sweep(struct local *l);

/* --- open.c --- */
int local_open(void **self, const struct faas_provider_env *env, struct faas_error *err);
void local_close(void *self);
void local_info(void *self, struct faas_provider_info *out);

/* --- ops_*.c --- */
int local_deploy(void *self, const struct faas_function_spec *spec, struct faas_error *err);
int local_update(void *self, const struct faas_function_spec *spec, struct faas_error *err);
int local_remove(void *self, const char *name, const char *ns, struct faas_error *err);
int local_list(void *self, const char *ns, struct faas_status_list *out, struct faas_error *err);
int local_get(void *self, const char *name, const char *ns, struct faas_function_status *out,
              struct faas_error *err);
int local_scale(void *self, const char *name, const char *ns, uint64_t replicas,
                struct faas_error *err);
int local_namespace_list(void *self, struct faas_strv *out, struct faas_error *err);
int local_namespace_get(void *self, const char *name, struct faas_namespace *out,
                        struct faas_error *err);
int local_namespace_create(void *self, const struct faas_namespace *n, struct faas_error *err);
int local_namespace_update(void *self, const struct faas_namespace *n, struct faas_error *err);
int local_namespace_remove(void *self, const char *name, struct faas_error *err);
int local_secret_names(void *self, const char *ns, struct faas_strv *names, struct faas_error *err);
int local_secret_create(void *self, const struct faas_secret *s, struct faas_error *err);
int local_secret_update(void *self, const struct faas_secret *s, struct faas_error *err);
int local_secret_delete(void *self, const char *name, const char *ns, struct faas_error *err);
int local_logs_op(void *self, const struct faas_log_query *q, faas_log_sink_fn sink,
                  struct faas_error *err);
int local_image_put(void *self, const char *image, int fd, struct faas_image *out,
                    struct faas_error *err);
int local_image_names(void *self, struct faas_image **out, size_t *n, struct faas_error *err);
int local_image_delete(void *self, const char *image, struct faas_error *err);
/* Restores the recorded functions; before anything else can call. */
FAAS_NODISCARD int local_restore(struct local *l, struct faas_error *err);
/* Functions whose bundle or secret was missing look again. */
void local_retry(struct local *l);
/* Under admin: moves bundles that nothing uses to the trash, and logs of old to nowhere. */
void local_tidy(struct local *l);

#endif
