#include "cli/async_calls.h"

#include "cli/url.h"
#include "libfaas/alloc.h"

static char *path_of(const char *root, const char *name, const char *tail)
{
    struct faas_buf path = {0};

    faas_buf_append_z(&path, root);
    cli_url_escape(&path, faas_str_from(name));
    faas_buf_append_z(&path, tail);
    return faas_buf_steal(&path);
}

char *cli_async_path(const char *id, const char *tail)
{
    return path_of("/async-function/", id, tail);
}

char *cli_queue_path(const char *queue, const char *tail)
{
    return path_of("/system/queues/", queue, tail);
}

/* What is asked about has an id of its own: that of the question would be taken for it. */
static char *reason_of(struct faas_str body)
{
    _cleanup_json_ json_t *object = faas_json_parse(body, NULL);
    const char *error = json_string_value(json_object_get(object, "error"));

    return error ? faas_strdup(error) : faas_str_dup(faas_str_trim(body));
}

int cli_async_refuse(const struct cli_client *c, const struct faas_fetch_resp *resp,
                     struct faas_error *err)
{
    static const struct {
        int status;
        enum faas_code code;
    } told[] = {
        {400, FAAS_ERR_INVALID},     {404, FAAS_ERR_NOT_FOUND},   {409, FAAS_ERR_CONFLICT},
        {501, FAAS_ERR_UNSUPPORTED}, {503, FAAS_ERR_UNAVAILABLE},
    };

    for (size_t i = 0; i < FAAS_ARRAY_LEN(told); i++) {
        _cleanup_free_ char *reason = NULL;

        if (resp->status != told[i].status)
            continue;
        reason = reason_of(faas_buf_str(&resp->body));
        return faas_fail(err, told[i].code, "%.240s", reason);
    }
    return cli_client_refuse(c, resp, err);
}

int cli_async_call(const struct cli_client *c, const char *method, const char *path,
                   const struct faas_map *query, json_t **body, struct faas_error *err)
{
    const struct cli_call call = {
        .method = method, .path = path, .query = query, .timeout_ms = CLI_NO_TIMEOUT};
    _cleanup_resp_ struct faas_fetch_resp resp = {0};

    if (cli_client_call(c, &call, &resp, err) < 0)
        return -1;
    if (resp.status < 200 || resp.status > 299)
        return cli_async_refuse(c, &resp, err);
    if (!body)
        return 0;
    *body = faas_json_parse(faas_buf_str(&resp.body), err);
    return *body ? 0 : faas_error_wrap(err, "cannot read the gateway's answer");
}
