#include "gateway/access_log.h"

/* Enough to make writes rare under load, little enough to stay whole in a pipe's buffer. */
#define FLUSH_AT (32 * 1024)

void gw_access_log(const struct gw_request *r, int64_t took_ns)
{
    struct gw_shard *s = r->shard;
    const struct faas_field fields[] = {
        FAAS_F_STRN("method", r->head->method),
        FAAS_F_STRN("path", r->head->path),
        FAAS_F_INT("status", r->status),
        FAAS_F_INT("took_us", took_ns / 1000),
        FAAS_F_INT("bytes_in", (int64_t)r->bytes_in),
        FAAS_F_INT("bytes_out", (int64_t)r->bytes_out),
        FAAS_F_STRN("call_id", r->call_id),
        FAAS_F_STRN("function", r->function),
        FAAS_F_STR("instance", r->instance),
        FAAS_F_STRN("error", r->error),
    };
    /* The last ones are there only when they are known. */
    struct faas_field present[FAAS_ARRAY_LEN(fields)];
    size_t n = 0;

    if (FAAS_LOG_INFO < s->gw->log.level)
        return;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(fields); i++) {
        if (fields[i].type != FAAS_FIELD_STR || fields[i].str.len > 0)
            present[n++] = fields[i];
    }
    faas_log_format(&s->access, &s->gw->log, FAAS_LOG_INFO, "request", present, n);
    if (s->access.len >= FLUSH_AT)
        gw_access_log_flush(s);
}

int64_t gw_access_log_flush(void *shard)
{
    struct gw_shard *s = shard;
    const struct faas_log_sink *sink = s->gw->log.sink;

    if (s->access.len > 0 && sink)
        sink->write(sink->self, faas_buf_str(&s->access));
    faas_buf_clear(&s->access);
    return -1;
}
