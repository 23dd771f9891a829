/* Where a stack's texts come from: files and URLs. */
#include "cli/stack.h"

#include "cli/document.h"
#include "cli/yaml_read.h"
#include "libfaas/file.h"

enum { MAX_FILE = 8 << 20, FETCH_TIMEOUT_MS = 120 * 1000 };

int cli_stack_load(struct cli_stack *s, const char *file, const struct cli_env *env,
                   struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf text = {0};
    const struct cli_document d = {.place = file, .max = MAX_FILE, .timeout_ms = FETCH_TIMEOUT_MS};

    if (cli_document_read(&d, &text, err) < 0)
        return faas_error_wrap(err, "cannot read the stack file %s", file);
    return cli_stack_parse(s, faas_buf_str(&text), file, env, err);
}

const char *cli_stack_default_file(void)
{
    if (faas_file_exists("stack.yaml"))
        return "stack.yaml";
    return faas_file_exists("stack.yml") ? "stack.yml" : NULL;
}

int cli_environment_file_read(struct faas_map *into, const char *file, struct faas_error *err)
{
    static const struct cli_yaml_field fields[] = {{.key = "environment", .type = CLI_YAML_MAP},
                                                   {0}};
    const struct cli_yaml_at top = {.file = file, .path = ""};
    _cleanup_buf_ struct faas_buf text = {0};
    struct faas_arena arena = {0};
    const struct faas_yaml *doc;
    int rc = -1;

    if (faas_file_read(file, MAX_FILE, &text, err) < 0)
        return faas_error_wrap(err, "environment_file");
    doc = faas_yaml_parse(&arena, faas_buf_str(&text), file, err);
    if (doc && doc->kind != FAAS_YAML_MAP)
        rc = faas_fail(err, FAAS_ERR_INVALID, "%s:%d: must be a map", file, doc->line);
    else if (doc)
        rc = cli_yaml_read(doc, &top, fields, into, err);
    faas_arena_deinit(&arena);
    return rc;
}
