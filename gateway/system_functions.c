/* /system/functions, /system/function/{name}, /system/scale-function/{name} */
#include "gateway/system.h"

#include "gateway/async/async.h"
#include "libfaas/alloc.h"
#include "libfaas/api_types.h"

#include <stdlib.h>

static void add_invocations(struct gw *gw, struct faas_function_status *s)
{
    _cleanup_free_ char *key = faas_asprintf(
        "%s.%s", s->spec.service, s->spec.namespace_ ? s->spec.namespace_ : FAAS_DEFAULT_NAMESPACE);

    s->invocation_count = (double)gw_fn_registry_invocations(gw->functions, key);
}

static int list(struct gw_management *m, struct faas_error *err)
{
    struct faas_status_list all = {0};
    json_t *out;

    if (faas_provider_list(&m->gw->provider, gw_management_query(m, "namespace"), &all, err) < 0)
        return -1;
    out = json_array();
    for (size_t i = 0; i < all.len; i++) {
        add_invocations(m->gw, &all.items[i]);
        json_array_append_new(out, faas_function_status_to_json(&all.items[i]));
    }
    gw_management_reply_json(m, out);
    faas_status_list_deinit(&all);
    return 0;
}

/* exec_timeout beyond the gateway's own limit is honoured (the call's deadline follows it), so
 * nothing has to be refused here. */
static int put(struct gw_management *m,
               int (*op)(struct faas_provider *, const struct faas_function_spec *,
                         struct faas_error *),
               struct faas_error *err)
{
    struct faas_function_spec spec = {0};
    const char *ns;
    int rc = -1;

    if (faas_function_spec_from_json(&spec, m->body, err) == 0 &&
        gw_async_check_annotations(&spec.annotations, err) == 0 &&
        gw_management_namespace(m, &ns, err) == 0) {
        if (ns && !spec.namespace_)
            spec.namespace_ = faas_strdup(ns);
        rc = op(&m->gw->provider, &spec, err);
    }
    faas_function_spec_deinit(&spec);
    m->status = 202;
    return rc;
}

static int create(struct gw_management *m, struct faas_error *err)
{
    return put(m, faas_provider_deploy, err);
}

static int update(struct gw_management *m, struct faas_error *err)
{
    return put(m, faas_provider_update, err);
}

static int delete (struct gw_management *m, struct faas_error *err)
{
    _cleanup_free_ char *name = NULL;
    const char *ns;

    if (faas_json_get_string(m->body, "functionName", &name, err) < 0 ||
        gw_management_namespace(m, &ns, err) < 0)
        return -1;
    if (!name || !name[0])
        return faas_fail(err, FAAS_ERR_INVALID, "functionName: is missing");
    m->status = 202;
    return faas_provider_remove(&m->gw->provider, name, ns, err);
}

static int get(struct gw_management *m, struct faas_error *err)
{
    struct faas_function_status status = {0};

    if (faas_provider_get(&m->gw->provider, gw_management_param(m, 0),
                          gw_management_query(m, "namespace"), &status, err) < 0)
        return -1;
    add_invocations(m->gw, &status);
    gw_management_reply_json(m, faas_function_status_to_json(&status));
    faas_function_status_deinit(&status);
    return 0;
}

static int scale(struct gw_management *m, struct faas_error *err)
{
    uint64_t replicas = UINT64_MAX;
    const char *ns;

    if (faas_json_get_u64(m->body, "replicas", &replicas, err) < 0 ||
        gw_management_namespace(m, &ns, err) < 0)
        return -1;
    if (replicas == UINT64_MAX)
        return faas_fail(err, FAAS_ERR_INVALID, "replicas: is missing");
    m->status = 202;
    return faas_provider_scale(&m->gw->provider, gw_management_param(m, 0), ns, replicas, err);
}

const struct gw_management_call gw_functions_list = {.run = list};
const struct gw_management_call gw_functions_create = {.run = create, .json_body = true};
const struct gw_management_call gw_functions_update = {.run = update, .json_body = true};
const struct gw_management_call gw_functions_delete = {.run = delete, .json_body = true};
const struct gw_management_call gw_function_get = {.run = get};
const struct gw_management_call gw_function_scale = {.run = scale, .json_body = true};
