/* Where asynchronous calls live in Redis. Every key begins with the setting redis_prefix.
 *
 *   call:ID        hash    the call: state, function, attempts (async/store_scripts.c); none while
 *                          its entry says all there is
 *   done:ID        string  instead: a fresh call that is done, with its result (async/done.h)
 *   packet:ID      string  what the worker needs to make it (async/packet.h), when that is not in
 *                          the stream: it is large, or the call is put off or dead
 *   result:ID      string  the function's answer, until its time is over
 *   queue:NAME     stream  calls to be made, one entry {r: TAIL, f: FUNCTION, p: PACKET} each
 *                          (async/call_id.h), or {c: ID, f, p}, or without p; group "workers"
 *   delayed:NAME   zset    calls to be made later: ID by due time (Unix ms)
 *   dead:NAME      stream  calls that were given up, one entry {c: ID} each
 *   queues         set     names of queues that were ever used
 *   paused         set     names of queues that no worker takes from
 *   same:FN:KEY    string  the ID behind an Idempotency-Key
 *   fired:FN:TIME  string  the ID of the call that was queued for this time of the function's
 *                          schedule (Unix ms), "-" for none; until no gateway asks any more
 *   last:FN        string  the ID of the schedule's last call
 *   whole          string  written and deleted by every new connection (async/sweep.h)
 */
#ifndef FAAS_GATEWAY_ASYNC_KEYS_H
#define FAAS_GATEWAY_ASYNC_KEYS_H

#include "libfaas/arena.h"

#define GW_ASYNC_GROUP "workers"

/* prefix + kind + name, in the arena. */
struct faas_str gw_key(struct faas_arena *arena, const char *prefix, const char *kind,
                       struct faas_str name);

#endif
