#include "cli/commands.h"

#include "cli/options.h"
#include "cli/template_ensure.h"
#include "cli/template_options.h"

struct options {
    struct cli_template_pull_options pull;
    bool envsubst;
};

static const struct cli_flag flags[] = {
    CLI_ROW_ENVSUBST(struct options),
    {0},
};

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    const struct cli_template_origin from = {.overwrite = o->pull.overwrite,
                                             .debug = o->pull.debug};
    _cleanup_stack_ struct cli_stack stack = {0};

    if (cli_load_stack(cli, o->envsubst, &stack, err) < 0)
        return -1;
    if (!stack.file)
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "there is no stack file here; give one with -f");
    if (stack.n_templates == 0)
        return faas_fail(err, FAAS_ERR_INVALID, "%s names no templates (configuration.templates)",
                         stack.file);
    for (size_t i = 0; i < stack.n_templates; i++)
        if (!stack.templates[i].source)
            return faas_fail(err, FAAS_ERR_INVALID,
                             "%s: configuration.templates: %s has no source; faas-cli template "
                             "store pull fetches those of the store",
                             stack.file, stack.templates[i].name);
    for (size_t i = 0; i < stack.n_templates; i++)
        if (cli_template_pull_source(&stack.templates[i], &from, err) < 0)
            return -1;
    return 0;
}

const struct cli_command cli_cmd_template_pull_stack = {
    .name = "stack",
    .summary = "Fetch the templates that the stack file names",
    .description = "Fetches each template of configuration.templates from its source.",
    .example = "faas-cli template pull stack\n"
               "faas-cli template pull stack -f stack.yml",
    .options_size = sizeof(struct options),
    .flags = {{flags, 0}, {cli_template_pull_flags, offsetof(struct options, pull)}},
    .run = run,
};
