#include "libfaas/json_string.h"

#include "libfaas/utf8.h"

static void write_escaped(struct faas_buf *out, uint32_t cp)
{
    switch (cp) {
    case '"':
        faas_buf_append_z(out, "\\\"");
        break;
    case '\\':
        faas_buf_append_z(out, "\\\\");
        break;
    case '\b':
        faas_buf_append_z(out, "\\b");
        break;
    case '\f':
        faas_buf_append_z(out, "\\f");
        break;
    case '\n':
        faas_buf_append_z(out, "\\n");
        break;
    case '\r':
        faas_buf_append_z(out, "\\r");
        break;
    case '\t':
        faas_buf_append_z(out, "\\t");
        break;
    default:
        faas_buf_printf(out, "\\u%04x", cp);
    }
}

/* U+2028 and U+2029 end a line in JavaScript, so Go escapes them as well. */
static bool needs_escape(uint32_t cp)
{
    return cp < 0x20 || cp == '"' || cp == '\\' || cp == '<' || cp == '>' || cp == '&' ||
           cp == 0x2028 || cp == 0x2029;
}

void faas_json_write_string(struct faas_buf *out, struct faas_str s)
{
    size_t plain = 0; /* where the run that can be copied as it stands began */
    size_t i = 0;

    faas_buf_append_c(out, '"');
    while (i < s.len) {
        uint32_t cp;
        bool valid;
        size_t n =
            faas_utf8_next((struct faas_str){.ptr = s.ptr + i, .len = s.len - i}, &cp, &valid);

        if (!valid || needs_escape(cp)) {
            faas_buf_append(out, s.ptr + plain, i - plain);
            write_escaped(out, cp);
            plain = i + n;
        }
        i += n;
    }
    if (s.len)
        faas_buf_append(out, s.ptr + plain, s.len - plain);
    faas_buf_append_c(out, '"');
}
