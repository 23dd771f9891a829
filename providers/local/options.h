/* The local back end's own settings, as read by the gateway together with its own
 * (the rows are in local.c). */
#ifndef FAAS_PROVIDERS_LOCAL_OPTIONS_H
#define FAAS_PROVIDERS_LOCAL_OPTIONS_H

#include "libfaas/error.h"

#include <stdint.h>

#include <sys/types.h>

struct local_options {
    char *watchdog;      /* NULL: fwatchdog beside this program */
    char *function_uids; /* "first-last" */
    int64_t log_max_size;
    int64_t log_files;
    int64_t log_keep_ms;
    int64_t max_bundle_size;
    int64_t max_bundle_entries;
    int64_t max_replicas;
    int64_t start_timeout_ms;
    int64_t restart_min_ms;
    int64_t restart_max_ms;
    int64_t restart_reset_ms;
    int64_t stop_grace_ms;
    int64_t function_nofile;
    int64_t function_nproc;
};

/* Reads "70000-99999". INVALID names the option. Root's own and the system's users are refused. */
FAAS_NODISCARD int local_parse_uids(const char *text, uid_t *first, uid_t *last,
                                    struct faas_error *err);

#endif
