#include "libfaas/base64.h"

struct alphabet {
    const char *name;
    char digit_62, digit_63;
};

static const struct alphabet standard = {"base64", '+', '/'};
static const struct alphabet url = {"base64url", '-', '_'};

void faas_base64_encode(struct faas_buf *out, const void *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = p;
    char *to = faas_buf_reserve(out, (n + 2) / 3 * 4 + 1);
    size_t len = 0;

    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t group = (uint32_t)in[i] << 16;

        if (left > 1)
            group |= (uint32_t)in[i + 1] << 8;
        if (left > 2)
            group |= in[i + 2];
        to[len++] = digits[group >> 18];
        to[len++] = digits[group >> 12 & 63];
        to[len++] = left > 1 ? digits[group >> 6 & 63] : '=';
        to[len++] = left > 2 ? digits[group & 63] : '=';
    }
    to[len] = '\0';
    out->len += len;
}

static int sextet(const struct alphabet *a, char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == a->digit_62 ? 62 : c == a->digit_63 ? 63 : -1;
}

static int decode(const struct alphabet *a, struct faas_str digits, struct faas_buf *out,
                  struct faas_error *err)
{
    char *to = faas_buf_reserve(out, digits.len / 4 * 3 + 3);
    uint32_t bits = 0;
    unsigned n_bits = 0;
    size_t len = 0;

    for (size_t i = 0; i < digits.len; i++) {
        int v = sextet(a, digits.ptr[i]);

        if (v < 0)
            return faas_fail(err, FAAS_ERR_INVALID, "not %s: bad character at %zu", a->name, i);
        bits = bits << 6 | (uint32_t)v;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            to[len++] = (char)(bits >> n_bits);
        }
    }
    /* The rest of the last digit is zero, so that equal values have one spelling. */
    if (bits & ((1u << n_bits) - 1))
        return faas_fail(err, FAAS_ERR_INVALID, "not %s: stray bits at the end", a->name);
    to[len] = '\0';
    out->len += len;
    return 0;
}

int faas_base64_decode(struct faas_buf *out, struct faas_str in, struct faas_error *err)
{
    size_t padding = 0;

    if (in.len % 4 != 0)
        return faas_fail(err, FAAS_ERR_INVALID, "not base64: the length is no multiple of 4");
    while (padding < 2 && padding < in.len && in.ptr[in.len - 1 - padding] == '=')
        padding++;
    in.len -= padding;
    return decode(&standard, in, out, err);
}

int faas_base64url_decode(struct faas_buf *out, struct faas_str in, struct faas_error *err)
{
    if (in.len % 4 == 1)
        return faas_fail(err, FAAS_ERR_INVALID, "not base64url: no value is that long");
    return decode(&url, in, out, err);
}
