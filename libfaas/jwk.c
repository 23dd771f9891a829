#include "libfaas/jwk.h"

#include "libfaas/alloc.h"
#include "libfaas/base64.h"
#include "libfaas/json.h"

#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <mbedtls/rsa.h>
#include <mbedtls/sha256.h>

enum {
    RSA_MIN_BITS = 2048, /* RFC 7518, 3.3 */
    RSA_MAX_BITS = 8192, /* a check takes time that grows with the square of it */
    RSA_MAX_EXPONENT_BYTES = 4,
    MAX_COORDINATE = 66, /* P-521 */
};

enum key_type { KEY_RSA, KEY_EC };

struct curve {
    const char *name;
    mbedtls_ecp_group_id id;
    size_t bytes; /* of one coordinate */
};

static const struct curve curves[] = {
    {"P-256", MBEDTLS_ECP_DP_SECP256R1, 32},
    {"P-384", MBEDTLS_ECP_DP_SECP384R1, 48},
    {"P-521", MBEDTLS_ECP_DP_SECP521R1, MAX_COORDINATE},
};

struct faas_jws_alg {
    const char *name;
    enum key_type type;
    mbedtls_md_type_t md;
    int padding;                /* RSA */
    mbedtls_ecp_group_id curve; /* EC */
};

static const struct faas_jws_alg algs[] = {
    {"RS256", KEY_RSA, MBEDTLS_MD_SHA256, .padding = MBEDTLS_RSA_PKCS_V15},
    {"RS384", KEY_RSA, MBEDTLS_MD_SHA384, .padding = MBEDTLS_RSA_PKCS_V15},
    {"RS512", KEY_RSA, MBEDTLS_MD_SHA512, .padding = MBEDTLS_RSA_PKCS_V15},
    {"PS256", KEY_RSA, MBEDTLS_MD_SHA256, .padding = MBEDTLS_RSA_PKCS_V21},
    {"PS384", KEY_RSA, MBEDTLS_MD_SHA384, .padding = MBEDTLS_RSA_PKCS_V21},
    {"PS512", KEY_RSA, MBEDTLS_MD_SHA512, .padding = MBEDTLS_RSA_PKCS_V21},
    {"ES256", KEY_EC, MBEDTLS_MD_SHA256, .curve = MBEDTLS_ECP_DP_SECP256R1},
    {"ES384", KEY_EC, MBEDTLS_MD_SHA384, .curve = MBEDTLS_ECP_DP_SECP384R1},
    {"ES512", KEY_EC, MBEDTLS_MD_SHA512, .curve = MBEDTLS_ECP_DP_SECP521R1},
};

struct key {
    char *kid;
    const struct faas_jws_alg *alg; /* NULL: any of its type */
    enum key_type type;
    mbedtls_rsa_context rsa;
    const struct curve *curve;
    mbedtls_ecp_keypair ec;
};

struct faas_jwk_set {
    struct key *keys[FAAS_JWKS_MAX_KEYS];
    size_t len;
};

const struct faas_jws_alg *faas_jws_alg_find(struct faas_str name)
{
    for (size_t i = 0; i < FAAS_ARRAY_LEN(algs); i++)
        if (faas_str_eqz(name, algs[i].name))
            return &algs[i];
    return NULL;
}

void faas_jwt_fingerprint(struct faas_str token, unsigned char out[FAAS_FINGERPRINT_LEN])
{
    (void)mbedtls_sha256_ret((const unsigned char *)token.ptr, token.len, out, 0);
}

/* --- reading --- */

static void key_free(struct key *key)
{
    mbedtls_rsa_free(&key->rsa);
    mbedtls_ecp_keypair_free(&key->ec);
    free(key->kid);
    free(key);
}
FAAS_DEFINE_CLEANUP(struct key *, key_free);

/* Exactly so, also in its case, unlike faas_json_get(): these names are the standard's. */
static struct faas_str member(const json_t *obj, const char *name)
{
    const json_t *v = json_object_get(obj, name);

    if (!json_is_string(v))
        return (struct faas_str){0};
    return (struct faas_str){.ptr = json_string_value(v), .len = json_string_length(v)};
}

static int read_bytes(const json_t *jwk, const char *name, struct faas_buf *out,
                      struct faas_error *err)
{
    struct faas_str text = member(jwk, name);

    if (text.len == 0)
        return faas_fail(err, FAAS_ERR_INVALID, "no \"%s\"", name);
    if (faas_base64url_decode(out, text, err) < 0)
        return faas_error_wrap(err, "\"%s\"", name);
    return 0;
}

static int read_rsa(struct key *key, const json_t *jwk, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf n = {0}, e = {0};

    if (read_bytes(jwk, "n", &n, err) < 0 || read_bytes(jwk, "e", &e, err) < 0)
        return -1;
    if (n.len > RSA_MAX_BITS / 8 || e.len > RSA_MAX_EXPONENT_BYTES)
        return faas_fail(err, FAAS_ERR_INVALID, "modulus or exponent is too large");
    if (mbedtls_rsa_import_raw(&key->rsa, (const unsigned char *)n.data, n.len, NULL, 0, NULL, 0,
                               NULL, 0, (const unsigned char *)e.data, e.len) != 0 ||
        mbedtls_rsa_complete(&key->rsa) != 0 || mbedtls_rsa_check_pubkey(&key->rsa) != 0)
        return faas_fail(err, FAAS_ERR_INVALID, "not an RSA key");
    if (mbedtls_mpi_bitlen(&key->rsa.N) < RSA_MIN_BITS)
        return faas_fail(err, FAAS_ERR_INVALID, "RSA key of less than %d bits", RSA_MIN_BITS);
    return 0;
}

static const struct curve *find_curve(struct faas_str name)
{
    for (size_t i = 0; i < FAAS_ARRAY_LEN(curves); i++)
        if (faas_str_eqz(name, curves[i].name))
            return &curves[i];
    return NULL;
}

static int read_ec(struct key *key, const json_t *jwk, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf x = {0}, y = {0};
    unsigned char point[1 + 2 * MAX_COORDINATE] = {0x04}; /* uncompressed */
    size_t n;

    key->curve = find_curve(member(jwk, "crv"));
    if (!key->curve)
        return faas_fail(err, FAAS_ERR_INVALID, "curve is not P-256, P-384 or P-521");
    if (read_bytes(jwk, "x", &x, err) < 0 || read_bytes(jwk, "y", &y, err) < 0)
        return -1;
    n = key->curve->bytes;
    if (x.len != n || y.len != n)
        return faas_fail(err, FAAS_ERR_INVALID, "coordinates are not of the curve's size");
    memcpy(point + 1, faas_buf_str(&x).ptr, n);
    memcpy(point + 1 + n, faas_buf_str(&y).ptr, n);
    if (mbedtls_ecp_group_load(&key->ec.grp, key->curve->id) != 0 ||
        mbedtls_ecp_point_read_binary(&key->ec.grp, &key->ec.Q, point, 1 + 2 * n) != 0 ||
        mbedtls_ecp_check_pubkey(&key->ec.grp, &key->ec.Q) != 0)
        return faas_fail(err, FAAS_ERR_INVALID, "not a point of the curve");
    return 0;
}

static int read_type(struct key *key, const json_t *jwk, struct faas_error *err)
{
    struct faas_str type = member(jwk, "kty");

    if (faas_str_eqz(type, "RSA"))
        key->type = KEY_RSA;
    else if (faas_str_eqz(type, "EC"))
        key->type = KEY_EC;
    else
        return faas_fail(err, FAAS_ERR_INVALID, "\"kty\" is neither RSA nor EC");
    return key->type == KEY_RSA ? read_rsa(key, jwk, err) : read_ec(key, jwk, err);
}

static bool takes(const struct key *key, const struct faas_jws_alg *alg)
{
    if (key->type != alg->type || (key->alg && key->alg != alg))
        return false;
    return key->type == KEY_RSA || key->curve->id == alg->curve;
}

static bool has_operation(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);

        if (json_is_string(item) && strcmp(json_string_value(item), name) == 0)
            return true;
    }
    return false;
}

static int read_purpose(struct key *key, const json_t *jwk, struct faas_error *err)
{
    const json_t *use = json_object_get(jwk, "use");
    const json_t *ops = json_object_get(jwk, "key_ops");

    if ((use && !faas_str_eqz(member(jwk, "use"), "sig")) || (ops && !has_operation(ops, "verify")))
        return faas_fail(err, FAAS_ERR_INVALID, "not for signatures");
    if (!json_object_get(jwk, "alg"))
        return 0;
    key->alg = faas_jws_alg_find(member(jwk, "alg"));
    if (!key->alg || !takes(key, key->alg))
        return faas_fail(err, FAAS_ERR_INVALID, "\"alg\" is none that such a key can have here");
    return 0;
}

static struct key *read_key(const json_t *jwk, struct faas_error *err)
{
    _cleanup_(key_freep) struct key *key = faas_new(struct key);
    struct faas_str kid = member(jwk, "kid");

    mbedtls_rsa_init(&key->rsa, MBEDTLS_RSA_PKCS_V15, MBEDTLS_MD_NONE);
    mbedtls_ecp_keypair_init(&key->ec);
    if (kid.len == 0) {
        faas_fail(err, FAAS_ERR_INVALID, "no \"kid\"");
        return NULL;
    }
    key->kid = faas_str_dup(kid);
    if (read_type(key, jwk, err) < 0 || read_purpose(key, jwk, err) < 0)
        return NULL;
    return faas_steal_ptr(&key);
}

/* Fit for a log, whatever the kid is. */
static void skip(struct faas_strv *skipped, size_t i, const json_t *jwk,
                 const struct faas_error *err)
{
    struct faas_str kid = member(jwk, "kid");
    char shown[64];
    size_t n = FAAS_MIN(kid.len, sizeof(shown));

    if (!skipped)
        return;
    for (size_t at = 0; at < n; at++)
        shown[at] = kid.ptr[at] > ' ' && kid.ptr[at] <= '~' ? kid.ptr[at] : '?';
    faas_strv_addf(skipped, "key %zu (%.*s): %s", i, (int)n, shown, err->msg);
}

struct faas_jwk_set *faas_jwk_set_parse(struct faas_str text, struct faas_strv *skipped,
                                        struct faas_error *err)
{
    _cleanup_json_ json_t *doc = faas_json_parse(text, err);
    _cleanup_jwk_set_ struct faas_jwk_set *set = faas_new(struct faas_jwk_set);
    const json_t *list = json_object_get(doc, "keys");

    if (!doc)
        return NULL;
    if (!json_is_array(list)) {
        faas_fail(err, FAAS_ERR_INVALID, "no key set: a list \"keys\" is missing");
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *jwk = json_array_get(list, i);
        struct faas_error why = {0};
        struct key *key;

        if (set->len == FAAS_JWKS_MAX_KEYS) {
            if (skipped)
                faas_strv_addf(skipped, "all after %d keys", FAAS_JWKS_MAX_KEYS);
            break;
        }
        key = read_key(jwk, &why);
        if (key)
            set->keys[set->len++] = key;
        else
            skip(skipped, i, jwk, &why);
    }
    return faas_steal_ptr(&set);
}

void faas_jwk_set_free(struct faas_jwk_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->len; i++)
        key_free(set->keys[i]);
    free(set);
}

size_t faas_jwk_set_len(const struct faas_jwk_set *set)
{
    return set->len;
}

bool faas_jwk_set_has(const struct faas_jwk_set *set, struct faas_str kid)
{
    for (size_t i = 0; i < set->len; i++)
        if (faas_str_eqz(kid, set->keys[i]->kid))
            return true;
    return false;
}

/* --- checking --- */

/* The salt may have any length: Go's issuers have used both that of the hash, as the RFC has it,
 * and the longest. */
static bool verify_rsa(struct key *key, const struct faas_jws_alg *alg, const unsigned char *hash,
                       struct faas_str signature)
{
    if (signature.len != mbedtls_rsa_get_len(&key->rsa))
        return false;
    mbedtls_rsa_set_padding(&key->rsa, alg->padding, alg->md);
    return mbedtls_rsa_pkcs1_verify(&key->rsa, NULL, NULL, MBEDTLS_RSA_PUBLIC, alg->md, 0, hash,
                                    (const unsigned char *)signature.ptr) == 0;
}

/* Both halves have the full size of the curve: anything else is another encoding. */
static bool verify_ec(struct key *key, const unsigned char *hash, size_t hash_len,
                      struct faas_str signature)
{
    const unsigned char *bytes = (const unsigned char *)signature.ptr;
    size_t n = key->curve->bytes;
    mbedtls_mpi r, s;
    bool ok;

    if (signature.len != 2 * n)
        return false;
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    ok = mbedtls_mpi_read_binary(&r, bytes, n) == 0 &&
         mbedtls_mpi_read_binary(&s, bytes + n, n) == 0 &&
         mbedtls_ecdsa_verify(&key->ec.grp, hash, hash_len, &key->ec.Q, &r, &s) == 0;
    mbedtls_mpi_free(&r);
    mbedtls_mpi_free(&s);
    return ok;
}

static bool verify(struct key *key, const struct faas_jws_alg *alg, struct faas_str data,
                   struct faas_str signature)
{
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(alg->md);
    unsigned char hash[MBEDTLS_MD_MAX_SIZE];

    if (!md || mbedtls_md(md, (const unsigned char *)data.ptr, data.len, hash) != 0)
        return false;
    if (key->type == KEY_RSA)
        return verify_rsa(key, alg, hash, signature);
    return verify_ec(key, hash, mbedtls_md_get_size(md), signature);
}

int faas_jwk_set_verify(const struct faas_jwk_set *set, struct faas_str kid,
                        const struct faas_jws_alg *alg, struct faas_str data,
                        struct faas_str signature, struct faas_error *err)
{
    bool known = false, fits = false;

    for (size_t i = 0; i < set->len; i++) {
        struct key *key = set->keys[i];

        if (!faas_str_eqz(kid, key->kid))
            continue;
        known = true;
        if (!takes(key, alg))
            continue;
        fits = true;
        if (verify(key, alg, data, signature))
            return 0;
    }
    if (!known)
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "no such key");
    if (!fits)
        return faas_fail(err, FAAS_ERR_UNAUTHORIZED, "the key is not for %s", alg->name);
    return faas_fail(err, FAAS_ERR_UNAUTHORIZED, "%s: verification error", alg->name);
}
