/* Cron expressions: "m h dom mon dow", or six fields with seconds ahead of them, "@daily" and its
 * like, "@every 90s". Pure. */
#ifndef FAAS_CRON_H
#define FAAS_CRON_H

#include "libfaas/zone.h"

struct faas_cron {
    uint64_t seconds, minutes; /* bit n: n is one of them */
    uint64_t hours, days, months;
    uint64_t weekdays;         /* 0 is Sunday */
    bool any_day, any_weekday; /* begins with '*': then the other decides, else either does */
    int64_t every_s;           /* "@every": counted from 1970, so that all clocks agree; else 0 */
};

/* Fields are lists of "*", numbers, names (JAN, mon), ranges, each with a "/step"; "?" for "*";
 * Sunday is 0 or 7. INVALID names the field and what is wrong with it, or says that the time never
 * comes (31 February). */
FAAS_NODISCARD int faas_cron_parse(struct faas_str text, struct faas_cron *out,
                                   struct faas_error *err);

#define FAAS_CRON_NEVER INT64_MAX

/* The first time behind after, both Unix seconds, from 1970 on. A local time that the zone leaves
 * out counts at the moment at which it would have been there; one that comes twice counts the first
 * time. Unless all hours are meant: then it is the hours that pass that count, not their names. */
int64_t faas_cron_next(const struct faas_cron *c, const struct faas_zone *zone, int64_t after);

#endif
