#include "providers/provider.h"

#include "libfaas/alloc.h"

#include <string.h>

/* What a picture of the function carries besides the labels that its owner gave. */
#define FUNCTION_LABEL "faas_function"
#define IMAGE_NAME_MAX 255

const struct faas_provider_ops *faas_provider_find(const char *name, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf known = {0};

    for (const struct faas_provider_ops *const *ops = faas_provider_registry; *ops; ops++) {
        if (strcmp((*ops)->name, name) == 0)
            return *ops;
        faas_buf_printf(&known, "%s%s", known.len > 0 ? ", " : "", (*ops)->name);
    }
    faas_fail(err, FAAS_ERR_NOT_FOUND, "no provider is named \"%s\"; there are: %s", name,
              known.data);
    return NULL;
}

int faas_provider_open(struct faas_provider *p, const struct faas_provider_ops *ops,
                       const struct faas_provider_env *env, struct faas_error *err)
{
    *p = (struct faas_provider){.ops = ops};
    if (ops->open(&p->self, env, err) < 0) {
        *p = (struct faas_provider){0};
        return faas_error_wrap(err, "%s", ops->name);
    }
    return 0;
}

void faas_provider_close(struct faas_provider *p)
{
    if (p->ops && p->ops->close)
        p->ops->close(p->self);
    *p = (struct faas_provider){0};
}

void faas_provider_info(struct faas_provider *p, struct faas_provider_info *out)
{
    *out = (struct faas_provider_info){.provider = p->ops->name, .orchestration = p->ops->name};
    if (p->ops->info)
        p->ops->info(p->self, out);
}

static int unsupported(const struct faas_provider *p, const char *what, struct faas_error *err)
{
    return faas_fail(err, FAAS_ERR_UNSUPPORTED, "%s: this provider does not support %s",
                     p->ops->name, what);
}

static int check_namespace(const char **ns, struct faas_error *err)
{
    if (!*ns || !**ns)
        *ns = FAAS_DEFAULT_NAMESPACE;
    return faas_validate_name("namespace", faas_str_from(*ns), err);
}

/* A name that no function can have is one that does not exist, which is what clients act upon
 * (an update of it answers 404, then they create it and are told what is wrong with the name). */
static int check_function(const char *name, const char **ns, struct faas_error *err)
{
    if (!name || !*name)
        return faas_fail(err, FAAS_ERR_INVALID, "functionName is missing");
    if (check_namespace(ns, err) < 0)
        return -1;
    if (faas_validate_name("functionName", faas_str_from(name), NULL) < 0)
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "no function is named \"%.80s\"", name);
    return 0;
}

typedef int (*spec_op)(void *self, const struct faas_function_spec *spec, struct faas_error *err);

static int put_spec(struct faas_provider *p, const struct faas_function_spec *spec, spec_op op,
                    const char *verb, struct faas_error *err)
{
    _cleanup_(faas_function_spec_deinit) struct faas_function_spec full = {0};
    const char *ns = spec->namespace_;

    if (check_namespace(&ns, err) < 0)
        return -1;
    faas_function_spec_copy(&full, spec);
    free(full.namespace_);
    full.namespace_ = faas_strdup(ns);
    if (faas_function_spec_validate(&full, err) < 0)
        return -1;
    if (op(p->self, &full, err) < 0)
        return faas_error_wrap(err, "%s: %s %s", p->ops->name, verb, spec->service);
    return 0;
}

int faas_provider_deploy(struct faas_provider *p, const struct faas_function_spec *spec,
                         struct faas_error *err)
{
    return put_spec(p, spec, p->ops->deploy, "deploy", err);
}

int faas_provider_update(struct faas_provider *p, const struct faas_function_spec *spec,
                         struct faas_error *err)
{
    return put_spec(p, spec, p->ops->update, "update", err);
}

int faas_provider_remove(struct faas_provider *p, const char *name, const char *ns,
                         struct faas_error *err)
{
    if (check_function(name, &ns, err) < 0)
        return -1;
    if (p->ops->remove(p->self, name, ns, err) < 0)
        return faas_error_wrap(err, "%s: remove %s", p->ops->name, name);
    return 0;
}

static void add_function_label(struct faas_function_status *s)
{
    if (s->spec.service && !faas_map_get(&s->spec.labels, FUNCTION_LABEL))
        faas_map_set(&s->spec.labels, FUNCTION_LABEL, s->spec.service);
}

int faas_provider_list(struct faas_provider *p, const char *ns, struct faas_status_list *out,
                       struct faas_error *err)
{
    if (check_namespace(&ns, err) < 0)
        return -1;
    if (p->ops->list(p->self, ns, out, err) < 0)
        return faas_error_wrap(err, "%s: list functions", p->ops->name);
    for (size_t i = 0; i < out->len; i++)
        add_function_label(&out->items[i]);
    return 0;
}

int faas_provider_get(struct faas_provider *p, const char *name, const char *ns,
                      struct faas_function_status *out, struct faas_error *err)
{
    if (check_function(name, &ns, err) < 0)
        return -1;
    if (p->ops->get(p->self, name, ns, out, err) < 0)
        return faas_error_wrap(err, "%s: get %s", p->ops->name, name);
    add_function_label(out);
    return 0;
}

int faas_provider_scale(struct faas_provider *p, const char *name, const char *ns,
                        uint64_t replicas, struct faas_error *err)
{
    if (!p->ops->scale)
        return unsupported(p, "scaling", err);
    if (check_function(name, &ns, err) < 0)
        return -1;
    if (p->ops->scale(p->self, name, ns, replicas, err) < 0)
        return faas_error_wrap(err, "%s: scale %s", p->ops->name, name);
    return 0;
}

int faas_provider_secret_list(struct faas_provider *p, const char *ns, struct faas_strv *names,
                              struct faas_error *err)
{
    if (!p->ops->secret_list)
        return unsupported(p, "secrets", err);
    if (check_namespace(&ns, err) < 0)
        return -1;
    if (p->ops->secret_list(p->self, ns, names, err) < 0)
        return faas_error_wrap(err, "%s: list secrets", p->ops->name);
    return 0;
}

typedef int (*secret_op)(void *self, const struct faas_secret *s, struct faas_error *err);

static int put_secret(struct faas_provider *p, const struct faas_secret *s, secret_op op,
                      const char *verb, struct faas_error *err)
{
    struct faas_secret full = *s; /* borrows everything; only the namespace pointer differs */
    const char *ns = s->namespace_;

    if (!op)
        return unsupported(p, "secrets", err);
    if (faas_validate_secret_name(faas_str_from(s->name), err) < 0 || check_namespace(&ns, err) < 0)
        return -1;
    full.namespace_ = (char *)ns;
    if (op(p->self, &full, err) < 0)
        return faas_error_wrap(err, "%s: %s secret %s", p->ops->name, verb, s->name);
    return 0;
}

int faas_provider_secret_create(struct faas_provider *p, const struct faas_secret *s,
                                struct faas_error *err)
{
    return put_secret(p, s, p->ops->secret_create, "create", err);
}

int faas_provider_secret_update(struct faas_provider *p, const struct faas_secret *s,
                                struct faas_error *err)
{
    return put_secret(p, s, p->ops->secret_update, "update", err);
}

int faas_provider_secret_remove(struct faas_provider *p, const char *name, const char *ns,
                                struct faas_error *err)
{
    if (!p->ops->secret_remove)
        return unsupported(p, "secrets", err);
    if (faas_validate_secret_name(faas_str_from(name), err) < 0 || check_namespace(&ns, err) < 0)
        return -1;
    if (p->ops->secret_remove(p->self, name, ns, err) < 0)
        return faas_error_wrap(err, "%s: remove secret %s", p->ops->name, name);
    return 0;
}

int faas_provider_namespace_list(struct faas_provider *p, struct faas_strv *out,
                                 struct faas_error *err)
{
    if (!p->ops->namespace_list) {
        faas_strv_add(out, FAAS_DEFAULT_NAMESPACE);
        return 0;
    }
    if (p->ops->namespace_list(p->self, out, err) < 0)
        return faas_error_wrap(err, "%s: list namespaces", p->ops->name);
    return 0;
}

static int check_namespace_name(const char *name, struct faas_error *err)
{
    if (faas_validate_name("namespace", faas_str_from(name), err) < 0)
        return -1;
    if (strncmp(name, "kube-", strlen("kube-")) == 0)
        return faas_fail(err, FAAS_ERR_INVALID, "namespace %s: it belongs to the cluster", name);
    return 0;
}

int faas_provider_namespace_get(struct faas_provider *p, const char *name,
                                struct faas_namespace *out, struct faas_error *err)
{
    if (!p->ops->namespace_get)
        return unsupported(p, "the management of namespaces", err);
    if (check_namespace_name(name, err) < 0)
        return -1;
    if (p->ops->namespace_get(p->self, name, out, err) < 0)
        return faas_error_wrap(err, "%s: namespace %s", p->ops->name, name);
    return 0;
}

typedef int (*namespace_op)(void *self, const struct faas_namespace *n, struct faas_error *err);

static int put_namespace(struct faas_provider *p, const struct faas_namespace *n, namespace_op op,
                         const char *verb, struct faas_error *err)
{
    if (!op)
        return unsupported(p, "the management of namespaces", err);
    if (check_namespace_name(n->name, err) < 0)
        return -1;
    if (op(p->self, n, err) < 0)
        return faas_error_wrap(err, "%s: %s namespace %s", p->ops->name, verb, n->name);
    return 0;
}

int faas_provider_namespace_create(struct faas_provider *p, const struct faas_namespace *n,
                                   struct faas_error *err)
{
    return put_namespace(p, n, p->ops->namespace_create, "create", err);
}

int faas_provider_namespace_update(struct faas_provider *p, const struct faas_namespace *n,
                                   struct faas_error *err)
{
    return put_namespace(p, n, p->ops->namespace_update, "update", err);
}

int faas_provider_namespace_remove(struct faas_provider *p, const char *name,
                                   struct faas_error *err)
{
    if (!p->ops->namespace_remove)
        return unsupported(p, "the management of namespaces", err);
    if (check_namespace_name(name, err) < 0)
        return -1;
    if (strcmp(name, FAAS_DEFAULT_NAMESPACE) == 0)
        return faas_fail(err, FAAS_ERR_INVALID, "namespace %s: the default one has to stay", name);
    if (p->ops->namespace_remove(p->self, name, err) < 0)
        return faas_error_wrap(err, "%s: remove namespace %s", p->ops->name, name);
    return 0;
}

int faas_provider_logs(struct faas_provider *p, const struct faas_log_query *q,
                       faas_log_sink_fn sink, struct faas_error *err)
{
    struct faas_log_query full = *q;

    if (!p->ops->logs)
        return unsupported(p, "logs", err);
    if (check_function(q->name, &full.namespace_, err) < 0)
        return -1;
    if (p->ops->logs(p->self, &full, sink, err) < 0)
        return faas_error_wrap(err, "%s: logs of %s", p->ops->name, q->name);
    return 0;
}

/* An image reference: what a registry would take too, so that names survive a move there. */
static int check_image(const char *image, struct faas_error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._-/:@";

    if (!image || !*image)
        return faas_fail(err, FAAS_ERR_INVALID, "image name is missing");
    if (strlen(image) > IMAGE_NAME_MAX)
        return faas_fail(err, FAAS_ERR_INVALID, "image name is longer than %d characters",
                         IMAGE_NAME_MAX);
    if (image[strspn(image, allowed)] || strspn(image, "._-/:@") > 0)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "image name \"%.80s\" must start with a letter or digit and hold only "
                         "letters, digits and . _ - / : @",
                         image);
    return 0;
}

int faas_provider_image_put(struct faas_provider *p, const char *image, int fd,
                            struct faas_image *out, struct faas_error *err)
{
    if (!p->ops->image_put)
        return unsupported(p, "function bundles: use images of a registry", err);
    if (check_image(image, err) < 0)
        return -1;
    if (p->ops->image_put(p->self, image, fd, out, err) < 0)
        return faas_error_wrap(err, "%s: store image %s", p->ops->name, image);
    return 0;
}

int faas_provider_image_list(struct faas_provider *p, struct faas_image **out, size_t *n,
                             struct faas_error *err)
{
    if (!p->ops->image_list)
        return unsupported(p, "function bundles: use images of a registry", err);
    if (p->ops->image_list(p->self, out, n, err) < 0)
        return faas_error_wrap(err, "%s: list images", p->ops->name);
    return 0;
}

int faas_provider_image_remove(struct faas_provider *p, const char *image, struct faas_error *err)
{
    if (!p->ops->image_remove)
        return unsupported(p, "function bundles: use images of a registry", err);
    if (check_image(image, err) < 0)
        return -1;
    if (p->ops->image_remove(p->self, image, err) < 0)
        return faas_error_wrap(err, "%s: remove image %s", p->ops->name, image);
    return 0;
}

void faas_image_deinit(struct faas_image *i)
{
    free(i->name);
    free(i->digest);
    *i = (struct faas_image){0};
}
