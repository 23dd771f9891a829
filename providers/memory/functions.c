#include "libfaas/alloc.h"
#include "providers/describe.h"
#include "providers/memory/internal.h"

static void fn_free(struct memory_fn *f)
{
    for (size_t i = 0; i < f->n_endpoints; i++)
        faas_endpoint_unref(f->endpoints[i]);
    free(f->endpoints);
    faas_function_spec_deinit(&f->spec);
    free(f);
}
FAAS_DEFINE_CLEANUP(struct memory_fn *, fn_free);

void memory_functions_deinit(struct memory *m)
{
    for (size_t i = 0; i < m->n_fns; i++)
        fn_free(m->fns[i]);
    free(m->fns);
}

static size_t in_service(const struct memory_fn *f)
{
    return FAAS_MIN(f->desired, f->n_endpoints);
}

static const char *why_not_ready(const struct memory_fn *f)
{
    if (f->n_endpoints == 0)
        return "annotation " FAAS_MEMORY_UPSTREAM " names no address";
    return NULL;
}

void memory_publish_locked(struct memory *m)
{
    struct faas_snapshot *s = faas_snapshot_new();

    for (size_t i = 0; i < m->n_fns; i++) {
        const struct memory_fn *f = m->fns[i];
        struct faas_fn *fn = faas_snapshot_add(s, f->spec.service, f->spec.namespace_);
        const char *reason = why_not_ready(f);

        faas_fn_describe(fn, &f->spec, &f->spec.env);
        fn->desired = f->desired;
        fn->reason = reason ? faas_strdup(reason) : NULL;
        for (size_t e = 0; e < in_service(f); e++)
            faas_fn_add_endpoint(fn, f->endpoints[e]);
    }
    m->env.publisher.publish(m->env.publisher.arg, s);
}

static ptrdiff_t find(const struct memory *m, const char *name, const char *ns)
{
    for (size_t i = 0; i < m->n_fns; i++) {
        if (strcmp(m->fns[i]->spec.service, name) == 0 &&
            strcmp(m->fns[i]->spec.namespace_, ns) == 0)
            return (ptrdiff_t)i;
    }
    return -1;
}

struct memory_fn *memory_find_locked(const struct memory *m, const char *name, const char *ns)
{
    ptrdiff_t at = find(m, name, ns);

    return at < 0 ? NULL : m->fns[at];
}

static int not_found(const char *name, const char *ns, struct faas_error *err)
{
    return faas_fail(err, FAAS_ERR_NOT_FOUND, "no function is named \"%s\" in namespace \"%s\"",
                     name, ns);
}

static int parse_upstream(struct faas_str text, struct faas_addr *out, struct faas_error *err)
{
    ptrdiff_t colon = faas_str_rfind(text, ':');
    struct faas_str port = {.ptr = text.ptr + colon + 1, .len = text.len - (size_t)(colon + 1)};
    _cleanup_free_ char *host = NULL;
    uint64_t number = 0;

    if (colon <= 0)
        return faas_fail(err, FAAS_ERR_INVALID, "\"%.*s\" is not host:port", FAAS_STR_FMT(text));
    if (faas_parse_u64(port, &number, err) < 0)
        return -1;
    if (number == 0 || number > 65535)
        return faas_fail(err, FAAS_ERR_INVALID, "\"%.*s\" is not a port", FAAS_STR_FMT(port));
    host = faas_str_dup((struct faas_str){.ptr = text.ptr, .len = (size_t)colon});
    return faas_addr_parse(host, (unsigned)number, out, err);
}

/* An address that the old generation had keeps its endpoint, and with it the count of calls. */
static struct faas_endpoint *endpoint_for(const struct faas_addr *addr, const struct memory_fn *old)
{
    char text[64];

    for (size_t i = 0; old && i < old->n_endpoints; i++) {
        if (faas_addr_eq(&old->endpoints[i]->addr, addr))
            return faas_endpoint_ref(old->endpoints[i]);
    }
    faas_addr_format((const struct sockaddr *)&addr->ss, text);
    return faas_endpoint_new(addr, text);
}

static int resolve_upstreams(struct memory_fn *f, const struct memory_fn *old,
                             struct faas_error *err)
{
    const char *list = faas_map_get(&f->spec.annotations, FAAS_MEMORY_UPSTREAM);
    struct faas_str rest = faas_str_from(list);

    while (rest.len > 0) {
        struct faas_addr addr = {0};

        if (parse_upstream(faas_str_trim(faas_str_split(&rest, ',')), &addr, err) < 0)
            return faas_error_wrap(err, "annotation %s", FAAS_MEMORY_UPSTREAM);
        f->endpoints = faas_reallocarray(f->endpoints, f->n_endpoints + 1, sizeof(*f->endpoints));
        f->endpoints[f->n_endpoints++] = endpoint_for(&addr, old);
    }
    return 0;
}

static struct memory_fn *fn_new(const struct memory *m, const struct faas_function_spec *spec,
                                const struct memory_fn *old, struct faas_error *err)
{
    _cleanup_(fn_freep) struct memory_fn *f = faas_new(struct memory_fn);

    faas_strv_for_each(&spec->secrets, name)
    {
        if (!memory_has_secret(m, *name, spec->namespace_)) {
            faas_fail(err, FAAS_ERR_INVALID, "secret \"%s\" does not exist in namespace \"%s\"",
                      *name, spec->namespace_);
            return NULL;
        }
    }
    faas_function_spec_copy(&f->spec, spec);
    if (faas_scaling_from_labels(&spec->labels, &f->scaling, err) < 0 ||
        resolve_upstreams(f, old, err) < 0)
        return NULL;
    f->desired = faas_initial_replicas(&f->scaling, old ? old->desired : 0);
    f->created_ns = old ? old->created_ns : memory_now_ns(m);
    return faas_steal_ptr(&f);
}

int memory_deploy(void *self, const struct faas_function_spec *spec, struct faas_error *err)
{
    struct memory *m = self;
    struct memory_fn *f;

    MEMORY_LOCKED(m);
    if (find(m, spec->service, spec->namespace_) >= 0)
        return faas_fail(err, FAAS_ERR_CONFLICT, "it exists already");
    f = fn_new(m, spec, NULL, err);
    if (!f)
        return -1;
    m->fns = faas_reallocarray(m->fns, m->n_fns + 1, sizeof(*m->fns));
    m->fns[m->n_fns++] = f;
    memory_log_locked(m, spec->service, spec->namespace_, "memory", "deployed");
    memory_publish_locked(m);
    return 0;
}

int memory_update(void *self, const struct faas_function_spec *spec, struct faas_error *err)
{
    struct memory *m = self;
    struct memory_fn *f;
    ptrdiff_t at;

    MEMORY_LOCKED(m);
    at = find(m, spec->service, spec->namespace_);
    if (at < 0)
        return not_found(spec->service, spec->namespace_, err);
    f = fn_new(m, spec, m->fns[at], err);
    if (!f)
        return -1;
    fn_free(m->fns[at]);
    m->fns[at] = f;
    memory_log_locked(m, spec->service, spec->namespace_, "memory", "updated");
    memory_publish_locked(m);
    return 0;
}

int memory_remove(void *self, const char *name, const char *ns, struct faas_error *err)
{
    struct memory *m = self;
    ptrdiff_t at;

    MEMORY_LOCKED(m);
    at = find(m, name, ns);
    if (at < 0)
        return not_found(name, ns, err);
    fn_free(m->fns[at]);
    memmove(&m->fns[at], &m->fns[at + 1], (m->n_fns - (size_t)at - 1) * sizeof(*m->fns));
    m->n_fns--;
    memory_log_locked(m, name, ns, "memory", "removed");
    memory_publish_locked(m);
    return 0;
}

static void fill_status(const struct memory_fn *f, struct faas_function_status *out)
{
    const char *reason = why_not_ready(f);

    faas_function_spec_copy(&out->spec, &f->spec);
    out->replicas = f->desired;
    out->available_replicas = in_service(f);
    out->created_ns = f->created_ns;
    out->cpu_milli = -1;
    out->memory_bytes = -1;
    out->reason = reason ? faas_strdup(reason) : NULL;
}

int memory_list(void *self, const char *ns, struct faas_status_list *out, struct faas_error *err)
{
    struct memory *m = self;

    (void)err;
    MEMORY_LOCKED(m);
    for (size_t i = 0; i < m->n_fns; i++) {
        if (strcmp(m->fns[i]->spec.namespace_, ns) == 0)
            fill_status(m->fns[i], faas_status_list_add(out));
    }
    return 0;
}

int memory_get(void *self, const char *name, const char *ns, struct faas_function_status *out,
               struct faas_error *err)
{
    struct memory *m = self;
    const struct memory_fn *f;

    MEMORY_LOCKED(m);
    f = memory_find_locked(m, name, ns);
    if (!f)
        return not_found(name, ns, err);
    fill_status(f, out);
    return 0;
}

int memory_scale(void *self, const char *name, const char *ns, uint64_t replicas,
                 struct faas_error *err)
{
    struct memory *m = self;
    struct memory_fn *f;
    char text[48];

    MEMORY_LOCKED(m);
    f = memory_find_locked(m, name, ns);
    if (!f)
        return not_found(name, ns, err);
    f->desired = replicas;
    snprintf(text, sizeof(text), "scaled to %llu", (unsigned long long)replicas);
    memory_log_locked(m, name, ns, "memory", text);
    memory_publish_locked(m);
    return 0;
}
