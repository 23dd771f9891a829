#include "watchdog/http_head.h"

#include "libfaas/http_hop.h"

#define NS_PER_MS INT64_C(1000000)

/* --- what the client asks for --- */

static struct faas_str x_timeout(const struct faas_http_head *head)
{
    return faas_http_value(head->headers, head->n_headers, FAAS_STR("X-Timeout"));
}

/* 0: it is no limit. */
static int64_t parse_limit_ms(struct faas_str text)
{
    int64_t ns;

    if (faas_parse_go_duration(text, &ns, NULL) < 0 || ns <= 0)
        return 0;
    return (ns - 1) / NS_PER_MS + 1;
}

int64_t wd_http_limit_ms(const struct faas_http_head *head, int64_t exec_timeout_ms,
                         bool *by_client)
{
    struct faas_str text = x_timeout(head);
    int64_t ms = text.ptr ? parse_limit_ms(text) : 0;

    *by_client = ms && ms < exec_timeout_ms;
    return *by_client ? ms : exec_timeout_ms;
}

bool wd_http_limit_is_odd(const struct faas_http_head *head)
{
    struct faas_str text = x_timeout(head);

    return text.ptr && !parse_limit_ms(text);
}

static bool has_word(struct faas_str s, struct faas_str word)
{
    for (; s.len >= word.len; s.ptr++, s.len--)
        if (faas_str_istarts(s, word))
            return true;
    return false;
}

bool wd_http_wants_stream(const struct faas_http_head *head)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct faas_http_header *h = &head->headers[i];

        if (h->name.len == 6 && faas_str_ieq(h->name, FAAS_STR("Accept")) &&
            (has_word(h->value, FAAS_STR("text/event-stream")) ||
             has_word(h->value, FAAS_STR("application/x-ndjson"))))
            return true;
    }
    return false;
}

/* --- to the function --- */

static void append_line(struct faas_buf *out, const struct wd_http_request *r)
{
    const struct faas_http_head *head = r->head;

    faas_buf_append_str(out, head->method);
    faas_buf_append_c(out, ' ');
    faas_buf_append_str(out, r->base);
    faas_buf_append_str(out, head->path);
    if (head->query.ptr) {
        faas_buf_append_c(out, '?');
        faas_buf_append_str(out, head->query);
    }
    faas_buf_append_z(out, " HTTP/1.1\r\n");
}

/* Of "http://host/path", which then counts for more than a Host header. */
static struct faas_str authority_of(struct faas_str target)
{
    const char *at = memmem(target.ptr, target.len, "://", 3);
    struct faas_str rest = {0};

    if (target.len == 0 || target.ptr[0] == '/' || !at)
        return rest;
    rest.ptr = at + 3;
    while (rest.ptr + rest.len < target.ptr + target.len && !strchr("/?", rest.ptr[rest.len]))
        rest.len++;
    return rest;
}

static struct faas_str host_of(const struct wd_http_request *r)
{
    struct faas_str host;

    if (r->own_host)
        return r->authority;
    host = authority_of(r->head->target);
    if (!host.len)
        host = faas_http_value(r->head->headers, r->head->n_headers, FAAS_STR("Host"));
    return host.ptr ? host : r->authority; /* an HTTP/1.0 client */
}

/* What is written anew, if at all. */
static bool is_replaced(const struct wd_http_request *r, struct faas_str name)
{
    switch (name.len) {
    case 4:
        return faas_str_ieq(name, FAAS_STR("Host"));
    case 6:
        return faas_str_ieq(name, FAAS_STR("Expect")); /* answered by our server */
    case 14:
        return faas_str_ieq(name, FAAS_STR("Content-Length"));
    case 15:
        return r->peer.ptr && faas_str_ieq(name, FAAS_STR("X-Forwarded-For"));
    default:
        return false;
    }
}

static void append_forwarded_for(struct faas_buf *out, const struct wd_http_request *r)
{
    struct faas_str peer = r->peer;
    ptrdiff_t colon = faas_str_rfind(peer, ':');

    if (colon >= 0)
        peer.len = (size_t)colon;
    if (peer.len > 2 && peer.ptr[0] == '[') /* an address of IPv6 stands here without brackets */
        peer = (struct faas_str){.ptr = peer.ptr + 1, .len = peer.len - 2};
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

/* Where a body is usual its absence is told, as Go's client does. */
static bool tells_zero(const struct faas_http_head *head)
{
    return faas_http_find(head->headers, head->n_headers, FAAS_STR("Content-Length")) ||
           faas_str_eqz(head->method, "POST") || faas_str_eqz(head->method, "PUT") ||
           faas_str_eqz(head->method, "PATCH");
}

static void append_framing(struct faas_buf *out, const struct wd_http_request *r)
{
    if (r->body == FAAS_BODY_CHUNKED) {
        faas_buf_append_z(out, "Transfer-Encoding: chunked\r\n");
    } else if (r->body == FAAS_BODY_LENGTH) {
        faas_buf_append_z(out, "Content-Length: ");
        faas_buf_append_u64(out, (uint64_t)r->length);
        faas_buf_append_z(out, "\r\n");
    } else if (tells_zero(r->head)) {
        faas_buf_append_z(out, "Content-Length: 0\r\n");
    }
}

/* The hop's own headers that we can honour on the next one. */
static void append_hop_headers(struct faas_buf *out, const struct wd_http_request *r)
{
    const struct faas_http_head *head = r->head;
    struct faas_str trailer, te;

    if (r->upgrade) {
        faas_hop_append(out, FAAS_STR("Connection"), FAAS_STR("Upgrade"));
        faas_hop_append(out, FAAS_STR("Upgrade"),
                        faas_http_value(head->headers, head->n_headers, FAAS_STR("Upgrade")));
        return;
    }
    te = faas_http_value(head->headers, head->n_headers, FAAS_STR("TE"));
    if (te.ptr && faas_http_has_token(te, FAAS_STR("trailers"))) {
        faas_hop_append(out, FAAS_STR("Connection"), FAAS_STR("TE"));
        faas_hop_append(out, FAAS_STR("TE"), FAAS_STR("trailers"));
    }
    trailer = faas_http_value(head->headers, head->n_headers, FAAS_STR("Trailer"));
    if (trailer.ptr && r->body == FAAS_BODY_CHUNKED)
        faas_hop_append(out, FAAS_STR("Trailer"), trailer);
}

bool wd_http_request_head(struct faas_buf *out, const struct wd_http_request *r)
{
    const struct faas_http_head *head = r->head;
    const struct faas_hop hop = faas_hop_of(head->headers, head->n_headers);

    if (head->path.len == 0 || head->path.ptr[0] != '/')
        return false;
    append_line(out, r);
    faas_hop_append(out, FAAS_STR("Host"), host_of(r));
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct faas_http_header *h = &head->headers[i];

        if (!is_replaced(r, h->name) && !faas_hop_ends(&hop, h->name))
            faas_hop_append(out, h->name, h->value);
    }
    if (r->peer.ptr)
        append_forwarded_for(out, r);
    append_hop_headers(out, r);
    append_framing(out, r);
    faas_buf_append_z(out, "\r\n");
    return true;
}

/* --- behind the body, both ways --- */

static bool may_trail(struct faas_str name)
{
    static const struct faas_str never[] = {
        FAAS_STR_INIT("Content-Length"), FAAS_STR_INIT("Content-Encoding"),
        FAAS_STR_INIT("Content-Type"),   FAAS_STR_INIT("Content-Range"),
        FAAS_STR_INIT("Host"),           FAAS_STR_INIT("Authorization"),
        FAAS_STR_INIT("Set-Cookie"),     FAAS_STR_INIT("X-Duration-Seconds"),
    };

    for (size_t i = 0; i < FAAS_ARRAY_LEN(never); i++)
        if (faas_str_ieq(name, never[i]))
            return false;
    return !faas_http_is_hop_by_hop(name);
}

struct faas_http_header *wd_http_trailers(struct faas_arena *arena,
                                          const struct faas_http_header *trailers, size_t *n)
{
    struct faas_http_header *out = faas_arena_alloc(arena, *n * sizeof(*out));
    size_t kept = 0;

    for (size_t i = 0; i < *n; i++)
        if (may_trail(trailers[i].name))
            out[kept++] = trailers[i];
    *n = kept;
    return out;
}

/* --- to the client --- */

static bool is_kept(const struct faas_http_response_head *head, const struct faas_hop *hop,
                    struct faas_str name, const char *seconds)
{
    if (seconds && faas_str_ieq(name, FAAS_STR("X-Duration-Seconds")))
        return false;
    if (faas_str_ieq(name, FAAS_STR("Upgrade")))
        return head->upgraded;
    if (faas_str_ieq(name, FAAS_STR("Trailer")))
        return head->content_length < 0;
    return !faas_hop_ends(hop, name);
}

struct faas_http_header *wd_http_response_headers(struct faas_arena *arena,
                                                  const struct faas_http_response_head *head,
                                                  const char *seconds, size_t *n)
{
    const struct faas_hop hop = faas_hop_of(head->headers, head->n_headers);
    struct faas_http_header *out = faas_arena_alloc(arena, (head->n_headers + 1) * sizeof(*out));

    *n = 0;
    for (size_t i = 0; i < head->n_headers; i++)
        if (is_kept(head, &hop, head->headers[i].name, seconds))
            out[(*n)++] = head->headers[i];
    if (seconds)
        out[(*n)++] =
            (struct faas_http_header){FAAS_STR("X-Duration-Seconds"), faas_str_from(seconds)};
    return out;
}
