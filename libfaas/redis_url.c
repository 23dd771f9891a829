#include "libfaas/redis_url.h"

#include "libfaas/alloc.h"
#include "libfaas/arena.h"
#include "libfaas/cleanup.h"
#include "libfaas/http.h"

#define DEFAULT_PORT 6379
#define MAX_DB       65535

static int fail(struct faas_error *err, const char *what)
{
    return faas_fail(err, FAAS_ERR_INVALID,
                     "%s; expected redis://[[user]:password@]host[:port][/db] or "
                     "unix:///path/to/socket[?db=n]",
                     what);
}

static bool decode(struct faas_str s, char **out)
{
    _cleanup_(faas_arena_deinit) struct faas_arena arena = {0};
    struct faas_str plain;

    if (!faas_url_decode(&arena, s, &plain) || memchr(plain.ptr, '\0', plain.len))
        return false;
    *out = faas_str_dup(plain);
    return true;
}

static int parse_db(struct faas_str s, unsigned *out, struct faas_error *err)
{
    uint64_t n;

    if (!s.len)
        return 0;
    if (faas_parse_u64(s, &n, NULL) < 0 || n > MAX_DB)
        return fail(err, "the database is no number from 0 to 65535");
    *out = (unsigned)n;
    return 0;
}

static int parse_credentials(struct faas_str s, struct faas_redis_url *out, struct faas_error *err)
{
    struct faas_str password = s;
    struct faas_str user = faas_str_split(&password, ':');

    if (!password.ptr) /* "redis://secret@host" is a password, as redis-cli and Go have it */
        password = user, user = FAAS_STR("");
    if ((user.len && !decode(user, &out->user)) || !decode(password, &out->password))
        return fail(err, "user or password cannot be decoded");
    return 0;
}

static int parse_host(struct faas_str s, struct faas_redis_url *out, struct faas_error *err)
{
    ptrdiff_t colon = faas_str_rfind(s, ':');
    ptrdiff_t bracket = faas_str_rfind(s, ']');
    struct faas_str host = s, port = {0};
    uint64_t n = DEFAULT_PORT;

    if (colon > bracket) {
        host.len = (size_t)colon;
        port = (struct faas_str){s.ptr + colon + 1, s.len - (size_t)colon - 1};
    }
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = (struct faas_str){host.ptr + 1, host.len - 2};
    if (!host.len)
        host = FAAS_STR("127.0.0.1");
    if (port.ptr && (faas_parse_u64(port, &n, NULL) < 0 || n == 0 || n > 65535))
        return fail(err, "the port is no number from 1 to 65535");
    out->host = faas_str_dup(host);
    out->port = (unsigned)n;
    return 0;
}

static int parse_tcp(struct faas_str s, struct faas_redis_url *out, struct faas_error *err)
{
    struct faas_str db = s;
    struct faas_str authority = faas_str_split(&db, '/');
    ptrdiff_t at = faas_str_rfind(authority, '@');

    if (faas_str_find(s, '?') >= 0 || faas_str_find(s, '#') >= 0)
        return fail(err, "options behind '?' are not known");
    if (at >= 0) {
        if (parse_credentials((struct faas_str){authority.ptr, (size_t)at}, out, err) < 0)
            return -1;
        authority = (struct faas_str){authority.ptr + at + 1, authority.len - (size_t)at - 1};
    }
    if (parse_host(authority, out, err) < 0)
        return -1;
    return parse_db(db, &out->db, err);
}

static int parse_unix(struct faas_str s, struct faas_redis_url *out, struct faas_error *err)
{
    struct faas_str query = s;
    struct faas_str path = faas_str_split(&query, '?');
    ptrdiff_t at = faas_str_find(path, '@');

    if (at >= 0) {
        if (parse_credentials((struct faas_str){path.ptr, (size_t)at}, out, err) < 0)
            return -1;
        path = (struct faas_str){path.ptr + at + 1, path.len - (size_t)at - 1};
    }
    if (!faas_str_starts(path, FAAS_STR("/")) || !decode(path, &out->path))
        return fail(err, "the socket's path does not begin with /");
    if (query.ptr && !faas_str_starts(query, FAAS_STR("db=")))
        return fail(err, "options behind '?' other than db are not known");
    if (query.ptr)
        query = (struct faas_str){query.ptr + 3, query.len - 3};
    return parse_db(query, &out->db, err);
}

int faas_redis_url_parse(const char *text, struct faas_redis_url *out, struct faas_error *err)
{
    static const struct {
        struct faas_str scheme;
        int (*parse)(struct faas_str rest, struct faas_redis_url *out, struct faas_error *err);
    } schemes[] = {
        {FAAS_STR_INIT("redis://"), parse_tcp},
        {FAAS_STR_INIT("unix://"), parse_unix},
        {FAAS_STR_INIT("redis+unix://"), parse_unix},
    };
    struct faas_str s = faas_str_from(text);

    *out = (struct faas_redis_url){0};
    for (size_t i = 0; i < FAAS_ARRAY_LEN(schemes); i++) {
        size_t n = schemes[i].scheme.len;

        if (faas_str_istarts(s, schemes[i].scheme))
            return schemes[i].parse((struct faas_str){s.ptr + n, s.len - n}, out, err);
    }
    if (faas_str_istarts(s, FAAS_STR("rediss://")))
        return faas_fail(err, FAAS_ERR_UNSUPPORTED,
                         "rediss:// is not supported: hiredis is built without TLS here; let "
                         "stunnel or a proxy speak TLS and use redis:// to it");
    if (faas_str_istarts(s, FAAS_STR("redis+sentinel://")))
        return faas_fail(err, FAAS_ERR_UNSUPPORTED,
                         "Sentinel is not supported: give the address of a proxy or a service "
                         "that follows the primary");
    return fail(err, "not a Redis URL");
}

void faas_redis_url_deinit(struct faas_redis_url *url)
{
    free(url->host);
    free(url->path);
    free(url->user);
    free(url->password);
    *url = (struct faas_redis_url){0};
}

char *faas_redis_url_format(const struct faas_redis_url *url)
{
    bool v6 = url->host && strchr(url->host, ':');

    if (url->path)
        return faas_asprintf("unix://%s?db=%u", url->path, url->db);
    return faas_asprintf("redis://%s%s%s:%u/%u", v6 ? "[" : "", url->host, v6 ? "]" : "", url->port,
                         url->db);
}
