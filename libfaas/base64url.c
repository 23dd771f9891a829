#include "libfaas/base64url.h"

static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int faas_base64url_decode(struct faas_buf *out, struct faas_str in, struct faas_error *err)
{
    char *to = faas_buf_reserve(out, in.len / 4 * 3 + 3);
    uint32_t bits = 0;
    unsigned n_bits = 0;
    size_t len = 0;

    if (in.len % 4 == 1)
        return faas_fail(err, FAAS_ERR_INVALID, "not base64url: no value is that long");
    for (size_t i = 0; i < in.len; i++) {
        int v = sextet(in.ptr[i]);

        if (v < 0)
            return faas_fail(err, FAAS_ERR_INVALID, "not base64url: bad character at %zu", i);
        bits = bits << 6 | (uint32_t)v;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            to[len++] = (char)(bits >> n_bits);
        }
    }
    /* The rest of the last digit is zero, so that equal values have one spelling. */
    if (bits & ((1u << n_bits) - 1))
        return faas_fail(err, FAAS_ERR_INVALID, "not base64url: stray bits at the end");
    to[len] = '\0';
    out->len += len;
    return 0;
}
