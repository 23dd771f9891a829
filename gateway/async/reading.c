#include "gateway/async/reading.h"

#include "gateway/async/attempt.h"
#include "gateway/async/call_id.h"
#include "gateway/async/keys.h"

enum {
    BLOCK_MS = 1000,     /* how long Redis keeps an idle reader waiting */
    SHORT_BLOCK_MS = 20, /* when there are more queues than one question names */
    /* Calls that are not recorded, for each that may be made at a time: while Redis is slow, other
     * calls go on. */
    RECORDING_FACTOR = 4,
    /* The same while callbacks' receivers are slow, which may be anybody's. */
    MAX_CALLING_BACK = 2000,
    MAX_CALLING_BACK_BYTES = 64 * 1024 * 1024,
};

static int64_t now_ms(const struct gw_worker *w)
{
    return faas_loop_now_ms(w->loop);
}

size_t gw_reading_room(const struct gw_worker *w)
{
    size_t max = (size_t)w->gw->cfg->async.max_inflight;
    size_t free_places = w->n_calling < max ? max - w->n_calling : 0;
    size_t open = RECORDING_FACTOR * max, not_recorded = w->n_attempts - w->n_calling_back;

    if (w->n_calling_back >= MAX_CALLING_BACK || w->calling_back_bytes >= MAX_CALLING_BACK_BYTES)
        return 0;
    return not_recorded < open ? FAAS_MIN(free_places, open - not_recorded) : 0;
}

size_t gw_reading_claim_room(const struct gw_worker *w)
{
    size_t max = (size_t)w->gw->cfg->async.max_inflight;

    return gw_reading_room(w) + (w->ahead.n_claimed < max ? max - w->ahead.n_claimed : 0);
}

/* Entries come at once when the queue that had enough to do is asked as well. */
void gw_reading_anew(struct gw_worker *w)
{
    char id[21];

    w->full = false;
    FAAS_REDIS(w->async->redis, NULL, NULL, FAAS_STR("CLIENT"), FAAS_STR("UNBLOCK"),
               ((struct faas_str){id, faas_format_u64((uint64_t)w->reader_id, id)}));
}

/* --- what is kept --- */

static void on_given_back(void *arg, enum gw_store_result result, const struct faas_error *err)
{
    struct gw_worker *w = arg;

    (void)result; /* if it was not: it will be found again when nobody has spoken for it */
    (void)err;
    w->n_giving_back--;
}

static void forget(struct gw_worker *w, struct gw_kept *k /* takes */)
{
    gw_worker_more(w, k->queue);
    free(k);
}

/* To be made later, by whoever has time then. What was claimed is that when our lease is over. */
static void give_back(struct gw_worker *w, struct gw_kept *k /* takes */)
{
    if (!k->claimed) {
        w->n_giving_back++;
        gw_store_postpone(&w->async->store, faas_str_from(k->queue->name), k->entry.entry,
                          k->entry.id, 0, on_given_back, w);
    }
    forget(w, k);
}

static void give_all_back(struct gw_worker *w)
{
    struct gw_kept *k;

    while ((k = gw_ahead_take(&w->ahead)))
        give_back(w, k);
}

/* What we have not spoken for in half a lease, since this thread stood still, may be another's by
 * now, or will be. */
static void forget_lost(struct gw_worker *w)
{
    int64_t before_ms = now_ms(w) - w->gw->cfg->async.lease_ms / 2;
    struct gw_kept *k;

    while ((k = gw_ahead_take_old(&w->ahead, before_ms, true)))
        forget(w, k);
}

static int64_t patience_with_kept_ms(const struct gw_worker *w)
{
    return gw_ahead_patience_ms(&w->ahead, w->gw->cfg->async.lease_ms);
}

static void on_patience_over(void *arg)
{
    struct gw_worker *w = arg;
    int64_t patience_ms = patience_with_kept_ms(w);
    struct gw_kept *k;

    forget_lost(w);
    while ((k = gw_ahead_take_old(&w->ahead, now_ms(w) - patience_ms, false)))
        give_back(w, k);
    if (w->ahead.n)
        faas_timer_start(w->loop, &w->kept_timer, patience_ms / 2, on_patience_over, w);
}

static void begin_kept(struct gw_worker *w)
{
    struct gw_kept *k;

    if (w->ahead.n)
        forget_lost(w);
    while (gw_reading_room(w) > 0 && (k = gw_ahead_take(&w->ahead))) {
        gw_attempt_begin(w, k->queue, &k->entry, k->claimed);
        gw_served_leave(&w->queues, k->queue); /* the attempt has a place of its own */
        free(k);
    }
}

/* --- entries: [entry, [c, ID, f, FUNCTION, p, PACKET]], or without the last two; [r, TAIL, …] ---
 */

/* id: where the id is put together if the entry does not have it whole. */
static bool read_entry(const struct faas_redis_reply *entry, char id[GW_CALL_ID_LEN + 1],
                       struct gw_entry *out)
{
    const struct faas_redis_reply *fields = faas_redis_at(entry, 1);

    *out = (struct gw_entry){
        .entry = faas_redis_str(faas_redis_at(entry, 0)),
        .id = faas_redis_str(faas_redis_at(fields, 1)),
        .function = faas_redis_str(faas_redis_at(fields, 3)),
        .packet = faas_redis_str(faas_redis_at(fields, 5)),
    };
    if (faas_str_eqz(faas_redis_str(faas_redis_at(fields, 0)), "r") &&
        gw_call_id_format(id, out->entry, out->id))
        out->id = faas_str_from(id);
    return !faas_redis_is_null(fields); /* it was deleted meanwhile */
}

static void take(struct gw_worker *w, struct gw_served_queue *queue, const struct gw_entry *e,
                 bool claimed, int64_t since_ms)
{
    if (!w->draining && w->ahead.n == 0 && gw_reading_room(w) > 0) {
        gw_attempt_begin(w, queue, e, claimed);
        return;
    }
    gw_ahead_keep(&w->ahead, queue, e, claimed, since_ms);
    if (!faas_timer_running(&w->kept_timer))
        faas_timer_start(w->loop, &w->kept_timer, patience_with_kept_ms(w), on_patience_over, w);
}

void gw_reading_claimed(struct gw_worker *w, struct gw_served_queue *queue,
                        const struct faas_redis_reply *entry)
{
    char id[GW_CALL_ID_LEN + 1];
    struct gw_entry e;

    if (read_entry(entry, id, &e))
        take(w, queue, &e, true, now_ms(w));
}

/* The queue's name behind the prefix of its key. */
static struct faas_str queue_of(const struct gw_worker *w, struct faas_str key)
{
    size_t skip = strlen(w->gw->cfg->async.redis_prefix) + strlen("queue:");

    return key.len < skip ? FAAS_STR("") : (struct faas_str){key.ptr + skip, key.len - skip};
}

/* --- answers --- */

struct harvest {
    size_t n, bytes;
    bool more; /* as many as were asked for */
};

static void take_all(struct gw_worker *w, const struct faas_redis_reply *reply, struct harvest *h)
{
    int64_t since_ms = w->rank == GW_ANY_RANK ? now_ms(w) : w->asked_ms;

    for (size_t i = 0; i < faas_redis_len(reply); i++) {
        const struct faas_redis_reply *stream = faas_redis_at(reply, i);
        const struct faas_redis_reply *entries = faas_redis_at(stream, 1);
        size_t n = faas_redis_len(entries);
        struct gw_served_queue *queue =
            gw_served_get(&w->queues, queue_of(w, faas_redis_str(faas_redis_at(stream, 0))));

        h->n += n;
        h->more |= n == w->asked;
        for (size_t k = 0; queue && k < n; k++) {
            char id[GW_CALL_ID_LEN + 1];
            struct gw_entry e;

            if (!read_entry(faas_redis_at(entries, k), id, &e))
                continue;
            h->bytes += e.packet.len;
            take(w, queue, &e, false, since_ms);
        }
    }
}

/* Which queues are asked next: the first as long as there are more, then those behind them; when
 * none has anything, all of them, until one has. */
static size_t next_rank(const struct gw_worker *w, const struct harvest *h)
{
    bool only_one = w->queues.rules->n == 1;

    if (h->n)
        return only_one && !h->more ? GW_ANY_RANK : 0;
    if (w->rank == GW_ANY_RANK)
        return only_one ? GW_ANY_RANK : 0;
    return w->rank + 1;
}

static void on_read(void *arg, const struct faas_redis_reply *reply, const struct faas_error *err)
{
    struct gw_worker *w = arg;
    struct harvest h = {0};

    w->reading = false;
    if (err) { /* Redis is away, or empty again and has forgotten the groups */
        w->rank = 0;
        gw_worker_read_later(w);
        return;
    }
    take_all(w, reply, &h);
    if (w->draining) {
        give_all_back(w);
        return;
    }
    if (h.more && w->rank != GW_ANY_RANK)
        gw_ahead_came(&w->ahead, h.n, h.bytes, now_ms(w) - w->asked_ms);
    else if (h.n)
        gw_ahead_rest(&w->ahead);
    w->rank = next_rank(w, &h);
    gw_reading_more(w);
}

/* --- questions --- */

static void choose(struct gw_worker *w, struct gw_question *q)
{
    size_t room = gw_reading_room(w);

    for (; w->rank < w->queues.rules->n; w->rank++) {
        gw_served_ask(&w->queues, w->rank, room + gw_ahead_room(&w->ahead), q);
        if (q->n)
            return;
    }
    w->rank = GW_ANY_RANK;
    gw_ahead_rest(&w->ahead);
    gw_served_ask(&w->queues, GW_ANY_RANK, room, q);
}

static int64_t patience_ms(const struct gw_worker *w, const struct gw_question *q)
{
    if (w->rank != GW_ANY_RANK)
        return 0;
    return q->has_more ? SHORT_BLOCK_MS : BLOCK_MS;
}

static void ask(struct gw_worker *w, const struct gw_question *q)
{
    _cleanup_(faas_arena_deinit) struct faas_arena arena = {0};
    struct faas_str argv[9 + 2 * GW_MAX_ASKED];
    char count[21], block[21];
    int64_t wait_ms = patience_ms(w, q);
    size_t n = 0;

    argv[n++] = FAAS_STR("XREADGROUP");
    argv[n++] = FAAS_STR("GROUP");
    argv[n++] = FAAS_STR(GW_ASYNC_GROUP);
    argv[n++] = faas_str_from(w->name);
    argv[n++] = FAAS_STR("COUNT");
    argv[n++] = (struct faas_str){count, faas_format_u64(q->count, count)};
    if (wait_ms) {
        argv[n++] = FAAS_STR("BLOCK");
        argv[n++] = (struct faas_str){block, faas_format_u64((uint64_t)wait_ms, block)};
    }
    argv[n++] = FAAS_STR("STREAMS");
    for (size_t i = 0; i < q->n; i++)
        argv[n++] = gw_key(&arena, w->gw->cfg->async.redis_prefix,
                           "queue:", faas_str_from(q->queues[i]->name));
    for (size_t i = 0; i < q->n; i++)
        argv[n++] = FAAS_STR(">");
    w->reading = true;
    w->full = q->full;
    w->asked = q->count;
    w->asked_ms = now_ms(w);
    faas_redis_command(w->reader, argv, n, wait_ms + w->gw->cfg->async.redis_timeout_ms, on_read,
                       w);
}

void gw_reading_more(struct gw_worker *w)
{
    struct gw_question q;

    if (w->draining || now_ms(w) < w->away_until_ms) /* the next refresh() comes back */
        return;
    begin_kept(w);
    if (w->reading)
        return;
    if (gw_reading_room(w) + gw_ahead_room(&w->ahead) == 0) {
        if (w->rank != GW_ANY_RANK)
            w->rank = 0; /* the next place is for the first that has something then */
        return;
    }
    choose(w, &q);
    if (q.n)
        ask(w, &q);
    else /* each has as many calls as it may */
        w->rank = 0;
}

/* The question may not have reached Redis yet, and nothing would end it then. */
bool gw_reading_end(struct gw_worker *w)
{
    give_all_back(w);
    if (w->reading)
        gw_reading_anew(w);
    return !w->reading && w->n_giving_back == 0;
}
