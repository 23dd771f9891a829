#include "gateway/async/sweep.h"

#include "gateway/async/keys.h"
#include "gateway/async/store_scripts.h"
#include "libfaas/alloc.h"
#include "libfaas/cleanup.h"

enum {
    LOOK_AT_ENTRIES = 100,
    LOOK_AT_KEYS = 200,
};

struct number {
    char text[21];
};

static struct faas_str format(struct number *n, uint64_t value)
{
    return (struct faas_str){n->text, faas_format_u64(value, n->text)};
}

void gw_sweep_connected(struct gw_store *s)
{
    _cleanup_(faas_arena_deinit) struct faas_arena arena = {0};
    const struct faas_str argv[] = {gw_key(&arena, s->prefix, "whole", FAAS_STR(""))};

    /* Who may not write here is told so by what follows. */
    faas_redis_script(s->redis, GW_SCRIPT_WHOLE, argv, FAAS_ARRAY_LEN(argv), 1, NULL, NULL);
}

struct sweeping {
    union {
        gw_swept_fn *swept;
        gw_mended_fn *mended;
    } fn;
    void *arg;
};

static void on_swept(void *arg, const struct faas_redis_reply *reply, const struct faas_error *err)
{
    _cleanup_free_ struct sweeping *w = arg;

    w->fn.swept(w->arg, faas_redis_str(faas_redis_at(reply, 0)), faas_redis_at(reply, 1), err);
}

void gw_sweep_queue(struct gw_store *s, struct faas_str queue, struct faas_str worker,
                    struct faas_str from, size_t room, gw_swept_fn *fn, void *arg)
{
    _cleanup_(faas_arena_deinit) struct faas_arena arena = {0};
    struct sweeping *w = faas_new(struct sweeping);
    struct number look, take;
    const struct faas_str argv[] = {
        gw_key(&arena, s->prefix, "queue:", queue),
        FAAS_STR(GW_ASYNC_GROUP),
        worker,
        faas_str_from(s->prefix),
        from,
        format(&look, LOOK_AT_ENTRIES),
        format(&take, room),
    };

    w->fn.swept = fn;
    w->arg = arg;
    faas_redis_script(s->redis, GW_SCRIPT_SWEEP, argv, FAAS_ARRAY_LEN(argv), 1, on_swept, w);
}

static void on_mended(void *arg, const struct faas_redis_reply *reply, const struct faas_error *err)
{
    _cleanup_free_ struct sweeping *w = arg;
    uint64_t next = 0;

    if (!err && faas_parse_u64(faas_redis_str(reply), &next, NULL) < 0)
        next = 0;
    w->fn.mended(w->arg, next, err);
}

void gw_sweep_calls(struct gw_store *s, uint64_t cursor, int64_t ttl_ms, int64_t dead_ttl_ms,
                    gw_mended_fn *fn, void *arg)
{
    struct sweeping *w = faas_new(struct sweeping);
    struct number from, look, ttl, dead_ttl;
    const struct faas_str argv[] = {
        format(&from, cursor),
        format(&look, LOOK_AT_KEYS),
        faas_str_from(s->prefix),
        format(&ttl, (uint64_t)ttl_ms),
        format(&dead_ttl, (uint64_t)dead_ttl_ms),
    };

    w->fn.mended = fn;
    w->arg = arg;
    faas_redis_script(s->redis, GW_SCRIPT_MEND, argv, FAAS_ARRAY_LEN(argv), 0, on_mended, w);
}
