#include "libfaas/http_client.h"
#include "tests/unit/fakes/upstream.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>

#define MIB (1024 * 1024)

static unsigned count_fds(void)
{
    unsigned n = 0;
    DIR *dir = opendir("/proc/self/fd");

    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* What each test starts with. Time stands still unless a test moves it. */
struct world {
    struct faas_fake_clock clock;
    struct faas_loop *loop;
    struct faas_upstream *client;
    unsigned fds;
    sem_t sem; /* between a script and its test */
    atomic_uint count;
};

static const struct faas_upstream_opts default_opts = {
    .max_idle_per_host = 400,
    .max_idle = 500,
    .idle_timeout_ms = 60000,
    .connect_timeout_ms = 5000,
    .max_head = 8192,
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    w->fds = count_fds();
    faas_fake_clock_init(&w->clock, 0);
    w->loop = faas_loop_new(&w->clock.clock, NULL);
    w->client = faas_upstream_new(w->loop, &default_opts);
    sem_init(&w->sem, 0, 0);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    faas_upstream_free(w->client);
    faas_loop_free(w->loop);
    sem_destroy(&w->sem);
    assert_int_equal(count_fds(), w->fds);
    free(w);
    return 0;
}

static void use_opts(struct world *w, struct faas_upstream_opts opts)
{
    faas_upstream_free(w->client);
    w->client = faas_upstream_new(w->loop, &opts);
}

/* One request as its owner sees it. */
struct call {
    struct world *w;
    struct faas_exchange *ex;
    struct faas_exchange_ops ops;
    int status;
    unsigned heads;
    struct faas_buf headers; /* "name: value\n" of each */
    struct faas_buf body;
    bool keep_alive, upgraded;
    bool ended, failed, writable, peer_ended;
    enum faas_http_phase phase;
    struct faas_error err;
    size_t take; /* at most so much at once; 0: all */
    unsigned pauses;
    const struct faas_addr *other; /* for on_connect_failed, once */
    struct call *next;             /* started from within on_end */
    struct faas_exchange_req next_req;
    void *arg;
};

static void call_on_head(void *arg, const struct faas_http_response_head *head)
{
    struct call *c = arg;

    c->heads++;
    c->status = head->status;
    c->keep_alive = head->keep_alive;
    c->upgraded = head->upgraded;
    for (size_t i = 0; i < head->n_headers; i++)
        faas_buf_printf(&c->headers, "%.*s: %.*s\n", FAAS_STR_FMT(head->headers[i].name),
                        FAAS_STR_FMT(head->headers[i].value));
}

static size_t call_on_body(void *arg, struct faas_str data)
{
    struct call *c = arg;

    assert_true(data.len > 0);
    assert_int_equal(c->heads, 1);
    if (c->take && data.len > c->take) {
        data.len = c->take;
        c->pauses++;
        faas_exchange_resume(c->ex);
    }
    faas_buf_append_str(&c->body, data);
    return data.len;
}

static void call_on_end(void *arg)
{
    struct call *c = arg;

    assert_false(c->ended || c->failed);
    c->ended = true;
    c->ex = NULL;
    if (c->next)
        c->next->ex = faas_exchange_start(c->w->client, &c->next_req, &c->next->ops, c->next);
}

static void call_on_error(void *arg, enum faas_http_phase phase, const struct faas_error *err)
{
    struct call *c = arg;

    assert_false(c->ended || c->failed);
    c->failed = true;
    c->phase = phase;
    c->err = *err;
    c->ex = NULL;
}

static void call_on_writable(void *arg)
{
    struct call *c = arg;

    c->writable = true;
}

static void call_on_peer_end(void *arg)
{
    struct call *c = arg;

    assert_false(c->peer_ended || c->ended || c->failed);
    c->peer_ended = true;
}

static const struct faas_addr *call_on_connect_failed(void *arg, const struct faas_error *err)
{
    struct call *c = arg;
    const struct faas_addr *other = c->other;

    assert_int_equal(err->code, FAAS_ERR_UNAVAILABLE);
    c->other = NULL;
    return other;
}

static const struct faas_exchange_ops call_ops = {
    .on_head = call_on_head,
    .on_body = call_on_body,
    .on_end = call_on_end,
    .on_error = call_on_error,
    .on_writable = call_on_writable,
    .on_connect_failed = call_on_connect_failed,
};

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

static struct faas_exchange_req get(const struct faas_addr *addr)
{
    return (struct faas_exchange_req){.addr = addr, .head = FAAS_STR(GET), .idempotent = true};
}

static struct faas_exchange_req post(const struct faas_addr *addr)
{
    return (struct faas_exchange_req){
        .addr = addr,
        .head = FAAS_STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"),
        .body = FAAS_BODY_LENGTH};
}

static struct faas_exchange_req post_chunked(const struct faas_addr *addr)
{
    return (struct faas_exchange_req){
        .addr = addr,
        .head = FAAS_STR("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"),
        .body = FAAS_BODY_CHUNKED};
}

static void start(struct world *w, struct call *c, struct faas_exchange_req req)
{
    c->w = w;
    if (!c->ops.on_head)
        c->ops = call_ops;
    c->ex = faas_exchange_start(w->client, &req, &c->ops, c);
    assert_non_null(c->ex);
    assert_false(c->heads || c->ended || c->failed); /* never from within start */
}

static bool is_over(void *arg)
{
    const struct call *c = arg;

    return c->ended || c->failed;
}

static void finish(struct call *c)
{
    assert_true(faas_loop_run_until(c->w->loop, is_over, c, 20000));
    if (c->failed && c->ended)
        fail();
}

static void dispose(struct call *c)
{
    faas_buf_deinit(&c->headers);
    faas_buf_deinit(&c->body);
}

static void expect_answer(struct call *c, int status, const char *body)
{
    finish(c);
    if (c->failed)
        fail_msg("failed: %s", c->err.msg);
    assert_int_equal(c->status, status);
    assert_string_equal(c->body.data ? c->body.data : "", body);
    dispose(c);
}

static void expect_failure(struct call *c, enum faas_http_phase phase, enum faas_code code)
{
    finish(c);
    if (c->ended)
        fail_msg("ended with status %d", c->status);
    assert_int_equal(c->phase, phase);
    assert_int_equal(c->err.code, code);
    assert_true(strlen(c->err.msg) > 0);
    dispose(c);
}

static void one_get(struct world *w, const struct faas_addr *addr, const char *body)
{
    struct call c = {0};

    start(w, &c, get(addr));
    expect_answer(&c, 200, body);
}

struct open_want {
    struct fake_upstream *up;
    unsigned n;
};

static bool has_open(void *arg)
{
    const struct open_want *want = arg;

    return fake_upstream_open(want->up) == want->n;
}

static void expect_open(struct world *w, struct fake_upstream *up, unsigned n)
{
    struct open_want want = {up, n};

    if (!faas_loop_run_until(w->loop, has_open, &want, 10000))
        fail_msg("%u connections are open, not %u", fake_upstream_open(up), n);
}

static bool has_count(void *arg)
{
    struct world *w = arg;

    return atomic_load(&w->count) > 0;
}

/* Runs the loop until the script has counted something. */
static void wait_count(struct world *w)
{
    assert_true(faas_loop_run_until(w->loop, has_count, w, 10000));
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

/* Some turns of the loop, for what must not happen. */
static void turn_a_little(struct world *w)
{
    faas_loop_run_until(w->loop, never, NULL, 20);
}

#define ANSWER_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: 1\r\nA: 2\r\n\r\nhello"

/* Answers every request, as long as there are any. */
static void serve_hello(struct fake_conn *c)
{
    struct faas_buf head = {0}, body = {0};

    while (fake_read_request(c, &head, &body)) {
        fake_send_z(c, ANSWER_HELLO);
        faas_buf_clear(&head);
        faas_buf_clear(&body);
    }
    faas_buf_deinit(&head);
    faas_buf_deinit(&body);
}

static void a_response_is_delivered(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_hello, NULL);
    struct call c = {0};

    start(w, &c, get(fake_upstream_addr(up)));
    finish(&c);
    assert_true(c.ended);
    assert_true(c.keep_alive);
    assert_string_equal(c.headers.data, "Content-Length: 5\nA: 1\nA: 2\n");
    expect_answer(&c, 200, "hello");
    fake_upstream_free(up);
}

static void a_connection_is_used_again(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_hello, NULL);

    for (int i = 0; i < 5; i++)
        one_get(w, fake_upstream_addr(up), "hello");
    assert_int_equal(fake_upstream_accepted(up), 1);
    fake_upstream_free(up);
}

static void a_request_from_within_on_end_finds_the_connection(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_hello, NULL);
    struct call second = {.w = w, .ops = call_ops};
    struct call first = {.next = &second, .next_req = get(fake_upstream_addr(up))};

    start(w, &first, get(fake_upstream_addr(up)));
    expect_answer(&first, 200, "hello");
    expect_answer(&second, 200, "hello");
    assert_int_equal(fake_upstream_accepted(up), 1);
    fake_upstream_free(up);
}

/* --- nobody there --- */

static struct faas_addr closed_port(void)
{
    int fd = faas_listen("127.0.0.1", 0, 1, false, NULL);
    struct faas_addr addr;

    assert_int_equal(faas_addr_parse("127.0.0.1", faas_socket_port(fd), &addr, NULL), 0);
    close(fd);
    return addr;
}

static void a_refused_connection_fails_as_unavailable(void **state)
{
    struct world *w = *state;
    struct faas_addr nobody = closed_port();
    struct call c = {0};

    start(w, &c, get(&nobody));
    finish(&c);
    assert_non_null(strstr(c.err.msg, "127.0.0.1"));
    assert_non_null(strstr(c.err.msg, "refused"));
    expect_failure(&c, FAAS_PHASE_CONNECT, FAAS_ERR_UNAVAILABLE);
}

static void an_address_without_a_route_fails_later(void **state)
{
    struct world *w = *state;
    struct faas_addr multicast;
    struct call c = {0};

    /* connect() itself fails here: reported all the same from the loop. */
    assert_int_equal(faas_addr_parse("224.0.0.1", 80, &multicast, NULL), 0);
    start(w, &c, get(&multicast));
    expect_failure(&c, FAAS_PHASE_CONNECT, FAAS_ERR_UNAVAILABLE);
}

static void addresses_of_both_families_are_tried(void **state)
{
    struct world *w = *state;
    struct faas_addr nobody;
    struct call c = {0};

    assert_int_equal(faas_addr_parse("::1", 1, &nobody, NULL), 0);
    start(w, &c, get(&nobody)); /* refused, or there is no IPv6 here */
    finish(&c);
    assert_non_null(strstr(c.err.msg, "[::1]:1"));
    expect_failure(&c, FAAS_PHASE_CONNECT, FAAS_ERR_UNAVAILABLE);
}

static void another_address_gets_the_same_bytes(void **state)
{
    struct world *w = *state;
    struct faas_addr nobody = closed_port();
    struct fake_upstream *up = fake_upstream_new(serve_hello, NULL);
    struct call c = {.other = fake_upstream_addr(up)};

    start(w, &c, post(&nobody));
    faas_exchange_write(c.ex, FAAS_STR("12345"));
    faas_exchange_end(c.ex);
    expect_answer(&c, 200, "hello");
    fake_upstream_free(up);
}

static void another_address_may_be_a_pooled_one(void **state)
{
    struct world *w = *state;
    struct faas_addr nobody = closed_port();
    struct fake_upstream *up = fake_upstream_new(serve_hello, NULL);
    struct call c = {.other = fake_upstream_addr(up)};

    one_get(w, fake_upstream_addr(up), "hello");
    start(w, &c, get(&nobody));
    expect_answer(&c, 200, "hello");
    assert_int_equal(fake_upstream_accepted(up), 1);
    fake_upstream_free(up);
}

static void a_second_refusal_fails(void **state)
{
    struct world *w = *state;
    struct faas_addr nobody = closed_port(), nobody_else = closed_port();
    struct call c = {.other = &nobody_else};

    start(w, &c, get(&nobody));
    expect_failure(&c, FAAS_PHASE_CONNECT, FAAS_ERR_UNAVAILABLE);
    assert_null(c.other);
}

/* A listener that never accepts, with its backlog full: further SYNs are dropped. */
struct deaf {
    int listen_fd;
    int fds[8];
    struct faas_addr addr;
};

static void deaf_open(struct deaf *d)
{
    d->listen_fd = faas_listen("127.0.0.1", 0, 1, false, NULL);
    assert_int_equal(faas_addr_parse("127.0.0.1", faas_socket_port(d->listen_fd), &d->addr, NULL),
                     0);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(d->fds); i++)
        d->fds[i] = faas_connect_start(&d->addr, NULL);
}

static void deaf_close(struct deaf *d)
{
    for (size_t i = 0; i < FAAS_ARRAY_LEN(d->fds); i++)
        close(d->fds[i]);
    close(d->listen_fd);
}

static void connecting_has_a_deadline(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_hello, NULL);
    struct deaf deaf;
    struct call c = {.other = fake_upstream_addr(up)}, d = {0};

    deaf_open(&deaf);
    start(w, &c, get(&deaf.addr));
    start(w, &d, get(&deaf.addr));
    turn_a_little(w);
    assert_false(is_over(&c) || is_over(&d));
    faas_fake_clock_advance_ms(&w->clock, 4999);
    turn_a_little(w);
    assert_false(is_over(&c) || is_over(&d));
    faas_fake_clock_advance_ms(&w->clock, 1);
    expect_answer(&c, 200, "hello"); /* it knew another address */
    finish(&d);
    assert_non_null(strstr(d.err.msg, "5000 ms"));
    expect_failure(&d, FAAS_PHASE_CONNECT, FAAS_ERR_UNAVAILABLE);
    deaf_close(&deaf);
    fake_upstream_free(up);
}

static void the_head_deadline_covers_connecting(void **state)
{
    struct world *w = *state;
    struct deaf deaf;
    struct faas_exchange_req req;
    struct call c = {0};

    deaf_open(&deaf);
    req = get(&deaf.addr);
    req.head_timeout_ms = 1000;
    start(w, &c, req);
    turn_a_little(w);
    faas_fake_clock_advance_ms(&w->clock, 1000);
    expect_failure(&c, FAAS_PHASE_CONNECT, FAAS_ERR_TIMEOUT);
    deaf_close(&deaf);
}

/* --- stale connections --- */

/* The first connection answers once, waits for the word, closes and says so. */
struct stale {
    sem_t close_now, closed;
    bool read_first; /* the second request is read before the close */
    bool reset;      /* instead of a close */
    atomic_uint requests;
};

static void serve_stale(struct fake_conn *c)
{
    struct stale *s = c->arg;
    struct faas_buf head = {0}, body = {0};

    if (c->nth > 0) {
        serve_hello(c);
        return;
    }
    fake_read_request(c, &head, &body);
    fake_send_z(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstale");
    sem_wait(&s->close_now);
    if (s->read_first && fake_read_request(c, &head, &body))
        atomic_fetch_add(&s->requests, 1);
    if (s->reset)
        fake_reset(c);
    else
        shutdown(c->fd, SHUT_WR);
    sem_post(&s->closed);
    if (!s->reset)
        fake_wait_closed(c);
    faas_buf_deinit(&head);
    faas_buf_deinit(&body);
}

static struct fake_upstream *stale_new(struct stale *s, bool read_first)
{
    *s = (struct stale){.read_first = read_first};
    sem_init(&s->close_now, 0, 0);
    sem_init(&s->closed, 0, 0);
    return fake_upstream_new(serve_stale, s);
}

static void close_then_start(void *arg)
{
    struct call *c = arg;
    struct stale *s = c->arg;

    /* The loop cannot have seen the close: it is here. */
    sem_post(&s->close_now);
    if (!s->read_first)
        sem_wait(&s->closed);
    call_on_end(c);
    if (c->next->ex && c->next_req.body == FAAS_BODY_LENGTH) {
        faas_exchange_write(c->next->ex, FAAS_STR("12345"));
        faas_exchange_end(c->next->ex);
    }
}

static void stale_pair(struct world *w, struct stale *s, struct fake_upstream *up,
                       struct call *second, struct faas_exchange_req req)
{
    struct call first = {.next = second, .next_req = req, .arg = s, .ops = call_ops};

    *second = (struct call){.w = w, .ops = call_ops};
    first.ops.on_end = close_then_start;
    start(w, &first, get(fake_upstream_addr(up)));
    expect_answer(&first, 200, "stale");
}

static void a_connection_closed_just_before_its_use_is_replaced(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 4; i++) {
        struct stale s;
        struct fake_upstream *up = stale_new(&s, false);
        struct call second;

        s.reset = i / 2;
        stale_pair(w, &s, up, &second,
                   i % 2 ? post(fake_upstream_addr(up)) : get(fake_upstream_addr(up)));
        expect_answer(&second, 200, "hello");
        assert_int_equal(fake_upstream_accepted(up), 2);
        fake_upstream_free(up);
    }
}

static void a_get_is_repeated_when_a_used_connection_closes_on_it(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 2; i++) {
        struct stale s;
        struct fake_upstream *up = stale_new(&s, true);
        struct call second;

        s.reset = i;
        stale_pair(w, &s, up, &second, get(fake_upstream_addr(up)));
        expect_answer(&second, 200, "hello");
        assert_int_equal(atomic_load(&s.requests), 1);
        assert_int_equal(fake_upstream_accepted(up), 2);
        fake_upstream_free(up);
    }
}

static void a_post_is_never_repeated_once_sent(void **state)
{
    struct world *w = *state;
    struct stale s;
    struct fake_upstream *up = stale_new(&s, true);
    struct call second;

    stale_pair(w, &s, up, &second, post(fake_upstream_addr(up)));
    expect_failure(&second, FAAS_PHASE_HEAD, FAAS_ERR_BAD_GATEWAY);
    assert_int_equal(fake_upstream_accepted(up), 1);
    fake_upstream_free(up);
}

static void an_idempotent_body_in_hand_is_repeated(void **state)
{
    struct world *w = *state;
    struct stale s;
    struct fake_upstream *up = stale_new(&s, true);
    struct faas_exchange_req put = post(fake_upstream_addr(up));
    struct call second;

    put.idempotent = true;
    stale_pair(w, &s, up, &second, put);
    expect_answer(&second, 200, "hello");
    assert_int_equal(atomic_load(&s.requests), 1);
    fake_upstream_free(up);
}

static void serve_close_at_once(struct fake_conn *c)
{
    struct faas_buf head = {0}, body = {0};

    fake_read_request(c, &head, &body);
    faas_buf_deinit(&head);
    faas_buf_deinit(&body);
}

static void a_fresh_connection_that_closes_is_an_error(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_close_at_once, NULL);
    struct call c = {0};

    start(w, &c, get(fake_upstream_addr(up)));
    expect_failure(&c, FAAS_PHASE_HEAD, FAAS_ERR_BAD_GATEWAY);
    assert_int_equal(fake_upstream_accepted(up), 1);
    fake_upstream_free(up);
}

static void serve_one_then_close_all(struct fake_conn *c)
{
    struct faas_buf head = {0}, body = {0};

    if (fake_read_request(c, &head, &body) && c->nth == 0) {
        fake_send_z(c, ANSWER_HELLO);
        fake_read_request(c, &head, &body);
    }
    faas_buf_deinit(&head);
    faas_buf_deinit(&body);
}

static void a_repetition_is_not_repeated(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_one_then_close_all, NULL);
    struct call c = {0};

    one_get(w, fake_upstream_addr(up), "hello");
    start(w, &c, get(fake_upstream_addr(up)));
    expect_failure(&c, FAAS_PHASE_HEAD, FAAS_ERR_BAD_GATEWAY);
    assert_int_equal(fake_upstream_accepted(up), 2);
    fake_upstream_free(up);
}

static void serve_hello_and_close(struct fake_conn *c)
{
    struct faas_buf head = {0}, body = {0};

    fake_read_request(c, &head, &body);
    fake_send_z(c, ANSWER_HELLO);
    faas_buf_deinit(&head);
    faas_buf_deinit(&body);
}

static void an_idle_connection_that_closes_is_dropped(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_hello_and_close, NULL);
    unsigned fds = count_fds();

    for (int i = 0; i < 3; i++) {
        one_get(w, fake_upstream_addr(up), "hello");
        expect_open(w, up, 0);
        turn_a_little(w);
        assert_int_equal(count_fds(), fds);
    }
    assert_int_equal(fake_upstream_accepted(up), 3);
    fake_upstream_free(up);
}

static void serve_hello_and_chatter(struct fake_conn *c)
{
    struct world *w = c->arg;
    struct faas_buf head = {0}, body = {0};

    fake_read_request(c, &head, &body);
    fake_send_z(c, ANSWER_HELLO);
    if (c->nth == 0) {
        sem_wait(&w->sem);
        fake_send_z(c, "HTTP/1.1 408 Too Slow\r\nContent-Length: 0\r\n\r\n");
    }
    fake_wait_closed(c);
    faas_buf_deinit(&head);
    faas_buf_deinit(&body);
}

static void what_an_idle_connection_says_is_nobodys_answer(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_hello_and_chatter, w);

    one_get(w, fake_upstream_addr(up), "hello");
    sem_post(&w->sem);
    expect_open(w, up, 0);
    one_get(w, fake_upstream_addr(up), "hello");
    fake_upstream_free(up);
}

static void serve_two_answers(struct fake_conn *c)
{
    struct faas_buf head = {0}, body = {0};

    fake_read_request(c, &head, &body);
    fake_send_z(c, ANSWER_HELLO ANSWER_HELLO);
    fake_wait_closed(c);
    faas_buf_deinit(&head);
    faas_buf_deinit(&body);
}

static void bytes_behind_the_answer_end_the_connection(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_two_answers, NULL);

    one_get(w, fake_upstream_addr(up), "hello");
    one_get(w, fake_upstream_addr(up), "hello");
    assert_int_equal(fake_upstream_accepted(up), 2);
    fake_upstream_free(up);
}

/* --- upstreams that break --- */

struct script {
    const char *answer;
    bool reset; /* behind it; what was sent arrives all the same */
};

static void serve_script(struct fake_conn *c)
{
    const struct script *s = c->arg;
    struct faas_buf head = {0}, body = {0};

    fake_read_request(c, &head, &body);
    fake_send_z(c, s->answer);
    if (s->reset)
        fake_reset(c);
    faas_buf_deinit(&head);
    faas_buf_deinit(&body);
}

static void broken_answers_are_errors(void **state)
{
    static const struct {
        const char *what;
        struct script script;
        enum faas_http_phase phase;
    } cases[] = {
        {"no answer", {""}, FAAS_PHASE_HEAD},
        {"reset instead of an answer", {"", true}, FAAS_PHASE_HEAD},
        {"half a head", {"HTTP/1.1 200 OK\r\nContent-"}, FAAS_PHASE_HEAD},
        {"reset in the head", {"HTTP/1.1 200 OK\r\nContent-", true}, FAAS_PHASE_HEAD},
        {"another protocol", {"220 smtp.example.org ESMTP\r\n"}, FAAS_PHASE_HEAD},
        {"a bad status line", {"HTTP/1.1 abc\r\n\r\n"}, FAAS_PHASE_HEAD},
        {"body too short", {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"}, FAAS_PHASE_BODY},
        {"reset in the body",
         {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", true},
         FAAS_PHASE_BODY},
        {"no last chunk",
         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"},
         FAAS_PHASE_BODY},
        {"a bad chunk",
         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!"},
         FAAS_PHASE_BODY},
    };
    struct world *w = *state;

    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct fake_upstream *up = fake_upstream_new(serve_script, (void *)&cases[i].script);
        struct call c = {0};

        start(w, &c, get(fake_upstream_addr(up)));
        finish(&c);
        if (!c.failed || c.phase != cases[i].phase || c.err.code != FAAS_ERR_BAD_GATEWAY)
            fail_msg("%s: ended %d, phase %d, %s", cases[i].what, c.ended, (int)c.phase, c.err.msg);
        assert_non_null(strstr(c.err.msg, "127.0.0.1:"));
        dispose(&c);
        fake_upstream_free(up);
    }
}

static void serve_huge_head(struct fake_conn *c)
{
    struct faas_buf head = {0}, body = {0};

    fake_read_request(c, &head, &body);
    fake_send_z(c, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 2000; i++)
        fake_send_z(c, "X-Header: some value\r\n");
    fake_wait_closed(c);
    faas_buf_deinit(&head);
    faas_buf_deinit(&body);
}

static void a_huge_head_is_an_error(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_huge_head, NULL);
    struct call c = {0};

    start(w, &c, get(fake_upstream_addr(up)));
    finish(&c);
    assert_non_null(strstr(c.err.msg, "8192"));
    expect_failure(&c, FAAS_PHASE_HEAD, FAAS_ERR_BAD_GATEWAY);
    fake_upstream_free(up);
}

/* --- deadlines --- */

static void serve_part_and_wait(struct fake_conn *c)
{
    struct world *w = c->arg;
    struct faas_buf head = {0}, body = {0};

    if (fake_read_request(c, &head, &body)) {
        atomic_fetch_add(&w->count, 1);
        if (strstr(head.data, "GET /body"))
            fake_send_z(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
        sem_wait(&w->sem);
        fake_send_z(c, "1234");
        fake_wait_closed(c);
    }
    faas_buf_deinit(&head);
    faas_buf_deinit(&body);
}

static void a_slow_head_times_out(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_part_and_wait, w);
    struct faas_exchange_req req = get(fake_upstream_addr(up));
    struct call c = {0};

    req.head_timeout_ms = 1000;
    req.total_timeout_ms = 2000;
    start(w, &c, req);
    wait_count(w);
    faas_fake_clock_advance_ms(&w->clock, 999);
    turn_a_little(w);
    assert_false(is_over(&c));
    faas_fake_clock_advance_ms(&w->clock, 1);
    expect_failure(&c, FAAS_PHASE_HEAD, FAAS_ERR_TIMEOUT);
    sem_post(&w->sem);
    expect_open(w, up, 0); /* and the upstream can tell */
    fake_upstream_free(up);
}

static bool has_body(void *arg)
{
    const struct call *c = arg;

    return c->body.len > 0;
}

static void start_slow_body(struct world *w, struct fake_upstream *up, struct call *c)
{
    struct faas_exchange_req req = get(fake_upstream_addr(up));

    req.head = FAAS_STR("GET /body HTTP/1.1\r\nHost: x\r\n\r\n");
    req.head_timeout_ms = 1000;
    req.total_timeout_ms = 5000;
    start(w, c, req);
    assert_true(faas_loop_run_until(w->loop, has_body, c, 10000));
}

static void a_slow_body_times_out(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_part_and_wait, w);
    struct call c = {0};

    start_slow_body(w, up, &c);
    faas_fake_clock_advance_ms(&w->clock, 4999);
    turn_a_little(w);
    assert_false(is_over(&c));
    faas_fake_clock_advance_ms(&w->clock, 1);
    expect_failure(&c, FAAS_PHASE_BODY, FAAS_ERR_TIMEOUT);
    sem_post(&w->sem);
    fake_upstream_free(up);
}

static void deadlines_can_be_lifted(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_part_and_wait, w);
    struct call c = {0};

    start_slow_body(w, up, &c);
    faas_exchange_no_timeout(c.ex);
    faas_fake_clock_advance_ms(&w->clock, 3600000);
    turn_a_little(w);
    assert_false(is_over(&c));
    sem_post(&w->sem);
    expect_answer(&c, 200, "hello1234");
    fake_upstream_free(up);
}

/* --- kinds of responses --- */

static void responses_of_every_framing_are_read(void **state)
{
    static const struct {
        const char *what;
        struct script script;
        int status;
        const char *body;
        bool is_head;
    } cases[] = {
        {"interim first",
         {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"},
         201,
         "ok"},
        {"204", {"HTTP/1.1 204 No Content\r\n\r\n"}, 204, ""},
        {"304 with a length", {"HTTP/1.1 304 x\r\nContent-Length: 500\r\n\r\n"}, 304, ""},
        {"HEAD", {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"}, 200, "", true},
        {"until close", {"HTTP/1.0 200 OK\r\n\r\nto the end"}, 200, "to the end"},
        {"empty until close", {"HTTP/1.1 200 OK\r\n\r\n"}, 200, ""},
        {"chunked with trailers",
         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3;x\r\ncde\r\n0\r\nA: "
          "b\r\n\r\n"},
         200,
         "abcde"},
        {"an error is an answer",
         {"HTTP/1.1 500 no\r\nContent-Length: 4\r\n\r\noops"},
         500,
         "oops"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        struct fake_upstream *up = fake_upstream_new(serve_script, (void *)&cases[i].script);
        struct faas_exchange_req req = get(fake_upstream_addr(up));
        struct call c = {0};

        req.is_head = cases[i].is_head;
        start(w, &c, req);
        finish(&c);
        if (c.failed)
            fail_msg("%s: %s", cases[i].what, c.err.msg);
        assert_int_equal(c.heads, 1);
        expect_answer(&c, cases[i].status, cases[i].body);
        fake_upstream_free(up);
    }
}

static void a_body_taken_in_crumbs_arrives_whole(void **state)
{
    static const struct script script = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                         "a\r\n0123456789\r\n1\r\nx\r\n5\r\nabcde\r\n0\r\n\r\n"};
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_script, (void *)&script);
    struct call c = {.take = 3};

    start(w, &c, get(fake_upstream_addr(up)));
    finish(&c);
    assert_int_equal(c.pauses, 4);
    expect_answer(&c, 200, "0123456789xabcde");
    fake_upstream_free(up);
}

static size_t take_nothing(void *arg, struct faas_str data)
{
    struct call *c = arg;

    (void)data;
    c->pauses++;
    return 0;
}

static bool was_paused(void *arg)
{
    const struct call *c = arg;

    return c->pauses > 0;
}

static void a_paused_body_waits_for_resume(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_hello_and_close, NULL);
    struct call c = {.ops = call_ops};

    c.ops.on_body = take_nothing;
    start(w, &c, get(fake_upstream_addr(up)));
    assert_true(faas_loop_run_until(w->loop, was_paused, &c, 10000));
    expect_open(w, up, 0); /* even the close behind it waits */
    turn_a_little(w);
    assert_int_equal(c.pauses, 1);
    c.ops.on_body = call_on_body;
    faas_exchange_resume(c.ex);
    assert_int_equal(c.body.len, 0); /* not from within resume */
    expect_answer(&c, 200, "hello");
    fake_upstream_free(up);
}

/* --- request bodies --- */

struct echo {
    struct faas_buf head, body;
    size_t first_read, in_all;
};

/* Keeps what it got on the wire and answers. */
static void serve_keep_request(struct fake_conn *c)
{
    struct echo *e = c->arg;

    if (fake_read_head(c, &e->head))
        e->first_read = c->last_read;
    if (strstr(e->head.data, "chunked"))
        fake_read_until(c, &e->body, "0\r\n\r\n");
    else
        fake_read(c, &e->body, 5);
    e->in_all = e->head.len + e->body.len + c->in.len;
    fake_send_z(c, ANSWER_HELLO);
    fake_wait_closed(c);
}

static void echo_deinit(struct echo *e)
{
    faas_buf_deinit(&e->head);
    faas_buf_deinit(&e->body);
}

static void what_is_written_in_one_turn_leaves_in_one_send(void **state)
{
    struct world *w = *state;
    struct echo e = {0};
    struct fake_upstream *up = fake_upstream_new(serve_keep_request, &e);
    struct faas_exchange_req req = post(fake_upstream_addr(up));
    struct call c = {0};

    start(w, &c, req);
    assert_true(faas_exchange_write(c.ex, FAAS_STR("123")) >= 3);
    faas_exchange_write(c.ex, FAAS_STR("45"));
    faas_exchange_end(c.ex);
    faas_exchange_write(c.ex, FAAS_STR("too late"));
    faas_exchange_end(c.ex);
    expect_answer(&c, 200, "hello");
    assert_string_equal(e.body.data, "12345");
    assert_int_equal(e.in_all, req.head.len + 5);
    assert_int_equal(e.first_read, req.head.len + 5);
    fake_upstream_free(up);
    echo_deinit(&e);
}

static void chunks_are_framed(void **state)
{
    struct world *w = *state;
    struct echo e = {0};
    struct fake_upstream *up = fake_upstream_new(serve_keep_request, &e);
    struct call c = {0};

    start(w, &c, post_chunked(fake_upstream_addr(up)));
    faas_exchange_write(c.ex, FAAS_STR("hello"));
    faas_exchange_write(c.ex, FAAS_STR("")); /* would be the end */
    turn_a_little(w);
    faas_exchange_write(c.ex, FAAS_STR(" there, wor"));
    turn_a_little(w);
    faas_exchange_end(c.ex);
    expect_answer(&c, 200, "hello");
    assert_string_equal(e.body.data, "5\r\nhello\r\nb\r\n there, wor\r\n0\r\n\r\n");
    fake_upstream_free(up);
    echo_deinit(&e);
}

static void the_head_does_not_wait_for_the_body(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_script, &(struct script){ANSWER_HELLO});
    struct faas_exchange_req req = post(fake_upstream_addr(up));
    struct call c = {0};

    /* The script reads the head, which announces no body, and answers. */
    req.head = FAAS_STR("POST / HTTP/1.1\r\n\r\n");
    start(w, &c, req);
    expect_answer(&c, 200, "hello");
    fake_upstream_free(up);
}

static void serve_early(struct fake_conn *c)
{
    struct faas_buf head = {0};

    fake_read_head(c, &head);
    fake_send_z(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!");
    fake_wait_closed(c);
    faas_buf_deinit(&head);
}

static void an_early_answer_is_delivered_and_ends_the_connection(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_early, NULL);
    struct call c = {0};

    start(w, &c, post(fake_upstream_addr(up)));
    faas_exchange_write(c.ex, FAAS_STR("12"));
    expect_answer(&c, 413, "no!");
    expect_open(w, up, 0);
    fake_upstream_free(up);
}

static void serve_early_and_reset(struct fake_conn *c)
{
    const char *answer = c->arg;
    struct faas_buf head = {0};

    fake_read_head(c, &head);
    fake_send_z(c, answer);
    fake_reset(c);
    faas_buf_deinit(&head);
}

static char zeros[64 * 1024];

static void write_into_the_void(void *arg, const struct faas_http_response_head *head)
{
    struct call *c = arg;
    struct fake_upstream *up = c->arg;

    call_on_head(c, head);
    while (fake_upstream_open(up) > 0)
        sched_yield();
    for (int i = 0; i < 12; i++)
        assert_int_equal(faas_exchange_write(c->ex, (struct faas_str){zeros, sizeof(zeros)}), 0);
}

static struct faas_exchange_req long_post(const struct faas_addr *addr)
{
    struct faas_exchange_req req = post(addr);

    req.head = FAAS_STR("POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n");
    return req;
}

static void an_upload_that_is_cut_off_still_hears_the_answer(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(
        serve_early_and_reset, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!");
    struct call c = {.ops = call_ops, .arg = up};

    c.ops.on_head = write_into_the_void;
    start(w, &c, long_post(fake_upstream_addr(up)));
    expect_answer(&c, 413, "no!");
    fake_upstream_free(up);
}

static void an_upload_that_is_cut_off_without_an_answer_fails(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_early_and_reset, "");
    struct call c = {0};

    start(w, &c, long_post(fake_upstream_addr(up)));
    while (!is_over(&c)) {
        faas_exchange_write(c.ex, (struct faas_str){zeros, sizeof(zeros)});
        turn_a_little(w);
    }
    expect_failure(&c, FAAS_PHASE_SEND, FAAS_ERR_BAD_GATEWAY);
    fake_upstream_free(up);
}

/* --- large bodies --- */

static char pattern(uint64_t at)
{
    return (char)(at * 7 + at / 251);
}

static void fill(char *buf, size_t n, uint64_t at)
{
    for (size_t i = 0; i < n; i++)
        buf[i] = pattern(at + i);
}

static bool matches(const char *buf, size_t n, uint64_t at)
{
    for (size_t i = 0; i < n; i++)
        if (buf[i] != pattern(at + i))
            return false;
    return true;
}

#define BIG (64ULL * MIB)

struct big {
    struct world *w;
    bool chunked;
    bool upload_ok;
};

static bool drain_upload(struct fake_conn *c, bool chunked)
{
    struct faas_buf piece = {0};
    uint64_t at = 0;
    bool ok = true;

    while (ok && (chunked || at < BIG)) {
        size_t n = 64 * 1024;

        faas_buf_clear(&piece);
        if (chunked) {
            ok = fake_read_until(c, &piece, "\r\n");
            n = ok ? strtoul(piece.data, NULL, 16) : 0;
            faas_buf_clear(&piece);
        }
        ok = ok && fake_read(c, &piece, n) && matches(piece.data, n, at);
        at += n;
        if (chunked) {
            faas_buf_clear(&piece);
            ok = ok && fake_read_until(c, &piece, "\r\n");
            if (n == 0)
                break;
        }
    }
    faas_buf_deinit(&piece);
    return ok && at == BIG;
}

static void serve_big(struct fake_conn *c)
{
    struct big *b = c->arg;
    struct faas_buf head = {0};
    char buf[100000];

    fake_read_head(c, &head);
    sem_wait(&b->w->sem); /* until the upload is stuck */
    b->upload_ok = drain_upload(c, b->chunked);
    if (b->chunked)
        fake_send_z(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    else
        fake_send_z(c, "HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n");
    for (uint64_t at = 0; at < BIG;) {
        size_t n = FAAS_MIN((uint64_t)sizeof(buf), BIG - at);
        char line[32];

        fill(buf, n, at);
        snprintf(line, sizeof(line), "%zx\r\n", n);
        if (b->chunked)
            fake_send_z(c, line);
        fake_send(c, (struct faas_str){buf, n});
        if (b->chunked)
            fake_send_z(c, "\r\n");
        at += n;
    }
    if (b->chunked)
        fake_send_z(c, "0\r\n\r\n");
    fake_wait_closed(c);
    faas_buf_deinit(&head);
}

struct big_call {
    struct call call;
    uint64_t sent, got;
    size_t most_backlog, most_memory;
    bool in_pieces, wrong;
};

static void note_memory(struct big_call *b)
{
    struct mallinfo2 m = mallinfo2(); /* all zero under the sanitizers */

    b->most_memory = FAAS_MAX(b->most_memory, m.uordblks + m.hblkhd);
}

static void big_write(void *arg)
{
    struct big_call *b = arg;
    static char buf[50000];
    size_t backlog = 0;

    while (b->sent < BIG && backlog <= FAAS_CLIENT_HIGH_WATER) {
        size_t n = FAAS_MIN((uint64_t)sizeof(buf), BIG - b->sent);

        fill(buf, n, b->sent);
        backlog = faas_exchange_write(b->call.ex, (struct faas_str){buf, n});
        b->most_backlog = FAAS_MAX(b->most_backlog, backlog);
        b->sent += n;
    }
    note_memory(b);
    if (b->sent == BIG)
        faas_exchange_end(b->call.ex);
}

static size_t big_on_body(void *arg, struct faas_str data)
{
    struct big_call *b = arg;
    /* Now and then less than all, so that it pauses in the middle of everything. */
    size_t n = b->in_pieces && b->got % 5 == 0 ? (data.len + 2) / 3 : data.len;

    if (n < data.len)
        faas_exchange_resume(b->call.ex);
    b->wrong |= !matches(data.ptr, n, b->got);
    b->got += n;
    note_memory(b);
    return n;
}

static void big_both_ways(struct world *w, bool chunked)
{
    struct big big = {.w = w, .chunked = chunked};
    struct fake_upstream *up = fake_upstream_new(serve_big, &big);
    struct faas_exchange_req req = post_chunked(fake_upstream_addr(up));
    struct big_call b = {.call.ops = call_ops, .in_pieces = chunked};
    struct mallinfo2 before = mallinfo2();

    if (!chunked) {
        req.body = FAAS_BODY_LENGTH;
        req.head = FAAS_STR("POST / HTTP/1.1\r\nContent-Length: 67108864\r\n\r\n");
    }
    b.call.ops.on_writable = big_write;
    b.call.ops.on_body = big_on_body;
    start(w, &b.call, req);
    big_write(&b);
    turn_a_little(w);
    assert_true(b.sent < BIG);
    sem_post(&w->sem);
    assert_true(faas_loop_run_until(w->loop, is_over, &b.call, 120000));
    if (b.call.failed)
        fail_msg("failed: %s", b.call.err.msg);
    assert_true(big.upload_ok);
    assert_int_equal(b.got, BIG);
    assert_false(b.wrong);
    assert_true(b.most_backlog <= FAAS_CLIENT_HIGH_WATER + 50000 + 16);
    /* All threads together, the script's too. */
    assert_true(b.most_memory <= before.uordblks + before.hblkhd + 4 * MIB);
    dispose(&b.call);
    fake_upstream_free(up);
}

static void large_bodies_of_known_length_stream_both_ways(void **state)
{
    big_both_ways(*state, false);
}

static void large_chunked_bodies_stream_both_ways(void **state)
{
    big_both_ways(*state, true);
}

/* --- many --- */

#define MANY 300 /* more than are kept for reuse */

static bool all_over(void *arg)
{
    struct call *calls = arg;

    for (int i = 0; i < MANY; i++)
        if (!is_over(&calls[i]))
            return false;
    return true;
}

static void many_exchanges_run_side_by_side(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_hello, NULL);

    for (int round = 0; round < 3; round++) {
        struct call calls[MANY] = {0};

        for (int i = 0; i < MANY; i++) {
            start(w, &calls[i], i % 2 ? get(fake_upstream_addr(up)) : post(fake_upstream_addr(up)));
            if (i % 2 == 0) {
                faas_exchange_write(calls[i].ex, FAAS_STR("12345"));
                faas_exchange_end(calls[i].ex);
            }
        }
        assert_true(faas_loop_run_until(w->loop, all_over, calls, 60000));
        for (int i = 0; i < MANY; i++)
            expect_answer(&calls[i], 200, "hello");
    }
    assert_int_equal(fake_upstream_accepted(up), MANY);
    fake_upstream_free(up);
}

/* --- idle connections --- */

static void side_by_side(struct world *w, struct fake_upstream *up, int n)
{
    struct call calls[16] = {0};

    for (int i = 0; i < n; i++)
        start(w, &calls[i], get(fake_upstream_addr(up)));
    for (int i = 0; i < n; i++)
        expect_answer(&calls[i], 200, "hello");
}

static void no_more_idle_connections_are_kept_than_allowed(void **state)
{
    struct world *w = *state;
    struct fake_upstream *a = fake_upstream_new(serve_hello, NULL);
    struct fake_upstream *b = fake_upstream_new(serve_hello, NULL);
    struct faas_upstream_opts opts = default_opts;

    opts.max_idle_per_host = 3;
    opts.max_idle = 4;
    use_opts(w, opts);
    side_by_side(w, a, 6);
    expect_open(w, a, 3);
    side_by_side(w, b, 6);
    expect_open(w, b, 3);
    expect_open(w, a, 1); /* the one idle for longest went */
    fake_upstream_free(a);
    fake_upstream_free(b);
}

static void keep_alive_can_be_off(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_hello, NULL);
    struct faas_upstream_opts opts = default_opts;

    for (int i = 0; i < 2; i++) {
        opts.max_idle_per_host = i ? 5 : 0;
        opts.max_idle = i ? 0 : 5;
        use_opts(w, opts);
        side_by_side(w, up, 2);
        expect_open(w, up, 0);
    }
    fake_upstream_free(up);
}

static void idle_connections_are_reaped(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_hello, NULL);

    side_by_side(w, up, 4);
    faas_fake_clock_advance_ms(&w->clock, 50000);
    side_by_side(w, up, 2);
    assert_int_equal(fake_upstream_open(up), 4);
    faas_fake_clock_advance_ms(&w->clock, 10000);
    expect_open(w, up, 2); /* those used last stay */
    faas_fake_clock_advance_ms(&w->clock, 49999);
    turn_a_little(w);
    assert_int_equal(fake_upstream_open(up), 2);
    faas_fake_clock_advance_ms(&w->clock, 1);
    expect_open(w, up, 0);
    one_get(w, fake_upstream_addr(up), "hello");
    fake_upstream_free(up);
}

static void a_forgotten_address_keeps_no_connection(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_hello, NULL);
    struct call c = {0};

    side_by_side(w, up, 3);
    faas_upstream_forget(w->client, fake_upstream_addr(up));
    expect_open(w, up, 0);
    side_by_side(w, up, 3);
    start(w, &c, get(fake_upstream_addr(up))); /* uses one of them */
    faas_upstream_forget(w->client, fake_upstream_addr(up));
    expect_answer(&c, 200, "hello");
    expect_open(w, up, 0);
    faas_upstream_forget(w->client, fake_upstream_addr(up)); /* unknown: fine */
    one_get(w, fake_upstream_addr(up), "hello");
    one_get(w, fake_upstream_addr(up), "hello");
    assert_int_equal(fake_upstream_accepted(up), 7);
    fake_upstream_free(up);
}

static void many_addresses_are_told_apart(void **state)
{
    struct world *w = *state;
    struct fake_upstream *ups[40];

    for (size_t i = 0; i < FAAS_ARRAY_LEN(ups); i++)
        ups[i] = fake_upstream_new(serve_hello, NULL);
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < FAAS_ARRAY_LEN(ups); i++)
            one_get(w, fake_upstream_addr(ups[i]), "hello");
    for (size_t i = 0; i < FAAS_ARRAY_LEN(ups); i++) {
        assert_int_equal(fake_upstream_accepted(ups[i]), 1);
        fake_upstream_free(ups[i]);
    }
}

/* --- cancelling --- */

static void cancel_in_head(void *arg, const struct faas_http_response_head *head)
{
    struct call *c = arg;

    faas_exchange_cancel(c->ex);
    assert_true(head->n_headers > 0 && head->headers[0].name.len > 0); /* still there */
    c->heads++;
}

static size_t cancel_in_body(void *arg, struct faas_str data)
{
    struct call *c = arg;

    faas_exchange_cancel(c->ex);
    assert_int_equal(data.ptr[0], 'h');
    c->pauses++;
    return 0;
}

static void cancel_in_end(void *arg)
{
    struct call *c = arg;

    faas_exchange_cancel(c->ex);
    c->ended = true;
}

static void cancel_in_error(void *arg, enum faas_http_phase phase, const struct faas_error *err)
{
    struct call *c = arg;

    (void)phase;
    (void)err;
    faas_exchange_cancel(c->ex);
    c->failed = true;
}

static const struct faas_addr *cancel_in_connect_failed(void *arg, const struct faas_error *err)
{
    struct call *c = arg;

    (void)err;
    faas_exchange_cancel(c->ex);
    c->pauses++;
    return NULL;
}

static bool has_called(void *arg)
{
    const struct call *c = arg;

    return c->heads + c->pauses > 0;
}

static void an_exchange_may_be_cancelled_from_its_head_and_body(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_hello, NULL);

    for (int i = 0; i < 2; i++) {
        struct call c = {.ops = call_ops};

        if (i == 0)
            c.ops.on_head = cancel_in_head;
        else
            c.ops.on_body = cancel_in_body;
        start(w, &c, get(fake_upstream_addr(up)));
        assert_true(faas_loop_run_until(w->loop, has_called, &c, 10000));
        expect_open(w, up, 0);
        assert_false(is_over(&c));
        dispose(&c);
    }
    fake_upstream_free(up);
}

static void cancelling_what_is_over_does_no_harm(void **state)
{
    struct world *w = *state;
    struct faas_addr nobody = closed_port();
    struct fake_upstream *up = fake_upstream_new(serve_hello, NULL);
    struct call ok = {.ops = call_ops}, bad = {.ops = call_ops}, none = {.ops = call_ops};

    ok.ops.on_end = cancel_in_end;
    start(w, &ok, get(fake_upstream_addr(up)));
    expect_answer(&ok, 200, "hello");
    bad.ops.on_error = cancel_in_error;
    start(w, &bad, get(&nobody));
    finish(&bad);
    none.ops.on_connect_failed = cancel_in_connect_failed;
    start(w, &none, get(&nobody));
    assert_true(faas_loop_run_until(w->loop, has_called, &none, 10000));
    turn_a_little(w);
    assert_false(is_over(&none));
    fake_upstream_free(up);
}

static void cancelling_closes_the_connection(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_part_and_wait, w);
    struct faas_addr nobody = closed_port();
    struct call c = {0}, slow = {0}, paused = {.ops = call_ops}, unsent = {0};

    start(w, &unsent, post(&nobody));
    faas_exchange_cancel(unsent.ex); /* in the turn of its start */
    turn_a_little(w);
    start(w, &c, get(fake_upstream_addr(up)));
    wait_count(w);
    faas_exchange_cancel(c.ex);
    sem_post(&w->sem);
    expect_open(w, up, 0);

    paused.ops.on_body = take_nothing;
    start_slow_body(w, up, &slow);
    faas_exchange_cancel(slow.ex);
    dispose(&slow);
    start(w, &paused,
          (struct faas_exchange_req){.addr = fake_upstream_addr(up),
                                     .head = FAAS_STR("GET /body HTTP/1.1\r\n\r\n"),
                                     .idempotent = true});
    assert_true(faas_loop_run_until(w->loop, was_paused, &paused, 10000));
    faas_exchange_resume(paused.ex);
    faas_exchange_cancel(paused.ex);
    turn_a_little(w);
    assert_int_equal(paused.pauses, 1);
    dispose(&paused);
    sem_post(&w->sem);
    sem_post(&w->sem);
    fake_upstream_free(up);
}

static void serve_late_reader(struct fake_conn *c)
{
    struct world *w = c->arg;

    sem_wait(&w->sem);
    fake_wait_closed(c);
}

static void cancel_in_writable(void *arg)
{
    struct call *c = arg;

    c->pauses++;
    faas_exchange_cancel(c->ex);
}

static void an_exchange_may_be_cancelled_when_it_may_write_again(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_late_reader, w);
    struct call c = {.ops = call_ops};
    size_t backlog = 0;

    c.ops.on_writable = cancel_in_writable;
    start(w, &c, long_post(fake_upstream_addr(up)));
    while (backlog <= FAAS_CLIENT_HIGH_WATER) {
        backlog = faas_exchange_write(c.ex, (struct faas_str){zeros, sizeof(zeros)});
        if (backlog > FAAS_CLIENT_HIGH_WATER)
            turn_a_little(w); /* the kernel may take it all the same */
        if (c.pauses)
            break;
    }
    sem_post(&w->sem);
    assert_true(faas_loop_run_until(w->loop, was_paused, &c, 10000));
    expect_open(w, up, 0);
    assert_false(is_over(&c));
    fake_upstream_free(up);
}

struct killer {
    struct call call;
    struct call *victim;
};

static size_t cancel_the_other(void *arg, struct faas_str data)
{
    struct killer *k = arg;

    if (!is_over(k->victim) && k->victim->ex)
        faas_exchange_cancel(k->victim->ex);
    k->victim->ex = NULL;
    return data.len;
}

static bool both_are_gone(void *arg)
{
    const struct killer *k = arg;

    return !k->call.ex && !k->victim->ex;
}

/* Whichever is served first cancels the other, whose event may be among those already fetched. */
static void one_exchange_may_cancel_another(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_hello, NULL);

    for (int i = 0; i < 20; i++) {
        struct killer a = {.call.ops = call_ops}, b = {.call.ops = call_ops};

        a.victim = &b.call;
        b.victim = &a.call;
        a.call.ops.on_body = b.call.ops.on_body = cancel_the_other;
        start(w, &a.call, get(fake_upstream_addr(up)));
        start(w, &b.call, get(fake_upstream_addr(up)));
        assert_true(faas_loop_run_until(w->loop, both_are_gone, &a, 10000));
        assert_true(is_over(&a.call) != is_over(&b.call));
        dispose(&a.call);
        dispose(&b.call);
    }
    fake_upstream_free(up);
}

struct owned {
    struct call *result;
    char *memory;
};

static void free_owner_on_end(void *arg)
{
    struct owned *o = arg;

    o->result->ended = true;
    free(o->memory);
    free(o);
}

static void free_owner_on_error(void *arg, enum faas_http_phase phase, const struct faas_error *err)
{
    struct owned *o = arg;

    (void)phase;
    (void)err;
    o->result->failed = true;
    free(o->memory);
    free(o);
}

static void ignore_head(void *arg, const struct faas_http_response_head *head)
{
    (void)arg;
    (void)head;
}

static size_t ignore_body(void *arg, struct faas_str data)
{
    (void)arg;
    return data.len;
}

static void an_owner_may_free_itself_at_the_end(void **state)
{
    static const struct faas_exchange_ops ops = {.on_head = ignore_head,
                                                 .on_body = ignore_body,
                                                 .on_end = free_owner_on_end,
                                                 .on_error = free_owner_on_error};
    struct world *w = *state;
    struct faas_addr nobody = closed_port();
    struct fake_upstream *up = fake_upstream_new(serve_hello, NULL);

    for (int i = 0; i < 2; i++) {
        struct call result = {.w = w};
        struct owned *o = calloc(1, sizeof(*o));
        struct faas_exchange_req req = get(i ? &nobody : fake_upstream_addr(up));

        o->result = &result;
        o->memory = strdup("owned");
        faas_exchange_start(w->client, &req, &ops, o);
        finish(&result);
        assert_int_equal(result.failed, i);
    }
    fake_upstream_free(up);
}

static void freeing_the_client_ends_everything_silently(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_part_and_wait, w);
    struct faas_addr nobody = closed_port();
    struct call a = {0}, b = {0}, c = {0};

    start(w, &a, get(fake_upstream_addr(up)));
    wait_count(w);
    start(w, &b, post(fake_upstream_addr(up)));
    faas_exchange_write(b.ex, FAAS_STR("12"));
    start(w, &c, get(&nobody));
    use_opts(w, default_opts);
    turn_a_little(w);
    assert_false(is_over(&a) || is_over(&b) || is_over(&c));
    sem_post(&w->sem);
    fake_upstream_free(up);
}

/* --- 101 --- */

static void serve_upgrade(struct fake_conn *c)
{
    struct faas_buf head = {0}, said = {0};

    fake_read_head(c, &head);
    fake_send_z(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\nwelcome ");
    if (fake_read_until(c, &said, ".")) {
        fake_send(c, faas_buf_str(&said));
        if (fake_wait_closed(c)) /* half-closed: it can still hear us */
            fake_send_z(c, " bye");
    }
    faas_buf_deinit(&head);
    faas_buf_deinit(&said);
}

static bool has_echo(void *arg)
{
    const struct call *c = arg;

    return c->body.len == strlen("welcome one two.");
}

static void an_upgraded_exchange_is_a_tunnel(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_upgrade, NULL);
    struct call c = {0};

    start(w, &c, get(fake_upstream_addr(up)));
    assert_true(faas_loop_run_until(w->loop, has_body, &c, 10000));
    assert_int_equal(c.status, 101);
    assert_true(c.upgraded);
    faas_exchange_write(c.ex, FAAS_STR("one "));
    faas_exchange_write(c.ex, FAAS_STR("two."));
    assert_true(faas_loop_run_until(w->loop, has_echo, &c, 10000));
    faas_exchange_end(c.ex);
    expect_answer(&c, 101, "welcome one two. bye");
    expect_open(w, up, 0);
    fake_upstream_free(up);
}

static void serve_last_word(struct fake_conn *c)
{
    struct faas_buf head = {0}, said = {0};

    fake_read_head(c, &head);
    fake_send_z(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nlast word");
    shutdown(c->fd, SHUT_WR);
    if (fake_read_until(c, &said, ".") && fake_wait_closed(c))
        sem_post(c->arg); /* it heard everything, and the end */
    faas_buf_deinit(&head);
    faas_buf_deinit(&said);
}

static void leave_after_last_word(struct fake_conn *c)
{
    struct faas_buf head = {0};

    fake_read_head(c, &head);
    fake_send_z(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nlast word");
    faas_buf_deinit(&head);
}

static bool has_peer_ended(void *arg)
{
    return ((struct call *)arg)->peer_ended;
}

static void start_tunnel(struct world *w, struct call *c, struct fake_upstream *up)
{
    c->ops = call_ops;
    c->ops.on_peer_end = call_on_peer_end;
    start(w, c, get(fake_upstream_addr(up)));
    assert_true(faas_loop_run_until(w->loop, has_peer_ended, c, 10000));
    assert_int_equal(c->body.len, strlen("last word"));
    turn_a_little(w);
    assert_false(c->ended || c->failed);
}

static void a_tunnels_peer_that_has_ended_may_listen_on(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(serve_last_word, &w->sem);
    struct call c = {0};

    start_tunnel(w, &c, up);
    faas_exchange_write(c.ex, FAAS_STR("one "));
    turn_a_little(w);
    faas_exchange_write(c.ex, FAAS_STR("two."));
    faas_exchange_end(c.ex);
    assert_false(c.ended); /* never from within */
    expect_answer(&c, 101, "last word");
    sem_wait(&w->sem);
    fake_upstream_free(up);
}

static void a_tunnels_peer_that_has_left_is_found_out_by_writing(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(leave_after_last_word, NULL);
    struct call c = {0};

    start_tunnel(w, &c, up);
    while (!c.failed) {
        faas_exchange_write(c.ex, FAAS_STR("hello?"));
        turn_a_little(w);
    }
    assert_int_equal(c.err.code, FAAS_ERR_BAD_GATEWAY);
    assert_int_equal(c.phase, FAAS_PHASE_BODY);
    dispose(&c);
    fake_upstream_free(up);
}

static void end_within(void *arg)
{
    struct call *c = arg;

    call_on_peer_end(arg);
    faas_exchange_end(c->ex);
}

static void cancel_within(void *arg)
{
    struct call *c = arg;

    call_on_peer_end(arg);
    faas_exchange_cancel(c->ex);
    c->ex = NULL;
}

static void a_tunnel_can_be_ended_when_its_peer_has(void **state)
{
    struct world *w = *state;
    struct fake_upstream *up = fake_upstream_new(leave_after_last_word, NULL);
    struct call ending = {.ops = call_ops}, cancelling = {.ops = call_ops};

    ending.ops.on_peer_end = end_within;
    start(w, &ending, get(fake_upstream_addr(up)));
    expect_answer(&ending, 101, "last word");
    cancelling.ops.on_peer_end = cancel_within;
    start(w, &cancelling, get(fake_upstream_addr(up)));
    assert_true(faas_loop_run_until(w->loop, has_peer_ended, &cancelling, 10000));
    expect_open(w, up, 0);
    assert_false(cancelling.ended || cancelling.failed);
    dispose(&cancelling);
    fake_upstream_free(up);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_response_is_delivered),
        TEST(a_connection_is_used_again),
        TEST(a_request_from_within_on_end_finds_the_connection),
        TEST(a_refused_connection_fails_as_unavailable),
        TEST(an_address_without_a_route_fails_later),
        TEST(addresses_of_both_families_are_tried),
        TEST(another_address_gets_the_same_bytes),
        TEST(another_address_may_be_a_pooled_one),
        TEST(a_second_refusal_fails),
        TEST(connecting_has_a_deadline),
        TEST(the_head_deadline_covers_connecting),
        TEST(a_connection_closed_just_before_its_use_is_replaced),
        TEST(a_get_is_repeated_when_a_used_connection_closes_on_it),
        TEST(a_post_is_never_repeated_once_sent),
        TEST(an_idempotent_body_in_hand_is_repeated),
        TEST(a_fresh_connection_that_closes_is_an_error),
        TEST(a_repetition_is_not_repeated),
        TEST(an_idle_connection_that_closes_is_dropped),
        TEST(what_an_idle_connection_says_is_nobodys_answer),
        TEST(bytes_behind_the_answer_end_the_connection),
        TEST(broken_answers_are_errors),
        TEST(a_huge_head_is_an_error),
        TEST(a_slow_head_times_out),
        TEST(a_slow_body_times_out),
        TEST(deadlines_can_be_lifted),
        TEST(responses_of_every_framing_are_read),
        TEST(a_body_taken_in_crumbs_arrives_whole),
        TEST(a_paused_body_waits_for_resume),
        TEST(what_is_written_in_one_turn_leaves_in_one_send),
        TEST(chunks_are_framed),
        TEST(the_head_does_not_wait_for_the_body),
        TEST(an_early_answer_is_delivered_and_ends_the_connection),
        TEST(an_upload_that_is_cut_off_still_hears_the_answer),
        TEST(an_upload_that_is_cut_off_without_an_answer_fails),
        TEST(large_bodies_of_known_length_stream_both_ways),
        TEST(large_chunked_bodies_stream_both_ways),
        TEST(many_exchanges_run_side_by_side),
        TEST(no_more_idle_connections_are_kept_than_allowed),
        TEST(keep_alive_can_be_off),
        TEST(idle_connections_are_reaped),
        TEST(a_forgotten_address_keeps_no_connection),
        TEST(many_addresses_are_told_apart),
        TEST(an_exchange_may_be_cancelled_from_its_head_and_body),
        TEST(an_exchange_may_be_cancelled_when_it_may_write_again),
        TEST(cancelling_what_is_over_does_no_harm),
        TEST(cancelling_closes_the_connection),
        TEST(one_exchange_may_cancel_another),
        TEST(an_owner_may_free_itself_at_the_end),
        TEST(freeing_the_client_ends_everything_silently),
        TEST(an_upgraded_exchange_is_a_tunnel),
        TEST(a_tunnels_peer_that_has_ended_may_listen_on),
        TEST(a_tunnels_peer_that_has_left_is_found_out_by_writing),
        TEST(a_tunnel_can_be_ended_when_its_peer_has),
    };
    return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
