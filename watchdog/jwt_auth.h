/* Who may call the function: whoever shows a token of the gateway that allows it. */
#ifndef FAAS_WATCHDOG_JWT_AUTH_H
#define FAAS_WATCHDOG_JWT_AUTH_H

#include "libfaas/http.h"
#include "watchdog/jwt_keys.h"

struct wd_jwt_auth_opts {
    struct wd_jwt_keys_opts keys;
    const char *subject; /* "<namespace>:<name>" of the function; borrowed */
    bool debug;          /* logs why a token is refused; never the token */
};

struct wd_jwt_auth;

struct wd_jwt_auth *wd_jwt_auth_new(const struct wd_jwt_auth_opts *opts);
void wd_jwt_auth_free(struct wd_jwt_auth *auth);
/* Calls can be checked once on_ready has been called without an error. */
void wd_jwt_auth_start(struct wd_jwt_auth *auth,
                       void (*on_ready)(void *arg, const struct faas_error *err), void *arg);

enum wd_jwt_answer {
    WD_JWT_ALLOWED,
    WD_JWT_DENIED,  /* status and reason say how */
    WD_JWT_WAITING, /* for newer keys: fn will be called, then it is to be checked again */
};

/* Of one call, zeroed. */
struct wd_jwt_check {
    struct wd_jwt_waiter waiter;
    bool waited;
    int status;       /* 401 or 403 */
    char reason[256]; /* for the client */
};

/* authorization: the header's value, ptr NULL when there is none; a token with or without "Bearer "
 * in front. */
enum wd_jwt_answer wd_jwt_auth_check(struct wd_jwt_auth *auth, struct wd_jwt_check *check,
                                     struct faas_str authorization, void (*fn)(void *arg),
                                     void *arg);
/* The call is gone. */
void wd_jwt_check_leave(struct wd_jwt_check *check);

#endif
