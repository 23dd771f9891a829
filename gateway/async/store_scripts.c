#include "gateway/async/store.h"

#include "gateway/async/store_scripts.h"

/* Keys are given by name, so that a script shows all it touches. In each, KEYS[1] is the call. The
 * hash's fields:
 *   s state   f function   q queue      t submitted at    due  put off until
 *   r request b body (or none: body:ID) cb callback URL   cbs  what became of it ("due" until then)
 *   p retry policy (async/retry_policy.h)
 *   n attempt e stream entry            w worker          x    1: to be cancelled while it runs
 *   st status why reason   fin ended at h attempts' history, JSON objects joined by commas
 *   rh result's headers
 */

/* A new call's beginning: call, queue, delayed, queues, same or fired, body
 * id fn queue request body spill callback due now ttl same? policy group
 *
 * A new queue gets its group at once: a worker that comes when Redis is full could not make it. */
#define QUEUE_CALL                                                                    \
    "if redis.call('SADD', KEYS[4], ARGV[3]) == 1 then\n"                             \
    "  redis.pcall('XGROUP', 'CREATE', KEYS[2], ARGV[13], '0', 'MKSTREAM')\n"         \
    "end\n"                                                                           \
    "local call = {'f', ARGV[2], 'q', ARGV[3], 't', ARGV[9], 'n', 0, 'r', ARGV[4],\n" \
    "  'p', ARGV[12]}\n"                                                              \
    "local function put(k, v) call[#call + 1] = k; call[#call + 1] = v end\n"         \
    "if ARGV[6] == '1' then redis.call('SET', KEYS[6], ARGV[5])\n"                    \
    "elseif ARGV[5] ~= '' then put('b', ARGV[5]) end\n"                               \
    "if ARGV[7] ~= '' then put('cb', ARGV[7]) end\n"                                  \
    "if ARGV[8] == '0' then\n"                                                        \
    "  put('s', 'queued')\n"                                                          \
    "  put('e', redis.call('XADD', KEYS[2], '*', 'c', ARGV[1], 'f', ARGV[2]))\n"      \
    "else\n"                                                                          \
    "  put('s', 'delayed'); put('due', ARGV[8])\n"                                    \
    "  redis.call('ZADD', KEYS[3], ARGV[8], ARGV[1])\n"                               \
    "end\n"                                                                           \
    "redis.call('HSET', KEYS[1], unpack(call))\n"

/* submit: as above -> {id, is_new} */
static const char submit[] =
    "if ARGV[11] ~= '0' then\n"
    "  local old = redis.call('GET', KEYS[5])\n"
    "  if old then return {old, 0} end\n"
    "end\n"
    "if redis.call('EXISTS', KEYS[1]) == 1 then return {'', 0} end\n" QUEUE_CALL
    "if ARGV[11] ~= '0' then redis.call('SET', KEYS[5], ARGV[1], 'PX', ARGV[10]) end\n"
    "return {ARGV[1], 1}\n";

/* fire: as above, then last
 * as above, then skip? prefix-of-calls -> {id, enum gw_fired} */
static const char fire[] =
    "local old = redis.call('GET', KEYS[5])\n"
    "if old then return {old, 1} end\n"
    "if redis.call('EXISTS', KEYS[1]) == 1 then return {'', 0} end\n"
    "local last_ttl = ARGV[10] + 86400000\n" /* the next time comes before that */
    "local last = ARGV[14] == '1' and redis.call('GET', KEYS[7])\n"
    "local s = last and redis.call('HGET', ARGV[15] .. last, 's')\n"
    "if s == 'queued' or s == 'running' or s == 'delayed' then\n"
    "  redis.call('SET', KEYS[5], '-', 'PX', ARGV[10])\n"
    "  redis.call('PEXPIRE', KEYS[7], last_ttl)\n"
    "  return {last, 2}\n"
    "end\n" QUEUE_CALL "redis.call('SET', KEYS[5], ARGV[1], 'PX', ARGV[10])\n"
    "redis.call('SET', KEYS[7], ARGV[1], 'PX', last_ttl)\n"
    "return {ARGV[1], 0}\n";

/* A full Redis refuses what may need memory, as long as a script has not written anything. Whatever
 * works off what was accepted has to go on, or nothing would ever be freed: so it writes first. */
#define EVEN_IF_FULL "redis.call('HDEL', KEYS[1], '')\n"

/* start: call, queue, body, result
 * entry worker now group */
static const char start[] =
    "local c = redis.call('HMGET', KEYS[1], 's', 'e', 'n', 'f', 'r', 'b', 'cb', 't', 'cbs', 'st',\n"
    "  'rh', 'p')\n"
    "local function away()\n"
    "  redis.call('XACK', KEYS[2], ARGV[4], ARGV[1])\n"
    "  redis.call('XDEL', KEYS[2], ARGV[1])\n"
    "  return false\n"
    "end\n"
    "if not c[1] or c[2] ~= ARGV[1] then return away() end\n"
    "local n = tonumber(c[3]) + 1\n" EVEN_IF_FULL "if c[9] == 'due' then\n"
    "  redis.call('HSET', KEYS[1], 'n', n, 'w', ARGV[2])\n"
    "  return {n, c[4], c[5] or '', '', c[7] or '', c[8], 1, c[10] or 0, c[11] or '',\n"
    "    redis.call('GET', KEYS[4]) or '', c[12] or ''}\n"
    "end\n"
    "if c[1] ~= 'queued' and c[1] ~= 'running' then return away() end\n"
    "redis.call('HSET', KEYS[1], 's', 'running', 'n', n, 'w', ARGV[2], 'at', ARGV[3])\n"
    "return {n, c[4], c[5] or '', c[6] or redis.call('GET', KEYS[3]) or '', c[7] or '', c[8], 0, "
    "0,\n"
    "  '', '', c[12] or ''}\n";

/* The head of every step that ends or keeps an attempt. ARGV: attempt, entry, group. */
#define IF_MINE                                                               \
    "local c = redis.call('HMGET', KEYS[1], 'n', 'e', 's', 'x', 'h', 'cb')\n" \
    "if c[1] ~= ARGV[1] or c[2] ~= ARGV[2] then return 0 end\n"
#define PUT_ENTRY_AWAY                                \
    "redis.call('XACK', KEYS[2], ARGV[3], ARGV[2])\n" \
    "redis.call('XDEL', KEYS[2], ARGV[2])\n"

/* renew: call, queue; attempt entry group worker -> 0 lost, 1 ours, 2 ours and to be cancelled */
static const char renew[] =
    IF_MINE "redis.call('XCLAIM', KEYS[2], ARGV[3], ARGV[4], 0, ARGV[2], 'JUSTID')\n"
            "return c[4] == '1' and 2 or 1\n";

/* finish: call, queue, body, result, dead
 * attempt entry group state status reason history headers result ttl now hold id */
static const char finish[] = IF_MINE
    "if c[3] ~= 'running' then return 0 end\n"
    "local h = c[5] and (c[5] .. ',' .. ARGV[7]) or ARGV[7]\n"
    "local ttl, dead = tonumber(ARGV[10]), ARGV[4] == 'dead'\n"
    /* Also what makes the rest possible when Redis is full, see EVEN_IF_FULL. */
    "if dead then redis.call('HDEL', KEYS[1], 'x', 'w', 'due')\n"
    "else\n"
    "  redis.call('HDEL', KEYS[1], 'x', 'w', 'due', 'b', 'r')\n"
    "  redis.call('DEL', KEYS[3])\n"
    "end\n"
    "redis.call('HSET', KEYS[1], 's', ARGV[4], 'st', ARGV[5], 'why', ARGV[6], 'h', h,\n"
    "  'rh', ARGV[8], 'fin', ARGV[11])\n"
    "if ARGV[12] == '1' then redis.call('HSET', KEYS[1], 'cbs', 'due') end\n"
    "if dead then\n"
    "  local oldest = ttl > 0 and tonumber(ARGV[11]) - ttl or 0\n" /* their calls have expired */
    "  redis.call('HSET', KEYS[1], 'd',\n"
    "    redis.call('XADD', KEYS[5], 'MINID', '~', math.max(oldest, 0), '*', 'c', ARGV[13]))\n"
    "  if ttl > 0 then redis.call('PEXPIRE', KEYS[3], ttl) end\n"
    "end\n"
    "if ttl > 0 then\n"
    "  redis.call('SET', KEYS[4], ARGV[9], 'PX', ttl)\n"
    "  redis.call('PEXPIRE', KEYS[1], ttl)\n"
    "else redis.call('SET', KEYS[4], ARGV[9]) end\n"
    "if ARGV[12] ~= '1' then\n" PUT_ENTRY_AWAY "end\n"
    "return 1\n";

/* release: call, queue; attempt entry group note */
static const char release[] = IF_MINE EVEN_IF_FULL
    "redis.call('HSET', KEYS[1], 'cbs', ARGV[4])\n" PUT_ENTRY_AWAY "return 1\n";

/* retry: call, queue, delayed, body; attempt entry group due history id ttl now */
static const char retry[] =
    IF_MINE "local h = c[5] and (c[5] .. ',' .. ARGV[5]) or ARGV[5]\n"
            "redis.call('HDEL', KEYS[1], 'w')\n"
            "if c[4] == '1' then\n" /* cancelled meanwhile */
            "  redis.call('HSET', KEYS[1], 's', 'cancelled', 'fin', ARGV[8], 'h', h, 'e', '')\n"
            "  redis.call('HDEL', KEYS[1], 'b', 'r', 'x')\n"
            "  redis.call('DEL', KEYS[4])\n"
            "  if ARGV[7] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[7]) end\n"
            "else\n"
            "  redis.call('HSET', KEYS[1], 's', 'delayed', 'due', ARGV[4], 'h', h, 'e', '')\n"
            "  redis.call('ZADD', KEYS[3], ARGV[4], ARGV[6])\n"
            "end\n" PUT_ENTRY_AWAY "return 1\n";

/* postpone: call, queue, delayed; entry group due id */
static const char postpone[] =
    "local c = redis.call('HMGET', KEYS[1], 's', 'e')\n"
    "redis.call('XACK', KEYS[2], ARGV[2], ARGV[1])\n"
    "redis.call('XDEL', KEYS[2], ARGV[1])\n"
    "if c[1] ~= 'queued' or c[2] ~= ARGV[1] then return 0 end\n"
    "redis.call('HSET', KEYS[1], 's', 'delayed', 'due', ARGV[3], 'e', '')\n"
    "redis.call('ZADD', KEYS[3], ARGV[3], ARGV[4])\n"
    "return 1\n";

/* promote: delayed, queue; now max prefix-of-calls */
static const char promote[] =
    "local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])\n"
    "for _, id in ipairs(ids) do\n"
    "  redis.call('ZREM', KEYS[1], id)\n"
    "  local call = ARGV[3] .. id\n"
    "  local c = redis.call('HMGET', call, 's', 'f')\n"
    "  if c[1] == 'delayed' then\n"
    "    redis.call('HSET', call, 's', 'queued', 'e',\n"
    "      redis.call('XADD', KEYS[2], '*', 'c', id, 'f', c[2]))\n"
    "    redis.call('HDEL', call, 'due')\n"
    "  end\n"
    "end\n"
    "return #ids\n";

/* cancel: call, body; prefix id group ttl now */
static const char cancel[] =
    "local c = redis.call('HMGET', KEYS[1], 's', 'e', 'q', 'cb')\n"
    "if not c[1] then return 0 end\n" EVEN_IF_FULL "if c[1] == 'running' then\n"
    "  redis.call('HSET', KEYS[1], 'x', 1)\n"
    "  return 1\n"
    "end\n"
    "if c[1] ~= 'queued' and c[1] ~= 'delayed' then return 2 end\n"
    "redis.call('ZREM', ARGV[1] .. 'delayed:' .. c[3], ARGV[2])\n"
    "if c[2] and c[2] ~= '' then\n"
    "  local queue = ARGV[1] .. 'queue:' .. c[3]\n"
    "  pcall(redis.call, 'XACK', queue, ARGV[3], c[2])\n"
    "  redis.call('XDEL', queue, c[2])\n"
    "end\n"
    "redis.call('HSET', KEYS[1], 's', 'cancelled', 'fin', ARGV[5], 'e', '')\n"
    "redis.call('HDEL', KEYS[1], 'b', 'r', 'due')\n"
    "redis.call('DEL', KEYS[2])\n"
    "if ARGV[4] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end\n"
    "return 1\n";

/* redrive: call, queue, dead, result, body; id */
static const char redrive[] =
    "local c = redis.call('HMGET', KEYS[1], 's', 'd', 'cbs', 'f')\n"
    "if c[1] ~= 'dead' or c[3] == 'due' then return 0 end\n"
    "if c[2] then redis.call('XDEL', KEYS[3], c[2]) end\n"
    "redis.call('DEL', KEYS[4])\n"
    "redis.call('HDEL', KEYS[1], 'd', 'st', 'why', 'fin', 'rh', 'cbs', 'x')\n"
    "redis.call('HSET', KEYS[1], 's', 'queued', 'n', 0, 'e',\n"
    "  redis.call('XADD', KEYS[2], '*', 'c', ARGV[1], 'f', c[4]))\n"
    "redis.call('PERSIST', KEYS[1])\n"
    "redis.call('PERSIST', KEYS[5])\n"
    "return 1\n";

/* purge: the stream or zset of the queue; which max prefix group */
static const char purge[] =
    "local ids, entries = {}, {}\n"
    "if ARGV[1] == 'delayed' then\n"
    "  ids = redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[2]) - 1)\n"
    "else\n"
    "  for _, e in ipairs(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', ARGV[2])) do\n"
    "    entries[#entries + 1] = e[1]; ids[#ids + 1] = e[2][2]\n"
    "  end\n"
    "end\n"
    "local n = 0\n"
    "for i, id in ipairs(ids) do\n"
    "  local call = ARGV[3] .. 'call:' .. id\n"
    "  local c = redis.call('HMGET', call, 's', 'cbs')\n"
    "  if c[1] ~= 'running' and c[2] ~= 'due' then\n"
    "    redis.call('DEL', call, ARGV[3] .. 'body:' .. id, ARGV[3] .. 'result:' .. id)\n"
    "    if ARGV[1] == 'delayed' then redis.call('ZREM', KEYS[1], id)\n"
    "    else\n"
    "      if ARGV[1] == 'queue' then pcall(redis.call, 'XACK', KEYS[1], ARGV[4], entries[i]) end\n"
    "      redis.call('XDEL', KEYS[1], entries[i])\n"
    "    end\n"
    "    n = n + 1\n"
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
    "      'h')\n"
    "    if c[1] == 'dead' then\n"
    "      out[#out + 1] = {e[1], id, c[2], c[3] or 0, c[4] or 0, c[5] or 0, c[6] or '',\n"
    "        c[7] or ''}\n"
    "    else redis.call('XDEL', KEYS[1], e[1]) end\n" /* its time is over */
    "    from = '(' .. e[1]\n"
    "  end\n"
    "  if #entries == 0 then break end\n"
    "end\n"
    "return out\n";

const char *const gw_store_scripts[] = {
    [GW_SCRIPT_SUBMIT] = submit,   [GW_SCRIPT_FIRE] = fire,       [GW_SCRIPT_START] = start,
    [GW_SCRIPT_RENEW] = renew,     [GW_SCRIPT_FINISH] = finish,   [GW_SCRIPT_RELEASE] = release,
    [GW_SCRIPT_RETRY] = retry,     [GW_SCRIPT_PROMOTE] = promote, [GW_SCRIPT_CANCEL] = cancel,
    [GW_SCRIPT_REDRIVE] = redrive, [GW_SCRIPT_PURGE] = purge,     [GW_SCRIPT_POSTPONE] = postpone,
    [GW_SCRIPT_QUEUES] = queues,   [GW_SCRIPT_DEAD] = dead,
};
const size_t gw_store_n_scripts = FAAS_ARRAY_LEN(gw_store_scripts);
