#include "libfaas/str.h"

#include "libfaas/alloc.h"

#include <stdio.h>

/* A quoted value of an outsider is cut, so that the sentence around it survives. */
#define QUOTE_MAX 64

static unsigned char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : (unsigned char)c;
}

static bool ieq_n(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i] && lower(a[i]) != lower(b[i]))
            return false;
    }
    return true;
}

static struct faas_str from(struct faas_str s, size_t i)
{
    return (struct faas_str){.ptr = s.ptr + i, .len = s.len - i};
}

bool faas_str_ieq(struct faas_str a, struct faas_str b)
{
    return a.len == b.len && ieq_n(a.ptr, b.ptr, a.len);
}

bool faas_str_starts(struct faas_str s, struct faas_str prefix)
{
    return s.len >= prefix.len && faas_str_eq((struct faas_str){s.ptr, prefix.len}, prefix);
}

bool faas_str_istarts(struct faas_str s, struct faas_str prefix)
{
    return s.len >= prefix.len && ieq_n(s.ptr, prefix.ptr, prefix.len);
}

bool faas_str_ends(struct faas_str s, struct faas_str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || faas_str_eq(from(s, s.len - suffix.len), suffix));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct faas_str faas_str_trim(struct faas_str s)
{
    while (s.len > 0 && is_space(s.ptr[0]))
        s = from(s, 1);
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

ptrdiff_t faas_str_find(struct faas_str s, char c)
{
    const char *p = s.len ? memchr(s.ptr, c, s.len) : NULL;

    return p ? p - s.ptr : -1;
}

ptrdiff_t faas_str_rfind(struct faas_str s, char c)
{
    const char *p = s.len ? memrchr(s.ptr, c, s.len) : NULL;

    return p ? p - s.ptr : -1;
}

struct faas_str faas_str_split(struct faas_str *rest, char sep)
{
    struct faas_str item = *rest;
    ptrdiff_t at = faas_str_find(item, sep);

    if (at < 0) {
        *rest = (struct faas_str){0};
        return item;
    }
    *rest = from(item, (size_t)at + 1);
    item.len = (size_t)at;
    return item;
}

char *faas_str_dup(struct faas_str s)
{
    return faas_strndup(s.len ? s.ptr : "", s.len);
}

static int fail_text(struct faas_error *err, struct faas_str s, const char *why)
{
    struct faas_str shown = {.ptr = s.ptr, .len = FAAS_MIN(s.len, (size_t)QUOTE_MAX)};

    return faas_fail(err, FAAS_ERR_INVALID, "\"%.*s%s\" %s", FAAS_STR_FMT(shown),
                     s.len > QUOTE_MAX ? "..." : "", why);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads digits off the front. False on overflow. *taken tells how many there were. */
static bool take_u64(struct faas_str *s, uint64_t *out, size_t *taken)
{
    uint64_t n = 0;
    size_t i = 0;

    for (; i < s->len && is_digit(s->ptr[i]); i++) {
        if (__builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, (uint64_t)(s->ptr[i] - '0'), &n))
            return false;
    }
    if (i > 0)
        *s = from(*s, i);
    *out = n;
    *taken = i;
    return true;
}

static bool take_sign(struct faas_str *s)
{
    bool neg = s->len > 0 && s->ptr[0] == '-';

    if (neg || (s->len > 0 && s->ptr[0] == '+'))
        *s = from(*s, 1);
    return neg;
}

int faas_parse_u64(struct faas_str s, uint64_t *out, struct faas_error *err)
{
    struct faas_str rest = s;
    uint64_t n;
    size_t digits;

    if (!take_u64(&rest, &n, &digits))
        return fail_text(err, s, "is too large a number");
    if (digits == 0 || rest.len > 0)
        return fail_text(err, s, "is not a whole number");
    *out = n;
    return 0;
}

int faas_parse_i64(struct faas_str s, int64_t *out, struct faas_error *err)
{
    struct faas_str rest = s;
    bool neg = take_sign(&rest);
    uint64_t n;
    size_t digits;

    if (!take_u64(&rest, &n, &digits) || n > (uint64_t)INT64_MAX + neg)
        return fail_text(err, s, "is too large a number");
    if (digits == 0 || rest.len > 0)
        return fail_text(err, s, "is not a whole number");
    *out = (int64_t)(neg ? -n : n);
    return 0;
}

static const struct duration_unit {
    struct faas_str name;
    uint64_t ns;
} duration_units[] = {
    /* "ms" stands before "m": the longest match is tried first */
    {FAAS_STR_INIT("ns"), 1},
    {FAAS_STR_INIT("us"), 1000},
    {FAAS_STR_INIT("\xc2\xb5s"), 1000}, /* U+00B5, the micro sign */
    {FAAS_STR_INIT("\xce\xbcs"), 1000}, /* U+03BC, the Greek letter */
    {FAAS_STR_INIT("ms"), 1000 * 1000},
    {FAAS_STR_INIT("s"), 1000 * 1000 * 1000},
    {FAAS_STR_INIT("m"), 60ull * 1000 * 1000 * 1000},
    {FAAS_STR_INIT("h"), 3600ull * 1000 * 1000 * 1000},
};

static uint64_t take_duration_unit(struct faas_str *s)
{
    for (size_t i = 0; i < FAAS_ARRAY_LEN(duration_units); i++) {
        if (faas_str_starts(*s, duration_units[i].name)) {
            *s = from(*s, duration_units[i].name.len);
            return duration_units[i].ns;
        }
    }
    return 0;
}

/* Digits behind the point, as n / scale. More of them than a double can tell apart are skipped. */
static size_t take_fraction(struct faas_str *s, uint64_t *n, double *scale)
{
    size_t i = 0;

    *n = 0;
    *scale = 1;
    for (; i < s->len && is_digit(s->ptr[i]); i++) {
        if (*n <= INT64_MAX / 10) {
            *n = *n * 10 + (uint64_t)(s->ptr[i] - '0');
            *scale *= 10;
        }
    }
    if (i > 0)
        *s = from(*s, i);
    return i;
}

/* One "1.5h" off the front. The fraction goes through a double because Go's does: people compare
 * the two, and 0.3333333333333333333h is to be 20 minutes in both. */
static bool take_duration_part(struct faas_str *s, uint64_t *out_ns)
{
    uint64_t whole, fraction = 0, unit;
    size_t digits, fraction_digits = 0;
    double scale = 1;

    if (!take_u64(s, &whole, &digits))
        return false;
    if (s->len > 0 && s->ptr[0] == '.') {
        *s = from(*s, 1);
        fraction_digits = take_fraction(s, &fraction, &scale);
    }
    if (digits + fraction_digits == 0)
        return false;
    unit = take_duration_unit(s);
    return unit != 0 && !__builtin_mul_overflow(whole, unit, &whole) &&
           !__builtin_add_overflow(whole, (uint64_t)((double)fraction * ((double)unit / scale)),
                                   out_ns);
}

static bool go_duration(struct faas_str s, int64_t *out_ns)
{
    bool neg = take_sign(&s);
    uint64_t total = 0, part;

    if (faas_str_eq(s, FAAS_STR("0"))) {
        *out_ns = 0;
        return true;
    }
    do {
        if (!take_duration_part(&s, &part) || __builtin_add_overflow(total, part, &total))
            return false;
    } while (s.len > 0);
    if (total > (uint64_t)INT64_MAX + neg)
        return false;
    *out_ns = (int64_t)(neg ? -total : total);
    return true;
}

int faas_parse_go_duration(struct faas_str s, int64_t *out_ns, struct faas_error *err)
{
    if (!go_duration(s, out_ns))
        return fail_text(err, s, "is not a duration such as 1m30s or 250ms");
    return 0;
}

int faas_parse_duration(struct faas_str s, int64_t *out_ms, struct faas_error *err)
{
    int64_t n;

    if (faas_parse_i64(s, &n, NULL) == 0) {
        if (n >= 0 && !__builtin_mul_overflow(n, 1000, out_ms))
            return 0;
        return fail_text(err, s, n < 0 ? "is negative" : "is too long");
    }
    if (!go_duration(s, &n))
        return fail_text(err, s, "is neither seconds nor a duration such as 1m30s or 250ms");
    if (n < 0)
        return fail_text(err, s, "is negative");
    *out_ms = n > 0 && n < 1000000 ? 1 : n / 1000000;
    return 0;
}

/* Reads "k", "KiB" and their like. False when the text is none of them. */
static bool size_shift(struct faas_str unit, unsigned *shift)
{
    static const char letters[] = "kmgtp";
    const char *at;

    *shift = 0;
    if (unit.len > 0 && (at = memchr(letters, lower(unit.ptr[0]), sizeof(letters) - 1))) {
        *shift = 10 * (unsigned)(at - letters + 1);
        unit = from(unit, 1);
        if (unit.len > 0 && unit.ptr[0] == 'i')
            unit = from(unit, 1);
    }
    return unit.len == 0 || faas_str_ieq(unit, FAAS_STR("b"));
}

int faas_parse_size(struct faas_str s, uint64_t *out, struct faas_error *err)
{
    struct faas_str rest = s;
    uint64_t n;
    size_t digits;
    unsigned shift;

    if (!take_u64(&rest, &n, &digits))
        return fail_text(err, s, "is too large a size");
    if (digits == 0 || !size_shift(rest, &shift))
        return fail_text(err, s, "is not a size such as 4096, 64KiB or 8M");
    if (__builtin_mul_overflow(n, 1ull << shift, out))
        return fail_text(err, s, "is too large a size");
    return 0;
}

/* Writes n / 10^places without trailing zeros: (1500, 3) is "1.5". */
static int format_decimal(char *out, size_t size, uint64_t n, unsigned places)
{
    uint64_t scale = 1;
    unsigned drop = 0;

    for (unsigned i = 0; i < places; i++)
        scale *= 10;
    if (n % scale == 0)
        return snprintf(out, size, "%llu", (unsigned long long)(n / scale));
    for (uint64_t f = n % scale; f % 10 == 0; f /= 10)
        drop++;
    return snprintf(out, size, "%llu.%0*llu", (unsigned long long)(n / scale), (int)(places),
                    (unsigned long long)(n % scale)) -
           (int)drop;
}

size_t faas_format_u64(uint64_t n, char out[21])
{
    char digits[20];
    size_t at = sizeof(digits), len;

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    len = sizeof(digits) - at;
    memcpy(out, digits + at, len);
    out[len] = '\0';
    return len;
}

void faas_format_go_duration(int64_t ns, char out[32])
{
    uint64_t n = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    uint64_t minutes = n / 60000000000ull;
    char *p = out, *const end = out + 32;
    const char *unit = "s";

    if (ns < 0)
        *p++ = '-';
    if (n == 0) {
        *p++ = '0';
    } else if (n < 1000) {
        p += format_decimal(p, (size_t)(end - p), n, 0);
        unit = "ns";
    } else if (n < 1000000) {
        p += format_decimal(p, (size_t)(end - p), n, 3);
        unit = "\xc2\xb5s";
    } else if (n < 1000000000) {
        p += format_decimal(p, (size_t)(end - p), n, 6);
        unit = "ms";
    } else {
        if (minutes >= 60)
            p += snprintf(p, (size_t)(end - p), "%lluh", (unsigned long long)(minutes / 60));
        if (minutes > 0)
            p += snprintf(p, (size_t)(end - p), "%llum", (unsigned long long)(minutes % 60));
        p += format_decimal(p, (size_t)(end - p), n % 60000000000ull, 9);
    }
    snprintf(p, (size_t)(end - p), "%s", unit);
}
