/* Text in columns, each as wide as its widest cell. */
#ifndef FAAS_CLI_TABLE_H
#define FAAS_CLI_TABLE_H

#include "libfaas/buf.h"
#include "libfaas/map.h"

struct cli_table {
    size_t columns;
    struct faas_strv cells; /* row by row */
};

void cli_table_row(struct cli_table *t, const char *const *cells); /* copies t->columns of them */
/* Cells are divided by gap blanks; nothing stands behind the last of a row. */
void cli_table_write(struct faas_buf *out, const struct cli_table *t, size_t gap);
void cli_table_deinit(struct cli_table *t);

#define _cleanup_table_ _cleanup_(cli_table_deinit)

#endif
