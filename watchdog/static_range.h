/* The Range header: which bytes of a file are asked for. */
#ifndef FAAS_WATCHDOG_STATIC_RANGE_H
#define FAAS_WATCHDOG_STATIC_RANGE_H

#include "libfaas/str.h"

#define WD_MAX_RANGES 64

struct wd_range {
    int64_t from, len; /* len > 0, within the file */
};

enum wd_range_kind {
    WD_RANGE_WHOLE,         /* nothing asked for, or more than it is worth: send the file */
    WD_RANGE_PARTS,         /* these */
    WD_RANGE_UNSATISFIABLE, /* 416 */
};

/* value: ptr NULL when there is no such header. More than WD_MAX_RANGES, or ranges that are longer
 * together than the file, get the whole file: they would be a way to make us work. */
enum wd_range_kind wd_parse_ranges(struct faas_str value, int64_t size,
                                   struct wd_range out[WD_MAX_RANGES], size_t *n);

#endif
