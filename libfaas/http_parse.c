#include "libfaas/http_parse.h"

#include "libfaas/alloc.h"

#include <inttypes.h>

enum state {
    IN_HEAD,
    IN_LENGTH,      /* left: body bytes still to come */
    IN_UNTIL_CLOSE, /* everything is body; only the close ends it */
    CHUNK_SIZE,
    CHUNK_BLANK, /* blanks behind the size: only an extension may follow */
    CHUNK_EXT,
    CHUNK_LF,
    IN_CHUNK, /* left: bytes of this chunk still to come */
    CHUNK_END_CR,
    CHUNK_END_LF,
    TRAILER_START,
    IN_TRAILER,
    TRAILER_LF,
    TRAILERS_LF,
    DONE,
    FAILED,
};

/* Size and extensions of one chunk. Nobody sends long ones but to keep a parser busy. */
#define MAX_CHUNK_LINE 1024
/* 15 hexadecimal digits: well inside 64 bits, and more than anybody has to send. */
#define MAX_CHUNK_SIZE ((uint64_t)1 << 60)

struct faas_http_parser {
    enum state state;
    bool head_request;
    size_t max_head;
    size_t meta_bytes; /* of heads (interim ones too) and trailers: bounded by max_head */
    struct faas_buf buf;
    size_t line_len; /* of the head line that is being read, without its newline */
    bool line_is_cr; /* that line begins with CR */
    uint64_t left;
    size_t chunk_line_len;
    struct faas_http_header *headers;
    size_t headers_cap;
    struct faas_http_response_head head;
    struct faas_buf trailer_text;
    struct faas_http_header *trailers;
    size_t n_trailers, trailers_cap;
};

struct faas_http_parser *faas_http_parser_new(size_t max_head)
{
    struct faas_http_parser *p = faas_new(struct faas_http_parser);

    p->max_head = max_head;
    return p;
}

void faas_http_parser_free(struct faas_http_parser *p)
{
    if (!p)
        return;
    faas_buf_deinit(&p->buf);
    faas_buf_deinit(&p->trailer_text);
    free(p->headers);
    free(p->trailers);
    free(p);
}

void faas_http_parser_reset(struct faas_http_parser *p, bool head_request)
{
    p->state = IN_HEAD;
    p->head_request = head_request;
    p->meta_bytes = 0;
    p->line_len = 0;
    p->left = 0;
    p->chunk_line_len = 0;
    p->head = (struct faas_http_response_head){0};
    p->n_trailers = 0;
    faas_buf_clear(&p->buf);
    faas_buf_clear(&p->trailer_text);
}

const struct faas_http_response_head *faas_http_parser_head(const struct faas_http_parser *p)
{
    return &p->head;
}

const struct faas_http_header *faas_http_parser_trailers(const struct faas_http_parser *p,
                                                         size_t *n)
{
    *n = p->n_trailers;
    return p->trailers;
}

static int bad(struct faas_error *err, const char *what)
{
    return faas_fail(err, FAAS_ERR_BAD_GATEWAY, "%s", what);
}

static int count_meta(struct faas_http_parser *p, size_t n, struct faas_error *err)
{
    if (n > p->max_head - p->meta_bytes)
        return faas_fail(err, FAAS_ERR_TOO_LARGE, "response head larger than %zu bytes",
                         p->max_head);
    p->meta_bytes += n;
    return 0;
}

/* How much of in belongs to the head; *whole tells whether its empty line is among it. */
static size_t scan_head(struct faas_http_parser *p, struct faas_str in, bool *whole)
{
    const char *at = in.ptr, *end = in.ptr + in.len;

    *whole = false;
    while (at < end && !*whole) {
        const char *nl = memchr(at, '\n', (size_t)(end - at));
        const char *stop = nl ? nl : end;

        if (p->line_len == 0)
            p->line_is_cr = *at == '\r';
        p->line_len += (size_t)(stop - at);
        at = stop;
        if (nl) {
            *whole = p->line_len == 0 || (p->line_len == 1 && p->line_is_cr);
            p->line_len = 0;
            at++;
        }
    }
    return (size_t)(at - in.ptr);
}

static struct faas_str next_line(struct faas_str *rest)
{
    struct faas_str line = faas_str_split(rest, '\n');

    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK"; the reason may be missing, with or without the blank before it. */
static int parse_status_line(struct faas_http_parser *p, struct faas_str line,
                             struct faas_error *err)
{
    const char *s = line.ptr;

    if (line.len < 12 || memcmp(s, "HTTP/1.", 7) != 0 || !is_digit(s[7]) || s[8] != ' ' ||
        !is_digit(s[9]) || !is_digit(s[10]) || !is_digit(s[11]) || s[9] == '0')
        return bad(err, "malformed status line");
    if (line.len > 12 && s[12] != ' ')
        return bad(err, "malformed status line");
    p->head.status = (s[9] - '0') * 100 + (s[10] - '0') * 10 + (s[11] - '0');
    p->head.keep_alive = s[7] != '0';
    p->head.reason = (struct faas_str){.ptr = s + 12};
    if (line.len > 13)
        p->head.reason = (struct faas_str){.ptr = s + 13, .len = line.len - 13};
    if (!faas_http_valid_value(p->head.reason))
        return bad(err, "malformed status line");
    return 0;
}

static int read_field(struct faas_str line, struct faas_http_header *h, struct faas_error *err)
{
    struct faas_str rest = line;

    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return bad(err, "folded header line");
    h->name = faas_str_split(&rest, ':');
    if (!rest.ptr || !faas_http_valid_token(h->name))
        return bad(err, "malformed header line");
    /* Before trimming, which would take a CR for a blank. */
    if (!faas_http_valid_value(rest))
        return bad(err, "control character in a header");
    h->value = faas_str_trim(rest);
    return 0;
}

static void add_field(struct faas_http_header **fields, size_t *n, size_t *cap,
                      const struct faas_http_header *h)
{
    if (*n == *cap) {
        *cap = *cap ? *cap * 2 : 16;
        *fields = faas_reallocarray(*fields, *cap, sizeof(**fields));
    }
    (*fields)[(*n)++] = *h;
}

static int parse_header(struct faas_http_parser *p, struct faas_str line, struct faas_error *err)
{
    struct faas_http_header h;

    if (read_field(line, &h, err) < 0)
        return -1;
    add_field(&p->headers, &p->head.n_headers, &p->headers_cap, &h);
    return 0;
}

struct framing {
    bool has_length, chunked, close, keep;
    uint64_t length;
};

static int read_length(struct framing *f, struct faas_str value, struct faas_error *err)
{
    uint64_t n;

    if (faas_parse_u64(value, &n, NULL) < 0 || n > INT64_MAX)
        return bad(err, "malformed Content-Length");
    if (f->has_length && f->length != n)
        return bad(err, "contradicting Content-Length headers");
    f->has_length = true;
    f->length = n;
    return 0;
}

static int read_framing(const struct faas_http_parser *p, struct framing *f, struct faas_error *err)
{
    for (size_t i = 0; i < p->head.n_headers; i++) {
        const struct faas_http_header *h = &p->headers[i];

        if (faas_str_ieq(h->name, FAAS_STR("content-length"))) {
            if (read_length(f, h->value, err) < 0)
                return -1;
        } else if (faas_str_ieq(h->name, FAAS_STR("transfer-encoding"))) {
            if (f->chunked || !faas_str_ieq(h->value, FAAS_STR("chunked")))
                return bad(err, "unsupported Transfer-Encoding");
            f->chunked = true;
        } else if (faas_str_ieq(h->name, FAAS_STR("connection"))) {
            f->close |= faas_http_has_token(h->value, FAAS_STR("close"));
            f->keep |= faas_http_has_token(h->value, FAAS_STR("keep-alive"));
        }
    }
    if (f->chunked && f->has_length)
        return bad(err, "both Content-Length and Transfer-Encoding");
    /* HTTP/1.0 knows no chunks: whoever sends both means something else than we would read. */
    if (f->chunked && !p->head.keep_alive)
        return bad(err, "Transfer-Encoding in an HTTP/1.0 response");
    return 0;
}

/* Which bytes behind the head are body: RFC 9112, 6.3. */
static void choose_body(struct faas_http_parser *p, const struct framing *f)
{
    struct faas_http_response_head *h = &p->head;

    h->keep_alive = (h->keep_alive || f->keep) && !f->close;
    h->content_length = f->has_length ? (int64_t)f->length : -1;
    if (h->status == 101) {
        h->upgraded = true;
        h->keep_alive = false;
        h->content_length = -1;
        p->state = IN_UNTIL_CLOSE;
    } else if (p->head_request || h->status == 204 || h->status == 304) {
        p->state = DONE;
    } else if (f->chunked) {
        p->state = CHUNK_SIZE;
    } else if (f->has_length) {
        p->left = f->length;
        p->state = p->left ? IN_LENGTH : DONE;
    } else {
        h->keep_alive = false;
        p->state = IN_UNTIL_CLOSE;
    }
}

static int parse_head(struct faas_http_parser *p, struct faas_error *err)
{
    struct faas_str rest = faas_buf_str(&p->buf);
    struct framing f = {0};

    p->head = (struct faas_http_response_head){0};
    if (parse_status_line(p, next_line(&rest), err) < 0)
        return -1;
    for (;;) {
        struct faas_str line = next_line(&rest);

        if (line.len == 0)
            break;
        if (parse_header(p, line, err) < 0)
            return -1;
    }
    p->head.headers = p->headers;
    if (p->head.status < 200 && p->head.status != 101)
        return 0;
    if (read_framing(p, &f, err) < 0)
        return -1;
    choose_body(p, &f);
    return 0;
}

/* 1: the head is whole and stands in p->head; 0: more input is needed. */
static int read_head(struct faas_http_parser *p, struct faas_str *in, struct faas_error *err)
{
    static const struct faas_str magic = FAAS_STR_INIT("HTTP/1.");

    while (in->len) {
        bool whole;
        size_t n = scan_head(p, *in, &whole);

        if (count_meta(p, n, err) < 0)
            return -1;
        faas_buf_append(&p->buf, in->ptr, n);
        in->ptr += n;
        in->len -= n;
        /* Told at once, or whoever speaks another protocol is waited for until the deadline. */
        if (memcmp(p->buf.data, magic.ptr, FAAS_MIN(p->buf.len, magic.len)) != 0)
            return bad(err, "not an HTTP/1.x response");
        if (!whole)
            return 0;
        if (parse_head(p, err) < 0)
            return -1;
        if (p->state != IN_HEAD)
            return 1;
        faas_buf_clear(&p->buf); /* an interim response: the real one follows */
    }
    return 0;
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int chunk_size_byte(struct faas_http_parser *p, char c, struct faas_error *err)
{
    int v = hex_value(c);

    if (v >= 0) {
        p->left = p->left * 16 + (unsigned)v;
        if (p->left >= MAX_CHUNK_SIZE)
            return bad(err, "chunk too large");
        return 0;
    }
    if (p->chunk_line_len == 1)
        return bad(err, "malformed chunk size");
    if (c == '\r')
        p->state = CHUNK_LF;
    else if (c == ';')
        p->state = CHUNK_EXT;
    else if (c == ' ' || c == '\t')
        p->state = CHUNK_BLANK;
    else
        return bad(err, "malformed chunk size");
    return 0;
}

static int trailer_byte(struct faas_http_parser *p, char c, struct faas_error *err)
{
    if (count_meta(p, 1, err) < 0)
        return -1;
    faas_buf_append_c(&p->trailer_text, c == '\r' ? '\n' : c);
    if (c == '\r')
        p->state = p->state == TRAILER_START ? TRAILERS_LF : TRAILER_LF;
    else if (c == '\n' || c == '\0')
        return bad(err, "malformed trailer");
    else
        p->state = IN_TRAILER;
    return 0;
}

/* Their lines, each ended by one newline here, up to an empty one. */
static int parse_trailers(struct faas_http_parser *p, struct faas_error *err)
{
    struct faas_str rest = faas_buf_str(&p->trailer_text);

    for (;;) {
        struct faas_str line = faas_str_split(&rest, '\n');
        struct faas_http_header h;

        if (line.len == 0)
            return 0;
        if (read_field(line, &h, err) < 0)
            return -1;
        add_field(&p->trailers, &p->n_trailers, &p->trailers_cap, &h);
    }
}

static int want(struct faas_http_parser *p, char c, char wanted, enum state next,
                struct faas_error *err)
{
    if (c != wanted)
        return bad(err, "malformed chunk");
    p->state = next;
    return 0;
}

/* One byte of what stands around the chunks' data. */
static int chunk_byte(struct faas_http_parser *p, char c, struct faas_error *err)
{
    switch (p->state) {
    case CHUNK_SIZE:
    case CHUNK_BLANK:
    case CHUNK_EXT:
        if (++p->chunk_line_len > MAX_CHUNK_LINE)
            return bad(err, "chunk line too long");
        if (p->state == CHUNK_SIZE)
            return chunk_size_byte(p, c, err);
        if (p->state == CHUNK_BLANK && (c == ' ' || c == '\t'))
            return 0;
        if (p->state == CHUNK_BLANK)
            return want(p, c, ';', CHUNK_EXT, err);
        if (c == '\n' || c == '\0')
            return bad(err, "malformed chunk extension");
        if (c == '\r')
            p->state = CHUNK_LF;
        return 0;
    case CHUNK_LF:
        p->chunk_line_len = 0;
        return want(p, c, '\n', p->left ? IN_CHUNK : TRAILER_START, err);
    case CHUNK_END_CR:
        return want(p, c, '\r', CHUNK_END_LF, err);
    case CHUNK_END_LF:
        return want(p, c, '\n', CHUNK_SIZE, err);
    case TRAILER_LF:
        return want(p, c, '\n', TRAILER_START, err);
    case TRAILERS_LF:
        return want(p, c, '\n', DONE, err);
    default:
        return trailer_byte(p, c, err);
    }
}

static enum faas_http_event fail(struct faas_http_parser *p)
{
    p->state = FAILED;
    return FAAS_HTTP_ERROR;
}

/* The next piece of a body of which p->left bytes are still to come. */
static enum faas_http_event take_body(struct faas_http_parser *p, struct faas_str *in,
                                      struct faas_str *data, enum state then)
{
    size_t n = p->left < in->len ? (size_t)p->left : in->len;

    *data = (struct faas_str){.ptr = in->ptr, .len = n};
    in->ptr += n;
    in->len -= n;
    p->left -= n;
    if (p->left == 0)
        p->state = then;
    return FAAS_HTTP_BODY;
}

static enum faas_http_event read_chunked(struct faas_http_parser *p, struct faas_str *in,
                                         struct faas_str *data, struct faas_error *err)
{
    while (in->len) {
        if (p->state == IN_CHUNK)
            return take_body(p, in, data, CHUNK_END_CR);
        if (chunk_byte(p, *in->ptr, err) < 0)
            return fail(p);
        in->ptr++;
        in->len--;
        if (p->state == DONE)
            return parse_trailers(p, err) < 0 ? fail(p) : FAAS_HTTP_END;
    }
    return FAAS_HTTP_NEED_MORE;
}

enum faas_http_event faas_http_parser_next(struct faas_http_parser *p, struct faas_str *in,
                                           struct faas_str *data, struct faas_error *err)
{
    int got;

    switch (p->state) {
    case IN_HEAD:
        got = read_head(p, in, err);
        if (got < 0)
            return fail(p);
        return got ? FAAS_HTTP_HEAD : FAAS_HTTP_NEED_MORE;
    case IN_LENGTH:
        return in->len ? take_body(p, in, data, DONE) : FAAS_HTTP_NEED_MORE;
    case IN_UNTIL_CLOSE:
        if (in->len == 0)
            return FAAS_HTTP_NEED_MORE;
        *data = *in;
        *in = (struct faas_str){.ptr = in->ptr + in->len};
        return FAAS_HTTP_BODY;
    case DONE:
        return FAAS_HTTP_END;
    case FAILED:
        bad(err, "the response was malformed");
        return FAAS_HTTP_ERROR;
    default:
        return read_chunked(p, in, data, err);
    }
}

enum faas_http_event faas_http_parser_eof(struct faas_http_parser *p, struct faas_error *err)
{
    switch (p->state) {
    case IN_UNTIL_CLOSE:
        p->state = DONE;
        return FAAS_HTTP_END;
    case DONE:
        return FAAS_HTTP_END;
    case IN_HEAD:
        bad(err, p->meta_bytes ? "closed the connection in the middle of the response head"
                               : "closed the connection without a response");
        break;
    case IN_LENGTH:
        faas_fail(err, FAAS_ERR_BAD_GATEWAY,
                  "closed the connection with %" PRIu64 " bytes of the body missing", p->left);
        break;
    default:
        bad(err, "closed the connection in the middle of the body");
        break;
    }
    return fail(p);
}
