#include "cli/wrap.h"

void cli_wrap(struct faas_buf *out, const char *text, size_t indent, size_t width)
{
    struct faas_str rest = faas_str_from(text);
    size_t column = indent;

    while (rest.ptr) {
        struct faas_str word = faas_str_split(&rest, ' ');

        if (column > indent && column + 1 + word.len > width) {
            faas_buf_printf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            faas_buf_append_c(out, ' ');
            column++;
        }
        faas_buf_append_str(out, word);
        column += word.len;
    }
    faas_buf_append_c(out, '\n');
}
