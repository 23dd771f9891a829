#include "cli/url.h"

#include <ctype.h>

void cli_url_escape(struct faas_buf *out, struct faas_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~')
            faas_buf_append_c(out, (char)c);
        else if (c == ' ')
            faas_buf_append_c(out, '+');
        else
            faas_buf_printf(out, "%%%02X", c);
    }
}

void cli_url_append_query(struct faas_buf *url, const struct faas_map *query)
{
    const char *before = "?";

    if (!query)
        return;
    faas_map_for_each (query, e) {
        faas_buf_append_z(url, before);
        cli_url_escape(url, faas_str_from(e->key));
        faas_buf_append_c(url, '=');
        cli_url_escape(url, faas_str_from(e->value));
        before = "&";
    }
}
