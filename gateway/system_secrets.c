/* /system/secrets: names go out, values only come in. */
#include "gateway/system.h"

#include "libfaas/alloc.h"
#include "libfaas/api_types.h"

#include <stdlib.h>

static int list(struct gw_management *m, struct faas_error *err)
{
    const char *ns = gw_management_query(m, "namespace");
    _cleanup_strv_ struct faas_strv names = {0};
    json_t *out;

    if (faas_provider_secret_list(&m->gw->provider, ns, &names, err) < 0)
        return -1;
    out = json_array();
    faas_strv_for_each(&names, name)
    {
        json_array_append_new(out, json_pack("{s:s, s:s}", "name", *name, "namespace",
                                             ns ? ns : m->gw->cfg->function_namespace));
    }
    gw_management_reply_json(m, out);
    return 0;
}

static int put(struct gw_management *m,
               int (*op)(struct faas_provider *, const struct faas_secret *, struct faas_error *),
               struct faas_error *err)
{
    struct faas_secret secret = {0};
    const char *ns;
    int rc = -1;

    if (faas_secret_from_json(&secret, m->body, err) == 0 &&
        gw_management_namespace(m, &ns, err) == 0) {
        if (ns && !secret.namespace_)
            secret.namespace_ = faas_strdup(ns);
        rc = op(&m->gw->provider, &secret, err);
    }
    faas_secret_deinit(&secret);
    return rc;
}

static int create(struct gw_management *m, struct faas_error *err)
{
    m->status = 201;
    return put(m, faas_provider_secret_create, err);
}

static int update(struct gw_management *m, struct faas_error *err)
{
    m->status = 202;
    return put(m, faas_provider_secret_update, err);
}

static int delete (struct gw_management *m, struct faas_error *err)
{
    _cleanup_free_ char *name = NULL;
    const char *ns;

    if (faas_json_get_string(m->body, "name", &name, err) < 0 ||
        gw_management_namespace(m, &ns, err) < 0)
        return -1;
    if (!name || !name[0])
        return faas_fail(err, FAAS_ERR_INVALID, "name: is missing");
    m->status = 202;
    return faas_provider_secret_remove(&m->gw->provider, name, ns, err);
}

const struct gw_management_call gw_secrets_list = {.run = list};
const struct gw_management_call gw_secrets_create = {.run = create, .json_body = true};
const struct gw_management_call gw_secrets_update = {.run = update, .json_body = true};
const struct gw_management_call gw_secrets_delete = {.run = delete, .json_body = true};
