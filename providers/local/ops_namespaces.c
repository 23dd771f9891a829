/* Operations on namespaces. One exists when somebody made it, and while something is in it. */
#include "libfaas/alloc.h"
#include "providers/local/function.h"
#include "providers/local/namespaces.h"
#include "providers/local/secrets.h"

static void in_use_call(struct local *l, void *arg)
{
    struct faas_strv *out = arg;

    faas_list_for_each (&l->functions, it) {
        const struct local_function *f = local_function_of(it);

        if (!f->removed && !faas_strv_has(out, f->record.spec.namespace_))
            faas_strv_add(out, f->record.spec.namespace_);
    }
}

static int list_in_use(struct local *l, struct faas_strv *out, struct faas_error *err)
{
    local_call(l, in_use_call, out);
    return local_secret_namespaces(l->state_dir, out, err);
}

int local_namespace_list(void *self, struct faas_strv *out, struct faas_error *err)
{
    struct local *l = self;

    faas_strv_add(out, FAAS_DEFAULT_NAMESPACE);
    if (list_in_use(l, out, err) < 0)
        return -1;
    return local_namespaces_made(l->state_dir, out, err);
}

/* Found in the list: 1, not there: 0. */
static int exists(struct local *l, const char *name, struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv names = {0};

    return local_namespace_list(l, &names, err) < 0 ? -1 : faas_strv_has(&names, name);
}

static int not_found(const char *name, struct faas_error *err)
{
    return faas_fail(err, FAAS_ERR_NOT_FOUND, "there is no namespace \"%s\"", name);
}

int local_namespace_get(void *self, const char *name, struct faas_namespace *out,
                        struct faas_error *err)
{
    struct local *l = self;
    struct faas_error why = {0};
    int there = exists(l, name, err);

    if (there < 0)
        return -1;
    if (!there)
        return not_found(name, err);
    if (local_namespace_load(l->state_dir, name, out, &why) == 0)
        return 0;
    if (why.code != FAAS_ERR_NOT_FOUND)
        return faas_fail(err, why.code, "%s", why.msg);
    out->name = faas_strdup(name);
    return 0;
}

int local_namespace_create(void *self, const struct faas_namespace *n, struct faas_error *err)
{
    struct local *l = self;
    int there;

    LOCAL_ADMIN(l);
    there = exists(l, n->name, err);
    if (there < 0)
        return -1;
    if (there)
        return faas_fail(err, FAAS_ERR_CONFLICT, "it exists already");
    return local_namespace_save(l->state_dir, n, err);
}

int local_namespace_update(void *self, const struct faas_namespace *n, struct faas_error *err)
{
    struct local *l = self;
    int there;

    LOCAL_ADMIN(l);
    there = exists(l, n->name, err);
    if (there < 0)
        return -1;
    return there ? local_namespace_save(l->state_dir, n, err) : not_found(n->name, err);
}

int local_namespace_remove(void *self, const char *name, struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv used = {0};
    struct local *l = self;
    int there;

    LOCAL_ADMIN(l);
    there = exists(l, name, err);
    if (there < 0 || list_in_use(l, &used, err) < 0)
        return -1;
    if (!there)
        return not_found(name, err);
    if (faas_strv_has(&used, name))
        return faas_fail(err, FAAS_ERR_CONFLICT, "it still has functions or secrets");
    return local_namespace_forget(l->state_dir, name, err);
}
