#include "cli/commands.h"

#include "cli/functions.h"
#include "cli/out.h"
#include "cli/url.h"
#include "libfaas/alloc.h"

struct options {
    struct cli_connect connect;
    char *namespace_;
    bool envsubst;
};

static const struct cli_flag flags[] = {
    CLI_ROW_NAMESPACE(struct options),
    CLI_ROW_ENVSUBST(struct options),
    {0},
};

static int scale(const struct cli_client *c, const struct options *o, const char *name,
                 uint64_t replicas, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf path = {0};
    _cleanup_json_ json_t *body =
        json_pack("{s:s,s:I}", "serviceName", name, "replicas", (json_int_t)replicas);
    _cleanup_resp_ struct faas_fetch_resp resp = {0};
    struct cli_call call = {.method = "POST", .body = body};

    if (o->namespace_ && *o->namespace_)
        json_object_set_new(body, "namespace", json_string(o->namespace_));
    faas_buf_append_z(&path, "/system/scale-function/");
    cli_url_escape(&path, faas_str_from(name));
    call.path = path.data;
    if (cli_client_call(c, &call, &resp, err) < 0)
        return -1;
    if (resp.status == 404)
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "No such function: %s", name);
    if (!cli_accepted(resp.status))
        return cli_client_refuse(c, &resp, err);
    cli_print("Scaled. %d %s.\n", resp.status, cli_status_text(resp.status));
    return 0;
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    const char *name = cli->args.items[0];
    _cleanup_free_ char *qualified = cli_qualified_name(name, o->namespace_);
    _cleanup_stack_ struct cli_stack stack = {0};
    _cleanup_client_ struct cli_client client = {0};
    uint64_t replicas;

    if (faas_parse_u64(faas_str_from(cli->args.items[1]), &replicas, err) < 0 ||
        replicas > FAAS_MAX_REPLICAS)
        return faas_fail(err, FAAS_ERR_INVALID, "REPLICAS: \"%s\" is not a number from 0 to %d",
                         cli->args.items[1], FAAS_MAX_REPLICAS);
    if (cli_load_stack(cli, o->envsubst, &stack, err) < 0 ||
        cli_client_open(&client, &o->connect, &stack, err) < 0)
        return -1;
    cli_print("Scaling: %s to %llu.\n", qualified, (unsigned long long)replicas);
    return scale(&client, o, name, replicas, err);
}

const struct cli_command cli_cmd_scale = {
    .name = "scale",
    .args = "NAME REPLICAS",
    .min_args = 2,
    .max_args = 2,
    .summary = "Change how many replicas a function has",
    .description = "Starts or ends replicas until there are so many. 0 is allowed: the next call "
                   "starts one again.",
    .example = "faas-cli scale hello-python 3\n"
               "faas-cli scale hello-python 0 --namespace staging",
    .completes = CLI_FUNCTIONS,
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};
