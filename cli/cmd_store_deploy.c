#include "cli/commands.h"

#include "cli/cmd_deploy.h"
#include "cli/deploy.h"
#include "cli/store.h"
#include "libfaas/alloc.h"

struct options {
    struct cli_store_options store;
    struct cli_deploy_options deploy;
};

/* What the store says, where the flags did not say it better: they win for the environment, but
 * not for labels and annotations, which the function may stand on. */
static int add_store(struct faas_function_spec *spec, const struct cli_store_function *f,
                     struct faas_error *err)
{
    _cleanup_map_ struct faas_map environment = {0}, labels = {0}, annotations = {0};

    if (faas_json_get_map(f->json, "environment", &environment, err) < 0 ||
        faas_json_get_map(f->json, "labels", &labels, err) < 0 ||
        faas_json_get_map(f->json, "annotations", &annotations, err) < 0)
        return faas_error_wrap(err, "the store's %s", f->name);
    faas_map_merge(&environment, &spec->env);
    faas_map_copy(&spec->env, &environment);
    faas_map_merge(&spec->labels, &labels);
    faas_map_merge(&spec->annotations, &annotations);
    if (*f->fprocess) {
        free(spec->env_process);
        spec->env_process = faas_strdup(f->fprocess);
    }
    spec->read_only_root = f->read_only;
    return 0;
}

static int make_spec(struct faas_function_spec *spec, const struct options *o,
                     const struct cli_store_function *f, struct faas_error *err)
{
    struct cli_deploy_options from = o->deploy; /* borrows everything */

    from.image = (char *)cli_store_image(f, o->store.platform);
    if (!from.name || !*from.name)
        from.name = (char *)f->name;
    if (cli_deployment_from_flags(&from, spec, err) < 0)
        return -1;
    return add_store(spec, f, err);
}

static int deploy(const struct options *o, const struct cli_store_function *f,
                  struct faas_error *err)
{
    _cleanup_client_ struct cli_client client = {0};
    struct faas_function_spec spec = {0};
    int rc = make_spec(&spec, o, f, err);
    int status = 0;

    if (rc == 0)
        rc = cli_client_open(&client, &o->deploy.connect, NULL, err);
    client.timeout_ms = o->deploy.timeout_ms;
    if (rc == 0)
        status = cli_deploy(&client, &o->deploy, &spec);
    if (rc == 0 && !cli_accepted(status))
        rc = faas_fail(err, FAAS_ERR_BAD_GATEWAY,
                       "function '%s' failed to deploy with status code: %d", spec.service, status);
    faas_function_spec_deinit(&spec);
    return rc;
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    _cleanup_store_ struct cli_store store = {0};
    const struct cli_store_function *f;

    if (cli_store_load(&store, o->store.url, err) < 0)
        return -1;
    f = cli_store_find(&store, cli->args.items[0], o->store.platform, err);
    return f ? deploy(o, f, err) : -1;
}

const struct cli_command cli_cmd_store_deploy = {
    .name = "deploy",
    .args = "NAME|TITLE",
    .min_args = 1,
    .max_args = 1,
    .summary = "Deploy a function of the store",
    .description = "Deploys a function as the store describes it. Its image has to be one that the "
                   "gateway's provider can run.",
    .example = "faas-cli store deploy figlet\n"
               "faas-cli store deploy figlet --name banner --env write_timeout=10s",
    .completes = CLI_STORE_FUNCTIONS,
    .options_size = sizeof(struct options),
    .flags = {{cli_store_flags, offsetof(struct options, store)},
              {cli_gateway_flags_alone, offsetof(struct options, deploy.connect)},
              {cli_token_flags, offsetof(struct options, deploy.connect)},
              {cli_deployment_flags, offsetof(struct options, deploy)},
              {cli_resource_flags, offsetof(struct options, deploy.resources)}},
    .run = run,
};
