/* /system/namespaces, /system/namespace/{name} */
#include "gateway/system.h"

#include "libfaas/api_types.h"

static int list(struct gw_management *m, struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv names = {0};

    if (faas_provider_namespace_list(&m->gw->provider, &names, err) < 0)
        return -1;
    gw_management_reply_json(m, faas_json_from_strv(&names));
    return 0;
}

static int get(struct gw_management *m, struct faas_error *err)
{
    struct faas_namespace n = {0};
    int rc = faas_provider_namespace_get(&m->gw->provider, gw_management_param(m, 0), &n, err);

    if (rc == 0)
        gw_management_reply_json(m, faas_namespace_to_json(&n));
    faas_namespace_deinit(&n);
    return rc;
}

/* On clusters the mark tells namespaces for functions from all others, so clients always send it:
 * as a label or as an annotation, depending on their age. */
static int read_body(const struct gw_management *m, struct faas_namespace *n,
                     struct faas_error *err)
{
    if (faas_namespace_from_json(n, m->body, err) < 0)
        return -1;
    if (faas_namespace_is_marked(n))
        return 0;
    return faas_fail(err, FAAS_ERR_INVALID,
                     "namespace %s: it needs the label or annotation openfaas: \"1\"", n->name);
}

static int create(struct gw_management *m, struct faas_error *err)
{
    struct faas_namespace n = {0};
    int rc = read_body(m, &n, err);

    if (rc == 0)
        rc = faas_provider_namespace_create(&m->gw->provider, &n, err);
    faas_namespace_deinit(&n);
    m->status = 201;
    return rc;
}

static int update(struct gw_management *m, struct faas_error *err)
{
    const char *name = gw_management_param(m, 0);
    struct faas_namespace n = {0};
    int rc = read_body(m, &n, err);

    if (rc == 0 && strcmp(n.name, name) != 0)
        rc = faas_fail(err, FAAS_ERR_INVALID, "name: \"%s\" is not that of the path, \"%s\"",
                       n.name, name);
    if (rc == 0)
        rc = faas_provider_namespace_update(&m->gw->provider, &n, err);
    faas_namespace_deinit(&n);
    m->status = 202;
    return rc;
}

/* Some clients send a body with the name and the mark; the path says it all. */
static int delete (struct gw_management *m, struct faas_error *err)
{
    m->status = 202;
    return faas_provider_namespace_remove(&m->gw->provider, gw_management_param(m, 0), err);
}

const struct gw_management_call gw_namespaces_list = {.run = list};
const struct gw_management_call gw_namespace_get = {.run = get};
const struct gw_management_call gw_namespace_create = {.run = create, .json_body = true};
const struct gw_management_call gw_namespace_update = {.run = update, .json_body = true};
const struct gw_management_call gw_namespace_delete = {.run = delete};
