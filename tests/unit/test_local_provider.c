/* The local provider with real processes; this program is their watchdog too. */
#include "providers/local/leftovers.h"
#include "tests/unit/local_stage.h"
#include "tests/unit/namespace_life.h"

#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

static int setup(void **state)
{
    struct stage *s = faas_new(struct stage);
    void *dir = NULL;

    if (tmpdir_setup(&dir) < 0)
        return -1;
    stage_init(s, dir);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct stage *s = *state;
    void *dir = (void *)(uintptr_t)s->dir;

    stage_deinit(s);
    free(s);
    (void)umount2(dir, MNT_DETACH); /* by the test of the full disk, whether it passed or not */
    return tmpdir_teardown(&dir);
}

static char *status_reason(struct stage *s, const char *name)
{
    struct faas_function_status status = {0};
    struct faas_error err = {0};
    char *reason;

    if (faas_provider_get(&s->p, name, NULL, &status, &err) < 0)
        fail_msg("%s", err.msg);
    reason = status.reason ? faas_strdup(status.reason) : faas_strdup("");
    faas_function_status_deinit(&status);
    return reason;
}

static void assert_reason(struct stage *s, const char *name, const char *text)
{
    _cleanup_free_ char *reason = status_reason(s, name);

    print_message("  reason: %s\n", reason);
    if (!strstr(reason, text))
        fail_msg("\"%s\" is not in the reason \"%s\"", text, reason);
}

static bool state_has(const struct stage *s, const char *rest)
{
    _cleanup_free_ char *path = faas_asprintf("%s/%s", s->dir, rest);

    return faas_file_exists(path);
}

/* --- deploy --- */

static void a_deployed_function_runs_in_its_bundle(void **state)
{
    static const struct {
        const char *path, *want;
    } cases[] = {
        {"/", "OK"},
        {"/env/version", "1"},
        {"/env/fprocess", "serve"},
        {"/env/OPENFAAS_NAME", "figlet"},
        {"/env/OPENFAAS_NAMESPACE", "openfaas-fn"},
        {"/env/OPENFAAS_URL", "http://127.0.0.1:8080"},
        {"/env/metrics_port", "0"},
        {"/env/PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        {"/env/USER", "(unset)"},
    };
    struct stage *s = *state;
    _cleanup_free_ char *cwd = NULL, *home = NULL, *tmp = NULL;
    struct faas_function_status status = {0};
    struct faas_error err = {0};

    stage_must_open(s, NULL);
    stage_must_push(s, "figlet:1", "serve", "1");
    stage_must_deploy(s, "figlet", "figlet:1");
    assert_int_equal(stage_endpoints(s, "figlet") >= 0, 1); /* published when deploy returns */
    assert_true(state_has(s, "functions/openfaas-fn/figlet.json"));
    stage_await(s, "figlet", 1);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        print_message("  %s\n", cases[i].path);
        stage_assert_get(s, "figlet", cases[i].path, cases[i].want);
    }
    cwd = stage_get(s, "figlet", "/cwd");
    assert_non_null(strstr(cwd, "/images/blobs/"));
    home = stage_get(s, "figlet", "/env/HOME");
    tmp = stage_get(s, "figlet", "/env/TMPDIR");
    assert_string_equal(home, tmp);
    assert_non_null(strstr(home, "/run/openfaas-fn.figlet/figlet-"));

    assert_int_equal(faas_provider_get(&s->p, "figlet", NULL, &status, &err), 0);
    assert_int_equal(status.replicas, 1);
    assert_int_equal(status.available_replicas, 1);
    assert_null(status.reason);
    assert_non_null(strstr(status.digest, "sha256:"));
    faas_function_status_deinit(&status);
}

static void what_is_missing_is_named(void **state)
{
    struct stage *s = *state;
    struct faas_function_spec spec = stage_spec("figlet", "figlet:1");
    struct faas_error err = {0};

    stage_must_open(s, NULL);
    assert_int_equal(faas_provider_update(&s->p, &spec, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    assert_int_equal(faas_provider_deploy(&s->p, &spec, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_INVALID);
    assert_non_null(strstr(err.msg, "image \"figlet:1\" is not in this gateway's bundle store: run "
                                    "faas-cli push"));
    stage_must_push(s, "figlet:1", "serve", "1");
    faas_strv_add(&spec.secrets, "api-key");
    assert_int_equal(faas_provider_deploy(&s->p, &spec, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_INVALID);
    assert_non_null(strstr(err.msg, "secret \"api-key\" does not exist"));
    assert_false(state_has(s, "run/openfaas-fn.figlet"));
    faas_strv_deinit(&spec.secrets);
    faas_map_set(&spec.labels, "com.openfaas.scale.min", "19");
    faas_map_set(&spec.labels, "com.openfaas.scale.max", "19");
    stage_close(s);
    stage_must_open(s, (const char *const[]){"max_replicas=18", NULL});
    assert_int_equal(faas_provider_deploy(&s->p, &spec, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_INVALID);
    assert_non_null(strstr(err.msg, "max_replicas"));
    assert_false(state_has(s, "functions/openfaas-fn/figlet.json"));
    assert_int_equal(stage_endpoints(s, "figlet"), -1);
    faas_map_deinit(&spec.labels);
    assert_int_equal(faas_provider_deploy(&s->p, &spec, &err), 0);
    assert_int_equal(faas_provider_deploy(&s->p, &spec, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_CONFLICT);
    assert_int_equal(faas_provider_scale(&s->p, "figlet", NULL, 19, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_INVALID);
    assert_int_equal(faas_provider_scale(&s->p, "other", NULL, 1, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    faas_function_spec_deinit(&spec);
}

static void a_watchdog_that_is_not_there_is_a_clear_error(void **state)
{
    struct stage *s = *state;
    struct faas_error err = {0};

    assert_int_equal(
        stage_open(s, (const char *const[]){"watchdog=/nowhere/fwatchdog", NULL}, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_INVALID);
    assert_non_null(strstr(err.msg, "option watchdog: open /nowhere/fwatchdog"));
    stage_close(s);
    assert_int_equal(stage_open(s, (const char *const[]){"watchdog=/etc/passwd", NULL}, &err), -1);
    assert_non_null(strstr(err.msg, "option watchdog: run /etc/passwd"));
    stage_close(s);
    assert_int_equal(stage_open(s, (const char *const[]){"function_uids=0-5", NULL}, &err), -1);
    assert_non_null(strstr(err.msg, "function_uids"));
}

/* --- readiness and crashes --- */

static void a_replica_serves_only_once_it_is_healthy(void **state)
{
    struct stage *s = *state;

    stage_must_open(s, NULL);
    stage_must_push(s, "shy:1", "shy", "1");
    stage_must_deploy(s, "shy", "shy:1");
    stage_await(s, "shy", 1);
    stage_assert_get(s, "shy", "/", "OK");
}

static void a_crash_takes_the_endpoint_away_and_the_replica_comes_back(void **state)
{
    struct stage *s = *state;
    _cleanup_free_ char *before = NULL, *after = NULL;

    stage_must_open(s, NULL);
    stage_must_push(s, "figlet:1", "serve", "1");
    stage_must_deploy(s, "figlet", "figlet:1");
    stage_await(s, "figlet", 1);
    before = stage_get(s, "figlet", "/pid");
    stage_crash(s, "figlet", 7);
    stage_await_logged(s, "exit status 7");
    after = stage_get(s, "figlet", "/pid");
    assert_string_not_equal(before, after);
    assert_reason(s, "figlet", "");
}

static void a_crash_loop_waits_longer_each_time_and_gives_its_reason(void **state)
{
    struct stage *s = *state;

    stage_must_open(s, (const char *const[]){"restart_min_wait=3ms", "restart_max_wait=9ms", NULL});
    stage_must_push(s, "bad:1", "crash", "1");
    stage_must_deploy(s, "bad", "bad:1");
    stage_await_logged(s, "\"failures\":1,\"restart_in_ms\":3}");
    stage_await_logged(s, "\"failures\":2,\"restart_in_ms\":6}");
    stage_await_logged(s, "\"failures\":3,\"restart_in_ms\":9}");
    stage_await_logged(s, "\"failures\":4,\"restart_in_ms\":9}");
    stage_await(s, "bad", 0);
    assert_reason(s, "bad", "exit status 3: no luck today");
}

static void a_replica_that_never_answers_is_given_up(void **state)
{
    struct stage *s = *state;

    stage_must_open(s, (const char *const[]){"replica_start_timeout=100ms", NULL});
    stage_must_push(s, "deaf:1", "deaf", "1");
    stage_must_deploy(s, "deaf", "deaf:1");
    stage_await_logged(s, "replica_start_timeout");
    assert_reason(s, "deaf", "it was not healthy within 100 ms (replica_start_timeout)");
}

/* --- scale --- */

static int64_t now_us(void)
{
    return faas_system_clock.monotonic_ns(NULL) / 1000;
}

static void scaling_to_zero_and_back_is_quick(void **state)
{
    struct stage *s = *state;
    _cleanup_free_ char *pid = NULL;
    int64_t best = INT64_MAX;

    stage_must_open(s, NULL);
    stage_must_push(s, "figlet:1", "serve", "1");
    stage_must_deploy(s, "figlet", "figlet:1");
    stage_await(s, "figlet", 1);
    pid = stage_get(s, "figlet", "/pid");
    for (int i = 0; i < 5; i++) {
        int64_t start;

        stage_must_scale(s, "figlet", 0);
        stage_await(s, "figlet", 0);
        start = now_us();
        stage_must_scale(s, "figlet", 1);
        stage_await(s, "figlet", 1);
        best = FAAS_MIN(best, now_us() - start);
    }
    print_message("  from zero: %lld us at best\n", (long long)best);
    stage_await_end(atoi(pid));
    stage_must_scale(s, "figlet", 0);
    assert_reason(s, "figlet", "scaled to zero");
    stage_must_scale(s, "figlet", 3);
    stage_await(s, "figlet", 3);
    stage_must_scale(s, "figlet", 2);
    stage_await(s, "figlet", 2);
}

static void functions_come_back_as_they_were(void **state)
{
    struct stage *s = *state;
    struct faas_status_list list = {0};
    struct faas_error err = {0};
    int64_t created;

    stage_must_open(s, NULL);
    stage_must_push(s, "figlet:1", "serve", "1");
    stage_must_deploy(s, "figlet", "figlet:1");
    stage_must_deploy(s, "idle", "figlet:1");
    stage_must_scale(s, "figlet", 2);
    stage_must_scale(s, "idle", 0);
    assert_int_equal(faas_provider_list(&s->p, NULL, &list, &err), 0);
    assert_int_equal(list.len, 2);
    created = list.items[0].created_ns;
    faas_status_list_deinit(&list);
    stage_close(s);
    stage_assert_no_children();

    stage_must_open(s, NULL);
    assert_true(stage_endpoints(s, "figlet") >= 0); /* listed before open returns */
    assert_int_equal(stage_endpoints(s, "idle"), 0);
    stage_await(s, "figlet", 2);
    assert_int_equal(faas_provider_list(&s->p, NULL, &list, &err), 0);
    assert_int_equal(list.len, 2);
    for (size_t i = 0; i < list.len; i++) {
        if (strcmp(list.items[i].spec.service, "figlet") == 0)
            assert_int_equal(list.items[i].created_ns, created);
    }
    faas_status_list_deinit(&list);
}

/* --- update --- */

struct caller {
    struct stage *s;
    pthread_t thread;
    atomic_bool stop;
    atomic_int calls, failed, second;
};

static void *keep_calling(void *arg)
{
    struct caller *c = arg;

    for (unsigned i = 0; !atomic_load(&c->stop); i++) {
        _cleanup_free_ char *body = stage_call(c->s, "figlet", i, "/env/version");

        if (!body)
            atomic_fetch_add(&c->failed, 1);
        else if (strcmp(body, "2") == 0)
            atomic_fetch_add(&c->second, 1);
        atomic_fetch_add(&c->calls, 1);
    }
    return NULL;
}

static void an_update_under_load_fails_no_call(void **state)
{
    struct stage *s = *state;
    struct caller c = {.s = s};
    struct faas_endpoint *old[2];

    stage_must_open(s, NULL);
    stage_must_push(s, "figlet:1", "serve", "1");
    stage_must_deploy(s, "figlet", "figlet:1");
    stage_must_scale(s, "figlet", 2);
    stage_await(s, "figlet", 2);
    for (unsigned i = 0; i < 2; i++)
        old[i] = stage_pick(s, "figlet", i);
    assert_int_equal(pthread_create(&c.thread, NULL, keep_calling, &c), 0);
    while (atomic_load(&c.calls) < 20)
        sched_yield();
    stage_must_push(s, "figlet:2", "shy", "2");
    stage_must_update(s, "figlet", "figlet:2");
    while (atomic_load(&c.second) < 20)
        sched_yield();
    for (unsigned i = 0; i < 2; i++)
        stage_await_without(s, "figlet", old[i], 2);
    atomic_store(&c.stop, true);
    pthread_join(c.thread, NULL);
    print_message("  %d calls, %d failed\n", atomic_load(&c.calls), atomic_load(&c.failed));
    assert_int_equal(atomic_load(&c.failed), 0);
    stage_assert_get(s, "figlet", "/env/version", "2");
}

static void a_bad_update_leaves_the_old_version_in_service(void **state)
{
    struct stage *s = *state;
    _cleanup_free_ char *pid = NULL;

    stage_must_open(s, NULL);
    stage_must_push(s, "figlet:1", "serve", "1");
    stage_must_push(s, "figlet:2", "crash", "2");
    stage_must_push(s, "figlet:3", "serve", "3");
    stage_must_deploy(s, "figlet", "figlet:1");
    stage_await(s, "figlet", 1);
    stage_must_update(s, "figlet", "figlet:2");
    stage_await_logged(s, "no luck today");
    stage_await(s, "figlet", 1);
    stage_assert_get(s, "figlet", "/env/version", "1");
    assert_reason(s, "figlet", "the one before it stays in service: replica figlet-");
    assert_reason(s, "figlet", "exit status 3: no luck today");

    /* What is in service is supervised and scaled as ever. */
    stage_crash(s, "figlet", 9);
    stage_must_scale(s, "figlet", 2);
    stage_await(s, "figlet", 2);
    stage_assert_get(s, "figlet", "/env/version", "1");
    pid = stage_get(s, "figlet", "/pid");

    stage_must_update(s, "figlet", "figlet:3");
    stage_await_end(atoi(pid));
    stage_await(s, "figlet", 2);
    stage_assert_get(s, "figlet", "/env/version", "3");
    assert_reason(s, "figlet", "");
}

static void a_new_push_changes_nothing_until_a_deploy(void **state)
{
    struct stage *s = *state;
    _cleanup_free_ char *pid = NULL;

    stage_must_open(s, NULL);
    stage_must_push(s, "figlet", "serve", "1");
    stage_must_deploy(s, "figlet", "figlet:latest");
    stage_await(s, "figlet", 1);
    stage_must_push(s, "figlet:latest", "serve", "2");
    stage_crash(s, "figlet", 1);
    stage_assert_get(s, "figlet", "/env/version", "1");
    pid = stage_get(s, "figlet", "/pid");
    stage_must_update(s, "figlet", "figlet");
    stage_await_end(atoi(pid));
    stage_await(s, "figlet", 1);
    stage_assert_get(s, "figlet", "/env/version", "2");
}

/* --- remove --- */

static void a_removed_function_finishes_and_leaves_nothing_but_its_log(void **state)
{
    struct stage *s = *state;
    _cleanup_free_ char *pid = NULL;
    struct faas_function_status status = {0};
    struct faas_error err = {0};

    stage_must_open(s, NULL);
    stage_must_push(s, "figlet:1", "serve", "1");
    stage_must_deploy(s, "figlet", "figlet:1");
    stage_await(s, "figlet", 1);
    pid = stage_get(s, "figlet", "/pid");
    stage_assert_get(s, "figlet", "/say/bye", "");
    assert_int_equal(faas_provider_remove(&s->p, "figlet", NULL, &err), 0);
    assert_int_equal(stage_endpoints(s, "figlet"), -1);
    assert_false(state_has(s, "functions/openfaas-fn/figlet.json"));
    assert_int_equal(faas_provider_get(&s->p, "figlet", NULL, &status, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    assert_int_equal(faas_provider_remove(&s->p, "figlet", NULL, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    /* The name is free at once, although the old process still drains. */
    stage_must_deploy(s, "figlet", "figlet:1");
    stage_await_end(atoi(pid));
    stage_await(s, "figlet", 1);
    assert_int_equal(faas_provider_remove(&s->p, "figlet", NULL, &err), 0);
    stage_close(s);
    assert_false(state_has(s, "run/openfaas-fn.figlet"));
    assert_true(state_has(s, "logs/openfaas-fn.figlet.log"));
}

static void a_process_that_ignores_the_order_to_end_is_killed(void **state)
{
    struct stage *s = *state;
    _cleanup_free_ char *pid = NULL;
    struct faas_error err = {0};

    stage_must_open(s, (const char *const[]){"stop_grace=50ms", NULL});
    stage_must_push(s, "mule:1", "stubborn", "1");
    stage_must_deploy(s, "mule", "mule:1");
    stage_await(s, "mule", 1);
    pid = stage_get(s, "mule", "/pid");
    assert_int_equal(faas_provider_remove(&s->p, "mule", NULL, &err), 0);
    stage_await_end(atoi(pid));
    stage_await_logged(s, "killing a replica that does not end");
}

static void closing_leaves_no_process_and_no_descriptor(void **state)
{
    struct stage *s = *state;
    size_t before;

    stage_must_open(s, NULL); /* once for what libraries keep */
    stage_close(s);
    before = stage_count_fds();
    stage_must_open(s, (const char *const[]){"stop_grace=50ms", NULL});
    stage_must_push(s, "figlet:1", "serve", "1");
    stage_must_push(s, "mule:1", "stubborn", "1");
    stage_must_push(s, "bad:1", "crash", "1");
    stage_must_deploy(s, "figlet", "figlet:1");
    stage_must_deploy(s, "mule", "mule:1");
    stage_must_deploy(s, "bad", "bad:1");
    stage_must_scale(s, "figlet", 3);
    stage_await(s, "figlet", 3);
    stage_await(s, "mule", 1);
    stage_close(s);
    stage_assert_no_children();
    assert_int_equal(stage_count_fds(), before);
}

/* --- secrets --- */

static int secret_op(struct stage *s, bool update, const char *value, struct faas_error *err)
{
    struct faas_secret secret = {.name = (char *)"api-key"};
    int rc;

    faas_buf_append_z(&secret.value, value);
    rc = update ? faas_provider_secret_update(&s->p, &secret, err)
                : faas_provider_secret_create(&s->p, &secret, err);
    faas_buf_deinit(&secret.value);
    return rc;
}

static void a_function_sees_its_secrets_and_their_new_values(void **state)
{
    struct stage *s = *state;
    struct faas_function_spec spec = stage_spec("figlet", "figlet:1");
    _cleanup_strv_ struct faas_strv names = {0}, spaces = {0};
    struct faas_error err = {0};

    stage_must_open(s, NULL);
    stage_must_push(s, "figlet:1", "serve", "1");
    faas_strv_add(&spec.secrets, "api-key");
    assert_int_equal(secret_op(s, true, "x", &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    assert_int_equal(secret_op(s, false, "first\n", &err), 0);
    assert_int_equal(secret_op(s, false, "again", &err), -1);
    assert_int_equal(err.code, FAAS_ERR_CONFLICT);
    assert_int_equal(faas_provider_deploy(&s->p, &spec, &err), 0);
    stage_must_deploy(s, "other", "figlet:1");
    stage_await(s, "figlet", 1);
    stage_await(s, "other", 1);
    stage_assert_get(s, "figlet", "/secret/api-key", "first\n");
    stage_assert_get(s, "other", "/secret/api-key", "error: No such file or directory");
    assert_int_equal(secret_op(s, true, "second", &err), 0);
    stage_assert_get(s, "figlet", "/secret/api-key", "second");

    assert_int_equal(faas_provider_secret_remove(&s->p, "api-key", NULL, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_CONFLICT);
    assert_non_null(strstr(err.msg, "function \"figlet\" uses it"));
    assert_int_equal(faas_provider_secret_list(&s->p, NULL, &names, &err), 0);
    assert_int_equal(names.len, 1);
    assert_int_equal(faas_provider_namespace_list(&s->p, &spaces, &err), 0);
    assert_int_equal(spaces.len, 1);
    assert_int_equal(faas_provider_remove(&s->p, "figlet", NULL, &err), 0);
    assert_int_equal(faas_provider_secret_remove(&s->p, "api-key", NULL, &err), 0);
    assert_int_equal(faas_provider_secret_remove(&s->p, "api-key", NULL, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    faas_function_spec_deinit(&spec);
}

static void namespaces_are_made_survive_a_restart_and_are_removed(void **state)
{
    struct stage *s = *state;
    struct faas_namespace kept = {.name = (char *)"kept"};
    struct faas_namespace got = {0};
    _cleanup_free_ char *file = faas_asprintf("%s/namespaces/kept.json", s->dir);
    struct faas_error err = {0};

    stage_must_open(s, NULL);
    namespace_lives_and_ends(&s->p);
    faas_map_set(&kept.labels, "team", "blue");
    assert_int_equal(faas_provider_namespace_create(&s->p, &kept, &err), 0);
    stage_close(s);
    stage_must_open(s, NULL);
    namespace_has_label(&s->p, "kept", "blue");

    /* Somebody edited it: told, and still listed. */
    assert_int_equal(faas_file_replace(file, FAAS_STR("{"), 0600, &err), 0);
    assert_int_equal(faas_provider_namespace_get(&s->p, "kept", &got, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_INTERNAL);
    assert_non_null(strstr(err.msg, "kept.json"));
    assert_true(namespace_listed(&s->p, "kept"));
    assert_int_equal(faas_provider_namespace_remove(&s->p, "kept", &err), 0);
    assert_false(faas_file_exists(file));
    faas_map_deinit(&kept.labels);
    faas_namespace_deinit(&got);
}

static void a_function_whose_secret_vanished_waits_for_it(void **state)
{
    struct stage *s = *state;
    struct faas_function_spec spec = stage_spec("figlet", "figlet:1");
    _cleanup_free_ char *path = faas_asprintf("%s/secrets/openfaas-fn/api-key", s->dir);
    struct faas_error err = {0};

    stage_must_open(s, NULL);
    stage_must_push(s, "figlet:1", "serve", "1");
    faas_strv_add(&spec.secrets, "api-key");
    assert_int_equal(secret_op(s, false, "first", &err), 0);
    assert_int_equal(faas_provider_deploy(&s->p, &spec, &err), 0);
    stage_close(s);
    assert_int_equal(unlink(path), 0);
    stage_must_open(s, NULL);
    assert_int_equal(stage_endpoints(s, "figlet"), 0);
    assert_reason(s, "figlet", "secret \"api-key\"");
    assert_int_equal(secret_op(s, false, "back", &err), 0);
    stage_await(s, "figlet", 1);
    stage_assert_get(s, "figlet", "/secret/api-key", "back");
    faas_function_spec_deinit(&spec);
}

/* --- users --- */

static void functions_are_users_that_cannot_reach_each_other(void **state)
{
    struct stage *s = *state;
    struct faas_function_spec spec = stage_spec("figlet", "figlet:1");
    _cleanup_free_ char *ids = NULL, *home = NULL, *path = NULL, *status = NULL, *again = NULL;
    struct faas_error err = {0};

    if (geteuid() != 0) {
        print_message("  only root can start processes of other users\n");
        faas_function_spec_deinit(&spec);
        return;
    }
    stage_must_open(s, (const char *const[]){"function_uids=71000-71001", NULL});
    stage_must_push(s, "figlet:1", "serve", "1");
    assert_int_equal(secret_op(s, false, "mine", &err), 0);
    faas_strv_add(&spec.secrets, "api-key");
    assert_int_equal(faas_provider_deploy(&s->p, &spec, &err), 0);
    stage_must_deploy(s, "other", "figlet:1");
    stage_await(s, "figlet", 1);
    stage_await(s, "other", 1);
    ids = stage_get(s, "figlet", "/ids");
    assert_string_equal(ids, "71000 71000 0");
    stage_assert_get(s, "other", "/ids", "71001 71001 0");
    home = stage_get(s, "figlet", "/env/secret_mount_path");
    path = faas_asprintf("/read%s/api-key", home);
    stage_assert_get(s, "figlet", path, "mine");
    stage_assert_get(s, "other", path, "error: Permission denied");
    free(path);
    path = faas_asprintf("/read%s/secrets/openfaas-fn/api-key", s->dir);
    stage_assert_get(s, "figlet", path, "error: Permission denied");
    status = stage_get(s, "figlet", "/read/proc/self/status");
    assert_non_null(strstr(status, "NoNewPrivs:\t1"));
    assert_non_null(strstr(status, "CapEff:\t0000000000000000"));

    faas_strv_deinit(&spec.secrets);
    free(spec.service);
    spec.service = faas_strdup("third");
    assert_int_equal(faas_provider_deploy(&s->p, &spec, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.msg, "function_uids (71000-71001)"));
    stage_close(s);
    stage_must_open(s, (const char *const[]){"function_uids=72000-72001", NULL});
    stage_await(s, "figlet", 1);
    again = stage_get(s, "figlet", "/ids");
    assert_string_equal(again, ids); /* remembered */
    faas_function_spec_deinit(&spec);
}

/* --- logs --- */

struct heard {
    struct faas_buf text;
    const char *until; /* stop after this text */
};

static int hear(void *arg, const struct faas_log_message *m)
{
    struct heard *h = arg;

    assert_string_equal(m->name, "figlet");
    assert_string_equal(m->namespace_, FAAS_DEFAULT_NAMESPACE);
    assert_int_equal(strncmp(m->instance, "figlet-", 7), 0);
    faas_buf_append_str(&h->text, m->text);
    faas_buf_append_c(&h->text, '|');
    return h->until && faas_str_eqz(m->text, h->until) ? -1 : 0;
}

static void output_becomes_the_log(void **state)
{
    struct stage *s = *state;
    struct heard h = {.until = "three"};
    struct faas_log_query q = {.name = "figlet", .follow = true, .arg = &h};
    struct faas_error err = {0};

    stage_must_open(s, NULL);
    assert_int_equal(faas_provider_logs(&s->p, &q, hear, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    stage_must_push(s, "figlet:1", "serve", "1");
    stage_must_deploy(s, "figlet", "figlet:1");
    stage_await(s, "figlet", 1);
    stage_assert_get(s, "figlet", "/say/one", "");
    stage_assert_get(s, "figlet", "/say/two", "");
    stage_assert_get(s, "figlet", "/say/three", "");
    assert_int_equal(faas_provider_logs(&s->p, &q, hear, &err), 0);
    assert_string_equal(h.text.data, "one|two|three|");
    faas_buf_clear(&h.text);
    assert_int_equal(faas_provider_remove(&s->p, "figlet", NULL, &err), 0);
    q.follow = false;
    q.tail = 2;
    assert_int_equal(faas_provider_logs(&s->p, &q, hear, &err), 0);
    assert_string_equal(h.text.data, "two|three|");
    faas_buf_deinit(&h.text);
}

static void a_call_that_is_just_starting_survives_the_order_to_end(void **state)
{
    struct stage *s = *state;
    struct heard h = {0};
    struct faas_log_query q = {.name = "figlet", .arg = &h};
    _cleanup_free_ char *pid = NULL;
    struct faas_error err = {0};

    stage_must_open(s, NULL);
    stage_must_push(s, "figlet:1", "serve", "1");
    stage_must_deploy(s, "figlet", "figlet:1");
    stage_await(s, "figlet", 1);
    pid = stage_get(s, "figlet", "/pid");
    stage_assert_get(s, "figlet", "/say/before", "");
    stage_assert_get(s, "figlet", "/member", "");
    stage_must_scale(s, "figlet", 0);
    stage_await_end(atoi(pid));
    stage_close(s);
    stage_must_open(s, NULL);
    assert_int_equal(faas_provider_logs(&s->p, &q, hear, &err), 0);
    assert_string_equal(h.text.data, "before|");
    faas_buf_deinit(&h.text);
}

/* --- boot --- */

static void a_second_gateway_is_refused(void **state)
{
    struct stage *s = *state;
    struct stage second;
    struct faas_error err = {0};

    stage_must_open(s, NULL);
    stage_init(&second, s->dir);
    assert_int_equal(stage_open(&second, NULL, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.msg, "two gateways cannot share a state directory"));
    stage_deinit(&second);
}

static void a_broken_record_does_not_stop_the_others(void **state)
{
    struct stage *s = *state;
    _cleanup_free_ char *path = faas_asprintf("%s/functions/openfaas-fn/bad.json", s->dir);
    struct faas_error err = {0};

    stage_must_open(s, NULL);
    stage_must_push(s, "figlet:1", "serve", "1");
    stage_must_deploy(s, "figlet", "figlet:1");
    stage_close(s);
    assert_int_equal(faas_file_replace(path, FAAS_STR("{\"version\":"), 0600, &err), 0);
    stage_must_open(s, NULL);
    stage_await(s, "figlet", 1);
    assert_int_equal(stage_endpoints(s, "bad"), -1);
    stage_await_logged(s, "bad.json.broken");
}

static pid_t start_sleeper(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        setpgid(0, 0);
        execl("/bin/sleep", "sleep", "1000", NULL);
        _exit(127);
    }
    assert_true(pid > 0);
    (void)setpgid(pid, pid);
    return pid;
}

static void what_a_killed_gateway_left_behind_is_ended(void **state)
{
    struct stage *s = *state;
    _cleanup_free_ char *pids = faas_asprintf("%s/run/.pids", s->dir);
    _cleanup_free_ char *stale = faas_asprintf("%s/stale", pids);
    _cleanup_free_ char *junk = faas_asprintf("%s/junk", pids);
    _cleanup_buf_ struct faas_buf note = {0};
    pid_t left = start_sleeper(), innocent = start_sleeper(), dead = start_sleeper();
    _cleanup_free_ char *dead_text = faas_asprintf("\"pid\":%d", (int)dead);
    siginfo_t info;
    struct faas_error err = {0};
    int status = 0;

    assert_int_equal(faas_mkdirs(pids, 0700, &err), 0);
    local_leftover_note(s->dir, "left", left);
    local_leftover_note(s->dir, "dead", dead);
    kill(dead, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)dead, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(local_process_start_time(dead), 0);
    /* The number was given to another process since. */
    faas_buf_printf(&note, "%d %llu\n", (int)innocent,
                    (unsigned long long)local_process_start_time(innocent) + 1);
    assert_int_equal(faas_file_replace(stale, faas_buf_str(&note), 0600, &err), 0);
    assert_int_equal(faas_file_replace(junk, FAAS_STR("-1 0\n"), 0600, &err), 0);
    stage_must_open(s, NULL);
    assert_int_equal(waitpid(left, &status, 0), left);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(waitpid(innocent, &status, WNOHANG), 0);
    kill(innocent, SIGKILL);
    assert_int_equal(waitpid(innocent, &status, 0), innocent);
    assert_false(state_has(s, "run/.pids/left"));
    stage_await_logged(s, "an earlier gateway left behind");
    assert_null(strstr(s->logged.data, dead_text));
    assert_int_equal(waitpid(dead, &status, 0), dead);
}

static void running_replicas_are_noted_and_ended_ones_forgotten(void **state)
{
    struct stage *s = *state;
    _cleanup_free_ char *home = NULL, *note = NULL, *pid = NULL;
    _cleanup_buf_ struct faas_buf text = {0};
    struct faas_error err = {0};

    stage_must_open(s, NULL);
    stage_must_push(s, "figlet:1", "serve", "1");
    stage_must_deploy(s, "figlet", "figlet:1");
    stage_await(s, "figlet", 1);
    home = stage_get(s, "figlet", "/env/HOME");
    pid = stage_get(s, "figlet", "/pid");
    note = faas_asprintf("%s/run/.pids%s", s->dir, strrchr(home, '/'));
    assert_int_equal(faas_file_read(note, 100, &text, &err), 0);
    assert_int_equal(strncmp(text.data, pid, strlen(pid)), 0);
    assert_int_equal(text.data[strlen(pid)], ' ');
    stage_close(s);
    assert_false(faas_file_exists(note));
}

/* --- a full disk --- */

static void fill(const char *dir)
{
    _cleanup_free_ char *path = faas_asprintf("%s/ballast", dir);
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    char block[4096];

    memset(block, 'x', sizeof(block));
    while (write(fd, block, sizeof(block)) > 0)
        ;
}

static void a_full_disk_is_a_clear_error_and_spoils_nothing(void **state)
{
    struct stage *s = *state;
    _cleanup_free_ char *ballast = faas_asprintf("%s/ballast", s->dir);
    struct faas_function_spec spec = stage_spec("second", "figlet:1");
    struct faas_error err = {0};

    /* Roomy: a replica that runs under a sanitizer keeps files of its own in its TMPDIR. */
    if (mount("none", s->dir, "tmpfs", 0, "size=8m,mode=711") < 0) {
        print_message("  only root can mount a small disk: %s\n", strerror(errno));
        faas_function_spec_deinit(&spec);
        return;
    }
    stage_must_open(s, NULL);
    stage_must_push(s, "figlet:1", "serve", "1");
    assert_int_equal(secret_op(s, false, "first", &err), 0);
    stage_must_deploy(s, "figlet", "figlet:1");
    stage_await(s, "figlet", 1);
    fill(s->dir);
#define FULL(call)                                         \
    do {                                                   \
        err = (struct faas_error){0};                      \
        assert_int_equal(call, -1);                        \
        print_message("  %s\n", err.msg);                  \
        assert_int_equal(err.code, FAAS_ERR_UNAVAILABLE);  \
        assert_non_null(strstr(err.msg, "No space left")); \
    } while (0)
    FULL(faas_provider_deploy(&s->p, &spec, &err));
    FULL(faas_provider_scale(&s->p, "figlet", NULL, 2, &err));
    FULL(secret_op(s, true, "second", &err));
    FULL(stage_push(s, "figlet:2", "serve", "2", &err));
    assert_int_equal(stage_endpoints(s, "second"), -1);
    assert_false(state_has(s, "run/openfaas-fn.second"));
    stage_assert_get(s, "figlet", "/say/lost", "");
    stage_assert_get(s, "figlet", "/", "OK");

    assert_int_equal(unlink(ballast), 0);
    stage_await(s, "figlet", 1);
    if (faas_provider_deploy(&s->p, &spec, &err) < 0)
        fail_msg("%s", err.msg);
    stage_await(s, "second", 1);
    stage_close(s);
    stage_must_open(s, NULL);
    stage_await(s, "figlet", 1);
    stage_await(s, "second", 1);
    faas_function_spec_deinit(&spec);
}

#define WITH_STAGE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STAGE(a_deployed_function_runs_in_its_bundle),
        WITH_STAGE(what_is_missing_is_named),
        WITH_STAGE(a_watchdog_that_is_not_there_is_a_clear_error),
        WITH_STAGE(a_replica_serves_only_once_it_is_healthy),
        WITH_STAGE(a_crash_takes_the_endpoint_away_and_the_replica_comes_back),
        WITH_STAGE(a_crash_loop_waits_longer_each_time_and_gives_its_reason),
        WITH_STAGE(a_replica_that_never_answers_is_given_up),
        WITH_STAGE(scaling_to_zero_and_back_is_quick),
        WITH_STAGE(functions_come_back_as_they_were),
        WITH_STAGE(an_update_under_load_fails_no_call),
        WITH_STAGE(a_bad_update_leaves_the_old_version_in_service),
        WITH_STAGE(a_new_push_changes_nothing_until_a_deploy),
        WITH_STAGE(a_removed_function_finishes_and_leaves_nothing_but_its_log),
        WITH_STAGE(a_process_that_ignores_the_order_to_end_is_killed),
        WITH_STAGE(closing_leaves_no_process_and_no_descriptor),
        WITH_STAGE(a_function_sees_its_secrets_and_their_new_values),
        WITH_STAGE(a_function_whose_secret_vanished_waits_for_it),
        WITH_STAGE(namespaces_are_made_survive_a_restart_and_are_removed),
        WITH_STAGE(functions_are_users_that_cannot_reach_each_other),
        WITH_STAGE(output_becomes_the_log),
        WITH_STAGE(a_call_that_is_just_starting_survives_the_order_to_end),
        WITH_STAGE(a_second_gateway_is_refused),
        WITH_STAGE(a_broken_record_does_not_stop_the_others),
        WITH_STAGE(what_a_killed_gateway_left_behind_is_ended),
        WITH_STAGE(running_replicas_are_noted_and_ended_ones_forgotten),
        WITH_STAGE(a_full_disk_is_a_clear_error_and_spoils_nothing),
    };

    if (stand_in_wanted())
        return stand_in_watchdog();
    return cmocka_run_group_tests_name("local provider", tests, NULL, NULL);
}
