#include "libfaas/api_spec.h"

#include "libfaas/alloc.h"

enum field_kind { FIELD_STRING, FIELD_MAP, FIELD_STRV, FIELD_RESOURCES, FIELD_BOOL };

struct field {
    const char *key;
    enum field_kind kind;
    size_t at;
    bool always; /* on the wire even when empty: clients look into it without asking */
};

#define FIELD_AT(member) .at = offsetof(struct faas_function_spec, member)

/* In the order in which faas-cli sends them. The name comes before these: its key varies. */
static const struct field fields[] = {
    {.key = "image", .kind = FIELD_STRING, FIELD_AT(image), .always = true},
    {.key = "namespace", .kind = FIELD_STRING, FIELD_AT(namespace_)},
    {.key = "envProcess", .kind = FIELD_STRING, FIELD_AT(env_process)},
    {.key = "envVars", .kind = FIELD_MAP, FIELD_AT(env)},
    {.key = "constraints", .kind = FIELD_STRV, FIELD_AT(constraints)},
    {.key = "secrets", .kind = FIELD_STRV, FIELD_AT(secrets)},
    {.key = "labels", .kind = FIELD_MAP, FIELD_AT(labels), .always = true},
    {.key = "annotations", .kind = FIELD_MAP, FIELD_AT(annotations), .always = true},
    {.key = "limits", .kind = FIELD_RESOURCES, FIELD_AT(limits)},
    {.key = "requests", .kind = FIELD_RESOURCES, FIELD_AT(requests)},
    {.key = "readOnlyRootFilesystem", .kind = FIELD_BOOL, FIELD_AT(read_only_root)},
};

static const char *const device_keys[] = {"nvidia.com/gpu", "amd.com/gpu", "intel.com/gpu"};

#define for_each_field(f) \
    for (const struct field *f = fields; f < fields + FAAS_ARRAY_LEN(fields); f++)

static void *at(const struct faas_function_spec *s, const struct field *f)
{
    return (char *)s + f->at;
}

bool faas_resources_given(const struct faas_resources *r)
{
    return r->memory || r->cpu || r->devices.len > 0;
}

static void resources_deinit(struct faas_resources *r)
{
    free(r->memory);
    free(r->cpu);
    faas_map_deinit(&r->devices);
}

void faas_function_spec_deinit(struct faas_function_spec *s)
{
    free(s->service);
    for_each_field(f)
    {
        switch (f->kind) {
        case FIELD_STRING:
            free(*(char **)at(s, f));
            break;
        case FIELD_MAP:
            faas_map_deinit(at(s, f));
            break;
        case FIELD_STRV:
            faas_strv_deinit(at(s, f));
            break;
        case FIELD_RESOURCES:
            resources_deinit(at(s, f));
            break;
        case FIELD_BOOL:
            break;
        }
    }
    *s = (struct faas_function_spec){0};
}

static char *dup_or_null(const char *s)
{
    return s ? faas_strdup(s) : NULL;
}

static void resources_copy(struct faas_resources *into, const struct faas_resources *from)
{
    into->memory = dup_or_null(from->memory);
    into->cpu = dup_or_null(from->cpu);
    faas_map_copy(&into->devices, &from->devices);
}

void faas_function_spec_copy(struct faas_function_spec *into, const struct faas_function_spec *from)
{
    struct faas_function_spec copy = {.service = dup_or_null(from->service)};

    for_each_field(f)
    {
        switch (f->kind) {
        case FIELD_STRING:
            *(char **)at(&copy, f) = dup_or_null(*(char **)at(from, f));
            break;
        case FIELD_MAP:
            faas_map_copy(at(&copy, f), at(from, f));
            break;
        case FIELD_STRV:
            faas_strv_copy(at(&copy, f), at(from, f));
            break;
        case FIELD_RESOURCES:
            resources_copy(at(&copy, f), at(from, f));
            break;
        case FIELD_BOOL:
            *(bool *)at(&copy, f) = *(bool *)at(from, f);
            break;
        }
    }
    faas_function_spec_deinit(into); /* last, so that copying a spec onto itself works */
    *into = copy;
}

int faas_api_read_string(const json_t *obj, const char *key, char **out, struct faas_error *err)
{
    _cleanup_free_ char *s = NULL;

    if (faas_json_get_string(obj, key, &s, err) < 0)
        return -1;
    if (s && *s) {
        free(*out);
        *out = faas_steal_ptr(&s);
    }
    return 0;
}

static int read_resources(const json_t *obj, const char *key, struct faas_resources *out,
                          struct faas_error *err)
{
    const json_t *r = faas_json_get(obj, key);

    if (!r)
        return 0;
    if (faas_json_expect_object(r, key, err) < 0)
        return -1;
    if (faas_api_read_string(r, "memory", &out->memory, err) < 0 ||
        faas_api_read_string(r, "cpu", &out->cpu, err) < 0)
        return faas_error_wrap(err, "%s", key);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(device_keys); i++) {
        _cleanup_free_ char *amount = NULL;

        if (faas_api_read_string(r, device_keys[i], &amount, err) < 0)
            return faas_error_wrap(err, "%s", key);
        if (amount)
            faas_map_set(&out->devices, device_keys[i], amount);
    }
    return 0;
}

static int read_field(struct faas_function_spec *s, const json_t *j, const struct field *f,
                      struct faas_error *err)
{
    switch (f->kind) {
    case FIELD_STRING:
        return faas_api_read_string(j, f->key, at(s, f), err);
    case FIELD_MAP:
        return faas_json_get_map(j, f->key, at(s, f), err);
    case FIELD_STRV:
        return faas_json_get_strv(j, f->key, at(s, f), err);
    case FIELD_RESOURCES:
        return read_resources(j, f->key, at(s, f), err);
    case FIELD_BOOL:
        return faas_json_get_bool(j, f->key, at(s, f), err);
    }
    return 0;
}

int faas_api_spec_read(struct faas_function_spec *s, const json_t *j, const char *name_key,
                       struct faas_error *err)
{
    if (faas_json_expect_object(j, "function", err) < 0 ||
        faas_api_read_string(j, name_key, &s->service, err) < 0)
        return -1;
    for_each_field(f)
    {
        if (read_field(s, j, f, err) < 0)
            return -1;
    }
    return 0;
}

int faas_function_spec_from_json(struct faas_function_spec *s, const json_t *j,
                                 struct faas_error *err)
{
    return faas_api_spec_read(s, j, "service", err);
}

static json_t *string_node(const char *s)
{
    return faas_json_string(faas_str_from(s));
}

static json_t *resources_node(const struct faas_resources *r)
{
    json_t *obj;

    if (!faas_resources_given(r))
        return NULL;
    obj = json_object();
    if (r->memory)
        json_object_set_new(obj, "memory", string_node(r->memory));
    if (r->cpu)
        json_object_set_new(obj, "cpu", string_node(r->cpu));
    faas_map_for_each (&r->devices, e)
        json_object_set_new(obj, e->key, string_node(e->value));
    return obj;
}

/* NULL: nothing to say, and clients do not mind. */
static json_t *field_node(const struct faas_function_spec *s, const struct field *f)
{
    void *p = at(s, f);

    switch (f->kind) {
    case FIELD_STRING:
        return *(char **)p || f->always ? string_node(*(char **)p) : NULL;
    case FIELD_MAP:
        return ((struct faas_map *)p)->len > 0 || f->always ? faas_json_from_map(p) : NULL;
    case FIELD_STRV:
        return ((struct faas_strv *)p)->len > 0 ? faas_json_from_strv(p) : NULL;
    case FIELD_RESOURCES:
        return resources_node(p);
    case FIELD_BOOL:
        return *(bool *)p ? json_true() : NULL;
    }
    return NULL;
}

void faas_api_spec_write(const struct faas_function_spec *s, json_t *into, const char *name_key)
{
    json_object_set_new(into, name_key, string_node(s->service));
    for_each_field(f)
    {
        json_t *node = field_node(s, f);

        if (node)
            json_object_set_new(into, f->key, node);
    }
}

json_t *faas_function_spec_to_json(const struct faas_function_spec *s)
{
    json_t *obj = json_object();

    faas_api_spec_write(s, obj, "service");
    return obj;
}
