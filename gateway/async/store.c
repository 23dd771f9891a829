#include "gateway/async/store.h"

#include "gateway/async/call_id.h"
#include "gateway/async/finish_batch.h"
#include "gateway/async/keys.h"
#include "gateway/async/packet.h"
#include "gateway/async/store_scripts.h"
#include "libfaas/alloc.h"
#include "libfaas/cleanup.h"

#include <inttypes.h>
#include <stdio.h>

enum { MAX_ARGS = 24 };

/* A step that waits for its reply. */
struct op {
    union {
        gw_submitted_fn *submitted;
        gw_fired_fn *fired;
        gw_started_fn *started;
        gw_stored_fn *stored;
        gw_renewed_fn *renewed;
        gw_count_fn *count;
    } fn;
    void *arg;
    char id[]; /* of the call, where the receiver is told */
};

/* What a script is given: keys, then arguments, all in one arena. */
struct args {
    struct gw_store *store;
    struct faas_arena arena;
    struct faas_str argv[MAX_ARGS];
    size_t n, n_keys;
};

static void add_key(struct args *a, const char *kind, struct faas_str name)
{
    a->argv[a->n++] = gw_key(&a->arena, a->store->prefix, kind, name);
    a->n_keys = a->n;
}

static void add(struct args *a, struct faas_str value)
{
    a->argv[a->n++] = value.ptr ? value : FAAS_STR("");
}

static void add_int(struct args *a, int64_t n)
{
    char *text = faas_arena_alloc(&a->arena, 22);
    size_t sign = n < 0;

    text[0] = '-';
    add(a, (struct faas_str){
               text, sign + faas_format_u64(sign ? -(uint64_t)n : (uint64_t)n, text + sign)});
}

static struct op *op_new(struct faas_str id, void *arg)
{
    struct op *op = faas_zalloc(sizeof(*op) + id.len + 1);

    op->arg = arg;
    if (id.len)
        memcpy(op->id, id.ptr, id.len);
    return op;
}

static void run(struct args *a, enum gw_script script, faas_redis_fn *fn, void *arg)
{
    faas_redis_script(a->store->redis, script, a->argv, a->n, a->n_keys, fn, arg);
    faas_arena_deinit(&a->arena);
}

/* --- submit --- */

static void on_submitted(void *arg, const struct faas_redis_reply *reply,
                         const struct faas_error *err)
{
    _cleanup_free_ struct op *op = arg;
    bool is_new = faas_redis_is_integer(reply) && faas_redis_integer(reply) == 1;
    struct faas_str id = is_new ? faas_str_from(op->id) : faas_redis_str(reply);

    op->fn.submitted(op->arg, err ? GW_ASYNC_ERROR : GW_ASYNC_OK, id, is_new, err);
}

/* once: what there is one call for. */
static void add_submission_keys(struct args *a, const struct gw_submission *sub, const char *kind,
                                const char *once)
{
    add_key(a, "call:", sub->id);
    add_key(a, "queue:", sub->queue);
    add_key(a, "queues", FAAS_STR(""));
    add_key(a, "packet:", sub->id);
    add_key(a, "delayed:", sub->queue);
    add_key(a, kind, faas_str_from(once));
}

/* The packet's text lives in *text. */
static void add_packet(struct args *a, const struct gw_submission *sub, struct faas_buf *text)
{
    gw_packet_append(text, &(struct gw_packet){.policy = sub->policy,
                                               .callback = sub->callback,
                                               .request = sub->request,
                                               .body = sub->body});
    add(a, faas_buf_str(text));
}

static void add_submission(struct args *a, const struct gw_submission *sub, int64_t once_ms,
                           struct faas_buf *packet)
{
    add(a, sub->id);
    add(a, sub->function);
    add(a, sub->queue);
    add_packet(a, sub, packet);
    add_int(a, sub->now_ms);
    add(a, FAAS_STR(GW_ASYNC_GROUP));
    add(a, faas_str_from(a->store->prefix));
    add_int(a, sub->spill);
    add_int(a, sub->delay_ms);
    add_int(a, once_ms);
}

/* Where an id that is an entry's says that the call is; or nothing. */
static void add_place(struct args *a, struct faas_str id)
{
    char *entry = faas_arena_alloc(&a->arena, GW_ENTRY_ID_SIZE);
    struct faas_str tail = {0};

    add(a, gw_call_id_parse(id, entry, &tail) ? faas_str_from(entry) : FAAS_STR(""));
    add(a, tail);
}

static void on_fresh(void *arg, const struct faas_redis_reply *reply, const struct faas_error *err)
{
    _cleanup_free_ struct op *op = arg;
    char id[GW_CALL_ID_LEN + 1] = "";
    struct faas_error why;

    if (!err && faas_redis_is_null(reply)) {
        op->fn.submitted(op->arg, GW_ASYNC_LOST, FAAS_STR(""), false, NULL);
        return;
    }
    if (!err && !gw_call_id_format(id, faas_redis_str(reply), faas_str_from(op->id))) {
        faas_fail(&why, FAAS_ERR_INTERNAL, "the queue's stream has used up its ids");
        err = &why;
    }
    op->fn.submitted(op->arg, err ? GW_ASYNC_ERROR : GW_ASYNC_OK, faas_str_from(id), !err, err);
}

static void submit_fresh(struct gw_store *s, const struct gw_submission *sub, gw_submitted_fn *fn,
                         void *arg)
{
    _cleanup_buf_ struct faas_buf packet = {0};
    struct args a = {.store = s};
    struct op *op = op_new(gw_call_id_tail(sub->id), arg);

    op->fn.submitted = fn;
    add(&a, FAAS_STR("XADD"));
    add_key(&a, "queue:", sub->queue);
    add(&a, FAAS_STR("NOMKSTREAM"));
    add(&a, FAAS_STR("*"));
    add(&a, FAAS_STR("r"));
    add(&a, faas_str_from(op->id));
    add(&a, FAAS_STR("f"));
    add(&a, sub->function);
    add(&a, FAAS_STR("p"));
    add_packet(&a, sub, &packet);
    faas_redis_command(s->redis, a.argv, a.n, 0, on_fresh, op);
    faas_arena_deinit(&a.arena);
}

void gw_store_submit(struct gw_store *s, const struct gw_submission *sub, gw_submitted_fn *fn,
                     void *arg)
{
    _cleanup_buf_ struct faas_buf packet = {0};
    struct args a = {.store = s};
    struct op *op;

    if (sub->id_is_new && !sub->queue_is_new && !sub->spill && !sub->delay_ms &&
        !sub->same_key.len) {
        submit_fresh(s, sub, fn, arg);
        return;
    }
    op = op_new(sub->id, arg);
    op->fn.submitted = fn;
    add_submission_keys(&a, sub, "same:",
                        faas_arena_printf(&a.arena, "%.*s:%.*s", FAAS_STR_FMT(sub->function),
                                          FAAS_STR_FMT(sub->same_key)));
    add_submission(&a, sub, sub->same_key.len ? sub->same_ttl_ms : 0, &packet);
    add_int(&a, !sub->id_is_new);
    add_place(&a, sub->id);
    run(&a, GW_SCRIPT_SUBMIT, on_submitted, op);
}

/* --- fire --- */

static void on_fired(void *arg, const struct faas_redis_reply *reply, const struct faas_error *err)
{
    _cleanup_free_ struct op *op = arg;
    struct faas_str id = faas_redis_str(faas_redis_at(reply, 0));
    enum gw_fired fired = (enum gw_fired)faas_redis_integer(faas_redis_at(reply, 1));

    op->fn.fired(op->arg, err ? GW_ASYNC_ERROR : GW_ASYNC_OK, fired, id, err);
}

void gw_store_fire(struct gw_store *s, const struct gw_firing *firing, gw_fired_fn *fn, void *arg)
{
    const struct gw_submission *sub = &firing->call;
    _cleanup_buf_ struct faas_buf packet = {0};
    struct args a = {.store = s};
    struct op *op = op_new((struct faas_str){0}, arg);

    op->fn.fired = fn;
    add_submission_keys(&a, sub, "fired:",
                        faas_arena_printf(&a.arena, "%.*s:%" PRId64, FAAS_STR_FMT(sub->function),
                                          firing->planned_ms));
    add_key(&a, "last:", sub->function);
    add_submission(&a, sub, firing->remember_ms, &packet);
    add_int(&a, firing->skip_overlap);
    run(&a, GW_SCRIPT_FIRE, on_fired, op);
}

/* --- start --- */

void gw_store_begin(struct faas_str text, struct gw_started *out)
{
    struct gw_packet packet = {0};

    out->attempt = 1;
    out->unreadable = !gw_packet_parse(text, &packet);
    out->policy = packet.policy;
    out->callback = packet.callback;
    out->request = packet.request;
    out->body = packet.body;
}

static void on_started(void *arg, const struct faas_redis_reply *r, const struct faas_error *err)
{
    _cleanup_free_ struct op *op = arg;
    struct gw_started call = {
        .only_callback = faas_redis_integer(faas_redis_at(r, 2)) == 1,
        .status = faas_redis_integer(faas_redis_at(r, 3)),
        .result_headers = faas_redis_str(faas_redis_at(r, 4)),
        .result_body = faas_redis_str(faas_redis_at(r, 5)),
    };

    gw_store_begin(faas_redis_str(faas_redis_at(r, 1)), &call);
    call.attempt = faas_redis_integer(faas_redis_at(r, 0));
    if (err)
        op->fn.started(op->arg, GW_ASYNC_ERROR, NULL, err);
    else if (faas_redis_is_null(r))
        op->fn.started(op->arg, GW_ASYNC_LOST, NULL, NULL);
    else
        op->fn.started(op->arg, GW_ASYNC_OK, &call, NULL);
}

void gw_store_start(struct gw_store *s, struct faas_str queue, struct faas_str entry,
                    struct faas_str id, struct faas_str worker, bool again, int64_t ttl_ms,
                    int64_t now_ms, gw_started_fn *fn, void *arg)
{
    struct args a = {.store = s};
    struct op *op = op_new(id, arg);

    op->fn.started = fn;
    add_key(&a, "call:", id);
    add_key(&a, "queue:", queue);
    add_key(&a, "packet:", id);
    add_key(&a, "result:", id);
    add(&a, entry);
    add(&a, worker);
    add_int(&a, now_ms);
    add(&a, FAAS_STR(GW_ASYNC_GROUP));
    add_int(&a, again);
    add_int(&a, ttl_ms);
    run(&a, GW_SCRIPT_START, on_started, op);
}

/* --- what an attempt comes to --- */

static void on_stored(void *arg, const struct faas_redis_reply *reply, const struct faas_error *err)
{
    _cleanup_free_ struct op *op = arg;
    enum gw_store_result result = err                         ? GW_ASYNC_ERROR
                                  : faas_redis_integer(reply) ? GW_ASYNC_OK
                                                              : GW_ASYNC_LOST;

    op->fn.stored(op->arg, result, err);
}

static void on_renewed(void *arg, const struct faas_redis_reply *reply,
                       const struct faas_error *err)
{
    _cleanup_free_ struct op *op = arg;
    int64_t n = faas_redis_integer(reply);

    op->fn.renewed(op->arg, err ? GW_ASYNC_ERROR : n ? GW_ASYNC_OK : GW_ASYNC_LOST, n == 2, err);
}

static void on_count(void *arg, const struct faas_redis_reply *reply, const struct faas_error *err)
{
    _cleanup_free_ struct op *op = arg;

    op->fn.count(op->arg, faas_redis_integer(reply), err);
}

/* The keys that each step about an attempt begins with. */
static void add_call(struct args *a, const struct gw_attempt_ref *ref)
{
    add_key(a, "call:", ref->id);
    add_key(a, "queue:", ref->queue);
}

/* And the arguments. */
static void add_attempt(struct args *a, const struct gw_attempt_ref *ref)
{
    add_int(a, ref->attempt);
    add(a, ref->entry);
    add(a, FAAS_STR(GW_ASYNC_GROUP));
}

void gw_store_renew(struct gw_store *s, const struct gw_attempt_ref *ref, struct faas_str worker,
                    int64_t began_ms, gw_renewed_fn *fn, void *arg)
{
    struct args a = {.store = s};
    struct op *op = op_new((struct faas_str){0}, arg);

    op->fn.renewed = fn;
    add_call(&a, ref);
    add_attempt(&a, ref);
    add(&a, worker);
    add_int(&a, began_ms);
    run(&a, GW_SCRIPT_RENEW, on_renewed, op);
}

/* Its id is its entry's. */
static bool is_fresh(const struct gw_attempt_ref *ref)
{
    char id[GW_CALL_ID_LEN + 1];

    return gw_call_id_format(id, ref->entry, gw_call_id_tail(ref->id)) && faas_str_eqz(ref->id, id);
}

void gw_store_finish(struct gw_store *s, const struct gw_attempt_ref *ref,
                     const struct gw_outcome *o, gw_stored_fn *fn, void *arg)
{
    struct args a = {.store = s};
    struct op *op;

    if (s->ends && !o->has_more && !o->hold && !o->reason.len &&
        faas_str_eqz(FAAS_STR("done"), o->state) && is_fresh(ref)) {
        gw_finish_batch_add(s->ends, ref, o, fn, arg);
        return;
    }
    op = op_new((struct faas_str){0}, arg);
    op->fn.stored = fn;
    add_call(&a, ref);
    add_key(&a, "result:", ref->id);
    add_key(&a, "packet:", ref->id);
    add_key(&a, "dead:", ref->queue);
    add_attempt(&a, ref);
    add(&a, faas_str_from(o->state));
    add_int(&a, o->status);
    add(&a, o->history);
    add_int(&a, o->began_ms);
    add_int(&a, o->now_ms);
    add_int(&a, o->ttl_ms);
    add(&a, o->result_body);
    add(&a, o->reason);
    add(&a, o->result_headers);
    add_int(&a, o->hold);
    add(&a, ref->id);
    run(&a, GW_SCRIPT_FINISH, on_stored, op);
}

void gw_store_release(struct gw_store *s, const struct gw_attempt_ref *ref, struct faas_str note,
                      gw_stored_fn *fn, void *arg)
{
    struct args a = {.store = s};
    struct op *op = op_new((struct faas_str){0}, arg);

    op->fn.stored = fn;
    add_call(&a, ref);
    add_key(&a, "packet:", ref->id);
    add_key(&a, "result:", ref->id);
    add_attempt(&a, ref);
    add(&a, note);
    run(&a, GW_SCRIPT_RELEASE, on_stored, op);
}

void gw_store_retry(struct gw_store *s, const struct gw_attempt_ref *ref, int64_t wait_ms,
                    struct faas_str history, int64_t ttl_ms, int64_t now_ms, gw_stored_fn *fn,
                    void *arg)
{
    struct args a = {.store = s};
    struct op *op = op_new((struct faas_str){0}, arg);

    op->fn.stored = fn;
    add_call(&a, ref);
    add_key(&a, "delayed:", ref->queue);
    add_key(&a, "packet:", ref->id);
    add_attempt(&a, ref);
    add_int(&a, wait_ms);
    add(&a, history);
    add(&a, ref->id);
    add_int(&a, ttl_ms);
    add_int(&a, now_ms);
    run(&a, GW_SCRIPT_RETRY, on_stored, op);
}

void gw_store_postpone(struct gw_store *s, struct faas_str queue, struct faas_str entry,
                       struct faas_str id, int64_t wait_ms, gw_stored_fn *fn, void *arg)
{
    struct args a = {.store = s};
    struct op *op = op_new((struct faas_str){0}, arg);

    op->fn.stored = fn;
    add_key(&a, "call:", id);
    add_key(&a, "queue:", queue);
    add_key(&a, "delayed:", queue);
    add_key(&a, "packet:", id);
    add(&a, entry);
    add(&a, FAAS_STR(GW_ASYNC_GROUP));
    add_int(&a, wait_ms);
    add(&a, id);
    run(&a, GW_SCRIPT_POSTPONE, on_stored, op);
}

void gw_store_promote(struct gw_store *s, struct faas_str queue, int64_t max, gw_count_fn *fn,
                      void *arg)
{
    struct args a = {.store = s};
    struct op *op = op_new((struct faas_str){0}, arg);

    op->fn.count = fn;
    add_key(&a, "delayed:", queue);
    add_key(&a, "queue:", queue);
    add_int(&a, max);
    add(&a, gw_key(&a.arena, s->prefix, "call:", FAAS_STR("")));
    run(&a, GW_SCRIPT_PROMOTE, on_count, op);
}

/* --- asking and deciding --- */

void gw_store_cancel(struct gw_store *s, struct faas_str id, int64_t ttl_ms, int64_t now_ms,
                     gw_count_fn *fn, void *arg)
{
    struct args a = {.store = s};
    struct op *op = op_new((struct faas_str){0}, arg);

    op->fn.count = fn;
    add_key(&a, "call:", id);
    add_key(&a, "packet:", id);
    add(&a, faas_str_from(s->prefix));
    add(&a, id);
    add(&a, FAAS_STR(GW_ASYNC_GROUP));
    add_int(&a, ttl_ms);
    add_int(&a, now_ms);
    add_place(&a, id);
    run(&a, GW_SCRIPT_CANCEL, on_count, op);
}

void gw_store_redrive(struct gw_store *s, struct faas_str queue, struct faas_str id,
                      gw_count_fn *fn, void *arg)
{
    struct args a = {.store = s};
    struct op *op = op_new((struct faas_str){0}, arg);

    op->fn.count = fn;
    add_key(&a, "call:", id);
    add_key(&a, "queue:", queue);
    add_key(&a, "dead:", queue);
    add_key(&a, "result:", id);
    add_key(&a, "packet:", id);
    add(&a, id);
    run(&a, GW_SCRIPT_REDRIVE, on_count, op);
}

void gw_store_purge(struct gw_store *s, struct faas_str queue, const char *which, int64_t max,
                    gw_count_fn *fn, void *arg)
{
    struct args a = {.store = s};
    struct op *op = op_new((struct faas_str){0}, arg);
    char kind[16];

    op->fn.count = fn;
    snprintf(kind, sizeof(kind), "%s:", which);
    add_key(&a, kind, queue);
    add(&a, faas_str_from(which));
    add_int(&a, max);
    add(&a, faas_str_from(s->prefix));
    add(&a, FAAS_STR(GW_ASYNC_GROUP));
    run(&a, GW_SCRIPT_PURGE, on_count, op);
}

void gw_store_queues(struct gw_store *s, int64_t now_ms, faas_redis_fn *fn, void *arg)
{
    struct args a = {.store = s};

    add_key(&a, "queues", FAAS_STR(""));
    add_key(&a, "paused", FAAS_STR(""));
    add(&a, faas_str_from(s->prefix));
    add(&a, FAAS_STR(GW_ASYNC_GROUP));
    add_int(&a, now_ms);
    run(&a, GW_SCRIPT_QUEUES, fn, arg);
}

void gw_store_dead(struct gw_store *s, struct faas_str queue, struct faas_str after, int64_t max,
                   faas_redis_fn *fn, void *arg)
{
    struct args a = {.store = s};

    add_key(&a, "dead:", queue);
    add(&a, faas_str_from(s->prefix));
    add(&a, after);
    add_int(&a, max);
    run(&a, GW_SCRIPT_DEAD, fn, arg);
}

static void command(struct gw_store *s, const char *verb, const char *kind, struct faas_str name,
                    struct faas_str value, faas_redis_fn *fn, void *arg)
{
    struct args a = {.store = s};

    add(&a, faas_str_from(verb));
    add_key(&a, kind, name);
    if (value.ptr)
        add(&a, value);
    faas_redis_command(s->redis, a.argv, a.n, 0, fn, arg);
    faas_arena_deinit(&a.arena);
}

void gw_store_get(struct gw_store *s, struct faas_str id, int64_t now_ms, faas_redis_fn *fn,
                  void *arg)
{
    struct args a = {.store = s};

    add_key(&a, "call:", id);
    add_key(&a, "done:", id);
    add(&a, faas_str_from(s->prefix));
    add(&a, FAAS_STR(GW_ASYNC_GROUP));
    add_int(&a, now_ms);
    add_place(&a, id);
    run(&a, GW_SCRIPT_GET, fn, arg);
}

void gw_store_get_result(struct gw_store *s, struct faas_str id, faas_redis_fn *fn, void *arg)
{
    struct args a = {.store = s};

    add_key(&a, "result:", id);
    add_key(&a, "done:", id);
    run(&a, GW_SCRIPT_RESULT, fn, arg);
}

void gw_store_pause(struct gw_store *s, struct faas_str queue, bool paused, faas_redis_fn *fn,
                    void *arg)
{
    command(s, paused ? "SADD" : "SREM", "paused", FAAS_STR(""), queue, fn, arg);
}

void gw_store_has_queue(struct gw_store *s, struct faas_str queue, faas_redis_fn *fn, void *arg)
{
    command(s, "SISMEMBER", "queues", FAAS_STR(""), queue, fn, arg);
}
