/* Operations on secrets. The durable value is written by the operation; copies in
 * the run folders of functions are the supervisor's. */
#include "providers/local/function.h"
#include "providers/local/secrets.h"

static int not_found(const char *name, const char *ns, struct faas_error *err)
{
    return faas_fail(err, FAAS_ERR_NOT_FOUND, "no secret is named \"%s\" in namespace \"%s\"", name,
                     ns);
}

int local_secret_names(void *self, const char *ns, struct faas_strv *names, struct faas_error *err)
{
    struct local *l = self;

    return local_secret_list(l->state_dir, ns, names, err);
}

static bool uses(const struct local_function *f, const char *name, const char *ns)
{
    return !f->removed && strcmp(f->record.spec.namespace_, ns) == 0 &&
           faas_strv_has(&f->record.spec.secrets, name);
}

struct refresh {
    const struct faas_secret *secret;
    struct faas_error *err;
    int rc;
};

static void refresh_call(struct local *l, void *arg)
{
    struct refresh *r = arg;

    faas_list_for_each (&l->functions, it) {
        struct local_function *f = local_function_of(it);

        if (uses(f, r->secret->name, r->secret->namespace_) &&
            local_function_refresh_secrets(f, r->err) < 0) {
            faas_error_wrap(r->err, "function \"%s\" still has the old value",
                            f->record.spec.service);
            r->rc = -1;
        }
    }
}

int local_secret_create(void *self, const struct faas_secret *s, struct faas_error *err)
{
    struct local *l = self;

    LOCAL_ADMIN(l);
    if (local_secret_exists(l->state_dir, s->namespace_, s->name))
        return faas_fail(err, FAAS_ERR_CONFLICT, "it exists already");
    if (local_secret_save(l->state_dir, s, err) < 0)
        return -1;
    local_retry(l);
    return 0;
}

int local_secret_update(void *self, const struct faas_secret *s, struct faas_error *err)
{
    struct local *l = self;
    struct refresh r = {.secret = s, .err = err};

    LOCAL_ADMIN(l);
    if (!local_secret_exists(l->state_dir, s->namespace_, s->name))
        return not_found(s->name, s->namespace_, err);
    if (local_secret_save(l->state_dir, s, err) < 0)
        return -1;
    local_call(l, refresh_call, &r);
    return r.rc;
}

struct user {
    const char *name, *ns;
    char *function; /* the first that uses it */
};

static void user_call(struct local *l, void *arg)
{
    struct user *u = arg;

    faas_list_for_each (&l->functions, it) {
        const struct local_function *f = local_function_of(it);

        if (!u->function && uses(f, u->name, u->ns))
            u->function = faas_str_dup(faas_str_from(f->record.spec.service));
    }
}

int local_secret_delete(void *self, const char *name, const char *ns, struct faas_error *err)
{
    struct user u = {.name = name, .ns = ns};
    _cleanup_free_ char *function = NULL;
    struct local *l = self;

    LOCAL_ADMIN(l);
    if (!local_secret_exists(l->state_dir, ns, name))
        return not_found(name, ns, err);
    local_call(l, user_call, &u);
    function = u.function;
    if (function)
        return faas_fail(err, FAAS_ERR_CONFLICT, "function \"%s\" uses it", function);
    return local_secret_remove(l->state_dir, ns, name, err);
}
