#include "cli/commands.h"

#include "cli/cmd_deploy.h"
#include "cli/deploy.h"
#include "cli/out.h"
#include "libfaas/alloc.h"

const struct cli_flag cli_deployment_flags[] = {
    {.name = "name",
     .type = CLI_STRING,
     .at = offsetof(struct cli_deploy_options, name),
     .arg = "NAME",
     .help = "name of the function, without a stack file"},
    {.name = "env",
     .letter = 'e',
     .type = CLI_PAIRS,
     .at = offsetof(struct cli_deploy_options, environment),
     .arg = "KEY=VALUE",
     .help = "environment variable"},
    {.name = "label",
     .letter = 'l',
     .type = CLI_PAIRS,
     .at = offsetof(struct cli_deploy_options, labels),
     .arg = "KEY=VALUE",
     .help = "label, such as com.openfaas.scale.min=2"},
    {.name = "annotation",
     .type = CLI_PAIRS,
     .at = offsetof(struct cli_deploy_options, annotations),
     .arg = "KEY=VALUE",
     .help = "annotation"},
    {.name = "secret",
     .type = CLI_LIST,
     .at = offsetof(struct cli_deploy_options, secrets),
     .arg = "NAME",
     .help = "secret that the function may read"},
    {.name = "constraint",
     .type = CLI_LIST,
     .at = offsetof(struct cli_deploy_options, constraints),
     .arg = "TEXT",
     .help = "placement constraint"},
    CLI_ROW_NAMESPACE(struct cli_deploy_options),
    {.name = "update",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_deploy_options, update),
     .dflt = "true",
     .help = "update a function that exists, replica by replica"},
    {.name = "replace",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_deploy_options, replace),
     .help = "remove a function that exists first, instead of updating it"},
    {.name = "timeout",
     .type = CLI_DURATION,
     .at = offsetof(struct cli_deploy_options, timeout_ms),
     .dflt = "1m0s",
     .arg = "DURATION",
     .help = "longest wait for each answer of the gateway"},
    {0},
};

const struct cli_flag cli_deploy_flags[] = {
    {.name = "image",
     .type = CLI_STRING,
     .at = offsetof(struct cli_deploy_options, image),
     .arg = "IMAGE",
     .help = "image to deploy, without a stack file"},
    {.name = "fprocess",
     .type = CLI_STRING,
     .at = offsetof(struct cli_deploy_options, fprocess),
     .arg = "COMMAND",
     .help = "command that the watchdog runs, without a stack file"},
    {.name = "handler",
     .type = CLI_STRING,
     .at = offsetof(struct cli_deploy_options, handler),
     .arg = "FOLDER",
     .help = "folder of the handler (unused when deploying)"},
    {.name = "lang",
     .type = CLI_STRING,
     .at = offsetof(struct cli_deploy_options, lang),
     .arg = "TEMPLATE",
     .help = "language template (unused when deploying)"},
    {.name = "readonly",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_deploy_options, readonly),
     .help = "make the function's file system read-only"},
    CLI_ROW_TAG(struct cli_deploy_options),
    {.name = "read-template",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_deploy_options, read_template),
     .dflt = "true",
     .help = "take the command from the function's template"},
    CLI_ROW_ENVSUBST(struct cli_deploy_options),
    {.name = "network",
     .type = CLI_STRING,
     .at = offsetof(struct cli_deploy_options, network),
     .arg = "NAME",
     .help = "accepted for compatibility, not used"},
    {0},
};

/* Users may expect otherwise, scripts rely upon it. */
static void tell_unused_flags(const struct cli_deploy_options *o, const struct cli_stack *stack)
{
    if (o->image || o->name)
        cli_note("The functions of %s are deployed; --image and --name are for use without one.\n",
                 stack->file);
}

static int deploy_functions(const struct cli_client *c, const struct cli_deploy_options *o,
                            const struct cli_stack *stack, struct faas_buf *failed,
                            struct faas_error *err)
{
    tell_unused_flags(o, stack);
    for (size_t i = 0; i < stack->n_functions; i++) {
        const struct cli_function *fn = &stack->functions[i];
        struct faas_function_spec spec = {0};
        int rc, status = 0;

        cli_print("Deploying: %s.\n", fn->name);
        rc = cli_deployment_from_function(fn, o, &spec, err);
        if (rc == 0)
            status = cli_deploy(c, o, &spec);
        faas_function_spec_deinit(&spec);
        if (rc < 0)
            return -1;
        if (!cli_accepted(status))
            faas_buf_printf(failed, "function '%s' failed to deploy with status code: %d\n",
                            fn->name, status);
    }
    return 0;
}

static int deploy_flags(const struct cli_client *c, const struct cli_deploy_options *o,
                        struct faas_buf *failed, struct faas_error *err)
{
    struct faas_function_spec spec = {0};
    int rc = cli_deployment_from_flags(o, &spec, err);

    if (rc == 0) {
        int status = cli_deploy(c, o, &spec);

        if (!cli_accepted(status))
            faas_buf_printf(failed, "function '%s' failed to deploy with status code: %d\n",
                            o->name, status);
    }
    faas_function_spec_deinit(&spec);
    return rc;
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct cli_deploy_options *o = options;
    _cleanup_stack_ struct cli_stack stack = {0};
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_buf_ struct faas_buf failed = {0};
    int rc;

    if (cli_load_stack(cli, o->envsubst, &stack, err) < 0 ||
        cli_client_open(&client, &o->connect, &stack, err) < 0)
        return -1;
    client.timeout_ms = o->timeout_ms;
    rc = stack.n_functions > 0 ? deploy_functions(&client, o, &stack, &failed, err)
                               : deploy_flags(&client, o, &failed, err);
    if (failed.len == 0)
        return rc;
    cli_print_error(failed.data);
    return rc < 0 ? -1 : cli_fail_told(err);
}

const struct cli_command cli_cmd_deploy = {
    .name = "deploy",
    .summary = "Deploy functions",
    .description = "Deploys the functions of the stack file, or one that flags describe, from "
                   "images that the gateway has. A function that exists is updated.",
    .example = "faas-cli deploy\n"
               "faas-cli deploy --filter hello --env greeting=hi --label team=blue\n"
               "faas-cli deploy --image hello-python:latest --name hello-again",
    .options_size = sizeof(struct cli_deploy_options),
    .flags = {{cli_gateway_flags, offsetof(struct cli_deploy_options, connect)},
              {cli_token_flags, offsetof(struct cli_deploy_options, connect)},
              {cli_deploy_flags, 0},
              {cli_deployment_flags, 0},
              {cli_resource_flags, offsetof(struct cli_deploy_options, resources)}},
    .run = run,
};
