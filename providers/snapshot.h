/* The function table: an immutable, reference-counted picture of every function
 * and where it answers. A provider builds one and publishes it; each loop of the gateway holds its
 * own reference and looks functions up by hash, without locks or I/O. */
#ifndef FAAS_PROVIDERS_SNAPSHOT_H
#define FAAS_PROVIDERS_SNAPSHOT_H

#include "libfaas/api_types.h"
#include "providers/endpoint.h"

struct faas_fn {
    char *key; /* "name.namespace" */
    char *name;
    char *namespace_;
    struct faas_map labels;
    struct faas_map annotations;
    struct faas_scaling scaling;
    int64_t exec_timeout_ms;          /* from the function's environment; 0: none known */
    uint64_t desired;                 /* replicas asked for */
    struct faas_endpoint **endpoints; /* the ready ones; references */
    size_t n_endpoints;
    char *reason; /* why none is ready, or NULL */
    void *user;   /* whoever takes the published snapshot may set it, before sharing it further */
};

struct faas_snapshot;

/* --- building: one thread --- */
struct faas_snapshot *faas_snapshot_new(void);
/* A zeroed function with key, name and namespace set; valid until publish, addresses stable. */
struct faas_fn *faas_snapshot_add(struct faas_snapshot *s, const char *name, const char *ns);
void faas_fn_add_endpoint(struct faas_fn *fn,
                          struct faas_endpoint *e); /* takes a reference of its own */

/* --- sharing: any thread --- */
struct faas_snapshot *faas_snapshot_ref(struct faas_snapshot *s);
void faas_snapshot_unref(struct faas_snapshot *s);
const struct faas_fn *faas_snapshot_find(const struct faas_snapshot *s, struct faas_str name,
                                         struct faas_str ns); /* or NULL */
size_t faas_snapshot_len(const struct faas_snapshot *s);
const struct faas_fn *faas_snapshot_at(const struct faas_snapshot *s, size_t i);

#endif
