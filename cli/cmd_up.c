#include "cli/commands.h"

#include "cli/build.h"
#include "cli/cmd_deploy.h"
#include "cli/cmd_push.h"

/* The stages' own options; a flag that several of them have is set in each. */
struct options {
    struct cli_build_options build;
    struct cli_push_options push;
    struct cli_deploy_options deploy;
    bool skip_push;
    bool skip_deploy;
};

static const struct cli_flag flags[] = {
    {.name = "skip-push",
     .type = CLI_BOOL,
     .at = offsetof(struct options, skip_push),
     .help = "do not send anything to the gateway's image store"},
    {.name = "skip-deploy",
     .type = CLI_BOOL,
     .at = offsetof(struct options, skip_deploy),
     .help = "do not deploy"},
    {0},
};

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    struct options *o = options;

    if (cli_cmd_build.run(cli, &o->build, err) < 0)
        return -1;
    if (!o->skip_push && !o->build.shrinkwrap && cli_cmd_push.run(cli, &o->push, err) < 0)
        return -1;
    if (!o->skip_deploy && !o->build.shrinkwrap && cli_cmd_deploy.run(cli, &o->deploy, err) < 0)
        return -1;
    return 0;
}

const struct cli_command cli_cmd_up = {
    .name = "up",
    .summary = "Build, push and deploy functions",
    .description = "Builds the functions of the stack file, sends them to the gateway and deploys "
                   "them: faas-cli build, push and deploy in one. The first that fails ends it.",
    .example = "faas-cli up\n"
               "faas-cli up -f stack.yml --filter hello --gateway http://127.0.0.1:8080",
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags, offsetof(struct options, deploy.connect)},
              {cli_token_flags, offsetof(struct options, deploy.connect)},
              {cli_gateway_flags, offsetof(struct options, push.connect)},
              {cli_token_flags, offsetof(struct options, push.connect)},
              {flags, 0},
              {cli_build_flags, offsetof(struct options, build)},
              {cli_push_flags, offsetof(struct options, push)},
              {cli_deploy_flags, offsetof(struct options, deploy)},
              {cli_deployment_flags, offsetof(struct options, deploy)},
              {cli_resource_flags, offsetof(struct options, deploy.resources)}},
    .run = run,
};
