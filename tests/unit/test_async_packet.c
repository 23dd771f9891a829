#include "gateway/async/packet.h"
#include "libfaas/cleanup.h"
#include "tests/unit/unit.h"

static void assert_str(struct faas_str got, const char *want)
{
    if (!faas_str_eqz(got, want))
        fail_msg("got \"%.*s\", want \"%s\"", FAAS_STR_FMT(got), want);
}

static void what_is_packed_is_unpacked(void **state)
{
    const struct gw_packet in = {
        .policy = FAAS_STR("10 1000 2000 0 429"),
        .callback = FAAS_STR("http://x/"),
        .request = FAAS_STR("POST /function/a/ HTTP/1.1\r\nHost: h\r\n"),
        .body = FAAS_STR("1 2 3\nwith lines\n"),
    };
    _cleanup_buf_ struct faas_buf text = {0};
    struct gw_packet out;

    (void)state;
    gw_packet_append(&text, &in);
    assert_true(gw_packet_parse(faas_buf_str(&text), &out));
    assert_str(out.policy, "10 1000 2000 0 429");
    assert_str(out.callback, "http://x/");
    assert_str(out.request, "POST /function/a/ HTTP/1.1\r\nHost: h\r\n");
    assert_str(out.body, "1 2 3\nwith lines\n");
}

static void an_empty_one_is_one_too(void **state)
{
    _cleanup_buf_ struct faas_buf text = {0};
    struct gw_packet out;

    (void)state;
    gw_packet_append(&text, &(struct gw_packet){0});
    assert_true(gw_packet_parse(faas_buf_str(&text), &out));
    assert_int_equal(out.policy.len + out.callback.len + out.request.len + out.body.len, 0);
}

static void what_is_none_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "0 0 0",
        "0 0\n",
        "a 0 0\n",
        "-1 0 0\n",
        "1 0 0\n",
        "1 1 1\nab",
        "0 0 0 0\n",
        "0  0\n",
        "18446744073709551615 1 1\nabc",
        "99999999999999999999 0 0\nabc",
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(texts); i++) {
        struct gw_packet out;

        if (gw_packet_parse(faas_str_from(texts[i]), &out))
            fail_msg("\"%s\" was taken for a packet", texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_is_unpacked),
        cmocka_unit_test(an_empty_one_is_one_too),
        cmocka_unit_test(what_is_none_is_refused),
    };
    return cmocka_run_group_tests_name("async_packet", tests, NULL, NULL);
}
