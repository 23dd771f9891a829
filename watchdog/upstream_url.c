#include "watchdog/upstream_url.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>

#define DEFAULT_PORT 80

static bool is_clean(struct faas_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == 0x7f)
            return false;
    return true;
}

static struct faas_str take_scheme(struct faas_str *rest)
{
    const char *colon = memmem(rest->ptr, rest->len, "://", 3);
    struct faas_str scheme = {0};

    if (!colon)
        return scheme;
    scheme = (struct faas_str){.ptr = rest->ptr, .len = (size_t)(colon - rest->ptr)};
    rest->ptr += scheme.len + 3;
    rest->len -= scheme.len + 3;
    return scheme;
}

static struct faas_str take_authority(struct faas_str *rest)
{
    struct faas_str authority = {.ptr = rest->ptr};

    while (authority.len < rest->len && !strchr("/?#", rest->ptr[authority.len]))
        authority.len++;
    rest->ptr += authority.len;
    rest->len -= authority.len;
    return authority;
}

/* "host", "host:port", "[::1]:port" */
static bool split_authority(struct faas_str authority, struct faas_str *host, unsigned *port)
{
    struct faas_str rest = authority;
    uint64_t n = DEFAULT_PORT;

    if (authority.len > 0 && authority.ptr[0] == '[') {
        rest.ptr++;
        rest.len--;
        *host = faas_str_split(&rest, ']');
        if (!rest.ptr || (rest.len > 0 && rest.ptr[0] != ':'))
            return false;
        if (rest.len == 0)
            rest.ptr = NULL;
        else
            rest = (struct faas_str){.ptr = rest.ptr + 1, .len = rest.len - 1};
    } else {
        *host = faas_str_split(&rest, ':');
    }
    if (host->len == 0 || faas_str_find(authority, '@') >= 0)
        return false;
    if (rest.ptr && (faas_parse_u64(rest, &n, NULL) < 0 || n > 65535))
        return false;
    *port = (unsigned)n;
    return true;
}

int wd_upstream_url_parse(struct wd_upstream_url *url, struct faas_str text, struct faas_error *err)
{
    struct faas_str rest = text, scheme = take_scheme(&rest), authority, host;

    *url = (struct wd_upstream_url){0};
    if (!scheme.ptr || !faas_str_ieq(scheme, FAAS_STR("http")))
        return faas_fail(err, FAAS_ERR_INVALID, "\"%.*s\" does not begin with http://",
                         (int)FAAS_MIN(text.len, (size_t)100), text.ptr);
    authority = take_authority(&rest);
    if (!is_clean(text) || !split_authority(authority, &host, &url->port))
        return faas_fail(err, FAAS_ERR_INVALID, "\"%.*s\" is not http://host:port/path",
                         (int)FAAS_MIN(text.len, (size_t)100), text.ptr);
    if (faas_str_find(rest, '?') >= 0 || faas_str_find(rest, '#') >= 0)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "\"%.*s\" has a query: the path of each request is appended to it",
                         (int)FAAS_MIN(text.len, (size_t)100), text.ptr);
    url->host = faas_str_dup(host);
    url->authority = faas_str_dup(authority);
    url->base = faas_str_dup(rest);
    return 0;
}

void wd_upstream_url_deinit(struct wd_upstream_url *url)
{
    free(url->host);
    free(url->authority);
    free(url->base);
    *url = (struct wd_upstream_url){0};
}

void wd_addr_set_port(struct faas_addr *addr, unsigned port)
{
    if (addr->ss.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&addr->ss)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)&addr->ss)->sin_port = htons((uint16_t)port);
}

static int look_up(const struct wd_upstream_url *url, struct faas_addr out[WD_UPSTREAM_ADDRS],
                   struct faas_error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    struct addrinfo *found;
    int n = 0, rc = getaddrinfo(url->host, NULL, &hints, &found);

    if (rc != 0)
        return faas_fail(err, FAAS_ERR_UNAVAILABLE, "%.150s: %s", url->host, gai_strerror(rc));
    for (struct addrinfo *ai = found; ai && n < WD_UPSTREAM_ADDRS; ai = ai->ai_next) {
        out[n] = (struct faas_addr){.len = ai->ai_addrlen};
        memcpy(&out[n].ss, ai->ai_addr, ai->ai_addrlen);
        wd_addr_set_port(&out[n++], url->port);
    }
    freeaddrinfo(found);
    return n;
}

/* "localhost" without the resolver: a container may have no /etc/hosts, and whether the function
 * listens on one loopback or the other depends on its runtime. */
int wd_upstream_resolve(const struct wd_upstream_url *url, struct faas_addr out[WD_UPSTREAM_ADDRS],
                        struct faas_error *err)
{
    if (faas_str_ieq(faas_str_from(url->host), FAAS_STR("localhost"))) {
        if (faas_addr_parse("127.0.0.1", url->port, &out[0], err) < 0 ||
            faas_addr_parse("::1", url->port, &out[1], err) < 0)
            return -1;
        return 2;
    }
    if (faas_addr_parse(url->host, url->port, &out[0], NULL) == 0)
        return 1;
    return look_up(url, out, err);
}
