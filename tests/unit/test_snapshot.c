#include "libfaas/alloc.h"
#include "providers/snapshot.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static struct faas_endpoint *endpoint(unsigned port, const char *instance)
{
    struct faas_addr addr;

    assert_int_equal(faas_addr_parse("127.0.0.1", port, &addr, NULL), 0);
    return faas_endpoint_new(&addr, instance);
}

static const struct faas_fn *find(const struct faas_snapshot *s, const char *name, const char *ns)
{
    return faas_snapshot_find(s, faas_str_from(name), faas_str_from(ns));
}

static void an_empty_table_finds_nothing(void **state)
{
    struct faas_snapshot *s = faas_snapshot_new();

    (void)state;
    assert_int_equal(faas_snapshot_len(s), 0);
    assert_null(find(s, "x", "y"));
    faas_snapshot_unref(s);
    faas_snapshot_unref(NULL);
}

static void name_and_namespace_both_count(void **state)
{
    static const struct {
        const char *name, *ns;
    } fns[] = {
        {"figlet", "openfaas-fn"}, {"figlet", "dev"}, {"env", "dev"}, {"a", "bc"}, {"ab", "c"}};
    static const struct {
        const char *name, *ns;
    } absent[] = {{"env", "openfaas-fn"}, {"figle", "dev"}, {"figlet", "de"},
                  {"figlet", ""},         {"", "dev"},      {"", ""},
                  {"FIGLET", "dev"},      {"abc", ""},      {"a", "b"}};
    struct faas_snapshot *s = faas_snapshot_new();

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(fns); i++)
        faas_snapshot_add(s, fns[i].name, fns[i].ns)->desired = i;
    assert_int_equal(faas_snapshot_len(s), FAAS_ARRAY_LEN(fns));
    for (size_t i = 0; i < FAAS_ARRAY_LEN(fns); i++) {
        const struct faas_fn *fn = find(s, fns[i].name, fns[i].ns);
        char key[64];

        assert_non_null(fn);
        assert_int_equal(fn->desired, i);
        assert_ptr_equal(faas_snapshot_at(s, i), fn);
        snprintf(key, sizeof(key), "%s.%s", fns[i].name, fns[i].ns);
        assert_string_equal(fn->key, key);
        assert_string_equal(fn->name, fns[i].name);
        assert_string_equal(fn->namespace_, fns[i].ns);
    }
    for (size_t i = 0; i < FAAS_ARRAY_LEN(absent); i++)
        assert_null(find(s, absent[i].name, absent[i].ns));
    faas_snapshot_unref(s);
}

static void lookups_take_views_into_longer_text(void **state)
{
    static const char target[] = "/function/figlet.dev/rest";
    struct faas_snapshot *s = faas_snapshot_new();

    (void)state;
    faas_snapshot_add(s, "figlet", "dev");
    assert_non_null(faas_snapshot_find(s, (struct faas_str){target + 10, 6},
                                       (struct faas_str){target + 17, 3}));
    assert_null(faas_snapshot_find(s, (struct faas_str){target + 10, 7},
                                   (struct faas_str){target + 17, 3}));
    faas_snapshot_unref(s);
}

static void many_functions_stay_where_they_are_and_are_found(void **state)
{
    enum { MANY = 3000 };
    struct faas_snapshot *s = faas_snapshot_new();
    struct faas_fn **added = faas_reallocarray(NULL, MANY, sizeof(struct faas_fn *));
    char name[32], ns[32];

    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "fn-%d", i);
        snprintf(ns, sizeof(ns), "ns-%d", i % 7);
        added[i] = faas_snapshot_add(s, name, ns);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "fn-%d", i);
        for (int k = 0; k < 7; k++) {
            snprintf(ns, sizeof(ns), "ns-%d", k);
            assert_ptr_equal(find(s, name, ns), k == i % 7 ? added[i] : NULL);
        }
    }
    free(added);
    faas_snapshot_unref(s);
}

/* An update makes a new table with the same endpoint: its load is not forgotten, and it lives as
 * long as any of them. */
static void endpoints_outlive_the_table_that_listed_them_first(void **state)
{
    struct faas_endpoint *e = endpoint(1, "figlet-1");
    struct faas_snapshot *old = faas_snapshot_new(), *new = faas_snapshot_new();

    (void)state;
    faas_fn_add_endpoint(faas_snapshot_add(old, "figlet", "dev"), e);
    faas_fn_add_endpoint(faas_snapshot_add(new, "figlet", "dev"), e);
    faas_endpoint_unref(e);
    atomic_fetch_add(&find(old, "figlet", "dev")->endpoints[0]->in_flight, 1);
    faas_snapshot_unref(old);

    const struct faas_fn *fn = find(new, "figlet", "dev");
    assert_int_equal(fn->n_endpoints, 1);
    assert_string_equal(fn->endpoints[0]->instance, "figlet-1");
    assert_int_equal(faas_addr_port((const struct sockaddr *)&fn->endpoints[0]->addr.ss), 1);
    assert_int_equal(atomic_load(&fn->endpoints[0]->in_flight), 1);
    faas_snapshot_unref(new);
    faas_endpoint_unref(NULL);
}

static void a_long_instance_name_is_cut(void **state)
{
    char long_name[200];
    struct faas_endpoint *e;

    (void)state;
    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    e = endpoint(1, long_name);
    assert_int_equal(strlen(e->instance), sizeof(e->instance) - 1);
    faas_endpoint_unref(e);
}

/* --- threads: readers keep a reference of their own while the writer replaces the table --- */

enum { READERS = 3, ROUNDS = 2000 };

struct shared {
    pthread_mutex_t lock; /* over current, as a loop's mailbox would be */
    struct faas_snapshot *current;
};

static struct faas_snapshot *take_current(struct shared *sh)
{
    struct faas_snapshot *s;

    pthread_mutex_lock(&sh->lock);
    s = faas_snapshot_ref(sh->current);
    pthread_mutex_unlock(&sh->lock);
    return s;
}

static void *read_repeatedly(void *arg)
{
    struct shared *sh = arg;
    size_t missing = 0;

    for (int i = 0; i < ROUNDS; i++) {
        struct faas_snapshot *s = take_current(sh);
        const struct faas_fn *fn = find(s, "figlet", "dev");
        struct faas_endpoint *mine = NULL;

        if (fn && fn->n_endpoints == 1)
            mine = faas_endpoint_ref(fn->endpoints[0]);
        else
            missing++;
        faas_snapshot_unref(s);
        if (mine)
            atomic_fetch_add_explicit(&mine->in_flight, 1, memory_order_relaxed);
        faas_endpoint_unref(mine);
    }
    return (void *)missing;
}

static struct faas_snapshot *table_with(struct faas_endpoint *e)
{
    struct faas_snapshot *s = faas_snapshot_new();

    faas_fn_add_endpoint(faas_snapshot_add(s, "figlet", "dev"), e);
    return s;
}

static void readers_never_see_a_table_disappear(void **state)
{
    struct faas_endpoint *e = endpoint(1, "figlet-1");
    struct shared sh = {.lock = PTHREAD_MUTEX_INITIALIZER, .current = table_with(e)};
    pthread_t readers[READERS];

    (void)state;
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_repeatedly, &sh), 0);
    for (int i = 0; i < ROUNDS; i++) {
        struct faas_snapshot *next = table_with(e), *old;

        pthread_mutex_lock(&sh.lock);
        old = sh.current;
        sh.current = next;
        pthread_mutex_unlock(&sh.lock);
        faas_snapshot_unref(old);
    }
    for (int i = 0; i < READERS; i++) {
        void *missing;

        pthread_join(readers[i], &missing);
        assert_null(missing);
    }
    assert_int_equal(atomic_load(&e->in_flight), READERS * ROUNDS);
    faas_snapshot_unref(sh.current);
    faas_endpoint_unref(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table_finds_nothing),
        cmocka_unit_test(name_and_namespace_both_count),
        cmocka_unit_test(lookups_take_views_into_longer_text),
        cmocka_unit_test(many_functions_stay_where_they_are_and_are_found),
        cmocka_unit_test(endpoints_outlive_the_table_that_listed_them_first),
        cmocka_unit_test(a_long_instance_name_is_cut),
        cmocka_unit_test(readers_never_see_a_table_disappear),
    };
    return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
