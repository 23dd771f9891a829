/* Serves a function's log: what is on disk, in order, then what comes. Any thread;
 * blocks while following. */
#ifndef FAAS_PROVIDERS_LOCAL_LOG_READER_H
#define FAAS_PROVIDERS_LOCAL_LOG_READER_H

#include "providers/local/log_file.h"
#include "providers/provider.h"

/* A follower that falls behind by all rotated files loses what they held. */
FAAS_NODISCARD int local_log_read(struct local_log *log, const struct faas_log_query *q,
                                  faas_log_sink_fn sink, struct faas_error *err);

#endif
