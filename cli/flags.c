#include "cli/flags.h"

#include "cli/suggest.h"
#include "libfaas/alloc.h"

#include <stdlib.h>

struct sets {
    const struct cli_flag_set *items;
    size_t len;
};

/* Where a value comes from, and how the user wrote the flag, for errors. */
struct given {
    const struct cli_flag *flag;
    const char *spelled; /* "--parallel" or "-n" */
    struct faas_str value;
};

static const struct cli_flag *find_name(struct sets sets, struct faas_str name)
{
    for (size_t s = 0; s < sets.len; s++)
        for (const struct cli_flag *flag = sets.items[s].rows; flag->name; flag++)
            if (faas_str_eqz(name, flag->name))
                return flag;
    return NULL;
}

static const struct cli_flag *find_letter(struct sets sets, char letter)
{
    for (size_t s = 0; s < sets.len; s++)
        for (const struct cli_flag *flag = sets.items[s].rows; flag->name; flag++)
            if (flag->letter == letter)
                return flag;
    return NULL;
}

static int parse_bool(struct faas_str s, bool *out, struct faas_error *err)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(yes); i++) {
        if (faas_str_eqz(s, yes[i]) || faas_str_eqz(s, no[i])) {
            *out = faas_str_eqz(s, yes[i]);
            return 0;
        }
    }
    return faas_fail(err, FAAS_ERR_INVALID, "must be true or false");
}

int cli_parse_pair(const char *item, struct faas_str *key, struct faas_str *value,
                   struct faas_error *err)
{
    struct faas_str s = faas_str_trim(faas_str_from(item));
    ptrdiff_t eq = faas_str_find(s, '=');

    if (eq < 0)
        return faas_fail(err, FAAS_ERR_INVALID, "must be written KEY=VALUE");
    *key = (struct faas_str){.ptr = s.ptr, .len = (size_t)eq};
    *value = (struct faas_str){.ptr = s.ptr + eq + 1, .len = s.len - (size_t)eq - 1};
    if (key->len == 0)
        return faas_fail(err, FAAS_ERR_INVALID, "the key before '=' is empty");
    if (value->len == 0)
        return faas_fail(err, FAAS_ERR_INVALID, "the value of %.*s is empty", FAAS_STR_FMT(*key));
    return 0;
}

static int parse_choice(const struct cli_flag *flag, struct faas_str s, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf known = {0};

    for (const char *const *choice = flag->choices; choice && *choice; choice++) {
        if (faas_str_ieq(s, faas_str_from(*choice)))
            return 0;
        if (**choice)
            faas_buf_printf(&known, "%s%s", known.len ? ", " : "", *choice);
    }
    return flag->choices ? faas_fail(err, FAAS_ERR_INVALID, "must be one of %s", known.data) : 0;
}

static int store(const struct cli_flag *flag, void *base, struct faas_str s, struct faas_error *err)
{
    void *at = (char *)base + flag->at;
    struct faas_str key, value;
    int64_t ns;

    switch (flag->type) {
    case CLI_BOOL:
        return parse_bool(s, at, err);
    case CLI_INT:
        return faas_parse_i64(s, at, err);
    case CLI_DURATION:
        if (faas_parse_go_duration(s, &ns, err) < 0)
            return -1;
        *(int64_t *)at = ns > 0 && ns < 1000000 ? 1 : ns / 1000000;
        return 0;
    case CLI_STRING:
        if (parse_choice(flag, s, err) < 0)
            return -1;
        free(*(char **)at);
        *(char **)at = faas_str_dup(s);
        return 0;
    case CLI_LIST:
        faas_strv_add_str(at, s);
        return 0;
    case CLI_PAIRS:
        /* s is the end of a NUL-terminated argument */
        if (cli_parse_pair(s.ptr, &key, &value, err) < 0)
            return -1;
        faas_map_set_str(at, key, value);
        return 0;
    }
    return faas_fail(err, FAAS_ERR_INTERNAL, "flag type %d", flag->type);
}

/* Every table that has the flag gets the value. */
static int set_everywhere(struct sets sets, const struct given *g, struct faas_error *err)
{
    struct faas_error why = {0};

    for (size_t s = 0; s < sets.len; s++) {
        for (const struct cli_flag *flag = sets.items[s].rows; flag->name; flag++) {
            if (strcmp(flag->name, g->flag->name) != 0)
                continue;
            if (store(flag, sets.items[s].base, g->value, &why) < 0)
                return faas_fail(err, why.code, "flag %s: \"%.*s\": %s", g->spelled,
                                 FAAS_STR_FMT(g->value), why.msg);
        }
    }
    return 0;
}

static int unknown(struct sets sets, struct faas_str name, struct faas_error *err)
{
    struct cli_suggest nearest = {.wanted = name};

    for (size_t s = 0; s < sets.len; s++)
        for (const struct cli_flag *flag = sets.items[s].rows; flag->name; flag++)
            cli_suggest_offer(&nearest, flag->name);
    if (nearest.best)
        return faas_fail(err, FAAS_ERR_INVALID, "unknown flag: --%.*s. Did you mean --%s?",
                         FAAS_STR_FMT(name), nearest.best);
    return faas_fail(err, FAAS_ERR_INVALID, "unknown flag: --%.*s", FAAS_STR_FMT(name));
}

/* --name, --name=value, --name value. *i moves on when the next string is the value. */
static int parse_long(struct sets sets, char *const *argv, size_t n, size_t *i,
                      struct faas_error *err)
{
    struct faas_str rest = faas_str_from(argv[*i] + 2);
    struct faas_str name = faas_str_split(&rest, '=');
    _cleanup_free_ char *spelled = faas_asprintf("--%.*s", FAAS_STR_FMT(name));
    struct given g = {.flag = find_name(sets, name), .spelled = spelled, .value = rest};

    if (!g.flag)
        return unknown(sets, name, err);
    if (!rest.ptr) {
        if (g.flag->type == CLI_BOOL)
            g.value = FAAS_STR("true");
        else if (*i + 1 < n)
            g.value = faas_str_from(argv[++*i]);
        else
            return faas_fail(err, FAAS_ERR_INVALID, "flag %s needs a value", spelled);
    }
    return set_everywhere(sets, &g, err);
}

/* -n value, -nvalue, -n=value, -abc and -abn value. */
static int parse_letters(struct sets sets, char *const *argv, size_t n, size_t *i,
                         struct faas_error *err)
{
    for (const char *p = argv[*i] + 1; *p; p++) {
        char spelled[3] = {'-', *p, '\0'};
        struct given g = {.flag = find_letter(sets, *p), .spelled = spelled};

        if (!g.flag)
            return faas_fail(err, FAAS_ERR_INVALID, "unknown flag: -%c in %s", *p, argv[*i]);
        if (p[1] == '=') {
            g.value = faas_str_from(p + 2);
            return set_everywhere(sets, &g, err);
        }
        if (g.flag->type == CLI_BOOL) {
            g.value = FAAS_STR("true");
            if (set_everywhere(sets, &g, err) < 0)
                return -1;
            continue;
        }
        if (p[1])
            g.value = faas_str_from(p + 1);
        else if (*i + 1 < n)
            g.value = faas_str_from(argv[++*i]);
        else
            return faas_fail(err, FAAS_ERR_INVALID, "flag %s needs a value", spelled);
        return set_everywhere(sets, &g, err);
    }
    return 0;
}

int cli_flags_parse(const struct cli_flag_set *items, size_t n_sets, char *const *argv, size_t n,
                    struct faas_strv *args, struct faas_error *err)
{
    struct sets sets = {.items = items, .len = n_sets};

    for (size_t i = 0; i < n; i++) {
        const char *s = argv[i];
        int rc = 0;

        if (strcmp(s, "--") == 0) {
            while (++i < n)
                faas_strv_add(args, argv[i]);
            return 0;
        }
        if (s[0] != '-' || s[1] == '\0') /* a lone "-" is an argument */
            faas_strv_add(args, s);
        else if (s[1] == '-')
            rc = parse_long(sets, argv, n, &i, err);
        else
            rc = parse_letters(sets, argv, n, &i, err);
        if (rc < 0)
            return -1;
    }
    return 0;
}

void cli_flags_init(const struct cli_flag_set *sets, size_t n_sets)
{
    for (size_t s = 0; s < n_sets; s++) {
        for (const struct cli_flag *flag = sets[s].rows; flag->name; flag++) {
            /* defaults are ours: a bad one is a bug that the table's test finds */
            if (flag->dflt && store(flag, sets[s].base, faas_str_from(flag->dflt), NULL) < 0)
                abort();
        }
    }
}

void cli_flags_deinit(const struct cli_flag_set *sets, size_t n_sets)
{
    for (size_t s = 0; s < n_sets; s++) {
        for (const struct cli_flag *flag = sets[s].rows; flag->name; flag++) {
            void *at = (char *)sets[s].base + flag->at;

            switch (flag->type) {
            case CLI_STRING:
                free(*(char **)at);
                *(char **)at = NULL;
                break;
            case CLI_LIST:
                faas_strv_deinit(at);
                break;
            case CLI_PAIRS:
                faas_map_deinit(at);
                break;
            case CLI_BOOL:
            case CLI_INT:
            case CLI_DURATION:
                break;
            }
        }
    }
}
