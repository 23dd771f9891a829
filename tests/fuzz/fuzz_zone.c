/* A time zone file, and the same bytes as the rule at the end of one. */
#include "libfaas/zone.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t times[] = {0, 951782400, 1774746000, 2147483648, 32503680000};

/* Spans hold the time they are asked for, and stand side by side. */
static void check_span(int64_t t, const struct faas_zone_span *s)
{
    if (s->from > t || t >= s->until)
        abort();
}

static void check_zone(const struct faas_zone *z)
{
    for (size_t i = 0; i < FAAS_ARRAY_LEN(times); i++) {
        struct faas_zone_span s, next;

        faas_zone_span(z, times[i], &s);
        check_span(times[i], &s);
        if (s.until == INT64_MAX)
            continue;
        faas_zone_span(z, s.until, &next);
        check_span(s.until, &next);
        if (s.until >= 0 && (next.from != s.until || next.offset != s.after))
            abort();
    }
}

static void check_rule(const struct faas_zone_rule *r)
{
    for (size_t i = 0; i < FAAS_ARRAY_LEN(times); i++) {
        struct faas_zone_span s;

        faas_zone_rule_span(r, times[i], &s);
        check_span(times[i], &s);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct faas_str text = {.ptr = (const char *)data, .len = size};
    struct faas_zone *z = faas_zone_parse(text, NULL);
    struct faas_zone_rule rule;

    if (z)
        check_zone(z);
    faas_zone_free(z);
    if (faas_zone_rule_parse(text, &rule, NULL) == 0)
        check_rule(&rule);
    return 0;
}
