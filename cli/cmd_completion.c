#include "cli/commands.h"

#include "cli/cli.h"
#include "cli/completion.h"
#include "cli/out.h"
#include "cli/save.h"

struct options {
    char *shell;
};

static const struct cli_flag flags[] = {
    {.name = "shell",
     .type = CLI_STRING,
     .at = offsetof(struct options, shell),
     .arg = "SHELL",
     .choices = cli_completion_shells,
     .help = "which shell"},
    {0},
};

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    const char *script = cli_completion_script(o->shell);

    (void)cli;
    if (!script)
        return faas_fail(err, FAAS_ERR_INVALID, "say which shell: --shell bash, zsh or fish");
    cli_write(faas_str_from(script));
    return 0;
}

const struct cli_command cli_cmd_completion = {
    .name = "completion",
    .summary = "Print a script that completes command lines",
    .description =
        "Prints a script for bash, zsh or fish. With it the tab key completes commands, "
        "flags and their values, and names of functions, secrets, queues and namespaces of the "
        "gateway.",
    .example = "faas-cli completion --shell bash > /etc/bash_completion.d/faas-cli\n"
               "faas-cli completion --shell fish > ~/.config/fish/completions/faas-cli.fish",
    .options_size = sizeof(struct options),
    .flags = {{flags, 0}},
    .run = run,
};

static int run_deprecated(struct cli *cli, void *options, struct faas_error *err)
{
    (void)options;
    cli_note(
        "Command \"bashcompletion\" is deprecated, use \"completion --shell bash\" instead.\n");
    return cli_save(cli->args.items[0], faas_str_from(cli_completion_script("bash")), 0644, err);
}

const struct cli_command cli_cmd_bashcompletion = {
    .name = "bashcompletion",
    .args = "FILE",
    .min_args = 1,
    .max_args = 1,
    .summary = "Write a script that completes command lines in bash",
    .description = "The old name of \"completion --shell bash\".",
    .example = "faas-cli completion --shell bash",
    .completes = CLI_FILES,
    .run = run_deprecated,
    .hidden = true,
};
