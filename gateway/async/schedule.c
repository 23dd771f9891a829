#include "gateway/async/schedule.h"

#include "libfaas/alloc.h"
#include "libfaas/clock.h"
#include "libfaas/http_hop.h"

#include <stdlib.h>

#define PREFIX        "schedule."
#define MAX_JITTER_MS (24 * INT64_C(3600000))

enum { MAX_PATH = 4096, MAX_TYPE = 256 }; /* with these a call passes any front door */

static int read_timezone(struct gw_schedule *s, const char *value, struct faas_error *err);
static int read_jitter(struct gw_schedule *s, const char *value, struct faas_error *err);
static int read_overlap(struct gw_schedule *s, const char *value, struct faas_error *err);
static int read_path(struct gw_schedule *s, const char *value, struct faas_error *err);
static int read_body(struct gw_schedule *s, const char *value, struct faas_error *err);
static int read_content_type(struct gw_schedule *s, const char *value, struct faas_error *err);

static const struct {
    const char *name;
    int (*read)(struct gw_schedule *s, const char *value, struct faas_error *err);
} known[] = {
    {"schedule.timezone", read_timezone}, {"schedule.jitter", read_jitter},
    {"schedule.overlap", read_overlap},   {"schedule.path", read_path},
    {"schedule.body", read_body},         {"schedule.content-type", read_content_type},
};

/* Checked here; the expressions take it from the annotation, where they need it. */
static int read_timezone(struct gw_schedule *s, const char *value, struct faas_error *err)
{
    _cleanup_(faas_zone_freep) struct faas_zone *zone = faas_zone_load(faas_str_from(value), err);

    (void)s;
    return zone ? 0 : -1;
}

static int read_jitter(struct gw_schedule *s, const char *value, struct faas_error *err)
{
    if (faas_parse_duration(faas_str_from(value), &s->jitter_ms, err) < 0)
        return -1;
    if (s->jitter_ms > MAX_JITTER_MS)
        return faas_fail(err, FAAS_ERR_INVALID, "\"%.40s\" is more than 24h", value);
    return 0;
}

static int read_overlap(struct gw_schedule *s, const char *value, struct faas_error *err)
{
    s->skip_overlap = strcmp(value, "skip") == 0;
    if (!s->skip_overlap && strcmp(value, "allow") != 0)
        return faas_fail(err, FAAS_ERR_INVALID, "\"%.40s\" is neither allow nor skip", value);
    return 0;
}

/* Fit to stand in a request's head. */
static bool is_printable(const char *z, char least)
{
    for (; *z; z++)
        if (*z < least || *z > '~')
            return false;
    return true;
}

static int read_path(struct gw_schedule *s, const char *value, struct faas_error *err)
{
    if (*value != '/' || !is_printable(value, '!') || strchr(value, '#') ||
        strlen(value) > MAX_PATH)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "\"%.80s\" is no path of up to %d bytes that begins with / and is encoded",
                         value, MAX_PATH);
    free(s->path);
    s->path = faas_strdup(value);
    return 0;
}

static int read_body(struct gw_schedule *s, const char *value, struct faas_error *err)
{
    (void)err;
    free(s->body);
    s->body = faas_strdup(value);
    return 0;
}

static int read_content_type(struct gw_schedule *s, const char *value, struct faas_error *err)
{
    if (!*value || !is_printable(value, ' ') || strlen(value) > MAX_TYPE)
        return faas_fail(err, FAAS_ERR_INVALID, "\"%.80s\" is no media type", value);
    free(s->content_type);
    s->content_type = faas_strdup(value);
    return 0;
}

/* "CRON_TZ=Europe/Berlin 0 9 * * *" loses what stands ahead of the expression. */
static struct faas_str take_zone(struct faas_str *text, struct faas_str otherwise)
{
    static const struct faas_str prefixes[] = {FAAS_STR_INIT("CRON_TZ="), FAAS_STR_INIT("TZ=")};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(prefixes); i++)
        if (faas_str_starts(*text, prefixes[i])) {
            struct faas_str rest = {text->ptr + prefixes[i].len, text->len - prefixes[i].len};
            struct faas_str zone = faas_str_split(&rest, ' ');

            *text = faas_str_trim(rest);
            return zone;
        }
    return otherwise;
}

static int read_expression(struct gw_schedule *s, struct faas_str text, struct faas_str zone,
                           struct faas_error *err)
{
    if (s->n == GW_MAX_EXPRESSIONS)
        return faas_fail(err, FAAS_ERR_INVALID, "it has more than %d expressions",
                         GW_MAX_EXPRESSIONS);
    zone = take_zone(&text, zone);
    if (faas_cron_parse(text, &s->items[s->n].cron, err) < 0)
        return -1;
    s->items[s->n].zone = faas_zone_load(zone, err);
    if (!s->items[s->n].zone)
        return -1;
    s->n++;
    return 0;
}

static int read_expressions(struct gw_schedule *s, const char *value, const char *zone,
                            struct faas_error *err)
{
    struct faas_str rest = faas_str_from(value);

    while (rest.ptr) {
        struct faas_str text = faas_str_trim(faas_str_split(&rest, ';'));

        if (text.len && read_expression(s, text, faas_str_from(zone ? zone : "UTC"), err) < 0)
            return -1;
    }
    return s->n > 0 ? 0 : faas_fail(err, FAAS_ERR_INVALID, "it is missing or empty");
}

static bool is_option(const char *key)
{
    return strncmp(key, PREFIX, strlen(PREFIX)) == 0;
}

/* A mistyped name would show months later, as calls at other times than those that were meant. */
static int read_options(struct gw_schedule *s, const struct faas_map *annotations,
                        struct faas_error *err)
{
    faas_map_for_each (annotations, e) {
        size_t i = 0;

        if (!is_option(e->key))
            continue;
        while (i < FAAS_ARRAY_LEN(known) && strcmp(known[i].name, e->key) != 0)
            i++;
        if (i == FAAS_ARRAY_LEN(known))
            return faas_fail(err, FAAS_ERR_INVALID,
                             "annotation %.80s: not known; there are " PREFIX
                             "timezone, jitter, overlap, path, body, content-type",
                             e->key);
        if (known[i].read(s, e->value, err) < 0)
            return faas_error_wrap(err, "annotation %s", e->key);
    }
    return 0;
}

bool gw_schedule_given(const struct faas_map *annotations)
{
    faas_map_for_each (annotations, e)
        if (strcmp(e->key, "schedule") == 0 || is_option(e->key))
            return true;
    return false;
}

struct gw_schedule *gw_schedule_read(const struct faas_map *annotations, struct faas_error *err)
{
    _cleanup_(gw_schedule_freep) struct gw_schedule *s = faas_new(struct gw_schedule);
    const char *text = faas_map_get(annotations, "schedule");

    s->path = faas_strdup("/");
    s->body = faas_strdup("");
    if (read_options(s, annotations, err) < 0)
        return NULL;
    if (read_expressions(s, text ? text : "", faas_map_get(annotations, "schedule.timezone"), err) <
        0) {
        faas_error_wrap(err, "annotation schedule");
        return NULL;
    }
    return faas_steal_ptr(&s);
}

void gw_schedule_free(struct gw_schedule *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        faas_zone_free(s->items[i].zone);
    free(s->path);
    free(s->body);
    free(s->content_type);
    free(s);
}

void gw_schedule_text(const struct faas_map *annotations, struct faas_buf *out)
{
    const char *text = faas_map_get(annotations, "schedule");

    faas_buf_append_z(out, text ? text : "");
    for (size_t i = 0; i < FAAS_ARRAY_LEN(known); i++) {
        const char *value = faas_map_get(annotations, known[i].name);

        if (value)
            faas_buf_printf(out, "\n%s=%s", known[i].name, value);
    }
}

int64_t gw_schedule_next_ms(const struct gw_schedule *s, int64_t after_ms)
{
    int64_t next = FAAS_CRON_NEVER;

    for (size_t i = 0; i < s->n; i++)
        next = FAAS_MIN(next, faas_cron_next(&s->items[i].cron, s->items[i].zone, after_ms / 1000));
    return next == FAAS_CRON_NEVER ? next : next * 1000;
}

void gw_schedule_request_head(struct faas_buf *out, const struct gw_schedule *s,
                              struct faas_str function, int64_t planned_ms, int64_t now_ns)
{
    char planned[40];

    faas_format_time_go(planned_ms * 1000000, planned);
    faas_buf_append_z(out, "POST /function/");
    faas_buf_append_str(out, function);
    faas_buf_append_z(out, s->path);
    faas_buf_append_z(out, " HTTP/1.1\r\n");
    faas_hop_append(out, FAAS_STR("Host"), FAAS_STR("localhost"));
    if (s->content_type || *s->body)
        faas_hop_append(out, FAAS_STR("Content-Type"),
                        faas_str_from(s->content_type ? s->content_type : "text/plain"));
    /* What functions know from the connector for cron. */
    faas_hop_append(out, FAAS_STR("X-Topic"), FAAS_STR("cron-function"));
    faas_hop_append(out, FAAS_STR("X-Connector"), FAAS_STR("cron-connector"));
    faas_hop_append(out, FAAS_STR("X-Scheduled-For"), faas_str_from(planned));
    faas_buf_append_z(out, "X-Start-Time: ");
    faas_buf_append_u64(out, (uint64_t)now_ns);
    faas_buf_append_z(out, "\r\nContent-Length: ");
    faas_buf_append_u64(out, strlen(s->body));
    faas_buf_append_z(out, "\r\n");
}
