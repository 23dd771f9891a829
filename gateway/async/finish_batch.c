#include "gateway/async/finish_batch.h"

#include "gateway/async/done.h"
#include "gateway/async/keys.h"
#include "gateway/async/store_scripts.h"
#include "libfaas/alloc.h"

#include <stdlib.h>

enum {
    MAX_CALLS = 8, /* then it goes without waiting for the turn's end */
    MAX_BYTES = 256 * 1024,
    ARGS_OF_ALL = 4,
    ARGS_OF_ONE = 3,
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

static void on_finished(void *arg, const struct faas_redis_reply *reply,
                        const struct faas_error *err)
{
    struct batch *b = arg;

    for (size_t i = 0; i < b->n; i++) {
        static const enum gw_store_result results[] = {GW_ASYNC_LOST, GW_ASYNC_OK, GW_ASYNC_AGAIN};
        uint64_t n = (uint64_t)faas_redis_integer(faas_redis_at(reply, i));

        b->waiters[i].fn(b->waiters[i].arg,
                         err || n >= FAAS_ARRAY_LEN(results) ? GW_ASYNC_ERROR : results[n], err);
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
        faas_redis_script(s->store->redis, GW_SCRIPT_FINISH_FRESH, b->argv, b->n_args, 1,
                          on_finished, b);
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
    char ttl[21];

    b->queue = faas_arena_str(&b->arena, queue);
    b->ttl_ms = o->ttl_ms;
    b->argv[b->n_args++] = gw_key(&b->arena, s->store->prefix, "queue:", queue);
    add(b, FAAS_STR(GW_ASYNC_GROUP));
    add(b, (struct faas_str){ttl, faas_format_u64((uint64_t)o->ttl_ms, ttl)});
    add(b, faas_str_from(s->store->prefix));
    s->open = b;
    faas_hook_add(s->loop, &s->hook, on_turn, s);
    return b;
}

void gw_finish_batch_add(struct gw_finish_batch *s, const struct gw_attempt_ref *ref,
                         const struct gw_outcome *o, gw_stored_fn *fn, void *arg)
{
    _cleanup_buf_ struct faas_buf record = {0};
    struct batch *b;

    if (s->open && (!faas_str_eq(s->open->queue, ref->queue) || s->open->ttl_ms != o->ttl_ms))
        send(s);
    b = s->open ? s->open : open_batch(s, ref->queue, o);
    b->waiters[b->n++] = (struct waiter){fn, arg};
    gw_done_append(&record, ref, o);
    add(b, ref->id);
    add(b, ref->entry);
    add(b, faas_buf_str(&record));
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
