#include "gateway/async/done.h"

static void append_number(struct faas_buf *out, int64_t n)
{
    faas_buf_append_u64(out, (uint64_t)n);
    faas_buf_append_c(out, ' ');
}

static void append_word(struct faas_buf *out, struct faas_str word)
{
    faas_buf_append_str(out, word);
    faas_buf_append_c(out, ' ');
}

void gw_done_append(struct faas_buf *out, const struct gw_attempt_ref *ref,
                    const struct gw_outcome *o)
{
    faas_buf_reserve(out, 128 + ref->function.len + ref->queue.len + o->history.len +
                              o->result_body.len);
    append_number(out, o->status);
    append_number(out, o->began_ms);
    append_number(out, o->now_ms);
    append_word(out, ref->function);
    append_word(out, ref->queue);
    faas_buf_append_u64(out, o->history.len);
    faas_buf_append_c(out, '\n');
    faas_buf_append_str(out, o->history);
    faas_buf_append_str(out, o->result_body);
}
