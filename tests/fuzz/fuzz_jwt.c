/* A token from anybody, against fixed keys ('t' and the token), or claims whose signature is taken
 * for checked ('c' and the JSON): the verdict does not vary, a token that is let in is no longer so
 * when one byte of it is another, and claims that are let in say what they must. */
#include "libfaas/alloc.h"
#include "tests/unit/jwt_vectors.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static const struct faas_jwk_set *keys(void)
{
    static struct faas_jwk_set *set;

    if (!set)
        set = faas_jwk_set_parse(faas_str_from(jwt_jwks), NULL, NULL);
    return set;
}

static struct faas_jwt_policy policy(void)
{
    return (struct faas_jwt_policy){
        .keys = keys(),
        .issuer = JWT_ISSUER,
        .subject = JWT_SUBJECT,
        .now_ns = INT64_C(1000000000) * JWT_NOW_S,
    };
}

static void a_token(struct faas_str token)
{
    const struct faas_jwt_policy p = policy();
    _cleanup_free_ char *other = faas_strndup(token.ptr, token.len);
    struct faas_error err = {0};
    double expires_s;
    enum faas_jwt_verdict verdict = faas_jwt_check(token, &p, &expires_s, &err);

    check(verdict == faas_jwt_check(token, &p, &expires_s, NULL), "the verdict changed");
    check((verdict == FAAS_JWT_OK) == (err.msg[0] == '\0'), "refused without a reason");
    if (verdict != FAAS_JWT_OK)
        return;
    other[token.len / 2] ^= 1;
    check(faas_jwt_check((struct faas_str){.ptr = other, .len = token.len}, &p, &expires_s, NULL) !=
              FAAS_JWT_OK,
          "another token is let in too");
}

static void claims(struct faas_str text)
{
    const struct faas_jwt_policy p = policy();
    _cleanup_json_ json_t *v = faas_json_parse(text, NULL);
    double expires_s = 0;

    if (!json_is_object(v) || faas_jwt_check_claims(v, &p, &expires_s, NULL) != FAAS_JWT_OK)
        return;
    check(!faas_jwt_has_expired(expires_s, p.now_ns), "let in after its end");
    check(strcmp(json_string_value(json_object_get(v, "iss")), JWT_ISSUER) == 0,
          "let in from another issuer");
    check(json_array_size(json_object_get(json_object_get(v, "function"), "permissions")) > 0,
          "let in without a permission");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct faas_str rest = {.ptr = (const char *)data + 1, .len = size - 1};

    if (size < 1)
        return 0;
    if (data[0] == 't')
        a_token(rest);
    else if (data[0] == 'c')
        claims(rest);
    return 0;
}
