#include "cli/complete.h"

#include "cli/cli.h"

#include <stdio.h>

/* How far the words before the last one lead. */
struct walk {
    const struct cli_command *command;
    const struct cli_flag *pending; /* whose value comes next */
    bool skip;                      /* the value of a flag that nobody knows comes next */
    bool flags_over;                /* behind "--" */
    size_t n_args;
};

/* By name, or by letter when the name has one character. */
static const struct cli_flag *find_flag(const struct cli_command *c, struct faas_str name)
{
    for (size_t i = 0; i <= CLI_MAX_GROUPS; i++) {
        const struct cli_flag *row = i < CLI_MAX_GROUPS ? c->flags[i].rows : cli_global_flags;

        for (; row && row->name; row++)
            if (faas_str_eqz(name, row->name) || (name.len == 1 && name.ptr[0] == row->letter))
                return row;
    }
    return NULL;
}

static void keep_value(struct cli_completion *out, const struct cli_flag *flag, const char *value)
{
    if (!flag)
        return;
    if (strcmp(flag->name, "gateway") == 0)
        out->gateway = value;
    else if (strcmp(flag->name, "namespace") == 0)
        out->namespace_ = value;
    else if (strcmp(flag->name, "yaml") == 0)
        out->yaml = value;
}

/* "--flag", "--flag=value", "-f", "-fvalue" */
static void walk_flag(struct walk *w, struct cli_completion *out, const char *word)
{
    bool is_long = word[1] == '-';
    struct faas_str rest = faas_str_from(word + (is_long ? 2 : 1));
    struct faas_str name = faas_str_split(&rest, '=');
    const struct cli_flag *flag;

    if (!is_long && name.len > 1) { /* a letter with its value, or several letters */
        name.len = 1;
        keep_value(out, find_flag(w->command, name), word + 2);
        return;
    }
    flag = find_flag(w->command, name);
    if (rest.ptr)
        keep_value(out, flag, rest.ptr);
    else if (flag && flag->type != CLI_BOOL)
        w->pending = flag;
    else if (!flag)
        w->skip = w->command->subcommands != NULL;
}

static void walk(struct walk *w, struct cli_completion *out, const char *word)
{
    const struct cli_command *sub;

    if (w->pending || w->skip) {
        keep_value(out, w->pending, word);
        w->pending = NULL;
        w->skip = false;
    } else if (!w->flags_over && strcmp(word, "--") == 0) {
        w->flags_over = true;
    } else if (!w->flags_over && word[0] == '-' && word[1]) {
        walk_flag(w, out, word);
    } else if (w->n_args == 0 && (sub = cli_command_find(w->command, word))) {
        w->command = sub;
    } else {
        w->n_args++;
    }
}

static void offer(struct cli_completion *out, const char *word, const char *description)
{
    if (strncmp(word, out->typed.ptr, out->typed.len) == 0)
        faas_strv_addf(&out->offers, "%.*s%s\t%s", FAAS_STR_FMT(out->before), word,
                       description ? description : "");
}

/* What a value is, as its name in the help says. */
static enum cli_completes kind_of(const struct cli_flag *flag)
{
    static const struct {
        const char *arg;
        enum cli_completes names;
    } kinds[] = {
        {"FILE", CLI_FILES},           {"FILE|URL", CLI_FILES},     {"FOLDER", CLI_FILES},
        {"NAMESPACE", CLI_NAMESPACES}, {"TEMPLATE", CLI_TEMPLATES},
    };

    for (size_t i = 0; i < FAAS_ARRAY_LEN(kinds); i++)
        if (flag->arg && strcmp(flag->arg, kinds[i].arg) == 0)
            return kinds[i].names;
    return CLI_NOTHING;
}

static void offer_values(struct cli_completion *out, const struct cli_flag *flag)
{
    for (size_t i = 0; flag->choices && flag->choices[i]; i++)
        if (*flag->choices[i])
            offer(out, flag->choices[i], NULL);
    if (flag->type == CLI_BOOL) {
        offer(out, "true", NULL);
        offer(out, "false", NULL);
    }
    out->names = kind_of(flag);
}

static void offer_flags(struct cli_completion *out, const struct cli_command *c)
{
    _cleanup_strv_ struct faas_strv seen = {0};

    for (size_t i = 0; i <= CLI_MAX_GROUPS; i++) {
        const struct cli_flag *row = i < CLI_MAX_GROUPS ? c->flags[i].rows : cli_global_flags;

        for (; row && row->name; row++) {
            char spelled[64];

            if (faas_strv_has(&seen, row->name))
                continue;
            faas_strv_add(&seen, row->name);
            snprintf(spelled, sizeof(spelled), "--%s", row->name);
            offer(out, spelled, row->help);
        }
    }
}

static void offer_commands(struct cli_completion *out, const struct cli_command *c)
{
    for (const struct cli_command *const *sub = c->subcommands; sub && *sub; sub++)
        if (!(*sub)->hidden)
            offer(out, (*sub)->name, (*sub)->summary);
}

/* The flag of "--flag=val", or NULL. */
static const struct cli_flag *begun_value(struct cli_completion *out, const struct cli_command *c,
                                          const char *word)
{
    const char *eq = strchr(word, '=');

    if (strncmp(word, "--", 2) != 0)
        return NULL;
    out->before = (struct faas_str){.ptr = word, .len = (size_t)(eq + 1 - word)};
    out->typed = faas_str_from(eq + 1);
    return find_flag(c, (struct faas_str){.ptr = word + 2, .len = (size_t)(eq - word - 2)});
}

void cli_complete(struct cli_completion *out, const struct cli_command *root, char *const *words,
                  size_t n)
{
    const char *word = n > 0 ? words[n - 1] : "";
    struct walk w = {.command = root};
    const struct cli_flag *flag;

    for (size_t i = 0; i + 1 < n; i++)
        walk(&w, out, words[i]);
    out->typed = faas_str_from(word);
    if (w.skip)
        return;
    if (w.pending) {
        offer_values(out, w.pending);
    } else if (!w.flags_over && word[0] == '-') {
        if (!strchr(word, '='))
            offer_flags(out, w.command);
        else if ((flag = begun_value(out, w.command, word)))
            offer_values(out, flag);
    } else {
        if (w.n_args == 0)
            offer_commands(out, w.command);
        if (w.command->completes == CLI_COMMANDS)
            offer_commands(out, root);
        else if (w.n_args < w.command->max_args &&
                 (w.n_args == 0 || w.command->completes == CLI_FILES))
            out->names = w.command->completes;
    }
}

void cli_completion_deinit(struct cli_completion *c)
{
    faas_strv_deinit(&c->offers);
}
