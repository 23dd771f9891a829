#include "watchdog/static_range.h"

/* What one of the ranges comes to. False: it cannot be read. len 0: none of it is in the file. */
static bool parse_one(struct faas_str spec, int64_t size, struct wd_range *out)
{
    struct faas_str last = spec;
    struct faas_str first = faas_str_trim(faas_str_split(&last, '-'));
    uint64_t from = 0, to = 0;

    if (!last.ptr)
        return false;
    last = faas_str_trim(last);
    if ((first.len && faas_parse_u64(first, &from, NULL) < 0) ||
        (last.len && faas_parse_u64(last, &to, NULL) < 0) || (!first.len && !last.len))
        return false;
    *out = (struct wd_range){0};
    if (!first.len) { /* the last so many */
        out->len = to > (uint64_t)size ? size : (int64_t)to;
        out->from = size - out->len;
        return true;
    }
    if (last.len && to < from)
        return false;
    if (from >= (uint64_t)size)
        return true;
    out->from = (int64_t)from;
    out->len = size - out->from;
    if (last.len && to - from < (uint64_t)out->len)
        out->len = (int64_t)(to - from) + 1;
    return true;
}

enum wd_range_kind wd_parse_ranges(struct faas_str value, int64_t size,
                                   struct wd_range out[WD_MAX_RANGES], size_t *n)
{
    struct faas_str rest = value;
    struct faas_str unit = faas_str_split(&rest, '=');
    int64_t total = 0;

    *n = 0;
    if (!value.ptr || size == 0)
        return WD_RANGE_WHOLE;
    if (!faas_str_ieq(faas_str_trim(unit), FAAS_STR("bytes")) || !rest.ptr)
        return WD_RANGE_UNSATISFIABLE;
    while (rest.ptr) {
        struct faas_str spec = faas_str_trim(faas_str_split(&rest, ','));
        struct wd_range range;

        if (!spec.len)
            continue;
        if (!parse_one(spec, size, &range))
            return WD_RANGE_UNSATISFIABLE;
        if (range.len == 0)
            continue;
        if (*n == WD_MAX_RANGES || range.len > size - total)
            return WD_RANGE_WHOLE;
        total += range.len;
        out[(*n)++] = range;
    }
    return *n ? WD_RANGE_PARTS : WD_RANGE_UNSATISFIABLE;
}
