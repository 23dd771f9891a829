/* However the bytes of a response are cut, the events are the same; and a response that ended
 * consists of exactly the bytes that were consumed for it.
 *
 * Input: one byte of options, four bytes that decide the cuts, then what the upstream sends. */
#include "libfaas/http_parse.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
    struct faas_buf heads;
    struct faas_buf body;
    enum faas_http_event last;
    int64_t content_length;
    size_t unread;
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void note_head(struct result *r, const struct faas_http_response_head *h)
{
    faas_buf_printf(&r->heads, "%d %lld %d %d ", h->status, (long long)h->content_length,
                    h->keep_alive, h->upgraded);
    faas_buf_append_str(&r->heads, h->reason);
    for (size_t i = 0; i < h->n_headers; i++) {
        faas_buf_append_c(&r->heads, '\n');
        faas_buf_append_str(&r->heads, h->headers[i].name);
        faas_buf_append_c(&r->heads, ':');
        faas_buf_append_str(&r->heads, h->headers[i].value);
        require(faas_http_valid_token(h->headers[i].name));
        require(faas_http_valid_value(h->headers[i].value));
    }
    r->content_length = h->content_length;
}

static void note_trailers(struct result *r, const struct faas_http_parser *p)
{
    size_t n;
    const struct faas_http_header *h = faas_http_parser_trailers(p, &n);

    for (size_t i = 0; i < n; i++) {
        require(faas_http_valid_token(h[i].name));
        require(faas_http_valid_value(h[i].value));
        faas_buf_append_c(&r->heads, '\n');
        faas_buf_append_str(&r->heads, h[i].name);
        faas_buf_append_c(&r->heads, ':');
        faas_buf_append_str(&r->heads, h[i].value);
    }
}

static void feed(struct result *r, struct faas_http_parser *p, struct faas_str in)
{
    while (r->last != FAAS_HTTP_END && r->last != FAAS_HTTP_ERROR) {
        struct faas_str data = {0}, before = in;

        r->last = faas_http_parser_next(p, &in, &data, NULL);
        require(in.ptr >= before.ptr && in.ptr + in.len == before.ptr + before.len);
        if (r->last == FAAS_HTTP_NEED_MORE) {
            require(in.len == 0);
            return;
        }
        if (r->last == FAAS_HTTP_HEAD) {
            require(r->heads.len == 0);
            note_head(r, faas_http_parser_head(p));
        }
        if (r->last == FAAS_HTTP_END)
            note_trailers(r, p);
        if (r->last == FAAS_HTTP_BODY) {
            require(r->heads.len > 0 && data.len > 0);
            require(data.ptr >= before.ptr && data.ptr + data.len <= before.ptr + before.len);
            faas_buf_append_str(&r->body, data);
        }
    }
    r->unread += in.len;
}

/* seed 0: in one piece. */
static struct result parse(struct faas_str in, uint8_t options, uint32_t seed)
{
    struct faas_http_parser *p = faas_http_parser_new(options & 2 ? 64 : 4096);
    struct result r = {.last = FAAS_HTTP_NEED_MORE};

    faas_http_parser_reset(p, options & 1);
    do {
        size_t n = in.len;

        if (seed) {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            n = FAAS_MIN(n, (size_t)(seed >> 8) % (seed & 1 ? 3 : 50));
        }
        feed(&r, p, (struct faas_str){in.ptr, n});
        in.ptr += n;
        in.len -= n;
    } while (in.len);
    if (r.last != FAAS_HTTP_END && r.last != FAAS_HTTP_ERROR)
        r.last = faas_http_parser_eof(p, NULL);
    faas_http_parser_free(p);
    return r;
}

static void release(struct result *r)
{
    faas_buf_deinit(&r->heads);
    faas_buf_deinit(&r->body);
}

static void require_same(const struct result *a, const struct result *b)
{
    require(a->last == b->last);
    require(faas_str_eq(faas_buf_str(&a->heads), faas_buf_str(&b->heads)));
    require(faas_str_eq(faas_buf_str(&a->body), faas_buf_str(&b->body)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct faas_str in = {.ptr = (const char *)data + 5, .len = size - 5};
    struct result whole, pieces, alone;
    uint32_t seed;

    if (size < 5)
        return 0;
    memcpy(&seed, data + 1, sizeof(seed));
    whole = parse(in, data[0], 0);
    pieces = parse(in, data[0], seed | 1);
    require_same(&whole, &pieces);
    if (whole.last == FAAS_HTTP_END) {
        require(whole.unread == pieces.unread && whole.unread <= in.len);
        alone = parse((struct faas_str){in.ptr, in.len - whole.unread}, data[0], 0);
        require_same(&whole, &alone);
        require(alone.unread == 0);
        release(&alone);
        if (whole.content_length >= 0 && whole.body.len)
            require((size_t)whole.content_length == whole.body.len);
    }
    release(&whole);
    release(&pieces);
    return 0;
}
