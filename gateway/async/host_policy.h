/* Which hosts a callback may go to. Pure. */
#ifndef FAAS_GATEWAY_ASYNC_HOST_POLICY_H
#define FAAS_GATEWAY_ASYNC_HOST_POLICY_H

#include "libfaas/str.h"

#include <sys/socket.h>

struct gw_host_policy; /* immutable: any thread */

/* Lists of host names, "*.suffix", addresses, networks ("10.0.0.0/8"), "*"; separated by commas.
 * INVALID names the setting and the entry. */
struct gw_host_policy *gw_host_policy_new(const char *allow, const char *deny,
                                          struct faas_error *err);
void gw_host_policy_free(struct gw_host_policy *p);

/* host as it stands in the URL, without brackets. A name is judged by its spelling here; what it
 * resolves to is judged by the other. */
bool gw_host_policy_allows(const struct gw_host_policy *p, struct faas_str host);
/* Is none of the denied networks this address's? */
bool gw_host_policy_allows_addr(const struct gw_host_policy *p, const struct sockaddr *sa);

/* Takes the host out of an http(s) URL. False: it is none, or has no host that is spelt as names
 * and addresses are, or a port that is none, or holds credentials or blanks. */
bool gw_url_host(struct faas_str url, struct faas_str *host);
/* Where a Location that came from url leads; heap. url is one that gw_url_host() accepts; whether
 * the result is, is to be asked. */
char *gw_url_resolve(const char *url, struct faas_str to);

#endif
