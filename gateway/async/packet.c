#include "gateway/async/packet.h"

void gw_packet_append(struct faas_buf *out, const struct gw_packet *p)
{
    faas_buf_reserve(out, 64 + p->policy.len + p->callback.len + p->request.len + p->body.len);
    faas_buf_append_u64(out, p->policy.len);
    faas_buf_append_c(out, ' ');
    faas_buf_append_u64(out, p->callback.len);
    faas_buf_append_c(out, ' ');
    faas_buf_append_u64(out, p->request.len);
    faas_buf_append_c(out, '\n');
    faas_buf_append_str(out, p->policy);
    faas_buf_append_str(out, p->callback);
    faas_buf_append_str(out, p->request);
    faas_buf_append_str(out, p->body);
}

static bool take(struct faas_str *from, struct faas_str length, struct faas_str *out)
{
    uint64_t n;

    if (faas_parse_u64(length, &n, NULL) < 0 || n > from->len)
        return false;
    *out = (struct faas_str){from->ptr, (size_t)n};
    from->ptr += n;
    from->len -= (size_t)n;
    return true;
}

bool gw_packet_parse(struct faas_str text, struct gw_packet *out)
{
    struct faas_str lengths = faas_str_split(&text, '\n');
    struct faas_str policy, callback;

    if (!text.ptr)
        return false;
    policy = faas_str_split(&lengths, ' ');
    callback = faas_str_split(&lengths, ' ');
    if (!take(&text, policy, &out->policy) || !take(&text, callback, &out->callback) ||
        !take(&text, lengths, &out->request))
        return false;
    out->body = text;
    return true;
}
