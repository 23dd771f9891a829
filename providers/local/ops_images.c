/* Operations on bundles and logs, and the tidying that several operations share. */
#include "libfaas/alloc.h"
#include "providers/local/function.h"
#include "providers/local/images.h"
#include "providers/local/log_reader.h"

/* --- tidying --- */

static void digests_call(struct local *l, void *arg)
{
    struct faas_strv *digests = arg;

    faas_list_for_each (&l->functions, it) {
        const struct local_function *f = local_function_of(it);

        faas_strv_add(digests, f->record.digest);
        /* What still runs, although the record names something newer by now. */
        for (const struct faas_list *r = f->replicas.next; r != &f->replicas; r = r->next)
            faas_strv_add(digests,
                          FAAS_CONTAINER_OF(r, struct local_replica, node)->launch->digest);
        if (f->serving)
            faas_strv_add(digests, f->serving->digest);
    }
}

struct existence {
    const char *name, *ns;
    bool exists;
};

static void exists_call(struct local *l, void *arg)
{
    struct existence *e = arg;

    e->exists = local_function_find(l, e->name, e->ns) != NULL;
}

static bool function_exists(void *arg, const char *name, const char *ns)
{
    struct existence e = {.name = name, .ns = ns};

    local_call(arg, exists_call, &e);
    return e.exists;
}

static void sweep_call(struct local *l, void *arg)
{
    (void)arg;
    local_sweep(l);
}

void local_tidy(struct local *l)
{
    _cleanup_strv_ struct faas_strv digests = {0};

    local_call(l, digests_call, &digests);
    local_image_collect(l->state_dir, &digests);
    local_logs_prune(&l->logs, l->options->log_keep_ms, function_exists, l);
    local_call(l, sweep_call, NULL);
}

/* --- bundles --- */

static int store(struct local *l, int fd, const struct faas_image *image, struct faas_error *err)
{
    const struct faas_tar_limits limits = {
        .max_bytes = (uint64_t)l->options->max_bundle_size,
        .max_entries = (uint64_t)l->options->max_bundle_entries,
    };
    _cleanup_free_ char *tmp = NULL;

    {
        LOCAL_ADMIN(l);
        if (local_image_has_blob(l->state_dir, image->digest))
            return local_image_set_ref(l->state_dir, image, err);
    }
    /* Unpacking may take long; nobody else waits for it. */
    if (local_image_unpack(l->state_dir, fd, &limits, &tmp, err) < 0)
        return -1;

    LOCAL_ADMIN(l);
    if (local_image_install(l->state_dir, image->digest, tmp, err) < 0)
        return -1;
    return local_image_set_ref(l->state_dir, image, err);
}

int local_image_put(void *self, const char *image, int fd, struct faas_image *out,
                    struct faas_error *err)
{
    struct local *l = self;
    const struct faas_clock *clock = l->env.clock;

    *out = (struct faas_image){
        .name = local_image_full_name(image),
        .created_ns = clock->realtime_ns(clock->self),
    };
    if (local_image_digest(fd, &out->digest, &out->bytes, err) < 0 || store(l, fd, out, err) < 0) {
        faas_image_deinit(out);
        return -1;
    }
    local_retry(l);

    LOCAL_ADMIN(l);
    local_tidy(l);
    return 0;
}

int local_image_names(void *self, struct faas_image **out, size_t *n, struct faas_error *err)
{
    struct local *l = self;

    return local_image_list(l->state_dir, out, n, err);
}

struct user {
    const char *image; /* full name */
    char *function;    /* the first that uses it */
};

static void user_call(struct local *l, void *arg)
{
    struct user *u = arg;

    faas_list_for_each (&l->functions, it) {
        const struct local_function *f = local_function_of(it);
        _cleanup_free_ char *name = local_image_full_name(f->record.spec.image);

        if (!u->function && !f->removed && strcmp(name, u->image) == 0)
            u->function = faas_strdup(f->record.spec.service);
    }
}

int local_image_delete(void *self, const char *image, struct faas_error *err)
{
    struct local *l = self;
    _cleanup_free_ char *name = local_image_full_name(image);
    _cleanup_free_ char *function = NULL;
    struct user u = {.image = name};

    LOCAL_ADMIN(l);
    local_call(l, user_call, &u);
    function = u.function;
    if (function)
        return faas_fail(err, FAAS_ERR_CONFLICT, "function \"%s\" uses it", function);
    if (local_image_remove_ref(l->state_dir, name, err) < 0)
        return -1;
    local_tidy(l);
    return 0;
}

/* --- logs --- */

int local_logs_op(void *self, const struct faas_log_query *q, faas_log_sink_fn sink,
                  struct faas_error *err)
{
    struct local *l = self;

    /* The log of a removed function is served as long as it is kept. */
    if (!local_logs_exist(&l->logs, q->name, q->namespace_) &&
        !function_exists(l, q->name, q->namespace_))
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "no function is named \"%s\" in namespace \"%s\"",
                         q->name, q->namespace_);
    return local_log_read(local_logs_get(&l->logs, q->name, q->namespace_), q, sink, err);
}
