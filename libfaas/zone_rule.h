/* A time zone's yearly rule as POSIX writes it in TZ: "CET-1CEST,M3.5.0,M10.5.0/3". Pure. */
#ifndef FAAS_ZONE_RULE_H
#define FAAS_ZONE_RULE_H

#include "libfaas/str.h"

/* A stretch of time with one offset. */
struct faas_zone_span {
    int64_t from, until;           /* Unix seconds, until excluded; INT64_MIN, INT64_MAX: no end */
    int32_t before, offset, after; /* seconds east of UTC: ahead of it, in it, behind it */
};

struct faas_zone_day {
    enum { FAAS_DAY_MONTH_WEEK, FAAS_DAY_JULIAN, FAAS_DAY_ZERO } kind;
    int month, week, day; /* Mm.w.d; Jn and n have the day alone */
    int32_t time;         /* seconds from midnight, may be on another day */
};

struct faas_zone_rule {
    int32_t standard, summer; /* seconds east of UTC */
    bool has_summer;
    struct faas_zone_day starts, ends; /* of summer time */
};

/* With summer time, both dates have to be there. INVALID says what is wrong. */
FAAS_NODISCARD int faas_zone_rule_parse(struct faas_str text, struct faas_zone_rule *out,
                                        struct faas_error *err);
void faas_zone_rule_span(const struct faas_zone_rule *r, int64_t t, struct faas_zone_span *out);

#endif
