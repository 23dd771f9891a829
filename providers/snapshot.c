#include "providers/snapshot.h"

#include "libfaas/alloc.h"

#include <stdatomic.h>
#include <stdlib.h>

struct faas_snapshot {
    atomic_uint refs;
    struct faas_fn **fns; /* in the order of adding */
    size_t len, cap;
    struct faas_fn **slots; /* open addressing by hash of (name, namespace); at most half full */
    size_t n_slots;         /* a power of two, or 0 */
};

static uint64_t hash_part(uint64_t h, struct faas_str s)
{
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.ptr[i]) * UINT64_C(1099511628211); /* FNV-1a */
    return h;
}

static size_t first_slot(const struct faas_snapshot *s, struct faas_str name, struct faas_str ns)
{
    uint64_t h = hash_part(UINT64_C(14695981039346656037), name);

    h = hash_part(hash_part(h, FAAS_STR(".")), ns);
    return (size_t)(h ^ h >> 32) & (s->n_slots - 1);
}

static void place(struct faas_snapshot *s, struct faas_fn *fn)
{
    size_t at = first_slot(s, faas_str_from(fn->name), faas_str_from(fn->namespace_));

    while (s->slots[at])
        at = (at + 1) & (s->n_slots - 1);
    s->slots[at] = fn;
}

static void grow(struct faas_snapshot *s)
{
    free(s->slots);
    s->n_slots = s->n_slots ? s->n_slots * 2 : 16;
    s->slots = faas_zalloc(s->n_slots * sizeof(struct faas_fn *));
    for (size_t i = 0; i < s->len; i++)
        place(s, s->fns[i]);
}

struct faas_snapshot *faas_snapshot_new(void)
{
    struct faas_snapshot *s = faas_new(struct faas_snapshot);

    atomic_init(&s->refs, 1);
    return s;
}

struct faas_fn *faas_snapshot_add(struct faas_snapshot *s, const char *name, const char *ns)
{
    struct faas_fn *fn = faas_new(struct faas_fn);

    fn->key = faas_asprintf("%s.%s", name, ns);
    fn->name = faas_strdup(name);
    fn->namespace_ = faas_strdup(ns);
    if ((s->len + 1) * 2 > s->n_slots)
        grow(s);
    if (s->len == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 16;
        s->fns = faas_reallocarray(s->fns, s->cap, sizeof(struct faas_fn *));
    }
    s->fns[s->len++] = fn;
    place(s, fn);
    return fn;
}

void faas_fn_add_endpoint(struct faas_fn *fn, struct faas_endpoint *e)
{
    fn->endpoints =
        faas_reallocarray(fn->endpoints, fn->n_endpoints + 1, sizeof(struct faas_endpoint *));
    fn->endpoints[fn->n_endpoints++] = faas_endpoint_ref(e);
}

static void free_fn(struct faas_fn *fn)
{
    for (size_t i = 0; i < fn->n_endpoints; i++)
        faas_endpoint_unref(fn->endpoints[i]);
    free(fn->endpoints);
    faas_map_deinit(&fn->labels);
    faas_map_deinit(&fn->annotations);
    free(fn->key);
    free(fn->name);
    free(fn->namespace_);
    free(fn->reason);
    free(fn);
}

struct faas_snapshot *faas_snapshot_ref(struct faas_snapshot *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void faas_snapshot_unref(struct faas_snapshot *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < s->len; i++)
        free_fn(s->fns[i]);
    free(s->fns);
    free(s->slots);
    free(s);
}

const struct faas_fn *faas_snapshot_find(const struct faas_snapshot *s, struct faas_str name,
                                         struct faas_str ns)
{
    if (s->n_slots == 0)
        return NULL;
    for (size_t at = first_slot(s, name, ns); s->slots[at]; at = (at + 1) & (s->n_slots - 1)) {
        const struct faas_fn *fn = s->slots[at];

        if (faas_str_eqz(name, fn->name) && faas_str_eqz(ns, fn->namespace_))
            return fn;
    }
    return NULL;
}

size_t faas_snapshot_len(const struct faas_snapshot *s)
{
    return s->len;
}

const struct faas_fn *faas_snapshot_at(const struct faas_snapshot *s, size_t i)
{
    return s->fns[i];
}
