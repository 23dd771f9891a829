#include "cli/commands.h"

#include "cli/build.h"
#include "cli/out.h"

const struct cli_flag cli_build_flags[] = {
    {.name = "image",
     .type = CLI_STRING,
     .at = offsetof(struct cli_build_options, image),
     .arg = "IMAGE",
     .help = "image to make, without a stack file"},
    {.name = "handler",
     .type = CLI_STRING,
     .at = offsetof(struct cli_build_options, handler),
     .arg = "FOLDER",
     .help = "folder of the handler, without a stack file"},
    {.name = "name",
     .type = CLI_STRING,
     .at = offsetof(struct cli_build_options, name),
     .arg = "NAME",
     .help = "name of the function, without a stack file"},
    {.name = "lang",
     .type = CLI_STRING,
     .at = offsetof(struct cli_build_options, lang),
     .arg = "TEMPLATE",
     .help = "language template, without a stack file"},
    CLI_ROW_BUILDER(struct cli_build_options),
    CLI_ROW_PARALLEL(struct cli_build_options),
    {.name = "build-arg",
     .letter = 'b',
     .type = CLI_LIST,
     .at = offsetof(struct cli_build_options, build_args),
     .arg = "KEY=VALUE",
     .help = "build argument; a bundle's recipe finds it in its environment"},
    {.name = "build-option",
     .letter = 'o',
     .type = CLI_LIST,
     .at = offsetof(struct cli_build_options, build_option_names),
     .arg = "NAME",
     .help = "set of packages that the template knows by this name"},
    {.name = "copy-extra",
     .type = CLI_LIST,
     .at = offsetof(struct cli_build_options, copy_extra),
     .arg = "PATH",
     .help = "file or folder of this project to copy into every function"},
    CLI_ROW_TAG(struct cli_build_options),
    {.name = "shrinkwrap",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_build_options, shrinkwrap),
     .help = "only assemble ./build/NAME"},
    {.name = "no-cache",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_build_options, no_cache),
     .help = "fetch and build everything anew"},
    CLI_ROW_QUIET(struct cli_build_options, "show the tools' output only when they fail"),
    CLI_ROW_ENVSUBST(struct cli_build_options),
    {.name = "build-label",
     .type = CLI_PAIRS,
     .at = offsetof(struct cli_build_options, build_labels),
     .arg = "KEY=VALUE",
     .help = "label of the image (container builders only)"},
    {.name = "squash",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_build_options, squash),
     .help = "merge the image's layers (container builders only)"},
    {.name = "pull",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_build_options, pull),
     .help = "fetch newer base images (container builders only)"},
    {.name = "disable-stack-pull",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_build_options, disable_stack_pull),
     .help = "do not fetch the templates that the stack file names"},
    {.name = "overwrite",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_build_options, overwrite),
     .dflt = "true",
     .help = "fetched templates replace those that are here"},
    {.name = "debug",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_build_options, debug),
     .help = "keep what was fetched for templates"},
    {0},
};

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct cli_build_options *o = options;

    if (cli_build_run(cli, o, NULL, err) < 0)
        return -1;
    if (!o->shrinkwrap)
        cli_hint("\nNext: faas-cli push, then faas-cli deploy (faas-cli up does all three).\n");
    return 0;
}

const struct cli_command cli_cmd_build = {
    .name = "build",
    .summary = "Build functions",
    .description =
        "Builds the functions of the stack file: for each, ./build/NAME is made of its template "
        "and its handler, and then turned into an image: a bundle that faas-cli push sends to a "
        "gateway whose provider is local, or a container image. A template that is not in "
        "./template is fetched or taken from those that come with faas-cli.",
    .example = "faas-cli build\n"
               "faas-cli build -f stack.yml --filter 'api-*' --parallel 4\n"
               "faas-cli build --image hello:latest --handler ./hello --name hello --lang python3",
    .options_size = sizeof(struct cli_build_options),
    .flags = {{cli_build_flags, 0}},
    .run = run,
};
