#include "gateway/async/sweep.h"
#include "tests/unit/fakes/redis_server.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#define LIMIT_MS 20000

struct fixture {
    struct redis_server server;
    struct faas_loop *loop;
    struct faas_redis *redis;
    struct gw_store store;
};

struct seen {
    int calls;
    char text[128];
    size_t n;
    uint64_t cursor;
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

static void on_text(void *arg, const struct faas_redis_reply *reply, const struct faas_error *err)
{
    struct seen *seen = arg;

    if (err)
        fail_msg("%s", err->msg);
    seen->calls++;
    if (faas_redis_is_integer(reply))
        snprintf(seen->text, sizeof(seen->text), "%d", (int)faas_redis_integer(reply));
    else
        snprintf(seen->text, sizeof(seen->text), "%.*s", FAAS_STR_FMT(faas_redis_str(reply)));
}

/* A command, its words separated by spaces. */
static void run(struct fixture *f, const char *line, struct seen *seen)
{
    struct faas_str rest = faas_str_from(line), argv[16];
    size_t n = 0;

    *seen = (struct seen){0};
    while (rest.ptr) {
        assert_in_range(n, 0, FAAS_ARRAY_LEN(argv) - 1);
        argv[n++] = faas_str_split(&rest, ' ');
    }
    faas_redis_command(f->redis, argv, n, 0, on_text, seen);
    wait_for(f, seen);
}

static void tell(struct fixture *f, const char *line)
{
    struct seen seen;

    run(f, line, &seen);
}

static void assert_redis(struct fixture *f, const char *line, const char *want)
{
    struct seen seen;

    run(f, line, &seen);
    if (strcmp(seen.text, want) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", line, seen.text, want);
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
    tell(&f, "XGROUP CREATE t:queue:q workers 0 MKSTREAM");
    *state = &f;
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

static void on_swept(void *arg, struct faas_str next, const struct faas_redis_reply *taken,
                     const struct faas_error *err)
{
    struct seen *seen = arg;

    assert_null(err);
    seen->calls++;
    seen->n = faas_redis_len(taken);
    snprintf(seen->text, sizeof(seen->text), "%.*s", FAAS_STR_FMT(next));
}

/* Returns how many were taken; from is where to go on then. */
static size_t sweep(struct fixture *f, char from[128], size_t room)
{
    struct seen seen = {0};

    gw_sweep_queue(&f->store, FAAS_STR("q"), FAAS_STR("w1"), faas_str_from(from), room, on_swept,
                   &seen);
    wait_for(f, &seen);
    memcpy(from, seen.text, sizeof(seen.text));
    return seen.n;
}

static void an_entry_that_nobody_was_given_is_taken_if_its_call_waits_for_it(void **state)
{
    static const struct {
        const char *call; /* its hash's fields, of the entry 5-1; NULL: there is none */
        bool is_fresh, taken;
    } cases[] = {
        {"s queued e 5-1", false, true},
        {"s running e 5-1", false, true},
        {"s done cbs due e 5-1", false, true},
        {"s queued e 6-1", false, false},
        {"s done e 5-1", false, false},
        {"s delayed due 7 e 5-1", false, false},
        {"s dead e 5-1", false, false},
        {"s cancelled e 5-1", false, false},
        {NULL, false, false},
        {NULL, true, true},
        {"e 5-1", true, true}, /* about to be written down */
        {"s queued e 5-1", true, true},
        {"s delayed e 5-1", true, false},
        {"s done", true, false},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        const char *id = cases[i].is_fresh ? "00000000-0005-8000-8000-001abcdefabc" : "a";
        const char *left = cases[i].taken ? "1" : "0";
        char from[128] = "", line[128];

        print_message("%s %s\n", cases[i].is_fresh ? "fresh" : "",
                      cases[i].call ? cases[i].call : "none");
        tell(f, "FLUSHALL");
        tell(f, "XGROUP CREATE t:queue:q workers 0 MKSTREAM");
        tell(f, cases[i].is_fresh ? "XADD t:queue:q 5-1 r abcdefabc f fn.ns p P"
                                  : "XADD t:queue:q 5-1 c a f fn.ns");
        if (cases[i].call) {
            snprintf(line, sizeof(line), "HSET t:call:%s q q f fn.ns %s", id, cases[i].call);
            tell(f, line);
        }
        assert_int_equal(sweep(f, from, 10), 0); /* it may yet be handed out */
        assert_redis(f, "XLEN t:queue:q", "1");
        tell(f, "XGROUP SETID t:queue:q workers 5-1");
        assert_int_equal(sweep(f, from, 10), cases[i].taken);
        assert_string_equal(from, "");
        assert_redis(f, "XLEN t:queue:q", left);
        assert_int_equal(sweep(f, from, 10), 0); /* it is somebody's now, or gone */
        assert_redis(f, "XLEN t:queue:q", left);
    }
}

static void no_more_are_taken_than_there_is_room_for(void **state)
{
    struct fixture *f = *state;
    char from[128] = "", line[128];

    for (int i = 1; i <= 5; i++) {
        snprintf(line, sizeof(line), "XADD t:queue:q 5-%d c %d f fn.ns", i, i);
        tell(f, line);
        snprintf(line, sizeof(line), "HSET t:call:%d s queued e 5-%d q q f fn.ns", i, i);
        tell(f, line);
    }
    tell(f, "XGROUP SETID t:queue:q workers 5-5");
    assert_int_equal(sweep(f, from, 2), 2);
    assert_string_equal(from, "5-2");
    assert_int_equal(sweep(f, from, 0), 0);
    assert_string_equal(from, "5-2");
    assert_int_equal(sweep(f, from, 9), 3);
    assert_string_equal(from, "");
}

static void entries_that_others_have_do_not_hide_those_behind_them(void **state)
{
    struct fixture *f = *state;
    char from[128] = "", line[128];
    size_t taken = 0;
    int steps = 0;

    for (int i = 1; i <= 250; i++) {
        snprintf(line, sizeof(line), "XADD t:queue:q 5-%d c a f fn.ns", i);
        tell(f, line);
    }
    tell(f, "XREADGROUP GROUP workers w2 COUNT 249 STREAMS t:queue:q >");
    tell(f, "XGROUP SETID t:queue:q workers 5-250");
    tell(f, "HSET t:call:a s queued e 5-250 q q f fn.ns");
    do {
        taken += sweep(f, from, 10);
        steps++;
    } while (*from);
    assert_int_equal(taken, 1);
    assert_int_equal(steps, 3);
    assert_redis(f, "XLEN t:queue:q", "250");
}

static void a_queue_that_is_not_there_is_no_matter(void **state)
{
    struct fixture *f = *state;
    char from[128] = "";

    tell(f, "DEL t:queue:q");
    assert_int_equal(sweep(f, from, 10), 0);
    assert_redis(f, "EXISTS t:queue:q", "0");
}

static void on_mended(void *arg, uint64_t next, const struct faas_error *err)
{
    struct seen *seen = arg;

    assert_null(err);
    seen->calls++;
    seen->cursor = next;
}

static void mend(struct fixture *f)
{
    struct seen seen = {0};

    do {
        uint64_t from = seen.cursor;

        seen = (struct seen){0};
        gw_sweep_calls(&f->store, from, 60000, 90000, on_mended, &seen);
        wait_for(f, &seen);
    } while (seen.cursor);
}

static void a_call_is_made_to_agree_with_its_state(void **state)
{
    static const struct {
        const char *name, *before[4], *ask, *want;
    } cases[] = {
        {"queued, without an entry",
         {"HSET t:call:a s queued e 5-1 q q f fn.ns"},
         "XLEN t:queue:q",
         "1"},
        {"queued, with its entry",
         {"HSET t:call:a s queued e 5-1 q q f fn.ns", "XADD t:queue:q 5-1 c a f fn.ns"},
         "XLEN t:queue:q",
         "1"},
        {"running, as older gateways wrote, without an entry",
         {"HSET t:call:a s running e 5-1 q q f fn.ns"},
         "HGET t:call:a s",
         "queued"},
        {"queued, and about to be forgotten",
         {"HSET t:call:a s queued e 5-1 q q f fn.ns", "PEXPIRE t:call:a 60000"},
         "PTTL t:call:a",
         "-1"},
        {"delayed, without a place",
         {"HSET t:call:a s delayed due 77 q q f fn.ns"},
         "ZSCORE t:delayed:q a",
         "77"},
        {"delayed, with its place",
         {"HSET t:call:a s delayed due 77 q q f fn.ns", "ZADD t:delayed:q 78 a"},
         "ZSCORE t:delayed:q a",
         "78"},
        {"done, without an end of its time", {"HSET t:call:a s done q q"}, "PERSIST t:call:a", "1"},
        {"done, with a packet",
         {"HSET t:call:a s done q q", "SET t:packet:a p"},
         "EXISTS t:packet:a",
         "0"},
        {"done, with a packet that its callback may want",
         {"HSET t:call:a s done q q cbs due", "SET t:packet:a p"},
         "EXISTS t:packet:a",
         "1"},
        {"done, kept until its callback is over",
         {"HSET t:call:a s done q q cbs due k 60000"},
         "PTTL t:call:a",
         "-1"},
        {"done, and its result would last",
         {"HSET t:call:a s done q q", "PEXPIRE t:call:a 60000", "SET t:result:a r"},
         "PERSIST t:result:a",
         "1"},
        {"a result of nothing", {"SET t:result:a r"}, "EXISTS t:result:a", "0"},
        {"done without more, as what was purged may be",
         {"HSET t:call:a s done st 200"},
         "PERSIST t:call:a",
         "1"},
        {"dead, with a packet that would last",
         {"HSET t:call:a s dead q q", "SET t:packet:a p"},
         "PERSIST t:packet:a",
         "1"},
        {"no state", {"HSET t:call:a n 2 w w1", "SET t:packet:a p"}, "DBSIZE", "1"},
        {"no queue", {"HSET t:call:a s queued e 5-1"}, "EXISTS t:call:a", "0"},
        {"no call", {"SET t:packet:a p"}, "EXISTS t:packet:a", "0"},
        {"another's key", {"SET other:packet:a p"}, "EXISTS other:packet:a", "1"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        print_message("%s\n", cases[i].name);
        tell(f, "FLUSHALL");
        tell(f, "XGROUP CREATE t:queue:q workers 0 MKSTREAM");
        for (size_t k = 0; cases[i].before[k]; k++)
            tell(f, cases[i].before[k]);
        mend(f);
        assert_redis(f, cases[i].ask, cases[i].want);
        mend(f); /* nothing more */
        tell(f, "PING");
    }
}

static void all_keys_are_looked_at(void **state)
{
    struct fixture *f = *state;
    char line[128];

    for (int i = 0; i < 1000; i++) {
        snprintf(line, sizeof(line), "SET t:packet:%d p", i);
        tell(f, line);
    }
    mend(f);
    assert_redis(f, "DBSIZE", "1");
}

static void a_new_connection_leaves_nothing(void **state)
{
    struct fixture *f = *state;

    gw_sweep_connected(&f->store);
    assert_redis(f, "DBSIZE", "1");
    tell(f, "CONFIG SET maxmemory 1");
    gw_sweep_connected(&f->store);
    assert_redis(f, "DBSIZE", "1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_entry_that_nobody_was_given_is_taken_if_its_call_waits_for_it),
        TEST(no_more_are_taken_than_there_is_room_for),
        TEST(entries_that_others_have_do_not_hide_those_behind_them),
        TEST(a_queue_that_is_not_there_is_no_matter),
        TEST(a_call_is_made_to_agree_with_its_state),
        TEST(all_keys_are_looked_at),
        TEST(a_new_connection_leaves_nothing),
    };

    return cmocka_run_group_tests_name("async_sweep", tests, NULL, NULL);
}
