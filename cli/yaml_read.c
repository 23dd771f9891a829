#include "cli/yaml_read.h"

#include "libfaas/alloc.h"

#include <strings.h>

int cli_yaml_fail(const struct cli_yaml_at *at, int line, const char *key, const char *why,
                  struct faas_error *err)
{
    return faas_fail(err, FAAS_ERR_INVALID, "%s:%d: %s%s%s: %s", at->file, line, at->path,
                     *at->path ? "." : "", key, why);
}

static const char *kind_name(enum faas_yaml_kind kind)
{
    switch (kind) {
    case FAAS_YAML_SCALAR:
        return "must be a single value";
    case FAAS_YAML_MAP:
        return "must be a map (key: value)";
    case FAAS_YAML_LIST:
        return "must be a list (- item)";
    }
    return "";
}

int cli_yaml_member(const struct faas_yaml *map, const struct cli_yaml_at *at, const char *key,
                    enum faas_yaml_kind kind, const struct faas_yaml **out, struct faas_error *err)
{
    const struct faas_yaml *v = map ? faas_yaml_get(map, key) : NULL;

    *out = NULL;
    if (!v || faas_yaml_is_null(v))
        return 0;
    if (v->kind != kind)
        return cli_yaml_fail(at, v->line, key, kind_name(kind), err);
    *out = v;
    return 0;
}

static const char *text_of(const struct faas_yaml *v)
{
    return faas_yaml_is_null(v) ? "" : v->text;
}

static int read_bool(const struct faas_yaml *v, bool *out)
{
    static const char *const yes[] = {"true", "yes", "on", "y"};
    static const char *const no[] = {"false", "no", "off", "n"};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(yes); i++) {
        if (strcasecmp(v->text, yes[i]) == 0 || strcasecmp(v->text, no[i]) == 0) {
            *out = strcasecmp(v->text, yes[i]) == 0;
            return 0;
        }
    }
    return -1;
}

static int read_list(const struct faas_yaml *list, const struct cli_yaml_at *at, const char *key,
                     struct faas_strv *out, struct faas_error *err)
{
    for (size_t i = 0; i < list->n_items; i++) {
        const struct faas_yaml *item = list->items[i];

        if (item->kind != FAAS_YAML_SCALAR)
            return cli_yaml_fail(at, item->line, key, "every item must be a single value", err);
        faas_strv_add(out, text_of(item));
    }
    return 0;
}

static int read_map(const struct faas_yaml *map, const struct cli_yaml_at *at, const char *key,
                    struct faas_map *out, struct faas_error *err)
{
    for (size_t i = 0; i < map->n_pairs; i++) {
        const struct faas_yaml_pair *pair = &map->pairs[i];

        if (pair->value->kind != FAAS_YAML_SCALAR) {
            _cleanup_free_ char *inner = faas_asprintf("%s.%s", key, pair->key);

            return cli_yaml_fail(at, pair->line, inner, kind_name(FAAS_YAML_SCALAR), err);
        }
        faas_map_set(out, pair->key, text_of(pair->value));
    }
    return 0;
}

static enum faas_yaml_kind kind_of(enum cli_yaml_type type)
{
    switch (type) {
    case CLI_YAML_LIST:
        return FAAS_YAML_LIST;
    case CLI_YAML_MAP:
        return FAAS_YAML_MAP;
    case CLI_YAML_TEXT:
    case CLI_YAML_BOOL:
        break;
    }
    return FAAS_YAML_SCALAR;
}

static int read_field(const struct faas_yaml *v, const struct cli_yaml_at *at,
                      const struct cli_yaml_field *f, void *to, struct faas_error *err)
{
    switch (f->type) {
    case CLI_YAML_TEXT:
        *(const char **)to = *v->text ? v->text : NULL;
        return 0;
    case CLI_YAML_BOOL:
        if (read_bool(v, to) < 0)
            return cli_yaml_fail(at, v->line, f->key, "must be true or false", err);
        return 0;
    case CLI_YAML_LIST:
        return read_list(v, at, f->key, to, err);
    case CLI_YAML_MAP:
        return read_map(v, at, f->key, to, err);
    }
    return 0;
}

int cli_yaml_read(const struct faas_yaml *map, const struct cli_yaml_at *at,
                  const struct cli_yaml_field *fields, void *into, struct faas_error *err)
{
    for (const struct cli_yaml_field *f = fields; f->key; f++) {
        const struct faas_yaml *v;

        if (cli_yaml_member(map, at, f->key, kind_of(f->type), &v, err) < 0)
            return -1;
        if (v && read_field(v, at, f, (char *)into + f->at, err) < 0)
            return -1;
    }
    return 0;
}
