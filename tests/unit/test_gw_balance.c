#include "gateway/balance.h"
#include "tests/unit/unit.h"

#define N 3

struct fixture {
    struct gw_config cfg;
    struct gw gw;
    struct gw_shard shard;
    struct faas_snapshot *table;
    struct faas_fn *fn;
    struct faas_endpoint *e[N];
};

static void set_up(struct fixture *f, size_t n)
{
    struct faas_error err;

    *f = (struct fixture){.cfg = {.eject_ms = 60000}};
    f->gw.cfg = &f->cfg;
    f->shard = (struct gw_shard){.gw = &f->gw, .random = 88172645463325252};
    f->shard.loop = faas_loop_new(NULL, &err);
    f->table = faas_snapshot_new();
    f->fn = faas_snapshot_add(f->table, "f", "ns");
    for (size_t i = 0; i < n; i++) {
        struct faas_addr addr;

        assert_int_equal(faas_addr_parse("127.0.0.1", (unsigned)(1000 + i), &addr, &err), 0);
        f->e[i] = faas_endpoint_new(&addr, "i");
        faas_fn_add_endpoint(f->fn, f->e[i]);
    }
}

static void tear_down(struct fixture *f)
{
    for (size_t i = 0; i < N; i++)
        faas_endpoint_unref(f->e[i]);
    faas_snapshot_unref(f->table);
    faas_loop_free(f->shard.loop);
}

/* How often each endpoint is chosen in a thousand calls. */
static void choose(struct fixture *f, const struct faas_endpoint *except, unsigned count[N])
{
    memset(count, 0, N * sizeof(count[0]));
    for (int i = 0; i < 1000; i++) {
        struct faas_endpoint *e = gw_balance(&f->shard, f->fn, except);

        for (size_t j = 0; j < N; j++)
            count[j] += e == f->e[j];
        faas_endpoint_unref(e);
    }
}

static void a_function_without_endpoints_has_none(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, 0);
    assert_null(gw_balance(&f.shard, f.fn, NULL));
    tear_down(&f);
}

static void idle_endpoints_share_the_calls(void **state)
{
    struct fixture f;
    unsigned count[N];

    (void)state;
    set_up(&f, N);
    choose(&f, NULL, count);
    for (size_t i = 0; i < N; i++)
        assert_in_range(count[i], 200, 500);
    tear_down(&f);
}

static void the_busiest_endpoint_is_avoided(void **state)
{
    struct fixture f;
    unsigned count[N];

    (void)state;
    set_up(&f, N);
    atomic_store(&f.e[1]->in_flight, 50);
    choose(&f, NULL, count);
    /* Only when both choices fall on it: one in nine. */
    assert_in_range(count[1], 50, 200);
    tear_down(&f);
}

static void ejected_and_excluded_endpoints_are_passed_over(void **state)
{
    struct fixture f;
    unsigned count[N];

    (void)state;
    set_up(&f, N);
    gw_eject(&f.shard, f.e[0]);
    choose(&f, f.e[1], count);
    assert_int_equal(count[2], 1000);
    tear_down(&f);
}

static void with_everything_ejected_somebody_is_still_tried(void **state)
{
    struct fixture f;
    unsigned count[N];

    (void)state;
    set_up(&f, N);
    for (size_t i = 0; i < N; i++)
        gw_eject(&f.shard, f.e[i]);
    choose(&f, NULL, count);
    assert_int_equal(count[0] + count[1] + count[2], 1000);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_without_endpoints_has_none),
        cmocka_unit_test(idle_endpoints_share_the_calls),
        cmocka_unit_test(the_busiest_endpoint_is_avoided),
        cmocka_unit_test(ejected_and_excluded_endpoints_are_passed_over),
        cmocka_unit_test(with_everything_ejected_somebody_is_still_tried),
    };
    return cmocka_run_group_tests_name("gw_balance", tests, NULL, NULL);
}
