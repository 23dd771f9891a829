#include "tests/unit/fakes/http_rig.h"

#include "libfaas/net.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <unistd.h>

enum { LIMIT_MS = 20000 };

/* --- the handler --- */

static size_t on_body(void *arg, struct faas_str data)
{
    struct http_rig *rig = arg;

    data.len = FAAS_MIN(data.len, rig->appetite);
    rig->appetite -= data.len;
    faas_buf_append_str(&rig->body, data);
    return data.len;
}

static void on_body_end(void *arg)
{
    struct http_rig *rig = arg;

    rig->bodies_ended++;
    if (rig->on_body_end)
        rig->on_body_end(rig, rig->req);
}

static void on_drain(void *arg)
{
    struct http_rig *rig = arg;

    rig->drains++;
    if (rig->on_drain)
        rig->on_drain(rig, rig->req);
}

static void on_done(void *arg, const struct faas_error *err)
{
    struct http_rig *rig = arg;

    rig->dones++;
    rig->dones_ok += err == NULL;
    if (err)
        rig->err = *err;
    rig->req = NULL;
}

static void on_request(void *arg, struct faas_http_req *req)
{
    static const struct faas_http_req_ops ops = {
        .on_body = on_body, .on_body_end = on_body_end, .on_drain = on_drain, .on_done = on_done};
    struct http_rig *rig = arg;

    rig->requests++;
    rig->req = req;
    rig->ops = &ops;
    faas_http_req_attach(req, &ops, rig);
    if (rig->on_request)
        rig->on_request(rig, req);
}

void http_rig_reply_text(struct faas_http_req *req, int status, const char *text)
{
    const struct faas_http_header type[] = {{FAAS_STR("Content-Type"), FAAS_STR("text/plain")}};

    faas_http_reply(req, status, type, 1, faas_str_from(text));
}

void http_rig_echo(struct http_rig *rig, struct faas_http_req *req)
{
    const struct faas_http_head *head = faas_http_req_head(req);
    _cleanup_buf_ struct faas_buf out = {0};

    faas_buf_printf(&out, "%.*s [%.*s] [%.*s] ", FAAS_STR_FMT(head->method),
                    FAAS_STR_FMT(head->target), FAAS_STR_FMT(head->path));
    if (head->query.ptr)
        faas_buf_printf(&out, "[%.*s] ", FAAS_STR_FMT(head->query));
    faas_buf_printf(&out, "%lld%s\n", (long long)head->content_length,
                    head->http_1_0 ? " 1.0" : "");
    for (size_t i = 0; i < head->n_headers; i++)
        faas_buf_printf(&out, "%.*s=[%.*s]\n", FAAS_STR_FMT(head->headers[i].name),
                        FAAS_STR_FMT(head->headers[i].value));
    faas_buf_append_str(&out, faas_buf_str(&rig->body));
    faas_buf_clear(&rig->body);
    http_rig_reply_text(req, 200, out.data);
}

static void count_line(void *self, struct faas_str line)
{
    struct http_rig *rig = self;

    (void)line;
    rig->logged++;
}

static bool countdown(void *arg)
{
    int *left = arg;

    return (*left)-- == 0;
}

void http_rig_turns(struct http_rig *rig, int n)
{
    assert_true(faas_loop_run_until(rig->loop, countdown, &n, LIMIT_MS));
}

void http_rig_until(struct http_rig *rig, bool (*pred)(void *arg), void *arg, const char *what)
{
    if (!faas_loop_run_until(rig->loop, pred, arg, LIMIT_MS))
        fail_msg("never came: %s", what);
}

struct count {
    const unsigned *counter;
    unsigned value;
};

static bool reached(void *arg)
{
    const struct count *count = arg;

    return *count->counter >= count->value;
}

void http_rig_until_count(struct http_rig *rig, const unsigned *counter, unsigned value,
                          const char *what)
{
    struct count count = {counter, value};

    http_rig_until(rig, reached, &count, what);
}

void http_rig_sleep(struct http_rig *rig, int64_t ms)
{
    http_rig_turns(rig, 3); /* timers are set by then */
    faas_fake_clock_advance_ms(&rig->clock, ms);
    http_rig_turns(rig, 5);
}

/* --- clients --- */

static void on_readable(void *arg, uint32_t events)
{
    struct http_rig_client *c = arg;
    char some[64 * 1024];
    ssize_t n = recv(c->fd, some, sizeof(some), MSG_DONTWAIT);

    (void)events;
    if (n > 0) {
        faas_buf_append(&c->in, some, (size_t)n);
        return;
    }
    if (n < 0 && errno == EAGAIN)
        return;
    c->error = n < 0 ? errno : 0;
    c->closed = true;
    faas_io_del(c->rig->loop, &c->io);
}

void http_rig_connect(struct http_rig *rig, struct http_rig_client *c)
{
    struct faas_addr addr;
    struct faas_error err;

    assert_int_equal(faas_addr_parse("127.0.0.1", rig->port, &addr, &err), 0);
    *c = (struct http_rig_client){.rig = rig};
    c->fd = faas_connect_start(&addr, &err);
    if (c->fd < 0)
        fail_msg("%s", err.msg);
    assert_int_equal(faas_io_add(rig->loop, &c->io, c->fd, EPOLLIN, on_readable, c, &err), 0);
}

void http_rig_send(struct http_rig_client *c, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(c->fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
            return;
        if (sent < 0 && errno != EAGAIN)
            fail_msg("send: %s", strerror(errno));
        if (sent < 0)
            http_rig_turns(c->rig, 1);
        else
            data += sent, n -= (size_t)sent;
    }
}

void http_rig_send_z(struct http_rig_client *c, const char *z)
{
    http_rig_send(c, z, strlen(z));
}

struct expectation {
    struct http_rig_client *client;
    const char *text;
};

static bool has_come(void *arg)
{
    const struct expectation *e = arg;
    const struct faas_buf *in = &e->client->in;

    return (in->len && memmem(in->data, in->len, e->text, strlen(e->text))) || e->client->closed;
}

void http_rig_expect(struct http_rig_client *c, const char *text)
{
    struct expectation e = {c, text};

    if (!faas_loop_run_until(c->rig->loop, has_come, &e, LIMIT_MS) || !c->in.len ||
        !memmem(c->in.data, c->in.len, text, strlen(text)))
        fail_msg("expected \"%s\", closed=%d, got:\n%.*s", text, c->closed,
                 (int)FAAS_MIN(c->in.len, (size_t)2000), c->in.len ? c->in.data : "");
}

static bool is_closed(void *arg)
{
    return ((const struct http_rig_client *)arg)->closed;
}

void http_rig_expect_closed(struct http_rig_client *c)
{
    http_rig_until(c->rig, is_closed, c, "the connection's end");
}

void http_rig_pause(struct http_rig_client *c, bool paused)
{
    if (!c->closed)
        faas_io_mod(c->rig->loop, &c->io, paused ? 0 : EPOLLIN);
}

void http_rig_close(struct http_rig_client *c)
{
    faas_io_del(c->rig->loop, &c->io);
    close(c->fd);
    faas_buf_deinit(&c->in);
}

/* --- the server --- */

void http_rig_start(struct http_rig *rig)
{
    struct faas_error err;

    faas_fake_clock_init(&rig->clock, 1700000000000000000);
    rig->loop = faas_loop_new(&rig->clock.clock, &err);
    assert_non_null(rig->loop);
    rig->sink = (struct faas_log_sink){.write = count_line, .self = rig};
    rig->log = (struct faas_log){
        .sink = &rig->sink, .clock = &rig->clock.clock, .component = "rig", .level = FAAS_LOG_INFO};
    rig->opts.listen_fd = faas_listen("127.0.0.1", 0, 0, false, &err);
    assert_true(rig->opts.listen_fd >= 0);
    rig->port = faas_socket_port(rig->opts.listen_fd);
    rig->opts.log = &rig->log;
    rig->opts.error_component = "rig";
    rig->opts.on_request = on_request;
    rig->opts.arg = rig;
    if (!rig->opts.header_limit)
        rig->opts.header_limit = 16 * 1024;
    if (!rig->opts.max_connections)
        rig->opts.max_connections = 100;
    rig->opts.max_connections++; /* the bystander */
    if (!rig->appetite)
        rig->appetite = SIZE_MAX;
    rig->server = faas_http_server_new(rig->loop, &rig->opts, &err);
    if (!rig->server)
        fail_msg("%s", err.msg);
    http_rig_connect(rig, &rig->bystander);
    http_rig_turns(rig, 3);
}

void http_rig_stop(struct http_rig *rig)
{
    faas_http_server_free(rig->server);
    assert_int_equal(rig->dones, rig->requests);
    http_rig_close(&rig->bystander);
    faas_loop_free(rig->loop);
    faas_buf_deinit(&rig->body);
}

unsigned http_rig_connections(const struct http_rig *rig)
{
    return faas_http_server_connections(rig->server) - !rig->bystander.closed;
}
