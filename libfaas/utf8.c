#include "libfaas/utf8.h"

static bool decode(struct faas_str s, size_t n, uint32_t first_bits, uint32_t least, uint32_t *cp)
{
    uint32_t c = first_bits;

    if (s.len < n)
        return false;
    for (size_t i = 1; i < n; i++) {
        unsigned char b = (unsigned char)s.ptr[i];

        if ((b & 0xc0) != 0x80)
            return false;
        c = c << 6 | (b & 0x3f);
    }
    if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return false;
    *cp = c;
    return true;
}

size_t faas_utf8_next(struct faas_str s, uint32_t *cp, bool *valid)
{
    unsigned char b = (unsigned char)s.ptr[0];

    *valid = true;
    if (b < 0x80) {
        *cp = b;
        return 1;
    }
    if ((b & 0xe0) == 0xc0 && decode(s, 2, b & 0x1f, 0x80, cp))
        return 2;
    if ((b & 0xf0) == 0xe0 && decode(s, 3, b & 0x0f, 0x800, cp))
        return 3;
    if ((b & 0xf8) == 0xf0 && decode(s, 4, b & 0x07, 0x10000, cp))
        return 4;
    *valid = false;
    *cp = FAAS_UTF8_REPLACEMENT;
    return 1;
}
