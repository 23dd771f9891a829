/* What a client says to mode=static: a path, a Range and conditions, one a line. Whatever it is, no
 * path leads up and no range leaves the file. */
#include "libfaas/arena.h"
#include "libfaas/cleanup.h"
#include "watchdog/static_cond.h"
#include "watchdog/static_path.h"
#include "watchdog/static_range.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(struct faas_str line)
{
    _cleanup_(faas_arena_deinit) struct faas_arena arena = {0};
    struct faas_str rest;
    const char *path;

    if (!wd_static_clean(&arena, line, &path))
        return;
    assert(path[0] != '\0' && path[0] != '/');
    rest = faas_str_from(path);
    while (rest.ptr) {
        struct faas_str segment = faas_str_split(&rest, '/');

        assert(segment.len > 0 && !faas_str_eqz(segment, ".."));
    }
}

static void check_ranges(struct faas_str line, int64_t size)
{
    struct wd_range ranges[WD_MAX_RANGES];
    int64_t total = 0;
    size_t n;

    if (wd_parse_ranges(line, size, ranges, &n) != WD_RANGE_PARTS)
        return;
    assert(n > 0 && n <= WD_MAX_RANGES);
    for (size_t i = 0; i < n; i++) {
        assert(ranges[i].from >= 0 && ranges[i].len > 0);
        assert(ranges[i].from <= size - ranges[i].len);
        total += ranges[i].len;
    }
    assert(total <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct wd_validators v = {"\"tag\"", 784111777};
    struct faas_str rest = {.ptr = (const char *)data, .len = size};
    struct faas_str path = faas_str_split(&rest, '\n');
    struct faas_str range = faas_str_split(&rest, '\n');
    struct faas_str value = faas_str_split(&rest, '\n');
    const struct faas_http_header headers[] = {
        {FAAS_STR("If-None-Match"), value},
        {FAAS_STR("If-Range"), value},
        {FAAS_STR("If-Match"), value},
        {FAAS_STR("If-Modified-Since"), value},
    };
    int status;

    if (size == 0)
        return 0;
    check_path(path);
    check_ranges(range, 10);
    check_ranges(range, INT64_MAX);
    for (size_t i = 0; value.ptr && i < FAAS_ARRAY_LEN(headers); i++) {
        status = wd_check_conditions(headers + i, 1, true, &v);
        assert(status == 200 || status == 304 || status == 412);
        wd_range_applies(headers + i, 1, &v);
    }
    return 0;
}
