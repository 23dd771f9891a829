/* JSON Web Tokens that allow the call of a function: compact JWS, registered claims,
 * and the claim "function" of OpenFaaS. Pure: keys and time are given. */
#ifndef FAAS_JWT_H
#define FAAS_JWT_H

#include "libfaas/json.h"
#include "libfaas/jwk.h"

#define FAAS_JWT_MAX      (16 * 1024) /* bytes of a token */
#define FAAS_JWT_LEEWAY_S 1           /* between two clocks */

struct faas_jwt_policy {
    const struct faas_jwk_set *keys;
    const char *issuer;  /* must have issued it, and be among its audience */
    const char *subject; /* "<namespace>:<name>" of the function */
    int64_t now_ns;      /* since 1970 */
};

enum faas_jwt_verdict {
    FAAS_JWT_OK,
    FAAS_JWT_UNKNOWN_KEY, /* refused, unless newer keys know its kid */
    FAAS_JWT_REFUSED,     /* 401 */
    FAAS_JWT_FORBIDDEN,   /* 403: a good token, for something else */
};

/* Neither the message nor anything else tells of the token more than its kid. expires_s is set when
 * it is OK: it holds no longer than that, leeway not counted. */
enum faas_jwt_verdict faas_jwt_check(struct faas_str token, const struct faas_jwt_policy *policy,
                                     double *expires_s, struct faas_error *err);

/* The second half of it, for claims whose signature has been checked. */
enum faas_jwt_verdict faas_jwt_check_claims(const json_t *claims,
                                            const struct faas_jwt_policy *policy, double *expires_s,
                                            struct faas_error *err);

bool faas_jwt_has_expired(double expires_s, int64_t now_ns);

/* '*' stands for any run of characters, also for none. The whole of text is matched. */
bool faas_pattern_match(const char *pattern, const char *text);

#endif
