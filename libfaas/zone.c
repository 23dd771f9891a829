#include "libfaas/zone.h"

#include "libfaas/alloc.h"
#include "libfaas/file.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MAX_FILE = 256 * 1024, /* the longest have 4 KiB */
    MAX_NAME = 64,
    HEADER = 44,
    MIN_OFFSET = -89999, /* RFC 8536, 3.2 */
    MAX_OFFSET = 93599,
};

#define LATEST                                                                         \
    (INT64_C(1) << 48) /* nine million years from now, and years still fit into an int \
                        */

struct change {
    int64_t at;
    int32_t to; /* seconds east of UTC from then on */
};

struct faas_zone {
    int32_t first; /* the offset ahead of all changes */
    struct change *changes;
    size_t n_changes;
    bool has_rule; /* for what comes behind the last of them */
    struct faas_zone_rule rule;
};

void faas_zone_free(struct faas_zone *z)
{
    if (!z)
        return;
    free(z->changes);
    free(z);
}

static uint64_t big_endian(const char *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

static struct faas_str take(struct faas_str *s, size_t n)
{
    struct faas_str head = {s->ptr, n};

    s->ptr += n;
    s->len -= n;
    return head;
}

/* One header's counts, in its order. */
enum { N_UTC, N_STANDARD, N_LEAP, N_CHANGES, N_TYPES, N_CHARS, N_COUNTS };

static bool take_header(struct faas_str *s, char *version, uint64_t counts[N_COUNTS])
{
    struct faas_str head;

    if (s->len < HEADER)
        return false;
    head = take(s, HEADER);
    *version = head.ptr[4];
    for (size_t i = 0; i < N_COUNTS; i++)
        counts[i] = big_endian(head.ptr + 20 + 4 * i, 4);
    return memcmp(head.ptr, "TZif", 4) == 0;
}

/* Of the block behind a header whose times have so many bytes; 32-bit counts cannot overflow it. */
static uint64_t block_size(const uint64_t c[N_COUNTS], size_t time)
{
    return c[N_CHANGES] * (time + 1) + c[N_TYPES] * 6 + c[N_CHARS] + c[N_LEAP] * (time + 4) +
           c[N_STANDARD] + c[N_UTC];
}

/* A type is offset (4), is summer time (1), name (1). */
static bool read_offset(struct faas_str types, uint64_t i, int32_t *out)
{
    if (i >= types.len / 6)
        return false;
    *out = (int32_t)(uint32_t)big_endian(types.ptr + 6 * i, 4);
    return *out >= MIN_OFFSET && *out <= MAX_OFFSET;
}

static bool read_block(struct faas_zone *z, struct faas_str block, const uint64_t c[N_COUNTS])
{
    struct faas_str times = take(&block, c[N_CHANGES] * 8);
    struct faas_str kinds = take(&block, c[N_CHANGES]);
    struct faas_str types = take(&block, c[N_TYPES] * 6);

    if (!read_offset(types, 0, &z->first))
        return false;
    z->n_changes = c[N_CHANGES];
    z->changes = faas_zalloc(FAAS_MAX(z->n_changes, (size_t)1) * sizeof(*z->changes));
    for (size_t i = 0; i < z->n_changes; i++) {
        struct change *change = &z->changes[i];

        change->at = (int64_t)big_endian(times.ptr + 8 * i, 8);
        if ((i > 0 && change->at <= change[-1].at) || change->at > LATEST ||
            !read_offset(types, (unsigned char)kinds.ptr[i], &change->to))
            return false;
    }
    return true;
}

/* Behind the last change the rule goes, also where a file contradicts itself. */
static void join_rule(struct faas_zone *z)
{
    struct change *last = z->n_changes ? &z->changes[z->n_changes - 1] : NULL;
    struct faas_zone_span s;

    if (!last || last->at < 0)
        return;
    faas_zone_rule_span(&z->rule, last->at, &s);
    last->to = s.offset;
}

static int fail(struct faas_error *err, const char *why)
{
    return faas_fail(err, FAAS_ERR_INVALID, "%s", why);
}

static int read_tzif(struct faas_zone *z, struct faas_str s, struct faas_error *err)
{
    uint64_t counts[N_COUNTS];
    char version;

    if (!take_header(&s, &version, counts) || block_size(counts, 4) > s.len)
        return fail(err, "it is no time zone file");
    if (version < '2')
        return fail(err, "it is of version 1, which ends in 2037");
    take(&s, block_size(counts, 4));
    if (!take_header(&s, &version, counts) || block_size(counts, 8) > s.len)
        return fail(err, "it is cut off");
    if (counts[N_LEAP] > 0)
        return fail(err, "it counts leap seconds, which the system's clock does not");
    if (!read_block(z, take(&s, block_size(counts, 8)), counts))
        return fail(err, "its changes make no sense");
    if (s.len < 2 || s.ptr[0] != '\n' || s.ptr[s.len - 1] != '\n')
        return fail(err, "it is cut off");
    s = (struct faas_str){s.ptr + 1, s.len - 2};
    z->has_rule = s.len > 0;
    if (z->has_rule && faas_zone_rule_parse(s, &z->rule, err) < 0)
        return -1;
    if (z->has_rule)
        join_rule(z);
    return 0;
}

struct faas_zone *faas_zone_parse(struct faas_str tzif, struct faas_error *err)
{
    _cleanup_(faas_zone_freep) struct faas_zone *z = faas_new(struct faas_zone);

    if (read_tzif(z, tzif, err) < 0)
        return NULL;
    return faas_steal_ptr(&z);
}

static bool is_name(struct faas_str name)
{
    if (!name.len || name.len > MAX_NAME || *name.ptr < 'A' || *name.ptr > 'Z' ||
        name.ptr[name.len - 1] == '/')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-' || c == '+' || (c == '/' && name.ptr[i - 1] != '/')))
            return false;
    }
    return true;
}

struct faas_zone *faas_zone_load(struct faas_str name, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf data = {0};
    const char *dir = getenv("TZDIR");
    struct faas_zone *z = NULL;
    struct faas_error why;
    char path[4096 + MAX_NAME];

    if (!is_name(name)) {
        faas_fail(err, FAAS_ERR_INVALID, "\"%.*s\" is no name of a time zone, like Europe/Berlin",
                  (int)FAAS_MIN(name.len, (size_t)MAX_NAME), name.ptr ? name.ptr : "");
        return NULL;
    }
    if (faas_str_eqz(name, "UTC"))
        return faas_new(struct faas_zone);
    snprintf(path, sizeof(path), "%.4000s/%.*s", dir && *dir ? dir : "/usr/share/zoneinfo",
             FAAS_STR_FMT(name));
    if (faas_file_read(path, MAX_FILE, &data, &why) < 0 ||
        !(z = faas_zone_parse(faas_buf_str(&data), &why)))
        faas_fail(err, FAAS_ERR_INVALID, "the time zone %.*s is not known here: %.160s",
                  FAAS_STR_FMT(name), why.msg);
    return z;
}

void faas_zone_span(const struct faas_zone *z, int64_t t, struct faas_zone_span *out)
{
    size_t low = 0, high = z->n_changes; /* how many changes lie at or before t */

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (z->changes[middle].at <= t)
            low = middle + 1;
        else
            high = middle;
    }
    *out = (struct faas_zone_span){INT64_MIN, INT64_MAX, z->first, z->first, z->first};
    if (low == z->n_changes && z->has_rule)
        faas_zone_rule_span(&z->rule, t, out);
    else if (low > 0)
        out->offset = out->before = out->after = z->changes[low - 1].to;
    if (low > 0 && z->changes[low - 1].at > out->from) {
        out->from = z->changes[low - 1].at;
        out->before = low > 1 ? z->changes[low - 2].to : z->first;
    }
    if (low < z->n_changes) {
        out->until = z->changes[low].at;
        out->after = z->changes[low].to;
    }
}
