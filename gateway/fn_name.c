#include "gateway/fn_name.h"

#include <ctype.h>

#define MAX_SEGMENT 128 /* two DNS labels and a dot fit */

static bool legal(struct faas_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (!isalnum(c) && c != '-' && c != '_' && c != '.')
            return false;
    }
    return s.len > 0 && s.len <= MAX_SEGMENT;
}

int gw_fn_name_parse(struct faas_str segment, struct faas_str default_ns, struct gw_fn_name *out,
                     struct faas_error *err)
{
    ptrdiff_t dot = faas_str_rfind(segment, '.');

    *out = (struct gw_fn_name){.name = segment, .ns = default_ns};
    if (dot >= 0) {
        out->name.len = (size_t)dot;
        out->ns = (struct faas_str){segment.ptr + dot + 1, segment.len - (size_t)dot - 1};
    }
    if (!legal(segment) || out->name.len == 0 || out->ns.len == 0)
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "\"%.*s\" is not the name of a function",
                         (int)FAAS_MIN(segment.len, (size_t)MAX_SEGMENT), segment.ptr);
    return 0;
}
