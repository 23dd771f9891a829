/* Strings as Go's encoder writes them. Apart from json.h, so that the watchdog can use it without
 * jansson. */
#ifndef FAAS_JSON_STRING_H
#define FAAS_JSON_STRING_H

#include "libfaas/buf.h"

/* Appends s with its quotes: control characters, quote, backslash, '<', '>', '&', U+2028 and U+2029
 * escaped, invalid UTF-8 replaced by U+FFFD. */
void faas_json_write_string(struct faas_buf *out, struct faas_str s);

#endif
