/* Escapes and queries. First byte: how many of the others are the key that is looked for. */
#include "libfaas/http.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The inverse, in its crudest form: every byte escaped. */
static struct faas_str encode(struct faas_arena *a, struct faas_str s)
{
    char *out = faas_arena_alloc(a, s.len * 3 + 1);

    for (size_t i = 0; i < s.len; i++) {
        out[3 * i] = '%';
        out[3 * i + 1] = "0123456789abcdef"[(unsigned char)s.ptr[i] >> 4];
        out[3 * i + 2] = "0123456789ABCDEF"[(unsigned char)s.ptr[i] & 15];
    }
    return (struct faas_str){.ptr = out, .len = s.len * 3};
}

static void escapes(struct faas_arena *a, struct faas_str s)
{
    struct faas_str once, back;

    if (!faas_url_decode(a, encode(a, s), &back) || !faas_str_eq(back, s))
        abort(); /* what was escaped comes back */
    if (!faas_url_decode(a, s, &once))
        return;
    if (once.len > s.len || (faas_str_find(s, '%') < 0 && !faas_str_eq(once, s)))
        abort(); /* nothing grows, and nothing changes without a % */
}

static void queries(struct faas_arena *a, struct faas_str key, struct faas_str query)
{
    struct faas_str pair[3], joined, got;
    char *all;

    /* whatever stands before it, the last pair wins, however its key is spelt */
    pair[0] = query;
    pair[1] = encode(a, key);
    pair[2] = encode(a, query);
    all = faas_arena_alloc(a, pair[0].len + pair[1].len + pair[2].len + 2);
    joined = (struct faas_str){.ptr = all};
    for (size_t i = 0; i < 3; i++) {
        if (i > 0)
            all[joined.len++] = i == 1 ? '&' : '=';
        if (pair[i].len > 0)
            memcpy(all + joined.len, pair[i].ptr, pair[i].len);
        joined.len += pair[i].len;
    }
    if (!faas_query_get(a, joined, key, &got) || !faas_str_eq(got, query))
        abort();
    if (faas_query_get(a, query, key, &got) && got.len > query.len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct faas_str s = {.ptr = (const char *)data + (size > 0), .len = size - (size > 0)};
    size_t split = size > 0 ? FAAS_MIN((size_t)data[0], s.len) : 0;
    struct faas_arena a = {0};

    escapes(&a, s);
    queries(&a, (struct faas_str){.ptr = s.ptr, .len = split},
            (struct faas_str){.ptr = s.ptr + split, .len = s.len - split});
    faas_arena_deinit(&a);
    return 0;
}
