#include "libfaas/opt.h"

#include <stdio.h>
#include <stdlib.h>

static void *member(const struct faas_opt *o, void *config)
{
    return (char *)config + o->at;
}

/* The flag's name, or NULL when the row has none. */
static const char *flag_name(const struct faas_opt *o)
{
    const char *name = o->flag ? o->flag : o->env;

    return name && *name ? name : NULL;
}

/* '_' and '-' are the same in a flag, so the variable's name works too. */
static bool flag_is(const struct faas_opt *o, struct faas_str given)
{
    const char *name = flag_name(o);

    if (!name || strlen(name) != given.len)
        return false;
    for (size_t i = 0; i < given.len; i++) {
        char a = name[i] == '_' ? '-' : name[i];
        char b = given.ptr[i] == '_' ? '-' : given.ptr[i];

        if (a != b)
            return false;
    }
    return true;
}

static int set_bool(bool *out, struct faas_str text, struct faas_error *err)
{
    *out = faas_str_eqz(text, "true") || faas_str_eqz(text, "1");
    if (*out || faas_str_eqz(text, "false") || faas_str_eqz(text, "0"))
        return 0;
    return faas_fail(err, FAAS_ERR_INVALID, "\"%.*s\" is neither true nor false",
                     (int)FAAS_MIN(text.len, (size_t)64), text.ptr);
}

static int set_choice(const struct faas_opt *o, int *out, struct faas_str text,
                      struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf known = {0};

    for (int i = 0; o->choices[i]; i++) {
        if (faas_str_eqz(text, o->choices[i])) {
            *out = i;
            return 0;
        }
        faas_buf_append_z(&known, i ? ", " : "");
        faas_buf_append_z(&known, o->choices[i]);
    }
    return faas_fail(err, FAAS_ERR_INVALID, "\"%.*s\" is not one of %s",
                     (int)FAAS_MIN(text.len, (size_t)64), text.ptr, faas_buf_str(&known).ptr);
}

/* A number the way this row's values are written. */
static void format_number(const struct faas_opt *o, int64_t n, char out[32])
{
    if (o->type == FAAS_OPT_DURATION && n < INT64_MAX / 1000000)
        faas_format_go_duration(n * 1000000, out);
    else
        snprintf(out, 32, "%lld", (long long)n);
}

static int check_range(const struct faas_opt *o, int64_t n, struct faas_error *err)
{
    char given[32], low[32], high[32];

    if (n >= o->min && (o->max == 0 || n <= o->max))
        return 0;
    format_number(o, n, given);
    format_number(o, o->min, low);
    format_number(o, o->max, high);
    if (o->max == 0)
        return faas_fail(err, FAAS_ERR_INVALID, "%s is less than %s", given, low);
    return faas_fail(err, FAAS_ERR_INVALID, "%s is not between %s and %s", given, low, high);
}

static int set_number(const struct faas_opt *o, int64_t *out, struct faas_str text,
                      struct faas_error *err)
{
    uint64_t size = 0;
    int rc;

    if (o->type == FAAS_OPT_INT) {
        rc = faas_parse_i64(text, out, err);
    } else if (o->type == FAAS_OPT_DURATION) {
        rc = faas_parse_duration(text, out, err);
    } else {
        rc = faas_parse_size(text, &size, err);
        *out = (int64_t)FAAS_MIN(size, (uint64_t)INT64_MAX);
    }
    return rc < 0 ? -1 : check_range(o, *out, err);
}

static int set(const struct faas_opt *o, void *config, struct faas_str text, struct faas_error *err)
{
    char **string;

    switch (o->type) {
    case FAAS_OPT_STRING:
        string = member(o, config);
        free(*string);
        *string = faas_str_dup(text);
        return 0;
    case FAAS_OPT_BOOL:
        return set_bool(member(o, config), text, err);
    case FAAS_OPT_CHOICE:
        return set_choice(o, member(o, config), text, err);
    case FAAS_OPT_INT:
    case FAAS_OPT_DURATION:
    case FAAS_OPT_SIZE:
        break;
    }
    return set_number(o, member(o, config), text, err);
}

/* The variable's text, or NULL when it is unset or empty. */
static const char *env_get(char *const *envp, const char *name)
{
    size_t len = strlen(name);

    for (; envp && *envp; envp++) {
        if (strncmp(*envp, name, len) == 0 && (*envp)[len] == '=')
            return (*envp)[len + 1] ? *envp + len + 1 : NULL;
    }
    return NULL;
}

static int set_from_env_or_default(const struct faas_opt *o, void *config, char *const *envp,
                                   struct faas_error *err)
{
    const char *text = o->env ? env_get(envp, o->env) : NULL;

    if (text)
        return set(o, config, faas_str_from(text), err) < 0 ? faas_error_wrap(err, "%s", o->env)
                                                            : 0;
    if (!o->dflt)
        return 0;
    if (set(o, config, faas_str_from(o->dflt), err) < 0)
        return faas_error_wrap(err, "default of %s", o->env ? o->env : flag_name(o));
    return 0;
}

/* Reads the flag at argv[*at], moving *at on when its value stands behind it. */
static int set_from_flag(const struct faas_opt *table, size_t n, void *config, int argc,
                         char **argv, int *at, struct faas_error *err)
{
    const char *arg = argv[*at];
    struct faas_str value = faas_str_from(arg + (arg[1] == '-' ? 2 : 1));
    struct faas_str name = faas_str_split(&value, '=');
    const struct faas_opt *o = table;

    while (o < table + n && !flag_is(o, name))
        o++;
    if (o == table + n)
        return faas_fail(err, FAAS_ERR_INVALID, "unknown flag %.64s (see --help)", arg);
    if (!value.ptr && o->type == FAAS_OPT_BOOL)
        value = FAAS_STR("true");
    if (!value.ptr && *at + 1 < argc)
        value = faas_str_from(argv[++*at]);
    if (!value.ptr)
        return faas_fail(err, FAAS_ERR_INVALID, "%.64s needs a value", arg);
    if (set(o, config, value, err) < 0)
        return faas_error_wrap(err, "%.*s", (int)(name.ptr + name.len - arg), arg);
    return 0;
}

static int parse_flags(const struct faas_opt *table, size_t n, void *config, int *argc, char **argv,
                       struct faas_error *err)
{
    int kept = *argc > 0 ? 1 : 0;

    for (int i = kept; i < *argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            while (++i < *argc)
                argv[kept++] = argv[i];
        } else if (argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[kept++] = argv[i];
        } else if (set_from_flag(table, n, config, *argc, argv, &i, err) < 0) {
            return -1;
        }
    }
    *argc = kept;
    argv[kept] = NULL;
    return 0;
}

int faas_opt_parse(const struct faas_opt *table, size_t n, void *config, int *argc, char **argv,
                   char *const *envp, struct faas_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (set_from_env_or_default(&table[i], config, envp, err) < 0)
            goto fail;
    }
    if (parse_flags(table, n, config, argc, argv, err) == 0)
        return 0;
fail:
    faas_opt_deinit(table, n, config);
    return -1;
}

void faas_opt_deinit(const struct faas_opt *table, size_t n, void *config)
{
    for (size_t i = 0; i < n; i++) {
        if (table[i].type == FAAS_OPT_STRING) {
            char **string = member(&table[i], config);

            free(*string);
            *string = NULL;
        }
    }
}

/* "  --read-timeout=DURATION", as --help shows it. */
static void describe_flag(struct faas_buf *out, const struct faas_opt *o)
{
    static const char *const kinds[] = {
        [FAAS_OPT_STRING] = "=TEXT",       [FAAS_OPT_BOOL] = "",      [FAAS_OPT_INT] = "=N",
        [FAAS_OPT_DURATION] = "=DURATION", [FAAS_OPT_SIZE] = "=SIZE",
    };
    const char *name = flag_name(o);

    faas_buf_append_z(out, "  ");
    if (!name)
        return;
    faas_buf_append_z(out, "--");
    for (; *name; name++)
        faas_buf_append_c(out, *name == '_' ? '-' : *name);
    if (o->type != FAAS_OPT_CHOICE) {
        faas_buf_append_z(out, kinds[o->type]);
        return;
    }
    for (size_t i = 0; o->choices[i]; i++) {
        faas_buf_append_c(out, i ? '|' : '=');
        faas_buf_append_z(out, o->choices[i]);
    }
}

static void pad(struct faas_buf *out, size_t line, size_t column)
{
    do {
        faas_buf_append_c(out, ' ');
    } while (out->len - line < column);
}

static void column_widths(const struct faas_opt *table, size_t n, size_t *flags, size_t *envs)
{
    *flags = *envs = 0;
    for (size_t i = 0; i < n; i++) {
        _cleanup_buf_ struct faas_buf flag = {0};
        size_t env = table[i].env ? strlen(table[i].env) : 0;

        describe_flag(&flag, &table[i]);
        *flags = FAAS_MAX(*flags, flag.len + 2);
        *envs = FAAS_MAX(*envs, env + 2);
    }
}

void faas_opt_help(struct faas_buf *out, const struct faas_opt *table, size_t n)
{
    size_t flags, envs;

    column_widths(table, n, &flags, &envs);
    for (size_t i = 0; i < n; i++) {
        const struct faas_opt *o = &table[i];
        size_t line;

        if (o->group)
            faas_buf_printf(out, "%s%s:\n", i ? "\n" : "", o->group);
        line = out->len;
        describe_flag(out, o);
        pad(out, line, flags);
        faas_buf_append_z(out, o->env ? o->env : "");
        pad(out, line, flags + envs);
        faas_buf_append_z(out, o->help ? o->help : "");
        if (o->dflt && *o->dflt)
            faas_buf_printf(out, " (default %s)", o->dflt);
        faas_buf_append_c(out, '\n');
    }
}
