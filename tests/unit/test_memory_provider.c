#include "libfaas/alloc.h"
#include "providers/memory/memory.h"
#include "tests/unit/namespace_life.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

struct stage {
    struct faas_provider p;
    struct faas_fake_clock clock;
    struct faas_snapshot *seen; /* the latest */
    int published;
};

static void take_snapshot(void *arg, struct faas_snapshot *s)
{
    struct stage *st = arg;

    if (st->seen)
        faas_snapshot_unref(st->seen);
    st->seen = s;
    st->published++;
}

static int open_memory(void **state)
{
    struct stage *st = faas_new(struct stage);
    struct faas_provider_env env = {0};
    struct faas_error err = {0};

    faas_fake_clock_init(&st->clock, 1000000000);
    env.clock = &st->clock.clock;
    env.publisher = (struct faas_publisher){.publish = take_snapshot, .arg = st};
    assert_int_equal(faas_provider_open(&st->p, faas_provider_find("memory", &err), &env, &err), 0);
    *state = st;
    return 0;
}

static int close_memory(void **state)
{
    struct stage *st = *state;

    faas_provider_close(&st->p);
    faas_snapshot_unref(st->seen);
    free(st);
    return 0;
}

static int deploy(struct stage *st, const char *name, const char *upstream, const char *min,
                  struct faas_error *err)
{
    struct faas_function_spec spec = {
        .service = faas_strdup(name),
        .image = faas_strdup("any:1"),
    };
    int rc;

    if (upstream)
        faas_map_set(&spec.annotations, FAAS_MEMORY_UPSTREAM, upstream);
    if (min)
        faas_map_set(&spec.labels, "com.openfaas.scale.min", min);
    rc = faas_provider_deploy(&st->p, &spec, err);
    faas_function_spec_deinit(&spec);
    return rc;
}

static const struct faas_fn *seen(const struct stage *st, const char *name)
{
    return faas_snapshot_find(st->seen, faas_str_from(name), FAAS_STR(FAAS_DEFAULT_NAMESPACE));
}

static void opening_publishes_an_empty_table(void **state)
{
    const struct stage *st = *state;

    assert_int_equal(st->published, 1);
    assert_int_equal(faas_snapshot_len(st->seen), 0);
}

static void a_deployed_function_answers_where_its_annotation_says(void **state)
{
    struct stage *st = *state;
    struct faas_error err = {0};
    struct faas_function_status status = {0};
    char text[64];

    assert_int_equal(deploy(st, "figlet", "127.0.0.1:8081, 127.0.0.1:8082", NULL, &err), 0);
    assert_non_null(seen(st, "figlet"));
    assert_int_equal(seen(st, "figlet")->desired, 1);
    assert_int_equal(seen(st, "figlet")->n_endpoints, 1);
    faas_addr_format((const struct sockaddr *)&seen(st, "figlet")->endpoints[0]->addr.ss, text);
    assert_string_equal(text, "127.0.0.1:8081");

    assert_int_equal(faas_provider_scale(&st->p, "figlet", NULL, 5, &err), 0);
    assert_int_equal(seen(st, "figlet")->desired, 5);
    assert_int_equal(seen(st, "figlet")->n_endpoints, 2);
    assert_int_equal(faas_provider_get(&st->p, "figlet", NULL, &status, &err), 0);
    assert_int_equal(status.replicas, 5);
    assert_int_equal(status.available_replicas, 2);
    assert_int_equal(status.created_ns, 1000000000);
    assert_null(status.reason);
    faas_function_status_deinit(&status);

    assert_int_equal(faas_provider_scale(&st->p, "figlet", NULL, 0, &err), 0);
    assert_int_equal(seen(st, "figlet")->n_endpoints, 0);
}

static void without_the_annotation_there_is_a_reason_but_no_endpoint(void **state)
{
    struct stage *st = *state;
    struct faas_error err = {0};

    assert_int_equal(deploy(st, "figlet", NULL, "3", &err), 0);
    assert_int_equal(seen(st, "figlet")->desired, 3);
    assert_int_equal(seen(st, "figlet")->n_endpoints, 0);
    assert_non_null(strstr(seen(st, "figlet")->reason, FAAS_MEMORY_UPSTREAM));
}

static void a_bad_upstream_is_refused_by_name(void **state)
{
    static const char *const bad[] = {
        "localhost",       ":80",           "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536",
        "name.example:80", "127.0.0.1:80,x"};
    struct stage *st = *state;

    for (size_t i = 0; i < FAAS_ARRAY_LEN(bad); i++) {
        struct faas_error err = {0};

        print_message("  %s\n", bad[i]);
        assert_int_equal(deploy(st, "figlet", bad[i], NULL, &err), -1);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        assert_non_null(strstr(err.msg, FAAS_MEMORY_UPSTREAM));
        assert_null(seen(st, "figlet"));
    }
}

static void an_update_keeps_the_endpoints_that_stay(void **state)
{
    struct stage *st = *state;
    struct faas_function_spec spec = {.service = (char *)"figlet", .image = (char *)"any:2"};
    struct faas_endpoint *before;
    struct faas_error err = {0};

    assert_int_equal(faas_provider_update(&st->p, &spec, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    assert_int_equal(deploy(st, "figlet", "127.0.0.1:8081,127.0.0.1:8082", "2", &err), 0);
    before = faas_endpoint_ref(seen(st, "figlet")->endpoints[1]);
    atomic_fetch_add(&before->in_flight, 7);

    faas_map_set(&spec.annotations, FAAS_MEMORY_UPSTREAM, "127.0.0.1:8082");
    assert_int_equal(faas_provider_update(&st->p, &spec, &err), 0);
    assert_int_equal(seen(st, "figlet")->n_endpoints, 1);
    assert_ptr_equal(seen(st, "figlet")->endpoints[0], before);
    assert_int_equal(seen(st, "figlet")->desired, 2);
    faas_endpoint_unref(before);
    faas_map_deinit(&spec.annotations);
}

static void functions_are_told_apart_by_namespace(void **state)
{
    struct stage *st = *state;
    struct faas_function_spec spec = {
        .service = (char *)"figlet", .image = (char *)"any:1", .namespace_ = (char *)"dev"};
    struct faas_status_list list = {0};
    _cleanup_strv_ struct faas_strv names = {0};
    struct faas_error err = {0};

    assert_int_equal(deploy(st, "figlet", NULL, NULL, &err), 0);
    assert_int_equal(deploy(st, "figlet", NULL, NULL, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_CONFLICT);
    assert_int_equal(faas_provider_deploy(&st->p, &spec, &err), 0);
    assert_int_equal(faas_provider_namespace_list(&st->p, &names, &err), 0);
    assert_int_equal(names.len, 2);
    assert_int_equal(faas_provider_remove(&st->p, "figlet", NULL, &err), 0);
    assert_null(seen(st, "figlet"));
    assert_int_equal(faas_provider_remove(&st->p, "figlet", NULL, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    assert_int_equal(faas_provider_list(&st->p, "dev", &list, &err), 0);
    assert_int_equal(list.len, 1);
    assert_string_equal(list.items[0].spec.namespace_, "dev");
    faas_status_list_deinit(&list);
    assert_int_equal(faas_provider_list(&st->p, NULL, &list, &err), 0);
    assert_int_equal(list.len, 0);
    assert_int_equal(faas_provider_scale(&st->p, "figlet", NULL, 1, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    faas_status_list_deinit(&list);
}

static void namespaces_are_made_and_removed(void **state)
{
    struct stage *st = *state;
    static const char *const refused[] = {"kube-system", "", "../x", "Dev"};
    struct faas_namespace kept = {.name = (char *)"kept"};
    struct faas_error err = {0};

    namespace_lives_and_ends(&st->p);
    assert_int_equal(faas_provider_namespace_remove(&st->p, FAAS_DEFAULT_NAMESPACE, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_INVALID);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(refused); i++) {
        const struct faas_namespace bad = {.name = (char *)refused[i]};
        struct faas_namespace got = {0};

        print_message("%s\n", refused[i]);
        assert_int_equal(faas_provider_namespace_create(&st->p, &bad, &err), -1);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        assert_int_equal(faas_provider_namespace_get(&st->p, refused[i], &got, &err), -1);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        assert_int_equal(faas_provider_namespace_remove(&st->p, refused[i], &err), -1);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
    }
    assert_int_equal(faas_provider_namespace_create(&st->p, &kept, &err), 0);
}

static void secrets_must_exist_and_stay_while_they_are_used(void **state)
{
    struct stage *st = *state;
    struct faas_function_spec spec = {.service = (char *)"figlet", .image = (char *)"any:1"};
    struct faas_secret secret = {.name = (char *)"key"};
    _cleanup_strv_ struct faas_strv names = {0};
    struct faas_error err = {0};

    faas_buf_append_z(&secret.value, "one");
    faas_strv_add(&spec.secrets, "key");
    assert_int_equal(faas_provider_deploy(&st->p, &spec, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_INVALID);
    assert_non_null(strstr(err.msg, "\"key\""));
    assert_int_equal(faas_provider_secret_update(&st->p, &secret, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    assert_int_equal(faas_provider_secret_create(&st->p, &secret, &err), 0);
    assert_int_equal(faas_provider_secret_create(&st->p, &secret, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_CONFLICT);
    assert_int_equal(faas_provider_secret_update(&st->p, &secret, &err), 0);
    assert_int_equal(faas_provider_deploy(&st->p, &spec, &err), 0);
    assert_int_equal(faas_provider_secret_remove(&st->p, "key", NULL, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_CONFLICT);
    assert_non_null(strstr(err.msg, "\"figlet\""));
    assert_int_equal(faas_provider_secret_list(&st->p, NULL, &names, &err), 0);
    assert_int_equal(names.len, 1);
    assert_int_equal(faas_provider_remove(&st->p, "figlet", NULL, &err), 0);
    assert_int_equal(faas_provider_secret_remove(&st->p, "key", NULL, &err), 0);
    assert_int_equal(faas_provider_secret_remove(&st->p, "key", NULL, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    faas_buf_deinit(&secret.value);
    faas_strv_deinit(&spec.secrets);
}

static void images_are_remembered_by_digest(void **state)
{
    struct stage *st = *state;
    char path[] = "/tmp/minnow-image-XXXXXX";
    _cleanup_close_ int fd = mkstemp(path);
    struct faas_image image = {0}, *list = NULL;
    size_t n = 0;
    struct faas_error err = {0};

    unlink(path);
    assert_int_equal(write(fd, "abc", 3), 3);
    lseek(fd, 0, SEEK_SET);
    assert_int_equal(faas_provider_image_put(&st->p, "any:1", fd, &image, &err), 0);
    assert_string_equal(image.digest,
                        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(image.bytes, 3);
    faas_image_deinit(&image);
    assert_int_equal(faas_provider_image_put(&st->p, "any:1", fd, &image, &err), 0);
    faas_image_deinit(&image);
    assert_int_equal(faas_provider_image_list(&st->p, &list, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_string_equal(list[0].name, "any:1");
    faas_image_deinit(&list[0]);
    free(list);
    assert_int_equal(deploy(st, "figlet", NULL, NULL, &err), 0);
    assert_int_equal(faas_provider_image_remove(&st->p, "any:1", &err), -1);
    assert_int_equal(err.code, FAAS_ERR_CONFLICT);
    assert_int_equal(faas_provider_remove(&st->p, "figlet", NULL, &err), 0);
    assert_int_equal(faas_provider_image_remove(&st->p, "any:1", &err), 0);
    assert_int_equal(faas_provider_image_remove(&st->p, "any:1", &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
}

struct heard {
    char text[256]; /* texts, each followed by '|' */
    int lines;
    atomic_int total;
    int enough; /* the sink says stop after so many; 0: never */
    atomic_bool cancel;
};

static int hear(void *arg, const struct faas_log_message *m)
{
    struct heard *h = arg;
    size_t used = strlen(h->text);

    snprintf(h->text + used, sizeof(h->text) - used, "%.*s|", FAAS_STR_FMT(m->text));
    h->lines++;
    atomic_fetch_add(&h->total, 1);
    return h->enough > 0 && h->lines == h->enough ? -1 : 0;
}

static bool is_cancelled(void *arg)
{
    return atomic_load(&((struct heard *)arg)->cancel);
}

static void logs_are_filtered_and_cut(void **state)
{
    struct stage *st = *state;
    static const struct {
        struct faas_log_query q;
        const char *text;
    } cases[] = {
        {{.name = "figlet"}, "deployed|one|two|three|"},
        {{.name = "figlet", .tail = 2}, "two|three|"},
        {{.name = "figlet", .tail = 99}, "deployed|one|two|three|"},
        {{.name = "figlet", .instance = "a"}, "one|three|"},
        {{.name = "figlet", .instance = "a", .tail = 1}, "three|"},
        {{.name = "figlet", .since_ns = 2000000000}, "two|three|"},
    };
    struct faas_error err = {0};

    assert_int_equal(deploy(st, "figlet", NULL, NULL, &err), 0);
    faas_memory_log(&st->p, "figlet", FAAS_DEFAULT_NAMESPACE, "a", "one");
    faas_memory_log(&st->p, "other", FAAS_DEFAULT_NAMESPACE, "a", "not ours");
    faas_fake_clock_advance_ms(&st->clock, 1000);
    faas_memory_log(&st->p, "figlet", FAAS_DEFAULT_NAMESPACE, "b", "two");
    faas_memory_log(&st->p, "figlet", FAAS_DEFAULT_NAMESPACE, "a", "three");
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct heard h = {0};
        struct faas_log_query q = cases[i].q;

        q.arg = &h;
        assert_int_equal(faas_provider_logs(&st->p, &q, hear, &err), 0);
        assert_string_equal(h.text, cases[i].text);
    }
    assert_int_equal(
        faas_provider_logs(&st->p, &(struct faas_log_query){.name = "nobody"}, hear, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
}

static void a_sink_can_stop_the_stream(void **state)
{
    struct stage *st = *state;
    struct heard h = {.enough = 2};
    struct faas_log_query q = {.name = "figlet", .follow = true, .arg = &h};
    struct faas_error err = {0};

    for (int i = 0; i < 5; i++)
        faas_memory_log(&st->p, "figlet", FAAS_DEFAULT_NAMESPACE, "a", "line");
    assert_int_equal(faas_provider_logs(&st->p, &q, hear, &err), 0);
    assert_int_equal(h.lines, 2);
}

struct follower {
    struct stage *st;
    struct heard h;
};

static void *follow(void *arg)
{
    struct follower *f = arg;
    struct faas_log_query q = {
        .name = "figlet", .follow = true, .cancelled = is_cancelled, .arg = &f->h};
    struct faas_error err = {0};

    return faas_provider_logs(&f->st->p, &q, hear, &err) == 0 ? f : NULL;
}

static void a_follower_gets_new_lines_until_it_is_cancelled(void **state)
{
    struct follower f = {.st = *state};
    pthread_t thread;
    void *result = NULL;

    faas_memory_log(&f.st->p, "figlet", FAAS_DEFAULT_NAMESPACE, "a", "before");
    assert_int_equal(pthread_create(&thread, NULL, follow, &f), 0);
    while (atomic_load(&f.h.total) < 1)
        sched_yield();
    /* More than the ring holds: none is lost to a reader that keeps up, old ones make room. */
    for (int i = 1; i <= 1500; i++) {
        faas_memory_log(&f.st->p, "figlet", FAAS_DEFAULT_NAMESPACE, "a", "x");
        while (atomic_load(&f.h.total) < i + 1)
            sched_yield();
    }
    atomic_store(&f.h.cancel, true);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, &f);
    assert_int_equal(f.h.lines, 1501);
}

static void the_back_end_names_itself(void **state)
{
    struct stage *st = *state;
    struct faas_provider_info info = {0};

    faas_provider_info(&st->p, &info);
    assert_string_equal(info.provider, "minnow-memory");
    assert_string_equal(info.orchestration, "memory");
}

#define WITH_MEMORY(f) cmocka_unit_test_setup_teardown(f, open_memory, close_memory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MEMORY(opening_publishes_an_empty_table),
        WITH_MEMORY(a_deployed_function_answers_where_its_annotation_says),
        WITH_MEMORY(without_the_annotation_there_is_a_reason_but_no_endpoint),
        WITH_MEMORY(a_bad_upstream_is_refused_by_name),
        WITH_MEMORY(an_update_keeps_the_endpoints_that_stay),
        WITH_MEMORY(functions_are_told_apart_by_namespace),
        WITH_MEMORY(namespaces_are_made_and_removed),
        WITH_MEMORY(secrets_must_exist_and_stay_while_they_are_used),
        WITH_MEMORY(images_are_remembered_by_digest),
        WITH_MEMORY(logs_are_filtered_and_cut),
        WITH_MEMORY(a_sink_can_stop_the_stream),
        WITH_MEMORY(a_follower_gets_new_lines_until_it_is_cancelled),
        WITH_MEMORY(the_back_end_names_itself),
    };
    return cmocka_run_group_tests_name("memory provider", tests, NULL, NULL);
}
