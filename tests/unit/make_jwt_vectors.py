#!/usr/bin/python3
"""Writes tests/unit/jwt_vectors.h (and seeds for the fuzzers): public keys, and tokens that were
signed with keys which exist nowhere any more. Run it when a case is added; every token then is a
new one, which means the same. Needs python3-cryptography.

    /usr/bin/python3 tests/unit/make_jwt_vectors.py
"""
import base64
import hashlib
import hmac
import json
import os
import shutil

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "../fuzz/corpus")
NOW = 1700000000
ISSUER = "http://gateway.openfaas:8080"
NAMESPACE, NAME = "openfaas-fn", "figlet"
SHA = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
CURVES = {"256": ("P-256", ec.SECP256R1, 32), "384": ("P-384", ec.SECP384R1, 48),
          "512": ("P-521", ec.SECP521R1, 66)}


def b64(data):
    if isinstance(data, int):
        data = data.to_bytes((data.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def rsa_jwk(kid, key, **more):
    n = key.public_key().public_numbers()
    return {"kty": "RSA", "kid": kid, "n": b64(n.n), "e": b64(n.e), **more}


def ec_jwk(kid, key, size, **more):
    curve, _, length = CURVES[size]
    n = key.public_key().public_numbers()
    return {"kty": "EC", "kid": kid, "crv": curve, "x": b64(n.x.to_bytes(length, "big")),
            "y": b64(n.y.to_bytes(length, "big")), **more}


RSA = rsa.generate_private_key(65537, 2048)
RSA_ONLY_256 = rsa.generate_private_key(65537, 2048)
EC = {size: ec.generate_private_key(curve[1]()) for size, curve in CURVES.items()}
STRANGER = {size: ec.generate_private_key(curve[1]()) for size, curve in CURVES.items()}
SMALL_RSA = rsa.generate_private_key(65537, 1024)

GOOD_KEYS = [
    rsa_jwk("rsa", RSA, use="sig"),
    rsa_jwk("rsa-only-256", RSA_ONLY_256, alg="RS256", key_ops=["verify"]),
    *[ec_jwk("ec" + size, EC[size], size) for size in CURVES],
    # The same kid twice: each is tried.
    ec_jwk("twice", STRANGER["256"], "256"),
    ec_jwk("twice", EC["256"], "256"),
]
a_point = ec_jwk("off-curve", EC["256"], "256")
BAD_KEYS = [
    ({"kty": "oct", "kid": "secret", "k": b64(b"s" * 32)}, "neither RSA nor EC"),
    ({"kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": b64(b"x" * 32)}, "neither RSA nor EC"),
    ({"kid": "no-type"}, "neither RSA nor EC"),
    ({**rsa_jwk("x", RSA), "kid": 7}, 'no "kid"'),
    ({**rsa_jwk("", RSA)}, 'no "kid"'),
    (rsa_jwk("enc", RSA, use="enc"), "not for signatures"),
    (rsa_jwk("ops", RSA, key_ops=["sign"]), "not for signatures"),
    (rsa_jwk("hs", RSA, alg="HS256"), '"alg" is none'),
    (rsa_jwk("es", RSA, alg="ES256"), '"alg" is none'),
    (ec_jwk("es384", EC["256"], "256", alg="ES384"), '"alg" is none'),
    (rsa_jwk("small", SMALL_RSA), "less than 2048 bits"),
    ({**rsa_jwk("even", RSA), "n": b64(RSA.public_key().public_numbers().n - 1)}, "not an RSA key"),
    ({**rsa_jwk("one", RSA), "e": b64(1)}, "not an RSA key"),
    ({**rsa_jwk("huge", RSA), "n": b64((1 << 16384) + 1)}, "too large"),
    ({**rsa_jwk("long-e", RSA), "e": b64((1 << 64) + 1)}, "too large"),
    ({**rsa_jwk("no-n", RSA), "n": None}, 'no "n"'),
    ({**rsa_jwk("padded", RSA), "e": "AQAB=="}, '"e": not base64url'),
    ({**a_point, "y": a_point["x"]}, "not a point"),
    ({**a_point, "x": b64(b"\xff" * 32)}, "not a point"),
    ({**a_point, "x": b64(b"\0" * 32), "y": b64(b"\0" * 32)}, "not a point"),
    ({**a_point, "x": a_point["x"][:40]}, "the curve's size"),
    ({**a_point, "crv": "secp256k1"}, "curve is not"),
    ({**a_point, "crv": "P-384"}, "the curve's size"),
    ("text", 'no "kid"'),
    (None, 'no "kid"'),
]
JWKS = json.dumps({"keys": GOOD_KEYS}, separators=(",", ":"))
BAD_JWKS = json.dumps({"keys": [key for key, _ in BAD_KEYS]}, separators=(",", ":"))


def sign_ec(key, size, data, length=None):
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA[size]())))
    length = length or CURVES[size][2]
    return r.to_bytes(length, "big") + s.to_bytes(length, "big")


def sign(alg, data, key=None, salt=None):
    family, size = alg[:2], alg[2:]
    if family == "ES":
        return sign_ec(key or EC[size], size, data)
    if family == "PS":
        pad = padding.PSS(padding.MGF1(SHA[size]()), salt or SHA[size].digest_size)
    else:
        pad = padding.PKCS1v15()
    return (key or RSA).sign(data, pad, SHA[size]())


def kid_of(alg):
    return "ec" + alg[2:] if alg.startswith("ES") else "rsa"


def claims(**changed):
    all_claims = {"iss": ISSUER, "aud": [ISSUER], "exp": NOW + 60, "nbf": NOW - 60, "iat": NOW - 60,
                  "sub": "fed:someone", "function": {"permissions": [f"{NAMESPACE}:*"]}}
    all_claims.update(changed)
    return {k: v for k, v in all_claims.items() if v is not ...}


def encode(value):
    return b64(value if isinstance(value, bytes) else json.dumps(value).encode())


def token(alg="ES256", payload=None, header=None, key=None, signer=None, salt=None):
    head = {"alg": alg, "typ": "JWT", "kid": kid_of(alg)}
    if isinstance(header, dict):
        head.update(header)
        head = {k: v for k, v in head.items() if v is not ...}
    elif header is not None:
        head = header
    data = encode(head) + "." + encode(claims() if payload is None else payload)
    signature = signer(data.encode()) if signer else sign(alg, data.encode(), key, salt)
    return data + "." + b64(signature)


def allowing(*permissions, **more):
    return claims(function={"permissions": list(permissions), **more})


def flip(text, at):
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1:]


def tampered(text, part):
    parts = text.split(".")
    parts[part] = flip(parts[part], len(parts[part]) // 2)
    return ".".join(parts)


def pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM,
                                         serialization.PublicFormat.SubjectPublicKeyInfo)


def hs256(secret):
    return lambda data: hmac.new(secret, data, hashlib.sha256).digest()


ORDER_P256 = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
OK, REFUSED, UNKNOWN, FORBIDDEN = ("FAAS_JWT_OK", "FAAS_JWT_REFUSED", "FAAS_JWT_UNKNOWN_KEY",
                                   "FAAS_JWT_FORBIDDEN")
MALFORMED = "token is malformed: "
BAD_SIGNATURE = "token signature is invalid: "
BAD_CLAIMS = "token has invalid claims: "
good = token()
CASES = [
    # What each algorithm makes.
    *[(f"a good {family}{size}", token(f"{family}{size}"), OK, "")
      for family in ("RS", "PS", "ES") for size in SHA],
    ("PS256 with the longest salt", token("PS256", salt=2048 // 8 - 32 - 2), OK, ""),
    ("a key that names its algorithm", token("RS256", header={"kid": "rsa-only-256"},
                                             key=RSA_ONLY_256), OK, ""),
    ("the second key of the same kid", token(header={"kid": "twice"}), OK, ""),
    # Algorithms.
    ("alg none", token(header={"alg": "none"}, signer=lambda d: b""), REFUSED,
     BAD_SIGNATURE + "signing method is not allowed"),
    ("alg None", token(header={"alg": "None"}, signer=lambda d: b""), REFUSED,
     BAD_SIGNATURE + "signing method"),
    ("alg none without a kid", token(header={"alg": "none", "kid": ...}, signer=lambda d: b""),
     REFUSED, BAD_SIGNATURE + "signing method"),
    ("HS256 with the RSA public key", token(header={"alg": "HS256", "kid": "rsa"},
                                            signer=hs256(pem(RSA))), REFUSED,
     BAD_SIGNATURE + "signing method"),
    ("HS256 with the EC public key", token(header={"alg": "HS256"}, signer=hs256(pem(EC["256"]))),
     REFUSED, BAD_SIGNATURE + "signing method"),
    ("HS256 with an empty secret", token(header={"alg": "HS256"}, signer=hs256(b"")), REFUSED,
     BAD_SIGNATURE + "signing method"),
    ("EdDSA", token(header={"alg": "EdDSA"}), REFUSED, BAD_SIGNATURE + "signing method"),
    ("no alg", token(header={"alg": ...}), REFUSED, BAD_SIGNATURE + "signing method"),
    ("alg is a number", token(header={"alg": 256}), REFUSED, BAD_SIGNATURE + "signing method"),
    ("es256", token(header={"alg": "es256"}), REFUSED, BAD_SIGNATURE + "signing method"),
    ("RS256 by an EC key", token("RS256", header={"kid": "ec256"}), REFUSED,
     BAD_SIGNATURE + "the key is not for RS256"),
    ("ES256 by an RSA key", token("ES256", header={"kid": "rsa"}), REFUSED,
     BAD_SIGNATURE + "the key is not for ES256"),
    ("PS256 by a key for RS256", token("PS256", header={"kid": "rsa-only-256"}, key=RSA_ONLY_256),
     REFUSED, BAD_SIGNATURE + "the key is not for PS256"),
    ("RS512 by a key for RS256", token("RS512", header={"kid": "rsa-only-256"}, key=RSA_ONLY_256),
     REFUSED, BAD_SIGNATURE + "the key is not for RS512"),
    ("ES256 by a P-384 key", token(header={"kid": "ec384"}, signer=lambda d: sign_ec(EC["384"], "256", d, 48)),
     REFUSED, BAD_SIGNATURE + "the key is not for ES256"),
    ("RS256 that is PS256", token(header={"alg": "RS256", "kid": "rsa"},
                                  signer=lambda d: sign("PS256", d)), REFUSED,
     BAD_SIGNATURE + "RS256: verification error"),
    ("PS256 that is RS256", token(header={"alg": "PS256", "kid": "rsa"},
                                  signer=lambda d: sign("RS256", d)), REFUSED,
     BAD_SIGNATURE + "PS256: verification error"),
    ("RS256 that is RS512", token(header={"alg": "RS256", "kid": "rsa"},
                                  signer=lambda d: sign("RS512", d)), REFUSED,
     BAD_SIGNATURE + "RS256: verification error"),
    # Signatures.
    ("another's ES256 key", token(key=STRANGER["256"]), REFUSED, BAD_SIGNATURE + "ES256"),
    ("another's ES512 key", token("ES512", key=STRANGER["512"]), REFUSED, BAD_SIGNATURE + "ES512"),
    ("another's RS256 key", token("RS256", key=RSA_ONLY_256), REFUSED, BAD_SIGNATURE + "RS256"),
    ("a changed payload", tampered(good, 1), REFUSED, ""),
    ("a changed ES256 signature", tampered(good, 2), REFUSED, BAD_SIGNATURE + "ES256"),
    ("a changed RS384 signature", tampered(token("RS384"), 2), REFUSED, BAD_SIGNATURE + "RS384"),
    ("a changed PS512 signature", tampered(token("PS512"), 2), REFUSED, BAD_SIGNATURE + "PS512"),
    ("an ES256 signature in DER", token(signer=lambda d: EC["256"].sign(
        d, ec.ECDSA(hashes.SHA256()))), REFUSED, BAD_SIGNATURE + "ES256"),
    ("an ES256 signature that is a byte short", token(
        signer=lambda d: sign("ES256", d)[:-1]), REFUSED, BAD_SIGNATURE + "ES256"),
    ("an ES256 signature that is a byte long", token(
        signer=lambda d: sign("ES256", d) + b"\0"), REFUSED, BAD_SIGNATURE + "ES256"),
    ("an ES256 signature as wide as ES384", token(
        signer=lambda d: sign_ec(EC["256"], "256", d, 48)), REFUSED, BAD_SIGNATURE + "ES256"),
    ("an ES256 signature of zeros", token(signer=lambda d: bytes(64)), REFUSED,
     BAD_SIGNATURE + "ES256"),
    ("an ES256 signature of the order", token(
        signer=lambda d: 2 * ORDER_P256.to_bytes(32, "big")), REFUSED, BAD_SIGNATURE + "ES256"),
    ("no signature", good.rsplit(".", 1)[0] + ".", REFUSED, BAD_SIGNATURE + "ES256"),
    ("an RS256 signature of zeros", token("RS256", signer=lambda d: bytes(256)), REFUSED,
     BAD_SIGNATURE + "RS256"),
    ("an RS256 signature that is a byte short", token(
        "RS256", signer=lambda d: sign("RS256", d)[:-1]), REFUSED, BAD_SIGNATURE + "RS256"),
    ("an RS256 signature with a byte in front", token(
        "RS256", signer=lambda d: b"\0" + sign("RS256", d)), REFUSED, BAD_SIGNATURE + "RS256"),
    ("crit", token(header={"crit": ["exp"]}), REFUSED, "token is unverifiable: critical header"),
    # Key ids.
    ("an unknown kid", token(header={"kid": "next"}), UNKNOWN,
     "token is unverifiable: error while executing keyfunc: invalid kid: next"),
    ("a kid of another case", token(header={"kid": "EC256"}), UNKNOWN, "invalid kid: EC256"),
    ("an empty kid", token(header={"kid": ""}), UNKNOWN, "invalid kid"),
    ("a kid with a line break", token(header={"kid": "a\nb"}), UNKNOWN, "invalid kid"),
    ("a long kid", token(header={"kid": "k" * 65}), UNKNOWN, "invalid kid"),
    ("no kid", token(header={"kid": ...}), REFUSED, "token is unverifiable"),
    ("a kid that is a number", token(header={"kid": 1}), REFUSED, "token is unverifiable"),
    ("a kid that is null", token(header={"kid": None}), REFUSED, "token is unverifiable"),
    # Form.
    ("nothing", "", REFUSED, MALFORMED + "token contains an invalid number of segments"),
    ("one part", "abc", REFUSED, MALFORMED + "token contains"),
    ("two parts", good.rsplit(".", 1)[0], REFUSED, MALFORMED + "token contains"),
    ("four parts", good + ".x", REFUSED, MALFORMED + "token contains"),
    ("an encrypted token", good + ".x.y", REFUSED, MALFORMED + "token contains"),
    ("empty parts", "..", REFUSED, MALFORMED + "header"),
    ("padding", good + "==", REFUSED, MALFORMED + "signature: not base64url"),
    ("standard base64", good.split(".")[0] + "+." + good.split(".", 1)[1], REFUSED,
     MALFORMED + "header: not base64url"),
    ("a blank", " " + good, REFUSED, MALFORMED + "header: not base64url"),
    ("another spelling of the last digit", None, REFUSED, MALFORMED + "signature: not base64url"),
    ("a header that is no JSON", token(header=b"{"), REFUSED, MALFORMED + "header: bad JSON"),
    ("a header that is a list", token(header=b"[]"), REFUSED, MALFORMED + "header: must be"),
    ("a header with bytes behind it", token(header=b'{"alg":"ES256","kid":"ec256"}x'), REFUSED,
     MALFORMED + "header: bad JSON"),
    ("claims that are no JSON", token(payload=b"x"), REFUSED, MALFORMED + "claims: bad JSON"),
    ("claims that are a text", token(payload=b'"x"'), REFUSED, MALFORMED + "claims: must be"),
    ("claims that are not UTF-8", token(payload=b'{"iss":"\xff\xfe"}'), REFUSED,
     MALFORMED + "claims: bad JSON"),
    ("a NUL in the claims", token(payload=b'{"iss":"a\\u0000b"}'), REFUSED,
     MALFORMED + "claims: bad JSON"),
    ("a header that is not UTF-8", token(header=b'{"alg":"ES256","kid":"\xc0\xaf"}'), REFUSED,
     MALFORMED + "header: bad JSON"),
    # Times.
    ("expired", token(payload=claims(exp=NOW - 60)), REFUSED, BAD_CLAIMS + "token is expired"),
    ("expired a second ago", token(payload=claims(exp=NOW - 1)), REFUSED,
     BAD_CLAIMS + "token is expired"),
    ("expired within the leeway", token(payload=claims(exp=NOW - 0.5)), OK, ""),
    ("expires now", token(payload=claims(exp=NOW)), OK, ""),
    ("no exp", token(payload=claims(exp=...)), REFUSED, BAD_CLAIMS + "exp claim is required"),
    ("exp is null", token(payload=claims(exp=None)), REFUSED, BAD_CLAIMS + "exp claim is required"),
    ("exp is a text", token(payload=claims(exp=str(NOW + 60))), REFUSED, BAD_CLAIMS + "exp is not"),
    ("exp is negative", token(payload=claims(exp=-1)), REFUSED, BAD_CLAIMS + "token is expired"),
    ("exp is far away", token(payload=claims(exp=1e300)), OK, ""),
    ("EXP only", token(payload=claims(exp=..., EXP=NOW + 60)), REFUSED, BAD_CLAIMS + "exp claim"),
    ("nbf in the future", token(payload=claims(nbf=NOW + 60)), REFUSED,
     BAD_CLAIMS + "token is not valid yet"),
    ("nbf within the leeway", token(payload=claims(nbf=NOW + 1)), OK, ""),
    ("nbf beyond the leeway", token(payload=claims(nbf=NOW + 1.5)), REFUSED,
     BAD_CLAIMS + "token is not valid yet"),
    ("nbf is a text", token(payload=claims(nbf="0")), REFUSED, BAD_CLAIMS + "nbf is not"),
    ("no nbf", token(payload=claims(nbf=...)), OK, ""),
    ("iat in the future", token(payload=claims(iat=NOW + 600)), OK, ""),
    # Parties.
    ("another issuer", token(payload=claims(iss="http://evil")), REFUSED,
     BAD_CLAIMS + "token has invalid issuer"),
    ("an issuer that begins like ours", token(payload=claims(iss=ISSUER + "0")), REFUSED,
     BAD_CLAIMS + "token has invalid issuer"),
    ("no issuer", token(payload=claims(iss=...)), REFUSED, BAD_CLAIMS + "token has invalid issuer"),
    ("a list of issuers", token(payload=claims(iss=[ISSUER])), REFUSED,
     BAD_CLAIMS + "token has invalid issuer"),
    ("audience as a text", token(payload=claims(aud=ISSUER)), OK, ""),
    ("one of several audiences", token(payload=claims(aud=["x", 1, None, ISSUER])), OK, ""),
    ("another audience", token(payload=claims(aud="http://evil")), REFUSED,
     BAD_CLAIMS + "token has invalid audience"),
    ("other audiences", token(payload=claims(aud=["a", "b"])), REFUSED,
     BAD_CLAIMS + "token has invalid audience"),
    ("an empty audience", token(payload=claims(aud=[])), REFUSED,
     BAD_CLAIMS + "token has invalid audience"),
    ("no audience", token(payload=claims(aud=...)), REFUSED,
     BAD_CLAIMS + "token has invalid audience"),
    # Permissions.
    ("no function claim", token(payload=claims(function=...)), FORBIDDEN,
     "insufficient permissions"),
    ("a function claim that is null", token(payload=claims(function=None)), FORBIDDEN, ""),
    ("an empty function claim", token(payload=claims(function={})), FORBIDDEN, ""),
    ("no permissions", token(payload=allowing()), FORBIDDEN, ""),
    ("a function claim that is a text", token(payload=claims(function="*")), REFUSED,
     MALFORMED + "function is not"),
    ("permissions that are a text", token(payload=claims(function={"permissions": "*"})), REFUSED,
     MALFORMED + "function.permissions is not"),
    ("permissions with a number", token(payload=claims(function={"permissions": ["*", 1]})),
     REFUSED, MALFORMED + "function.permissions is not"),
    ("an audience that is a text", token(payload=allowing("*", audience="*")), REFUSED,
     MALFORMED + "function.audience is not"),
    ("everything", token(payload=allowing("*")), OK, ""),
    ("this function", token(payload=allowing(f"{NAMESPACE}:{NAME}")), OK, ""),
    ("the second of two", token(payload=allowing("a:b", f"*:{NAME}")), OK, ""),
    ("a pattern in the middle", token(payload=allowing("open*:fig*t")), OK, ""),
    ("another function", token(payload=allowing(f"{NAMESPACE}:env")), FORBIDDEN, ""),
    ("another namespace", token(payload=allowing(f"dev:{NAME}")), FORBIDDEN, ""),
    ("the end of the name only", token(payload=allowing(f"faas-fn:{NAME}")), FORBIDDEN, ""),
    ("the beginning of the name only", token(payload=allowing(f"{NAMESPACE}:fig")), FORBIDDEN, ""),
    ("an empty pattern", token(payload=allowing("")), FORBIDDEN, ""),
    ("a pattern is no regular expression", token(payload=allowing("openfaas.fn:.+")), FORBIDDEN,
     ""),
    ("an audience that has it", token(payload=allowing("*", audience=[f"{NAMESPACE}:*"])), OK, ""),
    ("an empty list of audiences", token(payload=allowing("*", audience=[])), OK, ""),
    ("an audience without it", token(payload=allowing("*", audience=["dev:*"])), FORBIDDEN, ""),
    ("an audience without permissions", token(payload=allowing(audience=["*"])), FORBIDDEN, ""),
]


def other_last_digit(text):
    """64 bytes end in a digit of which four bits do not count: set one of them."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + digits[digits.index(text[-1]) + 1]


CASES = [(name, other_last_digit(good) if text is None else text, verdict, message)
         for name, text, verdict, message in CASES]


def c_string(text):
    return json.dumps(text)


def write_header(path):
    with open(path, "w") as f:
        f.write("/* Written by make_jwt_vectors.py. */\n#ifndef FAAS_TESTS_JWT_VECTORS_H\n"
                "#define FAAS_TESTS_JWT_VECTORS_H\n\n#include \"libfaas/jwt.h\"\n\n"
                f"#define JWT_NOW_S {NOW}\n#define JWT_ISSUER \"{ISSUER}\"\n"
                f"#define JWT_SUBJECT \"{NAMESPACE}:{NAME}\"\n"
                f"#define JWT_GOOD_KEYS {len(GOOD_KEYS)}\n\n"
                "struct jwt_vector {\n    const char *name;\n    const char *token;\n"
                "    enum faas_jwt_verdict verdict;\n    const char *message; /* part of it */\n"
                "};\n\n/* clang-format off */\n"
                f"static const char jwt_jwks[] FAAS_UNUSED =\n    {c_string(JWKS)};\n"
                f"static const char jwt_bad_jwks[] FAAS_UNUSED =\n    {c_string(BAD_JWKS)};\n"
                "/* why each of those is left out */\n"
                "static const char *const jwt_bad_reasons[] FAAS_UNUSED = {\n")
        f.writelines(f"    {c_string(reason)},\n" for _, reason in BAD_KEYS)
        f.write("};\nstatic const struct jwt_vector jwt_vectors[] FAAS_UNUSED = {\n")
        f.writelines(f"    {{{c_string(name)}, {c_string(text)}, {verdict}, {c_string(message)}}},\n"
                     for name, text, verdict, message in CASES)
        f.write("};\n/* clang-format on */\n\n#endif\n")


def write_seeds(folder, seeds):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for i, seed in enumerate(seeds):
        with open(os.path.join(folder, f"{i:02d}"), "wb") as f:
            f.write(seed)


def main():
    write_header(os.path.join(HERE, "jwt_vectors.h"))
    wanted = ("a good", "alg none", "crit", "an unknown kid", "claims that are no JSON")
    tokens = [text for name, text, _, _ in CASES if name.startswith(wanted)]
    bare_claims = [claims(), claims(aud=ISSUER), claims(function=...), allowing("*", audience=["a*b"])]
    write_seeds(os.path.join(CORPUS, "jwt"), [b"t" + t.encode() for t in tokens] +
                [b"c" + json.dumps(c).encode() for c in bare_claims])
    write_seeds(os.path.join(CORPUS, "jwks"), [JWKS.encode(), BAD_JWKS.encode()] +
                [json.dumps({"keys": [k]}).encode() for k in GOOD_KEYS[:5]] +
                [b'{"keys":[]}', b"{}", b"[]"])


if __name__ == "__main__":
    main()
