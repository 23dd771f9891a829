#include "libfaas/net.h"

#include "libfaas/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Copied in, not written through a cast pointer: the compiler may assume that a sockaddr_in and a
 * sockaddr_storage never overlap. */
static void addr_set_v4(struct faas_addr *out, struct in_addr ip, unsigned port)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = ip};

    *out = (struct faas_addr){.len = sizeof(in)};
    memcpy(&out->ss, &in, sizeof(in));
}

static void addr_set_v6(struct faas_addr *out, struct in6_addr ip, unsigned port)
{
    struct sockaddr_in6 in6 = {
        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = ip};

    *out = (struct faas_addr){.len = sizeof(in6)};
    memcpy(&out->ss, &in6, sizeof(in6));
}

static bool strip_brackets(struct faas_str s, char out[INET6_ADDRSTRLEN])
{
    if (s.len >= 2 && s.ptr[0] == '[' && s.ptr[s.len - 1] == ']')
        s = (struct faas_str){.ptr = s.ptr + 1, .len = s.len - 2};
    if (s.len >= INET6_ADDRSTRLEN)
        return false;
    memcpy(out, s.ptr, s.len);
    out[s.len] = '\0';
    return true;
}

int faas_addr_parse(const char *host, unsigned port, struct faas_addr *out, struct faas_error *err)
{
    char bare[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;

    if (port > 65535)
        return faas_fail(err, FAAS_ERR_INVALID, "port %u is above 65535", port);
    if (inet_pton(AF_INET, host, &v4) == 1) {
        addr_set_v4(out, v4, port);
        return 0;
    }
    if (strip_brackets(faas_str_from(host), bare) && inet_pton(AF_INET6, bare, &v6) == 1) {
        addr_set_v6(out, v6, port);
        return 0;
    }
    return faas_fail(err, FAAS_ERR_INVALID, "\"%.64s\" is not a numeric IPv4 or IPv6 address",
                     host);
}

void faas_addr_format_host(const struct sockaddr *sa, char out[64])
{
    const void *ip = NULL;

    if (sa->sa_family == AF_INET)
        ip = &((const struct sockaddr_in *)sa)->sin_addr;
    else if (sa->sa_family == AF_INET6)
        ip = &((const struct sockaddr_in6 *)sa)->sin6_addr;
    if (!ip || !inet_ntop(sa->sa_family, ip, out, 64))
        strcpy(out, "unknown");
}

void faas_addr_format(const struct sockaddr *sa, char out[64])
{
    char host[64];

    faas_addr_format_host(sa, host);
    if (sa->sa_family == AF_INET6)
        snprintf(out, 64, "[%.46s]:%u", host, faas_addr_port(sa));
    else
        snprintf(out, 64, "%.46s:%u", host, faas_addr_port(sa));
}

unsigned faas_addr_port(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)sa)->sin_port);
    if (sa->sa_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)sa)->sin6_port);
    return 0;
}

bool faas_addr_eq(const struct faas_addr *a, const struct faas_addr *b)
{
    const struct sockaddr_in *a4 = (const struct sockaddr_in *)&a->ss;
    const struct sockaddr_in *b4 = (const struct sockaddr_in *)&b->ss;
    const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)&a->ss;
    const struct sockaddr_in6 *b6 = (const struct sockaddr_in6 *)&b->ss;

    if (a->ss.ss_family != b->ss.ss_family)
        return false;
    if (a->ss.ss_family == AF_INET)
        return a4->sin_port == b4->sin_port && a4->sin_addr.s_addr == b4->sin_addr.s_addr;
    if (a->ss.ss_family == AF_INET6)
        return a6->sin6_port == b6->sin6_port && a6->sin6_scope_id == b6->sin6_scope_id &&
               memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr)) == 0;
    return a->len == b->len && memcmp(&a->ss, &b->ss, a->len) == 0;
}

static int set_flag(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value));
}

/* Returns the fd, or -1 with errno. */
static int listen_on(const struct faas_addr *addr, int backlog, bool reuseport)
{
    _cleanup_close_ int fd =
        socket(addr->ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    /* A restart must not wait for the old connections' TIME_WAIT. */
    if (set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
        return -1;
    if (reuseport && set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
        return -1;
    /* "::" means both families whatever net.ipv6.bindv6only says. */
    if (addr->ss.ss_family == AF_INET6 && set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0) < 0)
        return -1;
    /* Accepted sockets inherit it, which saves a system call on each. */
    if (set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1) < 0)
        return -1;
    if (bind(fd, (const struct sockaddr *)&addr->ss, addr->len) < 0)
        return -1;
    if (listen(fd, backlog > 0 ? backlog : SOMAXCONN) < 0)
        return -1;
    return faas_steal_fd(&fd);
}

static int listen_everywhere(unsigned port, int backlog, bool reuseport)
{
    struct faas_addr addr;
    int fd;

    addr_set_v6(&addr, in6addr_any, port);
    fd = listen_on(&addr, backlog, reuseport);
    if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
        addr_set_v4(&addr, (struct in_addr){.s_addr = htonl(INADDR_ANY)}, port);
        fd = listen_on(&addr, backlog, reuseport);
    }
    return fd;
}

int faas_listen(const char *host, unsigned port, int backlog, bool reuseport,
                struct faas_error *err)
{
    struct faas_addr addr;
    char name[64];
    int fd;

    if (!host || !*host) {
        if (port > 65535)
            return faas_fail(err, FAAS_ERR_INVALID, "port %u is above 65535", port);
        snprintf(name, sizeof(name), "*:%u", port);
        fd = listen_everywhere(port, backlog, reuseport);
    } else {
        if (faas_addr_parse(host, port, &addr, err) < 0)
            return faas_error_wrap(err, "listen");
        faas_addr_format((const struct sockaddr *)&addr.ss, name);
        fd = listen_on(&addr, backlog, reuseport);
    }
    if (fd < 0)
        return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, errno, "listen on %s", name);
    return fd;
}

void faas_socket_keepalive(int fd)
{
    set_flag(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_flag(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set_flag(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
    set_flag(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

unsigned faas_socket_port(int fd)
{
    struct faas_addr addr = {.len = sizeof(addr.ss)};

    if (getsockname(fd, (struct sockaddr *)&addr.ss, &addr.len) < 0)
        return 0;
    return faas_addr_port((const struct sockaddr *)&addr.ss);
}

int faas_connect_start(const struct faas_addr *addr, struct faas_error *err)
{
    _cleanup_close_ int fd =
        socket(addr->ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    char name[64];
    int error;

    if (fd >= 0 && set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1) == 0 &&
        (connect(fd, (const struct sockaddr *)&addr->ss, addr->len) == 0 || errno == EINPROGRESS))
        return faas_steal_fd(&fd);
    error = errno;
    faas_addr_format((const struct sockaddr *)&addr->ss, name);
    return faas_fail_errno(err, FAAS_ERR_UNAVAILABLE, error, "connect %s", name);
}
