/* UTF-8, read one character at a time. */
#ifndef FAAS_UTF8_H
#define FAAS_UTF8_H

#include "libfaas/str.h"

#define FAAS_UTF8_REPLACEMENT 0xfffdu

/* The first character of s, which is not empty, and how many bytes it takes. A byte that begins
 * no valid character (stray, cut off, overlong, surrogate) counts as one byte and is answered as
 * U+FFFD, so that a loop over any bytes ends. *valid tells the two apart. */
size_t faas_utf8_next(struct faas_str s, uint32_t *cp, bool *valid);

#endif
