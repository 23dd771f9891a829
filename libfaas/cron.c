#include "libfaas/cron.h"

#include "libfaas/clock.h"

#include <ctype.h>

#define DAY_S     86400
#define ALL_HOURS UINT64_C(0xffffff)
#define YEAR_S    (366LL * DAY_S)

enum {
    MAX_FIELDS = 6,
    CALENDAR_YEARS = 400, /* then dates and weekdays come round again */
};

struct field {
    const char *name;
    int min, max;
    const char *const *names; /* of min and those behind it; NULL-terminated */
    size_t at;
    bool may_be_open; /* "?" */
};

static const char *const months[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL",
                                     "AUG", "SEP", "OCT", "NOV", "DEC", NULL};
static const char *const weekdays[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", NULL};

static const struct field fields[MAX_FIELDS] = {
    {"second", 0, 59, NULL, offsetof(struct faas_cron, seconds), false},
    {"minute", 0, 59, NULL, offsetof(struct faas_cron, minutes), false},
    {"hour", 0, 23, NULL, offsetof(struct faas_cron, hours), false},
    {"day of month", 1, 31, NULL, offsetof(struct faas_cron, days), true},
    {"month", 1, 12, months, offsetof(struct faas_cron, months), false},
    {"day of week", 0, 6, weekdays, offsetof(struct faas_cron, weekdays), true},
};

static int fail(struct faas_error *err, const struct field *f, struct faas_str item,
                const char *why)
{
    return faas_fail(err, FAAS_ERR_INVALID, "%s \"%.*s\" %s", f->name,
                     (int)FAAS_MIN(item.len, (size_t)40), item.ptr ? item.ptr : "", why);
}

static bool is_weekday(const struct field *f)
{
    return f->names == weekdays;
}

/* A number in range or a name. Sunday may be 7. */
static int parse_value(const struct field *f, struct faas_str text, int *out,
                       struct faas_error *err)
{
    uint64_t n;

    for (int i = 0; f->names && f->names[i]; i++)
        if (faas_str_ieq(text, faas_str_from(f->names[i]))) {
            *out = f->min + i;
            return 0;
        }
    if (faas_parse_u64(text, &n, NULL) < 0)
        return fail(err, f, text, f->names ? "is neither a number nor a name" : "is no number");
    if (n < (uint64_t)f->min || n > (uint64_t)(f->max + is_weekday(f)))
        return faas_fail(err, FAAS_ERR_INVALID, "%s %.*s is not from %d to %d", f->name,
                         (int)FAAS_MIN(text.len, (size_t)20), text.ptr, f->min,
                         f->max + is_weekday(f));
    *out = (int)n;
    return 0;
}

static int parse_range(const struct field *f, struct faas_str text, bool steps, int *from, int *to,
                       struct faas_error *err)
{
    struct faas_str rest = text;
    struct faas_str first = faas_str_split(&rest, '-');

    *from = f->min;
    *to = f->max;
    if (faas_str_eqz(text, "*") || (f->may_be_open && faas_str_eqz(text, "?")))
        return 0;
    if (parse_value(f, first, from, err) < 0)
        return -1;
    if (!rest.ptr) {
        *to = steps ? FAAS_MAX(f->max, *from) : *from; /* "5/10": from 5 on */
        return 0;
    }
    if (parse_value(f, rest, to, err) < 0)
        return -1;
    if (is_weekday(f) && *to == 0 && *from > 0) /* FRI-SUN */
        *to = 7;
    return *from <= *to ? 0 : fail(err, f, text, "runs backwards");
}

static int parse_item(const struct field *f, struct faas_str text, uint64_t *bits,
                      struct faas_error *err)
{
    struct faas_str step_text = text;
    struct faas_str range = faas_str_split(&step_text, '/');
    uint64_t step = 1;
    int from, to;

    if (!text.len)
        return fail(err, f, text, "is empty, or ends with a comma");
    if (step_text.ptr && (faas_parse_u64(step_text, &step, NULL) < 0 || step == 0))
        return fail(err, f, text, "has a step that is no number above 0");
    if (parse_range(f, range, step_text.ptr != NULL, &from, &to, err) < 0)
        return -1;
    for (uint64_t i = (uint64_t)from; i <= (uint64_t)to; i += FAAS_MIN(step, (uint64_t)64))
        *bits |= UINT64_C(1) << (is_weekday(f) ? i % 7 : i);
    return 0;
}

static int parse_field(const struct field *f, struct faas_str text, struct faas_cron *out,
                       struct faas_error *err)
{
    uint64_t *bits = (uint64_t *)((char *)out + f->at);

    while (text.ptr)
        if (parse_item(f, faas_str_split(&text, ','), bits, err) < 0)
            return -1;
    return 0;
}

/* How many there are, at most one more than fit. */
static size_t split(struct faas_str s, struct faas_str *out, size_t max)
{
    size_t n = 0;

    for (;;) {
        s = faas_str_trim(s);
        if (!s.len || n == max)
            return n + (s.len > 0);
        out[n].ptr = s.ptr;
        for (; s.len && !isspace((unsigned char)*s.ptr); s.ptr++, s.len--)
            ;
        out[n].len = (size_t)(s.ptr - out[n].ptr);
        n++;
    }
}

static bool is_open(struct faas_str field)
{
    return field.len && (*field.ptr == '*' || *field.ptr == '?');
}

static int64_t next_local(const struct faas_cron *c, int64_t after);

static int parse_fields(struct faas_str text, struct faas_cron *out, struct faas_error *err)
{
    struct faas_str item[MAX_FIELDS] = {{0}};
    size_t n = split(text, item, MAX_FIELDS);
    size_t skipped = n == MAX_FIELDS ? 0 : 1; /* the seconds */

    if (n != 5 && n != 6)
        return faas_fail(
            err, FAAS_ERR_INVALID,
            "it needs five fields (minute, hour, day of month, month, day of week), or "
            "six with seconds ahead of them, and has %s%zu",
            n > MAX_FIELDS ? "at least " : "", n);
    out->seconds = skipped; /* at second 0 */
    for (size_t i = skipped; i < MAX_FIELDS; i++)
        if (parse_field(&fields[i], item[i - skipped], out, err) < 0)
            return -1;
    out->any_day = is_open(item[3 - skipped]);
    out->any_weekday = is_open(item[5 - skipped]);
    if (next_local(out, 30 * YEAR_S) == FAAS_CRON_NEVER)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "none of its months has such a day: it never comes");
    return 0;
}

static int parse_every(struct faas_str text, struct faas_cron *out, struct faas_error *err)
{
    int64_t ns;

    if (faas_parse_go_duration(faas_str_trim(text), &ns, err) < 0)
        return faas_error_wrap(err, "@every");
    out->every_s = ns / 1000000000;
    if (out->every_s < 1)
        return faas_fail(err, FAAS_ERR_INVALID, "@every: it is less than a second");
    return 0;
}

static int parse_word(struct faas_str text, struct faas_cron *out, struct faas_error *err)
{
    static const struct {
        const char *word, *means;
    } words[] = {
        {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
        {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
        {"@hourly", "0 * * * *"},
    };

    for (size_t i = 0; i < FAAS_ARRAY_LEN(words); i++)
        if (faas_str_ieq(text, faas_str_from(words[i].word)))
            return parse_fields(faas_str_from(words[i].means), out, err);
    return faas_fail(err, FAAS_ERR_INVALID,
                     "\"%.*s\" is not known; there are @yearly, @monthly, @weekly, @daily, "
                     "@hourly and @every DURATION",
                     (int)FAAS_MIN(text.len, (size_t)40), text.ptr);
}

int faas_cron_parse(struct faas_str text, struct faas_cron *out, struct faas_error *err)
{
    text = faas_str_trim(text);
    *out = (struct faas_cron){0};
    if (faas_str_starts(text, FAAS_STR("@every ")))
        return parse_every((struct faas_str){text.ptr + 7, text.len - 7}, out, err);
    if (text.len && *text.ptr == '@')
        return parse_word(text, out, err);
    return parse_fields(text, out, err);
}

/* --- which time is next --- */

/* The first bit from one on, or -1. */
static int next_bit(uint64_t bits, int64_t from)
{
    bits = from > 63 ? 0 : bits >> from;
    return bits ? (int)from + __builtin_ctzll(bits) : -1;
}

static bool has(uint64_t bits, int64_t n)
{
    return bits >> n & 1;
}

/* Seconds from midnight, or -1: not on this day any more. */
static int64_t time_from(const struct faas_cron *c, int64_t from)
{
    int64_t hour = from / 3600, minute = from / 60 % 60, second = from % 60;
    int first_minute = next_bit(c->minutes, 0), first_second = next_bit(c->seconds, 0);
    int s = -1, m = -1, h;

    if (has(c->hours, hour)) {
        if (has(c->minutes, minute))
            s = next_bit(c->seconds, second);
        m = s >= 0 ? (int)minute : next_bit(c->minutes, minute + 1);
    }
    if (m >= 0)
        return hour * 3600 + m * 60 + (s >= 0 ? s : first_second);
    h = next_bit(c->hours, hour + 1);
    return h < 0 ? -1 : h * 3600 + first_minute * 60 + first_second;
}

static bool is_day(const struct faas_cron *c, int64_t days, int day_of_month)
{
    bool day = has(c->days, day_of_month);
    bool weekday = has(c->weekdays, (days + 4) % 7); /* 1970 began on a Thursday */

    return c->any_day || c->any_weekday ? day && weekday : day || weekday;
}

/* Everything in seconds of local time since 1970. */
static int64_t next_local(const struct faas_cron *c, int64_t after)
{
    int64_t days = (after + 1) / DAY_S, of_day = (after + 1) % DAY_S;
    int year, month, day, last;

    faas_date_from_days(days, &year, &month, &day);
    for (last = year + CALENDAR_YEARS; year <= last;
         days++, of_day = 0, faas_date_from_days(days, &year, &month, &day)) {
        int64_t time;

        if (!has(c->months, month))
            days = faas_days_from_date(year + month / 12, month % 12 + 1, 1) - 1;
        else if (is_day(c, days, day) && (time = time_from(c, of_day)) >= 0)
            return days * DAY_S + time;
    }
    return FAAS_CRON_NEVER;
}

int64_t faas_cron_next(const struct faas_cron *c, const struct faas_zone *zone, int64_t after)
{
    bool by_name = c->hours != ALL_HOURS;
    int64_t searched = FAAS_CRON_NEVER, found = -1; /* nothing stands between these local times */

    after = FAAS_MAX(after, (int64_t)2 * DAY_S); /* it is 1970 everywhere */
    if (c->every_s)
        return (after / c->every_s + 1) * c->every_s;
    for (;;) {
        struct faas_zone_span s;
        int64_t local;

        faas_zone_span(zone, after + 1, &s);
        local = after + s.offset;
        /* Local time goes on where the span ahead of this one ended: behind what would come a
         * second time, and through what is left out. */
        if (by_name && s.before != s.offset && (after < s.from || local < s.from + s.before - 1))
            local = s.from + s.before - 1;
        if (local < searched || local >= found) {
            searched = local;
            found = next_local(c, local);
        }
        if (found == FAAS_CRON_NEVER)
            return found;
        if (found - s.offset < s.until)
            return FAAS_MAX(found - s.offset, after + 1);
        after = s.until - 1;
    }
}
