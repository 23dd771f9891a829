/* The issuer of tokens and its keys, kept up to date: fetched at start, again when a
 * token names a key that we do not know, and when they have become old. One fetch at a time, in a
 * process of its own, so the loop never waits. What was fetched is used until something newer is
 * there, also while the gateway cannot be reached. */
#ifndef FAAS_WATCHDOG_JWT_KEYS_H
#define FAAS_WATCHDOG_JWT_KEYS_H

#include "libfaas/jwk.h"
#include "watchdog/job.h"
#include "watchdog/line_log.h"

struct wd_jwt_keys_opts {
    struct faas_loop *loop;
    struct wd_log *log;
    const char *gateway;    /* base URL; borrowed */
    int64_t start_limit_ms; /* how long the first fetch is tried again */
    int64_t fetch_limit_ms; /* of one fetch */
    int64_t pause_ms;   /* at least, between the ends of two fetches, so that made-up key names */
                        /* do not become load for the gateway */
    int64_t retry_ms;   /* the same after one that failed; doubled each time, up to pause_ms */
    int64_t max_age_ms; /* then they are fetched again, by the next call: keys may have been
                           withdrawn */
    /* As wd_jwt_discover(), which NULL stands for. */
    int (*discover)(const void *gateway, struct faas_buf *out, struct faas_error *err);
};

struct wd_jwt_keys;

struct wd_jwt_keys *wd_jwt_keys_new(const struct wd_jwt_keys_opts *opts);
/* Waiters are forgotten. */
void wd_jwt_keys_free(struct wd_jwt_keys *keys);

/* The first fetch; failures are logged and tried again. on_ready is called once, from a later
 * event, when there are keys, or with the last error when the time for it is over. */
void wd_jwt_keys_start(struct wd_jwt_keys *keys,
                       void (*on_ready)(void *arg, const struct faas_error *err), void *arg);

/* Borrowed until the loop's next turn. */
const struct faas_jwk_set *wd_jwt_keys_set(const struct wd_jwt_keys *keys);
const char *wd_jwt_keys_issuer(const struct wd_jwt_keys *keys);
/* Changes whenever they do. */
uint64_t wd_jwt_keys_generation(const struct wd_jwt_keys *keys);

/* Embedded in whoever waits. */
struct wd_jwt_waiter {
    struct faas_list node;
    void (*fn)(void *arg);
    void *arg;
};

/* Somebody has a token by a key that is not in the set. True: the keys are being fetched, and fn
 * will be called after it, from a later event, whether there are newer ones or not. False: that was
 * done a moment ago. */
bool wd_jwt_keys_wait(struct wd_jwt_keys *keys, struct wd_jwt_waiter *w, void (*fn)(void *arg),
                      void *arg);
/* Harmless when it does not wait (any more), but not before its first wait. */
void wd_jwt_waiter_leave(struct wd_jwt_waiter *w);
/* With each use: fetches again in the background when they are old. */
void wd_jwt_keys_used(struct wd_jwt_keys *keys);

#endif
