#include "gateway/async/call_id.h"
#include "gateway/async/finish_batch.h"
#include "gateway/async/store.h"
#include "tests/unit/fakes/redis_server.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define LIMIT_MS 20000
#define NOW      1000000

struct fixture {
    struct redis_server server;
    struct faas_loop *loop;
    struct faas_redis *redis;
    struct gw_store store;
    bool fresh;  /* calls without ids of their own are queued */
    char id[64]; /* of the last one that was submitted */
    char key[80];
};

/* What the last step reported. */
struct seen {
    int calls;
    enum gw_store_result result;
    bool flag;
    int64_t n;
    char text[128];
    struct gw_attempt_ref ref; /* of the entry that was read; its strings are below */
    char entry[64], id[64];
    char body[64], result_body[64];
    bool only_callback;
    bool has_packet; /* the entry came with it */
};

static bool has_come(void *arg)
{
    return ((struct seen *)arg)->calls > 0;
}

static void wait_for(struct fixture *f, struct seen *seen)
{
    assert_true(faas_loop_run_until(f->loop, has_come, seen, LIMIT_MS));
    assert_int_equal(seen->calls, 1);
}

static void copy(char *to, size_t size, struct faas_str s)
{
    snprintf(to, size, "%.*s", FAAS_STR_FMT(s));
}

static void on_submitted(void *arg, enum gw_store_result result, struct faas_str id, bool is_new,
                         const struct faas_error *err)
{
    struct seen *seen = arg;

    assert_null(err);
    seen->calls++;
    seen->result = result;
    seen->flag = is_new;
    copy(seen->id, sizeof(seen->id), id);
}

static void on_started(void *arg, enum gw_store_result result, const struct gw_started *call,
                       const struct faas_error *err)
{
    struct seen *seen = arg;

    assert_null(err);
    seen->calls++;
    seen->result = result;
    if (!call)
        return;
    seen->ref.attempt = call->attempt;
    seen->only_callback = call->only_callback;
    seen->n = call->status;
    copy(seen->body, sizeof(seen->body), call->body);
    copy(seen->result_body, sizeof(seen->result_body), call->result_body);
}

static void on_stored(void *arg, enum gw_store_result result, const struct faas_error *err)
{
    struct seen *seen = arg;

    assert_null(err);
    seen->calls++;
    seen->result = result;
}

static void on_failed(void *arg, enum gw_store_result result, const struct faas_error *err)
{
    assert_non_null(err);
    assert_int_equal(result, GW_ASYNC_ERROR);
    ((struct seen *)arg)->calls++;
}

static void on_renewed(void *arg, enum gw_store_result result, bool cancelled,
                       const struct faas_error *err)
{
    on_stored(arg, result, err);
    ((struct seen *)arg)->flag = cancelled;
}

static void on_count(void *arg, int64_t n, const struct faas_error *err)
{
    struct seen *seen = arg;

    assert_null(err);
    seen->calls++;
    seen->n = n;
}

static void on_text(void *arg, const struct faas_redis_reply *reply, const struct faas_error *err)
{
    struct seen *seen = arg;

    assert_null(err);
    seen->calls++;
    seen->n = faas_redis_integer(reply);
    copy(seen->text, sizeof(seen->text), faas_redis_str(reply));
}

/* Of what gw_store_get() says. */
static void on_fields(void *arg, const struct faas_redis_reply *reply, const struct faas_error *err)
{
    struct seen *seen = arg;

    assert_null(err);
    seen->calls++;
    for (size_t i = 0; !seen->text[0] && i + 1 < faas_redis_len(reply); i += 2)
        if (faas_str_eqz(faas_redis_str(faas_redis_at(reply, i)), "s"))
            copy(seen->text, sizeof(seen->text), faas_redis_str(faas_redis_at(reply, i + 1)));
}

/* The first entry of XREADGROUP's answer: [[stream, [[entry, [c, ID, f, FUNCTION, p, PACKET]]]]].
 */
static void on_read(void *arg, const struct faas_redis_reply *reply, const struct faas_error *err)
{
    struct seen *seen = arg;
    const struct faas_redis_reply *entry =
        faas_redis_at(faas_redis_at(faas_redis_at(reply, 0), 1), 0);

    assert_null(err);
    seen->calls++;
    copy(seen->entry, sizeof(seen->entry), faas_redis_str(faas_redis_at(entry, 0)));
    copy(seen->id, sizeof(seen->id), faas_redis_str(faas_redis_at(faas_redis_at(entry, 1), 1)));
    if (faas_str_eqz(faas_redis_str(faas_redis_at(faas_redis_at(entry, 1), 0)), "r"))
        assert_true(gw_call_id_format(seen->id, faas_str_from(seen->entry),
                                      faas_redis_str(faas_redis_at(faas_redis_at(entry, 1), 1))));
    seen->ref = (struct gw_attempt_ref){
        .queue = FAAS_STR("q"),
        .entry = faas_str_from(seen->entry),
        .id = faas_str_from(seen->id),
        .function = FAAS_STR("fn.ns"),
    };
    if (faas_redis_len(faas_redis_at(entry, 1)) == 6) {
        struct gw_started call = {0};

        gw_store_begin(faas_redis_str(faas_redis_at(faas_redis_at(entry, 1), 5)), &call);
        assert_false(call.unreadable);
        seen->has_packet = true;
        seen->ref.attempt = call.attempt;
        copy(seen->body, sizeof(seen->body), call.body);
    }
}

static void text_of(struct fixture *f, char out[128], size_t argc, const struct faas_str *argv)
{
    struct seen seen = {0};

    faas_redis_command(f->redis, argv, argc, 0, on_text, &seen);
    wait_for(f, &seen);
    if (seen.text[0] || !seen.n)
        snprintf(out, 128, "%s", seen.text);
    else
        snprintf(out, 128, "%d", (int)seen.n);
}

static void assert_redis(struct fixture *f, const char *want, size_t argc,
                         const struct faas_str *argv)
{
    char got[128];

    text_of(f, got, argc, argv);
    assert_string_equal(got, want);
}

#define ASSERT_REDIS(f, want, ...)                                                                \
    assert_redis((f), (want), sizeof((struct faas_str[]){__VA_ARGS__}) / sizeof(struct faas_str), \
                 (struct faas_str[]){__VA_ARGS__})

/* Of the call that was submitted last; good until the next. */
static struct faas_str key(struct fixture *f, const char *kind)
{
    snprintf(f->key, sizeof(f->key), "t:%s%s", kind, f->id);
    return faas_str_from(f->key);
}

static void assert_state(struct fixture *f, const char *state)
{
    struct seen seen = {0};

    gw_store_get(&f->store, faas_str_from(f->id), NOW, on_fields, &seen);
    wait_for(f, &seen);
    assert_string_equal(seen.text, state);
}

/* Nothing is in the queue, delivered or not. */
static void assert_queue_empty(struct fixture *f)
{
    ASSERT_REDIS(f, "", FAAS_STR("XLEN"), FAAS_STR("t:queue:q"));
}

static int set_up(void **state)
{
    static struct fixture f;
    struct faas_redis_opts opts = {
        .connect_timeout_ms = 5000,
        .command_timeout_ms = 5000,
        .max_backoff_ms = 50,
        .max_pending = 1000,
        .scripts = gw_store_scripts,
        .n_scripts = gw_store_n_scripts,
    };

    f = (struct fixture){.loop = faas_loop_new(NULL, NULL)};
    redis_server_start(&f.server, NULL);
    opts.url = &f.server.url;
    f.redis = faas_redis_new(f.loop, &opts);
    f.store = (struct gw_store){.redis = f.redis, .prefix = "t:"};
    while (!faas_redis_is_up(f.redis))
        faas_loop_run_until(f.loop, has_come, &(struct seen){0}, 10);
    *state = &f;
    return 0;
}

/* Whose queue is there: a fresh call does not make it. */
static int set_up_fresh(void **state)
{
    struct fixture *f;

    set_up(state);
    f = *state;
    f->fresh = true;
    ASSERT_REDIS(f, "OK", FAAS_STR("XGROUP"), FAAS_STR("CREATE"), FAAS_STR("t:queue:q"),
                 FAAS_STR("workers"), FAAS_STR("0"), FAAS_STR("MKSTREAM"));
    ASSERT_REDIS(f, "1", FAAS_STR("SADD"), FAAS_STR("t:queues"), FAAS_STR("q"));
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    faas_redis_free(f->redis);
    faas_loop_free(f->loop);
    redis_server_stop(&f->server);
    return 0;
}

static struct gw_submission plain(void)
{
    return (struct gw_submission){
        .id = FAAS_STR("a"),
        .function = FAAS_STR("fn.ns"),
        .queue = FAAS_STR("q"),
        .request = FAAS_STR("{}"),
        .body = FAAS_STR("payload"),
        .same_ttl_ms = 60000,
        .now_ms = NOW,
    };
}

static struct seen submit(struct fixture *f, const struct gw_submission *wanted)
{
    struct gw_submission s = *wanted;
    struct seen seen = {0};

    if (f->fresh && !s.delay_ms) {
        s.id = FAAS_STR("01234567-89ab-4cde-8f01-23456789abcd");
        s.id_is_new = true;
    }
    gw_store_submit(&f->store, &s, on_submitted, &seen);
    wait_for(f, &seen);
    snprintf(f->id, sizeof(f->id), "%s", seen.id);
    return seen;
}

static void read_entry(struct fixture *f, struct seen *seen)
{
    *seen = (struct seen){0};
    FAAS_REDIS(f->redis, on_read, seen, FAAS_STR("XREADGROUP"), FAAS_STR("GROUP"),
               FAAS_STR("workers"), FAAS_STR("w1"), FAAS_STR("COUNT"), FAAS_STR("1"),
               FAAS_STR("STREAMS"), FAAS_STR("t:queue:q"), FAAS_STR(">"));
    wait_for(f, seen);
}

static void start_entry(struct fixture *f, struct seen *seen, bool again)
{
    seen->calls = 0;
    gw_store_start(&f->store, FAAS_STR("q"), seen->ref.entry, seen->ref.id, FAAS_STR("w1"), again,
                   60000, NOW, on_started, seen);
    wait_for(f, seen);
}

static void start(struct fixture *f, struct seen *seen)
{
    start_entry(f, seen, false);
}

/* Submitted, read and, if that has not begun it, started. */
static void begin(struct fixture *f, struct seen *seen, const struct gw_submission *s)
{
    submit(f, s);
    read_entry(f, seen);
    if (!seen->has_packet)
        start(f, seen);
    assert_int_equal(seen->result, GW_ASYNC_OK);
}

static enum gw_store_result finish(struct fixture *f, const struct seen *of, const char *state,
                                   bool hold)
{
    const struct gw_outcome outcome = {
        .state = state,
        .status = 200,
        .history = FAAS_STR("{\"status\":200}"),
        .result_headers = FAAS_STR("[]"),
        .result_body = FAAS_STR("answer"),
        .ttl_ms = 60000,
        .now_ms = NOW,
        .hold = hold,
        .has_more = !of->has_packet,
    };
    struct seen seen = {0};

    gw_store_finish(&f->store, &of->ref, &outcome, on_stored, &seen);
    wait_for(f, &seen);
    return seen.result;
}

static void assert_promotes(struct fixture *f, int64_t n)
{
    struct seen step = {0};

    gw_store_promote(&f->store, FAAS_STR("q"), 100, on_count, &step);
    wait_for(f, &step);
    assert_int_equal(step.n, n);
}

/* The clock is Redis's own: what waits is moved instead. */
static void let_time_pass(struct fixture *f, const char *minus_ms)
{
    char due[128];

    text_of(f, due, 4,
            (struct faas_str[]){FAAS_STR("ZINCRBY"), FAAS_STR("t:delayed:q"),
                                faas_str_from(minus_ms), faas_str_from(f->id)});
}

static void a_call_goes_its_way(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen;

    seen = submit(f, &s);
    assert_true(seen.flag);
    assert_string_equal(seen.id, f->fresh ? f->id : "a");
    assert_state(f, "queued");
    read_entry(f, &seen);
    assert_string_equal(seen.id, f->id);
    assert_state(f, "running");
    assert_int_equal(seen.ref.attempt, 1);
    assert_string_equal(seen.body, "payload");
    assert_int_equal(finish(f, &seen, "done", false), GW_ASYNC_OK);
    assert_state(f, "done");
    assert_queue_empty(f);
    ASSERT_REDIS(f, "answer", FAAS_STR("GET"), key(f, "result:"));
    assert_int_equal(finish(f, &seen, "dead", false), GW_ASYNC_LOST); /* it is over */
    assert_state(f, "done");
}

static void a_large_body_stays_out_of_the_stream_and_goes_with_the_call(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen;

    s.spill = true;
    begin(f, &seen, &s);
    assert_false(seen.has_packet);
    assert_string_equal(seen.body, "payload");
    ASSERT_REDIS(f, "1", FAAS_STR("EXISTS"), key(f, "packet:"));
    finish(f, &seen, "done", false);
    ASSERT_REDIS(f, "", FAAS_STR("EXISTS"), key(f, "packet:"));
}

static void the_same_key_is_the_same_call(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen;

    s.same_key = FAAS_STR("key");
    submit(f, &s);
    s.id = FAAS_STR("b");
    seen = submit(f, &s);
    assert_false(seen.flag);
    assert_string_equal(seen.id, "a");
    ASSERT_REDIS(f, "1", FAAS_STR("XLEN"), FAAS_STR("t:queue:q"));
    s.function = FAAS_STR("other.ns"); /* another function's keys are its own */
    assert_true(submit(f, &s).flag);
}

static void an_id_that_is_taken_is_not_taken_over(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen;

    submit(f, &s);
    seen = submit(f, &s);
    assert_false(seen.flag);
    assert_string_equal(seen.id, "");
    ASSERT_REDIS(f, "1", FAAS_STR("XLEN"), FAAS_STR("t:queue:q"));
}

static void whoever_was_taken_for_dead_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen first, second, renewed = {0};

    begin(f, &first, &s);
    second = first;
    second.ref.entry = faas_str_from(second.entry);
    second.ref.id = faas_str_from(second.id);
    start_entry(f, &second, true); /* by whoever claimed the entry */
    assert_int_equal(second.ref.attempt, 2);
    gw_store_renew(&f->store, &first.ref, FAAS_STR("w1"), NOW, on_renewed, &renewed);
    wait_for(f, &renewed);
    assert_int_equal(renewed.result, GW_ASYNC_LOST);
    assert_int_equal(finish(f, &first, "dead", false), GW_ASYNC_LOST);
    assert_state(f, "running");
    assert_int_equal(finish(f, &second, "done", false), GW_ASYNC_OK);
    assert_state(f, "done");
}

static void a_retry_waits_for_its_time(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen, step = {0};

    begin(f, &seen, &s);
    gw_store_retry(&f->store, &seen.ref, 50000, FAAS_STR("{\"status\":503}"), 60000, NOW, on_stored,
                   &step);
    wait_for(f, &step);
    assert_int_equal(step.result, GW_ASYNC_OK);
    assert_state(f, "delayed");
    assert_queue_empty(f);
    step = (struct seen){0};
    assert_promotes(f, 0);
    let_time_pass(f, "-49000");
    assert_promotes(f, 0);
    let_time_pass(f, "-1000");
    assert_promotes(f, 1);
    assert_state(f, "queued");
    read_entry(f, &seen);
    assert_false(seen.has_packet);
    start(f, &seen);
    assert_int_equal(seen.ref.attempt, 2);
    assert_string_equal(seen.body, "payload");
    finish(f, &seen, "done", false);
    ASSERT_REDIS(f, "", FAAS_STR("EXISTS"), key(f, "packet:"));
    ASSERT_REDIS(f, "{\"status\":503},{\"status\":200}", FAAS_STR("HGET"), key(f, "call:"),
                 FAAS_STR("h"));
}

static void a_delayed_submission_waits_too(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();

    s.delay_ms = 50000;
    submit(f, &s);
    assert_state(f, "delayed");
    assert_queue_empty(f);
    let_time_pass(f, "-50000");
    assert_promotes(f, 1);
    assert_state(f, "queued");
}

static void assert_expires(struct fixture *f, const char *kind)
{
    char ttl[128];

    text_of(f, ttl, 2, (struct faas_str[]){FAAS_STR("PTTL"), key(f, kind)});
    assert_in_range(atoi(ttl), 1, 60000);
}

static void a_callback_that_nobody_saw_through_is_all_that_is_done_again(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen, step = {0};

    s.callback = FAAS_STR("http://x/");
    begin(f, &seen, &s);
    assert_int_equal(finish(f, &seen, "done", true), GW_ASYNC_OK);
    assert_state(f, "done");
    ASSERT_REDIS(f, "1", FAAS_STR("XLEN"), FAAS_STR("t:queue:q"));
    ASSERT_REDIS(f, "-1", FAAS_STR("PTTL"), key(f, "call:")); /* however long that takes */
    ASSERT_REDIS(f, "-1", FAAS_STR("PTTL"), key(f, "result:"));
    start_entry(f, &seen, true); /* by whoever claimed the entry */
    assert_true(seen.only_callback);
    assert_string_equal(seen.result_body, "answer");
    assert_int_equal(seen.n, 200);
    gw_store_release(&f->store, &seen.ref, FAAS_STR("delivered"), on_stored, &step);
    wait_for(f, &step);
    assert_int_equal(step.result, GW_ASYNC_OK);
    assert_queue_empty(f);
    assert_state(f, "done");
    assert_expires(f, "call:");
    assert_expires(f, "result:");
}

static int64_t cancel(struct fixture *f)
{
    struct seen step = {0};

    gw_store_cancel(&f->store, faas_str_from(f->id), 60000, NOW, on_count, &step);
    wait_for(f, &step);
    return step.n;
}

static void cancelling_ends_what_waits_and_tells_what_runs(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen, renewed = {0}, step = {0};

    assert_int_equal(cancel(f), 0);
    begin(f, &seen, &s);
    assert_int_equal(cancel(f), 1);
    gw_store_renew(&f->store, &seen.ref, FAAS_STR("w1"), NOW, on_renewed, &renewed);
    wait_for(f, &renewed);
    assert_int_equal(renewed.result, GW_ASYNC_OK);
    assert_true(renewed.flag);
    gw_store_retry(&f->store, &seen.ref, 50000, FAAS_STR("{}"), 60000, NOW, on_stored, &step);
    wait_for(f, &step);
    assert_state(f, "cancelled");
    assert_queue_empty(f);
    assert_int_equal(cancel(f), 2);
}

static void what_was_cancelled_in_the_queue_is_not_started(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen;

    submit(f, &s);
    read_entry(f, &seen);
    assert_int_equal(cancel(f), 1);
    start_entry(f, &seen, true); /* by whoever claimed the entry */
    assert_int_equal(seen.result, GW_ASYNC_LOST);
    assert_state(f, "cancelled");
    assert_queue_empty(f);
}

static void what_is_cancelled_before_anybody_has_read_it_is_gone(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();

    submit(f, &s);
    assert_int_equal(cancel(f), 1);
    assert_state(f, "cancelled");
    assert_queue_empty(f);
    ASSERT_REDIS(f, "0", FAAS_STR("HGET"), key(f, "call:"), FAAS_STR("n")); /* no attempt */
}

static void a_call_that_goes_on_is_written_down(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen, renewed = {0};

    begin(f, &seen, &s);
    ASSERT_REDIS(f, f->fresh ? "" : "queued", FAAS_STR("HGET"), key(f, "call:"), FAAS_STR("s"));
    gw_store_renew(&f->store, &seen.ref, FAAS_STR("w1"), NOW - 5, on_renewed, &renewed);
    wait_for(f, &renewed);
    assert_int_equal(renewed.result, GW_ASYNC_OK);
    ASSERT_REDIS(f, "w1", FAAS_STR("HGET"), key(f, "call:"), FAAS_STR("w"));
    ASSERT_REDIS(f, "999995", FAAS_STR("HGET"), key(f, "call:"), FAAS_STR("at"));
    assert_int_equal(finish(f, &seen, "done", false), GW_ASYNC_OK);
}

/* Torn, and executed in front of what put the call off instead: its packet is gone. */
static void an_end_that_was_torn_stands(void **state)
{
    static const char *const ends[] = {"done", "cancelled"};
    struct fixture *f = *state;
    struct gw_submission s = plain();

    for (size_t i = 0; i < FAAS_ARRAY_LEN(ends); i++) {
        struct seen seen = {0};
        bool called = i == 0;

        ASSERT_REDIS(f, "OK", FAAS_STR("FLUSHALL"));
        s.delay_ms = 50000;
        submit(f, &s);
        ASSERT_REDIS(f, called ? "2" : "1", FAAS_STR("HSET"), FAAS_STR("t:call:a"), FAAS_STR("fin"),
                     FAAS_STR("5"), called ? FAAS_STR("st") : FAAS_STR("fin"), FAAS_STR("200"));
        ASSERT_REDIS(f, "1", FAAS_STR("DEL"), FAAS_STR("t:packet:a"));
        let_time_pass(f, "-50000");
        assert_promotes(f, 1);
        read_entry(f, &seen);
        start(f, &seen);
        assert_int_equal(seen.result, GW_ASYNC_LOST);
        assert_state(f, ends[i]);
        assert_queue_empty(f);
    }
}

static void what_was_read_can_be_put_back_uncounted(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen, step = {0};

    submit(f, &s);
    read_entry(f, &seen);
    gw_store_postpone(&f->store, FAAS_STR("q"), seen.ref.entry, seen.ref.id, 50000, on_stored,
                      &step);
    wait_for(f, &step);
    assert_int_equal(step.result, GW_ASYNC_OK);
    assert_state(f, "delayed");
    assert_queue_empty(f);
    let_time_pass(f, "-50000");
    assert_promotes(f, 1);
    read_entry(f, &seen);
    start(f, &seen);
    assert_int_equal(seen.ref.attempt, 1);
    assert_string_equal(seen.body, "payload");
}

static bool have_come(void *arg)
{
    struct seen *seen = arg;

    return seen[0].calls && seen[1].calls && seen[2].calls && seen[3].calls;
}

static void what_is_submitted_in_a_turn_is_queued_in_order(void **state)
{
    static const char *const tails[] = {"00000000a", "00000000b", "00000000c", "00000000d"};
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen[4] = {0};

    s.id_is_new = true;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(tails); i++) {
        s.id = faas_str_from(tails[i]);
        gw_store_submit(&f->store, &s, on_submitted, &seen[i]);
    }
    assert_true(faas_loop_run_until(f->loop, have_come, seen, LIMIT_MS));
    for (size_t i = 0; i < FAAS_ARRAY_LEN(tails); i++) {
        struct seen entry;

        assert_true(seen[i].flag);
        assert_string_equal(seen[i].id + GW_CALL_ID_LEN - GW_CALL_ID_TAIL, tails[i]);
        read_entry(f, &entry);
        assert_string_equal(entry.id, seen[i].id);
        assert_string_equal(entry.body, "payload");
        assert_int_equal(finish(f, &entry, "done", false), GW_ASYNC_OK);
    }
}

static void assert_result(struct fixture *f, const char *id, const char *result)
{
    struct seen seen = {0};

    gw_store_get_result(&f->store, faas_str_from(id), on_text, &seen);
    wait_for(f, &seen);
    assert_string_equal(seen.text, result);
}

static void each_end_of_a_turn_has_its_own_answer(void **state)
{
    const struct gw_outcome outcome = {
        .state = "done",
        .status = 200,
        .history = FAAS_STR("{}"),
        .result_body = FAAS_STR("answer"),
        .ttl_ms = 60000,
        .now_ms = NOW,
    };
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen entries[3], claimed, seen[4] = {0};

    for (size_t i = 0; i < 3; i++) {
        begin(f, &entries[i], &s);
        entries[i].ref.entry = faas_str_from(entries[i].entry);
        entries[i].ref.id = faas_str_from(entries[i].id);
    }
    claimed = entries[1];
    start_entry(f, &claimed, true); /* by somebody else */
    f->store.ends = gw_finish_batch_new(&f->store, f->loop);
    for (size_t i = 0; i < 4; i++) /* and one of them again, which changes nothing */
        gw_store_finish(&f->store, &entries[i % 3].ref, &outcome, on_stored, &seen[i]);
    assert_true(faas_loop_run_until(f->loop, have_come, seen, LIMIT_MS));
    assert_int_equal(seen[0].result, GW_ASYNC_OK);
    assert_int_equal(seen[1].result, GW_ASYNC_AGAIN);
    assert_int_equal(seen[2].result, GW_ASYNC_OK);
    assert_int_equal(seen[3].result, GW_ASYNC_LOST);
    entries[1].has_packet = false;
    assert_int_equal(finish(f, &entries[1], "done", false), GW_ASYNC_LOST);
    assert_result(f, entries[2].id, "answer");
    assert_result(f, entries[1].id, "");
    ASSERT_REDIS(f, "1", FAAS_STR("XLEN"), FAAS_STR("t:queue:q"));
    gw_finish_batch_free(f->store.ends);
    f->store.ends = NULL;
}

static void what_is_done_at_once_is_known_by_its_record(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen, step = {0};
    char id[64];

    f->store.ends = gw_finish_batch_new(&f->store, f->loop);
    begin(f, &seen, &s);
    assert_int_equal(finish(f, &seen, "done", false), GW_ASYNC_OK);
    ASSERT_REDIS(f, "", FAAS_STR("EXISTS"), key(f, "call:"));
    ASSERT_REDIS(f, "200 0 1000000 fn.ns q 14\n{\"status\":200}answer", FAAS_STR("GET"),
                 key(f, "done:"));
    assert_state(f, "done");
    assert_result(f, f->id, "answer");
    assert_int_equal(cancel(f), 2);
    snprintf(id, sizeof(id), "%s", f->id);
    s.id = faas_str_from(id);
    gw_store_submit(&f->store, &s, on_submitted, &step);
    wait_for(f, &step);
    assert_string_equal(step.id, ""); /* it is taken */
    gw_finish_batch_free(f->store.ends);
    f->store.ends = NULL;
}

/* Its entry is still there, as when Redis lost the end of what recorded it. */
static void what_is_done_at_once_is_not_begun_again(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen;

    begin(f, &seen, &s);
    ASSERT_REDIS(f, "OK", FAAS_STR("SET"), key(f, "done:"),
                 FAAS_STR("200 0 1000000 fn.ns q 2\n{}answer"));
    start_entry(f, &seen, true);
    assert_int_equal(seen.result, GW_ASYNC_LOST);
    assert_state(f, "done");
    assert_result(f, f->id, "answer");
    assert_queue_empty(f);
}

static void who_waits_in_a_turn_that_never_ends_is_told(void **state)
{
    const struct gw_outcome outcome = {.state = "done", .history = FAAS_STR("{}")};
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen entry, seen = {0};

    begin(f, &entry, &s);
    f->store.ends = gw_finish_batch_new(&f->store, f->loop);
    gw_store_finish(&f->store, &entry.ref, &outcome, on_failed, &seen);
    gw_finish_batch_free(f->store.ends);
    f->store.ends = NULL;
    faas_redis_free(f->redis);
    f->redis = NULL;
    assert_int_equal(seen.calls, 1);
}

static void a_fresh_call_asks_for_a_queue_that_is_not_there(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen;

    f->fresh = true;
    seen = submit(f, &s);
    assert_int_equal(seen.result, GW_ASYNC_LOST);
    s.queue_is_new = true;
    begin(f, &seen, &s);
    assert_string_equal(seen.body, "payload");
    s.queue_is_new = false;
    begin(f, &seen, &s);
    assert_string_equal(seen.body, "payload");
    ASSERT_REDIS(f, "2", FAAS_STR("XLEN"), FAAS_STR("t:queue:q"));
}

/* Also when nothing but its entry knows of it, whatever queue that is in. */
static void the_id_of_a_fresh_call_is_taken(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen = submit(f, &s), step = {0};
    char other[64];

    s.id = faas_str_from(seen.id);
    s.queue = FAAS_STR("other");
    gw_store_submit(&f->store, &s, on_submitted, &step);
    wait_for(f, &step);
    assert_string_equal(step.id, "");
    snprintf(other, sizeof(other), "%s", seen.id);
    other[GW_CALL_ID_LEN - 1] = other[GW_CALL_ID_LEN - 1] == '0' ? '1' : '0';
    s.id = faas_str_from(other); /* the same entry, another tail: nobody's */
    step = (struct seen){0};
    gw_store_submit(&f->store, &s, on_submitted, &step);
    wait_for(f, &step);
    assert_string_equal(step.id, other);
}

/* A worker reports about an entry that it read before Redis lost all. */
static void an_entry_with_another_tail_is_another_call(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen;

    begin(f, &seen, &s);
    seen.id[GW_CALL_ID_LEN - 1] = seen.id[GW_CALL_ID_LEN - 1] == '0' ? '1' : '0';
    seen.ref.id = faas_str_from(seen.id);
    seen.ref.entry = faas_str_from(seen.entry);
    assert_int_equal(finish(f, &seen, "done", false), GW_ASYNC_LOST);
    assert_state(f, "running");
}

static void a_queue_that_is_gone_is_made_again(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen;

    submit(f, &s);
    ASSERT_REDIS(f, "1", FAAS_STR("DEL"), FAAS_STR("t:queue:q"));
    s.id = FAAS_STR("b");
    begin(f, &seen, &s);
    assert_string_equal(seen.body, "payload");
}

static void the_dead_can_be_redriven(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen, step = {0};

    begin(f, &seen, &s);
    assert_int_equal(finish(f, &seen, "dead", false), GW_ASYNC_OK);
    assert_queue_empty(f);
    ASSERT_REDIS(f, "1", FAAS_STR("XLEN"), FAAS_STR("t:dead:q"));
    gw_store_redrive(&f->store, FAAS_STR("other"), faas_str_from(f->id), on_count, &step);
    wait_for(f, &step);
    assert_int_equal(step.n, 0); /* it is not one of that queue's */
    step.calls = 0;
    gw_store_redrive(&f->store, FAAS_STR("q"), faas_str_from(f->id), on_count, &step);
    wait_for(f, &step);
    assert_int_equal(step.n, 1);
    ASSERT_REDIS(f, "", FAAS_STR("XLEN"), FAAS_STR("t:dead:q"));
    read_entry(f, &seen);
    start(f, &seen);
    assert_int_equal(seen.ref.attempt, 1);
    assert_string_equal(seen.body, "payload");
}

static int64_t purge_some(struct fixture *f, const char *which, int64_t max)
{
    struct seen step = {0};

    gw_store_purge(&f->store, FAAS_STR("q"), which, max, on_count, &step);
    wait_for(f, &step);
    return step.n;
}

static int64_t purge(struct fixture *f, const char *which)
{
    return purge_some(f, which, 100);
}

static void what_runs_does_not_hide_what_waits_from_purging(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen;

    begin(f, &seen, &s);
    s.id = FAAS_STR("b");
    begin(f, &seen, &s);
    s.id = FAAS_STR("c");
    submit(f, &s);
    assert_int_equal(purge_some(f, "queue", 2), 1);
    assert_int_equal(purge_some(f, "queue", 2), 0);
    assert_state(f, "");
    ASSERT_REDIS(f, "2", FAAS_STR("XLEN"), FAAS_STR("t:queue:q"));
}

static void purging_leaves_what_runs(void **state)
{
    struct fixture *f = *state;
    struct gw_submission s = plain();
    struct seen seen;

    begin(f, &seen, &s);
    s.id = FAAS_STR("b");
    submit(f, &s);
    s.id = FAAS_STR("c");
    s.delay_ms = 50000;
    submit(f, &s);
    assert_int_equal(purge(f, "queue"), 1);
    assert_int_equal(purge(f, "delayed"), 1);
    assert_int_equal(purge(f, "queue"), 0);
    snprintf(f->id, sizeof(f->id), "%s", seen.id);
    assert_state(f, "running");
    assert_int_equal(finish(f, &seen, "dead", false), GW_ASYNC_OK);
    assert_int_equal(purge(f, "dead"), 1);
    assert_state(f, "");
}

static void half_an_entry_is_put_away(void **state)
{
    struct fixture *f = *state;
    struct seen seen;

    text_of(f, (char[128]){0}, 5,
            (struct faas_str[]){FAAS_STR("XADD"), FAAS_STR("t:queue:q"), FAAS_STR("*"),
                                FAAS_STR("r"), FAAS_STR("23456789a")});
    read_entry(f, &seen);
    snprintf(f->id, sizeof(f->id), "%s", seen.id);
    assert_state(f, "");
    start_entry(f, &seen, true);
    assert_int_equal(seen.result, GW_ASYNC_LOST);
    assert_queue_empty(f);
}

/* --- schedules --- */

static void on_fired(void *arg, enum gw_store_result result, enum gw_fired fired,
                     struct faas_str id, const struct faas_error *err)
{
    struct seen *seen = arg;

    assert_null(err);
    seen->calls++;
    seen->result = result;
    seen->n = fired;
    copy(seen->id, sizeof(seen->id), id);
}

static void assert_fires(struct fixture *f, const char *wanted, int64_t planned_ms, bool skip,
                         enum gw_fired fired, const char *id)
{
    struct gw_firing firing = {
        .call = plain(),
        .planned_ms = planned_ms,
        .remember_ms = 60000,
        .skip_overlap = skip,
    };
    struct seen seen = {0};

    firing.call.id = faas_str_from(wanted);
    gw_store_fire(&f->store, &firing, on_fired, &seen);
    wait_for(f, &seen);
    assert_int_equal(seen.result, GW_ASYNC_OK);
    assert_int_equal(seen.n, fired);
    assert_string_equal(seen.id, id);
}

static void a_planned_time_is_queued_once(void **state)
{
    struct fixture *f = *state;

    assert_fires(f, "a", 1000, false, GW_FIRED, "a");
    assert_fires(f, "b", 1000, false, GW_FIRED_BEFORE, "a");
    assert_fires(f, "a", 2000, false, GW_FIRED, ""); /* the id is taken, the time is not */
    assert_fires(f, "c", 2000, false, GW_FIRED, "c");
    ASSERT_REDIS(f, "2", FAAS_STR("XLEN"), FAAS_STR("t:queue:q"));
    /* Also when the call is long over and forgotten. */
    ASSERT_REDIS(f, "1", FAAS_STR("DEL"), FAAS_STR("t:call:a"));
    assert_fires(f, "d", 1000, false, GW_FIRED_BEFORE, "a");
    ASSERT_REDIS(f, "2", FAAS_STR("XLEN"), FAAS_STR("t:queue:q"));
}

static void a_planned_time_is_skipped_while_the_last_call_is_not_over(void **state)
{
    struct fixture *f = *state;
    struct seen seen;

    assert_fires(f, "a", 1000, true, GW_FIRED, "a");
    assert_fires(f, "b", 2000, true, GW_FIRED_SKIPPED, "a");
    read_entry(f, &seen);
    start(f, &seen);
    assert_fires(f, "b", 3000, true, GW_FIRED_SKIPPED, "a");
    assert_int_equal(finish(f, &seen, "done", false), GW_ASYNC_OK);
    assert_fires(f, "b", 2000, true, GW_FIRED_BEFORE, "-"); /* it stays skipped */
    assert_fires(f, "b", 4000, true, GW_FIRED, "b");
    assert_fires(f, "c", 5000, false, GW_FIRED, "c");
    ASSERT_REDIS(f, "c", FAAS_STR("GET"), FAAS_STR("t:last:fn.ns"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define FRESH(name)                                           \
    {                                                         \
#name " (fresh)", name, set_up_fresh, tear_down, NULL \
    }
    const struct CMUnitTest tests[] = {
        TEST(a_call_goes_its_way),
        FRESH(a_call_goes_its_way),
        TEST(a_large_body_stays_out_of_the_stream_and_goes_with_the_call),
        TEST(the_same_key_is_the_same_call),
        TEST(an_id_that_is_taken_is_not_taken_over),
        FRESH(the_id_of_a_fresh_call_is_taken),
        FRESH(an_entry_with_another_tail_is_another_call),
        TEST(whoever_was_taken_for_dead_changes_nothing),
        FRESH(whoever_was_taken_for_dead_changes_nothing),
        TEST(a_retry_waits_for_its_time),
        FRESH(a_retry_waits_for_its_time),
        TEST(a_delayed_submission_waits_too),
        TEST(a_callback_that_nobody_saw_through_is_all_that_is_done_again),
        FRESH(a_callback_that_nobody_saw_through_is_all_that_is_done_again),
        TEST(cancelling_ends_what_waits_and_tells_what_runs),
        FRESH(cancelling_ends_what_waits_and_tells_what_runs),
        TEST(what_was_cancelled_in_the_queue_is_not_started),
        FRESH(what_was_cancelled_in_the_queue_is_not_started),
        TEST(what_is_cancelled_before_anybody_has_read_it_is_gone),
        FRESH(what_is_cancelled_before_anybody_has_read_it_is_gone),
        TEST(a_call_that_goes_on_is_written_down),
        FRESH(a_call_that_goes_on_is_written_down),
        TEST(an_end_that_was_torn_stands),
        TEST(what_was_read_can_be_put_back_uncounted),
        FRESH(what_was_read_can_be_put_back_uncounted),
        FRESH(what_is_submitted_in_a_turn_is_queued_in_order),
        FRESH(each_end_of_a_turn_has_its_own_answer),
        FRESH(what_is_done_at_once_is_known_by_its_record),
        FRESH(what_is_done_at_once_is_not_begun_again),
        FRESH(who_waits_in_a_turn_that_never_ends_is_told),
        TEST(a_queue_that_is_gone_is_made_again),
        TEST(a_fresh_call_asks_for_a_queue_that_is_not_there),
        TEST(the_dead_can_be_redriven),
        FRESH(the_dead_can_be_redriven),
        TEST(purging_leaves_what_runs),
        FRESH(purging_leaves_what_runs),
        TEST(what_runs_does_not_hide_what_waits_from_purging),
        FRESH(what_runs_does_not_hide_what_waits_from_purging),
        FRESH(half_an_entry_is_put_away),
        TEST(a_planned_time_is_queued_once),
        TEST(a_planned_time_is_skipped_while_the_last_call_is_not_over),
    };
    return cmocka_run_group_tests_name("async_store", tests, NULL, NULL);
}
