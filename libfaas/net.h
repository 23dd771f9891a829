/* Sockets and addresses. All descriptors are CLOEXEC and non-blocking. */
#ifndef FAAS_NET_H
#define FAAS_NET_H

#include "libfaas/str.h"

#include <sys/socket.h>

struct faas_addr {
    struct sockaddr_storage ss;
    socklen_t len;
};

/* "127.0.0.1", "::1", "[::]" plus port. Numeric only: no DNS here, it blocks. */
FAAS_NODISCARD int faas_addr_parse(const char *host, unsigned port, struct faas_addr *out,
                                   struct faas_error *err);
/* "127.0.0.1:8080", "[::1]:8080". out holds at least 64 bytes. */
void faas_addr_format(const struct sockaddr *sa, char out[64]);
/* Only the host part, without brackets. */
void faas_addr_format_host(const struct sockaddr *sa, char out[64]);
unsigned faas_addr_port(const struct sockaddr *sa);
bool faas_addr_eq(const struct faas_addr *a, const struct faas_addr *b);

/* A listening TCP socket. reuseport lets several loops share the port. An empty host (or NULL)
 * listens on all interfaces, IPv6 and IPv4; so does "::". backlog 0: the system's largest. What is
 * accepted from it has TCP_NODELAY. The error names address and port. Returns the fd or -1. */
FAAS_NODISCARD int faas_listen(const char *host, unsigned port, int backlog, bool reuseport,
                               struct faas_error *err);
/* The port a listening socket got (for port 0). */
unsigned faas_socket_port(int fd);
/* Starts connecting (with TCP_NODELAY); the socket turns writable when it is done, and SO_ERROR
 * says how. Returns the fd, or -1 when it failed at once. */
FAAS_NODISCARD int faas_connect_start(const struct faas_addr *addr, struct faas_error *err);
/* For connections that may be silent for hours: a peer that is not there any more is found out
 * within two minutes. */
void faas_socket_keepalive(int fd);

#endif
