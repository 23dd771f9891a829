#include "libfaas/url.h"

#include <netdb.h>
#include <netinet/in.h>

enum { HTTP_PORT = 80, HTTPS_PORT = 443, SHOWN = 100 /* of a text in a message */ };

static bool is_clean(struct faas_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == 0x7f)
            return false;
    return true;
}

static bool take_scheme(struct faas_url *url, struct faas_str *rest)
{
    const char *colon = rest->len ? memmem(rest->ptr, rest->len, "://", 3) : NULL;

    if (!colon)
        return false;
    url->scheme = (struct faas_str){.ptr = rest->ptr, .len = (size_t)(colon - rest->ptr)};
    rest->ptr += url->scheme.len + 3;
    rest->len -= url->scheme.len + 3;
    if (faas_str_ieq(url->scheme, FAAS_STR("https")))
        url->port = HTTPS_PORT;
    else if (faas_url_is_plain(url))
        url->port = HTTP_PORT;
    else
        return false;
    return true;
}

static void take_authority(struct faas_url *url, struct faas_str *rest)
{
    url->authority = (struct faas_str){.ptr = rest->ptr};
    while (url->authority.len < rest->len && !strchr("/?#", rest->ptr[url->authority.len]))
        url->authority.len++;
    rest->ptr += url->authority.len;
    rest->len -= url->authority.len;
}

/* "host", "host:port", "[::1]:port" */
static bool split_authority(struct faas_url *url)
{
    struct faas_str rest = url->authority;
    uint64_t n = url->port;

    if (rest.len > 0 && rest.ptr[0] == '[') {
        rest.ptr++;
        rest.len--;
        url->host = faas_str_split(&rest, ']');
        if (!rest.ptr || (rest.len > 0 && rest.ptr[0] != ':'))
            return false;
        if (rest.len == 0)
            rest.ptr = NULL;
        else
            rest = (struct faas_str){.ptr = rest.ptr + 1, .len = rest.len - 1};
    } else {
        url->host = faas_str_split(&rest, ':');
    }
    if (url->host.len == 0 || faas_str_find(url->authority, '@') >= 0)
        return false;
    if (rest.ptr && (faas_parse_u64(rest, &n, NULL) < 0 || n > 65535))
        return false;
    url->port = (unsigned)n;
    return true;
}

int faas_url_parse(struct faas_url *out, struct faas_str text, struct faas_error *err)
{
    int shown = (int)FAAS_MIN(text.len, (size_t)SHOWN);
    struct faas_str rest = text;

    *out = (struct faas_url){0};
    if (!take_scheme(out, &rest))
        return faas_fail(err, FAAS_ERR_INVALID, "\"%.*s\" does not begin with http://", shown,
                         text.ptr);
    take_authority(out, &rest);
    out->path = rest;
    if (!is_clean(text) || !split_authority(out) || (rest.len && rest.ptr[0] != '/') ||
        faas_str_find(rest, '#') >= 0)
        return faas_fail(err, FAAS_ERR_INVALID, "\"%.*s\" is not http://host:port/path", shown,
                         text.ptr);
    return 0;
}

bool faas_url_is_plain(const struct faas_url *url)
{
    return faas_str_ieq(url->scheme, FAAS_STR("http"));
}

void faas_addr_set_port(struct faas_addr *addr, unsigned port)
{
    if (addr->ss.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&addr->ss)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)&addr->ss)->sin_port = htons((uint16_t)port);
}

static int look_up(const char *host, unsigned port, struct faas_addr out[FAAS_MAX_ADDRS],
                   struct faas_error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    struct addrinfo *found;
    int n = 0, rc = getaddrinfo(host, NULL, &hints, &found);

    if (rc != 0)
        return faas_fail(err, FAAS_ERR_UNAVAILABLE, "%.150s: %s", host, gai_strerror(rc));
    for (struct addrinfo *ai = found; ai && n < FAAS_MAX_ADDRS; ai = ai->ai_next) {
        out[n] = (struct faas_addr){.len = ai->ai_addrlen};
        memcpy(&out[n].ss, ai->ai_addr, ai->ai_addrlen);
        faas_addr_set_port(&out[n++], port);
    }
    freeaddrinfo(found);
    return n;
}

/* "localhost" without the resolver: a container may have no /etc/hosts, and whether the function
 * listens on one loopback or the other depends on its runtime. */
int faas_resolve(const char *host, unsigned port, struct faas_addr out[FAAS_MAX_ADDRS],
                 struct faas_error *err)
{
    if (faas_str_ieq(faas_str_from(host), FAAS_STR("localhost"))) {
        if (faas_addr_parse("127.0.0.1", port, &out[0], err) < 0 ||
            faas_addr_parse("::1", port, &out[1], err) < 0)
            return -1;
        return 2;
    }
    if (faas_addr_parse(host, port, &out[0], NULL) == 0)
        return 1;
    return look_up(host, port, out, err);
}
