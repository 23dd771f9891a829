/* Where a Redis is: "redis://user:password@host:6379/0" or "unix:///run/redis.sock?db=1". */
#ifndef FAAS_REDIS_URL_H
#define FAAS_REDIS_URL_H

#include "libfaas/str.h"

struct faas_redis_url {
    char *host; /* NULL: a unix socket */
    unsigned port;
    char *path;     /* of the unix socket */
    char *user;     /* NULL: the default user */
    char *password; /* NULL: no AUTH */
    unsigned db;
};

/* Percent escapes are decoded. INVALID says what is wrong without quoting the password; UNSUPPORTED
 * for rediss:// (the client library of Debian 12 has no TLS: put stunnel or a service mesh in
 * between) and redis+sentinel://. *out is to be deinitialised in any case. */
FAAS_NODISCARD int faas_redis_url_parse(const char *text, struct faas_redis_url *out,
                                        struct faas_error *err);
void faas_redis_url_deinit(struct faas_redis_url *url);
/* "redis://host:6379/0", without user and password: for logs and errors. Heap. */
char *faas_redis_url_format(const struct faas_redis_url *url) FAAS_NODISCARD;

#endif
