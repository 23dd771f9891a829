/* Kept connections between two requests. After a reply that had to be waited for the server takes
 * them out of libmicrohttpd's hands, so everything that can happen to one has to be seen without
 * it. */
#include "tests/unit/fakes/http_rig.h"
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <unistd.h>

#define REQUEST "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"

static void start(struct http_rig *rig, struct http_rig_client *c)
{
    http_rig_start(rig);
    http_rig_connect(rig, c);
}

static void answer_late(struct http_rig *rig)
{
    http_rig_until_count(rig, &rig->bodies_ended, rig->dones + 1, "the request");
    http_rig_turns(rig, 3);
    http_rig_reply_text(rig->req, 200, "late");
    http_rig_until_count(rig, &rig->dones, rig->dones + 1, "the reply");
}

/* One request whose reply was waited for, and then nothing. */
static void have_kept(struct http_rig *rig, struct http_rig_client *c)
{
    http_rig_send_z(c, REQUEST);
    answer_late(rig);
    http_rig_expect(c, "late");
    faas_buf_clear(&c->in);
    http_rig_turns(rig, 3);
}

static void stop(struct http_rig *rig, struct http_rig_client *c)
{
    http_rig_close(c);
    http_rig_stop(rig);
}

static bool all_gone(void *arg)
{
    return http_rig_connections(arg) == 0;
}

static void the_next_request_is_read_however_it_is_cut(void **state)
{
    static const size_t cuts[] = {1, 6, 15, 16, 17, 26, sizeof(REQUEST) - 2};
    struct http_rig rig = {0};
    struct http_rig_client c;

    (void)state;
    start(&rig, &c);
    have_kept(&rig, &c);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cuts); i++) {
        http_rig_send(&c, REQUEST, cuts[i]);
        http_rig_turns(&rig, 5);
        http_rig_send_z(&c, &REQUEST[cuts[i]]);
        answer_late(&rig);
        http_rig_expect(&c, "late");
        faas_buf_clear(&c.in);
    }
    assert_int_equal(rig.dones_ok, 1 + FAAS_ARRAY_LEN(cuts));
    stop(&rig, &c);
}

static void replies_at_once_and_late_ones_take_turns(void **state)
{
    struct http_rig rig = {0};
    struct http_rig_client c;

    (void)state;
    start(&rig, &c);
    for (int i = 0; i < 4; i++) {
        have_kept(&rig, &c);
        rig.on_body_end = http_rig_echo;
        for (int k = 0; k < 2; k++) {
            http_rig_send_z(&c, REQUEST);
            http_rig_expect(&c, "GET [/x]");
            faas_buf_clear(&c.in);
        }
        rig.on_body_end = NULL;
    }
    assert_int_equal(rig.dones_ok, 12);
    stop(&rig, &c);
}

static void reply_posted(void *arg)
{
    http_rig_reply_text(arg, 200, "late");
}

static void post_reply(struct http_rig *rig, struct faas_http_req *req)
{
    faas_loop_post(rig->loop, reply_posted, req);
}

/* More of them than one read takes, so that some wait in the kernel, with nothing new to come that
 * would tell of them. */
static void pipelined_requests_are_all_answered(void **state)
{
    enum { N = 3000 };
    struct http_rig rig = {.on_body_end = post_reply};
    struct faas_buf all = {0};
    struct http_rig_client c;

    (void)state;
    start(&rig, &c);
    for (int i = 0; i < N; i++)
        faas_buf_append_z(&all, REQUEST);
    http_rig_send(&c, all.data, all.len);
    http_rig_until_count(&rig, &rig.dones_ok, N, "the replies");
    faas_buf_deinit(&all);
    stop(&rig, &c);
}

static void a_client_that_leaves_is_noticed(void **state)
{
    struct http_rig rig = {0};
    struct http_rig_client c;

    (void)state;
    start(&rig, &c);
    have_kept(&rig, &c);
    assert_int_equal(http_rig_connections(&rig), 1);
    shutdown(c.fd, SHUT_WR);
    http_rig_until(&rig, all_gone, &rig, "the connection's end");
    stop(&rig, &c);
}

static void a_client_that_leaves_with_its_reply_is_noticed(void **state)
{
    struct http_rig rig = {.on_body_end = post_reply};
    struct http_rig_client c;

    (void)state;
    start(&rig, &c);
    http_rig_send_z(&c, REQUEST);
    shutdown(c.fd, SHUT_WR);
    http_rig_until(&rig, all_gone, &rig, "the connection's end");
    stop(&rig, &c);
}

static void an_idle_connection_is_closed_in_time(void **state)
{
    struct http_rig rig = {.opts.read_timeout_ms = 1000};
    struct http_rig_client c;

    (void)state;
    start(&rig, &c);
    have_kept(&rig, &c);
    http_rig_sleep(&rig, 999);
    assert_false(c.closed);
    http_rig_sleep(&rig, 2);
    http_rig_expect_closed(&c);
    stop(&rig, &c);
}

static void draining_closes_it(void **state)
{
    struct http_rig rig = {0};
    struct http_rig_client c;

    (void)state;
    start(&rig, &c);
    have_kept(&rig, &c);
    faas_http_server_drain(rig.server);
    http_rig_expect_closed(&c);
    stop(&rig, &c);
}

static void draining_answers_a_request_that_has_just_come(void **state)
{
    struct http_rig rig = {0};
    struct http_rig_client c;

    (void)state;
    start(&rig, &c);
    have_kept(&rig, &c);
    rig.on_body_end = http_rig_echo;
    http_rig_send_z(&c, REQUEST);
    faas_http_server_drain(rig.server);
    http_rig_expect(&c, "GET [/x]");
    http_rig_expect_closed(&c);
    stop(&rig, &c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_request_is_read_however_it_is_cut),
        cmocka_unit_test(replies_at_once_and_late_ones_take_turns),
        cmocka_unit_test(pipelined_requests_are_all_answered),
        cmocka_unit_test(a_client_that_leaves_is_noticed),
        cmocka_unit_test(a_client_that_leaves_with_its_reply_is_noticed),
        cmocka_unit_test(an_idle_connection_is_closed_in_time),
        cmocka_unit_test(draining_closes_it),
        cmocka_unit_test(draining_answers_a_request_that_has_just_come),
    };
    return cmocka_run_group_tests_name("http_server_kept", tests, NULL, NULL);
}
