/* A cron expression, and in the last line a zone's rule for it. */
#include "libfaas/cron.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A zone of that rule alone: what a file of the system would hold. */
static struct faas_zone *zone_of(struct faas_str rule)
{
    static const char empty[44 + 6 + 4] = "TZif2";
    char file[2 * sizeof(empty) + 2 + 64];
    size_t n = 0;

    if (rule.len > 64)
        return NULL;
    for (int i = 0; i < 2; i++, n += sizeof(empty)) {
        memcpy(file + n, empty, sizeof(empty));
        file[n + 39] = 1; /* types */
        file[n + 43] = 4; /* characters of names */
    }
    file[n++] = '\n';
    if (rule.len)
        memcpy(file + n, rule.ptr, rule.len);
    n += rule.len;
    file[n++] = '\n';
    return faas_zone_parse((struct faas_str){file, n}, NULL);
}

/* The next time is behind this one, and is the next of all that lie between. */
static void check(const struct faas_cron *c, const struct faas_zone *zone, int64_t after)
{
    int64_t next = faas_cron_next(c, zone, after);

    if (next == FAAS_CRON_NEVER || next <= after)
        abort();
    if (faas_cron_next(c, zone, next - 1) != next ||
        faas_cron_next(c, zone, after + (next - after) / 2) <= after + (next - after) / 2 ||
        (next - after > 1 && faas_cron_next(c, zone, after + (next - 1 - after) / 2) != next))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct faas_str rest = {.ptr = (const char *)data, .len = size};
    struct faas_str text = faas_str_split(&rest, '\n');
    struct faas_zone *utc = faas_zone_load(FAAS_STR("UTC"), NULL);
    struct faas_zone *zone = zone_of(rest);
    struct faas_cron c;

    if (faas_cron_parse(text, &c, NULL) == 0)
        for (int64_t t = 1774746000; t < 1774746000 + 366 * 86400LL; t += 45 * 86400LL + 12345) {
            check(&c, utc, t);
            if (zone)
                check(&c, zone, t);
        }
    faas_zone_free(utc);
    faas_zone_free(zone);
    return 0;
}
