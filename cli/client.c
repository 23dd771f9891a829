#include "cli/client.h"

#include "cli/config.h"
#include "cli/out.h"
#include "cli/url.h"
#include "libfaas/alloc.h"
#include "libfaas/version.h"

static char *authorization_of(const struct cli_auth *saved)
{
    if (!saved)
        return NULL;
    return faas_asprintf("%s %s", strcmp(saved->kind, "basic") == 0 ? "Basic" : "Bearer",
                         saved->token);
}

int cli_client_open_url(struct cli_client *c, const struct cli_connect *connect,
                        const char *gateway, struct faas_error *err)
{
    _cleanup_config_ struct cli_config config = {0};
    bool own_token = connect->token && *connect->token;
    const struct cli_auth *saved;

    /* Without a home there are no logins, which is no reason not to ask the gateway. */
    if (cli_config_load(&config, err) < 0 && err->code != FAAS_ERR_NOT_FOUND)
        return -1;
    saved = own_token ? NULL : cli_config_find(&config, gateway);
    if (saved && cli_auth_check(saved, err) < 0)
        return -1;
    *c = (struct cli_client){.gateway = faas_strdup(gateway),
                             .authorization = own_token ? faas_asprintf("Bearer %s", connect->token)
                                                        : authorization_of(saved),
                             .insecure_tls = connect->tls_no_verify,
                             .timeout_ms = CLI_TIMEOUT_MS};
    return 0;
}

int cli_client_open(struct cli_client *c, const struct cli_connect *connect,
                    const struct cli_stack *stack, struct faas_error *err)
{
    _cleanup_free_ char *gateway = cli_connect_gateway(connect, stack, err);

    return gateway ? cli_client_open_url(c, connect, gateway, err) : -1;
}

void cli_client_close(struct cli_client *c)
{
    free(c->gateway);
    free(c->authorization);
    *c = (struct cli_client){0};
}

/* FAAS_DEBUG=1 shows requests; never a credential or a body, which may be a secret's value. */
static void debug(const struct faas_fetch_req *req, size_t body_len)
{
    const char *on = getenv("FAAS_DEBUG");

    if (!on || strcmp(on, "1") != 0)
        return;
    cli_note("%s %s\n", req->method, req->url);
    faas_strv_for_each(req->headers, header)
    {
        static const char secret[] = "Authorization: ";
        bool hide = strncmp(*header, secret, strlen(secret)) == 0;
        size_t shown = strlen(*header);

        if (hide) /* all but "Basic" or "Bearer" */
            shown = strlen(secret) + strcspn(*header + strlen(secret), " ");
        cli_note("%.*s%s\n", (int)shown, *header, hide ? " REDACTED" : "");
    }
    cli_note("(%zu bytes)\n\n", body_len);
}

static const char *hint(const char *gateway, enum faas_code code)
{
    if (code != FAAS_ERR_BAD_GATEWAY)
        return "Is the gateway running? Start one with faas-gateway, or name another with "
               "--gateway "
               "or OPENFAAS_URL.";
    if (strncmp(gateway, "https://", 8) == 0)
        return "SSL_CERT_FILE names certificates to trust, --tls-no-verify trusts any; a gateway "
               "without TLS has an http:// URL.";
    return "Is it a gateway that listens there? Name another with --gateway or OPENFAAS_URL.";
}

int cli_unreachable(const char *gateway, struct faas_error *err)
{
    struct faas_error why = *err;

    if (why.code == FAAS_ERR_TIMEOUT)
        return faas_fail(err, why.code, "no answer in time from OpenFaaS on URL: %s: %s", gateway,
                         why.msg);
    return faas_fail(err, why.code, "Cannot connect to OpenFaaS on URL: %s\n%s\n%s", gateway,
                     why.msg, hint(gateway, why.code));
}

static int64_t timeout_of(const struct cli_client *c, const struct cli_call *call)
{
    if (call->timeout_ms == 0)
        return c->timeout_ms;
    return call->timeout_ms == CLI_NO_TIMEOUT ? 0 : call->timeout_ms;
}

/* Only what changes nothing is asked elsewhere; the list of functions proves a login, so it has to
 * come from the gateway that was named. */
static unsigned redirects_of(const struct cli_call *call)
{
    enum { MOST = 10 };
    bool list = strcmp(call->path, "/system/functions") == 0;

    return strcmp(call->method, "GET") == 0 && !list ? MOST : 0;
}

int cli_client_call(const struct cli_client *c, const struct cli_call *call,
                    struct faas_fetch_resp *resp, struct faas_error *err)
{
    _cleanup_free_ char *agent = faas_asprintf("faas-cli/%s", faas_version());
    _cleanup_buf_ struct faas_buf url = {0}, body = {0};
    _cleanup_strv_ struct faas_strv headers = {0};
    struct faas_fetch_req req = {.method = call->method,
                                 .headers = &headers,
                                 .body_fd = call->body_fd,
                                 .timeout_ms = timeout_of(c, call),
                                 .insecure_tls = c->insecure_tls,
                                 .user_agent = agent,
                                 .max_redirects = redirects_of(call),
                                 .max_body = call->max_body,
                                 .sink = call->sink,
                                 .on_status = call->on_status,
                                 .arg = call->arg};

    faas_buf_printf(&url, "%s%s", c->gateway, call->path);
    cli_url_append_query(&url, call->query);
    req.url = url.data;
    if (c->authorization)
        faas_strv_addf(&headers, "Authorization: %s", c->authorization);
    if (call->body) {
        faas_json_write(&body, call->body, 0);
        req.body = faas_buf_str(&body);
    }
    if (call->body || call->body_fd > 0)
        faas_strv_addf(&headers, "Content-Type: %s",
                       call->content_type ? call->content_type : "application/json");
    debug(&req, body.len);
    return faas_fetch(&req, resp, err) == 0 ? 0 : cli_unreachable(c->gateway, err);
}

json_t *cli_client_get(const struct cli_client *c, const char *path, const struct faas_map *query,
                       struct faas_error *err)
{
    const struct cli_call call = {.method = "GET", .path = path, .query = query};
    _cleanup_resp_ struct faas_fetch_resp resp = {0};
    json_t *answer;

    if (cli_client_call(c, &call, &resp, err) < 0)
        return NULL;
    if (resp.status != 200) {
        cli_client_refuse(c, &resp, err);
        return NULL;
    }
    answer = faas_json_parse(faas_buf_str(&resp.body), err);
    if (!answer)
        faas_error_wrap(err, "cannot read the answer of %s%s", c->gateway, path);
    return answer;
}

char *cli_reason(struct faas_str body)
{
    struct faas_str text = faas_str_trim(body);
    _cleanup_json_ json_t *object =
        faas_str_starts(text, FAAS_STR("{")) ? faas_json_parse(text, NULL) : NULL;
    const char *error = json_string_value(json_object_get(object, "error"));
    const char *call_id = json_string_value(json_object_get(object, "call_id"));

    if (!error)
        return faas_str_dup(text);
    return call_id ? faas_asprintf("%s (call id %s)", error, call_id) : faas_strdup(error);
}

int cli_client_refuse(const struct cli_client *c, const struct faas_fetch_resp *resp,
                      struct faas_error *err)
{
    _cleanup_free_ char *reason = cli_reason(faas_buf_str(&resp->body));
    _cleanup_free_ char *text = NULL;

    if (resp->status == 401)
        return faas_fail(err, FAAS_ERR_UNAUTHORIZED,
                         "unauthorized: run \"faas-cli login --gateway %s\" first", c->gateway);
    /* An error holds 256 bytes; people get all of it. */
    text = faas_asprintf("server returned unexpected status code: %d - %s", resp->status, reason);
    cli_print_error(text);
    return cli_fail_told(err);
}

const char *cli_status_text(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 202:
        return "Accepted";
    default:
        return "";
    }
}
