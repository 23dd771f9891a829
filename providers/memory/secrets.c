#include "libfaas/alloc.h"
#include "providers/memory/internal.h"

static struct faas_secret *find(const struct memory *m, const char *name, const char *ns)
{
    for (size_t i = 0; i < m->n_secrets; i++) {
        if (strcmp(m->secrets[i].name, name) == 0 && strcmp(m->secrets[i].namespace_, ns) == 0)
            return &m->secrets[i];
    }
    return NULL;
}

bool memory_has_secret(const struct memory *m, const char *name, const char *ns)
{
    return find(m, name, ns) != NULL;
}

static struct faas_secret copy(const struct faas_secret *s)
{
    struct faas_secret c = {
        .name = faas_strdup(s->name),
        .namespace_ = faas_strdup(s->namespace_),
    };

    faas_buf_append_str(&c.value, faas_buf_str(&s->value));
    return c;
}

static int not_found(const char *name, const char *ns, struct faas_error *err)
{
    return faas_fail(err, FAAS_ERR_NOT_FOUND, "no secret is named \"%s\" in namespace \"%s\"", name,
                     ns);
}

int memory_secret_list(void *self, const char *ns, struct faas_strv *names, struct faas_error *err)
{
    struct memory *m = self;

    (void)err;
    MEMORY_LOCKED(m);
    for (size_t i = 0; i < m->n_secrets; i++) {
        if (strcmp(m->secrets[i].namespace_, ns) == 0)
            faas_strv_add(names, m->secrets[i].name);
    }
    return 0;
}

int memory_secret_create(void *self, const struct faas_secret *s, struct faas_error *err)
{
    struct memory *m = self;

    MEMORY_LOCKED(m);
    if (find(m, s->name, s->namespace_))
        return faas_fail(err, FAAS_ERR_CONFLICT, "it exists already");
    m->secrets = faas_reallocarray(m->secrets, m->n_secrets + 1, sizeof(*m->secrets));
    m->secrets[m->n_secrets++] = copy(s);
    return 0;
}

int memory_secret_update(void *self, const struct faas_secret *s, struct faas_error *err)
{
    struct memory *m = self;
    struct faas_secret *old;

    MEMORY_LOCKED(m);
    old = find(m, s->name, s->namespace_);
    if (!old)
        return not_found(s->name, s->namespace_, err);
    faas_secret_deinit(old);
    *old = copy(s);
    return 0;
}

int memory_secret_remove(void *self, const char *name, const char *ns, struct faas_error *err)
{
    struct memory *m = self;
    struct faas_secret *s;

    MEMORY_LOCKED(m);
    s = find(m, name, ns);
    if (!s)
        return not_found(name, ns, err);
    for (size_t i = 0; i < m->n_fns; i++) {
        const struct faas_function_spec *spec = &m->fns[i]->spec;

        if (strcmp(spec->namespace_, ns) == 0 && faas_strv_has(&spec->secrets, name))
            return faas_fail(err, FAAS_ERR_CONFLICT, "function \"%s\" uses it", spec->service);
    }
    faas_secret_deinit(s);
    *s = m->secrets[--m->n_secrets];
    return 0;
}
