#include "cli/commands.h"

#include "cli/client.h"
#include "cli/out.h"
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

static int remove_function(const struct cli_client *c, const char *name, const char *namespace_,
                           struct faas_error *err)
{
    _cleanup_json_ json_t *body = json_object();
    const struct cli_call call = {.method = "DELETE", .path = "/system/functions", .body = body};
    _cleanup_resp_ struct faas_fetch_resp resp = {0};

    json_object_set_new(body, "functionName", json_string(name));
    if (*namespace_)
        json_object_set_new(body, "namespace", json_string(namespace_));
    cli_print("Deleting: %s.%s\n", name, namespace_);
    if (cli_client_call(c, &call, &resp, err) < 0)
        return -1;
    if (resp.status == 404)
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "no existing function to remove: %s", name);
    if (!cli_accepted(resp.status))
        return cli_client_refuse(c, &resp, err);
    cli_print("Removing old function.\n");
    return 0;
}

static const char *choose_namespace(const struct options *o, const struct cli_function *fn)
{
    if (o->namespace_ && *o->namespace_)
        return o->namespace_;
    return fn && fn->namespace_ ? fn->namespace_ : "";
}

static int remove_one(const struct options *o, const char *name, struct faas_error *err)
{
    _cleanup_client_ struct cli_client client = {0};

    if (cli_client_open(&client, &o->connect, NULL, err) < 0)
        return -1;
    return remove_function(&client, name, choose_namespace(o, NULL), err);
}

/* All are tried; what went wrong is told at once, and the command fails in the end. */
static int remove_all(const struct options *o, const struct cli_stack *stack,
                      struct faas_error *err)
{
    _cleanup_client_ struct cli_client client = {0};
    bool failed = false;

    if (cli_client_open(&client, &o->connect, stack, err) < 0)
        return -1;
    for (size_t i = 0; i < stack->n_functions; i++) {
        const struct cli_function *fn = &stack->functions[i];
        struct faas_error why = {0};

        if (remove_function(&client, fn->name, choose_namespace(o, fn), &why) == 0)
            continue;
        failed = true;
        if (*why.msg)
            cli_print_error(why.msg);
    }
    return failed ? cli_fail_told(err) : 0;
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_stack_ struct cli_stack stack = {0};

    if (cli->args.len > 0)
        return remove_one(o, cli->args.items[0], err);
    if (cli_load_stack(cli, o->envsubst, &stack, err) < 0)
        return -1;
    if (stack.n_functions == 0)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "give the name of a function, or a stack file with --yaml");
    return remove_all(o, &stack, err);
}

const struct cli_command cli_cmd_remove = {
    .name = "remove",
    .aliases = {"rm", "delete"},
    .args = "[NAME]",
    .max_args = 1,
    .summary = "Remove functions",
    .description = "Removes one function, or without a name all of the stack file.",
    .example = "faas-cli remove hello-python\n"
               "faas-cli remove -f stack.yml",
    .completes = CLI_FUNCTIONS,
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};
