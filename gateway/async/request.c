#include "gateway/async/request.h"

#include "libfaas/http_hop.h"

/* Said anew. */
static bool replaced(struct faas_str name)
{
    static const struct faas_str names[] = {
        FAAS_STR_INIT("Content-Length"), FAAS_STR_INIT("Expect"),     FAAS_STR_INIT("X-Call-Id"),
        FAAS_STR_INIT("X-Start-Time"),   FAAS_STR_INIT("User-Agent"),
    };

    for (size_t i = 0; i < FAAS_ARRAY_LEN(names); i++)
        if (faas_str_ieq(name, names[i]))
            return true;
    return false;
}

void gw_async_request_head(struct faas_buf *out, const struct gw_request *r,
                           struct faas_str function, size_t body_len)
{
    const struct faas_http_head *head = r->head;
    const struct faas_hop hop = faas_hop_of(head->headers, head->n_headers);

    faas_buf_append_z(out, "POST /function/");
    faas_buf_append_str(out, function);
    faas_buf_append_str(out, r->match.rest.len ? r->match.rest : FAAS_STR("/"));
    if (head->query.ptr) {
        faas_buf_append_c(out, '?');
        faas_buf_append_str(out, head->query);
    }
    faas_buf_append_z(out, " HTTP/1.1\r\n");
    if (!faas_http_find(head->headers, head->n_headers, FAAS_STR("Host")))
        faas_hop_append(out, FAAS_STR("Host"), FAAS_STR("localhost"));
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct faas_http_header *h = &head->headers[i];

        if (!faas_hop_ends(&hop, h->name) && !replaced(h->name))
            faas_hop_append(out, h->name, h->value);
    }
    faas_hop_append(out, FAAS_STR("X-Start-Time"), faas_str_from(r->start_time));
    faas_buf_append_z(out, "Content-Length: ");
    faas_buf_append_u64(out, body_len);
    faas_buf_append_z(out, "\r\n");
}
