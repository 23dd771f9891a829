#include "tests/unit/unit.h"
#include "watchdog/upstream_probe.h"

#include <netinet/in.h>
#include <unistd.h>

#define LIMIT_MS 10000

struct fixture {
    struct faas_loop *loop;
    struct wd_upstream_probe probe;
    struct faas_addr addrs[2];
    const struct faas_addr *up;
    struct faas_timer timer;
    int fd;
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){.fd = -1};
    f.loop = faas_loop_new(NULL, NULL);
    *state = &f;
    return f.loop ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    wd_upstream_probe_stop(&f->probe);
    faas_timer_stop(f->loop, &f->timer);
    faas_loop_free(f->loop);
    if (f->fd >= 0)
        close(f->fd);
    return 0;
}

static void on_up(void *arg, const struct faas_addr *addr)
{
    struct fixture *f = arg;

    assert_null(f->up); /* once */
    f->up = addr;
}

static bool is_up(void *arg)
{
    const struct fixture *f = arg;

    return f->up != NULL;
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

/* A port at which nobody listens, until start_listening(). */
static void take_port(struct fixture *f, struct faas_addr *addr)
{
    f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(faas_addr_parse("127.0.0.1", 0, addr, NULL), 0);
    assert_int_equal(bind(f->fd, (struct sockaddr *)&addr->ss, addr->len), 0);
    assert_int_equal(faas_addr_parse("127.0.0.1", faas_socket_port(f->fd), addr, NULL), 0);
}

static void start_listening(void *arg)
{
    struct fixture *f = arg;

    assert_null(f->up);
    assert_int_equal(listen(f->fd, 8), 0);
}

static void it_waits_until_somebody_listens(void **state)
{
    struct fixture *f = *state;

    take_port(f, &f->addrs[0]);
    wd_upstream_probe_start(&f->probe, f->loop, f->addrs, 1, on_up, f);
    assert_null(f->up);
    faas_timer_start(f->loop, &f->timer, 50, start_listening, f);
    assert_true(faas_loop_run_until(f->loop, is_up, f, LIMIT_MS));
    assert_ptr_equal(f->up, &f->addrs[0]);
    assert_false(faas_loop_run_until(f->loop, never, NULL, 50)); /* and then it is over */
}

static void the_second_address_will_do(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(faas_addr_parse("127.0.0.1", 1, &f->addrs[0], NULL), 0); /* refused */
    take_port(f, &f->addrs[1]);
    start_listening(f);
    wd_upstream_probe_start(&f->probe, f->loop, f->addrs, 2, on_up, f);
    assert_true(faas_loop_run_until(f->loop, is_up, f, LIMIT_MS));
    assert_ptr_equal(f->up, &f->addrs[1]);
}

static void one_that_was_stopped_says_nothing(void **state)
{
    struct fixture *f = *state;

    take_port(f, &f->addrs[0]);
    start_listening(f);
    wd_upstream_probe_stop(&f->probe); /* harmless before it starts */
    wd_upstream_probe_start(&f->probe, f->loop, f->addrs, 1, on_up, f);
    wd_upstream_probe_stop(&f->probe);
    assert_false(faas_loop_run_until(f->loop, is_up, f, 50));
    wd_upstream_probe_start(&f->probe, f->loop, f->addrs, 1, on_up, f);
    assert_true(faas_loop_run_until(f->loop, is_up, f, LIMIT_MS));
}

static void the_pauses_between_attempts_grow(void **state)
{
    struct fixture *f = *state;

    take_port(f, &f->addrs[0]);
    wd_upstream_probe_start(&f->probe, f->loop, f->addrs, 1, on_up, f);
    assert_false(faas_loop_run_until(f->loop, is_up, f, 100));
    assert_true(f->probe.delay_ms >= 40 && f->probe.delay_ms <= 160);
    assert_false(faas_loop_run_until(f->loop, is_up, f, 600));
    assert_int_equal(f->probe.delay_ms, 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_waits_until_somebody_listens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_second_address_will_do, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_was_stopped_says_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_pauses_between_attempts_grow, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
