/* A real redis-server of its own for a test: a unix socket in a temporary folder, no port. */
#ifndef FAAS_TEST_REDIS_SERVER_H
#define FAAS_TEST_REDIS_SERVER_H

#include "libfaas/process.h"
#include "libfaas/redis_url.h"

struct redis_server {
    char dir[64];
    struct faas_process process;
    struct faas_redis_url url;
};

/* extra: more arguments, NULL-terminated; NULL: none. Does not wait until it listens. */
void redis_server_start(struct redis_server *s, const char *const *extra);
void redis_server_kill(struct redis_server *s); /* kill -9, collected; start again with restart */
void redis_server_restart(struct redis_server *s, const char *const *extra);
void redis_server_signal(struct redis_server *s, int signo);
void redis_server_stop(struct redis_server *s);

#endif
