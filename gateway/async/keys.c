#include "gateway/async/keys.h"

struct faas_str gw_key(struct faas_arena *arena, const char *prefix, const char *kind,
                       struct faas_str name)
{
    return faas_str_from(faas_arena_printf(arena, "%s%s%.*s", prefix, kind, FAAS_STR_FMT(name)));
}
