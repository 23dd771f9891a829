/* Time as a parameter, so that tests own it. */
#ifndef FAAS_CLOCK_H
#define FAAS_CLOCK_H

#include <stdint.h>

struct faas_clock {
    int64_t (*monotonic_ns)(void *self); /* for intervals and deadlines */
    int64_t (*realtime_ns)(void *self);  /* since 1970, UTC: for people */
    void *self;
};

extern const struct faas_clock faas_system_clock;

/* A clock that stands still until it is moved. */
struct faas_fake_clock {
    struct faas_clock clock;
    int64_t mono_ns;
    int64_t real_ns;
};

void faas_fake_clock_init(struct faas_fake_clock *c, int64_t real_ns);
void faas_fake_clock_advance_ms(struct faas_fake_clock *c, int64_t ms);

static inline int64_t faas_now_ms(const struct faas_clock *c)
{
    return c->monotonic_ns(c->self) / 1000000;
}

/* RFC 3339 in UTC with milliseconds ("2026-01-02T03:04:05.678Z"). */
void faas_format_time(int64_t real_ns, char out[32]);
/* The same with nanoseconds cut to what is needed, as Go writes it ("2026-01-02T03:04:05Z"). */
void faas_format_time_go(int64_t real_ns, char out[40]);
/* Reads RFC 3339, any offset, up to nanoseconds. Returns 0, or -1 when it is not one or lies
 * outside of what int64 nanoseconds can hold (1678 to 2261; Go's zero time of year 1 is outside).
 */
int faas_parse_time(const char *s, int64_t *real_ns);

/* Days between 1970-01-01 and a date of the Gregorian calendar, and back; from the year 1 on. */
int64_t faas_days_from_date(int64_t year, int64_t month, int64_t day);
void faas_date_from_days(int64_t days, int *year, int *month, int *day);

#endif
