#include "watchdog/marshal.h"

#include "libfaas/base64.h"
#include "libfaas/json_string.h"
#include "watchdog/header_set.h"

static void append_headers(struct faas_buf *out, const struct wd_header_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        if (wd_header_is_again(set, i)) {
            faas_buf_append_c(out, ',');
        } else {
            faas_buf_append_z(out, i == 0 ? "" : "],");
            faas_json_write_string(out, set->items[i].name);
            faas_buf_append_z(out, ":[");
        }
        faas_json_write_string(out, set->items[i].value);
    }
    faas_buf_append_z(out, set->n ? "]" : "");
}

void wd_marshal_request(struct faas_buf *out, const struct faas_http_header *headers, size_t n,
                        struct faas_str body)
{
    struct wd_header_set set;

    wd_header_set_init(&set, headers, n);
    faas_buf_append_z(out, "{\"header\":{");
    append_headers(out, &set);
    faas_buf_append_z(out, "},\"body\":{\"raw\":\"");
    faas_base64_encode(out, body.ptr, body.len);
    faas_buf_append_z(out, "\"}}");
    wd_header_set_deinit(&set);
}
