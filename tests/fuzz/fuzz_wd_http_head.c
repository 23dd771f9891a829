/* Input: one byte of options, then a request's head: first line: upstream_url; second: target; then
 * "Name: value" lines.
 *
 * Invariants: what is written for the function is one head, whose lines are no more than the
 * headers that were passed on and ours, so that no client adds a header or a request; hop-by-hop
 * headers do not go through; and X-Timeout never lengthens or lifts the limit. */
#include "watchdog/http_head.h"
#include "watchdog/upstream_url.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_HEADERS = 32, LIMIT_MS = 1000, OUR_LINES = 6 };

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* What our server lets through. */
static bool is_clean(struct faas_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == 0x7f)
            return false;
    return s.len > 0;
}

static size_t read_headers(struct faas_str rest, struct faas_http_header *headers)
{
    size_t n = 0;

    while (rest.ptr && n < MAX_HEADERS) {
        struct faas_str value = faas_str_split(&rest, '\n');
        struct faas_str name = faas_str_split(&value, ':');

        if (value.ptr && faas_http_valid_token(name) && faas_http_valid_value(value))
            headers[n++] = (struct faas_http_header){name, faas_str_trim(value)};
    }
    return n;
}

static void check_head(struct faas_str text, const struct wd_http_request *r)
{
    size_t lines = 0;

    require(faas_str_ends(text, FAAS_STR("\r\n\r\n")));
    while (text.ptr) {
        struct faas_str line = faas_str_split(&text, '\n');

        if (!text.ptr) /* behind the last newline */
            break;
        require(line.len > 0 && line.ptr[line.len - 1] == '\r');
        require(line.len > 1 || text.len == 0); /* the empty line is the last */
        require(!faas_str_istarts(line, FAAS_STR("Proxy-Authorization:")));
        require(!faas_str_istarts(line, FAAS_STR("Keep-Alive:")));
        require(!faas_str_istarts(line, FAAS_STR("Expect:")));
        require(r->upgrade || !faas_str_istarts(line, FAAS_STR("Upgrade:")));
        lines++;
    }
    require(lines <= r->head->n_headers + OUR_LINES);
}

static void check_limit(const struct faas_http_head *head)
{
    bool by_client;
    int64_t limit_ms = wd_http_limit_ms(head, LIMIT_MS, &by_client);

    require(limit_ms > 0 && limit_ms <= LIMIT_MS);
    require(by_client == (limit_ms < LIMIT_MS));
    require(wd_http_limit_ms(head, 0, &by_client) == 0 && !by_client);
}

static void check_request(const struct wd_upstream_url *url, struct faas_http_head *head,
                          uint8_t options)
{
    _cleanup_buf_ struct faas_buf out = {0};
    const struct wd_http_request r = {
        .head = head,
        .base = faas_str_from(url->base),
        .authority = faas_str_from(url->authority),
        .own_host = options & 1,
        .peer = options & 2 ? FAAS_STR("[::1]:4711") : (struct faas_str){0},
        .upgrade = options & 4 && faas_http_wants_upgrade(head),
        .body = (enum faas_body_kind)((options >> 3) % 3),
        .length = 5,
    };

    if (wd_http_request_head(&out, &r))
        check_head(faas_buf_str(&out), &r);
    else
        require(out.len == 0 && head->path.ptr[0] != '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct faas_http_header headers[MAX_HEADERS];
    struct faas_str rest = {.ptr = (const char *)data + 1, .len = size - 1};
    struct faas_http_head head = {.method = FAAS_STR("POST"), .headers = headers};
    struct wd_upstream_url url;
    struct faas_str text;

    if (size < 2)
        return 0;
    text = faas_str_split(&rest, '\n');
    if (wd_upstream_url_parse(&url, text, NULL) < 0)
        return 0;
    require(url.port <= 65535 && *url.host && !strpbrk(url.base, " \r\n?#"));
    if (rest.ptr)
        head.target = head.path = faas_str_split(&rest, '\n');
    if (is_clean(head.path)) {
        head.n_headers = read_headers(rest, headers);
        wd_http_wants_stream(&head);
        check_limit(&head);
        check_request(&url, &head, data[0]);
    }
    wd_upstream_url_deinit(&url);
    return 0;
}
