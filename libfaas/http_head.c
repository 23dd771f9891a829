#include "libfaas/http_server_impl.h"

/* MHD 0.9.75 is lenient where that is dangerous next to another HTTP implementation: it takes a
 * bare LF for a line's end and a header without a name for the head's, joins folded lines, cuts
 * lines at NUL bytes, skips blanks, and decides on a body's length by the first header that
 * matches. None of this can be switched off, but it parses in place: its views lie in one buffer in
 * the order in which they came, with a NUL where the separator stood. So a head is strict if
 * between the views there is room for exactly the separators that belong there, "\r\n" for a line's
 * end.
 *
 * Some requests do not come this far, because MHD refuses them itself, with a short HTML page: 400
 * for a header without a colon, a version that is none, a Content-Length that is no number; 413 for
 * one beyond 64 bits; 414 and 431 when its memory is exhausted, which is well beyond the limit;
 * 505. A first line without a blank it does not answer at all. */
static bool is_strict(const struct faas_http_head *head, const struct http_head_input *in)
{
    const char *at = in->method + head->method.len + 1;

    if (in->target != at)
        return false;
    at += head->target.len + 1;
    if (in->version != at)
        return false;
    at += strlen(in->version) + 2;
    for (size_t i = 0; i < head->n_headers; i++) {
        if (head->headers[i].name.ptr != at)
            return false;
        at = head->headers[i].value.ptr + head->headers[i].value.len + 2;
    }
    return at + 2 == in->method + in->header_bytes;
}

static bool has_control(struct faas_str s, unsigned char first_allowed)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if ((c < first_allowed && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static bool has_blank_or_control(struct faas_str s)
{
    return has_control(s, '!') || faas_str_find(s, '\t') >= 0;
}

static bool is_connect(const struct faas_http_head *head)
{
    return faas_str_eq(head->method, FAAS_STR("CONNECT"));
}

/* "/a?b", "http://host/a?b" (absolute form, from proxies), "*" of OPTIONS, "host:port" of CONNECT.
 */
static bool split_target(struct faas_http_head *head)
{
    struct faas_str path = head->target;
    ptrdiff_t at;

    if (has_blank_or_control(path))
        return false;
    if (faas_str_istarts(path, FAAS_STR("http://")) ||
        faas_str_istarts(path, FAAS_STR("https://"))) {
        path.len -= (size_t)(strchr(path.ptr, ':') + 3 - path.ptr);
        path.ptr = strchr(path.ptr, ':') + 3;
        at = (ptrdiff_t)strcspn(path.ptr, "/?");
        path.ptr += at;
        path.len -= (size_t)at;
    } else if ((path.len == 0 || path.ptr[0] != '/') && !is_connect(head) &&
               !(faas_str_eqz(path, "*") && faas_str_eqz(head->method, "OPTIONS"))) {
        return false;
    }
    at = faas_str_find(path, '?');
    if (at >= 0) {
        head->query = (struct faas_str){.ptr = path.ptr + at + 1, .len = path.len - (size_t)at - 1};
        path.len = (size_t)at;
    }
    head->path = path.len > 0 ? path : FAAS_STR("/");
    return true;
}

/* The headers that decide about framing and so must not be ambiguous. */
struct framing {
    struct faas_str length, encoding, expect;
    unsigned hosts;
    bool lengths_differ, encodings;
};

static void note_header(struct framing *f, const struct faas_http_header *h)
{
    switch (h->name.len) {
    case 4:
        f->hosts += faas_str_ieq(h->name, FAAS_STR("host"));
        break;
    case 6:
        if (faas_str_ieq(h->name, FAAS_STR("expect")) && !f->expect.ptr)
            f->expect = h->value;
        break;
    case 14:
        if (!faas_str_ieq(h->name, FAAS_STR("content-length")))
            break;
        if (f->length.ptr && !faas_str_eq(f->length, h->value))
            f->lengths_differ = true;
        f->length = h->value;
        break;
    case 17:
        if (!faas_str_ieq(h->name, FAAS_STR("transfer-encoding")))
            break;
        f->encodings = f->encoding.ptr != NULL;
        f->encoding = h->value;
        break;
    default:
        break;
    }
}

static int judge_framing(struct faas_http_head *head, const struct framing *f, bool *expects,
                         const char **why)
{
    uint64_t length = 0;

    *why = "the request must have exactly one Host header";
    if (f->hosts > 1 || (f->hosts == 0 && !head->http_1_0))
        return 400;
    *why = "Content-Length is invalid, or there are several that differ";
    if (f->length.ptr &&
        (f->lengths_differ || faas_parse_u64(f->length, &length, NULL) < 0 || length > INT64_MAX))
        return 400;
    *why = "Transfer-Encoding together with Content-Length, or in HTTP/1.0, is ambiguous";
    if (f->encoding.ptr && (f->length.ptr || head->http_1_0))
        return 400;
    /* MHD recognises exactly this, so a blank more is another coding to it. */
    *why = "the only Transfer-Encoding supported is chunked";
    if (f->encoding.ptr && (f->encodings || !faas_str_ieq(f->encoding, FAAS_STR("chunked"))))
        return 501;
    *why = "the only Expect supported is 100-continue";
    if (f->expect.ptr && !faas_str_ieq(faas_str_trim(f->expect), FAAS_STR("100-continue")))
        return 417;
    *expects = f->expect.ptr && !head->http_1_0;
    head->content_length = f->encoding.ptr ? -1 : (int64_t)length;
    return 0;
}

static int judge_size(const struct faas_http_head *head, const struct http_head_input *in,
                      const char **why)
{
    size_t line = head->method.len + head->target.len + sizeof("  HTTP/1.1\r\n") - 1;

    *why = "the request line is longer than the limit for a request's head";
    if (line > in->header_limit)
        return 414;
    *why = "the request line and headers are larger than the limit for a request's head";
    if (in->header_bytes > in->header_limit)
        return 431;
    return 0;
}

static int judge_headers(struct faas_http_header *headers, size_t n, struct framing *f,
                         const char **why)
{
    *why = "a header is malformed";
    for (size_t i = 0; i < n; i++) {
        if (!faas_http_valid_token(headers[i].name) || has_control(headers[i].value, ' '))
            return 400;
        note_header(f, &headers[i]);
        headers[i].value = faas_str_trim(headers[i].value);
    }
    return 0;
}

int http_head_check(struct faas_http_head *head, struct faas_http_header *headers,
                    const struct http_head_input *in, bool *expects_continue, const char **why)
{
    struct framing framing = {0};
    int status = judge_size(head, in, why);

    if (status)
        return status;
    *why = "the request's head is malformed";
    if (!is_strict(head, in) || !faas_http_valid_token(head->method))
        return 400;
    *why = "the request target is malformed";
    if (!split_target(head))
        return 400;
    status = judge_headers(headers, head->n_headers, &framing, why);
    if (status)
        return status;
    head->http_1_0 = strcmp(in->version, "HTTP/1.0") == 0;
    return judge_framing(head, &framing, expects_continue, why);
}
