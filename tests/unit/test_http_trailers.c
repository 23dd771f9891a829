/* Fields behind a body, through the server: those of the request are what the reply ends with. */
#include "tests/unit/fakes/http_rig.h"
#include "tests/unit/unit.h"

#define HOST "Host: h\r\n"

static void begin_and_write(struct faas_http_req *req, int64_t length)
{
    faas_http_reply_begin(req, 200, NULL, 0, length);
    faas_http_reply_write(req, FAAS_STR("abc"));
}

static void end_with_the_same(struct faas_http_req *req)
{
    size_t n;
    const struct faas_http_header *trailers = faas_http_req_trailers(req, &n);

    faas_http_reply_trailers(req, trailers, n);
    faas_http_reply_end(req);
}

static void reply_at_once(struct http_rig *rig, struct faas_http_req *req)
{
    (void)rig;
    begin_and_write(req, -1);
    end_with_the_same(req);
}

static void reply_with_a_length(struct http_rig *rig, struct faas_http_req *req)
{
    (void)rig;
    begin_and_write(req, 3);
    end_with_the_same(req);
}

static void begin_only(struct http_rig *rig, struct faas_http_req *req)
{
    (void)rig;
    begin_and_write(req, -1);
}

static void end_only(struct http_rig *rig, struct faas_http_req *req)
{
    (void)rig;
    end_with_the_same(req);
}

#define CHUNKED                                             \
    "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked" \
    "\r\n\r\n2\r\nhi\r\n"
#define TRAILERS "0\r\nX-A:  1 \r\nX-Empty:\r\nx-a: 2\r\n\r\n"

static void trailers_of_the_request_are_there_at_its_end(void **state)
{
    struct http_rig rig = {.on_body_end = reply_at_once};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, CHUNKED TRAILERS);
    http_rig_expect(&c, "\r\n3\r\nabc\r\n0\r\nX-A: 1\r\nX-Empty:  \r\nx-a: 2\r\n\r\n");
    http_rig_until_count(&rig, &rig.dones_ok, 1, "the end");
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void trailers_may_come_long_after_the_head(void **state)
{
    struct http_rig rig = {.on_body_end = begin_only};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, CHUNKED TRAILERS);
    http_rig_expect(&c, "\r\n3\r\nabc\r\n");
    http_rig_turns(&rig, 5);
    end_with_the_same(rig.req);
    http_rig_expect(&c, "0\r\nX-A: 1\r\n");
    http_rig_until_count(&rig, &rig.dones_ok, 1, "the end");
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void trailers_of_a_reply_during_the_upload_are_sent(void **state)
{
    struct http_rig rig = {.on_request = begin_only, .on_body_end = end_only};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, CHUNKED);
    http_rig_expect(&c, "\r\n3\r\nabc\r\n");
    http_rig_send_z(&c, TRAILERS);
    http_rig_expect(&c, "0\r\nX-A: 1\r\nX-Empty:  \r\nx-a: 2\r\n\r\n");
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void a_reply_of_known_length_has_none(void **state)
{
    struct http_rig rig = {.on_body_end = reply_with_a_length};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, CHUNKED TRAILERS);
    http_rig_expect(&c, "\r\n\r\nabc");
    http_rig_until_count(&rig, &rig.dones_ok, 1, "the end");
    assert_null(strstr(c.in.data, "X-A"));
    http_rig_close(&c);
    http_rig_stop(&rig);
}

static void a_body_of_known_length_has_none(void **state)
{
    struct http_rig rig = {.on_body_end = reply_at_once};
    struct http_rig_client c;

    (void)state;
    http_rig_start(&rig);
    http_rig_connect(&rig, &c);
    http_rig_send_z(&c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi");
    http_rig_expect(&c, "abc");
    http_rig_until_count(&rig, &rig.dones_ok, 1, "the end");
    http_rig_close(&c);
    http_rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trailers_of_the_request_are_there_at_its_end),
        cmocka_unit_test(trailers_may_come_long_after_the_head),
        cmocka_unit_test(trailers_of_a_reply_during_the_upload_are_sent),
        cmocka_unit_test(a_reply_of_known_length_has_none),
        cmocka_unit_test(a_body_of_known_length_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
