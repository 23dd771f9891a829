#include "libfaas/jwt.h"

#include "libfaas/base64.h"

#include <math.h>
#include <stdio.h>

/* Of a kid in a message. */
#define KID_SHOWN 64

struct token {
    struct faas_str parts[3]; /* header, payload, signature: as sent */
    struct faas_str signed_part;
    struct faas_buf signature;
    json_t *header;
    json_t *claims;
};

static void token_deinit(struct token *t)
{
    faas_buf_deinit(&t->signature);
    json_decref(t->header);
    json_decref(t->claims);
}

static enum faas_jwt_verdict refuse(struct faas_error *err, const char *kind, const char *why)
{
    faas_fail(err, FAAS_ERR_UNAUTHORIZED, "failed to parse JWT token: token %s: %s", kind, why);
    return FAAS_JWT_REFUSED;
}

/* --- parts --- */

static json_t *decode_object(struct faas_str part, const char *what, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf text = {0};
    _cleanup_json_ json_t *v = NULL;

    if (faas_base64url_decode(&text, part, err) == 0)
        v = faas_json_parse(faas_buf_str(&text), err);
    if (!v || faas_json_expect_object(v, what, err) < 0) {
        if (!v)
            faas_error_wrap(err, "%s", what);
        return NULL;
    }
    return faas_steal_ptr(&v);
}

static int split(struct token *t, struct faas_str token, struct faas_error *err)
{
    struct faas_str rest = token;

    if (token.len > FAAS_JWT_MAX)
        return faas_fail(err, FAAS_ERR_INVALID, "longer than %d bytes", FAAS_JWT_MAX);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(t->parts); i++) {
        if (!rest.ptr)
            return faas_fail(err, FAAS_ERR_INVALID, "token contains an invalid number of segments");
        t->parts[i] = faas_str_split(&rest, '.');
    }
    if (rest.ptr)
        return faas_fail(err, FAAS_ERR_INVALID, "token contains an invalid number of segments");
    t->signed_part =
        (struct faas_str){.ptr = token.ptr, .len = t->parts[0].len + 1 + t->parts[1].len};
    return 0;
}

static int parse(struct token *t, struct faas_str token, struct faas_error *err)
{
    if (split(t, token, err) < 0)
        return -1;
    t->header = decode_object(t->parts[0], "header", err);
    if (!t->header)
        return -1;
    t->claims = decode_object(t->parts[1], "claims", err);
    if (!t->claims)
        return -1;
    if (faas_base64url_decode(&t->signature, t->parts[2], err) < 0)
        return faas_error_wrap(err, "signature");
    return 0;
}

/* --- signature --- */

static bool is_printable(struct faas_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
            return false;
    return true;
}

static enum faas_jwt_verdict unknown_key(struct faas_str kid, struct faas_error *err)
{
    char why[128] = "error while executing keyfunc: invalid kid";

    if (kid.len <= KID_SHOWN && is_printable(kid))
        snprintf(why + strlen(why), sizeof(why) - strlen(why), ": %.*s", FAAS_STR_FMT(kid));
    refuse(err, "is unverifiable", why);
    return FAAS_JWT_UNKNOWN_KEY;
}

static enum faas_jwt_verdict check_signature(const struct token *t, const struct faas_jwk_set *keys,
                                             struct faas_error *err)
{
    const json_t *alg_name = json_object_get(t->header, "alg");
    const json_t *kid_value = json_object_get(t->header, "kid");
    const struct faas_jws_alg *alg;
    struct faas_error why;
    struct faas_str kid;

    /* What must be understood, and is not. */
    if (json_object_get(t->header, "crit"))
        return refuse(err, "is unverifiable", "critical header parameters are not supported");
    alg = faas_jws_alg_find(faas_str_from(json_string_value(alg_name)));
    if (!alg)
        return refuse(err, "signature is invalid", "signing method is not allowed");
    if (!json_is_string(kid_value))
        return refuse(err, "is unverifiable", "error while executing keyfunc: no kid");
    kid = faas_str_from(json_string_value(kid_value));
    if (faas_jwk_set_verify(keys, kid, alg, t->signed_part, faas_buf_str(&t->signature), &why) == 0)
        return FAAS_JWT_OK;
    if (why.code == FAAS_ERR_NOT_FOUND)
        return unknown_key(kid, err);
    return refuse(err, "signature is invalid", why.msg);
}

/* --- claims --- */

/* Seconds since 1970, maybe with a fraction. */
static int get_time(const json_t *claims, const char *name, double *out, struct faas_error *err)
{
    const json_t *v = json_object_get(claims, name);

    *out = NAN;
    if (!v || json_is_null(v))
        return 0;
    if (!json_is_number(v))
        return faas_fail(err, FAAS_ERR_INVALID, "%s is not a number", name);
    *out = json_number_value(v);
    return 0;
}

static double seconds(int64_t now_ns)
{
    return (double)now_ns / 1e9;
}

bool faas_jwt_has_expired(double expires_s, int64_t now_ns)
{
    return !(seconds(now_ns) < expires_s + FAAS_JWT_LEEWAY_S);
}

static int check_times(const json_t *claims, int64_t now_ns, double *expires_s,
                       struct faas_error *err)
{
    double not_before;

    if (get_time(claims, "exp", expires_s, err) < 0 ||
        get_time(claims, "nbf", &not_before, err) < 0)
        return -1;
    if (isnan(*expires_s))
        return faas_fail(err, FAAS_ERR_INVALID, "exp claim is required");
    if (faas_jwt_has_expired(*expires_s, now_ns))
        return faas_fail(err, FAAS_ERR_INVALID, "token is expired");
    if (!isnan(not_before) && seconds(now_ns) < not_before - FAAS_JWT_LEEWAY_S)
        return faas_fail(err, FAAS_ERR_INVALID, "token is not valid yet");
    return 0;
}

static bool is_text(const json_t *v, const char *text)
{
    return json_is_string(v) && strcmp(json_string_value(v), text) == 0;
}

static bool has_audience(const json_t *aud, const char *wanted)
{
    for (size_t i = 0; i < json_array_size(aud); i++)
        if (is_text(json_array_get(aud, i), wanted))
            return true;
    return is_text(aud, wanted);
}

static int check_parties(const json_t *claims, const char *issuer, struct faas_error *err)
{
    if (!is_text(json_object_get(claims, "iss"), issuer))
        return faas_fail(err, FAAS_ERR_INVALID, "token has invalid issuer");
    if (!has_audience(json_object_get(claims, "aud"), issuer))
        return faas_fail(err, FAAS_ERR_INVALID, "token has invalid audience");
    return 0;
}

/* --- permissions --- */

/* Goes back to the last '*' only, so the time is bounded by the product of both lengths. */
bool faas_pattern_match(const char *pattern, const char *text)
{
    const char *star = NULL, *from = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            from = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = ++from;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

/* Null and absent are an empty list. */
static int check_list(const json_t *function, const char *name, struct faas_error *err)
{
    const json_t *list = json_object_get(function, name);

    if (list && !json_is_null(list) && !json_is_array(list))
        return faas_fail(err, FAAS_ERR_INVALID, "function.%s is not a list", name);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!json_is_string(json_array_get(list, i)))
            return faas_fail(err, FAAS_ERR_INVALID, "function.%s is not a list of strings", name);
    return 0;
}

static int check_function_type(const json_t *claims, struct faas_error *err)
{
    const json_t *function = json_object_get(claims, "function");

    if (!function || json_is_null(function))
        return 0;
    if (!json_is_object(function))
        return faas_fail(err, FAAS_ERR_INVALID, "function is not an object");
    if (check_list(function, "permissions", err) < 0)
        return -1;
    return check_list(function, "audience", err);
}

static bool any_matches(const json_t *patterns, const char *subject)
{
    for (size_t i = 0; i < json_array_size(patterns); i++)
        if (faas_pattern_match(json_string_value(json_array_get(patterns, i)), subject))
            return true;
    return false;
}

static bool is_permitted(const json_t *claims, const char *subject)
{
    const json_t *function = json_object_get(claims, "function");
    const json_t *audience = json_object_get(function, "audience");

    return any_matches(json_object_get(function, "permissions"), subject) &&
           (json_array_size(audience) == 0 || any_matches(audience, subject));
}

enum faas_jwt_verdict faas_jwt_check_claims(const json_t *claims,
                                            const struct faas_jwt_policy *policy, double *expires_s,
                                            struct faas_error *err)
{
    struct faas_error why;

    if (check_function_type(claims, &why) < 0)
        return refuse(err, "is malformed", why.msg);
    if (check_times(claims, policy->now_ns, expires_s, &why) < 0 ||
        check_parties(claims, policy->issuer, &why) < 0)
        return refuse(err, "has invalid claims", why.msg);
    if (!is_permitted(claims, policy->subject)) {
        faas_fail(err, FAAS_ERR_UNAUTHORIZED, "insufficient permissions");
        return FAAS_JWT_FORBIDDEN;
    }
    return FAAS_JWT_OK;
}

enum faas_jwt_verdict faas_jwt_check(struct faas_str token, const struct faas_jwt_policy *policy,
                                     double *expires_s, struct faas_error *err)
{
    _cleanup_(token_deinit) struct token t = {0};
    enum faas_jwt_verdict verdict;
    struct faas_error why;

    if (parse(&t, token, &why) < 0)
        return refuse(err, "is malformed", why.msg);
    verdict = check_signature(&t, policy->keys, err);
    if (verdict != FAAS_JWT_OK)
        return verdict;
    return faas_jwt_check_claims(t.claims, policy, expires_s, err);
}
