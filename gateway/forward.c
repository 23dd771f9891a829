#include "gateway/forward.h"

#include "libfaas/http_hop.h"

/* What is rewritten or is the next hop's own business. */
static bool replaced(struct faas_str name)
{
    static const struct faas_str names[] = {
        FAAS_STR_INIT("Content-Length"),
        FAAS_STR_INIT("Expect"), /* answered by us */
        FAAS_STR_INIT("X-Forwarded-For"),
        FAAS_STR_INIT("X-Start-Time"),
    };

    for (size_t i = 0; i < FAAS_ARRAY_LEN(names); i++) {
        if (name.len == names[i].len && faas_str_ieq(name, names[i]))
            return true;
    }
    return false;
}

enum faas_body_kind gw_forward_body_kind(const struct faas_http_head *head)
{
    if (head->content_length < 0)
        return FAAS_BODY_CHUNKED;
    return head->content_length > 0 ? FAAS_BODY_LENGTH : FAAS_BODY_NONE;
}

static void append_framing(struct faas_buf *out, const struct faas_http_head *head)
{
    if (head->content_length < 0) {
        faas_buf_append_z(out, "Transfer-Encoding: chunked\r\n");
    } else if (head->content_length > 0 ||
               faas_http_find(head->headers, head->n_headers, FAAS_STR("Content-Length"))) {
        faas_buf_append_z(out, "Content-Length: ");
        faas_buf_append_u64(out, (uint64_t)head->content_length);
        faas_buf_append_z(out, "\r\n");
    }
}

static void append_request_line(struct faas_buf *out, const struct gw_request *r)
{
    const struct faas_http_head *head = r->head;
    struct faas_str rest = r->match.rest;

    faas_buf_append_str(out, head->method);
    faas_buf_append_c(out, ' ');
    faas_buf_append_str(out, rest.len > 0 ? rest : FAAS_STR("/"));
    if (head->query.ptr) {
        faas_buf_append_c(out, '?');
        faas_buf_append_str(out, head->query);
    }
    faas_buf_append_z(out, " HTTP/1.1\r\n");
}

static void append_forwarded_for(struct faas_buf *out, const struct gw_request *r,
                                 struct faas_str peer)
{
    ptrdiff_t colon = faas_str_rfind(peer, ':');

    if (colon >= 0)
        peer.len = (size_t)colon;
    faas_buf_append_z(out, "X-Forwarded-For: ");
    for (size_t i = 0; i < r->head->n_headers; i++) {
        if (faas_str_ieq(r->head->headers[i].name, FAAS_STR("X-Forwarded-For"))) {
            faas_buf_append_str(out, r->head->headers[i].value);
            faas_buf_append_z(out, ", ");
        }
    }
    faas_buf_append_str(out, peer);
    faas_buf_append_z(out, "\r\n");
}

static void append_upgrade(struct faas_buf *out, const struct faas_http_head *head)
{
    if (!faas_http_wants_upgrade(head))
        return;
    faas_hop_append(out, FAAS_STR("Connection"), FAAS_STR("Upgrade"));
    for (size_t i = 0; i < head->n_headers; i++) {
        if (faas_str_ieq(head->headers[i].name, FAAS_STR("Upgrade")))
            faas_hop_append(out, FAAS_STR("Upgrade"), head->headers[i].value);
    }
}

void gw_forward_request(struct faas_buf *out, const struct gw_request *r, struct faas_str peer)
{
    const struct faas_http_header *h = r->head->headers;
    size_t n = r->head->n_headers;
    const struct faas_hop hop = faas_hop_of(h, n);
    bool forwarded_host = false;
    struct faas_str host = {0};

    append_request_line(out, r);
    for (size_t i = 0; i < n; i++) {
        if (faas_hop_ends(&hop, h[i].name) || replaced(h[i].name))
            continue;
        if (faas_str_ieq(h[i].name, FAAS_STR("Host")))
            host = h[i].value;
        else if (faas_str_ieq(h[i].name, FAAS_STR("X-Forwarded-Host")))
            forwarded_host = true;
        else if (r->call_id_is_new && faas_str_ieq(h[i].name, FAAS_STR("X-Call-Id")))
            continue;
        faas_hop_append(out, h[i].name, h[i].value);
    }
    if (host.len == 0)
        faas_hop_append(out, FAAS_STR("Host"), FAAS_STR("localhost")); /* an HTTP/1.0 client */
    else if (!forwarded_host)
        faas_hop_append(out, FAAS_STR("X-Forwarded-Host"), host);
    append_forwarded_for(out, r, peer);
    if (r->call_id_is_new)
        faas_hop_append(out, FAAS_STR("X-Call-Id"), r->call_id);
    faas_hop_append(out, FAAS_STR("X-Start-Time"), faas_str_from(r->start_time));
    append_framing(out, r->head);
    append_upgrade(out, r->head);
    faas_buf_append_z(out, "\r\n");
}

static bool has(const struct faas_http_response_head *head, struct faas_str name)
{
    return faas_http_find(head->headers, head->n_headers, name) != NULL;
}

struct faas_http_header *gw_forward_response(struct faas_arena *arena, const struct gw_request *r,
                                             const struct faas_http_response_head *head, size_t *n)
{
    const struct faas_http_header ours[] = {
        {FAAS_STR("X-Call-Id"), r->call_id},
        {FAAS_STR("X-Start-Time"), faas_str_from(r->start_time)},
        {FAAS_STR("X-Served-By"), faas_str_from(r->shard->gw->served_by)},
    };
    const struct faas_hop hop = faas_hop_of(head->headers, head->n_headers);
    struct faas_http_header *out =
        faas_arena_alloc(arena, (head->n_headers + FAAS_ARRAY_LEN(ours)) * sizeof(*out));

    *n = 0;
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct faas_http_header *h = &head->headers[i];

        if (!faas_hop_ends(&hop, h->name) ||
            (head->upgraded && faas_str_ieq(h->name, FAAS_STR("Upgrade"))))
            out[(*n)++] = *h;
    }
    for (size_t i = 0; i < FAAS_ARRAY_LEN(ours); i++) {
        if (!has(head, ours[i].name))
            out[(*n)++] = ours[i];
    }
    return out;
}
