#include "libfaas/api_types.h"

#include "libfaas/clock.h"

void faas_log_message_write(struct faas_buf *out, const struct faas_log_message *m)
{
    char timestamp[40];

    faas_format_time_go(m->time_ns, timestamp);
    faas_buf_append_z(out, "{\"name\":");
    faas_json_write_string(out, faas_str_from(m->name));
    faas_buf_append_z(out, ",\"namespace\":");
    faas_json_write_string(out, faas_str_from(m->namespace_));
    faas_buf_append_z(out, ",\"instance\":");
    faas_json_write_string(out, faas_str_from(m->instance));
    faas_buf_printf(out, ",\"timestamp\":\"%s\",\"text\":", timestamp);
    faas_json_write_string(out, m->text);
    faas_buf_append_z(out, "}\n");
}
