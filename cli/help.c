#include "cli/cli.h"

#include "cli/out.h"
#include "cli/wrap.h"
#include "libfaas/alloc.h"

enum { WIDTH = 90 };

void cli_logo_write(struct faas_buf *out)
{
    faas_buf_append_z(out, "   __  ____\n"
                           "  /  |/  (_)__  ___  ___ _    __\n"
                           " / /|_/ / / _ \\/ _ \\/ _ \\ |/|/ /   ><>\n"
                           "/_/  /_/_/_//_/_//_/\\___/__,__/\n"
                           "serverless, small and fast\n"
                           "\n");
}

static void write_lines(struct faas_buf *out, const char *lines)
{
    struct faas_str rest = faas_str_from(lines);

    while (rest.ptr && rest.len) {
        struct faas_str line = faas_str_split(&rest, '\n');

        faas_buf_printf(out, "  %.*s\n", FAAS_STR_FMT(line));
    }
}

/* "  -g, --gateway URL" */
static void write_flag_name(struct faas_buf *out, const struct cli_flag *flag)
{
    if (flag->letter)
        faas_buf_printf(out, "  -%c, --%s", flag->letter, flag->name);
    else
        faas_buf_printf(out, "      --%s", flag->name);
    if (flag->arg)
        faas_buf_printf(out, " %s", flag->arg);
}

static void write_flag_text(struct faas_buf *out, const struct cli_flag *flag, size_t indent)
{
    _cleanup_buf_ struct faas_buf text = {0};
    const char *dflt = flag->shown_default ? flag->shown_default : flag->dflt;

    faas_buf_append_z(&text, flag->help);
    if (flag->choices) {
        faas_buf_append_z(&text, ": ");
        for (size_t i = 0; flag->choices[i]; i++)
            faas_buf_printf(&text, "%s%s", i && *flag->choices[i] ? ", " : "", flag->choices[i]);
    }
    if (flag->type == CLI_LIST || flag->type == CLI_PAIRS)
        faas_buf_append_z(&text, " (repeatable)");
    if (dflt && *dflt)
        faas_buf_printf(&text, " (default %s)", dflt);
    cli_wrap(out, text.data, indent, WIDTH);
}

static bool named_in(const struct cli_flag *rows, const struct cli_flag *end, const char *name)
{
    for (; rows->name && rows != end; rows++)
        if (strcmp(rows->name, name) == 0)
            return true;
    return false;
}

/* A name that several groups share is shown with the first. */
static bool shown_before(const struct cli_command *c, size_t group, const struct cli_flag *flag)
{
    for (size_t i = 0; i < group; i++)
        if (named_in(c->flags[i].rows, NULL, flag->name))
            return true;
    return named_in(c->flags[group].rows, flag, flag->name);
}

static void write_flags(struct faas_buf *out, const struct cli_flag *flag)
{
    enum { COLUMN = 32 };
    size_t start = out->len;

    write_flag_name(out, flag);
    if (out->len - start + 2 > COLUMN)
        faas_buf_printf(out, "\n%*s", COLUMN, "");
    else
        faas_buf_printf(out, "%*s", (int)(COLUMN - (out->len - start)), "");
    write_flag_text(out, flag, COLUMN);
}

static void write_all_flags(struct faas_buf *out, const struct cli_command *c)
{
    if (c->flags[0].rows)
        faas_buf_append_z(out, "\nFlags:\n");
    for (size_t i = 0; i < CLI_MAX_GROUPS && c->flags[i].rows; i++)
        for (const struct cli_flag *flag = c->flags[i].rows; flag->name; flag++)
            if (!shown_before(c, i, flag))
                write_flags(out, flag);
    faas_buf_append_z(out, "\nFlags of every command:\n");
    for (const struct cli_flag *flag = cli_global_flags; flag->name; flag++)
        write_flags(out, flag);
}

static void write_subcommands(struct faas_buf *out, const struct cli_command *c)
{
    int width = 0;

    if (!c->subcommands)
        return;
    for (const struct cli_command *const *sub = c->subcommands; *sub; sub++)
        if (!(*sub)->hidden)
            width = FAAS_MAX(width, (int)strlen((*sub)->name));
    faas_buf_append_z(out, "\nCommands:\n");
    for (const struct cli_command *const *sub = c->subcommands; *sub; sub++)
        if (!(*sub)->hidden)
            faas_buf_printf(out, "  %-*s  %s\n", width, (*sub)->name, (*sub)->summary);
}

static void write_usage(struct faas_buf *out, const struct cli_command *c, const char *path)
{
    faas_buf_append_z(out, "\nUsage:\n");
    if (c->run)
        faas_buf_printf(out, "  %s%s%s [flags]\n", path, c->args ? " " : "",
                        c->args ? c->args : "");
    if (c->subcommands)
        faas_buf_printf(out, "  %s COMMAND [flags]\n", path);
    if (!c->aliases[0])
        return;
    faas_buf_append_z(out, "\nAlso known as:\n ");
    for (size_t i = 0; i < CLI_MAX_ALIASES && c->aliases[i]; i++)
        faas_buf_printf(out, "%s %s", i ? "," : "", c->aliases[i]);
    faas_buf_append_c(out, '\n');
}

void cli_help_write(struct faas_buf *out, const struct cli_command *c, const char *path)
{
    cli_wrap(out, c->description, 0, WIDTH);
    write_usage(out, c, path);
    write_subcommands(out, c);
    if (c->example) {
        faas_buf_append_z(out, "\nExample:\n");
        write_lines(out, c->example);
    }
    write_all_flags(out, c);
    if (c->subcommands)
        faas_buf_printf(out, "\nMore about a command: %s COMMAND --help\n", path);
}

/* "faas-cli help secret create" is "faas-cli secret create --help". */
static int run_help(struct cli *cli, void *options, struct faas_error *err)
{
    const struct cli_command *c = cli->root;
    _cleanup_buf_ struct faas_buf path = {0};
    _cleanup_buf_ struct faas_buf text = {0};

    (void)options;
    faas_buf_append_z(&path, c->name);
    faas_strv_for_each(&cli->args, word)
    {
        c = cli_command_find(c, *word);
        if (!c)
            return faas_fail(err, FAAS_ERR_INVALID, "there is no command \"%s\" to help with",
                             *word);
        faas_buf_printf(&path, " %s", c->name);
    }
    cli_help_write(&text, c, path.data);
    cli_write(faas_buf_str(&text));
    return 0;
}

const struct cli_command cli_cmd_help = {
    .name = "help",
    .args = "[COMMAND]",
    .max_args = 3,
    .summary = "Show help for a command",
    .description = "Shows what a command does, its flags and an example.",
    .example = "faas-cli help secret create",
    .completes = CLI_COMMANDS,
    .run = run_help,
};
