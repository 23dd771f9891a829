#include "libfaas/http_parse.h"
#include "tests/unit/unit.h"

#include <stdio.h>

/* A whole parse as one line of text, so that it can be compared however the input was cut:
 *     "200 OK len=5 keep {A: b} [hello] end" */
static void describe_fields(struct faas_buf *out, const struct faas_http_header *h, size_t n)
{
    for (size_t i = 0; i < n; i++)
        faas_buf_printf(out, " {%.*s: %.*s}", FAAS_STR_FMT(h[i].name), FAAS_STR_FMT(h[i].value));
}

static void describe_head(struct faas_buf *out, const struct faas_http_response_head *h)
{
    faas_buf_printf(out, "%d %.*s len=%lld%s%s", h->status, FAAS_STR_FMT(h->reason),
                    (long long)h->content_length, h->keep_alive ? " keep" : "",
                    h->upgraded ? " upgraded" : "");
    describe_fields(out, h->headers, h->n_headers);
}

static void describe_trailers(struct faas_buf *out, const struct faas_http_parser *p)
{
    size_t n;
    const struct faas_http_header *trailers = faas_http_parser_trailers(p, &n);

    describe_fields(out, trailers, n);
}

struct run {
    struct faas_http_parser *parser;
    struct faas_buf text;
    struct faas_buf body;
    size_t unread;
    bool over, failed;
};

static void note_event(struct run *r, enum faas_http_event ev, struct faas_str data,
                       const struct faas_error *err)
{
    switch (ev) {
    case FAAS_HTTP_NEED_MORE:
        break;
    case FAAS_HTTP_HEAD:
        describe_head(&r->text, faas_http_parser_head(r->parser));
        break;
    case FAAS_HTTP_BODY:
        assert_true(data.len > 0);
        faas_buf_append_str(&r->body, data);
        break;
    case FAAS_HTTP_END:
    case FAAS_HTTP_ERROR:
        if (r->body.len)
            faas_buf_printf(&r->text, " [%s]", r->body.data);
        if (ev == FAAS_HTTP_END) {
            describe_trailers(&r->text, r->parser);
            faas_buf_append_z(&r->text, " end");
            r->over = true;
            break;
        }
        faas_buf_printf(&r->text, " %s: %s", faas_code_name(err->code), err->msg);
        r->over = true;
    }
}

static void feed(struct run *r, struct faas_str in)
{
    enum faas_http_event ev = FAAS_HTTP_BODY;

    while (!r->over && ev != FAAS_HTTP_NEED_MORE) {
        struct faas_str data = {0};
        struct faas_error err = {0};

        ev = faas_http_parser_next(r->parser, &in, &data, &err);
        note_event(r, ev, data, &err);
        if (ev == FAAS_HTTP_NEED_MORE)
            assert_int_equal(in.len, 0); /* or the rest would be lost */
        r->failed = ev == FAAS_HTTP_ERROR;
    }
    if (!r->failed) /* or how far it came is nobody's business */
        r->unread += in.len;
}

/* Two cuts make three pieces; equal cuts make fewer. step: pieces of that size instead. */
static void feed_in_pieces(struct run *r, struct faas_str in, size_t a, size_t b, size_t step)
{
    if (step) {
        for (size_t at = 0; at < in.len; at += step)
            feed(r, (struct faas_str){in.ptr + at, FAAS_MIN(step, in.len - at)});
        return;
    }
    feed(r, (struct faas_str){in.ptr, a});
    feed(r, (struct faas_str){in.ptr + a, b - a});
    feed(r, (struct faas_str){in.ptr + b, in.len - b});
}

static char *finish(struct run *r)
{
    if (!r->over) {
        struct faas_error err = {0};

        note_event(r, faas_http_parser_eof(r->parser, &err), (struct faas_str){0}, &err);
    }
    if (r->unread)
        faas_buf_printf(&r->text, " +%zu", r->unread);
    faas_http_parser_free(r->parser);
    faas_buf_deinit(&r->body);
    return faas_buf_steal(&r->text);
}

struct sample {
    const char *what;
    struct faas_str in;
    const char *want;
    bool is_head;
    size_t max_head; /* 0: 1024 */
};

static char *parse(const struct sample *s, size_t a, size_t b, size_t step)
{
    struct run r = {.parser = faas_http_parser_new(s->max_head ? s->max_head : 1024)};

    faas_http_parser_reset(r.parser, s->is_head);
    feed_in_pieces(&r, s->in, a, b, step);
    return finish(&r);
}

static void check_equal(const struct sample *s, char *got, const char *how)
{
    if (strcmp(got, s->want) != 0)
        fail_msg("%s (%s):\n   got  \"%s\"\n   want \"%s\"", s->what, how, got, s->want);
    free(got);
}

static void check_all(const struct sample *samples, size_t n)
{
    for (const struct sample *s = samples; s < samples + n; s++) {
        check_equal(s, parse(s, s->in.len, s->in.len, 0), "in one piece");
        check_equal(s, parse(s, 0, 0, 1), "byte by byte");
        for (size_t a = 0; a <= s->in.len; a++)
            for (size_t b = a; b <= s->in.len; b++)
                check_equal(s, parse(s, a, b, 0), "cut in three");
    }
}

#define IN(lit) FAAS_STR_INIT(lit)

static void heads_are_read(void **state)
{
    static const struct sample samples[] = {
        {"plain", IN("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
         "200 OK len=5 keep {Content-Length: 5} [hello] end"},
        {"order and duplicates are kept",
         IN("HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nB: x\r\nset-cookie: b=2\r\nContent-Length: "
            "0\r\n\r\n"),
         "200 OK len=0 keep {Set-Cookie: a=1} {B: x} {set-cookie: b=2} {Content-Length: 0} end"},
        {"blanks around values go, those inside stay",
         IN("HTTP/1.1 200 OK\r\nA: \t x  y \t\r\nB:\r\nC:z\r\nContent-Length: 0\r\n\r\n"),
         "200 OK len=0 keep {A: x  y} {B: } {C: z} {Content-Length: 0} end"},
        {"no reason", IN("HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n"),
         "404  len=0 keep {Content-Length: 0} end"},
        {"empty reason", IN("HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n"),
         "404  len=0 keep {Content-Length: 0} end"},
        {"reason of several words", IN("HTTP/1.1 500 it broke: twice\r\nContent-Length: 0\r\n\r\n"),
         "500 it broke: twice len=0 keep {Content-Length: 0} end"},
        {"bytes above 127 pass",
         IN("HTTP/1.1 200 \xc3\x96\r\nA: \xff\r\nContent-Length: 0\r\n\r\n"),
         "200 \xc3\x96 len=0 keep {A: \xff} {Content-Length: 0} end"},
        {"newline alone ends head lines", IN("HTTP/1.1 200 OK\nA: b\nContent-Length: 2\n\nhi"),
         "200 OK len=2 keep {A: b} {Content-Length: 2} [hi] end"},
        {"what follows stays unread",
         IN("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n"),
         "200 OK len=2 keep {Content-Length: 2} [hi] end +17"},
        {"an unknown status", IN("HTTP/1.1 799 \r\nContent-Length: 0\r\n\r\n"),
         "799  len=0 keep {Content-Length: 0} end"},
    };

    (void)state;
    check_all(samples, FAAS_ARRAY_LEN(samples));
}

static void keep_alive_follows_version_and_connection(void **state)
{
    static const struct sample samples[] = {
        {"1.1 close", IN("HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n"),
         "200 OK len=0 {Connection: Close} {Content-Length: 0} end"},
        {"1.1 close in a list",
         IN("HTTP/1.1 200 OK\r\nConnection: x, close\r\nContent-Length: 0\r\n\r\n"),
         "200 OK len=0 {Connection: x, close} {Content-Length: 0} end"},
        {"1.0", IN("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
         "200 OK len=0 {Content-Length: 0} end"},
        {"1.0 keep-alive",
         IN("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"),
         "200 OK len=0 keep {Connection: keep-alive} {Content-Length: 0} end"},
        {"close outweighs keep-alive",
         IN("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nConnection: close\r\nContent-Length: "
            "0\r\n\r\n"),
         "200 OK len=0 {Connection: keep-alive} {Connection: close} {Content-Length: 0} end"},
        {"until close", IN("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nall of it"),
         "200 OK len=-1 {Connection: keep-alive} [all of it] end"},
    };

    (void)state;
    check_all(samples, FAAS_ARRAY_LEN(samples));
}

static void some_responses_have_no_body(void **state)
{
    static const struct sample samples[] = {
        {"204", IN("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"),
         "204 No Content len=5 keep {Content-Length: 5} end +5"},
        {"304", IN("HTTP/1.1 304 Not Modified\r\n\r\n"), "304 Not Modified len=-1 keep end"},
        {"304 chunked", IN("HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n\r\n"),
         "304 x len=-1 keep {Transfer-Encoding: chunked} end"},
        {"HEAD", IN("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
         "200 OK len=500 keep {Content-Length: 500} end", .is_head = true},
        {"HEAD without a length", IN("HTTP/1.1 200 OK\r\n\r\n"), "200 OK len=-1 keep end",
         .is_head = true},
    };

    (void)state;
    check_all(samples, FAAS_ARRAY_LEN(samples));
}

static void interim_responses_are_skipped(void **state)
{
    static const struct sample samples[] = {
        {"100", IN("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
         "200 OK len=0 keep {Content-Length: 0} end"},
        {"several with headers",
         IN("HTTP/1.1 103 Early Hints\r\nLink: x\r\nContent-Length: 9\r\n\r\nHTTP/1.1 102 "
            "P\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
         "200 OK len=1 keep {Content-Length: 1} [x] end"},
        {"too many", IN("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
         " too_large: response head larger than 30 bytes", .max_head = 30},
        {"101 makes a tunnel",
         IN("HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nHTTP/1.1 \r\n\r\n"),
         "101 Go len=-1 upgraded {Upgrade: websocket} {Content-Length: 1} [HTTP/1.1 \r\n\r\n] end"},
        {"nothing behind it", IN("HTTP/1.1 100 Continue\r\n\r\n"),
         " bad_gateway: closed the connection in the middle of the response head"},
    };

    (void)state;
    check_all(samples, FAAS_ARRAY_LEN(samples));
}

#define CHUNKED      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define CHUNKED_HEAD "200 OK len=-1 keep {Transfer-Encoding: chunked}"

static void chunks_are_unwrapped(void **state)
{
    static const struct sample samples[] = {
        {"two", IN(CHUNKED "5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\nrest"),
         CHUNKED_HEAD " [hello, world] end +4"},
        {"none", IN(CHUNKED "0\r\n\r\n"), CHUNKED_HEAD " end"},
        {"case and leading zeros",
         IN(CHUNKED "00A\r\n0123456789\r\nb\r\n0123456789a\r\n000\r\n\r\n"),
         CHUNKED_HEAD " [01234567890123456789a] end"},
        {"extensions", IN(CHUNKED "1;a=\"b;c\"\r\nx\r\n1 \t;d\r\ny\r\n0;e\r\n\r\n"),
         CHUNKED_HEAD " [xy] end"},
        {"trailers", IN(CHUNKED "1\r\nx\r\n0\r\nExpires: \tnever \r\nA:\r\n\r\nrest"),
         CHUNKED_HEAD " [x] {Expires: never} {A: } end +4"},
        {"CRLF inside", IN(CHUNKED "4\r\n\r\n0\r\r\n0\r\n\r\n"), CHUNKED_HEAD " [\r\n0\r] end"},
    };

    (void)state;
    check_all(samples, FAAS_ARRAY_LEN(samples));
}

static void bad_heads_are_refused(void **state)
{
#define NOT_HTTP   " bad_gateway: not an HTTP/1.x response"
#define BAD_LINE   " bad_gateway: malformed status line"
#define BAD_HEADER " bad_gateway: malformed header line"
#define CONTROL    " bad_gateway: control character in a header"
#define BAD_LENGTH " bad_gateway: malformed Content-Length"
    static const struct sample samples[] = {
        {"another protocol", IN("SSH-2.0-OpenSSH_9.2\r\n"), NOT_HTTP},
        {"another version", IN("HTTP/2 200\r\n\r\n"), NOT_HTTP},
        {"an empty line first", IN("\r\nHTTP/1.1 200 OK\r\n\r\n"), NOT_HTTP},
        {"lower case", IN("http/1.1 200 OK\r\n\r\n"), NOT_HTTP},
        {"no digits", IN("HTTP/1.1 2x0 OK\r\n\r\n"), BAD_LINE},
        {"two digits", IN("HTTP/1.1 20 OK\r\n\r\n"), BAD_LINE},
        {"four digits", IN("HTTP/1.1 2000 OK\r\n\r\n"), BAD_LINE},
        {"below 100", IN("HTTP/1.1 099 OK\r\n\r\n"), BAD_LINE},
        {"two blanks", IN("HTTP/1.1  200 OK\r\n\r\n"), BAD_LINE},
        {"version of letters", IN("HTTP/1.x 200 OK\r\n\r\n"), BAD_LINE},
        {"CR in the reason", IN("HTTP/1.1 200 O\rK\r\n\r\n"), BAD_LINE},
        {"NUL in the reason", IN("HTTP/1.1 200 O\0K\r\n\r\n"), BAD_LINE},
        {"no colon", IN("HTTP/1.1 200 OK\r\nhello\r\n\r\n"), BAD_HEADER},
        {"no name", IN("HTTP/1.1 200 OK\r\n: x\r\n\r\n"), BAD_HEADER},
        {"blank before the colon", IN("HTTP/1.1 200 OK\r\nA : x\r\n\r\n"), BAD_HEADER},
        {"blank in the name", IN("HTTP/1.1 200 OK\r\nA B: x\r\n\r\n"), BAD_HEADER},
        {"folded", IN("HTTP/1.1 200 OK\r\nA: x\r\n y\r\n\r\n"), " bad_gateway: folded header line"},
        {"bare CR in a value", IN("HTTP/1.1 200 OK\r\nA: x\ry\r\n\r\n"), CONTROL},
        {"two CRs", IN("HTTP/1.1 200 OK\r\nA: x\r\r\n\r\n"), CONTROL},
        {"NUL in a value", IN("HTTP/1.1 200 OK\r\nA: x\0y\r\n\r\n"), CONTROL},
        {"a length that is none", IN("HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n"),
         BAD_LENGTH},
        {"a negative length", IN("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), BAD_LENGTH},
        {"a signed length", IN("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n"), BAD_LENGTH},
        {"an empty length", IN("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n"), BAD_LENGTH},
        {"a list of lengths", IN("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n"), BAD_LENGTH},
        {"a length beyond all",
         IN("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n"), BAD_LENGTH},
        {"two lengths",
         IN("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
         " bad_gateway: contradicting Content-Length headers"},
        {"length and chunks",
         IN("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
         " bad_gateway: both Content-Length and Transfer-Encoding"},
        {"chunks in 1.0", IN("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
         " bad_gateway: Transfer-Encoding in an HTTP/1.0 response"},
        {"another coding", IN("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
         " bad_gateway: unsupported Transfer-Encoding"},
        {"chunked twice",
         IN("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
            "chunked\r\n\r\n0\r\n\r\n"),
         " bad_gateway: unsupported Transfer-Encoding"},
        {"too long", IN("HTTP/1.1 200 OK\r\nA: xxxxxxxxxxxxxxxxxxxxxx\r\n\r\n"),
         " too_large: response head larger than 40 bytes", .max_head = 40},
        {"too long without an end", IN("HTTP/1.1 200 OKxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
         " too_large: response head larger than 40 bytes", .max_head = 40},
    };

    (void)state;
    check_all(samples, FAAS_ARRAY_LEN(samples));
}

static void a_head_of_exactly_the_limit_is_read(void **state)
{
    static const struct sample samples[] = {
        {"38 bytes", IN("HTTP/1.1 200 OK\r\nA: xxxxxxxxxxxxxx\r\n\r\nbody"),
         "200 OK len=-1 {A: xxxxxxxxxxxxxx} [body] end", .max_head = 38},
        {"one less", IN("HTTP/1.1 200 OK\r\nA: xxxxxxxxxxxxxx\r\n\r\nbody"),
         " too_large: response head larger than 37 bytes", .max_head = 37},
    };

    (void)state;
    check_all(samples, FAAS_ARRAY_LEN(samples));
}

static void bad_chunks_are_refused(void **state)
{
#define BAD_SIZE    CHUNKED_HEAD " bad_gateway: malformed chunk size"
#define BAD_CHUNK   CHUNKED_HEAD " bad_gateway: malformed chunk"
#define BAD_TRAILER CHUNKED_HEAD " bad_gateway: malformed trailer"
    static const struct sample samples[] = {
        {"no size", IN(CHUNKED "\r\nhello"), BAD_SIZE},
        {"a word", IN(CHUNKED "hello\r\n"), BAD_SIZE},
        {"0x", IN(CHUNKED "0x5\r\nhello\r\n0\r\n\r\n"), BAD_SIZE},
        {"a sign", IN(CHUNKED "+5\r\nhello\r\n0\r\n\r\n"), BAD_SIZE},
        {"extension without a size", IN(CHUNKED ";a\r\n"), BAD_SIZE},
        {"newline alone", IN(CHUNKED "5\nhello\r\n0\r\n\r\n"), BAD_SIZE},
        {"CR alone", IN(CHUNKED "5\rhello\r\n0\r\n\r\n"), BAD_CHUNK},
        {"blanks and no extension", IN(CHUNKED "5 \r\nhello\r\n0\r\n\r\n"), BAD_CHUNK},
        {"newline in an extension", IN(CHUNKED "5;a\nhello"),
         CHUNKED_HEAD " bad_gateway: malformed chunk extension"},
        {"longer than said", IN(CHUNKED "5\r\nhello!\r\n0\r\n\r\n"),
         CHUNKED_HEAD " [hello] bad_gateway: malformed chunk"},
        {"newline alone behind the data", IN(CHUNKED "5\r\nhello\n0\r\n\r\n"),
         CHUNKED_HEAD " [hello] bad_gateway: malformed chunk"},
        {"too large", IN(CHUNKED "1000000000000000\r\n"),
         CHUNKED_HEAD " bad_gateway: chunk too large"},
        {"overflowing", IN(CHUNKED "10000000000000005\r\nhello"),
         CHUNKED_HEAD " bad_gateway: chunk too large"},
        {"newline in a trailer", IN(CHUNKED "0\r\nA: b\n\r\n"), BAD_TRAILER},
        {"CR in a trailer", IN(CHUNKED "0\r\nA: \rb\r\n\r\n"), BAD_CHUNK},
        {"no trailer", IN(CHUNKED "0\r\nAb\r\n\r\n"),
         CHUNKED_HEAD " bad_gateway: malformed header line"},
        {"folded trailer", IN(CHUNKED "0\r\nA: b\r\n c\r\n\r\n"),
         CHUNKED_HEAD " bad_gateway: folded header line"},
        {"NUL in a trailer", IN(CHUNKED "0\r\nA\0\r\n\r\n"), BAD_TRAILER},
        {"endless trailers", IN(CHUNKED "0\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n\r\n"),
         CHUNKED_HEAD " too_large: response head larger than 60 bytes", .max_head = 60},
    };

    (void)state;
    check_all(samples, FAAS_ARRAY_LEN(samples));
}

static void an_endless_chunk_extension_is_refused(void **state)
{
    struct faas_buf in = {0};
    struct sample s = {.what = "2000 bytes of extension",
                       .want = CHUNKED_HEAD " bad_gateway: chunk line too long"};

    (void)state;
    faas_buf_append_z(&in, CHUNKED "5;");
    for (int i = 0; i < 2000; i++)
        faas_buf_append_c(&in, 'x');
    s.in = faas_buf_str(&in);
    check_equal(&s, parse(&s, s.in.len, s.in.len, 0), "in one piece");
    check_equal(&s, parse(&s, 0, 0, 7), "in pieces of 7");
    faas_buf_deinit(&in);
}

static void a_missing_rest_is_an_error(void **state)
{
    static const struct sample samples[] = {
        {"nothing", IN(""), " bad_gateway: closed the connection without a response"},
        {"half a head", IN("HTTP/1.1 200 O"),
         " bad_gateway: closed the connection in the middle of the response head"},
        {"half a body", IN("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"),
         "200 OK len=5 keep {Content-Length: 5} [he] bad_gateway: closed the connection with 3 "
         "bytes of the body missing"},
        {"half a chunk", IN(CHUNKED "5\r\nhe"),
         CHUNKED_HEAD " [he] bad_gateway: closed the connection in the middle of the body"},
        {"no last chunk", IN(CHUNKED "5\r\nhello\r\n"),
         CHUNKED_HEAD " [hello] bad_gateway: closed the connection in the middle of the body"},
        {"no end of the trailers", IN(CHUNKED "0\r\nA: b\r\n"),
         CHUNKED_HEAD " bad_gateway: closed the connection in the middle of the body"},
    };

    (void)state;
    check_all(samples, FAAS_ARRAY_LEN(samples));
}

static void a_parser_serves_many_responses(void **state)
{
    static const char *const responses[] = {
        CHUNKED "5\r\nhello\r\n0\r\nA: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 204 No Content\r\n\r\n",
    };
    struct faas_http_parser *parser = faas_http_parser_new(100);

    (void)state;
    /* More in all than max_head: each response starts at zero. */
    for (int i = 0; i < 30; i++) {
        struct run r = {.parser = parser};

        faas_http_parser_reset(parser, false);
        feed(&r, faas_str_from(responses[i % FAAS_ARRAY_LEN(responses)]));
        assert_true(r.over);
        assert_int_equal(faas_http_parser_eof(parser, NULL), FAAS_HTTP_END); /* not missed */
        assert_int_equal(r.unread, 0);
        assert_non_null(strstr(r.text.data, " end"));
        faas_buf_deinit(&r.text);
        faas_buf_deinit(&r.body);
    }
    faas_http_parser_free(parser);
}

static void a_failed_parser_stays_failed(void **state)
{
    struct faas_http_parser *parser = faas_http_parser_new(100);
    struct faas_str data, in = FAAS_STR("nonsense"), good = FAAS_STR("HTTP/1.1 204 \r\n\r\n");
    struct faas_error err;

    (void)state;
    faas_http_parser_reset(parser, false);
    assert_int_equal(faas_http_parser_next(parser, &in, &data, &err), FAAS_HTTP_ERROR);
    assert_int_equal(faas_http_parser_next(parser, &good, &data, &err), FAAS_HTTP_ERROR);
    assert_int_equal(err.code, FAAS_ERR_BAD_GATEWAY);
    assert_int_equal(faas_http_parser_eof(parser, &err), FAAS_HTTP_ERROR);
    faas_http_parser_reset(parser, false);
    assert_int_equal(faas_http_parser_next(parser, &good, &data, &err), FAAS_HTTP_HEAD);
    faas_http_parser_free(parser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_read),
        cmocka_unit_test(keep_alive_follows_version_and_connection),
        cmocka_unit_test(some_responses_have_no_body),
        cmocka_unit_test(interim_responses_are_skipped),
        cmocka_unit_test(chunks_are_unwrapped),
        cmocka_unit_test(bad_heads_are_refused),
        cmocka_unit_test(a_head_of_exactly_the_limit_is_read),
        cmocka_unit_test(bad_chunks_are_refused),
        cmocka_unit_test(an_endless_chunk_extension_is_refused),
        cmocka_unit_test(a_missing_rest_is_an_error),
        cmocka_unit_test(a_parser_serves_many_responses),
        cmocka_unit_test(a_failed_parser_stays_failed),
    };
    return cmocka_run_group_tests_name("http_parse", tests, NULL, NULL);
}
