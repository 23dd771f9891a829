#include "gateway/async/finish_batch.h"

#include "gateway/async/keys.h"
#include "gateway/async/store_scripts.h"
#include "libfaas/alloc.h"

#include <stdlib.h>

enum {
    MAX_CALLS = 8, /* then it goes without waiting for the turn's end */
    MAX_BYTES = 256 * 1024,
    ARGS_OF_ALL = 7,
    ARGS_OF_ONE = 8,
};

_Static_assert(ARGS_OF_ALL + ARGS_OF_ONE * MAX_CALLS <= FAAS_REDIS_MAX_ARGS,
               "a script's arguments");

struct waiter {
    gw_stored_fn *fn;
    void *arg;
};

/* The script's arguments are put together as the ends come, in the arena. */
struct batch {
    struct faas_arena arena;
    struct faas_str queue;
    int64_t ttl_ms;
    size_t n, n_args, bytes;
    struct waiter waiters[MAX_CALLS];
    struct faas_str argv[ARGS_OF_ALL + ARGS_OF_ONE * MAX_CALLS];
};

struct gw_finish_batch {
    struct gw_store *store;
    struct faas_loop *loop;
    struct faas_hook hook;
    struct batch *open; /* NULL: nothing waits */
};

static void add(struct batch *b, struct faas_str s)
{
    b->argv[b->n_args++] = s.len ? faas_arena_str(&b->arena, s) : FAAS_STR("");
    b->bytes += s.len;
}

static void add_int(struct batch *b, int64_t n)
{
    char text[21];

    add(b, (struct faas_str){text, faas_format_u64((uint64_t)n, text)});
}

static void on_finished(void *arg, const struct faas_redis_reply *reply,
                        const struct faas_error *err)
{
    struct batch *b = arg;

    for (size_t i = 0; i < b->n; i++) {
        enum gw_store_result result =
            err ? GW_ASYNC_ERROR
                : (faas_redis_integer(faas_redis_at(reply, i)) ? GW_ASYNC_OK : GW_ASYNC_LOST);

        b->waiters[i].fn(b->waiters[i].arg, result, err);
    }
    faas_arena_deinit(&b->arena);
    free(b);
}

static void send(struct gw_finish_batch *s)
{
    struct batch *b = s->open;

    s->open = NULL;
    faas_hook_del(s->loop, &s->hook);
    if (b)
        faas_redis_script(s->store->redis, GW_SCRIPT_FINISH_ALL, b->argv, b->n_args, 1, on_finished,
                          b);
}

static int64_t on_turn(void *arg)
{
    send(arg);
    return -1;
}

static struct batch *open_batch(struct gw_finish_batch *s, struct faas_str queue,
                                const struct gw_outcome *o)
{
    struct batch *b = faas_new(struct batch);
    const char *prefix = s->store->prefix;

    b->queue = faas_arena_str(&b->arena, queue);
    b->ttl_ms = o->ttl_ms;
    b->argv[b->n_args++] = gw_key(&b->arena, prefix, "queue:", queue);
    add(b, FAAS_STR(GW_ASYNC_GROUP));
    add_int(b, o->now_ms);
    add_int(b, o->ttl_ms);
    b->argv[b->n_args++] = gw_key(&b->arena, prefix, "call:", FAAS_STR(""));
    b->argv[b->n_args++] = gw_key(&b->arena, prefix, "result:", FAAS_STR(""));
    add(b, queue);
    s->open = b;
    faas_hook_add(s->loop, &s->hook, on_turn, s);
    return b;
}

void gw_finish_batch_add(struct gw_finish_batch *s, const struct gw_attempt_ref *ref,
                         const struct gw_outcome *o, gw_stored_fn *fn, void *arg)
{
    struct batch *b;

    if (s->open && (!faas_str_eq(s->open->queue, ref->queue) || s->open->ttl_ms != o->ttl_ms))
        send(s);
    b = s->open ? s->open : open_batch(s, ref->queue, o);
    b->waiters[b->n++] = (struct waiter){fn, arg};
    add(b, ref->id);
    add_int(b, ref->attempt);
    add(b, ref->entry);
    add(b, ref->function);
    add_int(b, o->status);
    add(b, o->history);
    add_int(b, o->began_ms);
    add(b, o->result_body);
    if (b->n < MAX_CALLS && b->bytes < MAX_BYTES)
        return;
    send(s);
    faas_redis_flush(s->store->redis);
}

struct gw_finish_batch *gw_finish_batch_new(struct gw_store *s, struct faas_loop *loop)
{
    struct gw_finish_batch *b = faas_new(struct gw_finish_batch);

    b->store = s;
    b->loop = loop;
    return b;
}

void gw_finish_batch_free(struct gw_finish_batch *b)
{
    if (!b)
        return;
    send(b);
    free(b);
}
