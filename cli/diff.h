/* Where a function of the stack file and the deployed one differ. */
#ifndef FAAS_CLI_DIFF_H
#define FAAS_CLI_DIFF_H

#include "libfaas/api_types.h"

/* Environment variables that only the other side has. */
enum cli_diff_env {
    CLI_DIFF_LOCAL,  /* those of the server alone do not count */
    CLI_DIFF_REMOTE, /* those of the stack file alone do not count */
    CLI_DIFF_ALL,
};

/* One attribute per row; NULL: this side has none. */
struct cli_diff_row {
    char *field; /* "env.colour" */
    char *local;
    char *remote;
};

struct cli_diff {
    struct cli_diff_row *rows;
    size_t len;
};

/* remote NULL: it is not deployed at all. */
void cli_diff_compare(struct cli_diff *d, const struct faas_function_spec *local,
                      const struct faas_function_spec *remote, enum cli_diff_env env);
/* Two columns under "stack.yaml" and "deployed". */
void cli_diff_write(struct faas_buf *out, const struct cli_diff *d);
void cli_diff_deinit(struct cli_diff *d);

#endif
