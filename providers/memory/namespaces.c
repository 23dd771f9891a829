#include "libfaas/alloc.h"
#include "providers/memory/internal.h"

static struct faas_namespace *find(const struct memory *m, const char *name)
{
    for (size_t i = 0; i < m->n_namespaces; i++)
        if (strcmp(m->namespaces[i].name, name) == 0)
            return &m->namespaces[i];
    return NULL;
}

static bool in_use(const struct memory *m, const char *name)
{
    for (size_t i = 0; i < m->n_fns; i++)
        if (strcmp(m->fns[i]->spec.namespace_, name) == 0)
            return true;
    for (size_t i = 0; i < m->n_secrets; i++)
        if (strcmp(m->secrets[i].namespace_, name) == 0)
            return true;
    return false;
}

static bool exists(const struct memory *m, const char *name)
{
    return strcmp(name, FAAS_DEFAULT_NAMESPACE) == 0 || find(m, name) || in_use(m, name);
}

static void add(struct faas_strv *out, const char *name)
{
    if (!faas_strv_has(out, name))
        faas_strv_add(out, name);
}

static int not_found(const char *name, struct faas_error *err)
{
    return faas_fail(err, FAAS_ERR_NOT_FOUND, "there is no namespace \"%s\"", name);
}

int memory_namespace_list(void *self, struct faas_strv *out, struct faas_error *err)
{
    struct memory *m = self;

    (void)err;
    MEMORY_LOCKED(m);
    add(out, FAAS_DEFAULT_NAMESPACE);
    for (size_t i = 0; i < m->n_fns; i++)
        add(out, m->fns[i]->spec.namespace_);
    for (size_t i = 0; i < m->n_secrets; i++)
        add(out, m->secrets[i].namespace_);
    for (size_t i = 0; i < m->n_namespaces; i++)
        add(out, m->namespaces[i].name);
    return 0;
}

static void copy(struct faas_namespace *into, const struct faas_namespace *from)
{
    free(into->name);
    into->name = faas_strdup(from->name);
    faas_map_copy(&into->labels, &from->labels);
    faas_map_copy(&into->annotations, &from->annotations);
}

static void put(struct memory *m, const struct faas_namespace *n)
{
    struct faas_namespace *at = find(m, n->name);

    if (!at) {
        m->namespaces =
            faas_reallocarray(m->namespaces, m->n_namespaces + 1, sizeof(*m->namespaces));
        at = &m->namespaces[m->n_namespaces++];
        *at = (struct faas_namespace){0};
    }
    copy(at, n);
}

int memory_namespace_get(void *self, const char *name, struct faas_namespace *out,
                         struct faas_error *err)
{
    const struct faas_namespace *n;
    struct memory *m = self;

    MEMORY_LOCKED(m);
    if (!exists(m, name))
        return not_found(name, err);
    n = find(m, name);
    copy(out, n ? n : &(const struct faas_namespace){.name = (char *)name});
    return 0;
}

int memory_namespace_create(void *self, const struct faas_namespace *n, struct faas_error *err)
{
    struct memory *m = self;

    MEMORY_LOCKED(m);
    if (exists(m, n->name))
        return faas_fail(err, FAAS_ERR_CONFLICT, "it exists already");
    put(m, n);
    return 0;
}

int memory_namespace_update(void *self, const struct faas_namespace *n, struct faas_error *err)
{
    struct memory *m = self;

    MEMORY_LOCKED(m);
    if (!exists(m, n->name))
        return not_found(n->name, err);
    put(m, n);
    return 0;
}

int memory_namespace_remove(void *self, const char *name, struct faas_error *err)
{
    struct faas_namespace *n;
    struct memory *m = self;

    MEMORY_LOCKED(m);
    if (in_use(m, name))
        return faas_fail(err, FAAS_ERR_CONFLICT, "it still has functions or secrets");
    n = find(m, name);
    if (!n)
        return not_found(name, err);
    faas_namespace_deinit(n);
    *n = m->namespaces[--m->n_namespaces];
    return 0;
}
