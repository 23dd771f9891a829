#include "cli/namespace.h"

#include "libfaas/alloc.h"
#include "libfaas/api_types.h"

const struct cli_flag cli_namespace_flags[] = {
    {.name = "label",
     .letter = 'l',
     .type = CLI_PAIRS,
     .at = offsetof(struct cli_namespace_options, labels),
     .arg = "KEY=VALUE",
     .help = "label of the namespace"},
    {.name = "annotation",
     .type = CLI_PAIRS,
     .at = offsetof(struct cli_namespace_options, annotations),
     .arg = "KEY=VALUE",
     .help = "annotation of the namespace"},
    {0},
};

/* What makes a namespace one for functions, for every gateway that has ever asked for it. */
static json_t *marked(const struct faas_map *map)
{
    json_t *out = map ? faas_json_from_map(map) : json_object();

    json_object_set_new(out, "openfaas", json_string("1"));
    return out;
}

static int send_call(const struct cli_client *c, const char *method, const char *name,
                     const json_t *body, struct faas_fetch_resp *resp, struct faas_error *err)
{
    bool create = strcmp(method, "POST") == 0;
    _cleanup_free_ char *path = faas_asprintf("/system/namespace/%s", create ? "" : name);
    const struct cli_call call = {.method = method, .path = path, .body = body};

    /* It becomes a part of the path. */
    if (faas_validate_name("namespace", faas_str_from(name), err) < 0 ||
        cli_client_call(c, &call, resp, err) < 0)
        return -1;
    if (resp->status == 404 && !create)
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "unable to find namespace: %s", name);
    if (resp->status == 409 && create)
        return faas_fail(err, FAAS_ERR_CONFLICT, "namespace \"%s\" already exists", name);
    return cli_accepted(resp->status) ? 0 : cli_client_refuse(c, resp, err);
}

json_t *cli_namespaces_ask(const struct cli_client *c, struct faas_error *err)
{
    json_t *list = cli_client_get(c, "/system/namespaces", NULL, err);

    if (!list || json_is_array(list))
        return list;
    json_decref(list);
    faas_fail(err, FAAS_ERR_BAD_GATEWAY, "the gateway's answer is not a list");
    return NULL;
}

int cli_namespace_put(const struct cli_client *c, const char *method, const char *name,
                      const struct cli_namespace_options *o, struct faas_error *err)
{
    _cleanup_json_ json_t *body = json_pack("{s:s,s:o,s:o}", "name", name, "annotations",
                                            marked(&o->annotations), "labels", marked(&o->labels));
    _cleanup_resp_ struct faas_fetch_resp resp = {0};

    return send_call(c, method, name, body, &resp, err);
}

int cli_namespace_remove(const struct cli_client *c, const char *name, struct faas_error *err)
{
    _cleanup_json_ json_t *body = json_pack("{s:s,s:o}", "name", name, "labels", marked(NULL));
    _cleanup_resp_ struct faas_fetch_resp resp = {0};

    return send_call(c, "DELETE", name, body, &resp, err);
}

json_t *cli_namespace_get(const struct cli_client *c, const char *name, struct faas_error *err)
{
    _cleanup_resp_ struct faas_fetch_resp resp = {0};
    json_t *answer;

    if (send_call(c, "GET", name, NULL, &resp, err) < 0)
        return NULL;
    answer = faas_json_parse(faas_buf_str(&resp.body), err);
    if (!answer)
        faas_error_wrap(err, "cannot read the gateway's answer");
    return answer;
}
