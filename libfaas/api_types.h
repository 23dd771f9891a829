/* The objects of the OpenFaaS REST API and their JSON. Each struct owns its
 * strings; zero-initialised is empty and valid. Encoding follows Go's omitempty where clients
 * depend on it (spec: gateway 0.3, 1.2). */
#ifndef FAAS_API_TYPES_H
#define FAAS_API_TYPES_H

#include "libfaas/json.h"
#include "libfaas/map.h"

/* Kubernetes quantities, kept verbatim. */
struct faas_resources {
    char *memory; /* NULL: not given */
    char *cpu;
    struct faas_map devices; /* "nvidia.com/gpu", "amd.com/gpu", "intel.com/gpu" */
};
bool faas_resources_given(const struct faas_resources *r);

/* FunctionDeployment: what is asked for. */
struct faas_function_spec {
    char *service;
    char *image;
    char *namespace_; /* NULL: the provider's default */
    char *env_process;
    struct faas_map env;
    struct faas_strv constraints;
    struct faas_strv secrets;
    struct faas_map labels;
    struct faas_map annotations;
    struct faas_resources limits;
    struct faas_resources requests;
    bool read_only_root;
};

void faas_function_spec_deinit(struct faas_function_spec *s);
/* into is replaced. */
void faas_function_spec_copy(struct faas_function_spec *into,
                             const struct faas_function_spec *from);
/* INVALID names the offending key. An empty string counts as absent, an absent key leaves its field
 * alone. Does not validate values. */
FAAS_NODISCARD int faas_function_spec_from_json(struct faas_function_spec *s, const json_t *j,
                                                struct faas_error *err);
json_t *faas_function_spec_to_json(const struct faas_function_spec *s); /* as faas-cli sends it */
/* Name (DNS label, at most 63), image, quantities, env names, secret names, scaling labels
 * (min <= max …), timeouts. INVALID names the field and what it had to be. */
FAAS_NODISCARD int faas_function_spec_validate(const struct faas_function_spec *s,
                                               struct faas_error *err);

/* FunctionStatus: what is. */
struct faas_function_status {
    struct faas_function_spec spec; /* "name" on the wire instead of "service" */
    uint64_t replicas;              /* desired */
    uint64_t available_replicas;    /* ready */
    double invocation_count;
    int64_t created_ns;  /* realtime; 0: unknown, which Go writes as year 1 */
    double cpu_milli;    /* usage, sum over replicas; negative: unknown */
    double memory_bytes; /* usage is on the wire when either is above 0 */
    char *digest;        /* ours: what image resolved to at deploy; may be NULL */
    char *reason;        /* ours: why it is not ready, for people; may be NULL */
};

void faas_function_status_deinit(struct faas_function_status *s);
json_t *faas_function_status_to_json(const struct faas_function_status *s);
/* Usage that is absent reads as cpu_milli -1. */
FAAS_NODISCARD int faas_function_status_from_json(struct faas_function_status *s, const json_t *j,
                                                  struct faas_error *err);

struct faas_status_list {
    struct faas_function_status *items;
    size_t len;
};
void faas_status_list_deinit(struct faas_status_list *l);
/* Appends a zeroed one and returns it; valid until the next add. */
struct faas_function_status *faas_status_list_add(struct faas_status_list *l);

struct faas_secret {
    char *name;
    char *namespace_;
    struct faas_buf value; /* rawValue when given and not empty, else value */
};
void faas_secret_deinit(struct faas_secret *s); /* wipes the value */
/* name is required, not validated. Errors never quote the value. */
FAAS_NODISCARD int faas_secret_from_json(struct faas_secret *s, const json_t *j,
                                         struct faas_error *err);

struct faas_namespace {
    char *name;
    struct faas_map labels;
    struct faas_map annotations;
};
void faas_namespace_deinit(struct faas_namespace *n);
/* name is required, not validated. */
FAAS_NODISCARD int faas_namespace_from_json(struct faas_namespace *n, const json_t *j,
                                            struct faas_error *err);
json_t *faas_namespace_to_json(const struct faas_namespace *n);
/* Whether the label or the annotation "openfaas" is "1". */
bool faas_namespace_is_marked(const struct faas_namespace *n);

struct faas_provider_info {
    const char *provider;      /* "minnow-local" */
    const char *orchestration; /* "local" */
};

struct faas_log_message {
    const char *name, *namespace_, *instance;
    int64_t time_ns;
    struct faas_str text;
};
/* One NDJSON line, all five keys, newline included; NULL is written as "". */
void faas_log_message_write(struct faas_buf *out, const struct faas_log_message *m);

/* DNS-1123 label: [a-z0-9]([-a-z0-9]*[a-z0-9])?, 1 to 63. what names the field in the error. */
FAAS_NODISCARD int faas_validate_name(const char *what, struct faas_str name,
                                      struct faas_error *err);
/* Secret name: DNS-1123 subdomain, at most 253; no '/' and no "..". */
FAAS_NODISCARD int faas_validate_secret_name(struct faas_str name, struct faas_error *err);

#define FAAS_DEFAULT_NAMESPACE "openfaas-fn"

/* Scaling labels with their defaults applied (spec: gateway 4.1). INVALID names the label. */
struct faas_scaling {
    uint64_t min;    /* com.openfaas.scale.min, 1 */
    uint64_t max;    /* com.openfaas.scale.max, 20, or min when that is more and max is not given */
    bool zero;       /* com.openfaas.scale.zero, false */
    int64_t zero_ms; /* com.openfaas.scale.zero-duration, 15 minutes */
};
/* No label asks for more replicas than this. */
#define FAAS_MAX_REPLICAS 10000
FAAS_NODISCARD int faas_scaling_from_labels(const struct faas_map *labels, struct faas_scaling *out,
                                            struct faas_error *err);

#endif
