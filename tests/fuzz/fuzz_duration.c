/* The readers of settings: durations, sizes and quantities. What one form says, the other must say
 * too, and what is written must be read back as the same. */
#include "libfaas/buf.h"
#include "libfaas/str.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void durations(struct faas_str s)
{
    int64_t ns, back = 0, ms = 0;
    char text[32];

    if (faas_parse_go_duration(s, &ns, NULL) < 0)
        return;
    faas_format_go_duration(ns, text);
    require(faas_parse_go_duration(faas_str_from(text), &back, NULL) == 0, "written unreadably");
    require(back == ns, "a duration came back as another");
    if (faas_parse_duration(s, &ms, NULL) < 0)
        require(ns < 0, "Go's duration was refused");
    else
        require(ms == (ns > 0 && ns < 1000000 ? 1 : ns / 1000000), "milliseconds differ");
}

/* Digits mean seconds here and nothing in Go, except for 0. */
static void seconds(struct faas_str s)
{
    int64_t ns, ms = -1;
    uint64_t n;

    if (faas_parse_duration(s, &ms, NULL) == 0)
        require(ms >= 0, "a negative duration");
    if (faas_parse_u64(s, &n, NULL) < 0 || n == 0)
        return;
    require(faas_parse_go_duration(s, &ns, NULL) < 0, "a bare number is a Go duration");
    require(n > INT64_MAX / 1000 || ms == (int64_t)n * 1000, "bare seconds");
}

/* A size in bytes is a quantity as well, and "Ki" has to mean 1024 to both. */
static void sizes(struct faas_str s)
{
    _cleanup_buf_ struct faas_buf bytes = {0};
    uint64_t n, again = 0;
    int64_t milli = 0;

    if (faas_parse_size(s, &n, NULL) < 0)
        return;
    faas_buf_append_u64(&bytes, n);
    require(faas_parse_size(faas_buf_str(&bytes), &again, NULL) == 0 && again == n, "a size");
    if (n <= INT64_MAX / 1000)
        require(faas_parse_quantity(faas_buf_str(&bytes), &milli, NULL) == 0 &&
                    milli == (int64_t)n * 1000,
                "a size as a quantity");
    if (faas_str_ends(s, FAAS_STR("Ki")) && faas_parse_quantity(s, &milli, NULL) == 0)
        require(milli == (int64_t)n * 1000, "Ki differs");
}

static void quantities(struct faas_str s)
{
    _cleanup_buf_ struct faas_buf text = {0};
    int64_t milli, again = -1;

    if (faas_parse_quantity(s, &milli, NULL) < 0)
        return;
    require(milli >= 0, "a negative quantity");
    faas_buf_printf(&text, "%lldm", (long long)milli);
    require(faas_parse_quantity(faas_buf_str(&text), &again, NULL) == 0 && again == milli,
            "a quantity came back as another");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct faas_str s = {.ptr = (const char *)data, .len = size};

    durations(s);
    seconds(s);
    sizes(s);
    quantities(s);
    return 0;
}
