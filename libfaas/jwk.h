/* The public keys of a token issuer: read from a JWKS document (RFC 7517), used to
 * check signatures (RFC 7518). RSA and NIST curves only: a key that both sides share would let
 * whoever checks tokens make them.
 *
 * Over mbedtls (2.28), whose headers nobody else includes: the watchdog's static build has no room
 * for OpenSSL. A set does not change once it is read; each use of it is one thread's at a time. */
#ifndef FAAS_JWK_H
#define FAAS_JWK_H

#include "libfaas/map.h"

struct faas_jwk_set;

#define FAAS_JWKS_MAX_KEYS 64

/* Keys that cannot check a token here (another type or curve, not for signatures, no kid, broken
 * values) are left out, and skipped says why in one line each; skipped may be NULL. INVALID when
 * the text is no JWKS at all. A set without keys is a set. */
struct faas_jwk_set *faas_jwk_set_parse(struct faas_str text, struct faas_strv *skipped,
                                        struct faas_error *err);
void faas_jwk_set_free(struct faas_jwk_set *set);
FAAS_DEFINE_CLEANUP(struct faas_jwk_set *, faas_jwk_set_free);
#define _cleanup_jwk_set_ _cleanup_(faas_jwk_set_freep)

size_t faas_jwk_set_len(const struct faas_jwk_set *set);
bool faas_jwk_set_has(const struct faas_jwk_set *set, struct faas_str kid);

struct faas_jws_alg; /* how something was signed: "ES256", … */

/* NULL: none that we take, which "none" and HS* never are. */
const struct faas_jws_alg *faas_jws_alg_find(struct faas_str name);

/* Whether signature over data was made by the key kid, in just this way: a key takes an algorithm
 * of its own type and curve, and the one that it names if it names one. NOT_FOUND: no such kid.
 * UNAUTHORIZED: everything else. */
FAAS_NODISCARD int faas_jwk_set_verify(const struct faas_jwk_set *set, struct faas_str kid,
                                       const struct faas_jws_alg *alg, struct faas_str data,
                                       struct faas_str signature, struct faas_error *err);

#define FAAS_FINGERPRINT_LEN 32
/* SHA-256, to know a token again without keeping it. */
void faas_jwt_fingerprint(struct faas_str token, unsigned char out[FAAS_FINGERPRINT_LEN]);

#endif
