#include "cli/template.h"

#include "cli/yaml_read.h"
#include "libfaas/alloc.h"
#include "libfaas/file.h"

#include <dirent.h>
#include <errno.h>
#include <strings.h>

enum { MAX_FILE = 1 << 20 };

static const struct cli_yaml_field template_fields[] = {
    {.key = "language", .type = CLI_YAML_TEXT, .at = offsetof(struct cli_template, language)},
    {.key = "fprocess", .type = CLI_YAML_TEXT, .at = offsetof(struct cli_template, fprocess)},
    {.key = "welcome_message",
     .type = CLI_YAML_TEXT,
     .at = offsetof(struct cli_template, welcome_message)},
    {.key = "handler_folder",
     .type = CLI_YAML_TEXT,
     .at = offsetof(struct cli_template, handler_folder)},
    {.key = "example_folder",
     .type = CLI_YAML_TEXT,
     .at = offsetof(struct cli_template, example_folder)},
    {.key = "mount_ssh", .type = CLI_YAML_BOOL, .at = offsetof(struct cli_template, mount_ssh)},
    {.key = "environment", .type = CLI_YAML_MAP, .at = offsetof(struct cli_template, environment)},
    {0},
};

static const struct cli_yaml_field option_fields[] = {
    {.key = "name", .type = CLI_YAML_TEXT, .at = offsetof(struct cli_build_option, name)},
    {.key = "packages", .type = CLI_YAML_LIST, .at = offsetof(struct cli_build_option, packages)},
    {0},
};

bool cli_is_dockerfile(const char *lang)
{
    return strcasecmp(lang, "dockerfile") == 0;
}

/* A template's own name has no slash; a branch that it was fetched of may have some. */
int cli_template_check_name(const char *lang, struct faas_error *err)
{
    struct faas_str rest = faas_str_from(lang);
    bool ok = *lang && strcspn(lang, "@") <= strcspn(lang, "/");

    while (ok && rest.ptr) {
        struct faas_str part = faas_str_split(&rest, '/');

        ok = part.len > 0 && part.ptr[0] != '.';
    }
    if (!ok)
        return faas_fail(err, FAAS_ERR_INVALID, "\"%s\" cannot be the name of a template", lang);
    return 0;
}

bool cli_template_exists(const char *lang)
{
    _cleanup_free_ char *file = faas_asprintf("template/%s/template.yml", lang);

    return cli_template_check_name(lang, NULL) == 0 && faas_file_exists(file);
}

static int read_build_options(struct cli_template *t, const struct faas_yaml *list,
                              const struct cli_yaml_at *at, struct faas_error *err)
{
    if (!list || list->n_items == 0)
        return 0;
    t->build_options = faas_zalloc(list->n_items * sizeof(*t->build_options));
    for (size_t i = 0; i < list->n_items; i++) {
        const struct faas_yaml *item = list->items[i];
        struct cli_build_option *option = &t->build_options[t->n_build_options++];

        if (item->kind != FAAS_YAML_MAP)
            return cli_yaml_fail(at, item->line, "build_options", "every item must be a map", err);
        if (cli_yaml_read(item, at, option_fields, option, err) < 0)
            return -1;
        if (!option->name)
            return cli_yaml_fail(at, item->line, "build_options", "an item has no name", err);
    }
    return 0;
}

/* Builds write to and read from these, so they must be inside of the template. */
static int check_folder(const char *key, const char *folder, const char *file,
                        struct faas_error *err)
{
    struct faas_str rest = faas_str_from(folder);

    if (folder && *folder == '/')
        return faas_fail(err, FAAS_ERR_INVALID, "%s: %s must be relative", file, key);
    while (rest.ptr)
        if (faas_str_eqz(faas_str_split(&rest, '/'), ".."))
            return faas_fail(err, FAAS_ERR_INVALID, "%s: %s must not contain \"..\"", file, key);
    return 0;
}

int cli_template_parse(struct cli_template *t, struct faas_str text, const char *file,
                       struct faas_error *err)
{
    const struct cli_yaml_at at = {.file = file, .path = ""};
    const struct faas_yaml *doc = faas_yaml_parse(&t->arena, text, file, err);
    const struct faas_yaml *options;

    if (!doc)
        return -1;
    if (doc->kind != FAAS_YAML_MAP)
        return faas_fail(err, FAAS_ERR_INVALID, "%s:%d: must be a map", file, doc->line);
    if (cli_yaml_read(doc, &at, template_fields, t, err) < 0 ||
        cli_yaml_member(doc, &at, "build_options", FAAS_YAML_LIST, &options, err) < 0 ||
        read_build_options(t, options, &at, err) < 0)
        return -1;
    if (!t->handler_folder)
        t->handler_folder = "function";
    if (check_folder("handler_folder", t->handler_folder, file, err) < 0)
        return -1;
    return check_folder("example_folder", t->example_folder, file, err);
}

int cli_template_load(struct cli_template *t, const char *lang, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf text = {0};
    const char *file;

    if (cli_template_check_name(lang, err) < 0)
        return -1;
    t->dir = faas_arena_printf(&t->arena, "template/%s", lang);
    file = faas_arena_printf(&t->arena, "%s/template.yml", t->dir);
    if (!faas_file_exists(file))
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "language template \"%s\" is not here: no ./%s",
                         lang, file);
    if (faas_file_read(file, MAX_FILE, &text, err) < 0)
        return -1;
    return cli_template_parse(t, faas_buf_str(&text), file, err);
}

void cli_template_deinit(struct cli_template *t)
{
    for (size_t i = 0; i < t->n_build_options; i++)
        faas_strv_deinit(&t->build_options[i].packages);
    free(t->build_options);
    faas_map_deinit(&t->environment);
    faas_arena_deinit(&t->arena);
    *t = (struct cli_template){0};
}

int cli_template_list(struct faas_strv *out, struct faas_error *err)
{
    DIR *dir = opendir("template");
    struct dirent *entry;

    if (!dir)
        return faas_fail_errno(err, FAAS_ERR_NOT_FOUND, errno, "./template");
    while ((entry = readdir(dir)))
        if (cli_template_exists(entry->d_name))
            faas_strv_add(out, entry->d_name);
    closedir(dir);
    faas_strv_sort(out);
    return 0;
}
