/* The watchdog's settings: environment variables under the names, with the
 * defaults and in the grammars that function images rely on.
 *
 * libfaas/opt.h is not used: its rows make flags of variables, refuse what it cannot read and take
 * "1" for true, while images in the field have "1", "yes" or "10 s" in variables that the original
 * reads as false or as unset. What we read differently from what stands there is told in a warning;
 * what would make us serve something else than meant (ports, the mode) is refused. */
#ifndef FAAS_WATCHDOG_CONFIG_H
#define FAAS_WATCHDOG_CONFIG_H

#include "libfaas/map.h"

struct wd_config {
    char *fprocess;
    char *mode;            /* "" when unset */
    unsigned port;         /* 0: the kernel picks one */
    int listen_fd;         /* a socket that we were started with; -1: none */
    unsigned metrics_port; /* 0: none */
    int64_t read_timeout_ms;
    int64_t write_timeout_ms;
    int64_t exec_timeout_ms;
    int64_t healthcheck_interval_ms;
    char *content_type; /* NULL when unset */
    char *lock_path;
    uint64_t max_inflight;  /* 0: no limit */
    uint64_t max_body_size; /* 0: no limit */
    uint64_t max_header_bytes;
    bool suppress_lock;
    bool cgi_headers;
    bool combine_output;
    bool marshal_request;
    bool write_debug;
    bool debug_headers;
    struct faas_strv warnings; /* to be logged at start */
};

/* Reads envp into *c (zeroed by the caller, deinit in any case). Fails with INVALID, naming the
 * variable. */
FAAS_NODISCARD int wd_config_load(struct wd_config *c, char *const *envp, struct faas_error *err);
void wd_config_deinit(struct wd_config *c);

/* <TMPDIR or /tmp>/.lock, heap: known without a valid configuration, for the health check. */
char *wd_lock_path(char *const *envp) FAAS_NODISCARD;

#endif
