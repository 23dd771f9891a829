/* A connection to Redis, of one loop, that comes back by itself: hiredis behind our types.
 *
 * Commands go out in the order in which they are given; those of one turn of the loop leave
 * together and nobody waits for another's reply, so many callers share one connection. Each has a
 * deadline. When it passes, or the connection breaks, whether Redis has done what was asked is not
 * known: the command is not sent again. Everything is called on the loop's thread. The program must
 * ignore SIGPIPE. */
#ifndef FAAS_REDIS_H
#define FAAS_REDIS_H

#include "libfaas/log.h"
#include "libfaas/loop.h"
#include "libfaas/pool.h"
#include "libfaas/redis_url.h"

struct faas_redis;
struct faas_redis_reply; /* hiredis's; looked at through the functions below */

struct faas_redis_opts {
    const struct faas_redis_url *url; /* borrowed */
    struct faas_pool *pool;           /* for host names; NULL: the host is an address */
    const char *name;                 /* CLIENT SETNAME; NULL: none */
    int64_t connect_timeout_ms;       /* resolve, connect, AUTH and SELECT; > 0 */
    int64_t command_timeout_ms;       /* > 0 */
    int64_t max_backoff_ms;           /* between attempts, after 50 ms that double; > 0 */
    size_t max_pending;               /* commands without a reply; > 0 */
    const struct faas_log *log;       /* connections that come and go; borrowed */
    const char *const *scripts;       /* Lua; borrowed */
    size_t n_scripts;
    /* May be NULL. The connection is up (again), before any waiting command goes out. */
    void (*on_connect)(void *arg);
    void *arg;
};

/* reply NULL: *err says why there is none (UNAVAILABLE, TIMEOUT, TOO_MANY), or what Redis had
 * against the command (an error reply; see faas_redis_fails()). The reply lives during the call. */
typedef void faas_redis_fn(void *arg, const struct faas_redis_reply *reply,
                           const struct faas_error *err);

/* Begins to connect at once. opts is copied. */
struct faas_redis *faas_redis_new(struct faas_loop *loop, const struct faas_redis_opts *opts);
/* Commands without a reply fail first (UNAVAILABLE). Not from within an fn. */
void faas_redis_free(struct faas_redis *r);
bool faas_redis_is_up(const struct faas_redis *r);

/* argv is copied. timeout_ms 0: the connection's. While the first attempt to connect runs, commands
 * wait for it; while a lost connection has not come back they fail. fn (may be NULL) is never
 * called from within this. */
void faas_redis_command(struct faas_redis *r, const struct faas_str *argv, size_t argc,
                        int64_t timeout_ms, faas_redis_fn *fn, void *arg);
/* FAAS_REDIS(r, fn, arg, FAAS_STR("GET"), key) */
#define FAAS_REDIS(r, fn, arg, ...)                                                              \
    faas_redis_command((r), (const struct faas_str[]){__VA_ARGS__},                              \
                       sizeof((const struct faas_str[]){__VA_ARGS__}) / sizeof(struct faas_str), \
                       0, (fn), (arg))

/* What was given goes out now, not at the end of the turn: there is more to do in it, which Redis
 * need not wait for. From within an fn it makes no difference. */
void faas_redis_flush(struct faas_redis *r);

/* Runs opts.scripts[index], which every connection has loaded before it counts as up. argv: n_keys
 * keys, then the other arguments; at most FAAS_REDIS_MAX_ARGS. */
void faas_redis_script(struct faas_redis *r, size_t index, const struct faas_str *argv, size_t argc,
                       size_t n_keys, faas_redis_fn *fn, void *arg);
#define FAAS_REDIS_MAX_ARGS 256

/* Is this Redis's own error, beginning with word ("OOM", "READONLY", "NOSCRIPT")? */
bool faas_redis_fails(const struct faas_error *err, const char *word);

/* --- replies --- */
bool faas_redis_is_null(const struct faas_redis_reply *r); /* also for r NULL */
bool faas_redis_is_integer(const struct faas_redis_reply *r);
int64_t faas_redis_integer(
    const struct faas_redis_reply *r); /* also of a text; 0 when it is none */
/* Bulk or status; ptr NULL for anything else. */
struct faas_str faas_redis_str(const struct faas_redis_reply *r);
size_t faas_redis_len(const struct faas_redis_reply *r); /* of an array; 0 for anything else */
/* NULL beyond the end. */
const struct faas_redis_reply *faas_redis_at(const struct faas_redis_reply *r, size_t i);

#endif
