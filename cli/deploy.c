#include "cli/deploy.h"

#include "cli/functions.h"
#include "cli/out.h"

/* Asks for the old function to be removed; that there is none is fine. */
static void remove_old(const struct cli_client *c, const struct faas_function_spec *spec)
{
    _cleanup_json_ json_t *body = json_object();
    const struct cli_call call = {.method = "DELETE", .path = "/system/functions", .body = body};
    _cleanup_resp_ struct faas_fetch_resp resp = {0};

    json_object_set_new(body, "functionName", json_string(spec->service));
    if (spec->namespace_)
        json_object_set_new(body, "namespace", json_string(spec->namespace_));
    if (cli_client_call(c, &call, &resp, NULL) == 0 && resp.status >= 200 && resp.status <= 202)
        cli_print("Removing old function.\n");
}

/* PUT, and POST when there is nothing to update; *first is the first answer's status. */
static int send_spec(const struct cli_client *c, const struct faas_function_spec *spec, bool update,
                     struct faas_fetch_resp *resp, int *first, struct faas_error *err)
{
    _cleanup_json_ json_t *body = faas_function_spec_to_json(spec);
    struct cli_call call = {
        .method = update ? "PUT" : "POST", .path = "/system/functions", .body = body};

    if (cli_client_call(c, &call, resp, err) < 0)
        return -1;
    *first = resp->status;
    if (!update || resp->status != 404)
        return 0;
    faas_fetch_resp_deinit(resp);
    *resp = (struct faas_fetch_resp){0};
    call.method = "POST";
    return cli_client_call(c, &call, resp, err);
}

static void tell_refusal(const struct cli_client *c, const struct faas_fetch_resp *resp)
{
    _cleanup_free_ char *reason = cli_reason(faas_buf_str(&resp->body));

    if (resp->status == 401)
        cli_note("Unauthorized: run \"faas-cli login --gateway %s\" first\n", c->gateway);
    else
        cli_note("Unexpected status: %d, message: %s\n", resp->status, reason);
}

int cli_deploy(const struct cli_client *c, const struct cli_deploy_options *o,
               const struct faas_function_spec *spec)
{
    _cleanup_free_ char *qualified = cli_qualified_name(spec->service, spec->namespace_);
    _cleanup_resp_ struct faas_fetch_resp resp = {0};
    bool update = o->update && !o->replace;
    struct faas_error err = {0};
    int first = 0;

    cli_warn_if_exposed(&o->connect, c->gateway);
    if (o->replace)
        remove_old(c, spec);
    if (send_spec(c, spec, update, &resp, &first, &err) < 0) {
        cli_print_error(err.msg);
        return 500;
    }
    if (first == 200)
        cli_print("Function %s already exists, attempting rolling-update.\n", spec->service);
    cli_print("\n");
    if (cli_accepted(resp.status))
        cli_print("Deployed. %d %s.\nURL: %s/function/%s\n", resp.status,
                  cli_status_text(resp.status), c->gateway, qualified);
    else
        tell_refusal(c, &resp);
    cli_print("\n");
    return resp.status;
}
