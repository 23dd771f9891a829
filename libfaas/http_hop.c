#include "libfaas/http_hop.h"

/* Most clients send no Connection header, or one that names nothing: then no name has to be
 * compared. */
struct faas_hop faas_hop_of(const struct faas_http_header *headers, size_t n)
{
    struct faas_hop hop = {.headers = headers, .n = n};

    for (size_t i = 0; i < n && !hop.connection_names; i++) {
        const struct faas_http_header *h = &headers[i];

        hop.connection_names = h->name.len == 10 && faas_str_ieq(h->name, FAAS_STR("Connection")) &&
                               !faas_str_ieq(h->value, FAAS_STR("keep-alive")) &&
                               !faas_str_ieq(h->value, FAAS_STR("close"));
    }
    return hop;
}

static bool named_by_connection(const struct faas_hop *hop, struct faas_str name)
{
    for (size_t i = 0; i < hop->n; i++) {
        const struct faas_http_header *h = &hop->headers[i];

        if (h->name.len == 10 && faas_str_ieq(h->name, FAAS_STR("Connection")) &&
            faas_http_has_token(h->value, name))
            return true;
    }
    return false;
}

bool faas_hop_ends(const struct faas_hop *hop, struct faas_str name)
{
    return faas_http_is_hop_by_hop(name) ||
           (hop->connection_names && named_by_connection(hop, name));
}

void faas_hop_append(struct faas_buf *out, struct faas_str name, struct faas_str value)
{
    char *p = faas_buf_reserve(out, name.len + value.len + 4);

    memcpy(p, name.ptr, name.len);
    p += name.len;
    *p++ = ':';
    *p++ = ' ';
    if (value.len > 0) /* its ptr may be NULL otherwise */
        memcpy(p, value.ptr, value.len);
    p += value.len;
    *p++ = '\r';
    *p++ = '\n';
    *p = '\0';
    out->len += name.len + value.len + 4;
}

bool faas_http_is_idempotent(struct faas_str method)
{
    static const char *const names[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};

    for (size_t i = 0; i < FAAS_ARRAY_LEN(names); i++) {
        if (faas_str_eqz(method, names[i]))
            return true;
    }
    return false;
}
