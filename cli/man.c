#include "cli/man.h"

#include "cli/cli.h"
#include "libfaas/version.h"

/* What is read from the environment and the disk, for the page's last sections. */
static const struct {
    const char *name;
    const char *text;
} variables[] =
    {
        {"OPENFAAS_URL", "The gateway, where neither a flag nor the stack file names one."},
        {"OPENFAAS_CONFIG", "The folder that holds config.yml with the saved credentials."},
        {"OPENFAAS_PREFIX", "Prefix of image names in new stack files."},
        {"OPENFAAS_TEMPLATE_URL", "The repository that templates are pulled from."},
        {"OPENFAAS_TEMPLATE_STORE_URL", "The index of the template store."},
        {"OPENFAAS_STORE", "The index of the function store."},
        {"OPENFAAS_BUILDER", "What makes images, where --builder does not say."},
        {"CI", "With 1 or true the credentials are kept in ./.openfaas."},
        {"FAAS_DEBUG", "With 1 requests are shown on standard error, without credentials."},
        {"NO_COLOR", "When set to anything there is no colour, on terminals neither."},
        {"debug", "With 1 or true building shows every file that it copies."},
        {"HTTP_PROXY, HTTPS_PROXY, NO_PROXY", "Proxies of requests to other machines. In lower "
                                              "case the first two are build arguments of "
                                              "images as well."},
        {"SSL_CERT_FILE, SSL_CERT_DIR", "Certificates to trust instead of the system's."},
},
  files[] = {
      {"stack.yaml, stack.yml", "The stack file; the first that is there is read."},
      {"./template", "Language templates."},
      {"./build", "What is built, a folder for each function."},
      {"./.secrets", "Files that become secrets with faas-cli secret apply."},
      {"~/.openfaas/config.yml", "Saved credentials."},
      {"~/.openfaas/plugins", "Programs that are commands by their names."},
};

/* Text at the start of a line or within it: nothing of it is mdoc's. */
static void text(struct faas_buf *out, const char *s)
{
    if (*s == '.' || *s == '\'')
        faas_buf_append_z(out, "\\&");
    for (; *s; s++) {
        if (*s == '\\')
            faas_buf_append_z(out, "\\e");
        else if (*s == '-')
            faas_buf_append_z(out, "\\-");
        else
            faas_buf_append_c(out, *s);
    }
}

/* A line of its own for each sentence, as the language wants. */
static void sentences(struct faas_buf *out, const char *s)
{
    const char *end;

    while ((end = strstr(s, ". "))) {
        struct faas_str sentence = {.ptr = s, .len = (size_t)(end + 1 - s)};
        _cleanup_free_ char *copy = faas_str_dup(sentence);

        text(out, copy);
        faas_buf_append_c(out, '\n');
        s = end + 2;
    }
    text(out, s);
    faas_buf_append_c(out, '\n');
}

/* As the argument of a macro: in quotes. */
static void quoted(struct faas_buf *out, const char *s)
{
    _cleanup_buf_ struct faas_buf escaped = {0};

    text(&escaped, s);
    faas_buf_append_c(out, '"');
    for (size_t i = 0; i < escaped.len; i++) {
        if (escaped.data[i] == '"')
            faas_buf_append_c(out, '"');
        faas_buf_append_c(out, escaped.data[i]);
    }
    faas_buf_append_c(out, '"');
}

static void flag_head(struct faas_buf *out, const struct cli_flag *flag)
{
    faas_buf_append_z(out, ".It");
    if (flag->letter)
        faas_buf_printf(out, " Fl %c ,", flag->letter);
    faas_buf_printf(out, " Fl \\-%s", flag->name);
    if (flag->arg) {
        faas_buf_append_z(out, " Ar ");
        quoted(out, flag->arg);
    }
    faas_buf_append_c(out, '\n');
}

static void flag_text(struct faas_buf *out, const struct cli_flag *flag)
{
    const char *dflt = flag->shown_default ? flag->shown_default : flag->dflt;

    text(out, flag->help);
    for (size_t i = 0; flag->choices && flag->choices[i]; i++) {
        faas_buf_append_z(out, i == 0 ? ": " : *flag->choices[i] ? ", " : "");
        text(out, flag->choices[i]);
    }
    if (flag->type == CLI_LIST || flag->type == CLI_PAIRS)
        faas_buf_append_z(out, "; may be given more than once");
    if (dflt && *dflt) {
        faas_buf_append_z(out, " (default ");
        text(out, dflt);
        faas_buf_append_c(out, ')');
    }
    faas_buf_append_z(out, ".\n");
}

static void flags(struct faas_buf *out, const struct cli_flag *const *tables, size_t n)
{
    _cleanup_strv_ struct faas_strv seen = {0};

    faas_buf_append_z(out, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < n; i++) {
        for (const struct cli_flag *flag = tables[i]; flag->name; flag++) {
            if (faas_strv_has(&seen, flag->name))
                continue;
            faas_strv_add(&seen, flag->name);
            flag_head(out, flag);
            flag_text(out, flag);
        }
    }
    faas_buf_append_z(out, ".El\n");
}

static void command_flags(struct faas_buf *out, const struct cli_command *c)
{
    const struct cli_flag *tables[CLI_MAX_GROUPS];
    size_t n = 0;

    for (size_t i = 0; i < CLI_MAX_GROUPS && c->flags[i].rows; i++)
        tables[n++] = c->flags[i].rows;
    if (n > 0)
        flags(out, tables, n);
}

static void aliases(struct faas_buf *out, const struct cli_command *c)
{
    if (!c->aliases[0])
        return;
    faas_buf_append_z(out, ".Pp\nAlso known as");
    for (size_t i = 0; i < CLI_MAX_ALIASES && c->aliases[i]; i++)
        faas_buf_printf(out, "%s %s", i ? "," : "", c->aliases[i]);
    faas_buf_append_z(out, ".\n");
}

static void example(struct faas_buf *out, const struct cli_command *c)
{
    struct faas_str rest = faas_str_from(c->example);

    faas_buf_append_z(out, ".Bd -literal -offset indent\n");
    while (rest.ptr && rest.len) {
        _cleanup_free_ char *line = faas_str_dup(faas_str_split(&rest, '\n'));

        text(out, line);
        faas_buf_append_c(out, '\n');
    }
    faas_buf_append_z(out, ".Ed\n");
}

/* path: what to type behind the program's name. */
static void command(struct faas_buf *out, const struct cli_command *c, const char *path)
{
    faas_buf_append_z(out, ".Ss ");
    faas_buf_append_z(out, path);
    if (c->args && c->run) {
        faas_buf_append_c(out, ' ');
        text(out, c->args);
    }
    faas_buf_append_c(out, '\n');
    sentences(out, c->description);
    aliases(out, c);
    if (c->run)
        command_flags(out, c);
    example(out, c);
    for (const struct cli_command *const *sub = c->subcommands; sub && *sub; sub++) {
        _cleanup_buf_ struct faas_buf below = {0};

        if ((*sub)->hidden)
            continue;
        faas_buf_printf(&below, "%s %s", path, (*sub)->name);
        command(out, *sub, below.data);
    }
}

static void commands(struct faas_buf *out, const struct cli_command *root)
{
    faas_buf_append_z(out, ".Sh COMMANDS\n");
    for (const struct cli_command *const *sub = root->subcommands; *sub; sub++)
        if (!(*sub)->hidden)
            command(out, *sub, (*sub)->name);
}

static void surroundings(struct faas_buf *out)
{
    faas_buf_append_z(out, ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < FAAS_ARRAY_LEN(variables); i++) {
        faas_buf_printf(out, ".It Ev ");
        quoted(out, variables[i].name);
        faas_buf_append_c(out, '\n');
        sentences(out, variables[i].text);
    }
    faas_buf_append_z(out, ".El\n.Sh FILES\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < FAAS_ARRAY_LEN(files); i++) {
        faas_buf_printf(out, ".It Pa ");
        quoted(out, files[i].name);
        faas_buf_append_c(out, '\n');
        sentences(out, files[i].text);
    }
    faas_buf_append_z(out, ".El\n");
}

void cli_man_write(struct faas_buf *out, const struct cli_command *root, const char *day)
{
    const struct cli_flag *const global[] = {cli_global_flags};

    faas_buf_printf(out,
                    ".\\\" Made by \"faas-cli man\" from the table of commands.\n"
                    ".Dd %s\n.Dt FAAS-CLI 1\n.Os \"Minnow ",
                    day);
    faas_buf_append_z(out, faas_version());
    faas_buf_append_z(out, "\"\n.Sh NAME\n.Nm faas-cli\n.Nd ");
    text(out, root->summary);
    faas_buf_append_z(out, "\n.Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar flags\n.Op Ar arguments\n"
                           ".Sh DESCRIPTION\n");
    sentences(out, root->description);
    faas_buf_append_z(out, "Results go to standard output, everything else to standard error.\n"
                           ".Pp\nEvery command has these flags:\n");
    flags(out, global, FAAS_ARRAY_LEN(global));
    commands(out, root);
    surroundings(out);
    faas_buf_append_z(out, ".Sh EXIT STATUS\n"
                           "0 when all went well, 1 otherwise, 127 when a plugin could not be\n"
                           "run; else what the plugin ended with.\n"
                           ".Sh EXAMPLES\n");
    example(out, root);
}
