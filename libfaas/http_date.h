/* Dates of HTTP headers: "Sun, 06 Nov 1994 08:49:37 GMT". */
#ifndef FAAS_HTTP_DATE_H
#define FAAS_HTTP_DATE_H

#include "libfaas/str.h"

#include <time.h>

#define FAAS_HTTP_DATE_SIZE 32

void faas_http_date_format(time_t t, char out[FAAS_HTTP_DATE_SIZE]);
/* Any of the three forms that HTTP has had; false for anything else. */
bool faas_http_date_parse(struct faas_str s, time_t *out);

#endif
