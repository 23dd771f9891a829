#include "providers/local/logline.h"

#include "libfaas/clock.h"
#include "libfaas/log.h"

static const struct faas_str instance_key = FAAS_STR_INIT("\"instance\":\"");
static const struct faas_str time_key = FAAS_STR_INIT("\"timestamp\":\"");

void local_logline_write(struct faas_buf *out, const struct faas_log_message *m)
{
    char when[40];

    faas_format_time_go(m->time_ns, when);
    faas_buf_append_z(out, "{\"name\":\"");
    faas_json_escape(out, faas_str_from(m->name));
    faas_buf_append_z(out, "\",\"namespace\":\"");
    faas_json_escape(out, faas_str_from(m->namespace_));
    faas_buf_append_z(out, "\",\"instance\":\"");
    faas_json_escape(out, faas_str_from(m->instance));
    faas_buf_append_z(out, "\",\"timestamp\":\"");
    faas_buf_append_z(out, when);
    faas_buf_append_z(out, "\",\"text\":\"");
    faas_json_escape(out, m->text);
    faas_buf_append_z(out, "\"}\n");
}

/* The value behind key. Before "text" no value of ours holds a quote, so the first occurrence is
 * the member itself and the next quote its end. */
static bool value_of(struct faas_str record, struct faas_str key, struct faas_str *out)
{
    const char *at = memmem(record.ptr, record.len, key.ptr, key.len);
    struct faas_str rest;

    if (!at)
        return false;
    rest.ptr = at + key.len;
    rest.len = record.len - (size_t)(rest.ptr - record.ptr);
    *out = faas_str_split(&rest, '"');
    return rest.ptr != NULL;
}

bool local_logline_peek(struct faas_str record, struct local_logline_peek *out)
{
    struct faas_str when;
    char text[40];

    if (record.len == 0 || !value_of(record, instance_key, &out->instance) ||
        !value_of(record, time_key, &when) || when.len >= sizeof(text))
        return false;
    memcpy(text, when.ptr, when.len);
    text[when.len] = '\0';
    return faas_parse_time(text, &out->time_ns) == 0;
}

bool local_logline_text(struct faas_str record, struct faas_buf *out)
{
    _cleanup_json_ json_t *j = faas_json_parse(record, NULL);
    const json_t *text = j ? faas_json_get(j, "text") : NULL;

    if (!json_is_string(text))
        return false;
    faas_buf_append(out, json_string_value(text), json_string_length(text));
    return true;
}
