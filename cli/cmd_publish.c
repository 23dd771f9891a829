#include "cli/cmd_publish.h"

#include "cli/commands.h"
#include "cli/out.h"

struct options {
    struct cli_build_options build;
    struct cli_publish_options publish;
};

static const struct cli_flag flags[] = {
    CLI_ROW_PLATFORMS(struct cli_publish_options),
    {.name = "extra-tag",
     .type = CLI_LIST,
     .at = offsetof(struct cli_publish_options, extra_tags),
     .arg = "TAG",
     .help = "one more tag to publish under"},
    {.name = "reset-qemu",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_publish_options, reset_qemu),
     .help = "install emulators for other platforms first (runs a privileged container)"},
    {0},
};

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;

    if (cli_build_run(cli, &o->build, &o->publish, err) < 0)
        return -1;
    if (!o->build.shrinkwrap)
        cli_hint("\nNext: faas-cli deploy\n");
    return 0;
}

const struct cli_command cli_cmd_publish = {
    .name = "publish",
    .summary = "Build functions for several platforms and send them",
    .description =
        "Builds the functions of the stack file, for all the platforms that are asked for, and "
        "sends them to their registry in the same step. Docker does it with buildx, podman and "
        "buildah with a manifest list. Bundles, which are for one machine only, are built and sent "
        "to the gateway.",
    .example = "faas-cli publish --platforms linux/amd64,linux/arm64\n"
               "faas-cli publish --extra-tag latest --tag sha",
    .options_size = sizeof(struct options),
    .flags = {{cli_gateway_flags, offsetof(struct options, build.connect)},
              {cli_token_flags, offsetof(struct options, build.connect)},
              {flags, offsetof(struct options, publish)},
              {cli_build_flags, offsetof(struct options, build)}},
    .run = run,
};
