#include "gateway/async/submit_batch.h"

#include "gateway/async/keys.h"
#include "gateway/async/packet.h"
#include "gateway/async/store_scripts.h"
#include "libfaas/alloc.h"

#include <stdlib.h>

enum {
    MAX_CALLS = 4, /* then it goes without waiting for the turn's end */
    MAX_BYTES = 256 * 1024,
    ARGS_OF_ALL = 6,
    ARGS_OF_ONE = 3,
};

_Static_assert(ARGS_OF_ALL + ARGS_OF_ONE * MAX_CALLS <= FAAS_REDIS_MAX_ARGS,
               "a script's arguments");

struct item {
    struct faas_str id, function, packet; /* in the batch's arena */
    gw_submitted_fn *fn;
    void *arg;
};

struct batch {
    struct faas_arena arena;
    struct faas_str queue;
    int64_t now_ms;
    size_t n, bytes;
    struct item items[MAX_CALLS];
};

struct gw_submit_batch {
    struct gw_store *store;
    struct faas_loop *loop;
    struct faas_hook hook;
    struct batch *open; /* NULL: nothing waits */
};

static void on_submitted(void *arg, const struct faas_redis_reply *reply,
                         const struct faas_error *err)
{
    struct batch *b = arg;

    (void)reply;
    for (size_t i = 0; i < b->n; i++)
        b->items[i].fn(b->items[i].arg, err ? GW_ASYNC_ERROR : GW_ASYNC_OK, b->items[i].id, !err,
                       err);
    faas_arena_deinit(&b->arena);
    free(b);
}

static void send(struct gw_submit_batch *s)
{
    struct faas_str argv[FAAS_REDIS_MAX_ARGS];
    struct batch *b = s->open;
    const char *prefix = s->store->prefix;
    char now[21];
    size_t n = 0;

    s->open = NULL;
    faas_hook_del(s->loop, &s->hook);
    if (!b)
        return;
    argv[n++] = gw_key(&b->arena, prefix, "queue:", b->queue);
    argv[n++] = gw_key(&b->arena, prefix, "queues", FAAS_STR(""));
    argv[n++] = b->queue;
    argv[n++] = FAAS_STR(GW_ASYNC_GROUP);
    argv[n++] = (struct faas_str){now, faas_format_u64((uint64_t)b->now_ms, now)};
    argv[n++] = gw_key(&b->arena, prefix, "call:", FAAS_STR(""));
    for (size_t i = 0; i < b->n; i++) {
        argv[n++] = b->items[i].id;
        argv[n++] = b->items[i].function;
        argv[n++] = b->items[i].packet;
    }
    faas_redis_script(s->store->redis, GW_SCRIPT_SUBMIT_ALL, argv, n, 2, on_submitted, b);
}

static int64_t on_turn(void *arg)
{
    send(arg);
    return -1;
}

static struct batch *open_batch(struct gw_submit_batch *s, const struct gw_submission *sub)
{
    struct batch *b = faas_new(struct batch);

    b->queue = faas_arena_str(&b->arena, sub->queue);
    b->now_ms = sub->now_ms;
    s->open = b;
    faas_hook_add(s->loop, &s->hook, on_turn, s);
    return b;
}

void gw_submit_batch_add(struct gw_submit_batch *s, const struct gw_submission *sub,
                         gw_submitted_fn *fn, void *arg)
{
    const struct gw_packet packet = {.policy = sub->policy,
                                     .callback = sub->callback,
                                     .request = sub->request,
                                     .body = sub->body};
    _cleanup_buf_ struct faas_buf text = {0};
    struct batch *b;

    if (s->open && !faas_str_eq(s->open->queue, sub->queue))
        send(s);
    b = s->open ? s->open : open_batch(s, sub);
    gw_packet_append(&text, &packet);
    b->items[b->n++] = (struct item){
        .id = faas_arena_str(&b->arena, sub->id),
        .function = faas_arena_str(&b->arena, sub->function),
        .packet = faas_arena_str(&b->arena, faas_buf_str(&text)),
        .fn = fn,
        .arg = arg,
    };
    b->bytes += text.len;
    if (b->n == MAX_CALLS || b->bytes >= MAX_BYTES) {
        send(s);
        faas_redis_flush(s->store->redis);
    }
}

struct gw_submit_batch *gw_submit_batch_new(struct gw_store *s, struct faas_loop *loop)
{
    struct gw_submit_batch *b = faas_new(struct gw_submit_batch);

    b->store = s;
    b->loop = loop;
    return b;
}

void gw_submit_batch_free(struct gw_submit_batch *b)
{
    if (!b)
        return;
    send(b);
    free(b);
}
