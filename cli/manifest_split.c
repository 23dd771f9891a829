#include "cli/manifest_split.h"

#include "libfaas/alloc.h"
#include "libfaas/file.h"
#include "libfaas/yaml.h"

#include <ctype.h>

struct object {
    char *kind; /* as its folder is called */
    char *name;
    char *namespace_; /* or NULL */
};

static void object_deinit(struct object *o)
{
    free(o->kind);
    free(o->name);
    free(o->namespace_);
}

static const char *scalar(const struct faas_yaml *map, const char *key)
{
    const struct faas_yaml *v = map && map->kind == FAAS_YAML_MAP ? faas_yaml_get(map, key) : NULL;

    return v && v->kind == FAAS_YAML_SCALAR && !faas_yaml_is_null(v) ? v->text : NULL;
}

static bool is_file_name(const char *s)
{
    if (!s || *s == '.' || strlen(s) > 200)
        return false;
    for (; *s; s++)
        if (!isalnum((unsigned char)*s) && !strchr(".:_-", *s))
            return false;
    return true;
}

static char *folder_of(const char *kind)
{
    char *lower = faas_strdup(kind);

    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    if (strcmp(lower, "customresourcedefinition") != 0)
        return lower;
    free(lower);
    return faas_strdup("00_customresourcedefinition");
}

/* 1: an object, 0: a document with nothing in it. */
static int read_object(struct faas_str text, struct object *o, struct faas_error *err)
{
    struct faas_arena arena = {0};
    const struct faas_yaml *doc = faas_yaml_parse(&arena, text, "chart", err);
    const struct faas_yaml *metadata =
        doc && doc->kind == FAAS_YAML_MAP ? faas_yaml_get(doc, "metadata") : NULL;
    const char *kind = scalar(doc, "kind"), *name = scalar(metadata, "name");
    const char *ns = scalar(metadata, "namespace");
    int rc = doc ? 0 : -1;

    if (rc == 0 && kind) {
        rc = 1;
        if (!*kind || !is_file_name(kind) || !name || !*name || !is_file_name(name) ||
            (ns && !is_file_name(ns)))
            rc = faas_fail(err, FAAS_ERR_INVALID,
                           "chart: an object of kind %.60s has no name that "
                           "a file could have",
                           kind);
    }
    if (rc == 1)
        *o = (struct object){.kind = folder_of(kind),
                             .name = faas_strdup(name),
                             .namespace_ = ns ? faas_strdup(ns) : NULL};
    faas_arena_deinit(&arena);
    return rc;
}

static int write_object(const struct object *o, struct faas_str text, const char *folder,
                        struct faas_strv *written, struct faas_error *err)
{
    _cleanup_free_ char *dir = faas_asprintf("%s/%s", folder, o->kind);
    _cleanup_free_ char *path = faas_asprintf("%s/%s.yaml", dir, o->name);

    if (faas_mkdirs(dir, 0755, err) < 0)
        return -1;
    if (faas_file_exists(path)) {
        free(path);
        path = faas_asprintf("%s/%s.%s.yaml", dir, o->name, o->namespace_ ? o->namespace_ : "");
    }
    if (faas_file_create(path, text, 0644, err) < 0)
        return faas_error_wrap(err, "%s", path);
    faas_strv_add(written, path);
    return 0;
}

static int take_document(struct faas_str text, const char *folder, struct faas_strv *written,
                         struct faas_error *err)
{
    _cleanup_(object_deinit) struct object o = {0};
    int found = read_object(text, &o, err);

    return found == 1 ? write_object(&o, text, folder, written, err) : found;
}

int cli_manifests_split(struct faas_str text, const char *folder, struct faas_strv *written,
                        struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf document = {0};
    struct faas_str rest = text;

    while (rest.ptr) {
        struct faas_str line = faas_str_split(&rest, '\n');
        bool divider = faas_str_eqz(faas_str_trim(line), "---");

        if (!divider) {
            faas_buf_append_str(&document, line);
            if (rest.ptr)
                faas_buf_append_c(&document, '\n');
        }
        if (!divider && rest.ptr)
            continue;
        if (take_document(faas_buf_str(&document), folder, written, err) < 0)
            return -1;
        faas_buf_clear(&document);
    }
    return 0;
}
