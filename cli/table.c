#include "cli/table.h"

#include "libfaas/alloc.h"

void cli_table_row(struct cli_table *t, const char *const *cells)
{
    for (size_t i = 0; i < t->columns; i++)
        faas_strv_add(&t->cells, cells[i]);
}

/* Characters, not bytes: UTF-8's continuation bytes take no place. */
static size_t width(const char *s)
{
    size_t n = 0;

    for (; *s; s++)
        n += (*s & 0xc0) != 0x80;
    return n;
}

void cli_table_write(struct faas_buf *out, const struct cli_table *t, size_t gap)
{
    _cleanup_free_ size_t *widths = faas_zalloc(t->columns * sizeof(*widths));

    for (size_t i = 0; i < t->cells.len; i++)
        widths[i % t->columns] = FAAS_MAX(widths[i % t->columns], width(t->cells.items[i]));
    for (size_t i = 0; i < t->cells.len; i++) {
        size_t column = i % t->columns;
        const char *cell = t->cells.items[i];
        bool last = column + 1 == t->columns;

        faas_buf_append_z(out, cell);
        if (last)
            faas_buf_append_c(out, '\n');
        else
            faas_buf_printf(out, "%*s", (int)(widths[column] + gap - width(cell)), "");
    }
}

void cli_table_deinit(struct cli_table *t)
{
    faas_strv_deinit(&t->cells);
}
