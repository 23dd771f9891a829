#include "cli/commands.h"

#include "cli/cmd_deploy.h"
#include "cli/cmd_publish.h"
#include "cli/cmd_push.h"
#include "cli/out.h"
#include "cli/watch.h"
#include "libfaas/alloc.h"
#include "libfaas/clock.h"

/* The stages' own options; a flag that several of them have is set in each. */
struct options {
    struct cli_build_options build;
    struct cli_push_options push;
    struct cli_deploy_options deploy;
    bool publish;
    char *platforms;
    bool skip_push;
    bool skip_deploy;
    bool watch;
};

static const struct cli_flag flags[] = {
    {.name = "publish",
     .type = CLI_BOOL,
     .at = offsetof(struct options, publish),
     .help = "publish instead of building and pushing"},
    CLI_ROW_PLATFORMS(struct options),
    {.name = "skip-push",
     .type = CLI_BOOL,
     .at = offsetof(struct options, skip_push),
     .help = "do not send anything to a registry or to the gateway's image store"},
    {.name = "skip-deploy",
     .type = CLI_BOOL,
     .at = offsetof(struct options, skip_deploy),
     .help = "do not deploy"},
    {.name = "watch",
     .type = CLI_BOOL,
     .at = offsetof(struct options, watch),
     .help = "do it again whenever a handler or the stack file changes, until Ctrl-C"},
    {0},
};

static int make(struct cli *cli, struct options *o, struct faas_error *err)
{
    const struct cli_publish_options publish = {.platforms = o->platforms};

    if (o->publish)
        return cli_build_run(cli, &o->build, &publish, err);
    if (cli_build_run(cli, &o->build, NULL, err) < 0)
        return -1;
    if (o->skip_push || o->build.shrinkwrap)
        return 0;
    return cli_cmd_push.run(cli, &o->push, err);
}

static int run_once(struct cli *cli, void *options, struct faas_error *err)
{
    struct options *o = options;

    if (make(cli, o, err) < 0)
        return -1;
    if (o->skip_deploy || o->build.shrinkwrap)
        return 0;
    return cli_cmd_deploy.run(cli, &o->deploy, err);
}

/* Chosen once, so that no stage asks the gateway again or is told otherwise. */
static int fix_builder(struct options *o, const struct cli_stack *stack, struct faas_error *err)
{
    const struct cli_builder *b =
        o->build.shrinkwrap ? &cli_bundle_builder
                            : cli_builder_choose(o->build.builder, &o->build.connect, stack, err);

    if (!b)
        return -1;
    free(o->build.builder);
    free(o->push.builder);
    o->build.builder = faas_strdup(b->name);
    o->push.builder = faas_strdup(b->name);
    return 0;
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    struct options *o = options;
    _cleanup_stack_ struct cli_stack stack = {0};
    int64_t start_ms = faas_now_ms(&faas_system_clock);

    if (o->platforms && !o->publish)
        return faas_fail(err, FAAS_ERR_INVALID, "--platforms needs --publish");
    if (cli_load_stack(cli, o->build.envsubst, &stack, err) < 0 || fix_builder(o, &stack, err) < 0)
        return -1;
    if (o->watch)
        return cli_watch_run(cli, o->build.envsubst, run_once, o, err);
    if (run_once(cli, o, err) < 0)
        return -1;
    if (stack.n_functions > 0 && !o->skip_deploy && !o->build.shrinkwrap)
        cli_hint("Up in %.2fs. Try it: echo hi | faas-cli invoke %s\n",
                 (double)(faas_now_ms(&faas_system_clock) - start_ms) / 1000,
                 stack.functions[0].name);
    return 0;
}

const struct cli_command cli_cmd_up = {
    .name = "up",
    .summary = "Build, push and deploy functions",
    .description = "Builds the functions of the stack file, sends them to where the gateway finds "
                   "them and deploys them: faas-cli build, push and deploy in one. The first that "
                   "fails ends it, except that --watch waits for the next change.",
    .example = "faas-cli up\n"
               "faas-cli up --watch\n"
               "faas-cli up -f stack.yml --filter hello --gateway http://127.0.0.1:8080",
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags, offsetof(struct options, deploy.connect)},
              {cli_token_flags, offsetof(struct options, deploy.connect)},
              {cli_gateway_flags, offsetof(struct options, push.connect)},
              {cli_token_flags, offsetof(struct options, push.connect)},
              {cli_gateway_flags, offsetof(struct options, build.connect)},
              {cli_token_flags, offsetof(struct options, build.connect)},
              {flags, 0},
              {cli_build_flags, offsetof(struct options, build)},
              {cli_push_flags, offsetof(struct options, push)},
              {cli_deploy_flags, offsetof(struct options, deploy)},
              {cli_deployment_flags, offsetof(struct options, deploy)},
              {cli_resource_flags, offsetof(struct options, deploy.resources)}},
    .run = run,
};
