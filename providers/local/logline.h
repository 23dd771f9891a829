/* One line of a function's output as it is stored: the NDJSON record that clients
 * get, so that a log file can also be read by any collector. Pure. */
#ifndef FAAS_PROVIDERS_LOCAL_LOGLINE_H
#define FAAS_PROVIDERS_LOCAL_LOGLINE_H

#include "libfaas/api_types.h"

void local_logline_write(struct faas_buf *out, const struct faas_log_message *m);

struct local_logline_peek {
    int64_t time_ns;
    struct faas_str instance; /* borrowed from the record */
};

/* Reads what is filtered by without decoding the text. False: not a record of ours. */
bool local_logline_peek(struct faas_str record, struct local_logline_peek *out);
/* Appends the decoded text to out. False: not a record of ours. */
bool local_logline_text(struct faas_str record, struct faas_buf *out);

#endif
