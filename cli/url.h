/* Pieces of URLs. */
#ifndef FAAS_CLI_URL_H
#define FAAS_CLI_URL_H

#include "libfaas/buf.h"
#include "libfaas/map.h"

/* Percent-encoded for a query; a blank becomes '+'. */
void cli_url_escape(struct faas_buf *out, struct faas_str s);
/* Appends "?a=1&b=2"; nothing when query is NULL or empty. */
void cli_url_append_query(struct faas_buf *url, const struct faas_map *query);

#endif
