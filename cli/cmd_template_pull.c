#include "cli/commands.h"

#include "cli/options.h"
#include "cli/template_ensure.h"
#include "cli/template_options.h"
#include "cli/template_pull.h"

const struct cli_flag cli_template_pull_flags[] = {
    {.name = "overwrite",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_template_pull_options, overwrite),
     .dflt = "true",
     .help = "replace templates that are in ./template already"},
    {.name = "debug",
     .type = CLI_BOOL,
     .at = offsetof(struct cli_template_pull_options, debug),
     .help = "leave the clone behind and say where it is"},
    {0},
};

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct cli_template_pull_options *o = options;
    _cleanup_strv_ struct faas_strv written = {0};
    const struct cli_template_pull pull = {.repo = cli->args.len ? cli->args.items[0] : NULL,
                                           .overwrite = o->overwrite,
                                           .debug = o->debug};

    if (cli_template_pull(&pull, &written, err) < 0)
        return -1;
    cli_template_tell_written(&written);
    return 0;
}

static const struct cli_command *const subcommands[] = {
    &cli_cmd_template_pull_stack,
    NULL,
};

const struct cli_command cli_cmd_template_pull = {
    .name = "pull",
    .args = "[REPOSITORY[#REF]]",
    .max_args = 1,
    .summary = "Fetch all templates of a repository",
    .description = "Copies every folder below the repository's template/ to ./template. The "
                   "repository is a git URL or a folder here; without one it is "
                   "$OPENFAAS_TEMPLATE_URL, or OpenFaaS's own. REF is a branch, a tag or "
                   "sha-COMMIT; the templates of one are called NAME@REF.",
    .example = "faas-cli template pull https://github.com/me/my-templates\n"
               "faas-cli template pull https://github.com/me/my-templates#v1.2\n"
               "faas-cli template pull ../my-templates --overwrite=false",
    .options_size = sizeof(struct cli_template_pull_options),
    .flags = {{cli_template_pull_flags, 0}},
    .run = run,
    .subcommands = subcommands,
};
