/* Which paths a .gitignore names. */
#ifndef FAAS_CLI_GITIGNORE_H
#define FAAS_CLI_GITIGNORE_H

#include "libfaas/map.h"

struct cli_gitignore {
    struct faas_strv patterns; /* in file order: the last that matches decides */
};

/* Reads text; comments and blank lines are dropped. */
void cli_gitignore_parse(struct cli_gitignore *g, struct faas_str text);
/* Reads ./.gitignore; without one nothing is ignored. */
FAAS_NODISCARD int cli_gitignore_load(struct cli_gitignore *g, struct faas_error *err);
void cli_gitignore_deinit(struct cli_gitignore *g);
/* Whether path ("hello/node_modules/x", relative, no "./" in front) or a folder above it is
 * ignored. is_dir: of the last part; those above are. */
bool cli_gitignore_matches(const struct cli_gitignore *g, const char *path, bool is_dir);

#endif
