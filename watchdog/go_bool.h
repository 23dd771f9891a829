/* What Go's flag and strconv packages take for a truth value. */
#ifndef FAAS_WATCHDOG_GO_BOOL_H
#define FAAS_WATCHDOG_GO_BOOL_H

#include "libfaas/str.h"

/* "1 t T true TRUE True" and "0 f F false FALSE False"; false for anything else, *out untouched. */
bool wd_parse_go_bool(struct faas_str s, bool *out);

#endif
