/* Incremental parser of HTTP/1.x responses, pure: bytes in, events out, no I/O.
 * Strict where laxness hides smuggling: both Content-Length and Transfer-Encoding, differing
 * Content-Lengths, bare CR, folded headers and bad chunk lines are errors. */
#ifndef FAAS_HTTP_PARSE_H
#define FAAS_HTTP_PARSE_H

#include "libfaas/buf.h"
#include "libfaas/http.h"

struct faas_http_response_head {
    int status;
    struct faas_str reason;
    const struct faas_http_header *headers; /* views into the parser's buffer */
    size_t n_headers;
    int64_t content_length; /* -1: chunked or until close */
    bool keep_alive;
    bool upgraded; /* 101: what follows is not HTTP */
};

enum faas_http_event {
    FAAS_HTTP_NEED_MORE, /* give more bytes */
    FAAS_HTTP_HEAD,      /* parser->head is valid until the next reset */
    FAAS_HTTP_BODY,      /* *data is a piece of body, a view into the input */
    FAAS_HTTP_END,       /* message complete; unread input belongs to the next one */
    FAAS_HTTP_ERROR,     /* *err says what; the connection is of no more use */
};

struct faas_http_parser; /* heap, reusable */

/* max_head: the most bytes of status line and headers (TOO_LARGE beyond). */
struct faas_http_parser *faas_http_parser_new(size_t max_head);
void faas_http_parser_free(struct faas_http_parser *p);
/* Ready for the next response. head_request: it has no body whatever its headers say. */
void faas_http_parser_reset(struct faas_http_parser *p, bool head_request);
/* Consumes from *in and returns one event. Interim 1xx responses (but 101) are skipped. */
enum faas_http_event faas_http_parser_next(struct faas_http_parser *p, struct faas_str *in,
                                           struct faas_str *data, struct faas_error *err);
/* The peer closed. END when that completes the message (no length given), else ERROR. */
enum faas_http_event faas_http_parser_eof(struct faas_http_parser *p, struct faas_error *err);
const struct faas_http_response_head *faas_http_parser_head(const struct faas_http_parser *p);
/* After END: the fields behind the last chunk, views that are valid until the next reset. */
const struct faas_http_header *faas_http_parser_trailers(const struct faas_http_parser *p,
                                                         size_t *n);

#endif
