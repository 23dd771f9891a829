/* Whatever an issuer calls its key set: each member is either kept or explained, and no key takes a
 * signature that nobody made. */
#include "libfaas/jwt.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void takes_nothing_forged(const struct faas_jwk_set *set, const json_t *list)
{
    static const char *const names[] = {"RS256", "PS256", "ES256"};
    static const char zeros[256];
    const struct faas_str forged[] = {{zeros, 256}, {zeros, 256}, {zeros, 64}};

    for (size_t i = 0; i < json_array_size(list); i++) {
        struct faas_str kid =
            faas_str_from(json_string_value(json_object_get(json_array_get(list, i), "kid")));

        for (size_t n = 0; kid.ptr && n < FAAS_ARRAY_LEN(names); n++)
            check(faas_jwk_set_verify(set, kid, faas_jws_alg_find(faas_str_from(names[n])),
                                      FAAS_STR("data"), forged[n], NULL) < 0,
                  "a forged signature is taken");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct faas_str text = {.ptr = (const char *)data, .len = size};
    _cleanup_strv_ struct faas_strv skipped = {0};
    struct faas_error err = {0};
    _cleanup_jwk_set_ struct faas_jwk_set *set = faas_jwk_set_parse(text, &skipped, &err);
    _cleanup_json_ json_t *doc = NULL;
    const json_t *list;

    check(set || err.msg[0], "refused without a reason");
    if (!set)
        return 0;
    doc = faas_json_parse(text, NULL);
    list = json_object_get(doc, "keys");
    if (json_array_size(list) > FAAS_JWKS_MAX_KEYS)
        return 0;
    check(faas_jwk_set_len(set) + skipped.len == json_array_size(list), "a key is unaccounted for");
    takes_nothing_forged(set, list);
    return 0;
}
