#include "cli/async_calls.h"

#include "cli/url.h"

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

int cli_async_call(const struct cli_client *c, const char *method, const char *path,
                   const struct faas_map *query, json_t **body, struct faas_error *err)
{
    const struct cli_call call = {
        .method = method, .path = path, .query = query, .timeout_ms = CLI_NO_TIMEOUT};
    _cleanup_resp_ struct faas_fetch_resp resp = {0};

    if (cli_client_call(c, &call, &resp, err) < 0)
        return -1;
    if (resp.status == 404 || resp.status == 409 || resp.status == 501) {
        char *reason = cli_reason(faas_buf_str(&resp.body));

        faas_fail(err, resp.status == 409 ? FAAS_ERR_CONFLICT : FAAS_ERR_NOT_FOUND, "%.200s",
                  reason);
        free(reason);
        return -1;
    }
    if (resp.status < 200 || resp.status > 299)
        return cli_client_refuse(c, &resp, err);
    if (!body)
        return 0;
    *body = faas_json_parse(faas_buf_str(&resp.body), err);
    return *body ? 0 : faas_error_wrap(err, "cannot read the gateway's answer");
}
