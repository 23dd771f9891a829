/* The instance behind the memory provider, shared by its files.
 *
 * One lock guards everything. It is held while a snapshot is published, so that snapshots leave in
 * the order of the changes; a publisher neither blocks nor calls back. */
#ifndef FAAS_PROVIDERS_MEMORY_INTERNAL_H
#define FAAS_PROVIDERS_MEMORY_INTERNAL_H

#include "providers/memory/memory.h"

#include <pthread.h>

#define MEMORY_LOG_LINES 1024 /* kept in all; the oldest goes first */

struct memory_fn {
    struct faas_function_spec spec;
    struct faas_scaling scaling;
    uint64_t desired;
    int64_t created_ns;
    struct faas_endpoint **endpoints; /* all of the annotation's */
    size_t n_endpoints;
};

struct memory_line {
    uint64_t seq; /* 1-based; 0: this place is empty */
    int64_t time_ns;
    char *name, *namespace_, *instance, *text;
};

struct memory {
    struct faas_provider_env env;
    pthread_mutex_t lock;
    pthread_cond_t logged; /* a line was added; monotonic clock */
    struct memory_fn **fns;
    size_t n_fns;
    struct faas_secret *secrets;
    size_t n_secrets;
    struct faas_namespace *namespaces; /* that somebody made */
    size_t n_namespaces;
    struct faas_image *images;
    size_t n_images;
    struct memory_line lines[MEMORY_LOG_LINES];
    uint64_t last_seq;
};

static inline void memory_unlock(struct memory **m)
{
    pthread_mutex_unlock(&(*m)->lock);
}

/* Holds the lock to the end of the scope. */
#define MEMORY_LOCKED(m)                                               \
    _cleanup_(memory_unlock) FAAS_UNUSED struct memory *_locked = (m); \
    pthread_mutex_lock(&(m)->lock)

int64_t memory_now_ns(const struct memory *m);
/* These two under the lock. */
bool memory_has_secret(const struct memory *m, const char *name, const char *ns);
void memory_log_locked(struct memory *m, const char *name, const char *ns, const char *instance,
                       const char *text);

/* The operations. */
void memory_functions_deinit(struct memory *m);
void memory_publish_locked(struct memory *m);
struct memory_fn *memory_find_locked(const struct memory *m, const char *name, const char *ns);
int memory_deploy(void *self, const struct faas_function_spec *spec, struct faas_error *err);
int memory_update(void *self, const struct faas_function_spec *spec, struct faas_error *err);
int memory_remove(void *self, const char *name, const char *ns, struct faas_error *err);
int memory_list(void *self, const char *ns, struct faas_status_list *out, struct faas_error *err);
int memory_get(void *self, const char *name, const char *ns, struct faas_function_status *out,
               struct faas_error *err);
int memory_scale(void *self, const char *name, const char *ns, uint64_t replicas,
                 struct faas_error *err);
int memory_namespace_list(void *self, struct faas_strv *out, struct faas_error *err);
int memory_namespace_get(void *self, const char *name, struct faas_namespace *out,
                         struct faas_error *err);
int memory_namespace_create(void *self, const struct faas_namespace *n, struct faas_error *err);
int memory_namespace_update(void *self, const struct faas_namespace *n, struct faas_error *err);
int memory_namespace_remove(void *self, const char *name, struct faas_error *err);
int memory_secret_list(void *self, const char *ns, struct faas_strv *names, struct faas_error *err);
int memory_secret_create(void *self, const struct faas_secret *s, struct faas_error *err);
int memory_secret_update(void *self, const struct faas_secret *s, struct faas_error *err);
int memory_secret_remove(void *self, const char *name, const char *ns, struct faas_error *err);
int memory_logs(void *self, const struct faas_log_query *q, faas_log_sink_fn sink,
                struct faas_error *err);
int memory_image_put(void *self, const char *image, int fd, struct faas_image *out,
                     struct faas_error *err);
int memory_image_list(void *self, struct faas_image **out, size_t *n, struct faas_error *err);
int memory_image_remove(void *self, const char *image, struct faas_error *err);

#endif
