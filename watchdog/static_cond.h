/* Conditional requests: does the client have the file already, or another one? */
#ifndef FAAS_WATCHDOG_STATIC_COND_H
#define FAAS_WATCHDOG_STATIC_COND_H

#include "libfaas/http.h"

#include <sys/stat.h>
#include <time.h>

#define WD_ETAG_SIZE 64

/* What identifies this version of the file. */
struct wd_validators {
    char etag[WD_ETAG_SIZE];
    time_t modified;
};

void wd_validators_of(const struct stat *st, struct wd_validators *out);

/* 200, or 304 or 412 to be answered instead, in the order of RFC 9110, 13.2.2. */
int wd_check_conditions(const struct faas_http_header *headers, size_t n, bool is_read,
                        const struct wd_validators *v);
/* If-Range: may a part of the file be sent? */
bool wd_range_applies(const struct faas_http_header *headers, size_t n,
                      const struct wd_validators *v);

#endif
