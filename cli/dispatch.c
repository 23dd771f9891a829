#include "cli/cli.h"

#include "cli/out.h"
#include "cli/suggest.h"
#include "libfaas/alloc.h"

const struct cli_flag cli_global_flags[] = {
    {.name = "yaml",
     .letter = 'f',
     .type = CLI_STRING,
     .at = offsetof(struct cli, yaml),
     .arg = "FILE|URL",
     .shown_default = "stack.yaml, then stack.yml",
     .help = "stack file to read; given several times, all of them together"},
    {.name = "regex",
     .type = CLI_STRING,
     .at = offsetof(struct cli, regex),
     .arg = "RE",
     .help = "only the stack file's functions whose name has a match"},
    {.name = "filter",
     .type = CLI_STRING,
     .at = offsetof(struct cli, filter),
     .arg = "GLOB",
     .help = "only the stack file's functions with this name, * is a wildcard"},
    {.name = "help",
     .letter = 'h',
     .type = CLI_BOOL,
     .at = offsetof(struct cli, help),
     .help = "show this help"},
    {0},
};

/* --yaml once more: several make one stack. */
static const struct cli_flag file_flags[] = {
    {.name = "yaml", .letter = 'f', .type = CLI_LIST, .at = offsetof(struct cli, files)},
    {0},
};

const struct cli_command *cli_command_find(const struct cli_command *parent, const char *word)
{
    for (const struct cli_command *const *c = parent->subcommands; c && *c; c++) {
        if (strcmp((*c)->name, word) == 0)
            return *c;
        for (size_t i = 0; i < CLI_MAX_ALIASES && (*c)->aliases[i]; i++)
            if (strcmp((*c)->aliases[i], word) == 0)
                return *c;
    }
    return NULL;
}

/* Whether this string is a flag that takes the next one as its value. Before the command is known
 * only the global flags are, and of the others a value is assumed, as users are used to. */
static bool swallows_next(const char *s)
{
    if (s[0] != '-' || s[1] == '\0' || strchr(s, '='))
        return false;
    if (s[1] == '-')
        return s[2] && strcmp(s, "--help") != 0;
    return s[2] == '\0' && s[1] != 'h';
}

/* The index in argv of the next word that is neither a flag nor a flag's value, or n. */
static size_t next_word(char *const *argv, size_t n, size_t from)
{
    size_t i = from;

    while (i < n && argv[i][0] == '-' && strcmp(argv[i], "--") != 0)
        i += swallows_next(argv[i]) ? 2 : 1;
    return i < n && argv[i][0] != '-' ? i : n;
}

static int unknown_command(const struct cli_command *root, const char *word, struct faas_error *err)
{
    struct cli_suggest nearest = {.wanted = faas_str_from(word)};

    for (const struct cli_command *const *c = root->subcommands; *c; c++)
        if (!(*c)->hidden)
            cli_suggest_offer(&nearest, (*c)->name);
    if (nearest.best)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "unknown command \"%s\" for \"%s\". Did you mean \"%s\"?", word,
                         root->name, nearest.best);
    return faas_fail(err, FAAS_ERR_INVALID, "unknown command \"%s\" for \"%s\"; see %s --help",
                     word, root->name, root->name);
}

/* Walks from the root to the command; words that were part of the way are left out of *rest. */
static int find_command(const struct cli_command *root, char *const *argv, size_t n,
                        const struct cli_command **found, struct faas_buf *path,
                        struct faas_strv *rest, struct faas_error *err)
{
    const struct cli_command *command = root;
    size_t from = 0, i;

    faas_buf_append_z(path, root->name);
    while ((i = next_word(argv, n, from)) < n) {
        const struct cli_command *sub = cli_command_find(command, argv[i]);

        if (!sub && command == root)
            return unknown_command(root, argv[i], err);
        if (!sub)
            break;
        for (; from < i; from++)
            faas_strv_add(rest, argv[from]);
        from = i + 1;
        command = sub;
        faas_buf_printf(path, " %s", sub->name);
    }
    for (; from < n; from++)
        faas_strv_add(rest, argv[from]);
    *found = command;
    return 0;
}

static int check_args(const struct cli *cli, struct faas_error *err)
{
    const struct cli_command *c = cli->command;

    if (cli->args.len < c->min_args)
        return faas_fail(err, FAAS_ERR_INVALID, "%s: %s is missing; see %s --help", cli->path,
                         c->args, cli->path);
    for (size_t i = 0; i < c->min_args; i++)
        if (!cli->args.items[i][0]) /* of an unset variable, mostly */
            return faas_fail(err, FAAS_ERR_INVALID, "%s: %s is empty", cli->path, c->args);
    if (cli->args.len > c->max_args)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "%s: unexpected argument \"%s\" (a flag's value is written --flag=VALUE)",
                         cli->path, cli->args.items[c->max_args]);
    return 0;
}

static void show_help(const struct cli *cli)
{
    _cleanup_buf_ struct faas_buf text = {0};

    if (cli->command == cli->root && !cli->help)
        cli_logo_write(&text);
    cli_help_write(&text, cli->command, cli->path);
    cli_write(faas_buf_str(&text));
}

static int run_command(struct cli *cli, const struct faas_strv *rest, struct faas_error *err)
{
    const struct cli_command *c = cli->command;
    _cleanup_free_ char *options = faas_zalloc(c->options_size);
    struct cli_flag_set sets[CLI_MAX_GROUPS + 2];
    size_t n = 0;
    int rc = 0;

    for (size_t i = 0; i < CLI_MAX_GROUPS && c->flags[i].rows; i++)
        sets[n++] = (struct cli_flag_set){c->flags[i].rows, options + c->flags[i].base};
    sets[n++] = (struct cli_flag_set){cli_global_flags, cli};
    sets[n++] = (struct cli_flag_set){file_flags, cli};

    cli_flags_init(sets, n);
    rc = cli_flags_parse(sets, n, rest->items, rest->len, &cli->args, err);
    if (rc == 0 && (cli->help || !c->run))
        show_help(cli);
    else if (rc == 0 && (rc = check_args(cli, err)) == 0)
        rc = c->run(cli, options, err);
    cli_flags_deinit(sets, n);
    return rc;
}

int cli_dispatch(const struct cli_command *root, char *const *argv, size_t n,
                 struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf path = {0};
    _cleanup_strv_ struct faas_strv rest = {0};
    struct cli cli = {.root = root};
    int rc = find_command(root, argv, n, &cli.command, &path, &rest, err);

    if (rc == 0) {
        cli.path = path.data;
        rc = run_command(&cli, &rest, err);
    }
    faas_strv_deinit(&cli.args);
    faas_strv_deinit(&cli.only);
    return rc;
}

int cli_fail_told(struct faas_error *err)
{
    return faas_fail(err, FAAS_ERR_INVALID, "%s", "");
}
