/* Kubernetes quantities, which str.h declares. Apart from the other numbers because exactness takes
 * 128 bits, which 32-bit targets do not have: only the gateway's side reads quantities. */
#include "libfaas/macros.h"
#include "libfaas/str.h"

static int fail(struct faas_error *err, struct faas_str s, const char *why)
{
    return faas_fail(err, FAAS_ERR_INVALID, "\"%.*s\" %s", (int)FAAS_MIN(s.len, (size_t)64), s.ptr,
                     why);
}

static struct faas_str skip(struct faas_str s, size_t n)
{
    return (struct faas_str){.ptr = s.ptr + n, .len = s.len - n};
}

/* A quantity is mantissa * mul / div, so that 0.1 and 100m are exact. */
struct quantity {
    unsigned __int128 n;
    unsigned __int128 div;
    bool inexact; /* digits beyond the ninth behind the point were not zero */
};

static bool times(unsigned __int128 *n, uint64_t by)
{
    return !__builtin_mul_overflow(*n, (unsigned __int128)by, n);
}

static size_t count_digits(struct faas_str s)
{
    size_t n = 0;

    while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9')
        n++;
    return n;
}

static void add_fraction(struct faas_str digits, struct quantity *q)
{
    for (size_t i = 0; i < digits.len; i++) {
        if (i >= 9) {
            q->inexact = q->inexact || digits.ptr[i] != '0';
            continue;
        }
        q->n = q->n * 10 + (unsigned)(digits.ptr[i] - '0');
        q->div *= 10;
    }
}

static bool take_mantissa(struct faas_str *s, struct quantity *q)
{
    size_t whole = count_digits(*s), fraction = 0;
    uint64_t n = 0;

    if (whole > 0 && faas_parse_u64((struct faas_str){.ptr = s->ptr, .len = whole}, &n, NULL) < 0)
        return false;
    *q = (struct quantity){.n = n, .div = 1};
    *s = skip(*s, whole);
    if (s->len > 0 && s->ptr[0] == '.') {
        *s = skip(*s, 1);
        fraction = count_digits(*s);
        add_fraction((struct faas_str){.ptr = s->ptr, .len = fraction}, q);
        *s = skip(*s, fraction);
    }
    return whole + fraction > 0;
}

static bool apply_exponent(struct faas_str digits, struct quantity *q)
{
    int64_t e;

    if (faas_parse_i64(digits, &e, NULL) < 0 || e < -27 || e > 27)
        return false;
    for (; e > 0; e--) {
        if (!times(&q->n, 10))
            return false;
    }
    for (; e < 0; e++) {
        if (!times(&q->div, 10))
            return false;
    }
    return true;
}

static bool apply_suffix(struct faas_str s, struct quantity *q)
{
    static const char *const binary[] = {"Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    static const struct {
        char name;
        uint64_t mul, div;
    } decimal[] = {
        {'n', 1, 1000000000},    {'u', 1, 1000000},          {'m', 1, 1000},
        {'k', 1000, 1},          {'M', 1000000, 1},          {'G', 1000000000, 1},
        {'T', 1000000000000, 1}, {'P', 1000000000000000, 1}, {'E', 1000000000000000000, 1},
    };

    if (s.len == 0)
        return true;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(binary); i++) {
        if (faas_str_eqz(s, binary[i]))
            return times(&q->n, 1ull << (10 * (i + 1)));
    }
    for (size_t i = 0; s.len == 1 && i < FAAS_ARRAY_LEN(decimal); i++) {
        if (s.ptr[0] == decimal[i].name)
            return times(&q->n, decimal[i].mul) && times(&q->div, decimal[i].div);
    }
    return (s.ptr[0] == 'e' || s.ptr[0] == 'E') && apply_exponent(skip(s, 1), q);
}

int faas_parse_quantity(struct faas_str s, int64_t *out_milli, struct faas_error *err)
{
    struct faas_str rest = s;
    struct quantity q;
    unsigned __int128 milli;

    if (s.len > 0 && s.ptr[0] == '+')
        rest = skip(s, 1);
    if (!take_mantissa(&rest, &q) || !apply_suffix(rest, &q) || !times(&q.n, 1000))
        return fail(err, s, "is not a quantity such as 128Mi, 500m or 0.5");
    /* Kubernetes rounds up: a limit that was asked for never becomes none */
    milli = q.n / q.div + (q.inexact || q.n % q.div != 0);
    if (milli > INT64_MAX)
        return fail(err, s, "is too large a quantity");
    *out_milli = (int64_t)milli;
    return 0;
}
