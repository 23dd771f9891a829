#include "cli/stack.h"

#include "cli/yaml_read.h"
#include "libfaas/alloc.h"

#include <regex.h>

#define FIELD(name, kind)                                                     \
    {                                                                         \
        .key = #name, .type = kind, .at = offsetof(struct cli_function, name) \
    }

static const struct cli_yaml_field function_fields[] = {
    FIELD(lang, CLI_YAML_TEXT),
    FIELD(handler, CLI_YAML_TEXT),
    FIELD(image, CLI_YAML_TEXT),
    FIELD(fprocess, CLI_YAML_TEXT),
    {.key = "namespace", .type = CLI_YAML_TEXT, .at = offsetof(struct cli_function, namespace_)},
    FIELD(platforms, CLI_YAML_TEXT),
    FIELD(environment, CLI_YAML_MAP),
    FIELD(environment_file, CLI_YAML_LIST),
    FIELD(secrets, CLI_YAML_LIST),
    FIELD(skip_build, CLI_YAML_BOOL),
    FIELD(constraints, CLI_YAML_LIST),
    FIELD(labels, CLI_YAML_MAP),
    FIELD(annotations, CLI_YAML_MAP),
    FIELD(limits, CLI_YAML_MAP),
    FIELD(requests, CLI_YAML_MAP),
    FIELD(readonly_root_filesystem, CLI_YAML_BOOL),
    FIELD(build_options, CLI_YAML_LIST),
    FIELD(build_args, CLI_YAML_MAP),
    FIELD(build_secrets, CLI_YAML_MAP),
    {0},
};

struct header {
    const char *version;
    const char *provider;
};

static int read_provider(struct cli_stack *s, const struct faas_yaml *doc, struct faas_error *err)
{
    static const struct cli_yaml_field fields[] = {
        {.key = "name", .type = CLI_YAML_TEXT, .at = offsetof(struct header, provider)}, {0}};
    static const struct cli_yaml_field gateway[] = {
        {.key = "gateway", .type = CLI_YAML_TEXT, .at = offsetof(struct cli_stack, gateway)}, {0}};
    const struct cli_yaml_at at = {.file = s->file, .path = "provider"};
    const struct cli_yaml_at top = {.file = s->file, .path = ""};
    const struct faas_yaml *provider;
    struct header header = {0};

    if (cli_yaml_member(doc, &top, "provider", FAAS_YAML_MAP, &provider, err) < 0 ||
        cli_yaml_read(provider, &at, fields, &header, err) < 0 ||
        cli_yaml_read(provider, &at, gateway, s, err) < 0)
        return -1;
    if (!header.provider)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "%s:%d: provider.name is missing: it must be \"openfaas\"", s->file,
                         provider ? provider->line : doc->line);
    if (strcmp(header.provider, "openfaas") != 0)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "%s:%d: provider.name is \"%s\": it must be \"openfaas\"", s->file,
                         provider->line, header.provider);
    return 0;
}

static int read_version(const struct cli_stack *s, const struct faas_yaml *doc,
                        struct faas_error *err)
{
    static const struct cli_yaml_field fields[] = {
        {.key = "version", .type = CLI_YAML_TEXT, .at = offsetof(struct header, version)}, {0}};
    const struct cli_yaml_at top = {.file = s->file, .path = ""};
    struct header header = {0};

    if (cli_yaml_read(doc, &top, fields, &header, err) < 0)
        return -1;
    if (header.version && strcmp(header.version, "1.0") != 0)
        return faas_fail(err, FAAS_ERR_INVALID, "%s:%d: version is \"%s\": it must be \"1.0\"",
                         s->file, faas_yaml_get(doc, "version")->line, header.version);
    return 0;
}

/* The last line that a value touches. A block scalar reaches further, but where the next key of an
 * outer level begins is what callers look for, and they search on from here. */
static int last_line(const struct faas_yaml *v)
{
    int line = v->line;

    for (size_t i = 0; i < v->n_pairs; i++) {
        int in_value = last_line(v->pairs[i].value);

        line = in_value > line ? in_value : line;
    }
    for (size_t i = 0; i < v->n_items; i++) {
        int in_item = last_line(v->items[i]);

        line = in_item > line ? in_item : line;
    }
    return line;
}

static int read_function(struct cli_stack *s, const struct faas_yaml_pair *pair,
                         struct faas_error *err)
{
    const struct cli_function *twin = cli_stack_find(s, pair->key);
    struct cli_function *fn = &s->functions[s->n_functions++];
    const struct cli_yaml_at at = {.file = s->file,
                                   .path = faas_arena_printf(&s->arena, "functions.%s", pair->key)};
    const struct cli_yaml_at top = {.file = s->file, .path = "functions"};
    const struct faas_yaml *v = pair->value;

    *fn = (struct cli_function){.name = pair->key, .file = s->file, .line = pair->line};
    if (twin)
        return faas_fail(err, FAAS_ERR_INVALID, "%s:%d: functions.%s is in %s:%d already", s->file,
                         pair->line, pair->key, twin->file, twin->line);
    if (faas_yaml_is_null(v))
        return 0;
    if (v->kind != FAAS_YAML_MAP)
        return cli_yaml_fail(&top, pair->line, pair->key, "must be a map (key: value)", err);
    fn->has_constraints = faas_yaml_get(v, "constraints") != NULL;
    return cli_yaml_read(v, &at, function_fields, fn, err);
}

static int read_functions(struct cli_stack *s, const struct faas_yaml *doc, struct faas_error *err)
{
    const struct cli_yaml_at top = {.file = s->file, .path = ""};
    const struct faas_yaml *map;

    if (cli_yaml_member(doc, &top, "functions", FAAS_YAML_MAP, &map, err) < 0)
        return -1;
    if (!map || map->n_pairs == 0)
        return 0;
    s->functions =
        faas_realloc(s->functions, (s->n_functions + map->n_pairs) * sizeof(*s->functions));
    for (size_t i = 0; i < map->n_pairs; i++)
        if (read_function(s, &map->pairs[i], err) < 0)
            return -1;
    s->functions_column = map->column - 1;
    s->functions_end = last_line(map) + 1;
    return 0;
}

static int read_templates(struct cli_stack *s, const struct faas_yaml *list, struct faas_error *err)
{
    static const struct cli_yaml_field fields[] = {
        {.key = "name", .type = CLI_YAML_TEXT, .at = offsetof(struct cli_template_source, name)},
        {.key = "source",
         .type = CLI_YAML_TEXT,
         .at = offsetof(struct cli_template_source, source)},
        {0},
    };
    const struct cli_yaml_at at = {.file = s->file, .path = "configuration.templates"};

    if (!list || list->n_items == 0)
        return 0;
    s->templates =
        faas_realloc(s->templates, (s->n_templates + list->n_items) * sizeof(*s->templates));
    for (size_t i = 0; i < list->n_items; i++) {
        const struct faas_yaml *item = list->items[i];
        struct cli_template_source *t = &s->templates[s->n_templates++];

        *t = (struct cli_template_source){0};
        if (item->kind != FAAS_YAML_MAP)
            return cli_yaml_fail(&at, item->line, "name", "every template must be a map", err);
        if (cli_yaml_read(item, &at, fields, t, err) < 0)
            return -1;
        if (!t->name)
            return cli_yaml_fail(&at, item->line, "name", "is missing", err);
    }
    return 0;
}

static int read_configuration(struct cli_stack *s, const struct faas_yaml *doc,
                              struct faas_error *err)
{
    static const struct cli_yaml_field copy[] = {
        {.key = "copy", .type = CLI_YAML_LIST, .at = offsetof(struct cli_stack, copy)}, {0}};
    const struct cli_yaml_at top = {.file = s->file, .path = ""};
    const struct cli_yaml_at at = {.file = s->file, .path = "configuration"};
    const struct faas_yaml *configuration, *list;

    if (cli_yaml_member(doc, &top, "configuration", FAAS_YAML_MAP, &configuration, err) < 0 ||
        cli_yaml_member(configuration, &at, "templates", FAAS_YAML_LIST, &list, err) < 0 ||
        read_templates(s, list, err) < 0)
        return -1;
    return cli_yaml_read(configuration, &at, copy, s, err);
}

int cli_stack_parse(struct cli_stack *s, struct faas_str text, const char *file,
                    const struct cli_env *env, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf substituted = {0};
    const struct faas_yaml *doc;

    s->file = faas_arena_strndup(&s->arena, file, strlen(file));
    faas_strv_add(&s->files, file);
    if (env) {
        if (cli_envsubst(text, file, env, &substituted, err) < 0)
            return -1;
        text = faas_buf_str(&substituted);
    }
    doc = faas_yaml_parse(&s->arena, text, s->file, err);
    if (!doc)
        return -1;
    if (doc->kind != FAAS_YAML_MAP)
        return faas_fail(err, FAAS_ERR_INVALID, "%s:%d: this is no stack file: it must be a map",
                         file, doc->line);
    if (read_provider(s, doc, err) < 0 || read_version(s, doc, err) < 0 ||
        read_functions(s, doc, err) < 0 || read_configuration(s, doc, err) < 0)
        return -1;
    return 0;
}

/* '*' stands for any run of characters, everything else for itself. */
static bool glob_matches(const char *glob, const char *s)
{
    const char *star = NULL, *resume = s;

    while (*s) {
        if (*glob == '*') {
            star = glob++;
            resume = s;
        } else if (*glob == *s) {
            glob++;
            s++;
        } else if (star) {
            glob = star + 1;
            s = ++resume;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}

static void function_deinit(struct cli_function *fn)
{
    for (const struct cli_yaml_field *f = function_fields; f->key; f++) {
        if (f->type == CLI_YAML_LIST)
            faas_strv_deinit((void *)((char *)fn + f->at));
        if (f->type == CLI_YAML_MAP)
            faas_map_deinit((void *)((char *)fn + f->at));
    }
}

static void keep(struct cli_stack *s, bool (*matches)(const void *arg, const char *name),
                 const void *arg)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->n_functions; i++) {
        struct cli_function *fn = &s->functions[i];

        if (matches(arg, fn->name))
            s->functions[kept++] = *fn;
        else
            function_deinit(fn);
    }
    s->n_functions = kept;
}

static bool matches_filter(const void *filter, const char *name)
{
    return glob_matches(filter, name);
}

static bool matches_regex(const void *regex, const char *name)
{
    return regexec(regex, name, 0, NULL, 0) == 0;
}

static bool is_listed(const void *names, const char *name)
{
    return faas_strv_has(names, name);
}

void cli_stack_keep(struct cli_stack *s, const struct faas_strv *names)
{
    keep(s, is_listed, names);
}

/* Users know \d and \D from other engines; POSIX has no such escapes. Heap. */
static char *with_classes(const char *regex)
{
    _cleanup_buf_ struct faas_buf out = {0};
    bool in_set = false;

    for (const char *c = regex; *c; c++) {
        in_set = *c == '[' || (in_set && *c != ']');
        if (c[0] == '\\' && c[1] == 'd')
            faas_buf_append_z(&out, in_set ? "0-9" : "[0-9]");
        else if (c[0] == '\\' && c[1] == 'D' && !in_set)
            faas_buf_append_z(&out, "[^0-9]");
        else
            faas_buf_append(&out, c, c[0] == '\\' && c[1] ? 2 : 1);
        c += c[0] == '\\' && c[1];
    }
    return faas_strdup(out.data ? out.data : "");
}

static int select_by_regex(struct cli_stack *s, const char *regex, struct faas_error *err)
{
    regex_t compiled;
    _cleanup_free_ char *posix = with_classes(regex);
    char why[128];
    int rc = regcomp(&compiled, posix, REG_EXTENDED | REG_NOSUB);

    if (rc != 0) {
        regerror(rc, &compiled, why, sizeof(why));
        return faas_fail(err, FAAS_ERR_INVALID, "--regex \"%s\": %s", regex, why);
    }
    keep(s, matches_regex, &compiled);
    regfree(&compiled);
    return 0;
}

int cli_stack_select(struct cli_stack *s, const char *filter, const char *regex,
                     struct faas_error *err)
{
    if (filter && regex)
        return faas_fail(err, FAAS_ERR_INVALID, "--filter and --regex cannot be used together");
    if (!filter && !regex)
        return 0;
    if (filter)
        keep(s, matches_filter, filter);
    else if (select_by_regex(s, regex, err) < 0)
        return -1;
    return s->n_functions > 0 ? 0
                              : faas_fail(err, FAAS_ERR_INVALID, "%s: no function matches --%s %s",
                                          s->file ? s->file : "no stack file",
                                          filter ? "filter" : "regex", filter ? filter : regex);
}

const struct cli_function *cli_stack_find(const struct cli_stack *s, const char *name)
{
    for (size_t i = 0; i < s->n_functions; i++)
        if (strcmp(s->functions[i].name, name) == 0)
            return &s->functions[i];
    return NULL;
}

void cli_stack_deinit(struct cli_stack *s)
{
    for (size_t i = 0; i < s->n_functions; i++)
        function_deinit(&s->functions[i]);
    free(s->functions);
    free(s->templates);
    faas_strv_deinit(&s->copy);
    faas_strv_deinit(&s->files);
    faas_arena_deinit(&s->arena);
    *s = (struct cli_stack){0};
}
