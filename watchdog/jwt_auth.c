#include "watchdog/jwt_auth.h"

#include "libfaas/alloc.h"
#include "libfaas/jwt.h"

#include <stdio.h>

/* Callers show the same token for as long as it holds, and checking an ES256 signature takes some
 * 3 ms of the only thread: those that were good are known again, for 5 us. */
#define REMEMBERED 64

struct good_token {
    unsigned char fingerprint[FAAS_FINGERPRINT_LEN];
    uint64_t generation; /* of the keys; 0: none is remembered here */
    double expires_s;
};

struct wd_jwt_auth {
    struct wd_jwt_auth_opts opts;
    struct wd_jwt_keys *keys;
    struct good_token good[REMEMBERED]; /* by the first byte of the fingerprint */
};

struct wd_jwt_auth *wd_jwt_auth_new(const struct wd_jwt_auth_opts *opts)
{
    struct wd_jwt_auth *auth = faas_new(struct wd_jwt_auth);

    auth->opts = *opts;
    auth->keys = wd_jwt_keys_new(&opts->keys);
    return auth;
}

void wd_jwt_auth_free(struct wd_jwt_auth *auth)
{
    if (!auth)
        return;
    wd_jwt_keys_free(auth->keys);
    free(auth);
}

void wd_jwt_auth_start(struct wd_jwt_auth *auth,
                       void (*on_ready)(void *arg, const struct faas_error *err), void *arg)
{
    wd_jwt_keys_start(auth->keys, on_ready, arg);
}

static struct faas_str token_of(struct faas_str authorization)
{
    static const struct faas_str bearer = FAAS_STR_INIT("Bearer ");
    struct faas_str token = faas_str_trim(authorization);

    if (faas_str_istarts(token, bearer)) {
        token.ptr += bearer.len;
        token.len -= bearer.len;
    } else if (faas_str_ieq(token, FAAS_STR("Bearer"))) {
        token.len = 0;
    }
    return faas_str_trim(token);
}

static int64_t now_ns(const struct wd_jwt_auth *auth)
{
    const struct faas_clock *clock = faas_loop_clock(auth->opts.keys.loop);

    return clock->realtime_ns(clock->self);
}

/* What was good stays so until it expires or the keys change. */
static bool is_good(const struct wd_jwt_auth *auth, const struct good_token *known,
                    const unsigned char *fingerprint)
{
    return known->generation == wd_jwt_keys_generation(auth->keys) &&
           memcmp(known->fingerprint, fingerprint, FAAS_FINGERPRINT_LEN) == 0 &&
           !faas_jwt_has_expired(known->expires_s, now_ns(auth));
}

static void remember(struct good_token *known, const struct wd_jwt_auth *auth,
                     const unsigned char *fingerprint, double expires_s)
{
    memcpy(known->fingerprint, fingerprint, FAAS_FINGERPRINT_LEN);
    known->generation = wd_jwt_keys_generation(auth->keys);
    known->expires_s = expires_s;
}

static enum wd_jwt_answer deny(const struct wd_jwt_auth *auth, struct wd_jwt_check *check,
                               int status, const char *reason)
{
    check->status = status;
    snprintf(check->reason, sizeof(check->reason), "%s", reason);
    if (auth->opts.debug)
        wd_logf(auth->opts.keys.log, "JWT: %d for %s: %s", status, auth->opts.subject, reason);
    return WD_JWT_DENIED;
}

static enum faas_jwt_verdict check_token(struct wd_jwt_auth *auth, struct faas_str token,
                                         struct faas_error *err)
{
    const struct faas_jwt_policy policy = {
        .keys = wd_jwt_keys_set(auth->keys),
        .issuer = wd_jwt_keys_issuer(auth->keys),
        .subject = auth->opts.subject,
        .now_ns = now_ns(auth),
    };
    unsigned char fingerprint[FAAS_FINGERPRINT_LEN];
    enum faas_jwt_verdict verdict;
    struct good_token *known;
    double expires_s;

    faas_jwt_fingerprint(token, fingerprint);
    known = &auth->good[fingerprint[0] % REMEMBERED];
    if (is_good(auth, known, fingerprint))
        return FAAS_JWT_OK;
    verdict = faas_jwt_check(token, &policy, &expires_s, err);
    if (verdict == FAAS_JWT_OK)
        remember(known, auth, fingerprint, expires_s);
    return verdict;
}

enum wd_jwt_answer wd_jwt_auth_check(struct wd_jwt_auth *auth, struct wd_jwt_check *check,
                                     struct faas_str authorization, void (*fn)(void *arg),
                                     void *arg)
{
    struct faas_str token = token_of(authorization);
    struct faas_error err;

    wd_jwt_keys_used(auth->keys);
    if (token.len == 0)
        return deny(auth, check, 401, "bearer token missing");
    switch (check_token(auth, token, &err)) {
    case FAAS_JWT_OK:
        return WD_JWT_ALLOWED;
    case FAAS_JWT_FORBIDDEN:
        return deny(auth, check, 403, err.msg);
    case FAAS_JWT_UNKNOWN_KEY:
        if (!check->waited && wd_jwt_keys_wait(auth->keys, &check->waiter, fn, arg)) {
            check->waited = true;
            return WD_JWT_WAITING;
        }
        break;
    case FAAS_JWT_REFUSED:
        break;
    }
    return deny(auth, check, 401, err.msg);
}

void wd_jwt_check_leave(struct wd_jwt_check *check)
{
    wd_jwt_waiter_leave(&check->waiter);
}
