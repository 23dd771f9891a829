#include "gateway/async/call_id.h"

#include <inttypes.h>
#include <stdio.h>

enum { MS_BITS = 48, SEQUENCE_BITS = 36 };

struct faas_str gw_call_id_tail(struct faas_str uuid)
{
    size_t n = FAAS_MIN(uuid.len, (size_t)GW_CALL_ID_TAIL);

    return (struct faas_str){uuid.ptr + uuid.len - n, n};
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(struct faas_str s, uint64_t *n)
{
    for (size_t i = 0; i < s.len; i++) {
        int digit = hex_value(s.ptr[i]);

        if (digit < 0)
            return false;
        *n = *n << 4 | (unsigned)digit;
    }
    return true;
}

static char *put_hex(char *out, uint64_t n, unsigned from_digit, unsigned n_digits)
{
    static const char digits[] = "0123456789abcdef";

    for (unsigned i = 0; i < n_digits; i++)
        *out++ = digits[n >> 4 * (from_digit - 1 - i) & 15];
    return out;
}

bool gw_call_id_format(char out[GW_CALL_ID_LEN + 1], struct faas_str entry, struct faas_str tail)
{
    struct faas_str sequence = entry, ms = faas_str_split(&sequence, '-');
    uint64_t m, s, ignored = 0;

    if (!sequence.ptr || faas_parse_u64(ms, &m, NULL) < 0 ||
        faas_parse_u64(sequence, &s, NULL) < 0 || m >> MS_BITS || s >> SEQUENCE_BITS ||
        tail.len != GW_CALL_ID_TAIL || !read_hex(tail, &ignored))
        return false;
    out = put_hex(out, m, 12, 8);
    *out++ = '-';
    out = put_hex(out, m, 4, 4);
    *out++ = '-';
    *out++ = '8';
    out = put_hex(out, s, 9, 3);
    *out++ = '-';
    *out++ = '8';
    out = put_hex(out, s, 6, 3);
    *out++ = '-';
    out = put_hex(out, s, 3, 3);
    memcpy(out, tail.ptr, tail.len);
    out[tail.len] = '\0';
    return true;
}

bool gw_call_id_parse(struct faas_str id, char entry[GW_ENTRY_ID_SIZE], struct faas_str *tail)
{
    static const char form[] = "xxxxxxxx-xxxx-8xxx-8xxx-xxxxxxxxxxxx";
    static const struct {
        unsigned from, n;
    } ms[] = {{0, 8}, {9, 4}}, sequence[] = {{15, 3}, {20, 3}, {24, 3}};
    uint64_t m = 0, s = 0;

    if (id.len != GW_CALL_ID_LEN)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (form[i] == 'x' ? hex_value(id.ptr[i]) < 0 : id.ptr[i] != form[i])
            return false;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(ms); i++)
        read_hex((struct faas_str){id.ptr + ms[i].from, ms[i].n}, &m);
    for (size_t i = 0; i < FAAS_ARRAY_LEN(sequence); i++)
        read_hex((struct faas_str){id.ptr + sequence[i].from, sequence[i].n}, &s);
    snprintf(entry, GW_ENTRY_ID_SIZE, "%" PRIu64 "-%" PRIu64, m, s);
    *tail = gw_call_id_tail(id);
    return true;
}
