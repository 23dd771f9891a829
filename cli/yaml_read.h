/* Reading YAML maps by table: which keys a map may have, of what kind their values are, and where
 * they go. Unknown keys are passed over. Errors say where and what: "file:line: path.key: …". */
#ifndef FAAS_CLI_YAML_READ_H
#define FAAS_CLI_YAML_READ_H

#include "libfaas/map.h"
#include "libfaas/yaml.h"

enum cli_yaml_type {
    CLI_YAML_TEXT, /* const char *, borrowed from the document; NULL when absent or empty */
    CLI_YAML_BOOL, /* bool */
    CLI_YAML_LIST, /* struct faas_strv */
    CLI_YAML_MAP,  /* struct faas_map */
};

struct cli_yaml_field {
    const char *key;
    enum cli_yaml_type type;
    size_t at;
};

/* A place in a document, for errors. */
struct cli_yaml_at {
    const char *file;
    const char *path; /* "functions.hello", or "" at the top */
};

int cli_yaml_fail(const struct cli_yaml_at *at, int line, const char *key, const char *why,
                  struct faas_error *err);
/* fields ends with a row without key. A NULL or null map is an empty one. */
FAAS_NODISCARD int cli_yaml_read(const struct faas_yaml *map, const struct cli_yaml_at *at,
                                 const struct cli_yaml_field *fields, void *into,
                                 struct faas_error *err);
/* The member called key, or NULL when absent or null; a wrong kind fails. */
FAAS_NODISCARD int cli_yaml_member(const struct faas_yaml *map, const struct cli_yaml_at *at,
                                   const char *key, enum faas_yaml_kind kind,
                                   const struct faas_yaml **out, struct faas_error *err);

#endif
