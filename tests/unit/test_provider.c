#include "libfaas/alloc.h"
#include "providers/provider.h"
#include "tests/unit/unit.h"

#include <string.h>

/* An ordinary implementation of the table that remembers what reached it. */
struct fake {
    struct faas_error fail_with;
    int calls;
    char *name;
    char *ns;
};

static int fake_answer(struct fake *f, const char *name, const char *ns, struct faas_error *err)
{
    f->calls++;
    free(f->name);
    free(f->ns);
    f->name = name ? faas_strdup(name) : NULL;
    f->ns = faas_strdup(ns);
    if (f->fail_with.code == FAAS_ERR_NONE)
        return 0;
    return faas_fail(err, f->fail_with.code, "%s", f->fail_with.msg);
}

static int fake_open(void **self, const struct faas_provider_env *env, struct faas_error *err)
{
    (void)env;
    *self = NULL;
    return faas_fail(err, FAAS_ERR_UNAVAILABLE, "nobody home");
}

static int fake_put(void *self, const struct faas_function_spec *spec, struct faas_error *err)
{
    return fake_answer(self, spec->service, spec->namespace_, err);
}

static int fake_named(void *self, const char *name, const char *ns, struct faas_error *err)
{
    return fake_answer(self, name, ns, err);
}

static int fake_list(void *self, const char *ns, struct faas_status_list *out,
                     struct faas_error *err)
{
    struct faas_function_status *s = faas_status_list_add(out);

    s->spec.service = faas_strdup("figlet");
    s = faas_status_list_add(out);
    s->spec.service = faas_strdup("odd");
    faas_map_set(&s->spec.labels, "faas_function", "kept");
    return fake_answer(self, NULL, ns, err);
}

static int fake_get(void *self, const char *name, const char *ns, struct faas_function_status *out,
                    struct faas_error *err)
{
    out->spec.service = faas_strdup(name);
    return fake_answer(self, name, ns, err);
}

static int fake_scale(void *self, const char *name, const char *ns, uint64_t replicas,
                      struct faas_error *err)
{
    (void)replicas;
    return fake_answer(self, name, ns, err);
}

static int fake_secret(void *self, const struct faas_secret *s, struct faas_error *err)
{
    return fake_answer(self, s->name, s->namespace_, err);
}

static int fake_secret_list(void *self, const char *ns, struct faas_strv *names,
                            struct faas_error *err)
{
    (void)names;
    return fake_answer(self, NULL, ns, err);
}

static int fake_logs(void *self, const struct faas_log_query *q, faas_log_sink_fn sink,
                     struct faas_error *err)
{
    (void)sink;
    return fake_answer(self, q->name, q->namespace_, err);
}

static int fake_image_put(void *self, const char *image, int fd, struct faas_image *out,
                          struct faas_error *err)
{
    (void)fd;
    (void)out;
    return fake_answer(self, image, "", err);
}

static int fake_image_remove(void *self, const char *image, struct faas_error *err)
{
    return fake_answer(self, image, "", err);
}

static const struct faas_provider_ops full_ops = {
    .name = "fake",
    .open = fake_open,
    .deploy = fake_put,
    .update = fake_put,
    .remove = fake_named,
    .list = fake_list,
    .get = fake_get,
    .scale = fake_scale,
    .secret_list = fake_secret_list,
    .secret_create = fake_secret,
    .secret_update = fake_secret,
    .secret_remove = fake_named,
    .logs = fake_logs,
    .image_put = fake_image_put,
    .image_remove = fake_image_remove,
};
static const struct faas_provider_ops bare_ops = {.name = "bare"};

static void fake_deinit(struct fake *f)
{
    free(f->name);
    free(f->ns);
    *f = (struct fake){0};
}

static struct faas_function_spec figlet(void)
{
    return (struct faas_function_spec){.service = (char *)"figlet", .image = (char *)"figlet:1"};
}

static void a_failed_operation_says_who_and_what(void **state)
{
    struct fake f = {.fail_with = {.code = FAAS_ERR_CONFLICT, .msg = "no room"}};
    struct faas_provider p = {.ops = &full_ops, .self = &f};
    struct faas_function_spec spec = figlet();
    struct faas_function_status status = {0};
    struct faas_status_list list = {0};
    struct faas_strv names = {0};
    struct faas_secret secret = {.name = (char *)"key"};
    struct faas_log_query q = {.name = "figlet"};
    struct faas_image image = {0};
    struct faas_error err = {0};

    (void)state;
#define FAILS(call, text)                              \
    do {                                               \
        err = (struct faas_error){0};                  \
        assert_int_equal(call, -1);                    \
        assert_int_equal(err.code, FAAS_ERR_CONFLICT); \
        assert_string_equal(err.msg, text);            \
    } while (0)
    FAILS(faas_provider_deploy(&p, &spec, &err), "fake: deploy figlet: no room");
    FAILS(faas_provider_update(&p, &spec, &err), "fake: update figlet: no room");
    FAILS(faas_provider_remove(&p, "figlet", NULL, &err), "fake: remove figlet: no room");
    FAILS(faas_provider_get(&p, "figlet", NULL, &status, &err), "fake: get figlet: no room");
    FAILS(faas_provider_list(&p, NULL, &list, &err), "fake: list functions: no room");
    FAILS(faas_provider_scale(&p, "figlet", NULL, 2, &err), "fake: scale figlet: no room");
    FAILS(faas_provider_secret_list(&p, NULL, &names, &err), "fake: list secrets: no room");
    FAILS(faas_provider_secret_create(&p, &secret, &err), "fake: create secret key: no room");
    FAILS(faas_provider_secret_update(&p, &secret, &err), "fake: update secret key: no room");
    FAILS(faas_provider_secret_remove(&p, "key", NULL, &err), "fake: remove secret key: no room");
    FAILS(faas_provider_logs(&p, &q, NULL, &err), "fake: logs of figlet: no room");
    FAILS(faas_provider_image_put(&p, "figlet:1", -1, &image, &err),
          "fake: store image figlet:1: no room");
    FAILS(faas_provider_image_remove(&p, "figlet:1", &err), "fake: remove image figlet:1: no room");
    assert_int_equal(f.calls, 13);
    faas_function_status_deinit(&status);
    faas_status_list_deinit(&list);
    fake_deinit(&f);
}

static void a_failed_open_leaves_nothing_to_close(void **state)
{
    struct faas_provider p = {.self = (void *)state};
    struct faas_provider_env env = {0};
    struct faas_error err = {0};

    assert_int_equal(faas_provider_open(&p, &full_ops, &env, &err), -1);
    assert_string_equal(err.msg, "fake: nobody home");
    assert_null(p.ops);
    faas_provider_close(&p);
}

static void an_absent_operation_is_unsupported(void **state)
{
    struct faas_provider p = {.ops = &bare_ops};
    struct faas_strv names = {0};
    struct faas_secret secret = {.name = (char *)"key"};
    struct faas_log_query q = {.name = "figlet"};
    struct faas_image image = {0}, *images = NULL;
    struct faas_namespace ns = {.name = (char *)"dev"};
    size_t n = 0;
    struct faas_error err = {0};

    (void)state;
#define UNSUPPORTED(call)                                       \
    do {                                                        \
        err = (struct faas_error){0};                           \
        assert_int_equal(call, -1);                             \
        assert_int_equal(faas_code_http_status(err.code), 501); \
        assert_non_null(strstr(err.msg, "bare: "));             \
    } while (0)
    UNSUPPORTED(faas_provider_scale(&p, "figlet", NULL, 2, &err));
    UNSUPPORTED(faas_provider_secret_list(&p, NULL, &names, &err));
    UNSUPPORTED(faas_provider_secret_create(&p, &secret, &err));
    UNSUPPORTED(faas_provider_secret_update(&p, &secret, &err));
    UNSUPPORTED(faas_provider_secret_remove(&p, "key", NULL, &err));
    UNSUPPORTED(faas_provider_namespace_get(&p, "dev", &ns, &err));
    UNSUPPORTED(faas_provider_namespace_create(&p, &ns, &err));
    UNSUPPORTED(faas_provider_namespace_update(&p, &ns, &err));
    UNSUPPORTED(faas_provider_namespace_remove(&p, "dev", &err));
    UNSUPPORTED(faas_provider_logs(&p, &q, NULL, &err));
    UNSUPPORTED(faas_provider_image_put(&p, "a:b", -1, &image, &err));
    UNSUPPORTED(faas_provider_image_list(&p, &images, &n, &err));
    UNSUPPORTED(faas_provider_image_remove(&p, "a:b", &err));
    faas_provider_close(&p);
}

static void without_a_list_there_is_the_default_namespace(void **state)
{
    struct faas_provider p = {.ops = &bare_ops};
    _cleanup_strv_ struct faas_strv names = {0};
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(faas_provider_namespace_list(&p, &names, &err), 0);
    assert_int_equal(names.len, 1);
    assert_string_equal(names.items[0], "openfaas-fn");
}

static void an_absent_namespace_means_the_default(void **state)
{
    static const char *const given[] = {NULL, ""};
    struct fake f = {0};
    struct faas_provider p = {.ops = &full_ops, .self = &f};
    struct faas_function_spec spec = figlet();
    struct faas_secret secret = {.name = (char *)"key"};
    struct faas_error err = {0};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(given); i++) {
        struct faas_log_query q = {.name = "figlet", .namespace_ = given[i]};

#define IN_DEFAULT(call)                                   \
    do {                                                   \
        assert_int_equal(call, 0);                         \
        assert_string_equal(f.ns, FAAS_DEFAULT_NAMESPACE); \
        f.ns[0] = '\0';                                    \
    } while (0)
        spec.namespace_ = secret.namespace_ = (char *)given[i];
        IN_DEFAULT(faas_provider_deploy(&p, &spec, &err));
        IN_DEFAULT(faas_provider_remove(&p, "figlet", given[i], &err));
        IN_DEFAULT(faas_provider_scale(&p, "figlet", given[i], 0, &err));
        IN_DEFAULT(faas_provider_secret_create(&p, &secret, &err));
        IN_DEFAULT(faas_provider_secret_remove(&p, "key", given[i], &err));
        IN_DEFAULT(faas_provider_logs(&p, &q, NULL, &err));
        assert_ptr_equal(secret.namespace_, given[i]);
    }
    fake_deinit(&f);
}

static void bad_input_never_reaches_the_back_end(void **state)
{
    static const struct {
        const char *name, *ns;
        enum faas_code code;
    } cases[] = {
        {"", NULL, FAAS_ERR_INVALID},         {NULL, NULL, FAAS_ERR_INVALID},
        {"../etc", NULL, FAAS_ERR_NOT_FOUND}, {"Figlet", NULL, FAAS_ERR_NOT_FOUND},
        {"figlet", "../x", FAAS_ERR_INVALID}, {"figlet", "a.b", FAAS_ERR_INVALID},
    };
    struct fake f = {0};
    struct faas_provider p = {.ops = &full_ops, .self = &f};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_function_status status = {0};
        struct faas_log_query q = {.name = cases[i].name, .namespace_ = cases[i].ns};
        struct faas_error err = {0};

        print_message("  %s in %s\n", cases[i].name ? cases[i].name : "(null)",
                      cases[i].ns ? cases[i].ns : "(null)");
        assert_int_equal(faas_provider_remove(&p, cases[i].name, cases[i].ns, &err), -1);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(faas_provider_get(&p, cases[i].name, cases[i].ns, &status, &err), -1);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(faas_provider_scale(&p, cases[i].name, cases[i].ns, 1, &err), -1);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(faas_provider_logs(&p, &q, NULL, &err), -1);
        assert_int_equal(err.code, cases[i].code);
    }
    assert_int_equal(f.calls, 0);
}

static void a_bad_spec_is_refused_before_the_back_end_sees_it(void **state)
{
    static const struct faas_function_spec cases[] = {
        {.service = (char *)"no_underscores", .image = (char *)"x:1"},
        {.service = (char *)"figlet"},
        {.image = (char *)"x:1"},
        {.service = (char *)"figlet", .image = (char *)"x:1", .namespace_ = (char *)"/"},
        {.service = (char *)"figlet", .image = (char *)"x:1", .limits = {.memory = (char *)"lots"}},
    };
    struct fake f = {0};
    struct faas_provider p = {.ops = &full_ops, .self = &f};

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct faas_error err = {0};

        assert_int_equal(faas_provider_deploy(&p, &cases[i], &err), -1);
        print_message("  %s\n", err.msg);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        assert_int_equal(faas_provider_update(&p, &cases[i], &err), -1);
    }
    assert_int_equal(f.calls, 0);
}

static void secret_and_image_names_are_checked(void **state)
{
    static const char *const bad_secrets[] = {"", "a/b", "..", "UPPER", NULL};
    static const char *const bad_images[] = {"", "/x", "a b", "..", "a\nb", "-x", NULL};
    static const char *const good_images[] = {"hello", "hello:latest", "ghcr.io/me/x:1.0-a_b",
                                              "x@sha256:abc", NULL};
    struct fake f = {0};
    struct faas_provider p = {.ops = &full_ops, .self = &f};
    char long_name[300];
    struct faas_error err = {0};

    (void)state;
    for (const char *const *s = bad_secrets; *s; s++) {
        struct faas_secret secret = {.name = (char *)*s};

        print_message("  secret \"%s\"\n", *s);
        assert_int_equal(faas_provider_secret_create(&p, &secret, &err), -1);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
        assert_int_equal(faas_provider_secret_remove(&p, *s, NULL, &err), -1);
    }
    for (const char *const *s = bad_images; *s; s++) {
        print_message("  image \"%s\"\n", *s);
        assert_int_equal(faas_provider_image_remove(&p, *s, &err), -1);
        assert_int_equal(err.code, FAAS_ERR_INVALID);
    }
    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    assert_int_equal(faas_provider_image_remove(&p, long_name, &err), -1);
    assert_int_equal(f.calls, 0);
    for (const char *const *s = good_images; *s; s++) {
        print_message("  image \"%s\"\n", *s);
        assert_int_equal(faas_provider_image_remove(&p, *s, &err), 0);
    }
    fake_deinit(&f);
}

static void every_status_carries_the_function_label(void **state)
{
    struct fake f = {0};
    struct faas_provider p = {.ops = &full_ops, .self = &f};
    struct faas_function_status status = {0};
    struct faas_status_list list = {0};
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(faas_provider_get(&p, "figlet", NULL, &status, &err), 0);
    assert_string_equal(faas_map_get(&status.spec.labels, "faas_function"), "figlet");
    assert_int_equal(faas_provider_list(&p, NULL, &list, &err), 0);
    assert_string_equal(faas_map_get(&list.items[0].spec.labels, "faas_function"), "figlet");
    assert_string_equal(faas_map_get(&list.items[1].spec.labels, "faas_function"), "kept");
    faas_function_status_deinit(&status);
    faas_status_list_deinit(&list);
    fake_deinit(&f);
}

static void every_registered_provider_is_complete(void **state)
{
    (void)state;
    for (const struct faas_provider_ops *const *ops = faas_provider_registry; *ops; ops++) {
        struct faas_error err = {0};

        print_message("  %s\n", (*ops)->name);
        assert_true((*ops)->summary && *(*ops)->summary);
        assert_non_null((*ops)->open);
        assert_non_null((*ops)->close);
        assert_non_null((*ops)->deploy);
        assert_non_null((*ops)->update);
        assert_non_null((*ops)->remove);
        assert_non_null((*ops)->list);
        assert_non_null((*ops)->get);
        assert_ptr_equal(faas_provider_find((*ops)->name, &err), *ops);
        for (size_t i = 0; i < (*ops)->n_options; i++)
            assert_true((*ops)->options[i].at < (*ops)->options_size);
    }
}

static void an_unknown_provider_is_refused_with_the_known_ones(void **state)
{
    struct faas_error err = {0};

    (void)state;
    assert_null(faas_provider_find("mesos", &err));
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    assert_non_null(strstr(err.msg, "\"mesos\""));
    for (const struct faas_provider_ops *const *ops = faas_provider_registry; *ops; ops++)
        assert_non_null(strstr(err.msg, (*ops)->name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_operation_says_who_and_what),
        cmocka_unit_test(a_failed_open_leaves_nothing_to_close),
        cmocka_unit_test(an_absent_operation_is_unsupported),
        cmocka_unit_test(without_a_list_there_is_the_default_namespace),
        cmocka_unit_test(an_absent_namespace_means_the_default),
        cmocka_unit_test(bad_input_never_reaches_the_back_end),
        cmocka_unit_test(a_bad_spec_is_refused_before_the_back_end_sees_it),
        cmocka_unit_test(secret_and_image_names_are_checked),
        cmocka_unit_test(every_status_carries_the_function_label),
        cmocka_unit_test(every_registered_provider_is_complete),
        cmocka_unit_test(an_unknown_provider_is_refused_with_the_known_ones),
    };
    return cmocka_run_group_tests_name("provider", tests, NULL, NULL);
}
