/* What a back end must do to hold functions. One const table per back end, one
 * opaque instance per gateway; callers go through faas_provider_*(), never through the table, so a
 * missing operation fails in one place (UNSUPPORTED, 501).
 *
 * Threads: every operation may block and is called from pool threads, several at a time; never from
 * a loop. A publisher is called from any thread of the provider's. What a failed operation leaves
 * behind: nothing, unless its comment says so. */
#ifndef FAAS_PROVIDERS_PROVIDER_H
#define FAAS_PROVIDERS_PROVIDER_H

#include "libfaas/log.h"
#include "libfaas/opt.h"
#include "providers/snapshot.h"

/* Hands a snapshot over (takes the reference). Must not block. */
struct faas_publisher {
    void (*publish)(void *arg, struct faas_snapshot *s);
    void *arg;
};

struct faas_provider_env {
    const struct faas_log *log;
    const struct faas_clock *clock;
    const char *state_dir;   /* absolute; exists */
    const char *gateway_url; /* for the functions' OPENFAAS_URL */
    struct faas_publisher publisher;
    const void *options; /* the struct that ops->options describes, filled */
};

/* Takes one record, in order. Negative: stop (the reader went away). May be called from any one
 * thread. */
typedef int (*faas_log_sink_fn)(void *arg, const struct faas_log_message *m);

struct faas_log_query {
    const char *name;
    const char *namespace_;
    const char *instance;         /* NULL: all */
    int64_t since_ns;             /* realtime; records before it are left out */
    int64_t tail;                 /* at most so many of the latest; <= 0: all */
    bool follow;                  /* go on until the sink or cancelled() says stop */
    bool (*cancelled)(void *arg); /* polled while following; may be NULL */
    void *arg;                    /* of sink and cancelled */
};

struct faas_image {
    char *name;   /* "hello:latest" */
    char *digest; /* "sha256:…" */
    uint64_t bytes;
    int64_t created_ns;
};

struct faas_provider_ops {
    const char *name;
    const char *summary; /* one line, for --help */
    const struct faas_opt
        *options; /* the back end's own settings, offsets into a struct of options_size */
    size_t n_options;
    size_t options_size;

    /* Required. open restores durable state and publishes a first snapshot before it returns; close
     * ends what open started, functions included. */
    int (*open)(void **self, const struct faas_provider_env *env, struct faas_error *err);
    void (*close)(void *self);
    void (*info)(void *self, struct faas_provider_info *out);
    /* Required. CONFLICT when it exists; INVALID for a missing image or secret. Answers once the
     * function is durable and starting; readiness is published. */
    int (*deploy)(void *self, const struct faas_function_spec *spec, struct faas_error *err);
    /* Required. Full replacement, rolling: NOT_FOUND when absent; the old stays on failure. */
    int (*update)(void *self, const struct faas_function_spec *spec, struct faas_error *err);
    int (*remove)(void *self, const char *name, const char *ns, struct faas_error *err);
    int (*list)(void *self, const char *ns, struct faas_status_list *out, struct faas_error *err);
    int (*get)(void *self, const char *name, const char *ns, struct faas_function_status *out,
               struct faas_error *err);
    /* Optional from here on. */
    int (*scale)(void *self, const char *name, const char *ns, uint64_t replicas,
                 struct faas_error *err);
    int (*secret_list)(void *self, const char *ns, struct faas_strv *names, struct faas_error *err);
    int (*secret_create)(void *self, const struct faas_secret *s,
                         struct faas_error *err); /* CONFLICT */
    int (*secret_update)(void *self, const struct faas_secret *s,
                         struct faas_error *err); /* NOT_FOUND */
    int (*secret_remove)(void *self, const char *name, const char *ns, struct faas_error *err);
    int (*namespace_list)(void *self, struct faas_strv *out, struct faas_error *err);
    int (*namespace_get)(void *self, const char *name, struct faas_namespace *out,
                         struct faas_error *err); /* NOT_FOUND */
    int (*namespace_create)(void *self, const struct faas_namespace *n,
                            struct faas_error *err); /* CONFLICT */
    /* Full replacement of labels and annotations; NOT_FOUND. */
    int (*namespace_update)(void *self, const struct faas_namespace *n, struct faas_error *err);
    /* NOT_FOUND; CONFLICT while something is in it. Never the default one. */
    int (*namespace_remove)(void *self, const char *name, struct faas_error *err);
    int (*logs)(void *self, const struct faas_log_query *q, faas_log_sink_fn sink,
                struct faas_error *err); /* NOT_FOUND */
    /* Function bundles: fd holds a tar, read from its start. Replaces what the name stood for. */
    int (*image_put)(void *self, const char *image, int fd, struct faas_image *out,
                     struct faas_error *err);
    int (*image_list)(void *self, struct faas_image **out, size_t *n, struct faas_error *err);
    int (*image_remove)(void *self, const char *image, struct faas_error *err);
};

struct faas_provider {
    const struct faas_provider_ops *ops;
    void *self;
};

/* NULL-terminated; defined in registry.c, the only file that knows every back end. */
extern const struct faas_provider_ops *const faas_provider_registry[];

/* NOT_FOUND names the known ones. */
const struct faas_provider_ops *faas_provider_find(const char *name, struct faas_error *err);
FAAS_NODISCARD int faas_provider_open(struct faas_provider *p, const struct faas_provider_ops *ops,
                                      const struct faas_provider_env *env, struct faas_error *err);
void faas_provider_close(struct faas_provider *p);
void faas_provider_info(struct faas_provider *p, struct faas_provider_info *out);
/* ns NULL or empty means the default namespace everywhere. Specs are validated here, before the
 * back end sees them. */
FAAS_NODISCARD int faas_provider_deploy(struct faas_provider *p,
                                        const struct faas_function_spec *spec,
                                        struct faas_error *err);
FAAS_NODISCARD int faas_provider_update(struct faas_provider *p,
                                        const struct faas_function_spec *spec,
                                        struct faas_error *err);
FAAS_NODISCARD int faas_provider_remove(struct faas_provider *p, const char *name, const char *ns,
                                        struct faas_error *err);
FAAS_NODISCARD int faas_provider_list(struct faas_provider *p, const char *ns,
                                      struct faas_status_list *out, struct faas_error *err);
FAAS_NODISCARD int faas_provider_get(struct faas_provider *p, const char *name, const char *ns,
                                     struct faas_function_status *out, struct faas_error *err);
FAAS_NODISCARD int faas_provider_scale(struct faas_provider *p, const char *name, const char *ns,
                                       uint64_t replicas, struct faas_error *err);
FAAS_NODISCARD int faas_provider_secret_list(struct faas_provider *p, const char *ns,
                                             struct faas_strv *names, struct faas_error *err);
FAAS_NODISCARD int faas_provider_secret_create(struct faas_provider *p, const struct faas_secret *s,
                                               struct faas_error *err);
FAAS_NODISCARD int faas_provider_secret_update(struct faas_provider *p, const struct faas_secret *s,
                                               struct faas_error *err);
FAAS_NODISCARD int faas_provider_secret_remove(struct faas_provider *p, const char *name,
                                               const char *ns, struct faas_error *err);
/* Without the slot: the default namespace alone. */
FAAS_NODISCARD int faas_provider_namespace_list(struct faas_provider *p, struct faas_strv *out,
                                                struct faas_error *err);
/* Without the slots: UNSUPPORTED. Names that start with "kube-" belong to clusters: INVALID. */
FAAS_NODISCARD int faas_provider_namespace_get(struct faas_provider *p, const char *name,
                                               struct faas_namespace *out, struct faas_error *err);
FAAS_NODISCARD int faas_provider_namespace_create(struct faas_provider *p,
                                                  const struct faas_namespace *n,
                                                  struct faas_error *err);
FAAS_NODISCARD int faas_provider_namespace_update(struct faas_provider *p,
                                                  const struct faas_namespace *n,
                                                  struct faas_error *err);
FAAS_NODISCARD int faas_provider_namespace_remove(struct faas_provider *p, const char *name,
                                                  struct faas_error *err);
FAAS_NODISCARD int faas_provider_logs(struct faas_provider *p, const struct faas_log_query *q,
                                      faas_log_sink_fn sink, struct faas_error *err);
FAAS_NODISCARD int faas_provider_image_put(struct faas_provider *p, const char *image, int fd,
                                           struct faas_image *out, struct faas_error *err);
FAAS_NODISCARD int faas_provider_image_list(struct faas_provider *p, struct faas_image **out,
                                            size_t *n, struct faas_error *err);
FAAS_NODISCARD int faas_provider_image_remove(struct faas_provider *p, const char *image,
                                              struct faas_error *err);
void faas_image_deinit(struct faas_image *i);

#endif
