#include "libfaas/redis.h"
#include "tests/unit/fakes/redis_server.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdio.h>

#define LIMIT_MS 20000

struct fixture {
    struct redis_server server;
    struct faas_loop *loop;
    struct faas_redis *redis;
};

struct outcome {
    int calls;
    bool ok;
    int64_t integer;
    char text[64];
    struct faas_error err;
};

static void keep(void *arg, const struct faas_redis_reply *reply, const struct faas_error *err)
{
    struct outcome *o = arg;

    o->calls++;
    o->ok = !err;
    if (err) {
        o->err = *err;
        return;
    }
    o->integer = faas_redis_integer(reply);
    snprintf(o->text, sizeof(o->text), "%.*s", FAAS_STR_FMT(faas_redis_str(reply)));
}

static bool has_come(void *arg)
{
    return ((struct outcome *)arg)->calls > 0;
}

static bool is_up(void *arg)
{
    return faas_redis_is_up(arg);
}

static bool is_down(void *arg)
{
    return !faas_redis_is_up(arg);
}

static const char *const scripts[] = {
    "return redis.call('INCRBY', KEYS[1], ARGV[1])",
    "return {KEYS[1], ARGV[1], 7}",
};

static void connect_with(struct fixture *f, const struct faas_redis_opts *with)
{
    struct faas_redis_opts opts = *with;

    opts.url = &f->server.url;
    opts.connect_timeout_ms = opts.connect_timeout_ms ? opts.connect_timeout_ms : 5000;
    opts.command_timeout_ms = opts.command_timeout_ms ? opts.command_timeout_ms : 5000;
    opts.max_backoff_ms = 50;
    opts.max_pending = opts.max_pending ? opts.max_pending : 100000;
    opts.scripts = scripts;
    opts.n_scripts = FAAS_ARRAY_LEN(scripts);
    opts.name = "minnow-test";
    f->redis = faas_redis_new(f->loop, &opts);
}

static void set_up(struct fixture *f, const char *const *extra)
{
    *f = (struct fixture){.loop = faas_loop_new(NULL, NULL)};
    redis_server_start(&f->server, extra);
}

static void set_up_connected(struct fixture *f, const struct faas_redis_opts *with)
{
    set_up(f, NULL);
    connect_with(f, with);
    assert_true(faas_loop_run_until(f->loop, is_up, f->redis, LIMIT_MS));
}

static void tear_down(struct fixture *f)
{
    faas_redis_free(f->redis);
    faas_loop_free(f->loop);
    redis_server_stop(&f->server);
}

static void commands_are_answered_in_order(void **state)
{
    enum { N = 10000 };
    static struct outcome outcomes[N];
    struct fixture f;

    (void)state;
    memset(outcomes, 0, sizeof(outcomes));
    set_up_connected(&f, &(struct faas_redis_opts){0});
    for (int i = 0; i < N; i++)
        FAAS_REDIS(f.redis, keep, &outcomes[i], FAAS_STR("INCR"), FAAS_STR("n"));
    assert_int_equal(outcomes[0].calls, 0); /* never from within */
    assert_true(faas_loop_run_until(f.loop, has_come, &outcomes[N - 1], LIMIT_MS));
    for (int i = 0; i < N; i++) {
        assert_int_equal(outcomes[i].calls, 1);
        assert_int_equal(outcomes[i].integer, i + 1);
    }
    tear_down(&f);
}

static void values_are_binary_safe(void **state)
{
    struct outcome o = {0};
    struct fixture f;

    (void)state;
    set_up_connected(&f, &(struct faas_redis_opts){0});
    FAAS_REDIS(f.redis, NULL, NULL, FAAS_STR("SET"), FAAS_STR("k\0\r\n"), FAAS_STR("v\0\r\n"));
    FAAS_REDIS(f.redis, keep, &o, FAAS_STR("STRLEN"), FAAS_STR("k\0\r\n"));
    assert_true(faas_loop_run_until(f.loop, has_come, &o, LIMIT_MS));
    assert_int_equal(o.integer, 4);
    tear_down(&f);
}

static void an_error_of_redis_is_told_in_its_words(void **state)
{
    struct outcome o = {0};
    struct fixture f;

    (void)state;
    set_up_connected(&f, &(struct faas_redis_opts){0});
    FAAS_REDIS(f.redis, NULL, NULL, FAAS_STR("SET"), FAAS_STR("k"), FAAS_STR("v"));
    FAAS_REDIS(f.redis, keep, &o, FAAS_STR("XLEN"), FAAS_STR("k"));
    assert_true(faas_loop_run_until(f.loop, has_come, &o, LIMIT_MS));
    assert_false(o.ok);
    assert_true(faas_redis_fails(&o.err, "WRONGTYPE"));
    assert_false(faas_redis_fails(&o.err, "WRONG"));
    assert_true(faas_redis_is_up(f.redis)); /* that is no reason to leave */
    tear_down(&f);
}

static void look_at_array(void *arg, const struct faas_redis_reply *r, const struct faas_error *err)
{
    assert_null(err);
    assert_int_equal(faas_redis_len(r), 3);
    assert_true(faas_str_eqz(faas_redis_str(faas_redis_at(r, 0)), "key"));
    assert_true(faas_str_eqz(faas_redis_str(faas_redis_at(r, 1)), "arg"));
    assert_int_equal(faas_redis_integer(faas_redis_at(r, 2)), 7);
    assert_true(faas_redis_is_null(faas_redis_at(r, 3)));
    ((struct outcome *)arg)->calls++;
}

static void scripts_are_there_from_the_start_and_after_a_restart(void **state)
{
    const struct faas_str argv[] = {FAAS_STR("n"), FAAS_STR("5")};
    const struct faas_str other[] = {FAAS_STR("key"), FAAS_STR("arg")};
    struct fixture f;

    (void)state;
    set_up(&f, NULL);
    connect_with(&f, &(struct faas_redis_opts){0});
    for (int i = 0; i < 2; i++) {
        struct outcome first = {0}, second = {0};

        assert_true(faas_loop_run_until(f.loop, is_up, f.redis, LIMIT_MS));
        faas_redis_script(f.redis, 0, argv, 2, 1, keep, &first);
        faas_redis_script(f.redis, 1, other, 2, 1, look_at_array, &second);
        assert_true(faas_loop_run_until(f.loop, has_come, &second, LIMIT_MS));
        assert_true(first.ok);
        assert_int_equal(first.integer, 5); /* it starts empty both times */
        redis_server_kill(&f.server);
        assert_true(faas_loop_run_until(f.loop, is_down, f.redis, LIMIT_MS));
        redis_server_restart(&f.server, NULL);
    }
    tear_down(&f);
}

static bool is_ok(void *arg)
{
    return ((struct outcome *)arg)->ok;
}

static void scripts_that_were_flushed_are_loaded_again(void **state)
{
    const struct faas_str argv[] = {FAAS_STR("n"), FAAS_STR("5")};
    struct outcome flushed = {0}, failed = {0}, after = {0};
    struct fixture f;

    (void)state;
    set_up_connected(&f, &(struct faas_redis_opts){0});
    FAAS_REDIS(f.redis, keep, &flushed, FAAS_STR("SCRIPT"), FAAS_STR("FLUSH"));
    faas_redis_script(f.redis, 0, argv, 2, 1, keep, &failed);
    assert_true(faas_loop_run_until(f.loop, has_come, &failed, LIMIT_MS));
    assert_true(faas_redis_fails(&failed.err, "NOSCRIPT"));
    assert_true(faas_loop_run_until(f.loop, is_down, f.redis, LIMIT_MS));
    assert_true(faas_loop_run_until(f.loop, is_up, f.redis, LIMIT_MS));
    faas_redis_script(f.redis, 0, argv, 2, 1, keep, &after);
    assert_true(faas_loop_run_until(f.loop, is_ok, &after, LIMIT_MS));
    tear_down(&f);
}

static void commands_wait_for_the_first_connection_only(void **state)
{
    const struct faas_str argv[] = {FAAS_STR("n"), FAAS_STR("5")};
    struct outcome early = {0}, script = {0}, late = {0};
    struct fixture f;

    (void)state;
    set_up_connected(&f, &(struct faas_redis_opts){0});
    faas_redis_free(f.redis);
    connect_with(&f, &(struct faas_redis_opts){0});
    FAAS_REDIS(f.redis, keep, &early, FAAS_STR("PING"));
    faas_redis_script(f.redis, 0, argv, 2, 1, keep, &script);
    assert_true(faas_loop_run_until(f.loop, has_come, &script, LIMIT_MS));
    assert_string_equal(early.text, "PONG");
    assert_true(script.ok);
    assert_int_equal(script.integer, 5);
    redis_server_kill(&f.server);
    assert_true(faas_loop_run_until(f.loop, is_down, f.redis, LIMIT_MS));
    FAAS_REDIS(f.redis, keep, &late, FAAS_STR("PING"));
    assert_true(faas_loop_run_until(f.loop, has_come, &late, LIMIT_MS));
    assert_int_equal(late.err.code, FAAS_ERR_UNAVAILABLE);
    tear_down(&f);
}

static void commands_that_were_out_when_redis_died_fail(void **state)
{
    struct outcome o[3] = {0};
    struct fixture f;

    (void)state;
    set_up_connected(&f, &(struct faas_redis_opts){0});
    redis_server_signal(&f.server, SIGSTOP);
    for (int i = 0; i < 3; i++)
        FAAS_REDIS(f.redis, keep, &o[i], FAAS_STR("PING"));
    redis_server_kill(&f.server);
    assert_true(faas_loop_run_until(f.loop, has_come, &o[2], LIMIT_MS));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(o[i].calls, 1);
        assert_int_equal(o[i].err.code, FAAS_ERR_UNAVAILABLE);
    }
    tear_down(&f);
}

static void a_redis_that_does_not_answer_costs_no_more_than_the_deadline(void **state)
{
    struct outcome slow = {0}, behind = {0}, after = {0};
    struct fixture f;

    (void)state;
    set_up_connected(&f, &(struct faas_redis_opts){.command_timeout_ms = 100});
    redis_server_signal(&f.server, SIGSTOP);
    FAAS_REDIS(f.redis, keep, &slow, FAAS_STR("PING"));
    faas_redis_command(f.redis, &FAAS_STR("PING"), 1, 60000, keep, &behind);
    assert_true(faas_loop_run_until(f.loop, has_come, &behind, LIMIT_MS));
    assert_int_equal(slow.err.code, FAAS_ERR_TIMEOUT);
    assert_int_equal(behind.err.code, FAAS_ERR_UNAVAILABLE);
    redis_server_signal(&f.server, SIGCONT);
    assert_true(faas_loop_run_until(f.loop, is_up, f.redis, LIMIT_MS));
    FAAS_REDIS(f.redis, keep, &after, FAAS_STR("PING"));
    assert_true(faas_loop_run_until(f.loop, has_come, &after, LIMIT_MS));
    assert_true(after.ok);
    tear_down(&f);
}

static void too_many_without_a_reply_are_refused(void **state)
{
    struct outcome o[3] = {0};
    struct fixture f;

    (void)state;
    set_up_connected(&f, &(struct faas_redis_opts){.max_pending = 2});
    for (int i = 0; i < 3; i++)
        FAAS_REDIS(f.redis, keep, &o[i], FAAS_STR("PING"));
    assert_true(faas_loop_run_until(f.loop, has_come, &o[1], LIMIT_MS));
    assert_true(faas_loop_run_until(f.loop, has_come, &o[2], LIMIT_MS));
    assert_true(o[0].ok && o[1].ok);
    assert_int_equal(o[2].err.code, FAAS_ERR_TOO_MANY);
    tear_down(&f);
}

static void a_password_is_needed_and_enough(void **state)
{
    static const char *const protected[] = {"--requirepass", "hunter2", NULL};
    static char right[] = "hunter2", wrong[] = "hunter3";
    struct outcome o = {0};
    struct fixture f;

    (void)state;
    set_up(&f, protected);
    f.server.url.password = wrong;
    connect_with(&f, &(struct faas_redis_opts){0});
    do { /* the socket may not be there at the first attempts */
        o = (struct outcome){0};
        FAAS_REDIS(f.redis, keep, &o, FAAS_STR("PING"));
        assert_true(faas_loop_run_until(f.loop, has_come, &o, LIMIT_MS));
        assert_false(o.ok);
        assert_null(strstr(o.err.msg, "hunter"));
    } while (!strstr(o.err.msg, "WRONGPASS") && o.err.code == FAAS_ERR_UNAVAILABLE &&
             !faas_loop_run_until(f.loop, is_up, f.redis, 20) &&
             !strstr(o.err.msg, "not connected"));
    assert_false(faas_redis_is_up(f.redis));
    faas_redis_free(f.redis);
    f.server.url.password = right;
    connect_with(&f, &(struct faas_redis_opts){0});
    assert_true(faas_loop_run_until(f.loop, is_up, f.redis, LIMIT_MS));
    f.server.url.password = NULL;
    tear_down(&f);
}

static void freeing_fails_what_is_out(void **state)
{
    struct outcome o = {0};
    struct fixture f;

    (void)state;
    set_up_connected(&f, &(struct faas_redis_opts){0});
    FAAS_REDIS(f.redis, keep, &o, FAAS_STR("PING"));
    tear_down(&f);
    assert_int_equal(o.calls, 1);
    assert_int_equal(o.err.code, FAAS_ERR_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_answered_in_order),
        cmocka_unit_test(values_are_binary_safe),
        cmocka_unit_test(an_error_of_redis_is_told_in_its_words),
        cmocka_unit_test(scripts_are_there_from_the_start_and_after_a_restart),
        cmocka_unit_test(scripts_that_were_flushed_are_loaded_again),
        cmocka_unit_test(commands_wait_for_the_first_connection_only),
        cmocka_unit_test(commands_that_were_out_when_redis_died_fail),
        cmocka_unit_test(a_redis_that_does_not_answer_costs_no_more_than_the_deadline),
        cmocka_unit_test(too_many_without_a_reply_are_refused),
        cmocka_unit_test(a_password_is_needed_and_enough),
        cmocka_unit_test(freeing_fails_what_is_out),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("redis", tests, NULL, NULL);
}
