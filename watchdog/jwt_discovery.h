/* What a gateway says about the tokens that it makes: its openid-configuration names
 * the issuer and the place of the keys. Blocks; for the copy of a job. */
#ifndef FAAS_WATCHDOG_JWT_DISCOVERY_H
#define FAAS_WATCHDOG_JWT_DISCOVERY_H

#include "libfaas/buf.h"

#define WD_DISCOVERY_MAX (1024 * 1024) /* bytes of a result */

/* Appends issuer, NUL, JWKS document. gateway is a const char *: its base URL. */
FAAS_NODISCARD int wd_jwt_discover(const void *gateway, struct faas_buf *out,
                                   struct faas_error *err);
/* Of such a result, in views of it. */
FAAS_NODISCARD int wd_jwt_discovered(struct faas_str result, const char **issuer,
                                     struct faas_str *jwks, struct faas_error *err);

/* "http://gateway.openfaas:8080" + "/.well-known/openid-configuration". Heap. */
char *wd_jwt_configuration_url(const char *gateway) FAAS_NODISCARD;

#endif
