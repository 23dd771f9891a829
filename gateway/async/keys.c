#include "gateway/async/keys.h"

struct faas_str gw_key(struct faas_arena *arena, const char *prefix, const char *kind,
                       struct faas_str name)
{
    const struct faas_str parts[] = {faas_str_from(prefix), faas_str_from(kind), name};
    struct faas_str key = {0};
    char *to = faas_arena_alloc(arena, parts[0].len + parts[1].len + name.len + 1);

    key.ptr = to;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(parts); i++) {
        if (parts[i].len)
            memcpy(to + key.len, parts[i].ptr, parts[i].len);
        key.len += parts[i].len;
    }
    to[key.len] = '\0';
    return key;
}
