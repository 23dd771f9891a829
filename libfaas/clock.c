#include "libfaas/clock.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#define SECOND_NS 1000000000LL
#define DAY_S     86400

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * SECOND_NS + ts.tv_nsec;
}

static int64_t system_monotonic_ns(void *self)
{
    (void)self;
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_realtime_ns(void *self)
{
    (void)self;
    return read_clock(CLOCK_REALTIME);
}

static int64_t fake_monotonic_ns(void *self)
{
    return ((struct faas_fake_clock *)self)->mono_ns;
}

static int64_t fake_realtime_ns(void *self)
{
    return ((struct faas_fake_clock *)self)->real_ns;
}

void faas_fake_clock_init(struct faas_fake_clock *c, int64_t real_ns)
{
    *c = (struct faas_fake_clock){
        .clock = {.monotonic_ns = fake_monotonic_ns, .realtime_ns = fake_realtime_ns, .self = c},
        .mono_ns = SECOND_NS, /* not 0, which callers use for "never" */
        .real_ns = real_ns,
    };
}

void faas_fake_clock_advance_ms(struct faas_fake_clock *c, int64_t ms)
{
    c->mono_ns += ms * 1000000;
    c->real_ns += ms * 1000000;
}

/* Years are counted from March, so that the leap day is a year's last and months follow one
 * formula.
 */
int64_t faas_days_from_date(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t m = (month + 9) % 12;

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

void faas_date_from_days(int64_t days, int *year, int *month, int *day)
{
    int64_t z = days + 719468;
    int64_t era = z / 146097,
            doe = z % 146097; /* 400 years; never negative for int64 nanoseconds */
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t m = (5 * doy + 2) / 153;

    *day = (int)(doy - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(yoe + era * 400 + (*month <= 2));
}

static char *put(char *p, unsigned n, int digits)
{
    for (int i = digits - 1; i >= 0; i--, n /= 10)
        p[i] = (char)('0' + n % 10);
    return p + digits;
}

/* "2026-01-02T03:04:05"; the fraction of that second in *ns. */
static char *put_seconds(char *p, int64_t real_ns, unsigned *ns)
{
    int64_t s = real_ns / SECOND_NS, frac = real_ns % SECOND_NS, days, of_day;
    int year, month, day;

    if (frac < 0) {
        frac += SECOND_NS;
        s--;
    }
    days = s / DAY_S;
    of_day = s % DAY_S;
    if (of_day < 0) {
        of_day += DAY_S;
        days--;
    }
    faas_date_from_days(days, &year, &month, &day);
    p = put(p, (unsigned)year, 4);
    *p++ = '-';
    p = put(p, (unsigned)month, 2);
    *p++ = '-';
    p = put(p, (unsigned)day, 2);
    *p++ = 'T';
    p = put(p, (unsigned)(of_day / 3600), 2);
    *p++ = ':';
    p = put(p, (unsigned)(of_day / 60 % 60), 2);
    *p++ = ':';
    p = put(p, (unsigned)(of_day % 60), 2);
    *ns = (unsigned)frac;
    return p;
}

void faas_format_time(int64_t real_ns, char out[32])
{
    unsigned ns;
    char *p = put_seconds(out, real_ns, &ns);

    *p++ = '.';
    p = put(p, ns / 1000000, 3);
    memcpy(p, "Z", 2);
}

void faas_format_time_go(int64_t real_ns, char out[40])
{
    unsigned ns;
    char *p = put_seconds(out, real_ns, &ns);

    if (ns > 0) {
        *p++ = '.';
        p = put(p, ns, 9);
        while (p[-1] == '0')
            p--;
    }
    memcpy(p, "Z", 2);
}

/* Takes exactly that many digits off *s. */
static bool take_digits(const char **s, int digits, int64_t *out)
{
    int64_t n = 0;

    for (int i = 0; i < digits; i++, (*s)++) {
        if (**s < '0' || **s > '9')
            return false;
        n = n * 10 + (**s - '0');
    }
    *out = n;
    return true;
}

static bool take_char(const char **s, char c)
{
    if (**s != c)
        return false;
    (*s)++;
    return true;
}

static bool take_date(const char **s, int64_t *days)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t y, m, d;
    bool leap;

    if (!take_digits(s, 4, &y) || !take_char(s, '-') || !take_digits(s, 2, &m) ||
        !take_char(s, '-') || !take_digits(s, 2, &d) || m < 1 || m > 12)
        return false;
    leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    if (d < 1 || d > lengths[m - 1] + (m == 2 && leap))
        return false;
    *days = faas_days_from_date(y, m, d);
    return true;
}

static bool take_clock(const char **s, int64_t *seconds)
{
    int64_t h, m, sec;

    if (!take_digits(s, 2, &h) || !take_char(s, ':') || !take_digits(s, 2, &m) ||
        !take_char(s, ':') || !take_digits(s, 2, &sec))
        return false;
    *seconds = h * 3600 + m * 60 + sec;
    return h <= 23 && m <= 59 && sec <= 60; /* :60 is a leap second, read as the next one */
}

static bool take_fraction(const char **s, int64_t *ns)
{
    int64_t unit = SECOND_NS / 10;
    const char *start;

    *ns = 0;
    if (!take_char(s, '.'))
        return true;
    for (start = *s; **s >= '0' && **s <= '9'; (*s)++, unit /= 10)
        *ns += (**s - '0') * unit; /* unit is 0 beyond nanoseconds */
    return *s > start;
}

static bool take_offset(const char **s, int64_t *seconds)
{
    bool west = **s == '-';
    int64_t h, m;

    *seconds = 0;
    if (take_char(s, 'Z') || take_char(s, 'z'))
        return true;
    if (!west && **s != '+')
        return false;
    (*s)++;
    if (!take_digits(s, 2, &h) || !take_char(s, ':') || !take_digits(s, 2, &m) || h > 23 || m > 59)
        return false;
    *seconds = (west ? -1 : 1) * (h * 3600 + m * 60);
    return true;
}

int faas_parse_time(const char *s, int64_t *real_ns)
{
    int64_t days, clock, frac, offset, ns;

    if (!take_date(&s, &days) || (!take_char(&s, 'T') && !take_char(&s, 't')) ||
        !take_clock(&s, &clock) || !take_fraction(&s, &frac) || !take_offset(&s, &offset) ||
        *s != '\0')
        return -1;
    if (__builtin_mul_overflow(days * DAY_S + clock - offset, SECOND_NS, &ns) ||
        __builtin_add_overflow(ns, frac, &ns))
        return -1;
    *real_ns = ns;
    return 0;
}

const struct faas_clock faas_system_clock = {
    .monotonic_ns = system_monotonic_ns,
    .realtime_ns = system_realtime_ns,
};
