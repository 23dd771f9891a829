/* What a function's annotations say about when it is called. Pure, but for the files of time zones.
 *
 *   schedule               cron expressions, separated by ';', each with CRON_TZ=Zone if it likes
 *   schedule.timezone      of those that name none; UTC
 *   schedule.jitter        a duration: each call is made so much later at most, by chance
 *   schedule.overlap       "allow", or "skip": not while the call before it is not over
 *   schedule.path, schedule.body, schedule.content-type   of the call
 */
#ifndef FAAS_GATEWAY_ASYNC_SCHEDULE_H
#define FAAS_GATEWAY_ASYNC_SCHEDULE_H

#include "libfaas/buf.h"
#include "libfaas/cron.h"
#include "libfaas/map.h"

enum { GW_MAX_EXPRESSIONS = 16 };

struct gw_schedule {
    struct {
        struct faas_cron cron;
        struct faas_zone *zone;
    } items[GW_MAX_EXPRESSIONS];
    size_t n;
    int64_t jitter_ms;
    bool skip_overlap;
    char *path; /* with its query */
    char *body;
    char *content_type; /* NULL: none */
};

/* Is any of them there? */
bool gw_schedule_given(const struct faas_map *annotations);
/* INVALID names the annotation and what is wrong with it. */
struct gw_schedule *gw_schedule_read(const struct faas_map *annotations, struct faas_error *err);
void gw_schedule_free(struct gw_schedule *s);
FAAS_DEFINE_CLEANUP(struct gw_schedule *, gw_schedule_free);
/* All that gw_schedule_read() looks at: two functions with the same have the same schedule. */
void gw_schedule_text(const struct faas_map *annotations, struct faas_buf *out);

/* The first planned time behind after, both Unix milliseconds; FAAS_CRON_NEVER. */
int64_t gw_schedule_next_ms(const struct gw_schedule *s, int64_t after_ms);
/* The call as the worker will send it, see gw_async_request_head(). */
void gw_schedule_request_head(struct faas_buf *out, const struct gw_schedule *s,
                              struct faas_str function, int64_t planned_ms, int64_t now_ns);

#endif
