#include "libfaas/alloc.h"
#include "tests/unit/fakes/upstream.h"
#include "tests/unit/unit.h"
#include "watchdog/http_get.h"
#include "watchdog/jwt_discovery.h"

#include <stdio.h>
#include <string.h>

/* --- against a server: arg is the answer to every request --- */

static void answer(struct fake_conn *c)
{
    _cleanup_buf_ struct faas_buf head = {0}, body = {0};

    if (!fake_read_request(c, &head, &body))
        return;
    if (!strstr(head.data, "\r\nUser-Agent: openfaas-watchdog\r\n") ||
        !strstr(head.data, "\r\nHost: 127.0.0.1:") || strncmp(head.data, "GET /keys?x=1 ", 14) != 0)
        fake_send_z(c, "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n");
    else
        fake_send_z(c, c->arg);
}

static int get_from(const char *reply, struct faas_buf *body, struct faas_error *err)
{
    struct fake_upstream *server = fake_upstream_new(answer, (void *)reply);
    const struct faas_addr *addr = fake_upstream_addr(server);
    char url[64];
    int r;

    snprintf(url, sizeof(url), "http://127.0.0.1:%u/keys?x=1",
             faas_addr_port((const struct sockaddr *)&addr->ss));
    r = wd_http_get(url, body, err);
    if (r < 0)
        assert_non_null(strstr(err->msg, url));
    fake_upstream_free(server);
    return r;
}

static void documents_come_in_every_framing(void **state)
{
    static const char *const replies[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\n\r\nhello",
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(replies); i++) {
        _cleanup_buf_ struct faas_buf body = {0};

        assert_int_equal(get_from(replies[i], &body, NULL), 0);
        assert_string_equal(body.data, "hello");
    }
}

static void anything_else_is_an_error(void **state)
{
    static const struct {
        const char *reply, *why;
    } cases[] = {
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", "status 404"},
        {"HTTP/1.1 204 No Content\r\n\r\n", "status 204"},
        {"HTTP/1.1 302 Found\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n", "status 302"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 600000\r\n\r\n", ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n", ""},
        {"nonsense\r\n\r\n", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf body = {0};
        struct faas_error err = {0};

        if (get_from(cases[i].reply, &body, &err) == 0 || !strstr(err.msg, cases[i].why))
            fail_msg("%s: %s", cases[i].reply, err.msg);
    }
}

static void send_without_end(struct fake_conn *c)
{
    _cleanup_buf_ struct faas_buf head = {0}, body = {0}, piece = {0};

    if (!fake_read_request(c, &head, &body))
        return;
    while (piece.len < 64 * 1024)
        faas_buf_append_c(&piece, ' ');
    fake_send_z(c, "HTTP/1.1 200 OK\r\n\r\n");
    for (int i = 0; i < 9; i++)
        fake_send(c, faas_buf_str(&piece));
}

static void a_document_without_end_is_cut_off(void **state)
{
    struct fake_upstream *server = fake_upstream_new(send_without_end, NULL);
    const struct faas_addr *addr = fake_upstream_addr(server);
    _cleanup_free_ char *url =
        faas_asprintf("http://127.0.0.1:%u/", faas_addr_port((const struct sockaddr *)&addr->ss));
    _cleanup_buf_ struct faas_buf body = {0};
    struct faas_error err = {0};

    (void)state;
    assert_int_equal(wd_http_get(url, &body, &err), -1);
    assert_non_null(strstr(err.msg, "longer than"));
    fake_upstream_free(server);
}

static void who_cannot_be_reached_is_named(void **state)
{
    struct fake_upstream *server = fake_upstream_new(answer, NULL);
    const struct faas_addr *addr = fake_upstream_addr(server);
    _cleanup_free_ char *url =
        faas_asprintf("http://localhost:%u/", faas_addr_port((const struct sockaddr *)&addr->ss));
    _cleanup_buf_ struct faas_buf body = {0};
    struct faas_error err = {0};

    (void)state;
    fake_upstream_free(server);
    assert_int_equal(wd_http_get(url, &body, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.msg, url));
    assert_int_equal(wd_http_get("http://a..b/", &body, &err), -1);
    assert_non_null(strstr(err.msg, "a..b: "));
    assert_int_equal(wd_http_get("https://gw/", &body, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_UNSUPPORTED);
}

/* --- discovery --- */

struct gateway {
    const char *configuration;
    struct fake_upstream *server;
    unsigned port;
};

static void answer_as_gateway(struct fake_conn *c)
{
    struct gateway *g = c->arg;
    _cleanup_buf_ struct faas_buf head = {0}, body = {0}, text = {0};

    if (!fake_read_request(c, &head, &body))
        return;
    if (strncmp(head.data, "GET /.well-known/openid-configuration ", 38) == 0)
        faas_buf_append_z(&text, g->configuration);
    else if (strncmp(head.data, "GET /keys ", 10) == 0)
        faas_buf_append_z(&text, "the keys");
    faas_buf_clear(&body);
    faas_buf_printf(&body, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n", text.len ? 200 : 404,
                    text.len);
    fake_send(c, faas_buf_str(&body));
    fake_send(c, faas_buf_str(&text));
}

static int discover(const char *format, const char *suffix, struct faas_buf *out,
                    struct faas_error *err)
{
    struct gateway g = {0};
    _cleanup_free_ char *url = NULL, *configuration = NULL;
    const struct faas_addr *addr;
    const char *port_at = strchr(format, '@');
    int r;

    g.server = fake_upstream_new(answer_as_gateway, &g);
    addr = fake_upstream_addr(g.server);
    g.port = faas_addr_port((const struct sockaddr *)&addr->ss);
    g.configuration = configuration =
        port_at ? faas_asprintf("%.*s%u%s", (int)(port_at - format), format, g.port, port_at + 1)
                : faas_strdup(format);
    url = faas_asprintf("http://127.0.0.1:%u%s", g.port, suffix);
    r = wd_jwt_discover(url, out, err);
    fake_upstream_free(g.server);
    return r;
}

static void the_configuration_leads_to_the_keys(void **state)
{
    static const struct {
        const char *configuration, *suffix;
    } cases[] = {
        {"{\"issuer\":\"me\",\"jwks_uri\":\"http://127.0.0.1:@/keys\"}", ""},
        {"{\"issuer\":\"me\",\"jwks_uri\":\"http://127.0.0.1:@/keys\"}", "/"},
        /* Public, with TLS: asked for at the gateway itself. */
        {"{\"issuer\":\"me\",\"jwks_uri\":\"https://gw.example.com/keys\",\"more\":1}", ""},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf out = {0};
        struct faas_error err = {0};
        struct faas_str jwks;
        const char *issuer;

        if (discover(cases[i].configuration, cases[i].suffix, &out, &err) < 0)
            fail_msg("%s: %s", cases[i].configuration, err.msg);
        assert_int_equal(wd_jwt_discovered(faas_buf_str(&out), &issuer, &jwks, NULL), 0);
        assert_string_equal(issuer, "me");
        assert_true(faas_str_eqz(jwks, "the keys"));
    }
}

static void a_broken_configuration_is_named(void **state)
{
    static const struct {
        const char *configuration, *why;
    } cases[] = {
        {"<html>", "bad JSON"},
        {"[]", "\"issuer\" is missing"},
        {"{\"issuer\":\"\",\"jwks_uri\":\"http://127.0.0.1:@/keys\"}", "\"issuer\" is missing"},
        {"{\"issuer\":1,\"jwks_uri\":\"http://127.0.0.1:@/keys\"}", "\"issuer\" is missing"},
        {"{\"issuer\":\"me\"}", "\"jwks_uri\" is missing"},
        {"{\"issuer\":\"me\",\"jwks_uri\":\"/keys\"}", "jwks_uri: \"/keys\" does not begin"},
        {"{\"issuer\":\"me\",\"jwks_uri\":\"http://127.0.0.1:@/none\"}", "status 404"},
        {"{\"issuer\":\"me\",\"jwks_uri\":\"https://gw.example.com/none\"}", "status 404"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        _cleanup_buf_ struct faas_buf out = {0};
        struct faas_error err = {0};

        if (discover(cases[i].configuration, "", &out, &err) == 0 ||
            !strstr(err.msg, cases[i].why) || !strstr(err.msg, "/.well-known/"))
            fail_msg("%s: %s", cases[i].configuration, err.msg);
    }
}

static void a_result_without_an_issuer_is_refused(void **state)
{
    struct faas_str jwks;
    const char *issuer;

    (void)state;
    assert_int_equal(wd_jwt_discovered(FAAS_STR(""), &issuer, &jwks, NULL), -1);
    assert_int_equal(wd_jwt_discovered(FAAS_STR("abc"), &issuer, &jwks, NULL), -1);
    assert_int_equal(wd_jwt_discovered(FAAS_STR("\0abc"), &issuer, &jwks, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_come_in_every_framing),
        cmocka_unit_test(anything_else_is_an_error),
        cmocka_unit_test(a_document_without_end_is_cut_off),
        cmocka_unit_test(who_cannot_be_reached_is_named),
        cmocka_unit_test(the_configuration_leads_to_the_keys),
        cmocka_unit_test(a_broken_configuration_is_named),
        cmocka_unit_test(a_result_without_an_issuer_is_refused),
    };
    return cmocka_run_group_tests_name("wd_http_get", tests, NULL, NULL);
}
