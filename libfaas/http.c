#include "libfaas/http.h"

#define ASCII_LETTERS ['a' ... 'z'] = 1, ['A' ... 'Z'] = 1

/* RFC 9110 5.6.2: what a header name or a method may consist of. */
static const unsigned char token_char[256] = {
    ASCII_LETTERS, ['0' ... '9'] = 1, ['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1,
    ['&'] = 1,     ['\''] = 1,        ['*'] = 1, ['+'] = 1, ['-'] = 1, ['.'] = 1,
    ['^'] = 1,     ['_'] = 1,         ['`'] = 1, ['|'] = 1, ['~'] = 1,
};

const struct faas_http_header *faas_http_find(const struct faas_http_header *h, size_t n,
                                              struct faas_str name)
{
    for (size_t i = 0; i < n; i++) {
        if (faas_str_ieq(h[i].name, name))
            return &h[i];
    }
    return NULL;
}

struct faas_str faas_http_value(const struct faas_http_header *h, size_t n, struct faas_str name)
{
    const struct faas_http_header *found = faas_http_find(h, n, name);

    return found ? found->value : (struct faas_str){0};
}

bool faas_http_has_token(struct faas_str value, struct faas_str token)
{
    while (value.ptr) {
        if (faas_str_ieq(faas_str_trim(faas_str_split(&value, ',')), token))
            return true;
    }
    return false;
}

bool faas_http_is_hop_by_hop(struct faas_str name)
{
    /* by length: this is asked of every header of every request, both ways */
    switch (name.len) {
    case 2:
        return faas_str_ieq(name, FAAS_STR("te"));
    case 7:
        return faas_str_ieq(name, FAAS_STR("upgrade")) || faas_str_ieq(name, FAAS_STR("trailer"));
    case 10:
        return faas_str_ieq(name, FAAS_STR("connection")) ||
               faas_str_ieq(name, FAAS_STR("keep-alive"));
    case 16:
        return faas_str_ieq(name, FAAS_STR("proxy-connection"));
    case 17:
        return faas_str_ieq(name, FAAS_STR("transfer-encoding"));
    case 18:
        return faas_str_ieq(name, FAAS_STR("proxy-authenticate"));
    case 19:
        return faas_str_ieq(name, FAAS_STR("proxy-authorization"));
    default:
        return false;
    }
}

bool faas_http_valid_token(struct faas_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!token_char[(unsigned char)s.ptr[i]])
            return false;
    }
    return s.len > 0;
}

bool faas_http_valid_value(struct faas_str s)
{
    return faas_str_find(s, '\r') < 0 && faas_str_find(s, '\n') < 0 && faas_str_find(s, '\0') < 0;
}

const char *faas_http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {100, "Continue"},
        {101, "Switching Protocols"},
        {102, "Processing"},
        {103, "Early Hints"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {203, "Non-Authoritative Information"},
        {204, "No Content"},
        {205, "Reset Content"},
        {206, "Partial Content"},
        {207, "Multi-Status"},
        {208, "Already Reported"},
        {226, "IM Used"},
        {300, "Multiple Choices"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {305, "Use Proxy"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {407, "Proxy Authentication Required"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {418, "I'm a teapot"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {423, "Locked"},
        {424, "Failed Dependency"},
        {425, "Too Early"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {451, "Unavailable For Legal Reasons"},
        {499, "Client Closed Request"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {506, "Variant Also Negotiates"},
        {507, "Insufficient Storage"},
        {508, "Loop Detected"},
        {511, "Network Authentication Required"},
    };

    for (size_t i = 0; i < FAAS_ARRAY_LEN(reasons); i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "Unknown";
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode(struct faas_arena *a, struct faas_str in, bool plus_is_blank,
                   struct faas_str *out)
{
    char *to = faas_arena_alloc(a, in.len + 1), *start = to;

    for (size_t i = 0; i < in.len; i++) {
        char c = in.ptr[i];

        if (c == '%') {
            int high = in.len - i > 2 ? hex_digit(in.ptr[i + 1]) : -1;
            int low = in.len - i > 2 ? hex_digit(in.ptr[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        *to++ = c;
    }
    *to = '\0';
    *out = (struct faas_str){.ptr = start, .len = (size_t)(to - start)};
    return true;
}

bool faas_url_decode(struct faas_arena *a, struct faas_str in, struct faas_str *out)
{
    return decode(a, in, false, out);
}

bool faas_query_get(struct faas_arena *a, struct faas_str query, struct faas_str key,
                    struct faas_str *out)
{
    bool found = false;

    while (query.ptr) {
        struct faas_str value = faas_str_split(&query, '&');
        struct faas_str name = faas_str_split(&value, '=');
        struct faas_str decoded;

        /* like Go, a pair with a broken escape counts as absent */
        if (!decode(a, name, true, &decoded) || !faas_str_eq(decoded, key) ||
            !decode(a, value, true, &decoded))
            continue;
        *out = decoded;
        found = true;
    }
    return found;
}
