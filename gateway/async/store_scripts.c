#include "gateway/async/store.h"

#include "gateway/async/store_scripts.h"

/* Keys are given by name, so that a script shows all it touches. In each, KEYS[1] is the call.
 *
 * A fresh call is its entry in the stream and nothing else, {r: TAIL, f: FUNCTION, p: PACKET}, and
 * its id says which (async/call_id.h): one XADD queues it. It gets a hash when something has to be
 * known of it that the entry does not say. Until then it is "queued", and runs if its entry is
 * pending. When it is done at once, and there is no callback, one string says so (async/done.h).
 *
 * A call with an id of its own, an Idempotency-Key, a large body, or one that is put off, has its
 * hash at once, and the entry {c: ID, f: FUNCTION, p: PACKET}. When the packet is large, or the
 * call has left the stream, the packet has a key of its own and the entry is {c, f}.
 *
 * The hash's fields, kept few and short (up to 64 bytes Redis packs them):
 *   s state   f function   q queue      t submitted at    due  put off until
 *   n number of the attempt that runs or is next, of the last one when it is over; none: 1
 *   e stream entry         w worker     at attempt began  x    1: to be cancelled while it runs
 *   st status why reason   fin ended at h attempts' history, JSON objects joined by commas
 *   cbs what became of the callback ("due" until then)    rh   result's headers, for it
 *   k how long all of it is kept from then on, and not before */

/* When something is due is judged by this clock alone: the gateways' may differ. */
#define IN_MS                                               \
    "local function in_ms(ms)\n"                            \
    "  local t = redis.call('TIME')\n"                      \
    "  return t[1] * 1000 + math.floor(t[2] / 1000) + ms\n" \
    "end\n"

/* A new call's beginning: call, queue, queues, packet, delayed, same or fired
 * id fn queue packet now group prefix spill delay ttl
 *
 * A new queue gets its group at once: a worker that comes when Redis is full could not make it. */
#define QUEUE_CALL                                                                             \
    IN_MS                                                                                      \
    "local function make_queue()\n"                                                            \
    "  redis.call('SADD', KEYS[3], ARGV[3])\n"                                                 \
    "  if redis.call('EXISTS', KEYS[2]) == 0 then\n"                                           \
    "    redis.call('XGROUP', 'CREATE', KEYS[2], ARGV[6], '0', 'MKSTREAM')\n"                  \
    "  end\n"                                                                                  \
    "end\n"                                                                                    \
    "local function add(...)\n"                                                                \
    "  make_queue()\n"                                                                         \
    "  local e = redis.call('XADD', KEYS[2], '*', 'c', ARGV[1], 'f', ARGV[2], ...)\n"          \
    "  redis.call('HSET', KEYS[1], 's', 'queued', 'f', ARGV[2], 'q', ARGV[3], 't', ARGV[5],\n" \
    "    'e', e)\n"                                                                            \
    "end\n"                                                                                    \
    "if ARGV[9] ~= '0' then\n"                                                                 \
    "  local due = in_ms(ARGV[9])\n"                                                           \
    "  make_queue()\n"                                                                         \
    "  redis.call('SET', KEYS[4], ARGV[4])\n"                                                  \
    "  redis.call('ZADD', KEYS[5], due, ARGV[1])\n"                                            \
    "  redis.call('HSET', KEYS[1], 's', 'delayed', 'f', ARGV[2], 'q', ARGV[3], 't', "          \
    "ARGV[5],\n"                                                                               \
    "    'due', due)\n"                                                                        \
    "elseif ARGV[8] == '1' then\n"                                                             \
    "  redis.call('SET', KEYS[4], ARGV[4])\n"                                                  \
    "  add()\n"                                                                                \
    "else add('p', ARGV[4]) end\n"

/* Which queue has the fresh call that an id names, and what its entry says. */
#define FIND_FRESH                                                                          \
    "local function find_fresh(prefix, entry, tail)\n"                                      \
    "  if entry == '' then return end\n"                                                    \
    "  for _, q in ipairs(redis.call('SMEMBERS', prefix .. 'queues')) do\n"                 \
    "    local stream = prefix .. 'queue:' .. q\n"                                          \
    "    local e = redis.call('XRANGE', stream, entry, entry)[1]\n"                         \
    "    if e and e[2][1] == 'r' and e[2][2] == tail and e[2][6] then return q, e[2] end\n" \
    "  end\n"                                                                               \
    "end\n"

/* submit: as above, then ask? entry tail -> 1 new, 0 the id is taken (looked up if ask), or the id
 * that the same key has */
static const char submit[] = FIND_FRESH
    "local same = ARGV[10] ~= '0'\n"
    "if same then\n"
    "  local old = redis.call('GET', KEYS[6])\n"
    "  if old then return old end\n"
    "end\n"
    "if ARGV[11] == '1' and (redis.call('EXISTS', KEYS[1], ARGV[7] .. 'done:' .. ARGV[1]) > 0 or\n"
    "    find_fresh(ARGV[7], ARGV[12], ARGV[13])) then return 0 end\n" QUEUE_CALL
    "if same then redis.call('SET', KEYS[6], ARGV[1], 'PX', ARGV[10]) end\n"
    "return 1\n";

/* fire: as submit, then last
 * as above, then skip? -> {id, enum gw_fired} */
static const char fire[] =
    "local old = redis.call('GET', KEYS[6])\n"
    "if old then return {old, 1} end\n"
    "if redis.call('EXISTS', KEYS[1]) == 1 then return {'', 0} end\n"
    "local last_ttl = ARGV[10] + 86400000\n" /* the next time comes before that */
    "local last = ARGV[11] == '1' and redis.call('GET', KEYS[7])\n"
    "local s = last and redis.call('HGET', ARGV[7] .. 'call:' .. last, 's')\n"
    "if s == 'queued' or s == 'running' or s == 'delayed' then\n"
    "  redis.call('SET', KEYS[6], '-', 'PX', ARGV[10])\n"
    "  redis.call('PEXPIRE', KEYS[7], last_ttl)\n"
    "  return {last, 2}\n"
    "end\n" QUEUE_CALL "redis.call('SET', KEYS[6], ARGV[1], 'PX', ARGV[10])\n"
    "redis.call('SET', KEYS[7], ARGV[1], 'PX', last_ttl)\n"
    "return {ARGV[1], 0}\n";

/* In each script what is written first is what may stand alone. Redis executes a script whole,
 * but 7.0 cuts its append-only file off within what a kill has torn, and executes that one start
 * later, before what was done meanwhile: so a call's entry, or its place among the delayed, goes
 * last, and what only begins an attempt, or goes on with it, writes nothing that decides (an end
 * that was torn stands). What may be left all the same, the last two scripts put right.
 *
 * A full Redis refuses what may need memory, as long as a script has not written anything. Whatever
 * works off what was accepted has to go on, or nothing would ever be freed: so it writes first. */
#define EVEN_IF_FULL "redis.call('HDEL', KEYS[1], '')\n"

/* The packet that is in the entry: nil when it has a key, or the entry is gone. */
#define PACKET_IN_ENTRY                                         \
    "local function packet_in(entry)\n"                         \
    "  local e = redis.call('XRANGE', KEYS[2], entry, entry)\n" \
    "  return e[1] and e[1][2][6]\n"                            \
    "end\n"

/* Gives the fresh call of this entry, if it is one, its hash. The state comes last, and only if
 * there is none. */
#define WRITE_DOWN                                                                                \
    "local function is_done()\n"                                                                  \
    "  local key = KEYS[1]:sub(1, -42) .. 'done:' .. KEYS[1]:sub(-36)\n"                          \
    "  return redis.call('EXISTS', key) == 1\n"                                                   \
    "end\n"                                                                                       \
    "local function write_down(entry)\n"                                                          \
    "  if redis.call('HEXISTS', KEYS[1], 's') == 1 then return end\n"                             \
    "  local e = redis.call('XRANGE', KEYS[2], entry, entry)[1]\n"                                \
    "  if not e or e[2][1] ~= 'r' or e[2][2] ~= KEYS[1]:sub(-9) or not e[2][6] then return end\n" \
    "  if is_done() then return end\n"                                                            \
    "  " EVEN_IF_FULL "  redis.call('HSET', KEYS[1], 'f', e[2][4], 'q',\n"                        \
    "    KEYS[2]:match('[^:]*$'), 't', entry:match('^%d+'), 'e', entry)\n"                        \
    "  redis.call('HSETNX', KEYS[1], 's', 'queued')\n"                                            \
    "end\n"

/* start: call, queue, packet, result
 * entry worker now group again? ttl
 * -> nil, or {attempt, packet, only the callback?, status, headers, result}
 *
 * again: the entry was claimed, so another has, or may have, begun already. */
static const char start[] = WRITE_DOWN PACKET_IN_ENTRY
    "local function away()\n"
    "  redis.call('XACK', KEYS[2], ARGV[4], ARGV[1])\n"
    "  redis.call('XDEL', KEYS[2], ARGV[1])\n"
    "  return false\n"
    "end\n"
    "write_down(ARGV[1])\n"
    "if is_done() then\n" /* but that was torn */
    "  redis.call('DEL', KEYS[1], KEYS[3])\n"
    "  return away()\n"
    "end\n"
    "local c = redis.call('HMGET', KEYS[1], 's', 'e', 'n', 'x', 'cbs', 'st', 'rh', 'fin')\n"
    "if not c[1] or c[2] ~= ARGV[1] then return away() end\n"
    "local n = tonumber(c[3] or 1) + ARGV[5]\n" EVEN_IF_FULL
    "local packet = redis.call('GET', KEYS[3]) or packet_in(ARGV[1]) or ''\n"
    "if c[5] == 'due' then\n"
    "  redis.call('HSET', KEYS[1], 'n', n, 'w', ARGV[2])\n"
    "  return {n, packet, 1, c[6] or 0, c[7] or '', redis.call('GET', KEYS[4]) or ''}\n"
    "end\n"
    "if c[1] ~= 'queued' and c[1] ~= 'running' then return away() end\n"
    /* Cancelled meanwhile; or over already, and its packet gone, but that was torn, so it has been
     * put off since. */
    "local ended = packet == '' and c[8]\n"
    "if ended or c[4] == '1' then\n"
    "  redis.call('HSET', KEYS[1], 's', ended and c[6] and 'done' or 'cancelled', 'n', n - 1,\n"
    "    'fin', ended or ARGV[3], 'e', '')\n"
    "  redis.call('HDEL', KEYS[1], 'x', 'w', 'due')\n"
    "  redis.call('DEL', KEYS[3])\n"
    "  if ARGV[6] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[6]) end\n"
    "  return away()\n"
    "end\n"
    "redis.call('HSET', KEYS[1], 'n', n, 'w', ARGV[2], 'at', ARGV[3])\n"
    "return {n, packet, 0, 0, '', ''}\n";

/* The head of every step that ends or keeps an attempt. ARGV: attempt, entry, group. */
#define IF_MINE                                                              \
    WRITE_DOWN                                                               \
    "write_down(ARGV[2])\n"                                                  \
    "local c = redis.call('HMGET', KEYS[1], 'n', 'e', 's', 'x', 'h', 'w')\n" \
    "if (c[1] or '1') ~= ARGV[1] or c[2] ~= ARGV[2] then return 0 end\n"
#define PUT_ENTRY_AWAY                                \
    "redis.call('XACK', KEYS[2], ARGV[3], ARGV[2])\n" \
    "redis.call('XDEL', KEYS[2], ARGV[2])\n"

/* renew: call, queue; attempt entry group worker began -> 0 lost, 1 ours, 2 ours and to be
 * cancelled */
static const char renew[] =
    IF_MINE "redis.call('XCLAIM', KEYS[2], ARGV[3], ARGV[4], 0, ARGV[2], 'JUSTID')\n"
            "if not c[6] then redis.call('HSET', KEYS[1], 'w', ARGV[4], 'at', ARGV[5]) end\n"
            "return c[4] == '1' and 2 or 1\n";

/* finish: call, queue, result, packet, dead
 * attempt entry group state status history began now ttl result reason headers hold id */
static const char finish[] = IF_MINE PACKET_IN_ENTRY
    "if c[3] ~= 'queued' and c[3] ~= 'running' then return 0 end\n"
    "local h, ttl = c[5] and (c[5] .. ',' .. ARGV[6]) or ARGV[6], ARGV[9]\n"
    "local hold = ARGV[13] == '1'\n"
    "local call = {'s', ARGV[4], 'st', ARGV[5], 'h', h, 'at', ARGV[7], 'fin', ARGV[8]}\n"
    "local function put(k, v) call[#call + 1] = k; call[#call + 1] = v end\n" EVEN_IF_FULL
    "if ARGV[4] == 'dead' then\n"
    "  local packet = packet_in(ARGV[2])\n"
    "  local oldest = ttl ~= '0' and ARGV[8] - ttl or 0\n" /* their calls have expired */
    "  if packet then redis.call('SET', KEYS[4], packet) end\n"
    "  put('d', redis.call('XADD', KEYS[5], 'MINID', '~', math.max(oldest, 0), '*',\n"
    "    'c', ARGV[14]))\n"
    "  if ttl ~= '0' and not hold then redis.call('PEXPIRE', KEYS[4], ttl) end\n"
    "end\n"
    "if ARGV[11] ~= '' then put('why', ARGV[11]) end\n"
    "if hold then put('cbs', 'due'); put('rh', ARGV[12]); put('k', ttl) end\n"
    "if ARGV[4] == 'cancelled' then redis.call('DEL', KEYS[3])\n" /* there is no answer */
    "elseif ttl ~= '0' and not hold then redis.call('SET', KEYS[3], ARGV[10], 'PX', ttl)\n"
    "else redis.call('SET', KEYS[3], ARGV[10]) end\n"
    "redis.call('HSET', KEYS[1], unpack(call))\n"
    "if ttl ~= '0' and not hold then redis.call('PEXPIRE', KEYS[1], ttl) end\n"
    "redis.call('HDEL', KEYS[1], 'x')\n"
    "if ARGV[4] ~= 'dead' and not hold then redis.call('DEL', KEYS[4]) end\n"
    "if not hold then\n" PUT_ENTRY_AWAY "end\n"
    "return 1\n";

/* finish_fresh: queue; group ttl prefix, then of each id entry record
 * -> {0 as finish, 1 as finish, or 2 it has a hash: finish}…
 *
 * For fresh calls of one queue. Whoever claims such an entry writes a hash: so as long as there is
 * none, a pending entry is the first reader's. */
static const char finish_fresh[] =
    "local calls, out, away = {}, {}, {}\n"
    "for i = 4, #ARGV, 3 do calls[#calls + 1] = ARGV[3] .. 'call:' .. ARGV[i] end\n"
    "local some = redis.call('EXISTS', unpack(calls)) > 0\n"
    "for k, call in ipairs(calls) do\n"
    "  local i = 3 * k + 1\n"
    "  if some and redis.call('EXISTS', call) == 1 then out[k] = 2\n"
    "  elseif redis.call('XACK', KEYS[1], ARGV[1], ARGV[i + 1]) == 0 then out[k] = 0\n"
    "  else\n"
    "    local done = ARGV[3] .. 'done:' .. ARGV[i]\n"
    "    if ARGV[2] ~= '0' then redis.call('SET', done, ARGV[i + 2], 'PX', ARGV[2])\n"
    "    else redis.call('SET', done, ARGV[i + 2]) end\n"
    "    out[k], away[#away + 1] = 1, ARGV[i + 1]\n"
    "  end\n"
    "end\n"
    "if #away > 0 then redis.call('XDEL', KEYS[1], unpack(away)) end\n"
    "return out\n";

/* release: call, queue, packet, result; attempt entry group note */
static const char release[] = IF_MINE EVEN_IF_FULL
    "local ttl = redis.call('HGET', KEYS[1], 'k') or '0'\n"
    "redis.call('HSET', KEYS[1], 'cbs', ARGV[4])\n"
    "redis.call('HDEL', KEYS[1], 'rh', 'k')\n"
    "if c[3] ~= 'dead' then redis.call('DEL', KEYS[3]) end\n"
    "for _, kept in ipairs(ttl ~= '0' and {KEYS[1], KEYS[3], KEYS[4]} or {}) do\n"
    "  redis.call('PEXPIRE', kept, ttl)\n"
    "end\n" PUT_ENTRY_AWAY "return 1\n";

/* retry: call, queue, delayed, packet; attempt entry group wait history id ttl now */
static const char retry[] = IF_MINE PACKET_IN_ENTRY IN_MS
    "local h = c[5] and (c[5] .. ',' .. ARGV[5]) or ARGV[5]\n"
    "redis.call('HDEL', KEYS[1], 'w')\n"
    "if c[4] == '1' then\n" /* cancelled meanwhile */
    "  redis.call('HSET', KEYS[1], 's', 'cancelled', 'fin', ARGV[8], 'h', h, 'e', '')\n"
    "  redis.call('HDEL', KEYS[1], 'x')\n"
    "  redis.call('DEL', KEYS[4])\n"
    "  if ARGV[7] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[7]) end\n"
    "else\n"
    "  local packet, due = packet_in(ARGV[2]), in_ms(ARGV[4])\n"
    "  if packet then redis.call('SET', KEYS[4], packet) end\n"
    "  redis.call('ZADD', KEYS[3], due, ARGV[6])\n"
    "  redis.call('HSET', KEYS[1], 's', 'delayed', 'n', ARGV[1] + 1, 'due', due, 'h', h,\n"
    "    'e', '')\n"
    "end\n" PUT_ENTRY_AWAY "return 1\n";

/* postpone: call, queue, delayed, packet; entry group wait id */
static const char postpone[] = WRITE_DOWN PACKET_IN_ENTRY IN_MS
    "write_down(ARGV[1])\n"
    "local due = in_ms(ARGV[3])\n"
    "local c, packet = redis.call('HMGET', KEYS[1], 's', 'e'), packet_in(ARGV[1])\n"
    "local ours = c[1] == 'queued' and c[2] == ARGV[1]\n" EVEN_IF_FULL "if ours then\n"
    "  if packet then redis.call('SET', KEYS[4], packet) end\n"
    "  redis.call('ZADD', KEYS[3], due, ARGV[4])\n"
    "  redis.call('HSET', KEYS[1], 's', 'delayed', 'due', due, 'e', '')\n"
    "end\n"
    "redis.call('XACK', KEYS[2], ARGV[2], ARGV[1])\n"
    "redis.call('XDEL', KEYS[2], ARGV[1])\n"
    "return ours and 1 or 0\n";

/* promote: delayed, queue; max prefix-of-calls */
static const char promote[] = IN_MS
    "local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', in_ms(0), 'LIMIT', 0, ARGV[1])\n"
    "redis.call('ZREM', KEYS[1], '')\n" /* EVEN_IF_FULL */
    "for _, id in ipairs(ids) do\n"
    "  local call = ARGV[2] .. id\n"
    "  local c = redis.call('HMGET', call, 's', 'f')\n"
    "  if c[1] == 'delayed' then\n"
    "    redis.call('HSET', call, 's', 'queued', 'e',\n"
    "      redis.call('XADD', KEYS[2], '*', 'c', id, 'f', c[2]))\n"
    "    redis.call('HDEL', call, 'due')\n"
    "  end\n"
    "  redis.call('ZREM', KEYS[1], id)\n"
    "end\n"
    "return #ids\n";

/* Has somebody taken this entry? */
#define IS_PENDING                                                         \
    "local function is_pending(queue, group, entry)\n"                     \
    "  local p = redis.pcall('XPENDING', queue, group, entry, entry, 1)\n" \
    "  return not p.err and p[1]\n"                                        \
    "end\n"

/* cancel: call, packet; prefix id group ttl now entry tail */
static const char cancel[] = IS_PENDING FIND_FRESH
    "local c, call = redis.call('HMGET', KEYS[1], 's', 'e', 'q', 'n'), {}\n"
    "local function put(k, v) call[#call + 1] = k; call[#call + 1] = v end\n"
    "if not c[1] then\n"
    "  if redis.call('EXISTS', ARGV[1] .. 'done:' .. ARGV[2]) == 1 then return 2 end\n"
    "  local q, fields = find_fresh(ARGV[1], ARGV[6], ARGV[7])\n"
    "  if not q then return 0 end\n"
    "  c = {'queued', ARGV[6], q}\n"
    "  put('f', fields[4]); put('q', q); put('t', ARGV[6]:match('^%d+'))\n"
    "  put('e', ARGV[6])\n"
    "end\n" EVEN_IF_FULL "local queue = ARGV[1] .. 'queue:' .. c[3]\n"
    "if c[1] == 'running' or (c[1] == 'queued' and is_pending(queue, ARGV[3], c[2])) then\n"
    "  put('x', 1)\n"
    "  redis.call('HSET', KEYS[1], unpack(call))\n"
    "  redis.call('HSETNX', KEYS[1], 's', 'queued')\n"
    "  return 1\n"
    "end\n"
    "if c[1] ~= 'queued' and c[1] ~= 'delayed' then return 2 end\n"
    "put('s', 'cancelled'); put('n', (c[4] or 1) - 1); put('fin', ARGV[5]); put('e', '')\n"
    "redis.call('HSET', KEYS[1], unpack(call))\n"
    "redis.call('HDEL', KEYS[1], 'due')\n"
    "redis.call('ZREM', ARGV[1] .. 'delayed:' .. c[3], ARGV[2])\n"
    "if c[1] == 'queued' then redis.call('XDEL', queue, c[2]) end\n"
    "redis.call('DEL', KEYS[2])\n"
    "if ARGV[4] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end\n"
    "return 1\n";

/* What gw_done_append() wrote: from and to are where the history is in it. */
#define DONE                                                              \
    "local function read_done(key)\n"                                     \
    "  local head = redis.call('GETRANGE', key, 0, 1023)\n"               \
    "  local st, at, fin, f, q, n, from = head:match(\n"                  \
    "    '^(%d+) (%d+) (%d+) (%S+) (%S+) (%d+)\\n()')\n"                  \
    "  if st then return st, at, fin, f, q, from - 1, from - 1 + n end\n" \
    "end\n"

/* get: call, done; prefix group now entry tail -> HGETALL, with what its pending entry says before
 * it */
static const char get[] = IS_PENDING FIND_FRESH DONE
    "local c = redis.call('HMGET', KEYS[1], 's', 'e', 'q', 'w', 'at')\n"
    "local all = redis.call('HGETALL', KEYS[1])\n"
    "if not c[1] then\n"
    "  local st, at, fin, f, q, from, to = read_done(KEYS[2])\n"
    "  if st then\n"
    "    return {'s', 'done', 'st', st, 'at', at, 'fin', fin, 'f', f, 'q', q, 't',\n"
    "      ARGV[4]:match('^%d+'), 'h', redis.call('GETRANGE', KEYS[2], from, to - 1)}\n"
    "  end\n"
    "  local q, fields = find_fresh(ARGV[1], ARGV[4], ARGV[5])\n"
    "  if not q then return {} end\n"
    "  c = {'queued', ARGV[4], q}\n"
    "  all = {'s', 'queued', 'f', fields[4], 'q', q, 't', ARGV[4]:match('^%d+')}\n"
    "end\n"
    "local p = c[1] == 'queued' and is_pending(ARGV[1] .. 'queue:' .. c[3], ARGV[2], c[2])\n"
    "if not p then return all end\n"
    "local at = c[4] and c[5] or string.format('%.0f', ARGV[3] - p[3])\n"
    "local out = {'s', 'running', 'at', at}\n"
    "for _, v in ipairs(all) do out[#out + 1] = v end\n"
    "return out\n";

/* result: result, done -> string, nil */
static const char result[] =
    DONE "local st, _, _, _, _, _, to = read_done(KEYS[2])\n"
         "return st and redis.call('GETRANGE', KEYS[2], to, -1) or redis.call('GET', KEYS[1])\n";

/* redrive: call, queue, dead, result, packet; id */
static const char redrive[] =
    "local c = redis.call('HMGET', KEYS[1], 's', 'd', 'cbs', 'f', 'q')\n"
    "if c[1] ~= 'dead' or c[3] == 'due' or c[5] ~= KEYS[2]:match('[^:]*$') then return 0 end\n"
    "redis.call('PERSIST', KEYS[5])\n"
    "redis.call('HSET', KEYS[1], 's', 'queued', 'n', 1, 'e',\n"
    "  redis.call('XADD', KEYS[2], '*', 'c', ARGV[1], 'f', c[4]))\n"
    "redis.call('HDEL', KEYS[1], 'd', 'st', 'why', 'fin', 'at', 'w', 'cbs', 'x')\n"
    "redis.call('PERSIST', KEYS[1])\n"
    "redis.call('DEL', KEYS[4])\n"
    "if c[2] then redis.call('XDEL', KEYS[3], c[2]) end\n"
    "return 1\n";

/* The id of the call that an entry is, as gw_call_id_format() writes it. */
#define CALL_ID                                                                    \
    "local function call_id(e)\n"                                                  \
    "  if e[2][1] ~= 'r' then return e[2][2] end\n"                                \
    "  local ms, sequence = e[1]:match('^(%d+)-(%d+)$')\n"                         \
    "  local m, s = string.format('%012x', ms), string.format('%09x', sequence)\n" \
    "  return m:sub(1, 8) .. '-' .. m:sub(9) .. '-8' .. s:sub(1, 3) .. '-8' ..\n"  \
    "    s:sub(4, 6) .. '-' .. s:sub(7) .. e[2][2]\n"                              \
    "end\n"

/* purge: the stream or zset of the queue; which max prefix group
 *
 * When all that is first in a queue runs, what nobody has taken yet is behind the entry that the
 * group was given last. */
static const char purge[] = IS_PENDING CALL_ID
    "local ids, entries = {}, {}\n"
    "local function look_at(from)\n"
    "  for _, e in ipairs(redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', ARGV[2])) do\n"
    "    entries[#entries + 1] = e[1]; ids[#ids + 1] = call_id(e)\n"
    "  end\n"
    "end\n"
    "local function runs(id, entry)\n"
    "  local c = redis.call('HMGET', ARGV[3] .. 'call:' .. id, 's', 'cbs')\n"
    "  return c[1] == 'running' or c[2] == 'due' or (ARGV[1] == 'queue' and\n"
    "    (c[1] or 'queued') == 'queued' and is_pending(KEYS[1], ARGV[4], entry))\n"
    "end\n"
    "local function forget()\n"
    "  local n = 0\n"
    "  for i, id in ipairs(ids) do\n"
    "    if not runs(id, entries[i]) then\n"
    "      redis.call('DEL', ARGV[3] .. 'call:' .. id, ARGV[3] .. 'packet:' .. id,\n"
    "        ARGV[3] .. 'result:' .. id)\n"
    "      if ARGV[1] == 'delayed' then redis.call('ZREM', KEYS[1], id)\n"
    "      else\n"
    "        if ARGV[1] == 'queue' then\n"
    "          pcall(redis.call, 'XACK', KEYS[1], ARGV[4], entries[i])\n"
    "        end\n"
    "        redis.call('XDEL', KEYS[1], entries[i])\n"
    "      end\n"
    "      n = n + 1\n"
    "    end\n"
    "  end\n"
    "  return n\n"
    "end\n"
    "if ARGV[1] == 'delayed' then ids = redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[2]) - 1)\n"
    "else look_at('-') end\n"
    "local n = forget()\n"
    "if n > 0 or ARGV[1] ~= 'queue' then return n end\n"
    "local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])\n"
    "for _, g in ipairs(groups.err and {} or groups) do\n"
    "  local last = {}\n"
    "  for i = 1, #g, 2 do last[g[i]] = g[i + 1] end\n"
    "  if last.name == ARGV[4] then\n"
    "    ids, entries = {}, {}\n"
    "    look_at('(' .. last['last-delivered-id'])\n"
    "    n = forget()\n"
    "  end\n"
    "end\n"
    "return n\n";

/* queues: queues, paused; prefix group now -> {name, depth, in flight, delayed, dead, age ms,
 * paused}… depth: entries that nobody has taken yet. The oldest is the first that is not over. */
static const char queues[] =
    "local out = {}\n"
    "local names = redis.call('SMEMBERS', KEYS[1])\n"
    "table.sort(names)\n"
    "for _, q in ipairs(names) do\n"
    "  local stream = ARGV[1] .. 'queue:' .. q\n"
    "  local len, pending = redis.call('XLEN', stream), 0\n"
    "  local p = redis.pcall('XPENDING', stream, ARGV[2])\n"
    "  if not p.err then pending = p[1] end\n"
    "  local first, age = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1), 0\n"
    "  if first[1] then age = math.max(0, ARGV[3] - string.match(first[1][1], '^%d+')) end\n"
    "  out[#out + 1] = {q, len - pending, pending, redis.call('ZCARD', ARGV[1] .. 'delayed:' .. "
    "q),\n"
    "    redis.call('XLEN', ARGV[1] .. 'dead:' .. q), age,\n"
    "    redis.call('SISMEMBER', KEYS[2], q)}\n"
    "end\n"
    "return out\n";

/* dead: dead; prefix after max -> {entry, id, function, status, attempts, ended at, why, history}…
 */
static const char dead[] =
    "local out = {}\n"
    "local from, max = ARGV[2] == '' and '-' or '(' .. ARGV[2], tonumber(ARGV[3])\n"
    "while #out < max do\n"
    "  local entries = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', max - #out)\n"
    "  for _, e in ipairs(entries) do\n"
    "    local id = e[2][2]\n"
    "    local c = redis.call('HMGET', ARGV[1] .. 'call:' .. id, 's', 'f', 'st', 'n', 'fin', "
    "'why',\n"
    "      'h', 'd')\n"
    "    if c[1] == 'dead' and c[8] == e[1] then\n"
    "      out[#out + 1] = {e[1], id, c[2], c[3] or 0, c[4] or 1, c[5] or 0, c[6] or '',\n"
    "        c[7] or ''}\n"
    "    else redis.call('XDEL', KEYS[1], e[1]) end\n" /* its time is over, or another counts */
    "    from = '(' .. e[1]\n"
    "  end\n"
    "  if #entries == 0 then break end\n"
    "end\n"
    "return out\n";

/* whole: a key that is not kept
 *
 * As long as there is no EXEC behind what was torn, Redis would forget with it, at its next start,
 * all that was written since. Two writes make it write one. */
static const char whole[] = "redis.call('DEL', KEYS[1])\n" /* even if full */
                            "redis.call('SET', KEYS[1], 1)\n"
                            "redis.call('DEL', KEYS[1])\n";

/* sweep: queue; group worker prefix after look-at-most take-at-most
 * -> {where to go on, the entries that were taken}
 *
 * Entries that Redis believes to have handed out, and nobody has: executed in front of an
 * XREADGROUP that came before them. If their call still waits for them, they are the worker's; or
 * they go. */
static const char sweep[] = IS_PENDING CALL_ID
    "local group, last, after, taken = ARGV[1], nil, ARGV[4], {}\n"
    "local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])\n"
    "for _, g in ipairs(groups) do\n"
    "  local about = {}\n"
    "  for i = 1, #g, 2 do about[g[i]] = g[i + 1] end\n"
    "  if about['name'] == group then last = about['last-delivered-id'] end\n"
    "end\n"
    "if not last then return {'', taken} end\n"
    "local from = after == '' and '-' or '(' .. after\n"
    "local entries = redis.call('XRANGE', KEYS[1], from, last, 'COUNT', ARGV[5])\n"
    "for _, e in ipairs(entries) do\n"
    "  if not is_pending(KEYS[1], group, e[1]) then\n"
    "    local call = ARGV[3] .. 'call:' .. call_id(e)\n"
    "    local c = redis.call('HMGET', call, 's', 'e', 'cbs')\n"
    "    local waits = c[1] == 'queued' or c[1] == 'running' or c[3] == 'due'\n"
    "    if c[2] ~= e[1] then waits = false end\n"
    "    if not c[1] and e[2][1] == 'r' then\n" /* as it was queued */
    "      waits = redis.call('EXISTS', ARGV[3] .. 'done:' .. call_id(e)) == 0\n"
    "    end\n"
    "    if not waits then redis.call('XDEL', KEYS[1], e[1])\n"
    "    elseif #taken == tonumber(ARGV[6]) then return {after, taken}\n"
    "    else\n"
    "      redis.call('XCLAIM', KEYS[1], group, ARGV[2], 0, e[1], 'FORCE', 'JUSTID')\n"
    "      taken[#taken + 1] = e\n"
    "    end\n"
    "  end\n"
    "  after = e[1]\n"
    "end\n"
    "return {#entries < tonumber(ARGV[5]) and '' or after, taken}\n";

/* mend: cursor look-at prefix ttl ttl-of-the-dead -> the next cursor
 *
 * Looks at some calls, packets and results and makes of each what its call's state says: it has an
 * entry, or its place among the delayed, or a time at which it ends. What has no state is not
 * there. */
static const char mend[] =
    "local prefix = ARGV[3]\n"
    "local function has_entry(c)\n"
    "  return c[2] and #redis.call('XRANGE', prefix .. 'queue:' .. c[3], c[2], c[2]) == 1\n"
    "end\n"
    "local function lasts(key) return redis.call('PTTL', key) == -1 end\n"
    "local function keep(keys, ttl)\n"
    "  for _, key in ipairs(ttl ~= '0' and keys or {}) do\n"
    "    if lasts(key) then redis.call('PEXPIRE', key, ttl) end\n"
    "  end\n"
    "end\n"
    "local function look(id)\n"
    "  local call, packet = prefix .. 'call:' .. id, prefix .. 'packet:' .. id\n"
    "  local result = prefix .. 'result:' .. id\n"
    "  local c = redis.call('HMGET', call, 's', 'e', 'q', 'f', 'due', 'cbs')\n"
    "  local over = c[1] == 'done' or c[1] == 'dead' or c[1] == 'cancelled'\n"
    "  local torn = not over and redis.call('EXISTS', prefix .. 'done:' .. id) == 1\n"
    "  if torn or not c[1] or not (over or c[3]) then redis.call('DEL', call, packet, result)\n"
    "  elseif over and c[6] == 'due' then return\n"
    "  elseif c[1] == 'dead' then keep({call, packet, result}, ARGV[5])\n"
    "  elseif over then\n"
    "    redis.call('DEL', packet)\n"
    "    keep({call, result}, ARGV[4])\n"
    "  elseif c[1] == 'delayed' then\n"
    "    redis.call('ZADD', prefix .. 'delayed:' .. c[3], 'NX', c[5] or 0, id)\n"
    "  else\n"
    "    redis.call('PERSIST', call)\n"
    "    if not has_entry(c) then\n"
    "      redis.call('HSET', call, 's', 'queued', 'e', redis.call('XADD',\n"
    "        prefix .. 'queue:' .. c[3], '*', 'c', id, 'f', c[4]))\n"
    "    end\n"
    "  end\n"
    "end\n"
    "redis.call('DEL', prefix .. 'call:')\n" /* even if full */
    "local page = redis.call('SCAN', ARGV[1], 'COUNT', ARGV[2])\n"
    "for _, key in ipairs(page[2]) do\n"
    "  for _, kind in ipairs({'call:', 'packet:', 'result:'}) do\n"
    "    local head = prefix .. kind\n"
    "    if key:sub(1, #head) == head and (kind ~= 'result:' or lasts(key)) then\n"
    "      look(key:sub(#head + 1))\n"
    "    end\n"
    "  end\n"
    "end\n"
    "return page[1]\n";

const char *const gw_store_scripts[] = {
    [GW_SCRIPT_SUBMIT] = submit,     [GW_SCRIPT_FIRE] = fire,
    [GW_SCRIPT_START] = start,       [GW_SCRIPT_RENEW] = renew,
    [GW_SCRIPT_FINISH] = finish,     [GW_SCRIPT_FINISH_FRESH] = finish_fresh,
    [GW_SCRIPT_RELEASE] = release,   [GW_SCRIPT_RETRY] = retry,
    [GW_SCRIPT_PROMOTE] = promote,   [GW_SCRIPT_CANCEL] = cancel,
    [GW_SCRIPT_REDRIVE] = redrive,   [GW_SCRIPT_PURGE] = purge,
    [GW_SCRIPT_POSTPONE] = postpone, [GW_SCRIPT_QUEUES] = queues,
    [GW_SCRIPT_DEAD] = dead,         [GW_SCRIPT_GET] = get,
    [GW_SCRIPT_RESULT] = result,     [GW_SCRIPT_WHOLE] = whole,
    [GW_SCRIPT_SWEEP] = sweep,       [GW_SCRIPT_MEND] = mend,
};
const size_t gw_store_n_scripts = FAAS_ARRAY_LEN(gw_store_scripts);
