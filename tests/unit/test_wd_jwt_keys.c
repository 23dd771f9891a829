#include "tests/unit/jwt_vectors.h"
#include "tests/unit/unit.h"
#include "watchdog/jwt_keys.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define LIMIT_MS 20000 /* what takes longer has hung */
#define GATEWAY  "http://gateway.example:8080/"

enum { START_LIMIT_MS = 2000, PAUSE_MS = 10000, RETRY_MS = 1000, MAX_AGE_MS = 300000 };

/* What the gateway says, and how often it was asked: shared with the copies that ask. */
static struct gateway {
    unsigned asked;
    bool down;
    bool hangs;
    char issuer[64];
    char keys[16384];
} * gateway;

static int discover(const void *url, struct faas_buf *out, struct faas_error *err)
{
    __atomic_add_fetch(&gateway->asked, 1, __ATOMIC_SEQ_CST);
    if (strcmp(url, GATEWAY) != 0)
        return faas_fail(err, FAAS_ERR_INVALID, "another gateway");
    if (gateway->down)
        return faas_fail(err, FAAS_ERR_UNAVAILABLE, "connection refused");
    while (gateway->hangs)
        pause();
    faas_buf_append(out, gateway->issuer, strlen(gateway->issuer) + 1);
    faas_buf_append_z(out, gateway->keys);
    return 0;
}

struct world {
    struct faas_fake_clock clock;
    struct faas_loop *loop;
    struct wd_log log;
    struct wd_jwt_keys *keys;
    unsigned ready, failed, woken;
    struct faas_error err;
};

static int make_gateway(void **state)
{
    (void)state;
    gateway =
        mmap(NULL, sizeof(*gateway), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return gateway == MAP_FAILED ? -1 : 0;
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct wd_jwt_keys_opts opts = {
        .log = &w->log,
        .gateway = GATEWAY,
        .start_limit_ms = START_LIMIT_MS,
        .fetch_limit_ms = LIMIT_MS,
        .pause_ms = PAUSE_MS,
        .retry_ms = RETRY_MS,
        .max_age_ms = MAX_AGE_MS,
        .discover = discover,
    };

    *gateway = (struct gateway){.issuer = JWT_ISSUER};
    strcpy(gateway->keys, jwt_jwks);
    faas_fake_clock_init(&w->clock, 0);
    w->loop = opts.loop = faas_loop_new(&w->clock.clock, NULL);
    wd_log_init(&w->log, &w->clock.clock);
    w->log.err.fd = -1; /* what is logged stays to be looked at */
    w->keys = wd_jwt_keys_new(&opts);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    wd_jwt_keys_free(w->keys);
    faas_loop_free(w->loop);
    faas_buf_deinit(&w->log.err.pending);
    free(w);
    return 0;
}

static void on_ready(void *arg, const struct faas_error *err)
{
    struct world *w = arg;

    w->ready += !err;
    w->failed += err != NULL;
    if (err)
        w->err = *err;
}

static bool has_started(void *arg)
{
    const struct world *w = arg;

    return w->ready + w->failed > 0;
}

static void start(struct world *w)
{
    wd_jwt_keys_start(w->keys, on_ready, w);
    assert_true(faas_loop_run_until(w->loop, has_started, w, LIMIT_MS));
    assert_int_equal(w->ready, 1);
}

static void on_woken(void *arg)
{
    struct world *w = arg;

    w->woken++;
}

static bool somebody_woke(void *arg)
{
    const struct world *w = arg;

    return w->woken > 0;
}

static bool log_has(const struct world *w, const char *text)
{
    return w->log.err.pending.len && strstr(w->log.err.pending.data, text);
}

/* Waits for a fetch as a call does; false when there was none. */
static bool ask_again(struct world *w)
{
    struct wd_jwt_waiter waiter = {0};

    w->woken = 0;
    if (!wd_jwt_keys_wait(w->keys, &waiter, on_woken, w))
        return false;
    assert_true(faas_loop_run_until(w->loop, somebody_woke, w, LIMIT_MS));
    assert_int_equal(w->woken, 1);
    return true;
}

static bool knows(const struct world *w, const char *kid)
{
    return faas_jwk_set_has(wd_jwt_keys_set(w->keys), faas_str_from(kid));
}

static void rename_key(const char *from, const char *to)
{
    char *at = strstr(gateway->keys, from);

    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(at, to, strlen(to));
}

/* --- the start --- */

static void the_first_fetch_brings_issuer_and_keys(void **state)
{
    struct world *w = *state;

    start(w);
    assert_int_equal(gateway->asked, 1);
    assert_string_equal(wd_jwt_keys_issuer(w->keys), JWT_ISSUER);
    assert_int_equal(faas_jwk_set_len(wd_jwt_keys_set(w->keys)), JWT_GOOD_KEYS);
    assert_true(log_has(w, JWT_ISSUER));
}

static bool asked_again(void *arg)
{
    struct world *w = arg;

    faas_fake_clock_advance_ms(&w->clock, 10);
    return gateway->asked >= 2;
}

static void a_gateway_that_comes_later_is_waited_for(void **state)
{
    struct world *w = *state;

    gateway->down = true;
    wd_jwt_keys_start(w->keys, on_ready, w);
    assert_true(faas_loop_run_until(w->loop, asked_again, w, LIMIT_MS));
    assert_true(log_has(w, "trying again in 250ms"));
    assert_int_equal(w->ready + w->failed, 0);
    gateway->down = false;
    while (!has_started(w)) {
        faas_fake_clock_advance_ms(&w->clock, 10);
        faas_loop_run_until(w->loop, has_started, w, 1);
    }
    assert_int_equal(w->ready, 1);
}

static void a_gateway_that_stays_away_is_an_error_that_names_it(void **state)
{
    struct world *w = *state;

    gateway->down = true;
    wd_jwt_keys_start(w->keys, on_ready, w);
    while (!has_started(w)) {
        faas_fake_clock_advance_ms(&w->clock, 10);
        faas_loop_run_until(w->loop, has_started, w, 1);
    }
    assert_int_equal(w->failed, 1);
    assert_true(gateway->asked >= 3);
    assert_string_equal(w->err.msg, "http://gateway.example:8080/.well-known/openid-configuration: "
                                    "connection refused");
}

static void a_start_without_a_usable_key_fails(void **state)
{
    struct world *w = *state;

    strcpy(gateway->keys, "{\"keys\":[{\"kid\":\"a\",\"kty\":\"oct\"}]}");
    wd_jwt_keys_start(w->keys, on_ready, w);
    while (!has_started(w)) {
        faas_fake_clock_advance_ms(&w->clock, 100);
        faas_loop_run_until(w->loop, has_started, w, 1);
    }
    assert_int_equal(w->failed, 1);
    assert_non_null(strstr(w->err.msg, "no key that can check a token: key 0 (a): \"kty\""));
}

static void keys_that_cannot_be_used_are_named_in_the_log(void **state)
{
    struct world *w = *state;

    rename_key("\"kty\":\"RSA\",\"kid\":\"rsa\"", "\"kty\":\"oct\",\"kid\":\"rsa\"");
    rename_key("\"kid\":\"rsa\"", "\"kid\":\"oct\"");
    start(w);
    assert_int_equal(faas_jwk_set_len(wd_jwt_keys_set(w->keys)), JWT_GOOD_KEYS - 1);
    assert_true(log_has(w, "left out: key 0 (oct)"));
}

/* --- rotation --- */

static void an_unknown_key_is_fetched(void **state)
{
    struct world *w = *state;
    uint64_t before;

    start(w);
    before = wd_jwt_keys_generation(w->keys);
    rename_key("ec256", "ec999");
    assert_false(knows(w, "ec999"));
    assert_true(ask_again(w));
    assert_true(knows(w, "ec999"));
    assert_false(knows(w, "ec256"));
    assert_int_equal(gateway->asked, 2);
    assert_true(wd_jwt_keys_generation(w->keys) != before);
}

static void the_next_fetch_waits_for_the_pause(void **state)
{
    struct world *w = *state;

    start(w);
    assert_true(ask_again(w));
    assert_false(ask_again(w));
    faas_fake_clock_advance_ms(&w->clock, PAUSE_MS - 1);
    assert_false(ask_again(w));
    assert_int_equal(gateway->asked, 2);
    faas_fake_clock_advance_ms(&w->clock, 1);
    assert_true(ask_again(w));
    assert_int_equal(gateway->asked, 3);
}

static bool all_woke(void *arg)
{
    const struct world *w = arg;

    return w->woken == 100;
}

static void a_hundred_callers_cause_one_fetch(void **state)
{
    struct world *w = *state;
    struct wd_jwt_waiter waiters[100] = {0};

    start(w);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(waiters); i++)
        assert_true(wd_jwt_keys_wait(w->keys, &waiters[i], on_woken, w));
    assert_int_equal(w->woken, 0);
    assert_true(faas_loop_run_until(w->loop, all_woke, w, LIMIT_MS));
    assert_int_equal(gateway->asked, 2);
}

static void who_has_left_is_not_woken(void **state)
{
    struct world *w = *state;
    struct wd_jwt_waiter gone = {0}, never = {0};

    start(w);
    wd_jwt_waiter_leave(&never);
    assert_true(wd_jwt_keys_wait(w->keys, &gone, on_woken, w));
    wd_jwt_waiter_leave(&gone);
    assert_true(ask_again(w)); /* joins the same fetch */
    wd_jwt_waiter_leave(&gone);
    assert_int_equal(gateway->asked, 2);
}

static void when_the_gateway_is_down_the_old_keys_are_kept(void **state)
{
    struct world *w = *state;

    start(w);
    gateway->down = true;
    assert_true(ask_again(w));
    assert_true(knows(w, "ec256"));
    assert_true(log_has(w, "connection refused; those from before are kept"));
    assert_false(ask_again(w));
    gateway->down = false;
    rename_key("ec256", "ec999");
    faas_fake_clock_advance_ms(&w->clock, RETRY_MS);
    assert_true(ask_again(w));
    assert_true(knows(w, "ec999"));
}

static void failures_are_tried_again_ever_more_rarely(void **state)
{
    static const int64_t waits_ms[] = {1000, 2000, 4000, 8000, PAUSE_MS, PAUSE_MS};
    struct world *w = *state;

    start(w);
    gateway->down = true;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(waits_ms); i++) {
        assert_true(ask_again(w));
        faas_fake_clock_advance_ms(&w->clock, waits_ms[i] - 1);
        assert_false(ask_again(w));
        faas_fake_clock_advance_ms(&w->clock, 1);
    }
}

static void an_answer_that_is_no_key_set_changes_nothing(void **state)
{
    struct world *w = *state;

    start(w);
    strcpy(gateway->keys, "<html>");
    assert_true(ask_again(w));
    assert_true(knows(w, "ec256"));
    assert_true(log_has(w, "bad JSON"));
}

static void keys_that_were_all_withdrawn_are_gone(void **state)
{
    struct world *w = *state;

    start(w);
    strcpy(gateway->keys, "{\"keys\":[]}");
    assert_true(ask_again(w));
    assert_int_equal(faas_jwk_set_len(wd_jwt_keys_set(w->keys)), 0);
}

static void a_gateway_that_hangs_keeps_callers_for_a_bounded_time(void **state)
{
    struct world *w = *state;
    struct wd_jwt_waiter waiter = {0};

    start(w);
    gateway->hangs = true;
    assert_true(wd_jwt_keys_wait(w->keys, &waiter, on_woken, w));
    faas_fake_clock_advance_ms(&w->clock, LIMIT_MS);
    assert_true(faas_loop_run_until(w->loop, somebody_woke, w, LIMIT_MS));
    assert_true(log_has(w, "not done within 20s"));
    assert_true(knows(w, "ec256"));
}

/* Descriptors have run out: nobody waits for ever, and later it works. */
static void a_fetch_that_cannot_even_begin_is_a_failure_like_others(void **state)
{
    struct world *w = *state;
    struct wd_jwt_waiter waiter = {0};
    struct rlimit limit, none;

    start(w);
    getrlimit(RLIMIT_NOFILE, &limit);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    assert_true(wd_jwt_keys_wait(w->keys, &waiter, on_woken, w));
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(w->woken, 0);
    assert_true(faas_loop_run_until(w->loop, somebody_woke, w, LIMIT_MS));
    assert_int_equal(gateway->asked, 1);
    assert_true(knows(w, "ec256"));
    assert_true(log_has(w, "make a pipe"));
    faas_fake_clock_advance_ms(&w->clock, RETRY_MS);
    assert_true(ask_again(w));
    assert_int_equal(gateway->asked, 2);
}

static bool asked_twice(void *arg)
{
    (void)arg;
    return gateway->asked == 2;
}

static void old_keys_are_fetched_again_in_the_background(void **state)
{
    struct world *w = *state;

    start(w);
    faas_fake_clock_advance_ms(&w->clock, MAX_AGE_MS - 1);
    wd_jwt_keys_used(w->keys);
    assert_false(faas_loop_run_until(w->loop, asked_twice, w, 20));
    faas_fake_clock_advance_ms(&w->clock, 1);
    wd_jwt_keys_used(w->keys);
    wd_jwt_keys_used(w->keys);
    assert_true(faas_loop_run_until(w->loop, asked_twice, w, LIMIT_MS));
}

static void it_can_be_freed_in_the_middle_of_everything(void **state)
{
    struct world *w = *state;
    struct wd_jwt_waiter waiter = {0};

    start(w);
    gateway->hangs = true;
    assert_true(wd_jwt_keys_wait(w->keys, &waiter, on_woken, w));
    wd_jwt_keys_free(w->keys);
    w->keys = NULL;
    wd_jwt_waiter_leave(&waiter);
    assert_int_equal(w->woken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_fetch_brings_issuer_and_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_gateway_that_comes_later_is_waited_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_gateway_that_stays_away_is_an_error_that_names_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_start_without_a_usable_key_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_that_cannot_be_used_are_named_in_the_log, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_key_is_fetched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_next_fetch_waits_for_the_pause, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hundred_callers_cause_one_fetch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_has_left_is_not_woken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(when_the_gateway_is_down_the_old_keys_are_kept, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(failures_are_tried_again_ever_more_rarely, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_answer_that_is_no_key_set_changes_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(keys_that_were_all_withdrawn_are_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_gateway_that_hangs_keeps_callers_for_a_bounded_time,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fetch_that_cannot_even_begin_is_a_failure_like_others,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(old_keys_are_fetched_again_in_the_background, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(it_can_be_freed_in_the_middle_of_everything, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("wd_jwt_keys", tests, make_gateway, NULL);
}
