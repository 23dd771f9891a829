#include "libfaas/redis.h"

#include "libfaas/alloc.h"
#include "libfaas/crypto.h"
#include "libfaas/net.h"

#include <assert.h>
#include <errno.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

enum { FIRST_BACKOFF_MS = 50, MAX_KEPT_WIRE = 64 * 1024 };

/* What faas_redis_fails() looks for stands behind this in the message. */
#define REDIS_SAYS "redis: "

enum state {
    CONNECTING, /* resolving, connecting, saying hello; for the first time commands wait for it */
    UP,
    DOWN, /* until the next attempt */
};

struct command {
    struct faas_list node; /* in waiting, sent, or failed */
    struct faas_redis *r;
    int64_t deadline_ms;
    bool timed_out;
    struct faas_buf wire; /* while it waits */
    faas_redis_fn *fn;
    void *arg;
    struct faas_error err; /* while in failed */
};

struct resolving {
    struct faas_redis *r; /* NULL: nobody is interested any more */
    char *host;
    unsigned port;
    char address[64];
    int failure; /* of getaddrinfo() */
};

struct faas_redis {
    struct faas_loop *loop;
    struct faas_redis_opts opts;
    char *where;
    enum state state;
    bool was_up;
    bool closing;
    bool refused; /* by Redis, at this attempt */
    bool told;    /* that it is away */
    char why_down[100];
    redisAsyncContext *ac;
    struct faas_io io;
    bool wants_read, wants_write;
    bool waits_writable;         /* the socket took no more, or is not connected yet */
    struct faas_hook write_hook; /* otherwise what a turn has gathered goes out at its end */
    struct resolving *resolving;
    size_t hellos;           /* not yet answered */
    char (*script_shas)[41]; /* known before Redis has loaded them: calls may already wait */
    char why[160];           /* we are refused */
    int64_t backoff_ms;
    struct faas_timer connect_timer; /* the attempt's deadline, or the wait for the next one */
    struct faas_timer command_timer;
    struct faas_timer failed_timer;
    struct faas_list waiting, sent, failed;
    size_t pending;
    struct faas_buf wire; /* of the command that is being sent */
};

static void connect_now(void *arg);

/* --- commands and their ends --- */

static void command_free(struct command *c)
{
    faas_list_remove(&c->node);
    c->r->pending--;
    faas_buf_deinit(&c->wire);
    free(c);
}

static void command_end(struct command *c, const redisReply *reply, const struct faas_error *err)
{
    faas_redis_fn *fn = c->fn;
    void *arg = c->arg;

    command_free(c);
    if (fn)
        fn(arg, (const struct faas_redis_reply *)reply, err);
}

static void deliver_failed(void *arg)
{
    struct faas_redis *r = arg;
    struct faas_list batch;

    /* What fails because of these is for the next turn. */
    faas_list_init(&batch);
    while (!faas_list_empty(&r->failed)) {
        struct faas_list *it = r->failed.next;

        faas_list_remove(it);
        faas_list_append(&batch, it);
    }
    while (!faas_list_empty(&batch)) {
        struct command *c = FAAS_CONTAINER_OF(batch.next, struct command, node);
        struct faas_error err = c->err;

        command_end(c, NULL, &err);
    }
}

static void fail_later(struct command *c, enum faas_code code, const char *why)
{
    struct faas_redis *r = c->r;

    faas_fail(&c->err, code, "redis %.120s: %s", r->where, why);
    faas_list_remove(&c->node);
    faas_list_append(&r->failed, &c->node);
    if (!faas_timer_running(&r->failed_timer))
        faas_timer_start(r->loop, &r->failed_timer, 0, deliver_failed, r);
}

static void fail_waiting(struct faas_redis *r, const char *why)
{
    while (!faas_list_empty(&r->waiting))
        fail_later(FAAS_CONTAINER_OF(r->waiting.next, struct command, node), FAAS_ERR_UNAVAILABLE,
                   why);
}

/* --- the connection's ends --- */

static void schedule_attempt(struct faas_redis *r)
{
    r->state = DOWN;
    r->hellos = 0;
    r->refused = false;
    faas_timer_start(r->loop, &r->connect_timer, r->backoff_ms, connect_now, r);
    r->backoff_ms = FAAS_MIN(2 * r->backoff_ms, r->opts.max_backoff_ms);
}

static void lost(struct faas_redis *r, const char *why)
{
    if (r->closing)
        return;
    if (!r->told && r->opts.log)
        faas_log_warn(r->opts.log, r->was_up ? "redis lost" : "redis not reached",
                      FAAS_F_STR("redis", r->where), FAAS_F_STR("why", why),
                      FAAS_F_INT("retry_ms", r->backoff_ms));
    r->told = true;
    snprintf(r->why_down, sizeof(r->why_down), "not connected: %.80s", why);
    fail_waiting(r, why);
    schedule_attempt(r);
}

/* hiredis hands every command that it has back, with no reply. */
static void drop(struct faas_redis *r, const char *why)
{
    redisAsyncContext *ac = r->ac;

    r->ac = NULL;
    if (r->resolving)
        r->resolving->r = NULL;
    r->resolving = NULL;
    if (ac)
        redisAsyncFree(ac);
    lost(r, why);
}

static void on_disconnect(const redisAsyncContext *ac, int status)
{
    struct faas_redis *r = ac->data;

    if (!r->ac)
        return; /* it is drop() that ends it */
    r->ac = NULL;
    lost(r, status == REDIS_OK || !ac->errstr ? "connection closed" : ac->errstr);
}

/* --- replies --- */

static void after_hello(struct faas_redis *r);

bool faas_redis_fails(const struct faas_error *err, const char *word)
{
    struct faas_str s = faas_str_from(err->msg);
    struct faas_str mark = FAAS_STR(REDIS_SAYS);

    if (!faas_str_starts(s, mark))
        return false;
    s = (struct faas_str){s.ptr + mark.len, s.len - mark.len};
    return faas_str_eqz(faas_str_split(&s, ' '), word);
}

/* Somebody has flushed its scripts: a new connection loads them again. Not from within a reply. */
static void on_scripts_gone(void *arg)
{
    drop(arg, "its scripts are gone");
}

static void on_reply(redisAsyncContext *ac, void *raw, void *arg)
{
    struct command *c = arg;
    struct faas_redis *r = c->r;
    const redisReply *reply = raw;
    struct faas_error err = {0};

    if (!reply) {
        if (c->timed_out)
            faas_fail(&err, FAAS_ERR_TIMEOUT, "redis %.120s: no reply in time", r->where);
        else
            faas_fail(&err, FAAS_ERR_UNAVAILABLE, "redis %.120s: %.80s", r->where,
                      ac->errstr && *ac->errstr ? ac->errstr : "connection lost");
        command_end(c, NULL, &err);
    } else if (reply->type == REDIS_REPLY_ERROR) {
        faas_fail(&err, FAAS_ERR_UNAVAILABLE, REDIS_SAYS "%.200s", reply->str);
        if (r->state == UP && faas_redis_fails(&err, "NOSCRIPT"))
            faas_timer_start(r->loop, &r->connect_timer, 0, on_scripts_gone, r);
        command_end(c, NULL, &err);
    } else {
        command_end(c, reply, NULL);
    }
}

/* --- sending --- */

static void on_command_deadline(void *arg)
{
    struct faas_redis *r = arg;
    int64_t now_ms = faas_loop_now_ms(r->loop), next_ms = INT64_MAX;
    bool stuck = false;

    faas_list_for_each (&r->sent, it) {
        struct command *c = FAAS_CONTAINER_OF(it, struct command, node);

        c->timed_out = c->deadline_ms <= now_ms;
        stuck |= c->timed_out;
        next_ms = FAAS_MIN(next_ms, c->deadline_ms);
    }
    if (stuck) /* replies come in order: those behind it are stuck as well */
        drop(r, "no reply in time");
    else if (next_ms != INT64_MAX)
        faas_timer_start(r->loop, &r->command_timer, next_ms - now_ms, on_command_deadline, r);
}

static void watch_deadline(struct faas_redis *r, const struct command *c)
{
    struct faas_timer *t = &r->command_timer;

    if (!faas_timer_running(t) || t->due_ms > c->deadline_ms)
        faas_timer_start(r->loop, t, c->deadline_ms - faas_loop_now_ms(r->loop),
                         on_command_deadline, r);
}

static void send_command(struct command *c, struct faas_str wire)
{
    struct faas_redis *r = c->r;

    faas_list_remove(&c->node);
    faas_list_append(&r->sent, &c->node);
    if (redisAsyncFormattedCommand(r->ac, on_reply, c, wire.ptr, wire.len) != REDIS_OK)
        fail_later(c, FAAS_ERR_UNAVAILABLE, "connection lost");
    else
        watch_deadline(r, c);
}

static void send_waiting(struct command *c)
{
    struct faas_buf wire = c->wire; /* the command may be over when it has been sent */

    c->wire = (struct faas_buf){0};
    send_command(c, faas_buf_str(&wire));
    faas_buf_deinit(&wire);
}

/* The wire format: "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n". */
static void format(struct faas_buf *b, const struct faas_str *argv, size_t argc)
{
    size_t size = 32;

    for (size_t i = 0; i < argc; i++)
        size += argv[i].len + 32;
    faas_buf_reserve(b, size);
    faas_buf_append_c(b, '*');
    faas_buf_append_u64(b, argc);
    faas_buf_append(b, "\r\n", 2);
    for (size_t i = 0; i < argc; i++) {
        faas_buf_append_c(b, '$');
        faas_buf_append_u64(b, argv[i].len);
        faas_buf_append(b, "\r\n", 2);
        faas_buf_append_str(b, argv[i]);
        faas_buf_append(b, "\r\n", 2);
    }
}

/* By way of a buffer that stays, unless it was a large one. */
static void format_and_send(struct command *c, const struct faas_str *argv, size_t argc)
{
    struct faas_redis *r = c->r;

    faas_buf_clear(&r->wire);
    format(&r->wire, argv, argc);
    send_command(c, faas_buf_str(&r->wire));
    if (r->wire.cap > MAX_KEPT_WIRE)
        faas_buf_deinit(&r->wire);
}

static struct command *command_new(struct faas_redis *r, int64_t timeout_ms, faas_redis_fn *fn,
                                   void *arg)
{
    struct command *c = faas_new(struct command);

    c->r = r;
    c->fn = fn;
    c->arg = arg;
    c->deadline_ms =
        faas_loop_now_ms(r->loop) + (timeout_ms ? timeout_ms : r->opts.command_timeout_ms);
    faas_list_append(&r->waiting, &c->node);
    r->pending++;
    return c;
}

void faas_redis_command(struct faas_redis *r, const struct faas_str *argv, size_t argc,
                        int64_t timeout_ms, faas_redis_fn *fn, void *arg)
{
    struct command *c = command_new(r, timeout_ms, fn, arg);

    if (r->closing)
        fail_later(c, FAAS_ERR_UNAVAILABLE, "closing");
    else if (r->pending > r->opts.max_pending)
        fail_later(c, FAAS_ERR_TOO_MANY, "too many commands wait for a reply");
    else if (r->state == UP)
        format_and_send(c, argv, argc);
    else if (r->state == DOWN || r->was_up)
        fail_later(c, FAAS_ERR_UNAVAILABLE, r->why_down[0] ? r->why_down : "not connected");
    else
        format(&c->wire, argv, argc);
}

void faas_redis_script(struct faas_redis *r, size_t index, const struct faas_str *argv, size_t argc,
                       size_t n_keys, faas_redis_fn *fn, void *arg)
{
    struct faas_str all[3 + FAAS_REDIS_MAX_ARGS];
    char count[21];

    assert(argc <= FAAS_REDIS_MAX_ARGS && index < r->opts.n_scripts);
    all[0] = FAAS_STR("EVALSHA");
    all[1] = faas_str_from(r->script_shas[index]);
    all[2] = (struct faas_str){count, faas_format_u64(n_keys, count)};
    memcpy(all + 3, argv, argc * sizeof(*argv));
    faas_redis_command(r, all, argc + 3, 0, fn, arg);
}

/* --- hello --- */

static void on_refused(void *arg)
{
    struct faas_redis *r = arg;

    drop(r, r->why);
}

/* A hello that fails ends the connection: a wrong password will not get better by asking on. */
static void on_hello(void *arg, const struct faas_redis_reply *reply, const struct faas_error *err)
{
    struct faas_redis *r = arg;

    (void)reply;
    if (r->closing || r->state != CONNECTING || !r->ac || r->refused)
        return;
    if (err) {
        r->refused = true;
        snprintf(r->why, sizeof(r->why), "%.150s", err->msg);
        faas_timer_start(r->loop, &r->connect_timer, 0, on_refused,
                         r); /* not from within a reply */
        return;
    }
    if (--r->hellos == 0)
        after_hello(r);
}

static void hello(struct faas_redis *r, const struct faas_str *argv, size_t argc)
{
    struct command *c = command_new(r, r->opts.connect_timeout_ms, on_hello, r);

    r->hellos++;
    format_and_send(c, argv, argc);
}

static void say_hello(struct faas_redis *r)
{
    const struct faas_redis_url *url = r->opts.url;
    char db[21];
    struct faas_str auth[] = {FAAS_STR("AUTH"), faas_str_from(url->user),
                              faas_str_from(url->password)};
    struct faas_str short_auth[] = {auth[0], auth[2]};
    struct faas_str select[] = {FAAS_STR("SELECT"), {db, faas_format_u64(url->db, db)}};
    struct faas_str name[] = {FAAS_STR("CLIENT"), FAAS_STR("SETNAME"), faas_str_from(r->opts.name)};

    if (url->password && url->user)
        hello(r, auth, 3);
    else if (url->password)
        hello(r, short_auth, 2);
    hello(r, select, 2);
    if (r->opts.name)
        hello(r, name, 3);
    for (size_t i = 0; i < r->opts.n_scripts; i++) {
        struct faas_str load[] = {FAAS_STR("SCRIPT"), FAAS_STR("LOAD"),
                                  faas_str_from(r->opts.scripts[i])};

        hello(r, load, 3);
    }
}

static void after_hello(struct faas_redis *r)
{
    faas_timer_stop(r->loop, &r->connect_timer);
    r->state = UP;
    r->backoff_ms = FAAS_MIN((int64_t)FIRST_BACKOFF_MS, r->opts.max_backoff_ms);
    if (r->told && r->opts.log)
        faas_log_info(r->opts.log, "redis is back", FAAS_F_STR("redis", r->where));
    r->told = false;
    r->was_up = true;
    if (r->opts.on_connect)
        r->opts.on_connect(r->opts.arg);
    while (r->state == UP && !faas_list_empty(&r->waiting))
        send_waiting(FAAS_CONTAINER_OF(r->waiting.next, struct command, node));
}

/* --- connecting --- */

static void on_connect_deadline(void *arg)
{
    drop(arg, "cannot be reached in time");
}

static void on_connected(const redisAsyncContext *ac, int status)
{
    struct faas_redis *r = ac->data;

    if (status == REDIS_OK || !r->ac)
        return;   /* the hello is on its way already */
    r->ac = NULL; /* hiredis frees it */
    lost(r, ac->errstr && *ac->errstr ? ac->errstr : "cannot connect");
}

static void update_events(struct faas_redis *r)
{
    uint32_t events = (r->wants_read ? EPOLLIN : 0) | (r->waits_writable ? EPOLLOUT : 0);

    if (r->io.active)
        faas_io_mod(r->loop, &r->io, events);
}

static void add_read(void *arg)
{
    struct faas_redis *r = arg;

    r->wants_read = true;
    update_events(r);
}

static void del_read(void *arg)
{
    struct faas_redis *r = arg;

    r->wants_read = false;
    update_events(r);
}

/* No need to ask whether it can be written to: nearly always it can. */
static int64_t write_now(void *arg)
{
    struct faas_redis *r = arg;
    redisAsyncContext *ac = r->ac;

    faas_hook_del(r->loop, &r->write_hook);
    if (!ac || !r->wants_write)
        return -1;
    redisAsyncHandleWrite(ac);
    if (r->ac == ac && r->wants_write) {
        r->waits_writable = true;
        update_events(r);
    }
    return -1;
}

static void add_write(void *arg)
{
    struct faas_redis *r = arg;

    if (r->wants_write)
        return;
    r->wants_write = true;
    if (r->ac && (r->ac->c.flags & REDIS_CONNECTED)) {
        faas_hook_add(r->loop, &r->write_hook, write_now, r);
        return;
    }
    r->waits_writable = true;
    update_events(r);
}

static void del_write(void *arg)
{
    struct faas_redis *r = arg;

    r->wants_write = false;
    if (!r->waits_writable)
        return;
    r->waits_writable = false;
    update_events(r);
}

static void clean_up(void *arg)
{
    struct faas_redis *r = arg;

    faas_io_del(r->loop, &r->io);
    faas_hook_del(r->loop, &r->write_hook);
}

/* An error or a hang-up is for whoever is interested: hiredis finds out by trying. */
static void on_event(void *arg, uint32_t events)
{
    struct faas_redis *r = arg;
    redisAsyncContext *ac = r->ac;
    bool broken = events & (EPOLLERR | EPOLLHUP);

    if (ac && r->wants_read && ((events & EPOLLIN) || broken))
        redisAsyncHandleRead(ac);
    if (ac && r->ac == ac && r->wants_write && ((events & EPOLLOUT) || broken))
        redisAsyncHandleWrite(ac);
}

static void adopt(struct faas_redis *r, redisAsyncContext *ac)
{
    struct faas_error err = {0};

    if (!ac || ac->err) {
        char why[128];

        snprintf(why, sizeof(why), "%.120s", ac ? ac->errstr : "out of memory");
        if (ac)
            redisAsyncFree(ac);
        lost(r, why);
        return;
    }
    r->ac = ac;
    r->wants_read = r->wants_write = r->waits_writable = false;
    ac->data = r;
    if (faas_io_add(r->loop, &r->io, ac->c.fd, 0, on_event, r, &err) < 0) {
        drop(r, err.msg);
        return;
    }
    ac->ev.data = r;
    ac->ev.addRead = add_read;
    ac->ev.delRead = del_read;
    ac->ev.addWrite = add_write;
    ac->ev.delWrite = del_write;
    ac->ev.cleanup = clean_up;
    redisAsyncSetDisconnectCallback(ac, on_disconnect);
    redisAsyncSetConnectCallback(ac, on_connected);
    say_hello(r);
}

/* --- host names --- */

static void resolve(void *arg)
{
    struct resolving *q = arg;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;

    q->failure = getaddrinfo(q->host, NULL, &hints, &found);
    if (q->failure)
        return;
    faas_addr_format_host(found->ai_addr, q->address);
    freeaddrinfo(found);
}

static void resolving_free(void *arg)
{
    struct resolving *q = arg;

    free(q->host);
    free(q);
}

static void on_resolved(void *arg)
{
    struct resolving *q = arg;
    struct faas_redis *r = q->r;

    if (r) {
        r->resolving = NULL;
        if (q->failure)
            lost(r, gai_strerror(q->failure));
        else
            adopt(r, redisAsyncConnect(q->address, (int)q->port));
    }
    resolving_free(q);
}

static void start_resolving(struct faas_redis *r)
{
    struct resolving *q = faas_new(struct resolving);
    const struct faas_job job = {
        .run = resolve, .done = on_resolved, .drop = resolving_free, .arg = q};
    struct faas_error err = {0};

    *q = (struct resolving){
        .r = r, .host = faas_strdup(r->opts.url->host), .port = r->opts.url->port};
    r->resolving = q;
    if (faas_pool_submit(r->opts.pool, r->loop, &job, &err) == 0)
        return;
    r->resolving = NULL;
    resolving_free(q);
    lost(r, err.msg);
}

static void connect_now(void *arg)
{
    struct faas_redis *r = arg;
    const struct faas_redis_url *url = r->opts.url;
    struct faas_addr numeric;

    r->state = CONNECTING;
    faas_timer_start(r->loop, &r->connect_timer, r->opts.connect_timeout_ms, on_connect_deadline,
                     r);
    if (url->path)
        adopt(r, redisAsyncConnectUnix(url->path));
    else if (!r->opts.pool || faas_addr_parse(url->host, url->port, &numeric, NULL) == 0)
        adopt(r, redisAsyncConnect(url->host, (int)url->port));
    else
        start_resolving(r);
}

/* --- life --- */

void faas_redis_flush(struct faas_redis *r)
{
    /* hiredis may not lose its connection while it hands out replies. */
    if (r->ac && r->write_hook.node.next && !(r->ac->c.flags & REDIS_IN_CALLBACK))
        write_now(r);
}

struct faas_redis *faas_redis_new(struct faas_loop *loop, const struct faas_redis_opts *opts)
{
    struct faas_redis *r = faas_new(struct faas_redis);

    assert(opts->connect_timeout_ms > 0 && opts->command_timeout_ms > 0 &&
           opts->max_backoff_ms > 0 && opts->max_pending > 0);
    r->loop = loop;
    r->opts = *opts;
    r->where = faas_redis_url_format(opts->url);
    r->backoff_ms = FAAS_MIN((int64_t)FIRST_BACKOFF_MS, opts->max_backoff_ms);
    r->script_shas = faas_zalloc((opts->n_scripts + 1) * sizeof(*r->script_shas));
    for (size_t i = 0; i < opts->n_scripts; i++)
        faas_sha1_hex(opts->scripts[i], strlen(opts->scripts[i]), r->script_shas[i]);
    faas_list_init(&r->waiting);
    faas_list_init(&r->sent);
    faas_list_init(&r->failed);
    connect_now(r);
    return r;
}

void faas_redis_free(struct faas_redis *r)
{
    if (!r)
        return;
    r->closing = true;
    drop(r, "closing");
    fail_waiting(r, "closing");
    while (!faas_list_empty(&r->failed)) /* what is asked meanwhile fails as well */
        deliver_failed(r);
    faas_timer_stop(r->loop, &r->connect_timer);
    faas_timer_stop(r->loop, &r->command_timer);
    faas_timer_stop(r->loop, &r->failed_timer);
    free(r->script_shas);
    faas_buf_deinit(&r->wire);
    free(r->where);
    free(r);
}

bool faas_redis_is_up(const struct faas_redis *r)
{
    return r->state == UP;
}

/* --- what replies say --- */

static const redisReply *raw(const struct faas_redis_reply *r)
{
    return (const redisReply *)r;
}

bool faas_redis_is_null(const struct faas_redis_reply *r)
{
    return !r || raw(r)->type == REDIS_REPLY_NIL;
}

bool faas_redis_is_integer(const struct faas_redis_reply *r)
{
    return r && raw(r)->type == REDIS_REPLY_INTEGER;
}

struct faas_str faas_redis_str(const struct faas_redis_reply *r)
{
    if (!r || (raw(r)->type != REDIS_REPLY_STRING && raw(r)->type != REDIS_REPLY_STATUS))
        return (struct faas_str){0};
    return (struct faas_str){raw(r)->str, (size_t)raw(r)->len};
}

int64_t faas_redis_integer(const struct faas_redis_reply *r)
{
    int64_t n;

    if (faas_redis_is_integer(r))
        return raw(r)->integer;
    return faas_parse_i64(faas_redis_str(r), &n, NULL) == 0 ? n : 0;
}

size_t faas_redis_len(const struct faas_redis_reply *r)
{
    return r && raw(r)->type == REDIS_REPLY_ARRAY ? raw(r)->elements : 0;
}

const struct faas_redis_reply *faas_redis_at(const struct faas_redis_reply *r, size_t i)
{
    if (i >= faas_redis_len(r))
        return NULL;
    return (const struct faas_redis_reply *)raw(r)->element[i];
}
