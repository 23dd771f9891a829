/* What happens to an asynchronous call in Redis, each step whole or not at all: submitted, started,
 * finished, put off, given up, cancelled. The steps are Lua scripts (store_scripts.c).
 *
 *   queued -> running -> done | dead | cancelled
 *     ^          |
 *     +- delayed <
 *
 * Redis's own record of who reads which entry of the stream is what says that a call runs: the
 * first attempt begins by being read, and is written down when it ends.
 *
 * A call is started by attempt number. Whoever reports about an attempt that is no longer the
 * call's last is told so (GW_ASYNC_LOST) and nothing changes: so a call has one final state, even
 * when a worker that was taken for dead comes back. Its stream entry is acknowledged and deleted by
 * the step that ends the attempt, never before. Everything is called on the loop's thread. */
#ifndef FAAS_GATEWAY_ASYNC_STORE_H
#define FAAS_GATEWAY_ASYNC_STORE_H

#include "libfaas/redis.h"

struct gw_finish_batch;

struct gw_store {
    struct faas_redis *redis;     /* borrowed; loaded with gw_store_scripts */
    const char *prefix;           /* borrowed */
    struct gw_finish_batch *ends; /* borrowed; NULL: every end is recorded by itself */
};

extern const char *const gw_store_scripts[];
extern const size_t gw_store_n_scripts;

enum gw_store_result {
    GW_ASYNC_OK,
    GW_ASYNC_LOST,  /* the call is gone, or somebody else's by now; nothing was done */
    GW_ASYNC_ERROR, /* Redis could not, or it is not known whether it has */
    GW_ASYNC_AGAIN, /* of an end: there is more to know of the call; with has_more, please */
};

/* --- submitting --- */
struct gw_submission {
    struct faas_str id; /* wanted */
    /* It is ours, and a UUID: nobody can have it, so nobody is asked; another may come back. */
    bool id_is_new;
    bool queue_is_new;        /* or may be: it has to be made */
    struct faas_str function; /* "name.namespace" */
    struct faas_str queue;
    struct faas_str request; /* HTTP head as it is to be sent, up to the worker's own headers */
    struct faas_str body;
    bool spill;               /* it is large: it gets a key of its own */
    struct faas_str policy;   /* what the worker has to know about retries */
    struct faas_str callback; /* URL; len 0: none */
    int64_t delay_ms;         /* until it is due; 0: none */
    struct faas_str same_key; /* Idempotency-Key; len 0: none */
    int64_t same_ttl_ms;
    int64_t now_ms;
};

/* id: what the call is known by: as wanted, or a better one when that was ours; an earlier call's
 * when its Idempotency-Key is the same (is_new false); and id is empty when the wanted one is taken
 * by another call: choose another. LOST: there is no such queue yet; say that it is new. */
typedef void gw_submitted_fn(void *arg, enum gw_store_result result, struct faas_str id,
                             bool is_new, const struct faas_error *err);
void gw_store_submit(struct gw_store *s, const struct gw_submission *sub, gw_submitted_fn *fn,
                     void *arg);

/* A time of a function's schedule, which every gateway that knows the function comes with. */
struct gw_firing {
    struct gw_submission call; /* same_key, same_ttl_ms do not count */
    int64_t planned_ms;  /* Unix time; with the function's name, what this firing is known by */
    int64_t remember_ms; /* longer than any gateway will go on asking */
    bool skip_overlap;   /* not while the last call of the schedule is not over */
};

enum gw_fired {
    GW_FIRED,         /* the call is queued */
    GW_FIRED_BEFORE,  /* this time has been dealt with, by whomever */
    GW_FIRED_SKIPPED, /* the last call, id, is not over: this time is dealt with, without a call */
};

/* id is empty when the wanted one is taken by another call: choose another. */
typedef void gw_fired_fn(void *arg, enum gw_store_result result, enum gw_fired fired,
                         struct faas_str id, const struct faas_error *err);
void gw_store_fire(struct gw_store *s, const struct gw_firing *firing, gw_fired_fn *fn, void *arg);

/* --- working --- */
struct gw_started {
    bool unreadable; /* its packet is none of ours: there is nothing that could be called */
    struct faas_str request, body, callback, policy;
    int64_t attempt; /* this one, from 1 */
    /* The function has been called before and its result recorded, but nobody saw the callback
     * through: only that is left to be done. */
    bool only_callback;
    int64_t status;                 /* of that result */
    struct faas_str result_headers; /* as finish() was given them */
    struct faas_str result_body;
};

/* An entry that came with its packet has begun by being read, as its call's first attempt: what is
 * known of it, in views of the packet. */
void gw_store_begin(struct faas_str packet, struct gw_started *out);

/* Views live during the call. LOST: cancelled or over, and its entry has been put away. */
typedef void gw_started_fn(void *arg, enum gw_store_result result, const struct gw_started *call,
                           const struct faas_error *err);
/* For any other. again: the entry was claimed from a worker that has, or may have, begun. ttl_ms:
 * how long it is kept if it turns out to be cancelled. */
void gw_store_start(struct gw_store *s, struct faas_str queue, struct faas_str entry,
                    struct faas_str id, struct faas_str worker, bool again, int64_t ttl_ms,
                    int64_t now_ms, gw_started_fn *fn, void *arg);

typedef void gw_stored_fn(void *arg, enum gw_store_result result, const struct faas_error *err);

/* One attempt of one call. */
struct gw_attempt_ref {
    struct faas_str queue, entry, id, function;
    int64_t attempt;
};

/* Keeps the entry ours for another lease. cancelled: somebody wants the call to end. began_ms: when
 * the attempt did. */
typedef void gw_renewed_fn(void *arg, enum gw_store_result result, bool cancelled,
                           const struct faas_error *err);
void gw_store_renew(struct gw_store *s, const struct gw_attempt_ref *a, struct faas_str worker,
                    int64_t began_ms, gw_renewed_fn *fn, void *arg);

struct gw_outcome {
    const char *state; /* "done", "dead", "cancelled" */
    int64_t status;    /* of the function; 0: it was not reached */
    struct faas_str reason;
    struct faas_str history;        /* JSON object about this attempt, appended to the call's */
    struct faas_str result_headers; /* kept for the callback only */
    struct faas_str result_body;    /* as much as is to be kept */
    int64_t ttl_ms;                 /* how long all of it is kept, from the callback on; 0: ever */
    int64_t began_ms, now_ms;
    bool has_more; /* or may have: a hash, a key for its packet */
    bool hold;     /* a callback is due: the entry stays ours until gw_store_release() */
};

void gw_store_finish(struct gw_store *s, const struct gw_attempt_ref *a, const struct gw_outcome *o,
                     gw_stored_fn *fn, void *arg);
/* The callback has been delivered or given up; note says which, for whoever asks. */
void gw_store_release(struct gw_store *s, const struct gw_attempt_ref *a, struct faas_str note,
                      gw_stored_fn *fn, void *arg);
/* Once more in wait_ms; or cancelled, if that was asked for meanwhile, and kept for
 * ttl_ms. */
void gw_store_retry(struct gw_store *s, const struct gw_attempt_ref *a, int64_t wait_ms,
                    struct faas_str history, int64_t ttl_ms, int64_t now_ms, gw_stored_fn *fn,
                    void *arg);

/* For an entry that was read and not started, since its function has enough to do: it comes back at
 * wait_ms, and no attempt is counted. */
void gw_store_postpone(struct gw_store *s, struct faas_str queue, struct faas_str entry,
                       struct faas_str id, int64_t wait_ms, gw_stored_fn *fn, void *arg);

/* Moves up to max calls whose time has come into their queue. n: how many. */
typedef void gw_count_fn(void *arg, int64_t n, const struct faas_error *err);
void gw_store_promote(struct gw_store *s, struct faas_str queue, int64_t max, gw_count_fn *fn,
                      void *arg);

/* --- asking and deciding --- */
/* 0: not known; 1: cancelled (or will be, it runs); 2: over already. */
void gw_store_cancel(struct gw_store *s, struct faas_str id, int64_t ttl_ms, int64_t now_ms,
                     gw_count_fn *fn, void *arg);
/* A dead call is queued again, with attempts counted from 0. n: 1, or 0 when it is not dead. */
void gw_store_redrive(struct gw_store *s, struct faas_str queue, struct faas_str id,
                      gw_count_fn *fn, void *arg);
/* Forgets up to max of a queue's calls that do not run ("queue", "delayed" or "dead"). n: how many.
 */
void gw_store_purge(struct gw_store *s, struct faas_str queue, const char *which, int64_t max,
                    gw_count_fn *fn, void *arg);

/* Raw replies: store_scripts.c says what is in them. */
void gw_store_queues(struct gw_store *s, int64_t now_ms, faas_redis_fn *fn, void *arg);
void gw_store_dead(struct gw_store *s, struct faas_str queue, struct faas_str after, int64_t max,
                   faas_redis_fn *fn, void *arg);
/* Field, value, … ; they stand in store_scripts.c. Of two alike the first counts. */
void gw_store_get(struct gw_store *s, struct faas_str id, int64_t now_ms, faas_redis_fn *fn,
                  void *arg);
void gw_store_get_result(struct gw_store *s, struct faas_str id, faas_redis_fn *fn, void *arg);
/* SISMEMBER: 1 when the queue ever had a call. */
void gw_store_has_queue(struct gw_store *s, struct faas_str queue, faas_redis_fn *fn, void *arg);
/* No worker takes from it any more, or again. */
void gw_store_pause(struct gw_store *s, struct faas_str queue, bool paused, faas_redis_fn *fn,
                    void *arg);

#endif
