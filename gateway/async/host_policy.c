#include "gateway/async/host_policy.h"

#include "libfaas/alloc.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

/* One entry: a name or a network. IPv4 stands in its IPv6-mapped form, so that ::ffff:10.0.0.1 is
 * not a way around 10.0.0.0/8. */
struct rule {
    char *name; /* NULL: a network */
    struct in6_addr network;
    unsigned bits;
};

struct rules {
    struct rule *items;
    size_t n;
};

struct gw_host_policy {
    struct rules allow, deny;
};

static bool parse_address(struct faas_str s, struct in6_addr *out, bool *is_v4)
{
    struct in_addr v4;
    char text[INET6_ADDRSTRLEN];

    if (s.len >= sizeof(text))
        return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    *is_v4 = inet_pton(AF_INET, text, &v4) == 1;
    if (!*is_v4)
        return inet_pton(AF_INET6, text, out) == 1;
    *out = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
    memcpy(out->s6_addr + 12, &v4, sizeof(v4));
    return true;
}

static bool is_host_name(struct faas_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') || (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z') ||
              (s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '.' || s.ptr[i] == '-' ||
              s.ptr[i] == '_'))
            return false;
    return s.len > 0;
}

/* "*" and "*.example.org", too. */
static bool is_pattern(struct faas_str s)
{
    if (faas_str_starts(s, FAAS_STR("*.")))
        s = (struct faas_str){s.ptr + 2, s.len - 2};
    return faas_str_eqz(s, "*") || is_host_name(s);
}

static int parse_rule(struct faas_str entry, struct rule *out)
{
    struct faas_str bits = entry;
    struct faas_str address = faas_str_split(&bits, '/');
    uint64_t n = 128;
    bool v4;

    if (parse_address(address, &out->network, &v4)) {
        if (bits.ptr && (faas_parse_u64(bits, &n, NULL) < 0 || n > (v4 ? 32 : 128)))
            return -1;
        out->bits = (unsigned)n + (v4 && bits.ptr ? 96 : 0);
        return 0;
    }
    if (bits.ptr || !is_pattern(entry))
        return -1;
    out->name = faas_str_dup(entry);
    return 0;
}

static int parse_rules(const char *setting, const char *list, struct rules *out,
                       struct faas_error *err)
{
    struct faas_str rest = faas_str_from(list);

    while (rest.ptr) {
        struct faas_str entry = faas_str_trim(faas_str_split(&rest, ','));

        if (!entry.len)
            continue;
        out->items = faas_reallocarray(out->items, out->n + 1, sizeof(*out->items));
        out->items[out->n] = (struct rule){0};
        if (parse_rule(entry, &out->items[out->n++]) < 0)
            return faas_fail(err, FAAS_ERR_INVALID, "%s: \"%.*s\" is no host, address or network",
                             setting, (int)FAAS_MIN(entry.len, (size_t)80), entry.ptr);
    }
    return 0;
}

static void free_rules(struct rules *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->items[i].name);
    free(r->items);
}

struct gw_host_policy *gw_host_policy_new(const char *allow, const char *deny,
                                          struct faas_error *err)
{
    struct gw_host_policy *p = faas_new(struct gw_host_policy);

    if (parse_rules("callback_allow", allow, &p->allow, err) < 0 ||
        parse_rules("callback_deny", deny, &p->deny, err) < 0) {
        gw_host_policy_free(p);
        return NULL;
    }
    return p;
}

void gw_host_policy_free(struct gw_host_policy *p)
{
    if (!p)
        return;
    free_rules(&p->allow);
    free_rules(&p->deny);
    free(p);
}

static bool same_network(const struct rule *r, const struct in6_addr *a)
{
    unsigned bytes = r->bits / 8, bits = r->bits % 8;

    if (memcmp(r->network.s6_addr, a->s6_addr, bytes) != 0)
        return false;
    return bits == 0 || (r->network.s6_addr[bytes] ^ a->s6_addr[bytes]) >> (8 - bits) == 0;
}

static bool matches_name(const char *rule, struct faas_str host)
{
    if (strcmp(rule, "*") == 0)
        return true;
    if (rule[0] == '*' && rule[1] == '.') {
        struct faas_str suffix = faas_str_from(rule + 1);

        return host.len > suffix.len &&
               faas_str_ieq((struct faas_str){host.ptr + host.len - suffix.len, suffix.len},
                            suffix);
    }
    return faas_str_ieq(faas_str_from(rule), host);
}

static bool matches(const struct rules *rules, struct faas_str host, const struct in6_addr *address)
{
    for (size_t i = 0; i < rules->n; i++) {
        const struct rule *r = &rules->items[i];

        if (r->name ? matches_name(r->name, host) : address && same_network(r, address))
            return true;
    }
    return false;
}

/* Where packets for an address end up when that is another one: "any address" is this machine, and
 * a NAT64 passes on to the IPv4 address in it. */
static bool leads_to(const struct in6_addr *address, struct in6_addr *out)
{
    static const struct in6_addr any4 = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    static const unsigned char nat64[12] = {0x00, 0x64, 0xff, 0x9b};

    *out = any4;
    if (memcmp(address, &any4, sizeof(any4)) == 0) {
        out->s6_addr[12] = 127;
        out->s6_addr[15] = 1;
        return true;
    }
    if (memcmp(address->s6_addr, nat64, sizeof(nat64)) == 0) {
        memcpy(out->s6_addr + 12, address->s6_addr + 12, 4);
        return true;
    }
    *out = in6addr_loopback;
    return IN6_IS_ADDR_UNSPECIFIED(address);
}

static bool is_denied(const struct gw_host_policy *p, struct faas_str host,
                      const struct in6_addr *address)
{
    struct in6_addr other;

    return matches(&p->deny, host, address) ||
           (address && leads_to(address, &other) && matches(&p->deny, host, &other));
}

bool gw_host_policy_allows(const struct gw_host_policy *p, struct faas_str host)
{
    struct in6_addr address;
    bool v4, numeric;

    if (host.len && host.ptr[host.len - 1] == '.') /* "host." is the same host */
        host.len--;
    numeric = parse_address(host, &address, &v4);
    if (is_denied(p, host, numeric ? &address : NULL))
        return false;
    return matches(&p->allow, host, numeric ? &address : NULL);
}

bool gw_host_policy_allows_addr(const struct gw_host_policy *p, const struct sockaddr *sa)
{
    struct in6_addr address = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

    if (sa->sa_family == AF_INET)
        memcpy(address.s6_addr + 12, &((const struct sockaddr_in *)sa)->sin_addr, 4);
    else if (sa->sa_family == AF_INET6)
        address = ((const struct sockaddr_in6 *)sa)->sin6_addr;
    else
        return false;
    return !is_denied(p, FAAS_STR(""), &address);
}

/* ":8080", or nothing at all. */
static bool is_port(struct faas_str s)
{
    uint64_t n;

    if (!s.len)
        return true;
    return s.ptr[0] == ':' &&
           (s.len == 1 || (faas_parse_u64((struct faas_str){s.ptr + 1, s.len - 1}, &n, NULL) == 0 &&
                           n >= 1 && n <= 65535));
}

/* Not a character more than a name or an address has: what is decoded or mapped on the way to DNS
 * ("%2e", letters that look like others) would be another name than the one that was judged. */
static bool split_authority(struct faas_str authority, struct faas_str *host)
{
    bool bracketed = authority.len && authority.ptr[0] == '[', v4;
    ptrdiff_t end = faas_str_find(authority, bracketed ? ']' : ':');
    struct in6_addr address;

    if (end < 0 && bracketed)
        return false;
    if (end < 0)
        end = (ptrdiff_t)authority.len;
    *host = (struct faas_str){authority.ptr + bracketed, (size_t)end - bracketed};
    end += bracketed;
    return is_port((struct faas_str){authority.ptr + end, authority.len - (size_t)end}) &&
           (bracketed ? parse_address(*host, &address, &v4) && !v4 : is_host_name(*host));
}

bool gw_url_host(struct faas_str url, struct faas_str *host)
{
    struct faas_str rest = url, authority;

    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.ptr[i] <= ' ' || url.ptr[i] == 0x7f || url.ptr[i] == '\\')
            return false;
    if (faas_str_istarts(url, FAAS_STR("http://")))
        rest = (struct faas_str){url.ptr + 7, url.len - 7};
    else if (faas_str_istarts(url, FAAS_STR("https://")))
        rest = (struct faas_str){url.ptr + 8, url.len - 8};
    else
        return false;
    authority = rest;
    for (size_t i = 0; i < rest.len; i++)
        if (strchr("/?#", rest.ptr[i])) {
            authority.len = i;
            break;
        }
    return split_authority(authority, host);
}

/* "http://host:80" of a URL. */
static size_t origin_len(const char *url)
{
    const char *host = strstr(url, "://") + 3;

    return (size_t)(host - url) + strcspn(host, "/?#");
}

static bool has_scheme(struct faas_str to)
{
    for (size_t i = 0; i < to.len; i++)
        if (strchr(":/?#", to.ptr[i]))
            return to.ptr[i] == ':';
    return false;
}

char *gw_url_resolve(const char *url, struct faas_str to)
{
    size_t origin = origin_len(url), keep = strcspn(url, "?#");

    if (has_scheme(to))
        keep = 0;
    else if (faas_str_starts(to, FAAS_STR("//")))
        keep = strcspn(url, ":") + 1;
    else if (faas_str_starts(to, FAAS_STR("/")))
        keep = origin;
    else if (!faas_str_starts(to, FAAS_STR("?")))
        while (keep > origin && url[keep - 1] != '/')
            keep--;
    return faas_asprintf("%.*s%s%.*s", (int)keep, url,
                         keep == origin && !faas_str_starts(to, FAAS_STR("/")) ? "/" : "",
                         FAAS_STR_FMT(to));
}
