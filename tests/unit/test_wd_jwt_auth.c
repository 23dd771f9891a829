#include "tests/unit/jwt_vectors.h"
#include "tests/unit/unit.h"
#include "watchdog/jwt_auth.h"

#include <string.h>
#include <sys/mman.h>

#define LIMIT_MS 20000 /* what takes longer has hung */

/* Whether the gateway still has keys: shared with the copies that ask it. */
static bool *has_keys;

static int discover(const void *url, struct faas_buf *out, struct faas_error *err)
{
    (void)url;
    (void)err;
    faas_buf_append(out, JWT_ISSUER, sizeof(JWT_ISSUER));
    faas_buf_append_z(out, *has_keys ? jwt_jwks : "{\"keys\":[]}");
    return 0;
}

struct world {
    struct faas_fake_clock clock;
    struct faas_loop *loop;
    struct wd_log log;
    struct wd_jwt_auth *auth;
    unsigned ready, woken;
};

static void on_ready(void *arg, const struct faas_error *err)
{
    struct world *w = arg;

    assert_null(err);
    w->ready++;
}

static bool is_ready(void *arg)
{
    const struct world *w = arg;

    return w->ready > 0;
}

static int share(void **state)
{
    (void)state;
    has_keys =
        mmap(NULL, sizeof(*has_keys), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return has_keys == MAP_FAILED ? -1 : 0;
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct wd_jwt_auth_opts opts = {
        .keys = {.log = &w->log,
                 .gateway = "http://gw",
                 .fetch_limit_ms = LIMIT_MS,
                 .pause_ms = 10000,
                 .retry_ms = 1000,
                 .max_age_ms = 300000,
                 .discover = discover},
        .subject = JWT_SUBJECT,
        .debug = true,
    };

    *has_keys = true;
    faas_fake_clock_init(&w->clock, INT64_C(1000000000) * JWT_NOW_S);
    w->loop = opts.keys.loop = faas_loop_new(&w->clock.clock, NULL);
    wd_log_init(&w->log, &w->clock.clock);
    w->log.err.fd = -1; /* what is logged stays to be looked at */
    w->auth = wd_jwt_auth_new(&opts);
    wd_jwt_auth_start(w->auth, on_ready, w);
    *state = w;
    return faas_loop_run_until(w->loop, is_ready, w, LIMIT_MS) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    wd_jwt_auth_free(w->auth);
    faas_loop_free(w->loop);
    faas_buf_deinit(&w->log.err.pending);
    free(w);
    return 0;
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

static enum wd_jwt_answer look(struct world *w, struct wd_jwt_check *check, const char *token)
{
    return wd_jwt_auth_check(w->auth, check, faas_str_from(token), on_woken, w);
}

/* As a call does: waits once if it has to. */
static enum wd_jwt_answer ask(struct world *w, const char *token, struct wd_jwt_check *check)
{
    enum wd_jwt_answer answer;

    *check = (struct wd_jwt_check){0};
    w->woken = 0;
    answer = look(w, check, token);
    if (answer != WD_JWT_WAITING)
        return answer;
    assert_true(faas_loop_run_until(w->loop, somebody_woke, w, LIMIT_MS));
    return look(w, check, token);
}

static const struct jwt_vector *vector(const char *name)
{
    for (size_t i = 0; i < FAAS_ARRAY_LEN(jwt_vectors); i++)
        if (strcmp(jwt_vectors[i].name, name) == 0)
            return &jwt_vectors[i];
    fail_msg("no vector \"%s\"", name);
    return NULL;
}

static void every_vector_gets_its_answer_twice(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < 2 * FAAS_ARRAY_LEN(jwt_vectors); i++) {
        const struct jwt_vector *v = &jwt_vectors[i / 2];
        int status = v->verdict == FAAS_JWT_OK ? 0 : v->verdict == FAAS_JWT_FORBIDDEN ? 403 : 401;
        struct wd_jwt_check check;
        enum wd_jwt_answer answer;

        if (strcmp(v->name, "a blank") == 0) /* is trimmed from a header's value */
            continue;
        answer = ask(w, v->token, &check);
        if (answer != (status ? WD_JWT_DENIED : WD_JWT_ALLOWED) || check.status != status ||
            (v->token[0] && !strstr(check.reason, v->message)))
            fail_msg("%s: answer %d, %d \"%s\"", v->name, answer, check.status, check.reason);
    }
}

static void a_good_token_is_refused_once_it_has_expired(void **state)
{
    struct world *w = *state;
    const char *token = vector("a good ES256")->token;
    struct wd_jwt_check check;

    assert_int_equal(ask(w, token, &check), WD_JWT_ALLOWED);
    faas_fake_clock_advance_ms(&w->clock, 60 * 1000 + 999);
    assert_int_equal(ask(w, token, &check), WD_JWT_ALLOWED);
    faas_fake_clock_advance_ms(&w->clock, 1);
    assert_int_equal(ask(w, token, &check), WD_JWT_DENIED);
    assert_non_null(strstr(check.reason, "token is expired"));
}

static void a_good_token_is_refused_once_its_key_is_withdrawn(void **state)
{
    struct world *w = *state;
    const char *token = vector("a good ES256")->token;
    struct wd_jwt_check check;

    assert_int_equal(ask(w, token, &check), WD_JWT_ALLOWED);
    *has_keys = false;
    assert_int_equal(ask(w, token, &check), WD_JWT_ALLOWED); /* nobody knows yet */
    assert_int_equal(ask(w, vector("an unknown kid")->token, &check), WD_JWT_DENIED);
    assert_int_equal(ask(w, token, &check), WD_JWT_DENIED);
    assert_non_null(strstr(check.reason, "invalid kid: ec256"));
}

static void a_call_waits_once_only(void **state)
{
    struct world *w = *state;
    const char *token = vector("an unknown kid")->token;
    struct wd_jwt_check check = {0};

    assert_int_equal(look(w, &check, token), WD_JWT_WAITING);
    assert_true(faas_loop_run_until(w->loop, somebody_woke, w, LIMIT_MS));
    faas_fake_clock_advance_ms(&w->clock, 10000); /* another fetch would be allowed */
    assert_int_equal(look(w, &check, token), WD_JWT_DENIED);
    assert_int_equal(check.status, 401);
}

static void the_header_may_name_its_scheme(void **state)
{
    static const struct {
        const char *format;
        enum wd_jwt_answer answer;
    } cases[] = {
        {"%s", WD_JWT_ALLOWED},          {"Bearer %s", WD_JWT_ALLOWED},
        {"bearer %s", WD_JWT_ALLOWED},   {"Bearer   %s  ", WD_JWT_ALLOWED},
        {"Bearer%s", WD_JWT_DENIED},     {"Basic %s", WD_JWT_DENIED},
        {"Bearer", WD_JWT_DENIED},       {"Bearer Bearer %s", WD_JWT_DENIED},
        {"Bearer %s, x", WD_JWT_DENIED}, {"", WD_JWT_DENIED},
    };
    struct world *w = *state;
    struct wd_jwt_check check;

    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf value = {0};
        const char *at = strstr(cases[i].format, "%s");

        faas_buf_append(&value, cases[i].format,
                        at ? (size_t)(at - cases[i].format) : strlen(cases[i].format));
        if (at) {
            faas_buf_append_z(&value, vector("a good ES256")->token);
            faas_buf_append_z(&value, at + 2);
        }
        if (ask(w, faas_buf_str(&value).ptr, &check) != cases[i].answer)
            fail_msg("\"%s\": %s", cases[i].format, check.reason);
    }
    check = (struct wd_jwt_check){0};
    assert_int_equal(wd_jwt_auth_check(w->auth, &check, (struct faas_str){0}, on_woken, w),
                     WD_JWT_DENIED);
    assert_string_equal(check.reason, "bearer token missing");
}

static void the_log_says_why_but_not_the_token(void **state)
{
    struct world *w = *state;
    struct wd_jwt_check check;
    const struct jwt_vector *v = vector("expired");

    ask(w, v->token, &check);
    assert_non_null(strstr(w->log.err.pending.data, "JWT: 401 for " JWT_SUBJECT));
    assert_null(memmem(w->log.err.pending.data, w->log.err.pending.len, v->token, 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_vector_gets_its_answer_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_good_token_is_refused_once_it_has_expired, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_good_token_is_refused_once_its_key_is_withdrawn, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_call_waits_once_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_header_may_name_its_scheme, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_log_says_why_but_not_the_token, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("wd_jwt_auth", tests, share, NULL);
}
