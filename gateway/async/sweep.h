/* Puts right what a Redis leaves that was killed in the middle of a transaction: it executes the
 * first part of it at the start after the next one, in front of what was done meanwhile
 * (docs/async.md). The scripts are written so that such a part loses no call; but it may leave an
 * entry that nobody is given, a call without an entry, or a key that nobody deletes. On the loop's
 * thread. */
#ifndef FAAS_GATEWAY_ASYNC_SWEEP_H
#define FAAS_GATEWAY_ASYNC_SWEEP_H

#include "gateway/async/store.h"

/* For every new connection, before anything is written by it: without it, what is accepted next
 * would be forgotten together with the torn part. */
void gw_sweep_connected(struct gw_store *s);

/* Looks at a few entries of the queue, behind the entry from ("": from the first), up to the last
 * that Redis has handed out. Those that nobody has and no call waits for are deleted; those whose
 * call does are this worker's now, at most as many as it has room for.
 * next: where to go on, "" from the first. taken: the entries. Both live during the call. */
typedef void gw_swept_fn(void *arg, struct faas_str next, const struct faas_redis_reply *taken,
                         const struct faas_error *err);
void gw_sweep_queue(struct gw_store *s, struct faas_str queue, struct faas_str worker,
                    struct faas_str from, size_t room, gw_swept_fn *fn, void *arg);

/* Looks at some of all keys from the cursor on (SCAN's; 0: the first), and makes what is about a
 * call agree with its state. ttl_ms, dead_ttl_ms: how long those that are over are kept. */
typedef void gw_mended_fn(void *arg, uint64_t next, const struct faas_error *err);
void gw_sweep_calls(struct gw_store *s, uint64_t cursor, int64_t ttl_ms, int64_t dead_ttl_ms,
                    gw_mended_fn *fn, void *arg);

#endif
