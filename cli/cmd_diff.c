#include "cli/commands.h"

#include "cli/deployment.h"
#include "cli/diff.h"
#include "cli/functions.h"
#include "cli/out.h"
#include "libfaas/alloc.h"

struct options {
    struct cli_connect connect;
    char *namespace_;
    char *tag;
    char *env;
    bool envsubst;
};

static const char *const sides[] = {"local", "remote", "all", NULL};

static const struct cli_flag flags[] = {
    CLI_ROW_NAMESPACE(struct options),
    CLI_ROW_TAG(struct options),
    {.name = "env",
     .type = CLI_STRING,
     .at = offsetof(struct options, env),
     .dflt = "local",
     .arg = "SIDE",
     .choices = sides,
     .help = "whose environment variables count"},
    CLI_ROW_ENVSUBST(struct options),
    {0},
};

static enum cli_diff_env env_of(const char *side)
{
    if (strcmp(side, "remote") == 0)
        return CLI_DIFF_REMOTE;
    return strcmp(side, "all") == 0 ? CLI_DIFF_ALL : CLI_DIFF_LOCAL;
}

/* What is deployed in one namespace; asked for again when the next function is in another. */
struct remote {
    const struct cli_client *client;
    char *namespace_; /* NULL: not asked yet */
    struct faas_status_list list;
};

static void remote_deinit(struct remote *r)
{
    free(r->namespace_);
    faas_status_list_deinit(&r->list);
    r->namespace_ = NULL;
}

/* NULL when it is not deployed. The list rather than the single function, because some gateways
 * leave limits out of that. */
static const struct faas_function_spec *find(const struct remote *r, const char *name)
{
    for (size_t i = 0; i < r->list.len; i++)
        if (r->list.items[i].spec.service && strcmp(r->list.items[i].spec.service, name) == 0)
            return &r->list.items[i].spec;
    return NULL;
}

static int ask(struct remote *r, const char *namespace_, struct faas_error *err)
{
    const char *ns = namespace_ ? namespace_ : "";

    if (r->namespace_ && strcmp(r->namespace_, ns) == 0)
        return 0;
    remote_deinit(r);
    r->namespace_ = faas_strdup(ns);
    return cli_functions_list(r->client, ns, &r->list, err);
}

/* Shows where they differ, if they do. */
static bool differs(const struct remote *r, const struct faas_function_spec *local,
                    enum cli_diff_env env)
{
    _cleanup_(cli_diff_deinit) struct cli_diff diff = {0};
    _cleanup_buf_ struct faas_buf text = {0};
    _cleanup_free_ char *name = cli_qualified_name(local->service, local->namespace_);

    cli_diff_compare(&diff, local, find(r, local->service), env);
    if (diff.len == 0)
        return false;
    faas_buf_printf(&text, "%s\n", name);
    cli_diff_write(&text, &diff);
    cli_write(faas_buf_str(&text));
    return true;
}

static int compare(struct remote *r, const struct options *o, const struct cli_function *fn,
                   bool *differ, struct faas_error *err)
{
    /* Environment files and templates are left out: what they add is no part of the stack file. */
    const struct cli_deploy_options from = {.namespace_ = o->namespace_, .tag = o->tag};
    struct cli_function own = *fn; /* borrows everything */
    _cleanup_(faas_function_spec_deinit) struct faas_function_spec local = {0};

    own.environment_file = (struct faas_strv){0};
    if (cli_deployment_from_function(&own, &from, &local, err) < 0 ||
        ask(r, local.namespace_, err) < 0)
        return -1;
    if (differs(r, &local, env_of(o->env)))
        *differ = true;
    return 0;
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_stack_ struct cli_stack stack = {0};
    _cleanup_client_ struct cli_client client = {0};
    _cleanup_(remote_deinit) struct remote remote = {.client = &client};
    bool differ = false;

    if (cli_load_stack(cli, o->envsubst, &stack, err) < 0)
        return -1;
    if (stack.n_functions == 0)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "there is no stack file to compare; name one with --yaml");
    if (cli_client_open(&client, &o->connect, &stack, err) < 0)
        return -1;
    for (size_t i = 0; i < stack.n_functions; i++)
        if (compare(&remote, o, &stack.functions[i], &differ, err) < 0)
            return -1;
    if (differ)
        return faas_fail(err, FAAS_ERR_CONFLICT, "Differences found");
    cli_print("The stack file matches what is deployed.\n");
    return 0;
}

const struct cli_command cli_cmd_diff = {
    .name = "diff",
    .summary = "Compare the stack file with what is deployed",
    .description = "Shows where the functions of the stack file and those of the gateway differ. "
                   "Any difference is exit status 1.",
    .example = "faas-cli diff\n"
               "faas-cli diff --env all --filter hello",
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags, offsetof(struct options, connect)},
              {cli_token_flags, offsetof(struct options, connect)},
              {flags, 0}},
    .run = run,
};
