/* What a body without a declared type most likely is, by its first bytes: the
 * WHATWG MIME sniffing rules in the selection that Go's server applies. */
#ifndef FAAS_WATCHDOG_SNIFF_H
#define FAAS_WATCHDOG_SNIFF_H

#include "libfaas/str.h"

/* Never NULL; "application/octet-stream" when nothing fits. JSON is plain text here. */
const char *wd_sniff_type(struct faas_str body);

#endif
