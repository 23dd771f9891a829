#include "cli/functions.h"

#include "cli/url.h"
#include "libfaas/alloc.h"

/* Maps are shown by key, in tables and in JSON, as Go's are. */
static int read_status(struct faas_function_status *out, const json_t *answer,
                       struct faas_error *err)
{
    if (faas_function_status_from_json(out, answer, err) < 0)
        return faas_error_wrap(err, "cannot read the gateway's answer");
    faas_map_sort(&out->spec.env);
    faas_map_sort(&out->spec.labels);
    faas_map_sort(&out->spec.annotations);
    return 0;
}

int cli_functions_list(const struct cli_client *c, const char *namespace_,
                       struct faas_status_list *out, struct faas_error *err)
{
    _cleanup_map_ struct faas_map query = {0};
    _cleanup_json_ json_t *answer = NULL;
    const json_t *item;
    size_t i;

    if (namespace_ && *namespace_)
        faas_map_set(&query, "namespace", namespace_);
    answer = cli_client_get(c, "/system/functions", &query, err);
    if (!answer)
        return -1;
    if (!json_is_array(answer))
        return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "the gateway's answer is not a list");
    json_array_foreach(answer, i, item)
    {
        if (read_status(faas_status_list_add(out), item, err) < 0)
            return -1;
    }
    return 0;
}

int cli_functions_get(const struct cli_client *c, const char *name, const char *namespace_,
                      struct faas_function_status *out, struct faas_error *err)
{
    _cleanup_map_ struct faas_map query = {0};
    _cleanup_buf_ struct faas_buf path = {0};
    _cleanup_resp_ struct faas_fetch_resp resp = {0};
    _cleanup_json_ json_t *answer = NULL;
    struct cli_call call = {.method = "GET", .query = &query};

    if (namespace_ && *namespace_)
        faas_map_set(&query, "namespace", namespace_);
    faas_map_set(&query, "usage", "1");
    faas_buf_append_z(&path, "/system/function/");
    cli_url_escape(&path, faas_str_from(name));
    call.path = path.data;
    if (cli_client_call(c, &call, &resp, err) < 0)
        return -1;
    if (resp.status == 404)
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "No such function: %s", name);
    if (resp.status != 200)
        return cli_client_refuse(c, &resp, err);
    answer = faas_json_parse(faas_buf_str(&resp.body), err);
    return answer ? read_status(out, answer, err)
                  : faas_error_wrap(err, "cannot read the gateway's answer");
}

char *cli_qualified_name(const char *name, const char *namespace_)
{
    return namespace_ && *namespace_ ? faas_asprintf("%s.%s", name, namespace_) : faas_strdup(name);
}
