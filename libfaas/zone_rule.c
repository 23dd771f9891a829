#include "libfaas/zone_rule.h"

#include "libfaas/clock.h"

#define DAY_S 86400

enum { MAX_OFFSET_HOURS = 24, MAX_TIME_HOURS = 167 /* what RFC 8536 lets a change stand apart */ };

static bool take(struct faas_str *s, char c)
{
    if (!s->len || *s->ptr != c)
        return false;
    s->ptr++;
    s->len--;
    return true;
}

/* Up to three digits. */
static bool take_number(struct faas_str *s, int min, int max, int *out)
{
    int n = 0, digits = 0;

    for (; s->len && *s->ptr >= '0' && *s->ptr <= '9' && digits < 3; digits++, s->ptr++, s->len--)
        n = 10 * n + (*s->ptr - '0');
    *out = n;
    return digits > 0 && n >= min && n <= max;
}

/* "CEST" or "<+0330>": what it is called does not matter. */
static bool take_name(struct faas_str *s)
{
    bool quoted = take(s, '<');
    size_t n = 0;

    for (; s->len; n++, s->ptr++, s->len--) {
        char c = *s->ptr;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool more = quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-');

        if (!letter && !more)
            break;
    }
    return n >= 3 && (!quoted || take(s, '>'));
}

/* "[+-]hh[:mm[:ss]]" */
static bool take_time(struct faas_str *s, int max_hours, int32_t *out)
{
    bool negative = take(s, '-');
    int h, m = 0, sec = 0;

    if (!negative)
        take(s, '+');
    if (!take_number(s, 0, max_hours, &h) ||
        (take(s, ':') &&
         (!take_number(s, 0, 59, &m) || (take(s, ':') && !take_number(s, 0, 59, &sec)))))
        return false;
    *out = (negative ? -1 : 1) * (h * 3600 + m * 60 + sec);
    return true;
}

static bool take_day(struct faas_str *s, struct faas_zone_day *out)
{
    *out = (struct faas_zone_day){.time = 2 * 3600};
    if (!take(s, ','))
        return false;
    if (take(s, 'M')) {
        out->kind = FAAS_DAY_MONTH_WEEK;
        if (!take_number(s, 1, 12, &out->month) || !take(s, '.') ||
            !take_number(s, 1, 5, &out->week) || !take(s, '.') || !take_number(s, 0, 6, &out->day))
            return false;
    } else if (take(s, 'J')) {
        out->kind = FAAS_DAY_JULIAN;
        if (!take_number(s, 1, 365, &out->day))
            return false;
    } else {
        out->kind = FAAS_DAY_ZERO;
        if (!take_number(s, 0, 365, &out->day))
            return false;
    }
    return !take(s, '/') || take_time(s, MAX_TIME_HOURS, &out->time);
}

static bool parse(struct faas_str s, struct faas_zone_rule *out)
{
    int32_t west;

    *out = (struct faas_zone_rule){0};
    if (!take_name(&s) || !take_time(&s, MAX_OFFSET_HOURS, &west))
        return false;
    out->standard = -west;
    if (!s.len)
        return true;
    out->has_summer = true;
    out->summer = out->standard + 3600;
    if (!take_name(&s))
        return false;
    if (s.len && *s.ptr != ',') {
        if (!take_time(&s, MAX_OFFSET_HOURS, &west))
            return false;
        out->summer = -west;
    }
    return take_day(&s, &out->starts) && take_day(&s, &out->ends) && !s.len;
}

int faas_zone_rule_parse(struct faas_str text, struct faas_zone_rule *out, struct faas_error *err)
{
    if (parse(text, out))
        return 0;
    return faas_fail(err, FAAS_ERR_INVALID, "\"%.*s\" is no rule of a time zone",
                     (int)FAAS_MIN(text.len, (size_t)80), text.ptr ? text.ptr : "");
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days since 1970. */
static int64_t day_in(const struct faas_zone_day *d, int64_t year)
{
    int64_t first = faas_days_from_date(year, 1, 1), next, day;

    if (d->kind == FAAS_DAY_ZERO)
        return first + d->day;
    if (d->kind == FAAS_DAY_JULIAN) /* 29 February is never counted */
        return first + d->day - 1 + (is_leap(year) && d->day >= 60);
    first = faas_days_from_date(year, d->month, 1);
    next = d->month == 12 ? faas_days_from_date(year + 1, 1, 1)
                          : faas_days_from_date(year, d->month + 1, 1);
    day = first + (d->day - (first + 4) % 7 + 7) % 7 + 7 * (d->week - 1); /* 1970 began on day 4 */
    return day < next ? day : day - 7;
}

struct change {
    int64_t at;
    int32_t to;
};

/* Keeps them in order; of two at the same moment the later one counts. */
static void add_change(struct change *list, size_t *n, int64_t at, int32_t to)
{
    size_t i = *n;

    for (; i > 0 && list[i - 1].at > at; i--)
        list[i] = list[i - 1];
    if (i > 0 && list[i - 1].at == at) {
        list[i - 1].to = to;
        for (; i < *n; i++)
            list[i] = list[i + 1];
        return;
    }
    list[i] = (struct change){at, to};
    (*n)++;
}

void faas_zone_rule_span(const struct faas_zone_rule *r, int64_t t, struct faas_zone_span *out)
{
    struct change list[10];
    size_t n = 0, i = 0;
    int year, month, day;

    *out = (struct faas_zone_span){INT64_MIN, INT64_MAX, r->standard, r->standard, r->standard};
    if (!r->has_summer)
        return;
    faas_date_from_days(t / DAY_S, &year, &month, &day);
    for (int64_t y = year - 2; y <= year + 2; y++) { /* a change may stand a week beyond its year */
        add_change(list, &n, day_in(&r->starts, y) * DAY_S + r->starts.time - r->standard,
                   r->summer);
        add_change(list, &n, day_in(&r->ends, y) * DAY_S + r->ends.time - r->summer, r->standard);
    }
    while (i + 1 < n && list[i + 1].at <= t)
        i++;
    *out = (struct faas_zone_span){
        .from = list[i].at,
        .until = i + 1 < n ? list[i + 1].at : INT64_MAX,
        .before = i > 0 ? list[i - 1].to : list[i].to,
        .offset = list[i].to,
        .after = i + 1 < n ? list[i + 1].to : list[i].to,
    };
}
